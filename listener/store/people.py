"""People: who works here, and by which name, link or login they are found."""

from collections.abc import Sequence

from sqlalchemy import exists, func
from sqlmodel import col, select

from listener.domain.case import Case, Status
from listener.domain.staff import Role, Staff
from listener.store.kept import kept
from listener.store.session import AsyncSession


async def every(session: AsyncSession) -> Sequence[Staff]:
    """Everybody, by name."""
    return (await session.exec(select(Staff).order_by(Staff.name))).all()


async def known(session: AsyncSession) -> Sequence[Staff]:
    """Everybody, by name, as they were a moment ago; nobody may change what this gives."""
    return await kept(session, every, of=("staff",), key="staff")


async def named(session: AsyncSession, name: str) -> Staff | None:
    """The person of this name."""
    return (await session.exec(select(Staff).where(Staff.name == name))).one_or_none()


async def signing(session: AsyncSession, name: str) -> Staff | None:
    """The person whom somebody means who signs in with this name, written large or small."""
    name = " ".join(name.split())
    wanted = func.lower(col(Staff.name)) == func.lower(name)
    found = (await session.exec(select(Staff).where(wanted | (col(Staff.name) == name)))).all()
    exact = [person for person in found if person.name == name] or found
    return exact[0] if len(exact) == 1 else None


async def numbered(session: AsyncSession, number: int) -> Staff | None:
    """The person of this number."""
    return await session.get(Staff, number)


async def locked(session: AsyncSession, number: int) -> Staff | None:
    """The person of this number, whom nobody else changes until the transaction ends."""
    return await session.get(Staff, number, with_for_update=True, populate_existing=True)


async def linked(session: AsyncSession, digest: str) -> Staff | None:
    """The person to whom a link was given."""
    return (await session.exec(select(Staff).where(Staff.link == digest))).one_or_none()


async def name(session: AsyncSession, number: int | None) -> str:
    """What the person of this number is called."""
    person = None if number is None else await session.get(Staff, number)
    return "Somebody" if person is None else person.name


async def anybody_can_sign_in(session: AsyncSession) -> bool:
    """Whether this installation has somebody with a password."""
    someone = select(Staff.id).where(col(Staff.active), col(Staff.password).is_not(None))
    return bool((await session.exec(select(exists(someone)))).one())


async def admins(session: AsyncSession) -> Sequence[Staff]:
    """The active admins, all locked, always in the same order."""
    found = (
        select(Staff)
        .where(col(Staff.active), Staff.role == Role.ADMIN)
        .order_by(col(Staff.id))
        .with_for_update()
    )
    return (await session.exec(found)).all()


async def cases_of(session: AsyncSession, number: int) -> Sequence[Case]:
    """The cases that somebody owns and that are not closed, locked."""
    theirs = (
        select(Case)
        .where(Case.owner_id == number, Case.status != Status.CLOSED)
        .order_by(col(Case.id))
        .with_for_update()
    )
    return (await session.exec(theirs)).all()


async def in_slack(session: AsyncSession, user: str) -> Staff | None:
    """The person who is this user of Slack."""
    return (await session.exec(select(Staff).where(Staff.slack == user))).one_or_none()
