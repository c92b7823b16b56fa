"""Says within which bounds a share that was counted in few posts lies, 95 times in 100."""

from math import comb, sqrt
from typing import Final

import numpy as np

Z: Final = 1.96
DRAWS: Final = 2_000
SEED: Final = 6


def wilson(right: int, of: int) -> tuple[float, float]:
    """The interval of a share, by Wilson's score; 0 to 1 where nothing was counted.

    https://doi.org/10.1080/01621459.1927.10502953
    """
    if of == 0:
        return 0.0, 1.0
    share = right / of
    spread = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    middle = share + Z * Z / (2 * of)
    scale = 1 + Z * Z / of
    low, high = (middle - spread) / scale, (middle + spread) / scale
    # What is all or none is a bound itself, which a last digit may miss.
    return max(0.0, min(share, low)), min(1.0, max(share, high))


def f1_interval(hits: int, false: int, missed: int, rest: int) -> tuple[float, float]:
    """The interval of an F1 by drawing the posts anew (bootstrap), always in the same way."""
    count = hits + false + missed + rest
    if count == 0:
        return 0.0, 1.0
    chance = np.random.default_rng(SEED)
    drawn = chance.multinomial(count, [part / count for part in (hits, false, missed, rest)], DRAWS)
    scores = 2 * drawn[:, 0] / np.maximum(1, 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2])
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def by_chance(better: int, worse: int) -> float:
    """How probable it is that a difference at least as large is chance (McNemar, exact).

    `better` and `worse` count the posts on which one model is right and the other is not.
    """
    several, fewer = better + worse, min(better, worse)
    if several == 0:
        return 1.0
    tail: float = sum(comb(several, number) for number in range(fewer + 1)) / 2**several
    return min(1.0, 2 * tail)
