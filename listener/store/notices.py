"""Notices: which are due, what each has to tell, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.event import Event
from listener.domain.mention import Mention
from listener.domain.notice import Channel, Notice
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, bulk, locked_for_update

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Due:
    """A notice with everything it speaks of, as it stands now."""

    notice: Notice
    event: Event
    case: Case
    brand: str
    mention: Mention | None
    source: str  # the first that saw it
    owner: str | None


async def take(session: AsyncSession, *, limit: int, now: datetime) -> Sequence[Due]:
    """Take notices whose time has come, oldest first."""
    waiting = (
        select(Notice)
        .where(
            col(Notice.sent_at).is_(None),
            col(Notice.failed_at).is_(None),
            col(Notice.next_at) <= now,
            or_(col(Notice.taken_until).is_(None), col(Notice.taken_until) <= now),
        )
        .order_by(col(Notice.id))
        .limit(limit)
    )
    notices = (await session.exec(locked_for_update(waiting, session))).all()
    if not notices:
        return []
    await session.exec(
        update(Notice)
        .where(col(Notice.id).in_([notice.key for notice in notices]))
        .values(taken_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    numbers = {notice.case_id for notice in notices}
    spoken = {
        case.key: (case, brand, owner)
        for case, brand, owner in await session.exec(
            select(Case, Brand.name, Staff.name)
            .join(Brand, col(Brand.id) == col(Case.brand_id))
            .outerjoin(Staff, col(Staff.id) == col(Case.owner_id))
            .where(col(Case.id).in_(numbers))
        )
    }
    firsts = (  # one of each case: thousands may say the same
        select(func.min(Mention.id))
        .where(col(Mention.case_id).in_(numbers))
        .group_by(col(Mention.case_id))
    )
    first = {
        mention.case_id or 0: mention
        for mention in await session.exec(select(Mention).where(col(Mention.id).in_(firsts)))
    }
    names = {
        source.key: source.name
        for source in await session.exec(
            select(Source).where(
                col(Source.id).in_({mention.source_id for mention in first.values()})
            )
        )
    }
    events = {
        event.key: event
        for event in await session.exec(
            select(Event).where(col(Event.id).in_([notice.event_id for notice in notices]))
        )
    }
    return [
        Due(
            notice,
            events[notice.event_id],
            spoken[notice.case_id][0],
            spoken[notice.case_id][1],
            first.get(notice.case_id),
            names[first[notice.case_id].source_id] if notice.case_id in first else "",
            spoken[notice.case_id][2],
        )
        for notice in notices
    ]


async def waiting(session: AsyncSession, *, until: datetime) -> bool:
    """Whether any notice is due by then."""
    due = select(Notice.id).where(
        col(Notice.sent_at).is_(None),
        col(Notice.failed_at).is_(None),
        col(Notice.next_at) <= until,
    )
    return (await session.exec(due.limit(1))).first() is not None


async def locked(session: AsyncSession, numbers: Sequence[int]) -> Sequence[Notice]:
    """Notices by number, locked until the transaction ends."""
    return (
        await session.exec(
            select(Notice)
            .where(col(Notice.id).in_(numbers))
            .order_by(col(Notice.id))
            .with_for_update()
        )
    ).all()


async def told(session: AsyncSession, numbers: Sequence[int], *, now: datetime) -> int:
    """Note that notices have arrived; return how many there still were."""
    if not numbers:
        return 0
    in_order = (
        select(Notice.id)
        .where(col(Notice.id).in_(numbers))
        .order_by(col(Notice.id))
        .with_for_update()
    )
    arrived = (
        update(Notice)
        .where(col(Notice.id).in_(in_order))
        .values(sent_at=now, failure=None, taken_until=None)
        .returning(col(Notice.id))
    )
    return len((await bulk(session, arrived)).all())


async def partly(session: AsyncSession, number: int, why: str) -> None:
    """Note that a notice that arrived was refused for some of its readers."""
    await session.exec(update(Notice).where(col(Notice.id) == number).values(failure=why))


async def give_back(
    session: AsyncSession, ids: Sequence[int] | None = None, *, until: datetime | None = None
) -> None:
    """Let go of notices that were taken and not told; without ids, of all.

    They are taken again at once, or after `until`.
    """
    let_go = update(Notice).where(
        col(Notice.sent_at).is_(None), col(Notice.taken_until).is_not(None)
    )
    if ids is not None:
        let_go = let_go.where(col(Notice.id).in_(ids))
    later = {} if until is None else {"next_at": until}
    await session.exec(let_go.values(taken_until=None, **later))


async def numbered(session: AsyncSession, number: int) -> Notice | None:
    """The notice of this number."""
    return await session.get(Notice, number)


async def channels(session: AsyncSession) -> Sequence[Channel]:
    """All channels that an admin has set up, by name."""
    return (await session.exec(select(Channel).order_by(Channel.name))).all()


async def channel(session: AsyncSession, name: str) -> Channel | None:
    """The channel of this name."""
    return (await session.exec(select(Channel).where(Channel.name == name))).one_or_none()
