"""Being away: whoever says so gets no new cases, and gives back those that wait for them."""

from datetime import datetime, timedelta

from listener.desk.acting import somebody
from listener.domain.case import Status
from listener.domain.record import NoRight, NotAllowed
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import handing, people
from listener.store.session import AsyncSession, Store, clean, now

LONGEST = timedelta(days=366)
LONGEST_WHY = 80  # characters


async def go_away(
    store: Store, name: str, until: datetime, why: str = "", *, by: str | None = None
) -> tuple[Staff, int]:
    """Somebody is not here until a moment; return them and how many cases went back.

    What sleeps beyond that moment, or waits for the customer, stays theirs. `by` is a lead who
    says it for them; without, the person themselves or the command line.
    """
    why = " ".join(clean(why).split())
    if len(why) > LONGEST_WHY:
        raise NotAllowed(f"Say why in {LONGEST_WHY} letters.")
    async with store.transaction() as session:
        moment = await now(session)
        person, actor = await changed(session, name, by)
        if until <= moment:
            raise NotAllowed(f"{until:%d %b %H:%M} UTC is over already; name a later moment.")
        if until > moment + LONGEST:
            raise NotAllowed("Somebody is away for a year at most.")
        person.away_until, person.away_why = until, why or None
        cases = [
            case
            for case in await people.cases_of(session, person.key)
            if case.status is Status.OWNED and not case.sleeps(moment)
        ]
        back = await handing.hand_back(
            session,
            cases,
            person,
            handing.reason(person),
            now=moment,
            by=actor.key if actor is not None else None,
        )
        return person, back


async def come_back(store: Store, name: str, *, by: str | None = None) -> Staff:
    """Somebody is here again."""
    async with store.transaction() as session:
        person, _ = await changed(session, name, by)
        if not person.away(await now(session)):
            raise NotAllowed(f"{person.name} is here.")
        person.away_until = person.away_why = None
        return person


async def changed(session: AsyncSession, name: str, by: str | None) -> tuple[Staff, Staff | None]:
    """Whose presence changes, locked, and who says so if it is somebody."""
    person = await somebody(session, name)
    actor = None if by is None else await somebody(session, by)
    if actor is not None and actor.key != person.key and not may(actor, Act.ASSIGN):
        raise NoRight("Only a lead may say for others that they are away.")
    await people.locked(session, person.key)
    return person, actor
