"""What is more than this hour of this week should bring, and what is not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain import watch
from listener.domain.watch import WEEK, WEEKS, Baseline, Counts

A_DAY = 24 * 60


def even(rate: float, clumps: float = 1.0) -> Baseline:
    """A brand of one series whose every hour is alike."""
    return Baseline(np.full((1, WEEK), rate), np.array([clumps]), np.array([WEEKS * WEEK]))


def limit(baseline: Baseline, parts: int = 10) -> float:
    """The evidence that makes a rise in a series like this, which is one of so many parts."""
    return float(limits(baseline, parts)[-1])


def limits(baseline: Baseline, parts: int = 10) -> Counts:
    """The same for three series of the whole brand, and then for parts of it, all alike."""
    rates, clumps = (np.repeat(one, parts + 3, 0) for one in (baseline.rates, baseline.clumps))
    alike = Baseline(rates, clumps, np.full(parts + 3, 1.0 * WEEKS * WEEK))
    return watch.limits(alike, (0, 1, 2))


def looked(baseline: Baseline, counts: Counts) -> float:
    """What one look makes of the last minutes."""
    expected = baseline.over(0, counts.shape[1])
    return float(watch.rises(counts, expected, baseline.clumps)[0, -1])


def minutes(rate: float, many: int, seed: int = 1) -> Counts:
    """So many minutes of a brand that posts at this rate an hour."""
    return np.random.default_rng(seed).poisson(rate / 60, (1, many)).astype(float)


def test_a_day_like_others_is_no_rise() -> None:
    assert looked(even(20), minutes(20, A_DAY)) < limit(even(20))


def test_a_tripling_is_a_rise_within_the_hour() -> None:
    quiet, loud = minutes(20, A_DAY - 60), minutes(60, 60, seed=2)

    assert looked(even(20), np.concatenate([quiet, loud], axis=1)) > limit(even(20))


def test_the_same_numbers_in_clumps_speak_less() -> None:
    counts = np.concatenate([minutes(20, A_DAY - 60), minutes(60, 60, seed=2)], axis=1)

    assert looked(even(20, clumps=3.0), counts) < looked(even(20), counts) / 2


def test_three_posts_where_one_a_day_is_usual_are_no_alarm_but_eight_are() -> None:
    def last(many: int) -> Counts:
        counts = np.zeros((1, A_DAY))
        counts[0, -30 : -30 + many] = 1
        return counts

    assert looked(even(1 / 24), last(3)) < limit(even(1 / 24)) < looked(even(1 / 24), last(8))


def test_a_rise_says_when_it_began() -> None:
    counts = np.concatenate([np.zeros((1, 600)), np.ones((1, 60))], axis=1)
    expected = even(5).over(0, 660)

    assert 595 <= watch.began(counts[0], expected[0], 1.0) <= 605


def test_the_baseline_knows_the_hours_of_the_week() -> None:
    chance = np.random.default_rng(3)
    truth = np.where(np.arange(WEEK) % 24 < 12, 2.0, 20.0)
    counts = chance.poisson(truth, (1, WEEKS, WEEK)).astype(float)

    baseline = watch.fit(counts)

    assert baseline.rates[0, :12].mean() == pytest.approx(2, rel=0.25)
    assert baseline.rates[0, 12:24].mean() == pytest.approx(20, rel=0.15)
    assert baseline.clumps[0] < 1.3


def test_few_posts_make_no_lonely_peak() -> None:
    counts = np.zeros((1, WEEKS, WEEK))
    counts[0, 2, 40] = counts[0, 5, 90] = counts[0, 7, 130] = 1

    rates = watch.fit(counts).rates[0]

    assert rates.max() < 5 * rates.min()


def test_an_incident_does_not_become_the_rule() -> None:
    chance = np.random.default_rng(4)
    counts = chance.poisson(5.0, (1, WEEKS, WEEK)).astype(float)
    before = watch.fit(counts)
    counts[0, -1, 50:60] = 200

    after = watch.fit(counts)

    assert after.rates[0].mean() < 1.1 * before.rates[0].mean()
    assert after.clumps[0] < 2 * before.clumps[0]


def test_hours_that_nobody_read_are_not_hours_of_silence() -> None:
    chance = np.random.default_rng(5)
    counts = chance.poisson(10.0, (1, WEEKS, WEEK)).astype(float)
    exposed = np.ones_like(counts)
    exposed[:, :6] = 0

    assert watch.fit(counts, exposed).rates.mean() == pytest.approx(10, rel=0.15)
    assert watch.fit(counts, exposed).hours[0] == 2 * WEEK


def test_a_day_on_which_people_talk_more_is_allowed_for() -> None:
    usual = even(20).over(0, A_DAY)[0]

    assert watch.today(usual, usual)[-1] == pytest.approx(1)
    assert watch.today(usual * 1.3, usual)[-1] == pytest.approx(1.3, abs=0.05)
    assert watch.today(usual * 9, usual)[-1] == pytest.approx(1.5)


def test_what_is_shared_by_more_series_needs_more_evidence() -> None:
    few, many = limits(even(20)), limits(even(20), parts=100)

    assert few[0] == many[0] < few[-1] < many[-1]


def test_where_posts_clump_a_month_has_fewer_looks() -> None:
    several = [limit(even(20, clumps)) for clumps in (1.0, 1.3, 2.0, 9.0)]

    assert several == sorted(several, reverse=True)
    assert several[2] == several[3] == pytest.approx(several[0] - math.log(6))


@pytest.mark.parametrize("clumps", [1.0, 1.5, 2.5])
def test_what_opens_conversations_is_watched_as_far_as_it_clumps_less(clumps: float) -> None:
    """Out of what all mentions may be wrong, so that the brand is wrong no more often."""
    rates = np.full((3, WEEK), 20.0)
    baseline = Baseline(rates, np.array([clumps, clumps, 1.0]), np.full(3, 1.0 * WEEKS * WEEK))
    usual = [limits(even(20, one))[1] for one in baseline.clumps]

    _, mentions, opening = np.exp(usual - watch.limits(baseline, (0, 1, 2)))

    assert mentions + opening <= 1
    assert (opening > 0) == (mentions < 1) == (clumps > 1)


def test_hours_of_alarms_are_not_learnt_from_but_habits_are() -> None:
    loud = np.zeros((WEEKS, WEEK), dtype=bool)
    loud[0, 5] = loud[:2, 60] = loud[4:7, 70:72] = loud[:, 100] = True
    loud[1, 90:105] = loud[2, 95:105] = True

    calm = watch.calm(loud)

    assert not calm[0, 5]
    assert not calm[:2, 60].any()
    assert calm[4:7, 70].all()
    assert not calm[4:7, 71].any(), "that goes on, but nothing begins there"
    assert calm[:, 100].all()


def test_and_where_little_is_said() -> None:
    assert limit(even(0.01)) < limit(even(0.1)) < limit(even(20)) == limit(even(200))


@pytest.mark.parametrize("late", [5, 15, 60])
def test_a_brand_whose_posts_clump_rings_no_more_often_than_it_may(late: float) -> None:
    """Answers that come minutes after what they answer, about as many as there are others."""
    chance = np.random.default_rng(6)
    months, rate = 60, 20
    first = np.flatnonzero(chance.random(months * watch.MINUTES) < rate / 2 / 60)
    answered = np.repeat(first, chance.poisson(1.0, first.size))
    at = np.append(first, answered + chance.exponential(late, answered.size).astype(int))
    counts: Counts = np.bincount(at, minlength=months * watch.MINUTES).astype(float)[None]
    counts = counts[:, : months * watch.MINUTES]
    hours = counts.reshape(1, -1, 60).sum(2)[:, : WEEKS * WEEK]
    learnt = watch.fit(hours.reshape(1, WEEKS, WEEK)).clumps[0]
    baseline = even(rate, learnt)

    evidence = watch.rises(counts, np.full_like(counts, rate / 60), baseline.clumps)[0]

    rings = np.flatnonzero(evidence >= limits(baseline)[0])
    times = 1 + int((np.diff(rings) > 6 * 60).sum()) if rings.size else 0
    assert times <= months * watch.BUDGET / 2


def test_silence_speaks_by_the_posts_that_are_missing() -> None:
    assert watch.quiet(20, 1.0) == pytest.approx(20)
    assert watch.quiet(20, 3.0) < watch.quiet(20, 1.5) < 20


@given(st.floats(0.01, 300), st.floats(1, 20))
def test_chances_are_a_distribution_with_this_mean_and_spread(mean: float, spread: float) -> None:
    reach = int(mean + 40 * math.sqrt(max(mean, 1) * spread) + 60 * spread)
    chances = watch.chances(mean, spread, reach)
    k = np.arange(reach + 1)

    assert chances.sum() == pytest.approx(1, abs=1e-6)
    assert (k * chances).sum() == pytest.approx(mean, rel=1e-3)
    if spread > 1.01:
        assert ((k - mean) ** 2 * chances).sum() == pytest.approx(mean * spread, rel=0.02)


def test_the_usual_range_holds_what_is_usual() -> None:
    low, high = watch.expected_range(20, 1.0)

    assert 10 <= low <= 13
    assert 28 <= high <= 30
    assert watch.tail(high + 1, 20, 1.0) < 0.03
    assert watch.tail(0, 20, 1.0) == pytest.approx(1)
