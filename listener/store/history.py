"""History: what happens to a case is written down, and whoever must hear of it gets a notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, func, select

from listener.domain.case import Case
from listener.domain.event import Event, What
from listener.domain.notice import TERMINAL, Channel, News, Notice, Outlet
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, bulk

NEAR = 5_000  # events among which those of one act are looked for

_NEWS = {What.OPENED: News.OPENED, What.CLOSED: News.CLOSED}


async def record(
    session: AsyncSession,
    case_id: int,
    what: What,
    *,
    now: datetime,
    channels: Sequence[Outlet],
    staff_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> Event:
    """Write one line of a case's history and queue it for every channel that hears of the case.

    Of an unsure case nobody is told until a person, or plainer words, have confirmed it.
    """
    case = await session.get_one(Case, case_id)
    event = Event(case_id=case_id, what=what, at=now, staff_id=staff_id, details=details or {})
    session.add(event)
    await session.flush()
    for outlet in () if case.unsure else await hearing(session, case, channels):
        session.add(
            Notice(
                channel=outlet.channel,
                news=_NEWS.get(what, News.CHANGED),
                case_id=case_id,
                event_id=event.key,
                next_at=now,
            )
        )
    return event


async def of(session: AsyncSession, case_id: int) -> Sequence[Event]:
    """A case's history, oldest first."""
    return (
        await session.exec(select(Event).where(Event.case_id == case_id).order_by(col(Event.id)))
    ).all()


async def hearing(session: AsyncSession, case: Case, channels: Sequence[Outlet]) -> list[Outlet]:
    """The channels that hear of a case.

    One that is told only of urgent cases hears to its end of a case that was urgent once: what
    it was told must not stay there as if nobody had taken it.
    """
    hear = [one for one in channels if one.hears(case.brand_id, urgent=True)]
    if case.urgent or not any(one.only_urgent for one in hear):
        return hear
    heard = await session.exec(
        select(Notice.channel).where(Notice.case_id == case.key, col(Notice.staff_id).is_(None))
    )
    knows = set(heard.all())
    return [one for one in hear if not one.only_urgent or one.channel in knows]


async def channels(session: AsyncSession) -> list[Outlet]:
    """All channels that are told of cases: the terminal, and what an admin has set up."""
    active = await session.exec(select(Channel).where(col(Channel.active)).order_by(Channel.name))
    return [Outlet(TERMINAL), *(outlet(one) for one in active)]


def outlet(channel: Channel) -> Outlet:
    """Who hears of cases through a channel."""
    brands = None if channel.brands is None else frozenset(channel.brands)
    return Outlet(channel.name, brands, channel.only_urgent)


async def last(session: AsyncSession) -> int:
    """The number of the newest event; 0 when there is none."""
    return (await session.exec(select(func.max(Event.id)))).one() or 0


@dataclass(frozen=True, slots=True)
class Change:
    """That something happened to a case."""

    event_id: int
    case_id: int
    brand_id: int


async def changes(session: AsyncSession, *, after: int, limit: int) -> list[Change]:
    """What happened to cases after the event of this number, oldest first."""
    rows = await bulk(
        session,
        sa.select(col(Event.id), col(Event.case_id), col(Case.brand_id))
        .join(Case, col(Case.id) == col(Event.case_id))
        .where(col(Event.id) > after)
        .order_by(col(Event.id))
        .limit(limit),
    )
    return [Change(row.id, row.case_id, row.brand_id) for row in rows]


async def numbered(session: AsyncSession, event_id: int) -> Event | None:
    """The event of this number."""
    return await session.get(Event, event_id)


async def since(session: AsyncSession, event: Event) -> Sequence[Event]:
    """What has happened to the same case after an event, oldest first."""
    return (
        await session.exec(
            select(Event)
            .where(Event.case_id == event.case_id, col(Event.id) > event.key)
            .order_by(col(Event.id))
        )
    ).all()


async def together(session: AsyncSession, event: Event) -> Sequence[Event]:
    """The other events of one act on many cases."""
    token = event.details.get("together")
    if token is None:
        return []
    near = await session.exec(
        select(Event)
        .where(
            col(Event.id) > event.key - NEAR,
            col(Event.id) < event.key + NEAR,
            Event.staff_id == event.staff_id,
            Event.what == event.what,
        )
        .order_by(col(Event.id))
    )
    return [one for one in near if one.details.get("together") == token and one.id != event.id]


async def last_by(session: AsyncSession, name: str) -> int | None:
    """The last act of the person of this name that is not an undoing."""
    return (
        await session.exec(
            select(Event.id)
            .join(Staff, col(Staff.id) == col(Event.staff_id))
            .where(Staff.name == name, Event.what != What.UNDONE)
            .order_by(col(Event.id).desc())
            .limit(1)
        )
    ).first()
