"""Cards: what was posted where, and whose turn it is to speak."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, func, select

from listener.domain.card import BURST, CARD, Card, Folded, Pace
from listener.domain.case import Case, Status
from listener.store.session import AsyncSession


async def claim(
    session: AsyncSession, place: str, *, now: datetime, hold: timedelta
) -> timedelta | None:
    """Begin to speak at a place: None, and it is ours for so long; else how long to wait."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    await session.exec(
        insert(Pace)
        .values(place=place, not_before=now)
        .on_conflict_do_nothing(index_elements=["place"])
    )
    pace = (await session.exec(select(Pace).where(Pace.place == place).with_for_update())).one()
    if pace.not_before > now:
        return pace.not_before - now
    pace.not_before = now + hold
    return None


async def rest(session: AsyncSession, place: str, *, until: datetime) -> None:
    """End to speak at a place, which wants silence until then."""
    await session.exec(sa.update(Pace).where(col(Pace.place) == place).values(not_before=until))


async def give_back(session: AsyncSession) -> None:
    """On the embedded database nobody else speaks: what a dead process held is free."""
    await session.exec(sa.delete(Pace))


async def of(session: AsyncSession, channel: str, cases: Collection[int]) -> dict[int, Card]:
    """The cards of these cases in a channel."""
    found = await session.exec(
        select(Card).where(Card.channel == channel, Card.sort == CARD, col(Card.case_id).in_(cases))
    )
    return {card.case_id: card for card in found}


async def begin(
    session: AsyncSession, channel: str, case_id: int, sort: str, *, now: datetime
) -> tuple[Card, bool]:
    """Note that something is about to be posted; False when that was noted before."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    made = await session.exec(
        insert(Card)
        .values(case_id=case_id, channel=channel, sort=sort, begun_at=now)
        .on_conflict_do_nothing(index_elements=["case_id", "channel", "sort"])
    )
    new = made.rowcount > 0
    card = await session.exec(
        select(Card).where(Card.channel == channel, Card.case_id == case_id, Card.sort == sort)
    )
    return card.one(), new


async def posted(session: AsyncSession, number: int, ts: str | None, *, urgent: bool) -> None:
    """Note which message it became; None when it is no longer there."""
    await session.exec(sa.update(Card).where(col(Card.id) == number).values(ts=ts, urgent=urgent))


async def forget(session: AsyncSession, number: int) -> None:
    """Note that a message is no longer there."""
    await session.exec(sa.delete(Card).where(col(Card.id) == number))


async def burst(session: AsyncSession, channel: str, *, since: datetime) -> Card | None:
    """The card of many cases that was begun last, if that is not long ago."""
    found = await session.exec(
        select(Card)
        .where(Card.channel == channel, Card.sort == BURST, col(Card.begun_at) >= since)
        .order_by(col(Card.id).desc())
        .limit(1)
    )
    return found.first()


async def fold(
    session: AsyncSession,
    channel: str,
    cases: Sequence[tuple[int, bool]],
    ts: str,
    *,
    now: datetime,
) -> None:
    """Note that these cases, each urgent or not, are shown by the card of many."""
    for case_id, urgent in cases:
        card, _ = await begin(session, channel, case_id, CARD, now=now)
        card.ts, card.urgent, card.folded = ts, urgent, True


async def folded(session: AsyncSession, channel: str, ts: str) -> Folded:
    """How many cases a card of many shows, and how they stand now."""
    waits = sa.case((col(Case.status) == Status.OPEN, 1), else_=0)
    presses = sa.case((col(Card.urgent), 1), else_=0)
    rows = await session.exec(
        select(func.count(), func.sum(presses), func.sum(waits))
        .select_from(Card)
        .join(Case, col(Case.id) == col(Card.case_id))
        .where(Card.channel == channel, Card.ts == ts, col(Card.folded))
    )
    total, urgent, waiting = rows.one()
    return Folded(total, int(urgent or 0), int(waiting or 0))
