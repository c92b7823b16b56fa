"""Attempts to sign in that failed, counted in rows so that all processes count together."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import select

from listener.domain.login import Attempt
from listener.store.session import AsyncSession


async def locked(session: AsyncSession, whose: str, *, now: datetime) -> Attempt:
    """The count of this account or address, which nobody else changes until we have."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    await session.exec(
        insert(Attempt)
        .values(whose=whose, failures=0, failed_at=now)
        .on_conflict_do_nothing(index_elements=["whose"])
    )
    found = await session.exec(select(Attempt).where(Attempt.whose == whose).with_for_update())
    return found.one()
