"""Snoozing: a case leaves the queues until a moment, or until its author is heard again."""

from datetime import datetime

from listener.desk.acting import Done, acting
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store.session import Store


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
