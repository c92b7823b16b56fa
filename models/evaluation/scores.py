"""Counts how right a model was on labelled posts, in all and slice by slice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from models.evaluation.intervals import by_chance, f1_interval, wilson
from models.evaluation.labelled import Labelled

SHORT, LONG = 60, 280  # characters
FEWEST: Final = 2  # a slice of one post says nothing
MOST_BRANDS: Final = 12  # more would bury the rest
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one labelled post: how probable a complaint, and where staff would see it."""

    post: Labelled
    probable: float
    flagged: bool
    unsure: bool

    @property
    def right(self) -> bool:
        """Whether the flag is what a careful reader says."""
        return self.flagged == self.post.complaint

    @property
    def off(self) -> float:
        """How far the probability was from the truth, 0 to 1."""
        return abs(self.probable - self.post.complaint)


@dataclass(frozen=True, slots=True)
class Score:
    """How many flags were right, false, and missing, and how many posts were rightly left."""

    hits: int
    false: int
    missed: int
    rest: int

    @property
    def count(self) -> int:
        """How many posts there were."""
        return self.hits + self.false + self.missed + self.rest

    @property
    def precision(self) -> float | None:
        """Of what was flagged, the share that is a complaint; None when nothing was."""
        flagged = self.hits + self.false
        return self.hits / flagged if flagged else None

    @property
    def recall(self) -> float | None:
        """Of the complaints, the share that was flagged; None when there are none."""
        complaints = self.hits + self.missed
        return self.hits / complaints if complaints else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there is nothing to find and nothing was found."""
        both = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / both if both else None

    @property
    def f1_between(self) -> tuple[float, float]:
        """Where the F1 lies, 95 times in 100."""
        return f1_interval(self.hits, self.false, self.missed, self.rest)

    @property
    def accuracy(self) -> float:
        """The share that was right."""
        return (self.hits + self.rest) / self.count if self.count else 0.0

    @property
    def accuracy_between(self) -> tuple[float, float]:
        """Where that share lies, 95 times in 100."""
        return wilson(self.hits + self.rest, self.count)


@dataclass(frozen=True, slots=True)
class Bin:
    """Posts whose probability lies between two bounds: what was said of them, and what is true."""

    low: float
    high: float
    count: int
    said: float  # the mean probability
    true: float  # the share of complaints


def score(told: Sequence[Told]) -> Score:
    """Count some posts."""
    return Score(
        hits=sum(one.flagged and one.post.complaint for one in told),
        false=sum(one.flagged and not one.post.complaint for one in told),
        missed=sum(not one.flagged and one.post.complaint for one in told),
        rest=sum(not one.flagged and not one.post.complaint for one in told),
    )


def bins(told: Sequence[Told]) -> list[Bin]:
    """The posts in ten steps of probability; steps without posts are left out."""
    found = []
    for number in range(BINS):
        its = [one for one in told if min(int(one.probable * BINS), BINS - 1) == number]
        if its:
            found.append(
                Bin(
                    number / BINS,
                    (number + 1) / BINS,
                    len(its),
                    sum(one.probable for one in its) / len(its),
                    sum(one.post.complaint for one in its) / len(its),
                )
            )
    return found


def calibration_error(told: Sequence[Told]) -> float:
    """How far, on average, what was said is from what is true (expected calibration error)."""
    return sum(one.count * abs(one.said - one.true) for one in bins(told)) / max(1, len(told))


def worst(told: Sequence[Told], most: int) -> list[Told]:
    """The mistakes in which the model was surest."""
    wrong = [one for one in told if not one.right]
    return sorted(wrong, key=lambda one: -one.off)[:most]


def slices(told: Sequence[Told], by: Sequence[str] = ()) -> Iterator[tuple[str, str, list[Told]]]:
    """The posts by what may matter: the name of the cut, of the slice, and its posts.

    `by` names columns of the file to cut by as well. A cut that tells nothing apart is left out.
    """
    cuts: list[tuple[str, Callable[[Told], str]]] = [
        ("language", lambda one: one.post.question.language or "not said"),
        ("place", lambda one: one.post.question.connector or "not said"),
        ("kind", lambda one: one.post.question.kind),
        ("stars", _stars),
        ("length", _length),
    ]
    if len({one.post.question.brand for one in told}) <= MOST_BRANDS:
        cuts.append(("brand", lambda one: one.post.question.brand or "not said"))
    cuts += [(name, _column(name)) for name in by]
    for name, cut in cuts:
        groups: dict[str, list[Told]] = {}
        for one in told:
            groups.setdefault(cut(one), []).append(one)
        if len(groups) > 1 or name in by:
            for which in sorted(groups):
                if len(groups[which]) >= FEWEST:
                    yield name, which, groups[which]


def _column(name: str) -> Callable[[Told], str]:
    return lambda one: one.post.columns.get(name, "not said")


def _stars(one: Told) -> str:
    stars = one.post.question.stars
    if stars is None:
        return "none"
    return "1 or 2" if stars < 2.5 else "3" if stars < 3.5 else "4 or 5"


def _length(one: Told) -> str:
    length = len(one.post.question.text)
    if length < SHORT:
        return f"under {SHORT} characters"
    return f"{SHORT} to {LONG} characters" if length <= LONG else f"over {LONG} characters"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two models on the same posts: on how many only one of them was right."""

    better: int  # only the second
    worse: int  # only the first

    @property
    def chance(self) -> float:
        """How probable it is that such a difference is chance."""
        return by_chance(self.better, self.worse)

    @property
    def words(self) -> str:
        """What can honestly be said."""
        if self.better == self.worse:
            return "Neither is better."
        which = "second" if self.better > self.worse else "first"
        if self.chance > 0.05:
            return f"The {which} was right more often, but that may be chance."
        return f"The {which} is better: by chance alone, that would come in {self.chance:.1%} of cases."


def compared(first: Sequence[Told], second: Sequence[Told]) -> Compared:
    """Compare two models on the same posts, in the same order."""
    both = list(zip(first, second, strict=True))
    return Compared(
        better=sum(two.right and not one.right for one, two in both),
        worse=sum(one.right and not two.right for one, two in both),
    )
