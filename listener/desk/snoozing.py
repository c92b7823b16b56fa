"""Snoozing: a case leaves the queues until a moment, an answer of its author, or that it spreads."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from listener.desk.acting import Done, acting
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store import themes
from listener.store.session import Store

AUTHOR: Final = "author"
SPREADS: Final = "spreads"
PEOPLE: Final = 3  # more who say the same, where nobody says how many
MOST_PEOPLE: Final = 1_000
_SPAN: Final = re.compile(r"(\d{1,4})\s*(m|h|d)")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


async def snooze(
    store: Store,
    case_id: int,
    staff: str,
    until: datetime | None = None,
    *,
    on_answer: bool = False,
) -> Done:
    """Out of the queues until a moment or, `on_answer`, until its author is heard again.

    Its deadline stays where it is. Waiting for the author ends after a month all the same.
    """
    async with acting(store, case_id, staff) as act:
        await act.unless_held()
        act.case.snooze(until, act.person.key, act.now, on_answer=on_answer)
        slept = act.case.snoozed_until
        event = await act.write(
            What.SNOOZED, {"until": slept and slept.isoformat(), "on_answer": on_answer}
        )
        moment = f"{slept:%d %b %H:%M} UTC"
        when = (
            f"until its author answers, at the latest {moment}" if on_answer else f"until {moment}"
        )
        stays = still(act.case.due_at, act.now)
        return Done(act.case, event.key, f"Case {case_id} sleeps {when}.{stays}")


async def until_spread(store: Store, case_id: int, staff: str, people: int = PEOPLE) -> Done:
    """Out of the queues until so many more people say the same, or two weeks are over."""
    if not 1 <= people <= MOST_PEOPLE:
        raise NotAllowed(f"Say how many more people must say it: 1 to {MOST_PEOPLE:,}.")
    async with acting(store, case_id, staff) as act:
        await act.unless_held()
        theme = await themes.of_case(act.session, case_id)
        if theme is None:
            raise NotAllowed(
                f"Case {case_id} has no theme that could spread. Snooze it for a time, or until "
                "its author answers."
            )
        act.case.await_others(people, act.person.key, act.now)
        slept = act.case.snoozed_until
        until = slept and slept.isoformat()
        event = await act.write(
            What.SNOOZED, {"until": until, "people": people, "theme": theme.key}
        )
        more = "1 more person says" if people == 1 else f"{people} more people say"
        return Done(
            act.case,
            event.key,
            f"Case {case_id} sleeps until {more} the same (theme {theme.key}), at the latest "
            f"{slept:%d %b %H:%M} UTC.{still(act.case.due_at, act.now)}",
        )


def still(due: datetime | None, now: datetime) -> str:
    """That sleeping moves no deadline, where there is one."""
    return f" Its deadline stays: {due:%d %b %H:%M} UTC." if due and due > now else ""


async def wake(store: Store, case_id: int, staff: str) -> Done:
    """Back into the queues before its time."""
    async with acting(store, case_id, staff) as act:
        if not act.case.wake(act.now):
            raise NotAllowed(f"Case {case_id} does not sleep.")
        act.case.call(act.now)
        event = await act.write(What.WOKEN)
        return Done(act.case, event.key, f"Case {case_id} is back in the queue.")


def moment_of(words: str, now: datetime, zone: str | None = None) -> datetime:
    """The moment that words name: 90m, 4h, 3d, tomorrow (at nine), or 2026-05-04T09:00.

    Where they name no zone it is the person's, else UTC.
    """
    words = words.strip()
    here = zone_of(zone)
    if span := _SPAN.fullmatch(words):
        return now + int(span[1]) * _UNITS[span[2]]
    if words == "tomorrow":
        morning = (now.astimezone(here) + timedelta(days=1)).replace(hour=9, minute=0)
        return morning.replace(second=0, microsecond=0).astimezone(UTC)
    try:
        named = datetime.fromisoformat(words)
    except ValueError:
        raise NotAllowed(
            f"{words!r} is no time; say 90m, 4h, 3d, tomorrow or 2026-05-04T09:00."
        ) from None
    return (named if named.tzinfo else named.replace(tzinfo=here)).astimezone(UTC)


def zone_of(name: str | None) -> ZoneInfo:
    """The zone of this name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError):
        return ZoneInfo("UTC")
