"""Watching: whether a brand's counts are more, or less, than this hour of this week should bring."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

WEEK: Final = 168  # hours
WEEKS: Final = 8  # how far back the baseline looks
HABIT: Final = 3  # weeks that begin to ring at the same hour: then that is what it is like
HALF_LIFE: Final = 3.0  # weeks: what a week ago counts, halved after so many
YOUNG: Final = 7 * 24  # hours that a series must have been read before its rises mean anything
YOUNG_THEME: Final = 2 * 24  # the same for a theme: how often it was said before it had a name
MINUTES: Final = 43_200  # of a month of thirty days
BACK: Final = 24 * 60  # minutes that one look goes back

# Each cumulative sum watches for one size of rise. Together they cost less than one that had to
# guess: a tripling is what busy brands must see early, forty times is three posts where one a week
# is usual.
RATIOS: Final = (3.0, 10.0, 40.0)
# The part of the false alarms that each may have: most for the one that every minute counts for.
_PART: Final = {3.0: 0.75, 10.0: 0.125, 40.0: 0.125}
BUDGET: Final = 0.65  # false alarms a brand a month that the thresholds are made for
_WHOLES: Final = 0.8  # of them are for the whole brand: few series, which see most incidents first
_COMPLAINTS: Final = 0.4  # of those, for complaints, which have themes too; the rest for mentions
# What all mentions leave to what opens conversations, where answers clump: half of it is not spent,
# for where people answer each other days differ more, and chance explains less of what is opened.
_LEFT: Final = 0.8
_OPENING: Final = 0.4
# Minutes after which a look is a new one, where posts come one by one and where they clump. Clumps
# are what an hour brings more than chance: before it is over, the next look sees the same clumps.
_LOOK: Final = 10.0
_LOOK_AT_CLUMPS: Final = 60.0
_CLUMPED: Final = 2.0  # variance over mean from which on it takes as long as that
_LOOKS_A_POST: Final = 3.0  # evidence rises by what is said: what is seldom said has few chances
_FEWEST_LOOKS: Final = 30.0  # a month, whatever is said
SILENCES: Final = 0.005  # the same for silence
_DAY: Final = 12 * 60  # minutes that tell what kind of day it is
_LAST: Final = 60  # without the last ones
_MOST: Final = 1.5
FEWEST: Final = 4  # posts: fewer are no rise, whatever the baseline says

_ANY_DAY: Final = 20.0  # posts' worth of belief that all days are alike
_ANY_HOUR: Final = 10.0  # and all hours of a day
_ALIKE: Final = 0.05  # how far an hour of the week strays from its day and its hour (squared)
_STRAY: Final = 30.0  # hours' worth of belief in a little more spread than chance has
_SPREAD: Final = 1.1
_STRADDLE: Final = 1.3  # clumps that lie across two hours show only in part


@dataclass(frozen=True, slots=True)
class Baseline:
    """What every hour of the week should bring to each series, and how far counts stray from it.

    `rates` are posts an hour, one row a series and one column an hour of the week (Monday at
    midnight UTC is 0). `clumps` is variance over mean within a day: 1 where posts come one by one,
    more where one brings others. `hours` says how long each series has been read.
    """

    rates: Counts
    clumps: Counts
    hours: Counts

    def over(self, starts: int, minutes: int, rows: Sequence[int] | None = None) -> Counts:
        """Posts expected in each minute, from a minute of the week on; one row a series.

        `rows` are the series that are asked for, None for all.
        """
        rates = self.rates if rows is None else self.rates[list(rows)]
        at = (starts + np.arange(minutes) + 0.5) / 60 - 0.5  # rates belong to the middle of hours
        before = np.floor(at).astype(int)
        share = at - before
        earlier, later = rates[:, before % WEEK], rates[:, (before + 1) % WEEK]
        return np.asarray((earlier * (1 - share) + later * share) / 60)


def fit(counts: Counts, exposed: Counts | None = None) -> Baseline:
    """Learn a baseline from posts an hour: series by weeks by hours of the week, oldest first.

    `exposed` is 1 where the hour was read and 0 where it was not. Hours far beyond the baseline
    of the first pass are drawn in before the second, so that an incident does not become the
    rule by which the next is measured.
    """
    seen = np.ones_like(counts) if exposed is None else exposed
    counts = counts * seen
    # The middle of the weeks is what no single incident moves; hours that were not read are like
    # the mean of the others.
    mean = counts.sum((1, 2)) / np.maximum(seen.sum((1, 2)), 1)
    middle = np.median(np.where(seen > 0, counts, mean[:, None, None]), axis=1)
    counts = np.minimum(counts, (4 * middle + 4 * middle.mean(1)[:, None] + 8)[:, None])
    rates = _rates(counts, seen)
    usual = rates[:, None, :]
    a_week = ((counts - usual) ** 2 * seen / np.maximum(usual, 0.05)).sum(2)
    spread = np.median(a_week / np.maximum(seen.sum(2), 1), axis=1).clip(min=1.2)
    highest = usual + 4 * np.sqrt(usual * spread[:, None, None]) + 2
    drawn_in = np.minimum(counts, highest)
    rates = _rates(drawn_in, seen)
    return Baseline(rates, _clumps(drawn_in, seen, rates), seen.sum(axis=(1, 2)))


def calm(loud: NDArray[np.bool_]) -> Counts:
    """1 for the hours to learn from, 0 for those of alarms; weeks by hours of the week, in order.

    What begins to ring at the same hour of one week after another is no incident but what that
    hour is like: never to learn from it would make it ring for ever.
    """
    flat = loud.reshape(-1)
    begins = flat & ~np.concatenate(([False], flat[:-1]))
    habits = begins.reshape(loud.shape).sum(0) >= HABIT
    return np.where(loud & ~habits, 0.0, 1.0)


def _rates(counts: Counts, seen: Counts) -> Counts:
    """Posts an hour: a level, days and hours of it, and what is particular to one hour of the week.

    Each step is drawn toward the one before by as much as its numbers are small.
    """
    series, weeks, _ = counts.shape
    weight = 0.5 ** (np.arange(weeks)[::-1] / HALF_LIFE)
    posts = np.einsum("swh,w->sh", counts, weight)
    hours = np.einsum("swh,w->sh", seen, weight)
    # One deviation above what was counted: a baseline of few posts may well be too low.
    found = posts.sum(1)
    level = (found + np.sqrt(found) + 1) / np.maximum(hours.sum(1), 1.0)
    usual = level[:, None] * hours
    by_day, usual_day = posts.reshape(series, 7, 24), usual.reshape(series, 7, 24)
    day = (by_day.sum(2) + _ANY_DAY) / (usual_day.sum(2) + _ANY_DAY)
    usual_day = usual_day * day[:, :, None]
    hour = (by_day.sum(1) + _ANY_HOUR) / (usual_day.sum(1) + _ANY_HOUR)
    product = (level[:, None, None] * day[:, :, None] * hour[:, None, :]).reshape(series, WEEK)
    belief = 1 / (_ALIKE * np.maximum(product, 1e-9))  # hours' worth
    return np.asarray((posts + belief * product) / (hours + belief))


def _clumps(counts: Counts, seen: Counts, rates: Counts) -> Counts:
    """Variance over mean of hours, once what a day brought as a whole is allowed for."""
    series, weeks, _ = counts.shape
    usual = rates[:, None, :] * seen
    posts_a_day = counts.reshape(series, weeks, 7, 24).sum(3)
    usual_a_day = usual.reshape(series, weeks, 7, 24).sum(3)
    day = (posts_a_day + _ANY_DAY) / (usual_a_day + _ANY_DAY)
    usual = usual * np.repeat(day, 24, axis=2)
    strays = (counts - usual) ** 2 * seen / np.maximum(usual, 0.05)
    much = seen * np.minimum(usual, 1.0)  # an hour that expects nothing says nothing
    total, stray = much.sum((1, 2)), (strays * much).sum((1, 2))
    # People who write in clumps do so everywhere: a series of few posts believes its brand.
    shared = max(_SPREAD, float((stray.sum() + _STRAY) / (total.sum() + _STRAY)))
    mean = (stray + _STRAY * shared) / (total + _STRAY)
    return np.asarray(1 + _STRADDLE * np.maximum(mean - 1, 0))


def today(posts: Counts, expected: Counts) -> Counts:
    """How much more than usual a brand's day brings so far, minute by minute.

    Days differ, and a day on which people talk more is no incident. The last hour is left out,
    so that an incident does not excuse itself, and nothing excuses more than half as much again.
    """
    return np.asarray(np.clip((_before(posts) + 20) / (_before(expected) + 20), 1.0, _MOST))


def _before(posts: Counts) -> Counts:
    sums = np.concatenate((np.zeros(_DAY + _LAST + 1), np.cumsum(posts)))
    return np.asarray(sums[_DAY + 1 : -_LAST] - sums[1 : -_LAST - _DAY])


def rises(counts: Counts, expected: Counts, clumps: Counts) -> Counts:
    """How strongly each minute and what came before it speak for a rise; one row a series.

    For every ratio a cumulative sum of the evidence (the logarithm of how much better the rise
    explains the minute), started anew whenever it falls to nothing, weighed by what it is worth
    where posts come in clumps; the strongest of them, each less by what its part of the false
    alarms asks.
    """
    strongest = np.zeros_like(counts)
    for ratio in RATIOS:
        walk = np.cumsum(evidence(counts, expected, clumps[:, None], ratio), axis=1)
        lowest = np.minimum(np.minimum.accumulate(walk, axis=1), 0.0)
        np.maximum(strongest, walk - lowest + math.log(_PART[ratio]), out=strongest)
    return strongest


def risen(counts: Counts, expected: Counts, clumps: Counts) -> Counts:
    """How strongly the last minute and what came before it speak for a rise; one a series."""
    strongest = np.zeros(len(counts))
    for ratio in RATIOS:
        walk = np.cumsum(evidence(counts, expected, clumps[:, None], ratio), axis=1)
        risen_by = walk[:, -1] - np.minimum(walk.min(axis=1), 0.0)
        np.maximum(strongest, risen_by + math.log(_PART[ratio]), out=strongest)
    return strongest


def evidence(counts: Counts, expected: Counts, clumps: Counts | float, ratio: float) -> Counts:
    """What each minute adds to the sum that watches for a rise of one ratio."""
    steps = counts * math.log(ratio) - expected * (ratio - 1)
    return np.asarray(steps * np.interp(clumps, _SPREADS, _WORTH[ratio]))


def _worth(ratio: float, spreads: Counts) -> Counts:
    """What evidence is worth: 1 where posts come one by one, less the more they stray.

    So large that evidence, as it falls by itself, reaches h no more often than once in e^h:
    where the mean of e^(worth * evidence) is 1, here for counts that are negative binomial.
    """
    more = np.maximum(spreads - 1, 1e-9)
    low = np.zeros_like(spreads)
    high = np.minimum(np.log1p(1 / more) / math.log(ratio), 1.0)
    for _ in range(60):
        middle = (low + high) / 2
        room = 1 - more * (ratio**middle - 1)
        grows = -np.log(np.maximum(room, 1e-300)) / more - middle * (ratio - 1)
        low, high = np.where(grows < 0, middle, low), np.where(grows < 0, high, middle)
    return low


_SPREADS: Final = np.concatenate((np.linspace(1, 4, 61), np.geomspace(4.2, 500, 100)))
_WORTH: Final = {ratio: _worth(ratio, _SPREADS) for ratio in RATIOS}


def began(counts: Counts, expected: Counts, clumps: float) -> int:
    """In which minute the rise that one series shows at its end began."""
    best, begin = -1.0, 0
    for ratio in RATIOS:
        steps = evidence(counts, expected, clumps, ratio)
        walk = np.concatenate(([0.0], np.cumsum(steps)))
        start = int(walk.argmin())
        if walk[-1] - walk[start] > best:
            best, begin = float(walk[-1] - walk[start]), start
    return begin


def limits(baseline: Baseline, wholes: tuple[int, int, int], *, budget: float = BUDGET) -> Counts:
    """The evidence that makes a rise, one a series.

    `wholes` are the rows of the whole brand: complaints, mentions, and the mentions that open a
    conversation. These are watched as far as they clump less than all mentions do: where they do
    not, they tell the same, and no evidence rings.

    Evidence of h comes by chance about once in e^h looks that do not overlap; the series and the
    looks of a month share what is allowed. Where posts clump, looks that are near to each other
    see the same clumps, and where little is said they see the same posts: there a month has fewer.
    """
    rows = len(baseline.rates)
    parts = (1 - _WHOLES) / max(rows - len(wholes), 1)
    share = np.full(rows, parts)
    complaints, mentions, opening = wholes
    apart = float(np.clip(baseline.clumps[mentions] - baseline.clumps[opening], 0, 1))
    share[complaints] = _WHOLES * _COMPLAINTS
    share[mentions] = _WHOLES * (1 - _COMPLAINTS) * (1 - _LEFT * apart)
    share[opening] = _WHOLES * (1 - _COMPLAINTS) * _OPENING * apart
    clumped = np.clip((baseline.clumps - 1) / (_CLUMPED - 1), 0, 1)
    looks = MINUTES / (_LOOK * (_LOOK_AT_CLUMPS / _LOOK) ** clumped)
    posts = baseline.rates.mean(axis=1) * MINUTES / 60
    looks = np.maximum(np.minimum(looks, _LOOKS_A_POST * posts), _FEWEST_LOOKS)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(looks / (budget * share)))


def silence(sources: int) -> float:
    """The evidence that makes a silence, for so many sources of a brand."""
    return math.log(max(sources, 1) * MINUTES / SILENCES)


def quiet(expected: float, spread: float) -> float:
    """How strongly silence speaks, where so many posts were to be expected since the last one."""
    return expected * (math.log(spread) / (spread - 1) if spread > 1.001 else 1.0)


def chances(mean: float, spread: float, most: int) -> Counts:
    """The chance of 0, 1, ... `most` posts: negative binomial, Poisson where nothing strays."""
    k = np.arange(most + 1)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))
    if mean <= 0:
        return np.where(k == 0, 1.0, 0.0)
    if spread <= 1.001:
        return np.asarray(np.exp(k * math.log(mean) - mean - log_factorial))
    size = mean / (spread - 1)
    rising = np.concatenate(([0.0], np.cumsum(np.log(size + np.arange(most)))))
    return np.asarray(
        np.exp(rising - log_factorial - size * math.log(spread) + k * math.log(1 - 1 / spread))
    )


def tail(count: int, mean: float, spread: float) -> float:
    """The chance of so many posts or more."""
    reach = count + int(10 * math.sqrt(max(mean, 1.0) * spread) + 10 * spread) + 20
    return float(chances(mean, spread, reach)[count:].sum())


def expected_range(mean: float, spread: float, share: float = 0.95) -> tuple[int, int]:
    """Between which counts so large a share of such stretches of time lies."""
    reach = int(mean + 10 * math.sqrt(max(mean, 1.0) * spread) + 10 * spread) + 20
    sums = np.cumsum(chances(mean, spread, reach))
    low, high = np.searchsorted(sums, [(1 - share) / 2, (1 + share) / 2])
    return int(low), int(high)
