"""Presence: a sign from somebody who looks at a case, or writes on it."""

from listener.desk.acting import somebody
from listener.store import presences
from listener.store.session import Store, now


async def here(store: Store, case_id: int, staff: str, *, writing: bool = False) -> None:
    """Note that somebody is at a case right now; it holds for thirty seconds.

    Pages say so every ten; what says nothing new costs no write.
    """
    async with store.reading() as session:
        person, moment = await somebody(session, staff), await now(session)
        if not await presences.is_news(session, case_id, person.key, writing=writing, now=moment):
            return
    async with store.transaction() as session:
        await presences.keep(session, case_id, person.key, writing=writing, now=await now(session))


async def gone(store: Store, case_id: int, staff: str) -> None:
    """Note that somebody has left a case."""
    async with store.transaction() as session:
        person = await somebody(session, staff)
        await presences.drop(session, case_id, person.key)
