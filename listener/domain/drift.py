"""Drift: whether verdicts of late lie as those before them, and are corrected as often."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from listener.domain.precision import ENOUGH, Flags

LATELY: Final = timedelta(days=7)
BEFORE: Final = timedelta(days=28)  # before that
FEWEST: Final = 200  # verdicts on either side; fewer lie anyhow
BINS: Final = 10
MOVED: Final = 0.2  # of the stability index: below, shares that move by a tenth of themselves


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of a complaint, and by which models they were given."""

    probable: Sequence[float]
    models: frozenset[str]

    @property
    def flagged(self) -> float:
        """The share that is flagged by its words."""
        return sum(one >= 0.5 for one in self.probable) / max(1, len(self.probable))


def stability(now: Sequence[float], before: Sequence[float]) -> float:
    """How far two sets of probabilities lie apart: 0 is not at all, above 0.2 is worth a look."""
    return math.fsum(
        (one - other) * math.log(one / other)
        for one, other in zip(shares(now), shares(before), strict=True)
    )


def shares(probable: Sequence[float]) -> list[float]:
    """Which share of probabilities lies in each tenth; none of them nothing."""
    counts = [0.5] * BINS
    for one in probable:
        counts[min(BINS - 1, int(one * BINS))] += 1
    return [count / sum(counts) for count in counts]


def moved(now: Scores, before: Scores) -> bool:
    """Whether scores lie apart by more than so few of them would by chance."""
    chance = 2 * (BINS - 1) * (1 / len(now.probable) + 1 / len(before.probable))
    return stability(now.probable, before.probable) > MOVED + chance


def of_scores(now: Scores, before: Scores) -> str:
    """Whether the verdicts of the last seven days lie as those of the four weeks before."""
    if min(len(now.probable), len(before.probable)) < FEWEST:
        return "There are too few verdicts yet to say whether the model drifts."
    if not moved(now, before):
        return "The verdicts of the last seven days lie as those of the four weeks before."
    other = now.models - before.models
    why = f" {', '.join(sorted(other))} has begun to judge since." if other else ""
    return (
        f"The verdicts of the last seven days lie elsewhere than before: {now.flagged:.0%} read "
        f"like complaints, in the four weeks before {before.flagged:.0%}.{why} Look at some of them."
    )


def of_corrections(weeks: Sequence[Flags]) -> str:
    """Whether more flags were wrong in the last two weeks than before, or fewer; the last is last."""
    now, before = added(weeks[-2:]), added(weeks[:-2])
    if min(now.checked, before.checked) < ENOUGH or now.between is None or before.between is None:
        return ""
    wrong, was = 1 - (now.share or 0), 1 - (before.share or 0)
    than = f"{wrong:.0%} of flags were corrected in the last two weeks, {was:.0%} before"
    if now.between[1] < before.between[0]:
        return f"{than}: more than chance explains."
    if now.between[0] > before.between[1]:
        return f"{than}: fewer than chance explains."
    return f"{than}: no more and no fewer than chance explains."


def added(weeks: Sequence[Flags]) -> Flags:
    """What some weeks make together."""
    return Flags(
        shown=sum(one.shown for one in weeks),
        checked=sum(one.checked for one in weeks),
        not_negative=sum(one.not_negative for one in weeks),
        not_us=sum(one.not_us for one in weeks),
        spam=sum(one.spam for one in weeks),
        missed=sum(one.missed for one in weeks),
    )
