"""Snoozing: a case leaves the queues until a moment, or until its author is heard again."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from listener.desk.acting import Done, acting
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store.session import Store

AUTHOR: Final = "author"
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
        due = act.case.due_at
        still = f" Its deadline stays: {due:%d %b %H:%M} UTC." if due and due > act.now else ""
        return Done(act.case, event.key, f"Case {case_id} sleeps {when}.{still}")


async def wake(store: Store, case_id: int, staff: str) -> Done:
    """Back into the queues before its time."""
    async with acting(store, case_id, staff) as act:
        if not act.case.wake():
            raise NotAllowed(f"Case {case_id} does not sleep.")
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
