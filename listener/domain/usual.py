"""What is usual: between which bounds a count lies by nothing but chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt
from statistics import fmean, variance
from typing import Final

ENOUGH: Final = 3  # stretches that were counted; of fewer, nothing is usual yet
SURE: Final = 0.95
MANY: Final = 2_000.0  # from here on the bell curve is exact enough
Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Usual:
    """What a count is compared with: the mean of those before, and the bounds of chance."""

    mean: float
    low: int
    high: int
    of: int  # so many stretches

    def differs(self, count: int) -> bool:
        """Whether a count is beyond what chance brings nineteen times in twenty."""
        return not self.low <= count <= self.high

    @property
    def words(self) -> str:
        """The bounds as people say them."""
        return f"{self.low:,} to {self.high:,}" if self.high > self.low else f"{self.low:,}"


def usual(before: Sequence[int]) -> Usual | None:
    """What is usual after these counts; None while there are too few of them.

    The next count is drawn from a negative binomial: Poisson counts of a mean that is only known
    from so many counts, spread wider where those were spread wider than Poisson's.
    """
    if len(before) < ENOUGH:
        return None
    mean = (sum(before) + 0.5) / len(before)
    spread = max(1.0, variance(before) / max(fmean(before), 0.5))
    low, high = bounds(mean, mean * spread * (1 + 1 / len(before)))
    return Usual(fmean(before), low, high, len(before))


def bounds(mean: float, spread: float) -> tuple[int, int]:
    """The bounds that a count of this mean and variance leaves one time in twenty."""
    tail = (1 - SURE) / 2
    if mean > MANY:
        half = Z * sqrt(spread)
        return max(0, round(mean - half)), round(mean + half)
    size = mean**2 / (spread - mean) if spread > mean * (1 + 1e-9) else inf
    low, count, reached = -1, 0, 0.0
    while True:
        reached += exp(chance(count, mean, size))
        if low < 0 and reached > tail:
            low = count
        if reached >= 1 - tail or count > 50 * (mean + 10 * sqrt(spread) + 10):
            return low, count
        count += 1


def chance(count: int, mean: float, size: float) -> float:
    """The logarithm of how likely a count is."""
    if size == inf:
        return count * log(mean) - mean - lgamma(count + 1)
    return (
        lgamma(count + size)
        - lgamma(size)
        - lgamma(count + 1)
        + size * log(size / (size + mean))
        + count * log(mean / (size + mean))
    )
