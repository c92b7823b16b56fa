"""People: who works here."""

from collections.abc import Sequence

from sqlmodel import select

from listener.domain.staff import Staff
from listener.store.session import AsyncSession


async def every(session: AsyncSession) -> Sequence[Staff]:
    """Everybody, by name."""
    return (await session.exec(select(Staff).order_by(Staff.name))).all()


async def named(session: AsyncSession, name: str) -> Staff | None:
    """The person of this name."""
    return (await session.exec(select(Staff).where(Staff.name == name))).one_or_none()


async def name(session: AsyncSession, number: int | None) -> str:
    """What the person of this number is called."""
    person = None if number is None else await session.get(Staff, number)
    return "Somebody" if person is None else person.name
