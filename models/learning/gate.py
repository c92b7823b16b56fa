"""Decides whether what was learnt may judge, and says why not in words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np

from models.evaluation.intervals import by_chance, wilson
from models.learning.head import Example, Head, Numbers, arrays, fit, probability

FOLDS: Final = 5
GUARDS: Final = frozenset({0, 1})  # the fifths of our own posts that no head has seen
FEWEST: Final = 20  # lessons; fewer teach nobody
SURE: Final = 0.9  # above, or below one minus it, the network seldom errs
DOUBTFUL: Final = 0.12  # of lessons against what is sure; more are not all mistakes of the network
BETTER: Final = 0.05  # how probable a gain may be by chance alone
WORSE: Final = 0.01  # the same for a loss in one slice; there are some dozens of slices


@dataclass(frozen=True, slots=True)
class Findings:
    """What the gate saw. Counts are of lessons, each judged by a head that had not seen it.

    `gained` were wrong before and are right now, `lost` the other way round. `against` contradict
    what was sure, of `sure` lessons. `worse` are slices that fell, with how many posts of our own.
    `refused` is why nothing was learnt, in words; empty when all is well. `doubted` is the person
    who is not believed, if it is one.
    """

    lessons: int
    right_before: int
    right_now: int
    gained: int
    lost: int
    against: int
    sure: int
    worse: Mapping[str, int]
    refused: str = ""
    doubted: int | None = None

    @property
    def passed(self) -> bool:
        """Whether it may judge."""
        return not self.refused

    @property
    def words(self) -> str:
        """What came of it, for people."""
        if self.refused:
            return f"Nothing was learnt. {self.refused}"
        return (
            f"Learnt from {self.lessons} lessons: of those held back in turn, "
            f"{self.right_before} were right before and {self.right_now} are now."
        )


def learn(lessons: Sequence[Example], replay: Sequence[Example]) -> tuple[Head | None, Findings]:
    """A head for one brand, if the gate lets it through, and what the gate saw."""
    if len(lessons) < FEWEST:
        return None, nothing(len(lessons), too_few(len(lessons)))
    findings = examined(lessons, replay)
    return (fit(lessons, taught(replay)) if findings.passed else None), findings


def too_few(lessons: int) -> str:
    """That there are fewer lessons than teach anybody."""
    are = "is 1 lesson" if lessons == 1 else f"are {lessons} lessons"
    return f"There {are}; {FEWEST} are needed to begin."


def nothing(lessons: int, refused: str) -> Findings:
    """That nothing was tried."""
    return Findings(lessons, 0, 0, 0, 0, 0, 0, {}, refused)


def examined(lessons: Sequence[Example], replay: Sequence[Example]) -> Findings:
    """What heads make of lessons that were held back from them, and of our own posts."""
    _, logits, true = arrays(lessons)
    now = held_back(lessons, taught(replay))
    was_right, is_right = (logits > 0) == true, (now > 0) == true
    gained, lost = int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())
    against, sure = contradicted(logits, true)
    guards = [one for one in replay if fold(one.group) in GUARDS]
    worse = fallen(fit(lessons, taught(replay)), guards)
    said, doubted = doubts(lessons)
    return Findings(
        lessons=len(lessons),
        right_before=int(was_right.sum()),
        right_now=int(is_right.sum()),
        gained=gained,
        lost=lost,
        against=against,
        sure=sure,
        worse=worse,
        refused=said or losses(worse) or no_gain(gained, lost),
        doubted=doubted,
    )


def taught(replay: Sequence[Example]) -> list[Example]:
    """Those of our own posts that heads learn from beside the lessons."""
    return [one for one in replay if fold(one.group) not in GUARDS]


def held_back(lessons: Sequence[Example], replay: Sequence[Example]) -> Numbers:
    """The logit of each lesson by a head that saw neither it nor what says the same."""
    folds = np.array([fold(one.group) for one in lessons])
    vectors, logits, _ = arrays(lessons)
    found = logits.copy()
    for number in range(FOLDS):
        away = folds == number
        if away.any():
            head = fit([one for one, out in zip(lessons, away, strict=True) if not out], replay)
            found[away] = head.moved(logits[away], vectors[away])
    return found


def fold(group: str) -> int:
    """In which fifth a group is held back; its name decides, so that nobody picks."""
    return int(sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def contradicted(logits: Numbers, true: Numbers) -> tuple[int, int]:
    """How many lessons contradict what the network is sure of, and of how many it is sure."""
    probable = probability(logits)
    sure = np.maximum(probable, 1 - probable) >= SURE
    return int((sure & ((logits > 0) != true)).sum()), int(sure.sum())


def doubts(lessons: Sequence[Example]) -> tuple[str, int | None]:
    """Why these lessons are not believed, and who if it is one person; empty when they are."""
    by_person: dict[int, list[Example]] = defaultdict(list)
    for one in lessons:
        if one.staff is not None:
            by_person[one.staff].append(one)
    for staff, theirs in sorted(by_person.items()):
        if len(by_person) > 1 and len(theirs) >= FEWEST:
            said = doubt(theirs)
            if said:
                return f"What person {staff} said is not believed: {said}", staff
    said = doubt(lessons)
    return (f"These lessons are not believed: {said}" if said else ""), None


def doubt(lessons: Sequence[Example]) -> str:
    """Why some lessons are not believed; empty when they are."""
    _, logits, true = arrays(lessons)
    against, sure = contradicted(logits, true)
    if wilson(against, sure)[0] <= DOUBTFUL or not sure:
        return ""
    one_way = len(set(true.tolist())) == 1
    kind = " All of them say the same." if one_way else ""
    return (
        f"{against} of {sure} contradict verdicts that are seldom wrong.{kind} "
        "Look at them again, and withdraw those that were mistakes."
    )


def fallen(head: Head, guards: Sequence[Example]) -> dict[str, int]:
    """The slices of posts that a head has not seen and makes worse by more than chance."""
    if not guards:
        return {}
    vectors, logits, true = arrays(guards)
    before, after = (logits > 0) == true, (head.moved(logits, vectors) > 0) == true
    by_slice: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(guards):
        for name in ("all", *one.slices):
            by_slice[name].append(at)
    found = {}
    for name, where in sorted(by_slice.items()):
        better = int((after[where] & ~before[where]).sum())
        worse = int((before[where] & ~after[where]).sum())
        if worse > better and by_chance(better, worse) < WORSE:
            found[name] = len(where)
    return found


def losses(worse: Mapping[str, int]) -> str:
    """That some slices fell; empty when none did."""
    if not worse:
        return ""
    names = ", ".join(f"{name} ({count} posts)" for name, count in worse.items())
    return f"It would judge these worse than before, by more than chance: {names}."


def no_gain(gained: int, lost: int) -> str:
    """That nothing was gained; empty when something was."""
    if gained > lost and by_chance(gained, lost) / 2 <= BETTER:
        return ""
    return (
        f"On lessons held back it mended {gained} verdicts and spoilt {lost}: "
        "that may be chance. It waits for more."
    )
