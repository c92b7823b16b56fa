"""Taking a case, giving it back, taking it over: one person owns it from start to finish."""

from datetime import datetime

from listener.domain.case import Case, Status
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.domain.staff import Staff
from listener.store import cases, history, people
from listener.store.session import AsyncSession, Store, now


async def take(store: Store, case_id: int, staff: str, *, over: bool = False) -> Case:
    """Make this person the owner and holder; with `over`, whoever has it now loses it."""
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        before = case.owner_id
        if not over:
            await unless_held(session, case, person, moment)
        if before not in (None, person.key) and not over and case.status is not Status.CLOSED:
            raise NotAllowed(
                f"Case {case_id} belongs to {await people.name(session, before)}. "
                "Take it over if you must."
            )
        case.take(person.key, moment, over=over)
        if before != person.key:
            what = What.TAKEN if before is None else What.TAKEN_OVER
            await history.record(
                session,
                case_id,
                what,
                now=moment,
                channels=await history.channels(session),
                staff_id=person.key,
                details={} if before is None else {"from": before},
            )
        return case


async def release(store: Store, case_id: int, staff: str) -> Case:
    """Give a case back to the queue."""
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        await unless_held(session, case, person, moment)
        if case.status is Status.OWNED and case.owner_id != person.key:
            raise NotAllowed(
                f"Case {case_id} belongs to {await people.name(session, case.owner_id)}, who "
                "alone can give it back. Take it over if you must."
            )
        case.release(person.key, moment)
        await history.record(
            session,
            case_id,
            What.RELEASED,
            now=moment,
            channels=await history.channels(session),
            staff_id=person.key,
        )
        return case


async def at_hand(session: AsyncSession, case_id: int, staff: str) -> tuple[Case, Staff, datetime]:
    """The case, locked, and the person who acts on it."""
    person = await people.named(session, staff)
    if person is None or not person.active:
        raise NotAllowed(
            f"Nobody here is called {staff!r}. Add them: listener staff add {staff!r}."
        )
    case = await cases.locked(session, case_id)
    if case is None:
        raise NotAllowed(f"There is no case {case_id}. `listener cases` lists them.")
    return case, person, await now(session)


async def unless_held(session: AsyncSession, case: Case, person: Staff, moment: datetime) -> None:
    """Refuse, and say who has it, when somebody else works on the case."""
    holder = case.held_by(moment)
    if holder not in (None, person.key):
        raise NotAllowed(
            f"{await people.name(session, holder)} holds case {case.id} until "
            f"{case.held_until:%H:%M} UTC. Take it over if you must."
        )
