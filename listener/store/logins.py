"""Logins: begun, found by what a browser sends, ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, exists, or_, update
from sqlmodel import col, select

from listener.domain.login import FORGOTTEN, IDLE, LONGEST, LONGEST_WAIT, Attempt, Login, digest
from listener.domain.staff import Staff
from listener.store.session import AsyncSession

REMEMBERED = timedelta(days=30)  # which addresses somebody has signed in from


async def begin(
    session: AsyncSession, staff_id: int, secret: str, *, address: str, now: datetime
) -> Login:
    """A person is signed in with the browser that was given this id."""
    login = Login(
        digest=digest(secret), staff_id=staff_id, address=address, made_at=now, used_at=now
    )
    session.add(login)
    await session.flush()
    return login


async def of(session: AsyncSession, secret: str) -> tuple[Login, Staff] | None:
    """The login with this id and whose it is, whether it is still good or not."""
    asked = {"digest": digest(secret)}
    found: tuple[Login, Staff] | None = (await session.exec(_of(), params=asked)).one_or_none()
    return found


@cache
def _of() -> Any:
    """The question, written once: whatever is asked of us asks it."""
    return (
        select(Login, Staff)
        .join(Staff, col(Staff.id) == Login.staff_id)
        .where(col(Login.digest) == bindparam("digest"))
    )


async def touch(session: AsyncSession, login_id: int, *, now: datetime) -> None:
    """Somebody is still there."""
    await session.exec(
        update(Login)
        .where(col(Login.id) == login_id, col(Login.used_at) < now)
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


async def end(
    session: AsyncSession, staff_id: int, *, now: datetime, but: int | None = None
) -> None:
    """End all of a person's logins; `but` this one."""
    await session.exec(
        update(Login)
        .where(
            col(Login.staff_id) == staff_id,
            col(Login.ended_at).is_(None),
            col(Login.id) != (but or 0),
        )
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


async def end_one(session: AsyncSession, secret: str, *, now: datetime) -> None:
    """End the login with this id."""
    await session.exec(
        update(Login)
        .where(col(Login.digest) == digest(secret), col(Login.ended_at).is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


async def current(session: AsyncSession, *, now: datetime) -> Sequence[Login]:
    """Every login that is still good, the last used first."""
    found = await session.exec(
        select(Login)
        .where(
            col(Login.ended_at).is_(None),
            col(Login.used_at) > now - IDLE,
            col(Login.made_at) > now - LONGEST,
        )
        .order_by(col(Login.used_at).desc())
    )
    return found.all()


async def known(session: AsyncSession, staff_id: int, address: str) -> bool:
    """Whether this person has signed in from this address before."""
    before = select(Login.id).where(Login.staff_id == staff_id, Login.address == address)
    return bool((await session.exec(select(exists(before)))).one())


async def sweep(session: AsyncSession, *, now: datetime) -> None:
    """Forget logins and failures that are long over."""
    await session.exec(delete(Login).where(col(Login.used_at) < now - REMEMBERED))
    await session.exec(
        delete(Attempt).where(
            col(Attempt.failed_at) < now - max(FORGOTTEN, LONGEST_WAIT),
            or_(col(Attempt.wait_until).is_(None), col(Attempt.wait_until) < now),
        )
    )
