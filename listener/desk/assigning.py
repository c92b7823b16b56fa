"""Assigning: a lead gives a case to somebody, or takes it back for all."""

from listener.desk.acting import AtHand, Done, acting
from listener.desk.noting import keep_note
from listener.domain.event import What
from listener.domain.record import NoRight, NotAllowed
from listener.domain.rights import Act, may
from listener.store import people
from listener.store.session import Store


async def assign(store: Store, case_id: int, staff: str, to: str, *, note: str = "") -> Done:
    """Make somebody the owner of a case. Leads give to anybody, everybody to themselves."""
    async with acting(store, case_id, staff) as act:
        other = await people.named(act.session, to)
        if other is None or not other.active:
            raise NotAllowed(f"Nobody here is called {to!r}.")
        if not may(other, Act.WORK_CASES, act.case.brand_id):
            raise NotAllowed(f"{other.name} does not work cases of this brand.")
        if other.away(act.now) and other.key != act.person.key:
            raise NotAllowed(
                f"{other.name} is away until {other.away_until:%d %b %H:%M} UTC; "
                "give it to somebody who is here."
            )
        if other.key == act.case.owner_id:
            return Done(act.case, None, f"Case {case_id} is {other.name}'s already.")
        if other.key != act.person.key or act.case.owner_id is not None:
            await unless_lead(
                act,
                "give a case to somebody else"
                if other.key != act.person.key
                else "take a case from its owner this way; take it over instead",
            )
        await act.unless_held()
        owner = act.case.owner_id
        act.case.assign(other.key, act.person.key, act.now)
        kept = (await keep_note(act, note))[0] if note.strip() else None
        event = await act.write(
            What.ASSIGNED, {"to": other.key, "from": owner, "note": kept and kept.key}
        )
        return Done(act.case, event.key, f"Case {case_id} is {other.name}'s now.")


async def unassign(store: Store, case_id: int, staff: str, *, note: str = "") -> Done:
    """Give a case of anybody's back to the queue."""
    async with acting(store, case_id, staff) as act:
        if act.case.owner_id not in (None, act.person.key):
            await unless_lead(act, "take a case from its owner; take it over instead")
        await act.unless_held()
        owner = act.case.owner_id
        act.case.unassign(act.person.key, act.now)
        kept = (await keep_note(act, note))[0] if note.strip() else None
        event = await act.write(What.RELEASED, {"from": owner, "note": kept and kept.key})
        return Done(act.case, event.key, f"Case {case_id} is open again.")


async def unless_lead(act: AtHand, what: str) -> None:
    """Refuse whoever only works cases."""
    if not may(act.person, Act.ASSIGN, act.case.brand_id):
        raise NoRight(f"Only a lead may {what}.")
