"""Subscriptions: who wants which digest, which are due, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.notice import MAIL
from listener.domain.rights import Act, may
from listener.domain.span import Of
from listener.domain.staff import Staff
from listener.domain.subscription import Letter, Subscription
from listener.store.session import AsyncSession, locked_for_update

LEASE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who wants the digest of a brand that they may read of."""

    subscription: Subscription
    person: Staff
    brand: Brand


async def of(session: AsyncSession, staff_id: int, brand_id: int) -> Sequence[Subscription]:
    """Which digests of a brand somebody gets."""
    found = select(Subscription).where(
        Subscription.staff_id == staff_id, Subscription.brand_id == brand_id
    )
    return (await session.exec(found.order_by(col(Subscription.id)))).all()


async def keep(
    session: AsyncSession, staff_id: int, brand_id: int, of: Of, hour: int, way: str = MAIL
) -> None:
    """Somebody wants a digest, from now on, or at another hour or by another way."""
    same = select(Subscription).where(
        Subscription.staff_id == staff_id,
        Subscription.brand_id == brand_id,
        Subscription.of == of,
    )
    kept = (await session.exec(same)).one_or_none()
    if kept is None:
        session.add(Subscription(staff_id=staff_id, brand_id=brand_id, of=of, hour=hour, way=way))
    else:
        kept.hour, kept.way = hour, way
    await session.flush()


async def forget(session: AsyncSession, staff_id: int, brand_id: int, of: Of) -> None:
    """Somebody wants a digest no more."""
    ended = select(Subscription.id).where(
        Subscription.staff_id == staff_id,
        Subscription.brand_id == brand_id,
        Subscription.of == of,
    )
    numbers = (await session.exec(ended)).all()
    await session.exec(delete(Letter).where(col(Letter.subscription_id).in_(numbers)))
    await session.exec(delete(Subscription).where(col(Subscription.id).in_(numbers)))


async def readers(session: AsyncSession, numbers: Sequence[int] | None = None) -> Sequence[Reader]:
    """Everybody who gets a digest and may still read of its brand; or those of some numbers."""
    found = (
        select(Subscription, Staff, Brand)
        .join(Staff, col(Staff.id) == col(Subscription.staff_id))
        .join(Brand, col(Brand.id) == col(Subscription.brand_id))
        .order_by(col(Subscription.id))
    )
    if numbers is not None:
        found = found.where(col(Subscription.id).in_(numbers))
    return [
        Reader(subscription, person, brand)
        for subscription, person, brand in await session.exec(found)
        if may(person, Act.READ_BRANDS, brand.key)
    ]


async def written(session: AsyncSession) -> dict[int, date]:
    """Of which stretch each reader was last written to, by its first day."""
    latest: Any = select(Letter.subscription_id, func.max(Letter.first)).group_by(
        col(Letter.subscription_id)
    )
    return dict((await session.exec(latest)).all())


async def write(session: AsyncSession, subscription_id: int, first: date, now: datetime) -> None:
    """Queue a letter, once."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    await session.exec(
        insert(Letter)
        .values(subscription_id=subscription_id, first=first, next_at=now, tries=0)
        .on_conflict_do_nothing(index_elements=["subscription_id", "first"])
    )


async def take(session: AsyncSession, *, limit: int, now: datetime) -> Sequence[Letter]:
    """Take letters whose time has come, oldest first."""
    waiting = (
        select(Letter)
        .where(
            col(Letter.sent_at).is_(None),
            col(Letter.failed_at).is_(None),
            col(Letter.next_at) <= now,
            or_(col(Letter.taken_until).is_(None), col(Letter.taken_until) <= now),
        )
        .order_by(col(Letter.id))
        .limit(limit)
    )
    letters: Sequence[Letter] = (await session.exec(locked_for_update(waiting, session))).all()
    for letter in letters:
        letter.taken_until = now + LEASE
    return letters


async def numbered(session: AsyncSession, number: int) -> Letter | None:
    """The letter of this number, locked until the transaction ends; None when it is wanted no more."""
    found = select(Letter).where(Letter.id == number).with_for_update()
    return (await session.exec(found)).one_or_none()


async def give_back(session: AsyncSession) -> None:
    """Let go of letters that were taken and not sent."""
    await session.exec(
        update(Letter)
        .where(col(Letter.sent_at).is_(None), col(Letter.taken_until).is_not(None))
        .values(taken_until=None)
    )
