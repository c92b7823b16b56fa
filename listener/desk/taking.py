"""Taking a case, giving it back, taking it over: one person owns it from start to finish."""

from collections.abc import Collection

from listener.desk.acting import AtHand, Done, acting, at_hand, unless_held, worker
from listener.desk.noting import keep_note
from listener.domain.case import Case, Status
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store import people, routing, urgent
from listener.store.queue import Filters
from listener.store.session import Store, now

__all__ = ["Done", "at_hand", "release", "take", "take_next", "touch", "unless_held"]


async def take(
    store: Store, case_id: int, staff: str, *, over: bool = False, note: str = ""
) -> Done:
    """Make this person the owner and holder; with `over`, whoever has it now loses it.

    A note tells them, and everybody after them, why.
    """
    async with acting(store, case_id, staff) as act:
        return await taken(act, over=over, note=note)


async def take_next(
    store: Store,
    staff: str,
    *,
    filters: Filters | None = None,
    tag: str | None = None,
    brands: Collection[int] | None = None,
) -> Done | None:
    """Hand out the most urgent case that nobody has; None when there is none.

    Of what is equally grave, their own teams' first, then that of no team, then that of others.
    Of two who ask at once each gets another.
    """
    async with store.transaction() as session:
        person = await worker(session, staff)
        moment = await now(session)
        if person.walls is not None:
            brands = set(person.walls) & set(person.walls if brands is None else brands)
        case = await urgent.next_one(
            session,
            now=moment,
            brands=brands,
            filters=filters,
            tag=tag,
            teams=await routing.teams_of(session, person.key),
        )
        if case is None:
            return None
        return await taken(AtHand(session, case, person, moment), over=False)


async def taken(act: AtHand, *, over: bool, note: str = "") -> Done:
    """Give the case at hand to the person at hand."""
    case, person = act.case, act.person
    owner = case.owner_id
    if not over:
        await act.unless_held()
        if owner not in (None, person.key) and case.status is not Status.CLOSED:
            raise NotAllowed(
                f"Case {act.number} belongs to {await people.name(act.session, owner)}. "
                "Take it over if you must."
            )
    slept = case.snoozed_until is not None
    case.take(person.key, act.now, over=over)
    kept = (await keep_note(act, note))[0] if note.strip() else None
    said = f"Case {act.number} is yours; you hold it until {case.held_until:%H:%M} UTC."
    if owner != person.key:
        what = What.TAKEN if owner is None else What.TAKEN_OVER
        event = await act.write(what, {"from": owner, "note": kept and kept.key})
        return Done(case, event.key, said)
    if slept:
        return Done(case, (await act.write(What.WOKEN)).key, said)
    return Done(case, None, said)


async def touch(store: Store, case_id: int, staff: str) -> Case:
    """Keep the hold alive while its holder is at work on it."""
    async with acting(store, case_id, staff) as act:
        await act.unless_held()
        case, person = act.case, act.person
        if (
            case.held_by(act.now) is None
            and case.owner_id == person.key
            and case.status is not Status.CLOSED
            and not case.sleeps(act.now)
        ):
            case.take(person.key, act.now)  # the hold had lapsed, and they are back
        else:
            case.touch(person.key, act.now)
        return case


async def release(store: Store, case_id: int, staff: str) -> Done:
    """Give a case back to the queue."""
    async with acting(store, case_id, staff) as act:
        await act.unless_held()
        case, person = act.case, act.person
        if case.status is Status.OWNED and case.owner_id != person.key:
            raise NotAllowed(
                f"Case {case_id} belongs to {await people.name(act.session, case.owner_id)}, who "
                "alone can give it back. Take it over if you must."
            )
        case.release(person.key, act.now)
        event = await act.write(What.RELEASED)
        return Done(case, event.key, f"Case {case_id} is open again.")
