"""Hours: when people are at work, and how time is counted in nothing but such hours.

A period is open whenever the clock on its wall says so. Where clocks go forward it is shorter
by the hour they leave out; where they go back it is longer by the hour they show twice.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

Stretch = tuple[datetime, datetime]  # from a moment until just before another, both in UTC

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
FARTHEST: Final = timedelta(days=5 * 366)  # beyond it nothing is due
WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIOD = re.compile(r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)")
_FULL = 24 * 60  # minutes of a day


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Open on one day of the week, from one minute of the day until just before another."""

    day: int  # Monday is 0
    start: int
    end: int  # 1440 is midnight


@dataclass(frozen=True, slots=True)
class Hours:
    """When one place is at work, by the clock on its wall. Closed days are closed all day."""

    zone: str
    periods: tuple[Period, ...]
    holidays: str | None = None  # a country, or one region of it, as in DE-BY
    closed: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Open whenever one of its hours is, so that work may follow the sun; or round the clock."""

    hours: tuple[Hours, ...] = ()
    always: bool = False


ALWAYS: Final = Calendar(always=True)
OFFICE: Final = Calendar((Hours("UTC", tuple(Period(day, 540, 1020) for day in range(5))),))


def periods(words: Iterable[str]) -> tuple[Period, ...]:
    """Periods from words like "mon-fri 09:00-12:30"; one that passes midnight is two."""
    found: set[Period] = set()
    for word in words:
        read = _PERIOD.fullmatch(word.strip().lower())
        days = [] if read is None else [read[1], read[2] or read[1]]
        if read is None or not set(days) <= set(WEEK):
            raise ValueError(f'"{word}" is no period; write "mon-fri 09:00-17:00"')
        start, end = (int(read[n]) * 60 + int(read[n + 1]) for n in (3, 5))
        if start >= _FULL or end > _FULL or int(read[4]) > 59 or int(read[6]) > 59:
            raise ValueError(f'"{word}": a day runs from 00:00 to 24:00')
        if start == end:
            raise ValueError(f'"{word}" is empty; a whole day is 00:00-24:00')
        first, last = (WEEK.index(day) for day in days)
        for day in range(first, first + (last - first) % 7 + 1):
            if start < end:
                found.add(Period(day % 7, start, end))
                continue
            found.add(Period(day % 7, start, _FULL))
            if end:
                found.add(Period((day + 1) % 7, 0, end))
    return tuple(sorted(found))


def said(length: timedelta) -> str:
    """A length of time in words, to the minute: 2 h 10 min."""
    minutes = round(abs(length).total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours:,} h" if hours else "", f"{minutes} min" if minutes or not hours else ""]
    return " ".join(part for part in parts if part)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'there is no time zone "{name}"; write Europe/Berlin') from error


def holidays_of(place: str) -> holidays.HolidayBase:
    """The public holidays of a country, or of one region of it."""
    country, _, region = place.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=region or None)
    except NotImplementedError as error:
        raise ValueError(
            f'no holidays are known for "{place}"; write a country, or a country and its region: '
            "DE or DE-BY"
        ) from error


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Whether somebody is at work at this moment."""
    return any(
        start <= moment < end for start, end in _of_day(calendar, moment.astimezone(UTC).date())
    )


def opens(calendar: Calendar, moment: datetime) -> datetime | None:
    """From when on somebody is at work: this moment, or the next opening; None is never."""
    return next((max(start, moment) for start, _ in stretches(calendar, moment)), None)


def after(
    calendar: Calendar, start: datetime, span: timedelta, pauses: Sequence[Stretch] = ()
) -> datetime | None:
    """The first moment by which this much open time has passed since `start`.

    What falls into a pause does not count. None when that is years away.
    """
    if span <= timedelta():
        return start
    left = span
    for since, until in without(stretches(calendar, start), pauses):
        if until - since >= left:
            return since + left
        left -= until - since
    return None


def between(
    calendar: Calendar, start: datetime, end: datetime, pauses: Sequence[Stretch] = ()
) -> timedelta:
    """How much open time has passed from one moment to another, without the pauses."""
    passed = timedelta()
    for since, until in without(stretches(calendar, start), pauses):
        if since >= end:
            break
        passed += min(until, end) - since
    return passed


def stretches(calendar: Calendar, start: datetime) -> Iterator[Stretch]:
    """When it is open from a moment on, in order; ends after years."""
    start = start.astimezone(UTC)
    day, last = start.date(), (start + FARTHEST).date()
    while day <= last:
        for since, until in _of_day(calendar, day):
            if until > start:
                yield max(since, start), until
        day += DAY


def without(open_: Iterable[Stretch], pauses: Sequence[Stretch]) -> Iterator[Stretch]:
    """What is left of stretches when pauses are taken out, both in order."""
    pauses = merged(pauses)
    for since, until in open_:
        for begin, end in pauses:
            if end <= since:
                continue
            if begin >= until:
                break
            if begin > since:
                yield since, begin
            since = end
            if since >= until:
                break
        if since < until:
            yield since, until


def merged(parts: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, those that touch each other as one."""
    whole: list[Stretch] = []
    for start, end in sorted(parts):
        if start >= end:
            continue
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


@lru_cache(maxsize=8_192)
def _of_day(calendar: Calendar, day: date) -> tuple[Stretch, ...]:
    """When it is open in one day of UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if calendar.always:
        return ((midnight, midnight + DAY),)
    # A wall is less than a day away from UTC: what is open now began yesterday there, or tomorrow.
    near = (
        stretch
        for hours in calendar.hours
        for there in (day - DAY, day, day + DAY)
        for stretch in _on_the_wall(hours, there)
    )
    cut = ((max(start, midnight), min(end, midnight + DAY)) for start, end in near)
    return tuple(merged(cut))


def _on_the_wall(hours: Hours, day: date) -> Iterator[Stretch]:
    """When it is open on one day of its own calendar."""
    todays = [period for period in hours.periods if period.day == day.weekday()]
    if not todays or day in hours.closed or (hours.holidays and day in _holidays(hours.holidays)):
        return
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    offsets = _offsets(hours.zone, day)
    for period in todays:
        start, end = midnight + period.start * MINUTE, midnight + period.end * MINUTE
        for since, until, offset in offsets:
            begin, finish = max(start - offset, since), min(end - offset, until)
            if begin < finish:
                yield begin, finish


@lru_cache(maxsize=64)
def _holidays(place: str) -> holidays.HolidayBase:
    return holidays_of(place)


@lru_cache(maxsize=8_192)
def _offsets(zone: str, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """How far a wall is from UTC around one of its days, and from when until when it is that."""
    wall = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(wall).utcoffset() or timedelta()

    # A whole day that a zone left out (Samoa in 2011) moves it by that much: look at two around.
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * DAY
    found: list[tuple[datetime, datetime, timedelta]] = []
    since = first
    for step in range(20):  # a quarter of a day holds no two changes
        low, high = first + step * DAY / 4, first + (step + 1) * DAY / 4
        if offset(low) == offset(high):
            continue
        while high - low > timedelta(seconds=1):
            middle = (low + (high - low) / 2).replace(microsecond=0)
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append((since, high, offset(since)))
        since = high
    return (*found, (since, first + 5 * DAY, offset(since)))
