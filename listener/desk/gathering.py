"""Gathering: which cases belong to a crisis, by themselves and by hand, and go out again."""

from listener.desk.acting import at_hand, somebody
from listener.domain.case import Status
from listener.domain.crisis import Crisis, How, Turn
from listener.domain.event import What
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.severity import CRISIS_TAG
from listener.domain.staff import Staff
from listener.store import cases, crises, deadlines, history, pressing, tags
from listener.store.session import AsyncSession, Store, now


async def chosen(
    session: AsyncSession, number: int, staff: str, act: Act, *, lock: bool = True
) -> tuple[Staff, Crisis]:
    """The person and the crisis, locked; NotThere where they may not see it."""
    person = await somebody(session, staff)
    crisis = await crises.one(session, number, lock=lock)
    if crisis is None or not person.sees(crisis.brand_id):
        raise NotThere(f"There is no crisis {number}. `listener crisis` lists them.")
    if not may(person, act, crisis.brand_id):
        raise NoRight(
            f"{person.name} is here as {person.role}, whose role does not include: {act}."
        )
    return person, crisis


async def look(store: Store, number: int, *, most: int = crises.AT_ONCE) -> int:
    """Let the new cases that belong to a crisis join it; say how many did, of so many at most."""
    async with store.reading() as session:
        crisis = await crises.one(session, number, lock=False)
        if crisis is None or crisis.ended_at is not None:
            return 0
        found = await crises.newcomers(session, crisis)
    joined = 0
    for case_id, how in sorted(found.items())[:most]:
        async with store.transaction() as session:  # one each: nobody waits for many cases
            joined += await take_in(session, crisis, case_id, how)
    if joined:
        async with store.transaction() as session:
            await crises.record(
                session, number, Turn.GREW, now=await now(session), words=str(joined)
            )
    return joined


async def take_in(
    session: AsyncSession, crisis: Crisis, case_id: int, how: How, staff_id: int | None = None
) -> bool:
    """Let a case join, and be answered as soon as a crisis is; False where it cannot.

    The case is locked first, as everybody does, so that nobody waits for each other.
    """
    case = await cases.locked(session, case_id)
    if case is None or case.status is Status.CLOSED:
        return False
    moment = await now(session)
    member = await crises.join(session, crisis.key, case_id, how, now=moment, staff_id=staff_id)
    if member is None:
        return False
    before = await tags.of_case(session, case_id)
    details = {"tag": CRISIS_TAG, "crisis": crisis.key, "called": crisis.name}
    if CRISIS_TAG not in before:
        await tags.put(session, case_id, [*before, CRISIS_TAG])
        case.crisis = member.tagged = True
        case.worsen(await deadlines.in_force(session), moment)
    await history.record(
        session,
        case_id,
        What.TAGGED,
        now=moment,
        channels=(),
        staff_id=staff_id,
        details=details,
    )
    await pressing.press(session, case, moment)
    return True


async def bring(store: Store, number: int, staff: str, case_id: int) -> str:
    """Bring a case into a crisis by hand."""
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        _, crisis = await chosen(session, number, staff, Act.WORK_CASES)
        crisis.require_open()
        if case.brand_id != crisis.brand_id:
            raise NotAllowed(f"Case {case_id} is of another brand than the crisis {crisis.name}.")
        if case.status is Status.CLOSED:
            raise NotAllowed(f"Case {case_id} is closed. Open it again first.")
        if not await take_in(session, crisis, case_id, How.HAND, person.key):
            return f"Case {case_id} belongs to the crisis {crisis.name} already."
        await crises.record(session, number, Turn.GREW, now=moment, staff_id=person.key, words="1")
        return f"Case {case_id} belongs to the crisis {crisis.name} now."


async def leave(store: Store, number: int, staff: str, case_id: int) -> str:
    """Take a case out of a crisis; it does not come back by itself.

    Its tag goes with it, if the crisis put it there and no other open one needs it.
    """
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        _, crisis = await chosen(session, number, staff, Act.WORK_CASES)
        crisis.require_open()
        member = await crises.member(session, number, case_id)
        if member is None or member.left_at is not None:
            raise NotAllowed(f"Case {case_id} does not belong to the crisis {crisis.name}.")
        member.left_at = moment
        before = await tags.of_case(session, case_id)
        others = [one for one in await crises.of_case(session, case_id) if one.key != number]
        if member.tagged and CRISIS_TAG in before and not others:
            await tags.put(session, case_id, [one for one in before if one != CRISIS_TAG])
            case.calm(await deadlines.in_force(session), moment)
        member.tagged = False
        await history.record(
            session,
            case_id,
            What.UNTAGGED,
            now=moment,
            channels=(),
            staff_id=person.key,
            details={"tag": CRISIS_TAG, "crisis": number, "called": crisis.name},
        )
        await pressing.press(session, case, moment)
        await crises.record(
            session, number, Turn.LEFT, now=moment, staff_id=person.key, other=case_id
        )
        return f"Case {case_id} does not belong to the crisis {crisis.name} any more."
