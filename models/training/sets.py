"""Reads what a model learns from: our own posts, and public sets from a folder where there is one."""

import csv
import hashlib
import html
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.pairs import about
from models.text import normalise
from models.training import corpus
from models.verdict import Feeling

NEGATIVE, NEUTRAL, POSITIVE = Feeling
NAME = re.compile(r"(?<=[\w,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})?|(?<=[@#])[A-Za-z]{3,}")
DAYS = frozenset({"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"})
CALIBRATED = 9  # every ninth group of the train part sets temperature and thresholds instead


@dataclass(frozen=True, slots=True)
class Example:
    """A text with what is known of it; None where a set says nothing."""

    text: str
    feeling: Feeling | None
    brand: str = ""
    stars: float | None = None
    answers: str | None = None  # the text it replies to
    complaint: bool | None = None
    urgent: bool | None = None
    harm: tuple[corpus.Harm, ...] | None = None
    fixed: bool = False  # the name means something else here, so no other may stand in for it
    sort: str = ""
    twins: str = ""  # what it shares with its contrast twin alone
    felt: tuple[float, ...] = ()  # how probable an earlier model held each feeling
    taught: float | None = None  # how probable a larger model held it to be a complaint


def own(side: str, language: str | None = None) -> list[Example]:
    """Our own posts of one side: `train`, `calibration` (a part of train) or `held`."""
    return [
        Example(
            text=post.text,
            feeling=Feeling(post.feeling),
            brand=post.brand,
            stars=post.stars,
            answers=post.thread,
            complaint=post.complaint,
            urgent=post.urgent,
            harm=post.harm,
            fixed=post.sort == "homonym",
            sort=post.sort,
            twins=min(post.id, post.pair) if post.pair else "",
        )
        for post in labelled(side)
        if language in {None, post.language}
    ]


def labelled(side: str) -> list[corpus.Labelled]:
    """The same, as they were written."""
    return [post for post in corpus.posts() if _side(post) == side]


def public(folder: Path | None, *, clear: bool = False) -> dict[str, list[Example]]:
    """What may be trained on of the public sets that are in a folder, set by set.

    `clear` leaves those out whose licence does not say plainly that one may.
    """
    found = {
        name: list(read(folder / name))
        for name, read in SETS.items()
        if folder and (folder / name).is_dir() and (name in CLEAR or not clear)
    }
    return {
        name: [about_somebody(one) for one in examples] if name in ENGLISH else examples
        for name, examples in found.items()
        if examples
    }


def pool(public: dict[str, list[Example]], size: int, seed: int) -> list[Example]:
    """So many texts drawn from all sets, and as many again of `OFTEN`; the same for a seed."""
    chance = random.Random(seed)  # noqa: S311  (it guards nothing)
    every = [(name, one) for name, examples in public.items() for one in range(len(examples))]
    drawn = chance.sample(every, min(size, len(every)))
    left = sorted({one for one in every if one[0] in OFTEN} - set(drawn))
    drawn += chance.sample(left, min(size, len(left)))
    return [public[name][one] for name, one in drawn]


def about_somebody(one: Example) -> Example:
    """The text asked about somebody whom it names, where it does; always about the same."""
    named = sorted(set(NAME.findall(one.text)) - DAYS)
    if one.brand or not named:
        return one
    name = named[zlib.crc32(one.text.encode()) % len(named)]
    return replace(one, brand=name, fixed=True)


def key(one: Example) -> str:
    """A short name of a question, the same in every run."""
    asked = "\0".join((about(one.brand, one.stars, one.answers), told(one.text, one.brand)))
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def taught(examples: Sequence[Example], file: Path) -> list[Example]:
    """The examples, with what a teacher held of those that it was asked about."""
    kept: dict[str, float] = json.loads(file.read_text("utf-8"))
    return [replace(one, taught=kept.get(key(one))) for one in examples]


def development(folder: Path) -> dict[str, list[Example]]:
    """The parts of public sets that a model is measured on and never learns from."""
    found: dict[str, list[Example]] = {}
    tweets = folder / "tweeteval-sentiment"
    if tweets.is_dir():
        found["tweeteval"] = list(_two_files(tweets / "val_text.txt", tweets / "val_labels.txt"))
    films = folder / "uci-sentences" / "imdb_labelled.txt"
    if films.is_file():
        found["uci-films"] = [
            Example(text, POSITIVE if label.strip() == "1" else NEGATIVE)
            for line in films.read_text("utf-8", errors="replace").replace("\r", "\n").split("\n")
            for text, _, label in [line.rpartition("\t")]
            if text.strip()
        ]
    for language in sorted((folder / "xlm-t").glob("*/val_text.txt")):
        name = f"xlm-t-{language.parent.name}"
        found[name] = list(_two_files(language, language.with_name("val_labels.txt")))
    return found


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, for the manifest."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def told(text: str, brand: str = "") -> str:
    """A text as the product hands it to a model."""
    return normalise(text[:4_000], brand)


def _side(post: corpus.Labelled) -> str:
    if post.split == "held":
        return "held"
    number = int(hashlib.sha256(f"calibration {post.group}".encode()).hexdigest()[:8], 16)
    return "train" if number % CALIBRATED else "calibration"


def _two_files(texts: Path, labels: Path) -> Iterator[Example]:
    feelings = (NEGATIVE, NEUTRAL, POSITIVE)
    told_lines = texts.read_text("utf-8").rstrip("\n").split("\n")
    for text, label in zip(told_lines, labels.read_text("utf-8").split(), strict=True):
        yield Example(text, feelings[int(label)])


def _xlm(folder: Path) -> Iterator[Example]:
    for texts in sorted(folder.glob("*/train_text.txt")):
        yield from _two_files(texts, texts.with_name("train_labels.txt"))


def _semeval(folder: Path) -> Iterator[Example]:
    measured = {
        told(line) for line in _lines(folder.parent / "tweeteval-sentiment" / "val_text.txt")
    }  # the same tweets are in both sets; one that is measured on is not learnt from
    for file in sorted(folder.glob("twitter-*.txt")):
        for line in _lines(file):
            parts = line.split("\t")
            if len(parts) < 3 or parts[1] not in Feeling.__members__.values():
                continue
            text = parts[2]
            if told(text) not in measured and text.strip() != "Not Available":
                yield Example(text, Feeling(parts[1]))


def _vader(folder: Path) -> Iterator[Example]:
    for file in ("tweets_GroundTruth.txt", "nytEditorialSnippets_GroundTruth.txt"):
        for line in _lines(folder / file):
            parts = line.split("\t")
            if len(parts) >= 3:
                mean = float(parts[1])
                yield Example(
                    parts[2], NEGATIVE if mean < -0.7 else POSITIVE if mean > 0.7 else NEUTRAL
                )


def _sst(folder: Path) -> Iterator[Example]:
    for line in _lines(folder / "train.tsv"):
        text, _, label = line.rpartition("\t")
        if text.strip():
            yield Example(text, POSITIVE if label == "1" else NEGATIVE)


def _absa(folder: Path) -> Iterator[Example]:
    """A sentence with one thing it judges, in the place of the brand."""
    feelings = {"-1": NEGATIVE, "0": NEUTRAL, "1": POSITIVE}
    for file in sorted(folder.glob("*_Train.xml.seg")):
        lines = list(_lines(file))
        for sentence, aspect, polarity in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
            yield Example(
                sentence.replace("$T$", aspect),
                feelings[polarity.strip()],
                brand=aspect,
                fixed=True,
            )


def _sxsw(folder: Path) -> Iterator[Example]:
    feelings = {"Negative emotion": NEGATIVE, "Positive emotion": POSITIVE}
    with next(folder.glob("*.csv")).open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            said = row["is_there_an_emotion_directed_at_a_brand_or_product"]
            if row["tweet_text"] and said in feelings:
                yield Example(row["tweet_text"], feelings[said])


def _apple(folder: Path) -> Iterator[Example]:
    feelings = {"1": NEGATIVE, "3": NEUTRAL, "5": POSITIVE}
    with next(folder.glob("*.csv")).open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            if row["sentiment"] in feelings:
                yield Example(row["text"], feelings[row["sentiment"]])


def _lines(file: Path) -> Iterator[str]:
    if file.is_file():
        yield from html.unescape(file.read_text("utf-8", errors="replace")).split("\n")


SETS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "xlm-t": _xlm,
    "vader-icwsm2014": _vader,
    "semeval2013-2016": _semeval,
    "semeval14-absa": _absa,
    "sst2-sentences": _sst,
    "brand-tweets-sxsw": _sxsw,
    "apple-tweets-dfe": _apple,
}
OFTEN = frozenset({"xlm-t"})  # the only one in more than English; a fifth of all texts
CLEAR = frozenset({"xlm-t", "vader-icwsm2014"})  # whose licence says plainly that one may
ENGLISH = frozenset(SETS) - {"xlm-t"}
