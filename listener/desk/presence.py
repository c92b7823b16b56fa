"""Presence: a sign from somebody who looks at a case, or writes on it."""

from datetime import timedelta

from listener.desk import noting, taking
from listener.desk.acting import somebody
from listener.domain.case import HOLD
from listener.store import cases, notes, presences
from listener.store.session import Store, now

RENEWED = timedelta(minutes=1)  # a hold is renewed no more often


async def here(store: Store, case_id: int, staff: str, *, writing: bool = False) -> None:
    """Note that somebody is at a case right now; it holds for forty seconds.

    Pages say so every fifteen; what says nothing new costs no write. Whoever holds the case goes
    on holding it, and what notes had to tell them is told.
    """
    async with store.reading() as session:
        person, moment = await somebody(session, staff), await now(session)
        news = await presences.is_news(session, case_id, person.key, writing=writing, now=moment)
        called = await notes.called_here(session, person.key, case_id)
        case = await cases.one(session, case_id)
        holds = case is not None and case.held_by(moment) == person.key
        until = (case and case.held_until) or moment
    if news:
        async with store.transaction() as session:
            await presences.keep(
                session, case_id, person.key, writing=writing, now=await now(session)
            )
    if called:
        await noting.seen(store, case_id, staff)
    if holds and until < moment + HOLD - RENEWED:
        await taking.touch(store, case_id, staff)


async def gone(store: Store, case_id: int, staff: str) -> None:
    """Note that somebody has left a case."""
    async with store.transaction() as session:
        person = await somebody(session, staff)
        await presences.drop(session, case_id, person.key)
