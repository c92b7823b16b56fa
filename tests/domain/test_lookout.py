"""One look at a brand: which of its themes rise by themselves, and when it is the brand that does."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from listener.domain import lookout
from listener.domain.alarm import RISE, Alarm, Sort
from listener.domain.lately import NO_THEME, Lately, instant
from listener.domain.outlook import HOURS, MONDAY, Hour, Outlook, Shared, hour_of, learn
from listener.domain.watch import WEEK, WEEKS, Baseline
from tests.world import NOON

NUMBERS = count(1)
COUPON, QUEUE, APP = 7, 8, 9
HOUR = timedelta(hours=1)


def outlook(rate: float = 10.0, of_theme: float = 1.0, *, clumps: float = 1.0) -> Outlook:
    """A brand with one source, so many complaints an hour, and three themes."""
    rates = [rate, rate, rate, rate, rate, of_theme, of_theme, of_theme]
    hours = np.full(len(rates), float(WEEKS * WEEK))
    baseline = Baseline(
        np.repeat(np.array(rates)[:, None], WEEK, axis=1), np.full(len(rates), clumps), hours
    )
    return Outlook(1, (1,), baseline, (COUPON, QUEUE, APP))


class Said(NamedTuple):
    """A complaint of brand 1, from source 1; or another mention of it."""

    id: int
    at: datetime
    theme: int | None
    by: str
    complains: bool = True
    opens: bool = True


def together(posts: Iterable[Said]) -> Lately:
    """All of them, as the store tells them."""
    several = list(posts)
    rows = [
        (one.id, instant(one.at), 1, one.complains, one.theme or NO_THEME, 1, one.opens)
        for one in several
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return Lately.of(1, columns, {one.id: one.by for one in several if one.theme})


def said(many: float, theme: int | None, *, during: timedelta = HOUR, by: str = "") -> list[Said]:
    """So many complaints, evenly over the last time, each by somebody else."""
    found = []
    for place in range(int(many)):
        number = next(NUMBERS)
        at = NOON - during * (place + 0.5) / many
        found.append(Said(number, at, theme, by or f"a{number}"))
    return found


def a_day(fold: float = 1.0) -> list[Said]:
    """A usual day, and an hour in which everything is said so many times as often."""
    day = timedelta(hours=23)
    parts = [
        *(said(23, theme, during=day) for theme in (COUPON, QUEUE, APP)),
        said(7 * 23, None, during=day),
    ]
    before = [one._replace(at=one.at - HOUR) for part in parts for one in part]
    last = [
        *(one for theme in (COUPON, QUEUE, APP) for one in said(fold, theme)),
        *said(7 * fold, None),
    ]
    return before + last


def looked(posts: Iterable[Said], rising: Alarm | None = None) -> list[tuple[str, int | None]]:
    """What one look finds: what each rise is about, and its theme."""
    found = lookout.look(outlook(), together(posts), NOON, rising=rising)
    return [(rise.alarm.about, rise.alarm.theme_id) for rise in found.rises]


def stands() -> Alarm:
    """A rise of the brand that is not over."""
    return Alarm(
        brand_id=1, about=RISE, sort=Sort.COMPLAINTS, since=NOON - HOUR, raised_at=NOON - HOUR / 2
    )


def test_a_usual_day_is_no_rise() -> None:
    assert looked(a_day()) == []


def test_one_theme_rises_by_itself() -> None:
    assert looked(a_day() + said(20, COUPON)) == [(f"theme {COUPON}", COUPON)]


def test_where_everything_is_said_more_often_the_brand_rings_and_no_theme() -> None:
    assert looked(a_day(fold=10)) == [(RISE, None)]


def test_nor_does_a_theme_while_the_brand_rings() -> None:
    assert looked(a_day(fold=10), stands()) == []


def test_a_theme_that_rises_more_than_the_rest_rings_beside_it() -> None:
    posts = a_day(fold=10) + said(60, COUPON)

    assert looked(posts, stands()) == [(f"theme {COUPON}", COUPON)]
    assert looked(posts) == [(f"theme {COUPON}", COUPON), (RISE, None)]


def test_two_causes_are_two_fires() -> None:
    posts = a_day() + said(30, COUPON) + said(20, QUEUE)

    assert looked(posts) == [(f"theme {COUPON}", COUPON), (f"theme {QUEUE}", QUEUE)]


def test_one_person_who_says_it_often_is_no_rise_of_a_theme() -> None:
    assert looked(a_day() + said(15, COUPON, by="ada")) == []


def test_a_rise_that_stands_learns_what_most_of_it_is_about() -> None:
    alarm = stands()

    assert looked(a_day() + said(60, COUPON), alarm) == []
    assert alarm.theme_id == COUPON


@pytest.mark.parametrize(("links", "found"), [(True, [RISE]), (False, [])])
def test_what_is_not_answered_yet_rings_where_answers_clump(links: bool, found: list[str]) -> None:
    """Three times as many conversations as usual: their answers are still to come."""
    rates = np.repeat(np.array([[0.1], [20], [0.1], [20], [10]]), WEEK, axis=1)
    clumps = np.array([1, 3, 1, 3, 1.1])
    known = Outlook(1, (1,), Baseline(rates, clumps, np.full(5, float(WEEKS * WEEK))))
    day = 23 * HOUR
    before = [one._replace(at=one.at - HOUR) for one in said(10 * 23, None, during=day)]
    answers = said(10 * 23, None, during=day) + said(10, None)
    posts = [one._replace(opens=links) for one in (*before, *said(30, None))]
    posts += [one._replace(opens=False) for one in answers]

    rises = lookout.look(
        known, together(one._replace(complains=False) for one in posts), NOON
    ).rises

    assert [rise.alarm.about for rise in rises] == found
    for rise in rises:  # it is told of as any rise of the brand is: with all that was said
        assert rise.alarm.sort is Sort.MENTIONS
        assert rise.alarm.source_id is None
        assert rise.alarm.count == len(rise.posts) >= 40
        assert rise.alarm.count > rise.alarm.high


@pytest.mark.parametrize("weeks", [range(1, 6), range(1, 9), range(2, 3), range(0)])
def test_what_rings_at_the_same_hour_every_week_is_learnt(weeks: Sequence[int]) -> None:
    until = hour_of(NOON)
    event_hour = [until - WEEK * week for week in range(1, WEEKS + 1)]
    hours = [Hour(1, 1, until - back, 10, 0, 10) for back in range(1, HOURS + 1)]
    hours = [replace(one, mentions=60) if one.hour in event_hour else one for one in hours]
    loud = [range(until - WEEK * week, until - WEEK * week + 1) for week in weeks]

    known = learn(1, hours, NOON, calm_but=loud)

    at = (until + MONDAY) % WEEK
    assert known.baseline.rates[known.mentions, at] > 48


def test_and_what_rings_once_is_not() -> None:
    until = hour_of(NOON)
    hours = [
        Hour(1, 1, until - back, 60 if back == WEEK else 10, 0, 10) for back in range(1, HOURS + 1)
    ]

    known = learn(1, hours, NOON, calm_but=[range(until - WEEK, until - WEEK + 1)])

    assert known.baseline.rates[known.mentions, (until + MONDAY) % WEEK] < 12


def test_hours_tell_what_opens_conversations() -> None:
    until = hour_of(NOON)
    hours = [Hour(1, source, until - back, 6, 0, 2) for source in (1, 2) for back in range(1, 900)]

    known = learn(1, hours, NOON)

    assert known.baseline.rates[known.mentions].mean() == pytest.approx(12, rel=0.05)
    assert known.baseline.rates[known.opening].mean() == pytest.approx(4, rel=0.05)
    assert known.baseline.hours[known.opening] == 899
    assert known.limits[known.opening] == np.inf, "what clumps no less tells nothing else"


@pytest.mark.parametrize("complaints", [1, 40])
def test_a_theme_is_measured_from_where_it_was_looked_for(complaints: int) -> None:
    """What a busy brand said before the last two thousand complaints is known of no new theme."""
    until = hour_of(NOON)
    hours = [
        Hour(1, 1, until - back, complaints, complaints, complaints) for back in range(1, HOURS + 1)
    ]
    steady = {until - back: 1 for back in range(1, 60)}
    shared = Shared(COUPON, 1, NOON, steady if complaints == 40 else {})

    known = learn(1, hours, NOON, themes=[shared]).baseline

    looked_for = 2_000 / complaints if complaints == 40 else 28 * 24
    assert known.hours[-1] == pytest.approx(max(looked_for, 59) - 24, abs=1)
    if complaints == 40:  # one an hour is what it is, though nothing was known before
        assert known.rates[-1].mean() == pytest.approx(1.0, rel=0.4)


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_where_nothing_can_ring_nothing_does_before_more_is_said(chance: random.Random) -> None:
    known = outlook(rate=chance.choice((0.2, 2.0)), of_theme=0.05)
    posts: list[Said] = []
    now, calm, spared = NOON, None, 0

    for _ in range(30):
        if chance.random() < 0.4:
            posts += [by_chance(chance, now) for _ in range(chance.choice((1, 2, 5, 9)))]
        if posts and chance.random() < 0.2:  # it was no complaint, or was deleted
            posts.remove(chance.choice(posts))
        now += timedelta(minutes=chance.choice((1, 1, 3, 40, 300)))
        said_lately = together(one for one in posts if now - 24 * HOUR <= one.at < now)
        counted = lookout.counted(said_lately, now)

        look = lookout.look(known, said_lately, now)

        if calm is not None and calm.lasts(known, counted, now):
            spared += 1
            assert not look.rises
        calm = lookout.Calm(known, counted, now) if look.calm else None
    event(f"{min(spared, 5)} or more looks could have been spared")


def by_chance(chance: random.Random, now: datetime) -> Said:
    """A complaint of the last two hours, which may have been told of late."""
    theme = chance.choice((None, COUPON, QUEUE))
    at = now - timedelta(minutes=chance.uniform(0, 120))
    return Said(next(NUMBERS), at, theme, f"a{chance.randrange(9)}")
