"""Sources and their readings: which are due, who has them, how far they have come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from listener.domain.source import Reading, Source, Way
from listener.store.session import AsyncSession, now

LEASE = timedelta(seconds=20)  # a walk that lost the database goes on within half a minute
PER_HOST = 3  # walks of one host at the same time, in the whole cluster


class Lost(Exception):
    """Another worker owns the source now; what this one has read since does not count."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One source, taken by this worker to be read in one way, under a fence number."""

    reading_id: int
    fence: int
    way: Way
    source: Source
    cursor: str | None


async def take(
    session: AsyncSession,
    way: Way,
    *,
    worker: str,
    limit: int,
    now: datetime,
    until: datetime | None = None,
    names: Sequence[str] | None = None,
) -> list[Turn]:
    """Take up to `limit` sources whose time has come by `until` (default now), few per host."""
    held = (
        select(Reading.host, func.count().label("walks"))
        .where(Reading.way == way, col(Reading.taken_until) > now)  # a stream is held for ever
        .group_by(col(Reading.host))
        .subquery()
    )
    due = (
        select(Reading, Source)
        .join(Source, col(Source.id) == col(Reading.source_id))
        .outerjoin(held, held.c.host == col(Reading.host))
        .where(
            col(Source.active),
            Reading.way == way,
            ~col(Reading.stopped),
            col(Reading.next_at) <= (until or now),
            or_(col(Reading.not_before).is_(None), col(Reading.not_before) <= now),
            or_(col(Reading.taken_until).is_(None), col(Reading.taken_until) <= now),
            or_(held.c.walks.is_(None), held.c.walks < PER_HOST),
        )
        .order_by(col(Reading.next_at))
        .limit(limit * 4)
    )
    if names is not None:
        due = due.where(col(Source.name).in_(names))
    if session.get_bind().dialect.name != "sqlite":
        due = due.with_for_update(skip_locked=True, of=Reading)
    turns: list[Turn] = []
    hosts: dict[str, int] = {}
    for reading, source in (await session.exec(due)).all():
        if len(turns) == limit:
            break
        if hosts.get(reading.host, 0) >= PER_HOST and reading.host:
            continue
        hosts[reading.host] = hosts.get(reading.host, 0) + 1
        reading.taken_by = worker
        reading.taken_until = now + LEASE
        reading.fence += 1
        turns.append(Turn(reading.key, reading.fence, way, source, reading.cursor))
    return turns


async def renew(
    session: AsyncSession, readings: Collection[int], *, worker: str, now: datetime
) -> None:
    """Keep what this worker has taken for another while, unless another has it by now."""
    await session.exec(
        update(Reading)
        .where(col(Reading.id).in_(readings), col(Reading.taken_by) == worker)
        .values(taken_until=now + LEASE)
    )


async def held(session: AsyncSession, turn: Turn) -> Reading:
    """The reading of a turn, locked until the transaction ends; Lost when it is another's."""
    reading = (
        await session.exec(
            select(Reading)
            .where(Reading.id == turn.reading_id, Reading.fence == turn.fence)
            .with_for_update()
        )
    ).one_or_none()
    if reading is None:
        raise Lost(f"{turn.source.name} is read by another worker now")
    return reading


async def give_back(session: AsyncSession, *, worker: str | None = None) -> None:
    """Let go of everything this worker has taken; without a worker, of everything."""
    let_go = update(Reading).values(taken_by=None, taken_until=None)
    if worker is not None:
        let_go = let_go.where(col(Reading.taken_by) == worker)
    await session.exec(let_go)


async def every(session: AsyncSession) -> Sequence[Source]:
    """All sources, by name."""
    return (await session.exec(select(Source).order_by(Source.name))).all()


async def named(session: AsyncSession, name: str) -> Source | None:
    """The source of this name."""
    return (await session.exec(select(Source).where(Source.name == name))).one_or_none()


async def numbered(session: AsyncSession, ids: Sequence[int]) -> dict[int, Source]:
    """Sources by their numbers."""
    found = await session.exec(select(Source).where(col(Source.id).in_(ids)))
    return {source.key: source for source in found}


async def readings(session: AsyncSession, way: Way = Way.POLL) -> dict[int, Reading]:
    """How every source is doing, by the source's number."""
    found = await session.exec(select(Reading).where(Reading.way == way))
    return {reading.source_id: reading for reading in found}


async def poll_now(session: AsyncSession, source: Source, *, now: datetime) -> None:
    """Let a source be polled at once, unless its place asked us to stay away."""
    await session.exec(
        update(Reading)
        .where(
            col(Reading.source_id) == source.id,
            col(Reading.way) == Way.POLL,
            col(Reading.next_at) > now,
        )
        .values(next_at=now)
    )


async def readings_of(session: AsyncSession, source: Source) -> dict[Way, Reading]:
    """The ways a source is read."""
    found = await session.exec(select(Reading).where(Reading.source_id == source.id))
    return {reading.way: reading for reading in found}


async def came(
    session: AsyncSession, source: Source, way: Way, *, posts: int, now: datetime
) -> None:
    """Note that a place has sent posts by itself."""
    await session.exec(
        update(Reading)
        .where(col(Reading.source_id) == source.id, col(Reading.way) == way)
        .values(posts=Reading.posts + posts, read_at=now)
    )


async def let_go_on(session: AsyncSession, source: Source) -> None:
    """Ask a source again that had been stopped until a person acted."""
    moment = await now(session)
    await session.exec(
        update(Reading)
        .where(col(Reading.source_id) == source.id, col(Reading.stopped))
        .values(stopped=False, next_at=moment)
    )
