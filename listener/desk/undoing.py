"""Undoing: an act of a moment ago is taken back by whoever did it, if nothing came between."""

from collections.abc import Sequence

from listener.desk.acting import AtHand, Done, acting
from listener.desk.bulk import Bulk, each
from listener.domain.event import Event, What
from listener.domain.record import NotAllowed, NotThere
from listener.domain.undo import WINDOW, in_the_way, restore
from listener.store import corrections, history, people, tags
from listener.store.session import Store

SAID = {
    What.CONFIRMED: "confirmed it",
    What.TAKEN: "took it",
    What.TAKEN_OVER: "took it over",
    What.ASSIGNED: "gave it to somebody",
    What.RELEASED: "gave it back",
    What.ANSWERED: "answered it",
    What.CLOSED: "closed it",
    What.REOPENED: "reopened it",
    What.SNOOZED: "snoozed it",
    What.WOKEN: "woke it",
    What.TAGGED: "tagged it",
    What.UNTAGGED: "took a tag off",
    What.UNDONE: "took something back",
}


async def undo(store: Store, event_id: int, staff: str) -> Done:
    """Take back the act that wrote this event: close, snooze, tag, assign, correct, take."""
    async with store.reading() as session:
        event = await history.numbered(session, event_id)
    if event is None:
        raise NotThere(f"There is no event {event_id}.")
    async with acting(store, event.case_id, staff) as act:
        await unless_too_late(act, event)
        before = dict(event.details["before"])
        if "tags" in before:
            await tags.put(act.session, act.number, before.pop("tags"))
        restore(act.case, before)
        await corrections.withdraw(act.session, event.details.get("corrections", []))
        undone = await act.write(
            What.UNDONE, {"undoes": event.key, "what": event.what.value}, undoable=False
        )
        return Done(
            act.case,
            undone.key,
            f"Undone: case {act.number} is as it was before you {said(event)}.",
        )


async def undo_all(store: Store, event_ids: Sequence[int], staff: str) -> Bulk:
    """Take back what was done to many cases at once, the last first; say which could not be."""

    async def deed(store: Store, event_id: int, staff: str) -> Done:
        return await undo(store, event_id, staff)

    return await each(store, sorted(event_ids, reverse=True), staff, deed)


async def unless_too_late(act: AtHand, event: Event) -> None:
    """Refuse what is not theirs, not undoable, too old, or has been built upon."""
    if event.staff_id != act.person.key:
        who = (
            await people.name(act.session, event.staff_id) if event.staff_id else "Listener itself"
        )
        raise NotAllowed(f"{who} did that; only who did it can take it back.")
    if "before" not in event.details:
        raise NotAllowed("That cannot be taken back.")
    barrier = in_the_way(event, await history.since(act.session, event))
    if barrier is not None and barrier.details.get("undoes") == event.key:
        raise NotAllowed("That has been taken back already.")
    if act.now - event.at > WINDOW:
        raise NotAllowed(
            f"It is too late: an act can be taken back for {WINDOW.total_seconds():.0f} seconds."
        )
    if barrier is not None:
        who = "its author or Listener itself"
        if barrier.staff_id is not None:
            who = await people.name(act.session, barrier.staff_id)
        raise NotAllowed(
            f"Case {act.number} is left as it is: {who} {said(barrier)} since you {said(event)}."
        )


def said(event: Event) -> str:
    """What somebody did, in the past."""
    return SAID.get(event.what, f"changed it ({event.what})")
