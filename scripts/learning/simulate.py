"""Simulates what a brand teaches of whose posts the model was shown none, and what the gate stops.

`python scripts/learning/simulate.py` takes the posts that are held back from every training. For
trades that it was never shown, build weights without them first, from a base that has not seen
them either; then add `--weights FOLDER --without hotels airlines`.
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import onnx, shelf
from models.learning import gate
from models.learning.answers import example
from models.learning.head import Example, Numbers, arrays, fit
from models.training import corpus, sets
from models.training.corpus import Labelled
from models.verdict import Question

SIZES = (50, 200, 1000)
REPLAYED = 1_200
TIMES = 3
SEED = 6
Spoil = Callable[[list[Example], random.Random], list[Example]]


def main() -> int:
    """Print the tables of docs/learning.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=shelf.WEIGHTS / shelf.DEFAULT)
    parser.add_argument("--without", nargs="+", default=[], help="trades that they never saw")
    told = parser.parse_args()
    chance = random.Random(SEED)
    ours = [post for post in sets.labelled("train") if post.trade not in told.without]
    kept = [post for post in sets.labelled("calibration") if post.trade not in told.without]
    theirs = [
        post
        for post in corpus.posts()
        if (post.trade in told.without if told.without else post.split == "held")
    ]
    replay = seen(told.weights, [*chance.sample(ours, REPLAYED), *kept])
    trade = seen(told.weights, theirs)
    what = ", ".join(told.without) or "that were held back"
    say(f"{len(replay)} posts learnt beside {len(trade)} {what}\n")
    say("| lessons | F1 before | F1 after | mistakes before | after | our own | the gate |")
    say("|---|---|---|---|---|---|---|")
    for size in SIZES:
        say(taught(trade, replay, size))
    say("\n| lessons | batch | stopped | the gate |\n|---|---|---|---|")
    for size in SIZES:
        for name, spoil in SPOILT.items():
            say(stopped(trade, replay, size, name, spoil))
    return 0


def seen(folder: Path, posts: Sequence[Labelled]) -> list[Example]:
    """Posts as the product sees them; without those whose language the model has not learnt."""
    questions = [
        Question(
            text=post.text,
            brand=post.brand,
            stars=None if post.stars is None else float(post.stars),
            kind=post.kind,
            language=post.language,
        )
        for post in posts
    ]
    found = [
        example(verdict, post.complaint, post.group, staff=1, slices=(post.language, post.sort))
        for post, verdict in zip(posts, onnx.load(folder).judge(questions), strict=True)
    ]
    return [one for one in found if one is not None]


def drawn(trade: Sequence[Example], size: int, chance: random.Random) -> tuple[list[Example], ...]:
    """Lessons, and posts that nobody has told anything of; what belongs together stays so."""
    groups: dict[str, list[Example]] = {}
    for one in trade:
        groups.setdefault(one.group, []).append(one)
    order = [one for name in chance.sample(sorted(groups), len(groups)) for one in groups[name]]
    size = min(size, len(order) * 4 // 5)
    last = order[size - 1].group
    lessons = order[:size] + [one for one in order[size:] if one.group == last]
    rest = [one for one in order[size:] if one.group != last]
    return lessons, rest


def taught(trade: Sequence[Example], replay: Sequence[Example], size: int) -> str:
    """A row: what so many lessons change on posts of the trade that nobody has told."""
    rows, passed, count = [], 0, 0
    for time in range(TIMES):
        lessons, rest = drawn(trade, size, random.Random(time))
        count = len(lessons)
        head, _ = gate.learn(lessons, replay)
        passed += head is not None
        head = fit(lessons, gate.taught(replay))
        guards = [one for one in replay if gate.fold(one.group) in gate.GUARDS]
        vectors, logits, true = arrays(rest)
        after = head.moved(logits, vectors)
        others, base, right = arrays(guards)
        moved = ((head.moved(base, others) > 0) == right).mean() - ((base > 0) == right).mean()
        rows.append(
            (
                f1(logits, true),
                f1(after, true),
                ((logits > 0) != true).mean(),
                ((after > 0) != true).mean(),
                moved,
            )
        )
    before, now, wrong, still, moved = np.mean(rows, axis=0)
    return (
        f"| {count} | {before:.3f} | {now:.3f} | {wrong:.1%} | {still:.1%} | {moved:+.1%} "
        f"| let {passed} of {TIMES} through |"
    )


def stopped(
    trade: Sequence[Example], replay: Sequence[Example], size: int, name: str, spoil: Spoil
) -> str:
    """A row: how often a batch is stopped, and what is said of it."""
    times, said = 0, ""
    for time in range(TIMES):
        chance = random.Random(time)
        lessons, _ = drawn(trade, size, chance)
        head, found = gate.learn(spoil(lessons, chance), replay)
        times += head is None
        said = found.refused or said
    return f"| {size} | {name} | {times} of {TIMES} | {said} |"


def a_fifth_wrong(lessons: list[Example], chance: random.Random) -> list[Example]:
    """Every fifth says the contrary of what is true."""
    wrong = set(chance.sample(range(len(lessons)), len(lessons) // 5))
    return [
        replace(one, complaint=not one.complaint) if at in wrong else one
        for at, one in enumerate(lessons)
    ]


def all_negative(lessons: list[Example], chance: random.Random) -> list[Example]:
    """One person, who has judged a third of all, calls everything a complaint."""
    theirs = set(chance.sample(range(len(lessons)), len(lessons) // 3))
    return [
        replace(one, complaint=True, staff=2) if at in theirs else one
        for at, one in enumerate(lessons)
    ]


SPOILT: dict[str, Spoil] = {
    "as it is": lambda lessons, _: lessons,
    "a fifth wrong": a_fifth_wrong,
    "one of three says *complaint* to all": all_negative,
}


def f1(logits: Numbers, true: Numbers) -> float:
    """The F1 of flags at 0.5."""
    flagged = logits > 0
    hits = float((flagged & (true > 0)).sum())
    return 2 * hits / max(1.0, float(flagged.sum() + true.sum()))


def say(words: str) -> None:
    """Print a line."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
