"""Waking: a snoozed case is back in the queues when its time has come or its author is heard."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from listener.domain.case import Case
from listener.domain.event import What
from listener.domain.notice import Outlet
from listener.store import history
from listener.store.session import LOCK, AsyncSession

BATCH = 200


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Whether any case has slept long enough."""
    due = select(Case.id).where(col(Case.snoozed_until) <= now)
    return (await session.exec(due.limit(1))).first() is not None


async def wake_due(session: AsyncSession, *, channels: Sequence[Outlet], now: datetime) -> int:
    """Wake the cases whose time has come, one batch; return how many.

    They are in the queues from that very moment, also before this has run.
    """
    due = await session.exec(
        select(Case)
        .where(col(Case.snoozed_until) <= now)
        .order_by(col(Case.snoozed_until))
        .limit(BATCH)
        .with_for_update(skip_locked=True, **LOCK)
    )
    cases = due.all()
    for case in cases:
        await wake(session, case, "its time has come", channels=channels, now=now)
    return len(cases)


async def author_heard(
    session: AsyncSession, case_id: int, why: str, *, channels: Sequence[Outlet], now: datetime
) -> None:
    """Wake a case that sleeps until its author is heard."""
    case = await session.get_one(Case, case_id, with_for_update=LOCK, populate_existing=True)
    if case.wakes_on_answer:
        await wake(session, case, why, channels=channels, now=now)


async def wake(
    session: AsyncSession, case: Case, why: str, *, channels: Sequence[Outlet], now: datetime
) -> None:
    """Wake a case, if it sleeps, and write down why."""
    if case.wake(now):
        case.call(now)
        await history.record(
            session, case.key, What.WOKEN, now=now, channels=channels, details={"why": why}
        )
