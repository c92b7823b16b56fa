"""Undoing: an act of a moment ago is taken back by whoever did it, if nothing came between."""

from collections.abc import Sequence
from dataclasses import replace

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
    What.ACKNOWLEDGED: "acknowledged it",
    What.ROUTED: "sent it to a team",
    What.ESCALATED: "called for somebody",
    What.UNDONE: "took something back",
}


async def undo(store: Store, event_id: int, staff: str) -> Done:
    """Take back the act that wrote this event: close, snooze, tag, assign, correct, take.

    What was done to many cases at once is taken back for all of them.
    """
    async with store.reading() as session:
        event = await history.numbered(session, event_id)
        if event is None:
            raise NotThere(f"There is no event {event_id}.")
        others = await history.together(session, event)
    if not others:
        return await undo_one(store, event, staff)
    made = await undo_all(store, [*others, event], staff)
    if event.case_id not in made.done:
        raise NotAllowed(made.refused[event.case_id])
    left = f" {len(made.refused)} were left as they are." if made.refused else ""
    return replace(made.done[event.case_id], said=f"Undone for {len(made.done)} cases.{left}")


async def undo_one(store: Store, event: Event, staff: str) -> Done:
    """Take back one act on one case."""
    async with acting(store, event.case_id, staff) as act:
        await unless_too_late(act, event)
        before = dict(event.details["before"])
        if "tags" in before:
            await tags.put(act.session, act.number, before.pop("tags"))
        restore(act.case, before)
        if act.case.counts_from is not None:
            act.case.look_at = act.now  # what it missed may count again
        await corrections.withdraw(act.session, event.details.get("corrections", []))
        undone = await act.write(
            What.UNDONE, {"undoes": event.key, "what": event.what.value}, undoable=False
        )
        return Done(
            act.case,
            undone.key,
            f"Undone: case {act.number} is as it was before you {said(event)}.",
            final=True,
        )


async def undo_all(store: Store, events: Sequence[Event], staff: str) -> Bulk:
    """Take back what was done to many cases at once; say which could not be."""
    by_case = {event.case_id: event for event in events}

    async def deed(store: Store, number: int, staff: str) -> Done:
        return await undo_one(store, by_case[number], staff)

    return await each(store, sorted(by_case), staff, deed)


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
