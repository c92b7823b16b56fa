"""Quiet: when somebody is told of what is not urgent."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from listener.domain.staff import Staff

HOUR = timedelta(hours=1)


def tell_at(person: Staff, now: datetime, *, urgent: bool) -> datetime:
    """When somebody is told of something: at once, or when their quiet hours end.

    Who wants fewer notices is told at the next full hour, of all that came meanwhile.
    """
    if urgent:
        return now
    at = now
    if person.quieter:
        at = now.replace(minute=0, second=0, microsecond=0) + HOUR
    return out_of_quiet(person, at)


def out_of_quiet(person: Staff, at: datetime) -> datetime:
    """The first moment from then on that is not in somebody's quiet hours."""
    start, end = person.quiet_from, person.quiet_until
    if start is None or end is None or start == end:
        return at
    zone = ZoneInfo(person.zone) if person.zone else UTC
    local = at.astimezone(zone)
    if not is_quiet(local.time(), start, end):
        return at
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(UTC)


def is_quiet(clock: time, start: time, end: time) -> bool:
    """Whether a time of day is in quiet hours, which may go over midnight."""
    return start <= clock < end if start < end else clock >= start or clock < end
