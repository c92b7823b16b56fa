"""Sets a model's thresholds on posts kept for it, and measures it on those that were held back."""

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from models import onnx
from models.classifier import Classifier
from models.lexicon import Lexicon
from models.openvino import WHOLE
from models.pairs import about
from models.training import sets
from models.training.corpus import Labelled
from models.verdict import Feeling, Question, Verdict

FLAG = 0.5  # as triage flags
RECALL, PRECISION, SURE = 0.95, 0.80, 0.85
WRONG_SHOWN = 12
LEARNT = ("en", "es", "de", "fr", "pt", "it", "nl")
HARD = ("sarcasm", "implicit", "other_target", "recovered")
Row = tuple[str, Callable[[Labelled], bool]]


def main() -> int:
    """Calibrate the weights in a folder, or compare models on the held-back posts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--calibrate", metavar="VERSION", help="write the card, with this version")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other folders")
    parser.add_argument("--data", type=Path, help="folder of public sets")
    told = parser.parse_args()
    if told.calibrate:
        calibrate(told.folder, told.calibrate)
    models: list[Any] = [onnx.load(folder) for folder in (told.folder, *told.beside)]
    models += [Lexicon(), *vader()]
    sys.stdout.write(held(models) + "\n")
    if told.data:
        sys.stdout.write(development(models[: 1 + len(told.beside)], told.data) + "\n")
    return 0


def calibrate(folder: Path, version: str) -> None:
    """Fit the scales and thresholds on the part of train that was kept for it; write the card."""
    card: dict[str, Any] = {
        "name": folder.name,
        "version": version,
        "labels": [str(feeling) for feeling in Feeling],
        "languages": list(LEARNT),
        "tokens": 128,
        "temperature": 1.0,
        "complaint": [1.0, 0.0],
        "starred": [1.0, 0.0],
        "context": True,
        "together": True,
        "embedding": onnx.MEANING,
        "grey": [0.35, 0.65],
        "grey_where_language_is_unclear": [0.35, 0.65],
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in (onnx.MODEL, onnx.STEADY, onnx.TOKENIZER, WHOLE)
            if (folder / name).is_file()
        },
    }
    _write(folder, card)
    model = onnx.load(folder)
    posts = sets.labelled("calibration")
    opinions = model.opinions(
        [about(post.brand, post.stars, post.thread) for post in posts],
        [sets.told(post.text, post.brand) for post in posts],
        [post.stars is not None for post in posts],
    )
    said = np.array([min(max(one.complaint, 1e-6), 1 - 1e-6) for one in opinions])
    logits = np.log(said / (1 - said))
    true = np.array([post.complaint for post in posts])
    probable = np.zeros(len(posts))
    for name, starred in (("complaint", False), ("starred", True)):
        at = np.array([(post.stars is not None) == starred for post in posts])
        slope, offset = scale(logits[at], true[at])
        probable[at] = 1 / (1 + np.exp(-(slope * logits[at] + offset)))
        card[name] = [round(slope, 4), round(offset, 4)]
    feelings = np.array([[one.feelings[feeling] for feeling in Feeling] for one in opinions])
    right = np.array([list(Feeling).index(Feeling(post.feeling)) for post in posts])
    low, high = thresholds(probable, true)
    card |= {
        "temperature": temperature(feelings, right),
        "grey": [low, high],
        "grey_where_language_is_unclear": [low, high],
    }
    _write(folder, card)
    sys.stdout.write(f"calibrated on {len(posts)} posts: {json.dumps(card)}\n")


def scale(logits: Any, true: Any) -> tuple[float, float]:
    """The slope and offset under which the logits are the most probable (Platt), by Newton."""
    weights = np.zeros(2)  # from further away, Newton may overshoot
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    for _ in range(50):
        probable = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (probable - true) + 1e-3 * weights
        bend = (design.T * (probable * (1 - probable))) @ design + 1e-3 * np.eye(2)
        weights -= np.linalg.solve(bend, slope)
    return float(weights[0]), float(weights[1])


def temperature(feelings: Any, right: Any) -> float:
    """What divides the logits so that the feelings are the most probable."""
    logits = np.log(np.clip(feelings, 1e-9, 1))

    def surprise(heat: float) -> float:
        scaled = logits / heat
        total = np.log(np.exp(scaled).sum(1))
        return float((total - scaled[np.arange(len(right)), right]).mean())

    return float(min((round(0.5 + step * 0.05, 2) for step in range(51)), key=surprise))


def thresholds(probable: Any, true: Any) -> tuple[float, float]:
    """Between which a model is unsure: recall below, where precision allows it, and trust above."""
    steps = [round(step / 100, 2) for step in range(2, 99)]

    def met(at: float) -> tuple[float, float]:
        found = probable >= at
        return float(true[found].mean()) if found.any() else 1.0, float(found[true].mean())

    low = max((at for at in steps if at <= FLAG and met(at)[1] >= RECALL), default=0.02)
    if met(low)[0] < PRECISION:
        low = min(
            (at for at in steps if at <= FLAG and met(at)[0] >= PRECISION), default=FLAG - 0.1
        )
    high = min((at for at in steps if at > FLAG and met(at)[0] >= SURE), default=0.8)
    return min(low, 0.45), max(high, 0.55)


def held(models: Sequence[Classifier]) -> str:
    """The tables on the held-back posts, and the worst mistakes of the first model."""
    later = [post for post in sets.labelled("held") if post.later]
    posts = [post for post in sets.labelled("held") if not post.later]
    questions = [asked(post) for post in posts]
    verdicts = {model.name: model.judge(questions) for model in models}
    first = models[0].name
    lines = ["| held back | " + " | ".join(verdicts) + " |", "|---" * (len(verdicts) + 1) + "|"]
    for name, chosen in _slices():
        at = [number for number, post in enumerate(posts) if chosen(post)]
        if not at:
            continue
        true = np.array([posts[number].complaint for number in at])
        cells = [
            _cell(name, np.array([said[number].complaint for number in at]), true)
            for said in verdicts.values()
        ]
        lines.append(f"| {name} ({len(at)}) | " + " | ".join(cells) + " |")
    lines += _of_later(models, later)
    true = np.array([post.complaint for post in posts])
    for name, said in verdicts.items():
        lines.append(_summary(name, said, posts, true))
    worst = sorted(
        zip(posts, verdicts[first], strict=True),
        key=lambda both: -abs(both[1].complaint - both[0].complaint),
    )
    lines += [
        f"- {said.complaint:.2f}, is {'a' if post.complaint else 'no'} complaint ({post.sort}, "
        f"{post.language}, {post.brand}): {post.text[:150]!r}"
        for post, said in worst[:WRONG_SHOWN]
    ]
    return "\n".join(lines)


def _of_later(models: Sequence[Classifier], posts: Sequence[Labelled]) -> list[str]:
    """Rows for the held-back posts that came with what was learnt from, and lie nearer to it."""
    if not posts:
        return []
    said = [model.judge([asked(post) for post in posts]) for model in models]
    lines = []
    for name, chosen in _slices()[:3]:
        at = [number for number, post in enumerate(posts) if chosen(post)]
        true = np.array([posts[number].complaint for number in at])
        cells = [_cell(name, np.array([one[n].complaint for n in at]), true) for one in said]
        lines.append(f"| {name}, written later ({len(at)}) | " + " | ".join(cells) + " |")
    return lines


def development(models: Sequence[Classifier], data: Path) -> str:
    """Macro-F1 of the feeling on the public parts that nobody trains on."""
    lines = ["| development, macro-F1 of feeling | " + " | ".join(m.name for m in models) + " |"]
    for name, examples in sets.development(data).items():
        language = _code(name)
        questions = [Question(one.text, language=language) for one in examples]
        right = [one.feeling for one in examples]
        cells = [f"{macro([v.feeling for v in m.judge(questions)], right):.3f}" for m in models]
        lines.append(f"| {name} ({len(examples)}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def macro(said: Sequence[Feeling], right: Sequence[Feeling | None]) -> float:
    """The mean of the F1 of the feelings that occur."""
    scores = []
    for feeling in set(right):
        hit = sum(a == b == feeling for a, b in zip(said, right, strict=True))
        scores.append(2 * hit / max(1, list(said).count(feeling) + list(right).count(feeling)))  # type: ignore[arg-type]
    return sum(scores) / len(scores)


def asked(post: Labelled) -> Question:
    """What the product would ask about a post."""
    return Question(
        post.text, post.brand, post.stars, post.kind, post.language, post.place, post.thread
    )


def vader() -> list[Classifier]:
    """VADER where it is installed, to compare with."""
    try:
        analyser = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    except ModuleNotFoundError:
        return []

    class Vader:
        name = "VADER"

        def judge(self, questions: Sequence[Question]) -> list[Verdict]:
            return [self._one(analyser.polarity_scores(one.text)["compound"]) for one in questions]

        def _one(self, compound: float) -> Verdict:
            feeling = (
                Feeling.NEGATIVE
                if compound <= -0.05
                else Feeling.POSITIVE
                if compound >= 0.05
                else Feeling.NEUTRAL
            )
            negative = min(1.0, max(0.0, 0.5 - (compound + 0.05) / 2))
            return Verdict(
                complaint=negative, feeling=feeling, confidence=1.0, unsure=False, model="VADER"
            )

    return [Vader()]


def _slices() -> list[Row]:
    rows: list[Row] = [
        ("F1 all", lambda _: True),
        ("F1 en", lambda post: post.language == "en"),
        ("F1 other languages", lambda post: post.language != "en"),
    ]
    rows += [(f"F1 {code}", lambda post, code=code: post.language == code) for code in LEARNT[1:]]  # type: ignore[misc]
    rows += [
        ("F1 with stars", lambda post: post.stars is not None),
        ("F1 without stars", lambda post: post.stars is None),
        ("F1 under 60 characters", lambda post: len(post.text) < 60),
        ("F1 over 280 characters", lambda post: len(post.text) > 280),
    ]
    sorts = sorted({post.sort for post in sets.labelled("held") if not post.later})
    rows += [(f"accuracy {sort}", lambda post, sort=sort: post.sort == sort) for sort in sorts]  # type: ignore[misc]
    return rows


def _cell(name: str, probable: Any, true: Any) -> str:
    said = probable >= FLAG
    if name.startswith("F1"):
        return f"{f1(said, true):.3f} ({_interval(said, true)})"
    share, count = float((said == true).mean()), len(true)
    spread = 1.96 * math.sqrt((share * (1 - share) + 1.96**2 / (4 * count)) / count)
    middle, width = share + 1.96**2 / (2 * count), 1 + 1.96**2 / count
    return f"{share:.2f} ({(middle - spread) / width:.2f}-{(middle + spread) / width:.2f})"


def _interval(said: Any, true: Any) -> str:
    """95 % by drawing anew 400 times."""
    chance = np.random.default_rng(6)
    drawn = [chance.integers(0, len(true), len(true)) for _ in range(400)]
    low, high = np.quantile([f1(said[at], true[at]) for at in drawn], [0.025, 0.975])
    return f"{low:.2f}-{high:.2f}"


def f1(said: Any, true: Any) -> float:
    """The harmonic mean of precision and recall."""
    return float(2 * (said & true).sum() / max(1, said.sum() + true.sum()))


def _summary(name: str, said: Sequence[Verdict], posts: Sequence[Labelled], true: Any) -> str:
    probable = np.array([one.complaint for one in said])
    flagged = probable >= FLAG
    seen = flagged | np.array([one.unsure for one in said])
    bins = np.minimum((probable * 10).astype(int), 9)
    gap = sum(
        abs(probable[bins == one].sum() - true[bins == one].sum()) for one in range(10)
    ) / len(true)
    order = probable.argsort().argsort() + 1
    yes = int(true.sum())
    area = (order[true].sum() - yes * (yes + 1) / 2) / (yes * (len(true) - yes))
    feeling = macro([one.feeling for one in said], [Feeling(post.feeling) for post in posts])
    return (
        f"\n{name}: flags P {_share(true, flagged)} R {_share(flagged, true)}; with the unsure lane "
        f"P {_share(true, seen)} R {_share(seen, true)}; unsure {np.mean([v.unsure for v in said]):.2f}"
        f"; ECE {gap:.3f}; AUC {area:.3f}; feeling macro-F1 {feeling:.3f}; confusion "
        f"TP {int((flagged & true).sum())} FP {int((flagged & ~true).sum())} "
        f"FN {int((~flagged & true).sum())} TN {int((~flagged & ~true).sum())}\n"
    )


def _share(of: Any, among: Any) -> str:
    return f"{of[among].mean():.3f}" if among.any() else "-"


def _code(name: str) -> str:
    codes = {"german": "de", "french": "fr", "spanish": "es", "portuguese": "pt", "italian": "it"}
    return codes.get(
        name.rpartition("-")[2],
        "ar" if name.endswith("arabic") else "hi" if name.endswith("hindi") else "en",
    )


def _write(folder: Path, card: dict[str, Any]) -> None:
    (folder / onnx.CARD).write_text(json.dumps(card, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
