"""Promising: which policies are in force, in their order, and when the teams that keep them work."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from listener.domain.deadline import Clock, Policies, Policy
from listener.domain.hours import DAY, Calendar, holidays_of, opens, stretches, zone_of
from listener.domain.team import Team
from listener.store import brands, deadlines, teams
from listener.store.session import AsyncSession

AHEAD = 60  # days for which closed ones are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One policy, as people read it."""

    name: str
    version: int  # 0: the standard one, as it came
    fits: Sequence[str]  # nothing: everything that no other is for
    first: timedelta | None
    next: timedelta | None
    resolution: timedelta | None
    always: bool
    cases: int  # that are not closed and were promised by any version of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """When a team is at work."""

    name: str
    zone: str
    hours: Sequence[str]
    always: bool
    follows: Sequence[str]
    open: bool
    until: datetime | None  # when that changes; None is never
    closed: Sequence[tuple[date, str]]  # the next days on which it is not, and why


@dataclass(frozen=True, slots=True)
class Promises:
    """Both."""

    policies: Sequence[Promise]
    shifts: Sequence[Shift]


async def promises(
    session: AsyncSession,
    *,
    now: datetime,
    walls: Collection[int] | None = None,
    otherwise: Policies | None = None,
) -> Promises:
    """What is promised to cases of these brands, and the hours of all teams."""
    policies = await deadlines.in_force(session, otherwise)
    together = await teams.every(session)
    counted = await deadlines.promised(session, walls)
    names = {
        brand.key: brand.name
        for brand in await brands.every(session)
        if walls is None or brand.key in walls
    }
    return Promises(
        [
            promise(one, names, policies.names, counted.get(one.name, 0))
            for one in policies.in_force
            if one.brands is None or any(brand in names for brand in one.brands)
        ],
        [shift(team, together, now) for team in together],
    )


def promise(
    one: Policy, brands: Mapping[int, str], teams: Mapping[int, str], cases: int
) -> Promise:
    """One policy in words."""
    return Promise(
        name=one.name,
        version=one.version,
        fits=list(fits(one, brands, teams)),
        first=one.span(Clock.FIRST),
        next=one.span(Clock.NEXT),
        resolution=one.span(Clock.RESOLUTION),
        always=one.always,
        cases=cases,
    )


def fits(one: Policy, brands: Mapping[int, str], teams: Mapping[int, str]) -> Iterator[str]:
    """What it asks of a case."""
    asked: Sequence[tuple[str, Sequence[str] | None]] = (
        ("brand", called(one.brands, brands)),
        ("place", one.connectors),
        ("kind", one.kinds),
        ("severity", one.severities),
        ("team", called(one.teams, teams)),
    )
    for what, wanted in asked:
        if wanted is not None:
            yield f"{what} {' or '.join(wanted) or 'that is gone'}"


def called(keys: Sequence[int] | None, names: Mapping[int, str]) -> list[str] | None:
    """The names that one may read; None where nothing is asked for."""
    return None if keys is None else [names[key] for key in keys if key in names]


def shift(team: Team, together: Sequence[Team], now: datetime) -> Shift:
    """When one team is at work."""
    calendar = team.calendar(together)
    open_, until = turns(calendar, now)
    return Shift(
        name=team.name,
        zone=team.zone,
        hours=team.hours,
        always=team.always,
        follows=[one.name for one in together if one.key in team.follows],
        open=open_,
        until=until,
        closed=list(closed(team, now)),
    )


def turns(calendar: Calendar, now: datetime) -> tuple[bool, datetime | None]:
    """Whether it is open, and when that changes."""
    if calendar.always:
        return True, None
    opening = opens(calendar, now)
    if opening is None or opening > now:
        return False, opening
    until = now
    for start, end in stretches(calendar, now):
        if start > until or end - now > 400 * DAY:
            break
        until = end
    return True, until


def closed(team: Team, now: datetime) -> Iterator[tuple[date, str]]:
    """The next days on which a team would be at work and is not."""
    if team.always or not team.hours:
        return
    own = team.own_hours
    known = holidays_of(team.holidays) if team.holidays else {}
    days = {period.day for period in own.periods}
    today = now.astimezone(zone_of(team.zone)).date()
    for number in range(AHEAD):
        day = today + number * DAY
        if day.weekday() not in days:
            continue
        if day in own.closed:
            yield day, "a day of your own"
        elif day in known:
            yield day, str(known[day])
