"""Our own labelled posts: their shape, how they are read, what would be wrong with them."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz

HERE = Path(__file__).parent / "posts"
LATER = 300  # the first batch of those
HELD_BACK = 5  # every fifth group is never trained on
ALIKE = 82.0  # per cent; two posts above this are the same post said again
SAME_OPENING = 4  # so many posts of one language may begin with the same four words
Harm = Literal[
    "safety", "health", "money", "fraud", "privacy", "legal",
    "discrimination", "outage", "stranded", "leaving", "going_public",
]  # fmt: skip
Sort = Literal[
    "plain", "implicit", "polite", "sarcasm", "mixed", "question_complaint", "question_plain",
    "other_target", "comparison", "negation", "recovered", "slang_praise", "homonym", "news",
    "spam", "very_short", "long", "emoji", "typos", "thread_reply", "stars_against_words",
    "praise", "neutral", "code_switch", "hypothetical", "quote", "humour",
]  # fmt: skip


class Brand(BaseModel, frozen=True, extra="forbid"):
    """An invented brand, and what else its name may mean."""

    name: str
    trade: str
    sells: str
    trap: str | None


class Labelled(BaseModel, frozen=True, extra="forbid"):
    """One post of our own writing with what a careful reader says about it."""

    id: str
    brand: str
    trade: str
    place: str
    kind: Literal["review", "post", "comment", "reply", "question", "article"]
    stars: Literal[1, 2, 3, 4, 5] | None
    language: Literal["en", "es", "de", "fr", "pt", "it", "nl"]
    text: str
    thread: str | None = None  # what this post replies to
    complaint: bool
    feeling: Literal["negative", "neutral", "positive"]
    urgent: bool
    harm: tuple[Harm, ...]
    cause: str | None
    sort: Sort
    pair: str | None  # the contrast twin: the smallest change that flips the label
    split: Literal["train", "held"]
    voice: str | None = None

    @property
    def group(self) -> str:
        """What stays together on one side: all contrast pairs of a batch, else the post alone."""
        return f"{self.id.partition('-')[0]}-pairs" if self.pair else self.id

    @property
    def later(self) -> bool:
        """Whether it was written after a model had been measured on those held back before."""
        return int(self.id[:3]) >= LATER


def side(group: str) -> Literal["train", "held"]:
    """Whether a group is trained on or held back; its name's hash decides, so nobody picks."""
    number = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16)
    return "train" if number % HELD_BACK else "held"


def brands(folder: Path = HERE) -> tuple[Brand, ...]:
    """The brands that the posts are about."""
    return tuple(
        Brand.model_validate(brand) for brand in orjson.loads((folder / "brands.json").read_bytes())
    )


def posts(folder: Path = HERE) -> tuple[Labelled, ...]:
    """Every post, batch by batch.

    Raises:
        ValueError: a line does not have the shape of a post; says which.
    """
    return tuple(post for batch in sorted(folder.glob("*.jsonl")) for post in _lines(batch))


def faults(read: Sequence[Labelled], known: Iterable[Brand]) -> list[str]:
    """What is wrong with a corpus, a sentence each; nothing when all is well."""
    trades = {brand.name: brand.trade for brand in known}
    return [
        *_wrong_alone(read, trades),
        *_wrong_pairs({post.id: post for post in read}, read),
        *_worn_openings(read),
        *_said_again(read),
    ]


def balance(read: Iterable[Labelled]) -> str:
    """A table of complaints and others: language by sort, held-back posts counted too."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for post in read:
        for row in ((post.language, post.sort), (post.language, "all"), ("all", post.sort)):
            counts[row].update(_marks(post))
        counts["all", "all"].update(_marks(post))
    head = f"{'language':9}{'sort':22}{'posts':>7}{'complaints':>12}{'pairs':>7}{'held':>7}"
    rows = (
        f"{language:9}{sort:22}{n['posts']:7}{n['complaints']:12}{n['pairs']:7}{n['held']:7}"
        for (language, sort), n in sorted(counts.items())
    )
    return "\n".join((head, *rows))


def bare(post: Labelled) -> str:
    """What is left of a post without its brand, numbers, signs and capitals: its frame."""
    text = re.sub(re.escape(post.brand), " brand ", post.text, flags=re.IGNORECASE).casefold()
    text = re.sub(r"\d+(?:[.,:]\d+)*", "0", text)
    return " ".join(re.findall(r"[^\W_]+|[\u2600-\u27bf\U0001f000-\U0001faff]", text))


def _lines(batch: Path) -> Iterator[Labelled]:
    for number, line in enumerate(batch.read_bytes().splitlines(), 1):
        try:
            yield Labelled.model_validate_json(line)
        except ValidationError as wrong:
            raise ValueError(f"{batch.name}, line {number}: {wrong}") from wrong


def _wrong_alone(read: Sequence[Labelled], trades: dict[str, str]) -> Iterator[str]:
    for id_, times in Counter(post.id for post in read).items():
        if times > 1:
            yield f"{id_}: this id is given to {times} posts"
    for post in read:
        if trades.get(post.brand) != post.trade:
            yield f"{post.id}: no brand {post.brand!r} in the trade {post.trade!r}"
        if not post.text.strip() or post.text != post.text.strip():
            yield f"{post.id}: the text is empty or begins or ends with space"
        if post.split != side(post.group):
            yield f"{post.id}: belongs to {side(post.group)!r}, as the hash of {post.group!r} says"
        if post.cause is not None and not post.complaint:
            yield f"{post.id}: has a cause but is no complaint"
        if post.cause is not None and not re.fullmatch(r"[a-z]+(?:_[a-z]+)*", post.cause):
            yield f"{post.id}: {post.cause!r} is no short slug"


def _wrong_pairs(by_id: dict[str, Labelled], read: Sequence[Labelled]) -> Iterator[str]:
    for post in read:
        if post.pair is None:
            continue
        twin = by_id.get(post.pair)
        if twin is None or twin.pair != post.id:
            yield f"{post.id}: its twin {post.pair} does not point back"
        elif twin.complaint == post.complaint:
            yield f"{post.id}: its twin {post.pair} has the same label"
        elif (twin.brand, twin.language) != (post.brand, post.language):
            yield f"{post.id}: its twin {post.pair} has another brand or language"


def _worn_openings(read: Sequence[Labelled]) -> Iterator[str]:
    """Four words that begin too many posts; twins begin alike, so each pair counts once."""
    begun: dict[tuple[str, str], set[str]] = defaultdict(set)
    for post in read:
        words = bare(post).split()
        if len(words) >= 6:
            begun[post.language, " ".join(words[:4])].add(min(post.id, post.pair or post.id))
    for (_, opening), ids in begun.items():
        if len(ids) > SAME_OPENING:
            yield f"{len(ids)} posts begin with {opening!r}: {', '.join(sorted(ids))}"


def _said_again(read: Sequence[Labelled]) -> Iterator[str]:
    """Posts that are the same once brand and numbers are taken away, or nearly the same."""
    frames = {post.id: bare(post) for post in read}
    for one, other in _candidates(read, frames):
        if one.pair == other.id:
            continue
        if one.thread != other.thread and frames[one.id] == frames[other.id]:
            continue  # the same few words under another post are another post
        likeness = fuzz.ratio(frames[one.id], frames[other.id])
        if likeness >= ALIKE:
            yield f"{one.id} and {other.id} are alike ({likeness:.0f} %): {other.text[:60]!r}"


def _candidates(
    read: Sequence[Labelled], frames: dict[str, str]
) -> Iterator[tuple[Labelled, Labelled]]:
    """Pairs that share three words in a row; of shorter posts, all their words."""
    sharing: dict[str, list[int]] = defaultdict(list)
    for number, post in enumerate(read):
        words = frames[post.id].split()
        for start in {0, *range(len(words) - 2)}:
            sharing[" ".join(words[start : start + 3])].append(number)
    found = {
        (one, other)
        for numbers in sharing.values()
        for at, one in enumerate(sorted(set(numbers)))
        for other in sorted(set(numbers))[at + 1 :]
    }
    return ((read[one], read[other]) for one, other in sorted(found))


def _marks(post: Labelled) -> list[str]:
    marks = {
        "posts": True,
        "complaints": post.complaint,
        "pairs": post.pair is not None,
        "held": post.split == "held",
    }
    return [mark for mark, is_set in marks.items() if is_set]
