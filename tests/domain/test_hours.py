"""Time is counted in hours of work, to the minute, whatever clocks and calendars do."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from listener.domain.hours import (
    ALWAYS,
    Calendar,
    Hours,
    Period,
    Stretch,
    after,
    between,
    holidays_of,
    is_open,
    opens,
    periods,
)

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
FAR = 10 * 24 * 60  # minutes that the slow reckoning looks ahead
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",  # moves its clocks by half an hour
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Africa/Casablanca",  # changes around Ramadan
    "America/Adak",
)
# Days around which clocks are changed somewhere; in 2011 Samoa left one out.
CHANGES = (
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
    date(2027, 2, 7),
    date(2011, 12, 30),
)


def office(zone: str = "UTC", *words: str, **more: object) -> Calendar:
    """Nine to five, unless said otherwise."""
    hours = periods(words or ("mon-fri 09:00-17:00",))
    return Calendar((Hours(zone, hours, **more),))  # type: ignore[arg-type]


def slowly(
    calendar: Calendar, start: datetime, minutes: int, pauses: Sequence[Stretch]
) -> datetime | None:
    """The same, by looking at the clocks on the walls every minute, with nothing shared."""
    walls = [
        (ZoneInfo(hours.zone), hours, holidays_of(hours.holidays) if hours.holidays else ())
        for hours in calendar.hours
    ]
    counted = 0
    moment = start
    for _ in range(FAR):
        if not any(begin <= moment < end for begin, end in pauses):
            for zone, hours, off in walls:
                there = moment.astimezone(zone)
                today, minute = there.date(), there.hour * 60 + there.minute
                if today in hours.closed or today in off:
                    continue
                weekday = there.weekday()
                if any(p.day == weekday and p.start <= minute < p.end for p in hours.periods):
                    counted += 1
                    break
        moment += MINUTE
        if counted == minutes:
            return moment
    return None


def invented(chance: Random) -> tuple[Calendar, datetime, int, list[Stretch]]:
    """Any calendar, a start, so many minutes, and pauses; often where clocks are changed."""
    near = (
        chance.choice(CHANGES)
        if chance.random() < 0.6
        else date(2026, 1, 1) + timedelta(days=chance.randrange(700))
    )
    start = datetime(near.year, near.month, near.day, tzinfo=UTC) + timedelta(
        minutes=chance.randrange(-3 * 1440, 1440)
    )
    hours = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        week = []
        for day in range(7):
            if chance.random() < 0.25:
                continue
            cuts = sorted(chance.sample(range(1441), 2 * chance.choice((1, 1, 2, 3))))
            week += [Period(day, *cuts[n : n + 2]) for n in range(0, len(cuts), 2)]
        closed = frozenset(
            near + timedelta(days=chance.randrange(-3, 6)) for _ in range(chance.choice((0, 0, 1)))
        )
        place = chance.choice((None, None, "DE-BY", "US", "JP"))
        hours.append(Hours(chance.choice(ZONES), tuple(week), place, closed))
    pauses = []
    for _ in range(chance.choice((0, 0, 1, 2, 5))):
        begin = start + timedelta(minutes=chance.randrange(-600, 3 * 1440))
        pauses.append((begin, begin + timedelta(minutes=chance.randrange(0, 1500))))
    return Calendar(tuple(hours)), start, chance.choice((1, 15, 30, 60, 240, 700)), pauses


def compare(seeds: range) -> None:
    """Reckon both ways, and find no difference of a minute."""
    for seed in seeds:
        calendar, start, minutes, pauses = invented(Random(seed))  # noqa: S311  (no secret)

        quick = after(calendar, start, minutes * MINUTE, pauses)
        slow = slowly(calendar, start, minutes, pauses)

        if slow is None:
            assert quick is None or quick > start + FAR * MINUTE, seed
            continue
        assert quick == slow, seed
        assert between(calendar, start, slow, pauses) == minutes * MINUTE, seed
        assert between(calendar, start, slow - MINUTE, pauses) == (minutes - 1) * MINUTE, seed
        assert is_open(calendar, slow - MINUTE), seed


@pytest.mark.parametrize("part", range(4))
def test_it_is_as_if_every_minute_had_been_looked_at(part: int) -> None:
    compare(range(part * 75, (part + 1) * 75))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_ten_thousand_calendars_differ_by_no_minute(part: int) -> None:
    compare(range(1_000 + part * 500, 1_000 + (part + 1) * 500))


def test_what_is_not_done_by_friday_evening_is_due_on_monday_morning() -> None:
    friday = datetime(2026, 11, 6, 16, 45, tzinfo=BERLIN)

    assert after(office("Europe/Berlin"), friday, 30 * MINUTE) == datetime(
        2026, 11, 9, 9, 15, tzinfo=BERLIN
    )
    assert after(office("Europe/Berlin"), friday, 15 * MINUTE) == datetime(
        2026, 11, 6, 17, tzinfo=BERLIN
    )


def test_an_hour_that_clocks_leave_out_is_not_counted() -> None:
    night = office("Europe/Berlin", "sat-sun 00:00-24:00")
    before = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)

    due = after(night, before, 60 * MINUTE)

    assert due is not None
    assert due.astimezone(BERLIN).strftime("%H:%M") == "03:30"


def test_an_hour_that_clocks_show_twice_is_counted_twice() -> None:
    night = office("Europe/Berlin", "sun 02:00-03:00")
    start = datetime(2026, 10, 25, tzinfo=UTC)

    assert between(night, start - timedelta(days=1), start + timedelta(days=1)) == 120 * MINUTE


def test_lunch_holidays_and_closed_days_are_left_out() -> None:
    berlin = office(
        "Europe/Berlin",
        "mon-fri 09:00-12:30",
        "mon-fri 13:30-17:00",
        holidays="DE-BE",
        closed=frozenset({date(2026, 12, 24)}),
    )
    lunch = datetime(2026, 12, 23, 12, tzinfo=BERLIN)
    evening = datetime(2026, 12, 23, 16, 30, tzinfo=BERLIN)

    assert after(berlin, lunch, 60 * MINUTE) == datetime(2026, 12, 23, 14, tzinfo=BERLIN)
    # Christmas Eve is closed, Christmas a holiday, then comes a weekend.
    assert after(berlin, evening, 60 * MINUTE) == datetime(2026, 12, 28, 9, 30, tzinfo=BERLIN)
    assert opens(berlin, evening + 31 * MINUTE) == datetime(2026, 12, 28, 9, tzinfo=BERLIN)


def test_work_follows_the_sun() -> None:
    day = periods(["mon-fri 08:00-16:00"])
    world = Calendar(
        tuple(Hours(zone, day) for zone in ("Asia/Tokyo", "Europe/Berlin", "America/Denver"))
    )
    tuesday = datetime(2026, 11, 3, tzinfo=UTC)

    # 23:00 to 07:00, 07:00 to 15:00 and 15:00 to 23:00 of UTC: it is never closed.
    assert after(world, tuesday, timedelta(hours=24)) == tuesday + timedelta(hours=24)


def test_round_the_clock_is_every_minute() -> None:
    sunday = datetime(2026, 11, 1, 23, 50, tzinfo=UTC)

    assert after(ALWAYS, sunday, 15 * MINUTE) == sunday + 15 * MINUTE
    assert is_open(ALWAYS, sunday)


def test_a_night_shift_goes_on_after_midnight() -> None:
    assert periods(["fri 22:00-06:00"]) == (Period(4, 1320, 1440), Period(5, 0, 360))
    assert periods(["sat-mon 22:00-24:00"]) == tuple(Period(day, 1320, 1440) for day in (0, 5, 6))


def test_what_nobody_ever_works_is_never_due() -> None:
    assert after(Calendar(), datetime(2026, 11, 2, tzinfo=UTC), MINUTE) is None
