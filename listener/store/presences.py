"""Presences: who looks at which case right now, as every process sees it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from listener.domain.presence import LASTS, Presence
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, bulk


@dataclass(frozen=True, slots=True)
class Mark:
    """That somebody is at a case."""

    case_id: int
    staff_id: int
    name: str
    writing: bool


async def is_news(
    session: AsyncSession, case_id: int, staff_id: int, *, writing: bool, now: datetime
) -> bool:
    """Whether a sign says more than the last one, which holds a while by itself."""
    last = await session.get(Presence, (case_id, staff_id))
    return last is None or last.writing != writing or last.until < now + LASTS * 0.75


async def keep(
    session: AsyncSession, case_id: int, staff_id: int, *, writing: bool, now: datetime
) -> None:
    """Keep a sign, whatever was kept before, and forget those who left long ago."""
    kept = {"writing": writing, "until": now + LASTS}
    row = {"case_id": case_id, "staff_id": staff_id} | kept
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    await bulk(
        session,
        dialect.insert(Presence)
        .values(row)
        .on_conflict_do_update(index_elements=["case_id", "staff_id"], set_=kept),
    )
    await bulk(session, delete(Presence).where(col(Presence.until) < now - LASTS))


async def drop(session: AsyncSession, case_id: int, staff_id: int) -> None:
    """Forget that somebody was there."""
    await bulk(
        session,
        delete(Presence).where(
            col(Presence.case_id) == case_id, col(Presence.staff_id) == staff_id
        ),
    )


async def marks(
    session: AsyncSession, case_ids: Collection[int] | None = None, *, now: datetime
) -> dict[int, list[Mark]]:
    """Who is at each of these cases (or at any), writers first."""
    query = (
        select(Presence.case_id, Presence.staff_id, Staff.name, Presence.writing)
        .join(Staff, col(Staff.id) == col(Presence.staff_id))
        .where(col(Presence.until) > now)
        .order_by(col(Presence.case_id), col(Presence.writing).desc(), Staff.name)
    )
    if case_ids is not None:
        query = query.where(col(Presence.case_id).in_(case_ids))
    found: dict[int, list[Mark]] = {}
    for row in await session.exec(query):
        found.setdefault(row[0], []).append(Mark(*row))
    return found
