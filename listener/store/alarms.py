"""Alarms: raised once, told to every channel, and found by whoever looks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from listener.domain.alarm import Alarm, AlarmNotice, Sort
from listener.domain.brand import Brand
from listener.domain.mention import Mention
from listener.domain.notice import MAIL, SLACK, Channel
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.theme import Theme
from listener.store import calling
from listener.store.kept import kept
from listener.store.session import AsyncSession, locked_for_update

LEASE = timedelta(minutes=1)
DETOUR: Final = 3  # tries, which is some minutes


@dataclass(frozen=True, slots=True)
class Shown:
    """An alarm with the names it speaks of and what was said."""

    alarm: Alarm
    brand: str
    source: str | None
    theme: str | None  # what it is called
    who: str | None  # who sees to it
    said: Sequence[Mention]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell one channel."""

    notice: AlarmNotice
    shown: Shown


async def raise_once(session: AsyncSession, alarm: Alarm, channels: Collection[str]) -> bool:
    """Raise an alarm and queue it for these channels; False where it is raised already."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table = Alarm.__table__  # type: ignore[attr-defined]
    values = alarm.model_dump(exclude={"id"})
    made = await session.exec(
        dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id)
    )
    number = made.scalar_one_or_none()
    if number is None:
        return False
    alarm.id = number
    _tell(session, number, channels, over=False, now=alarm.raised_at)
    await session.flush()
    return True


async def end(
    session: AsyncSession, alarm: Alarm, channels: Collection[str], now: datetime
) -> bool:
    """Say that an alarm is over, also to those who were called; False where another was faster."""
    standing = await locked(session, alarm.key)
    if standing is None or standing.over_at is not None:
        return False
    standing.over_at = now
    _tell(session, standing.key, channels, over=True, now=now)
    await calling.take_back(session, standing.key, now)
    for person, call in (await calling.reached(session, standing.key)).items():
        session.add(
            AlarmNotice(
                alarm_id=standing.key,
                channel=call.channel,
                staff_id=person,
                call=call.call,
                over=True,
                next_at=now,
            )
        )
    await session.flush()
    return True


async def show_who(session: AsyncSession, number: int, now: datetime) -> None:
    """Let the messages in Slack's channels be edited: somebody sees to it. That rings nobody."""
    cards = select(Channel.name).where(Channel.kind == SLACK, col(Channel.active))
    await session.exec(
        update(AlarmNotice)
        .where(
            col(AlarmNotice.alarm_id) == number,
            col(AlarmNotice.staff_id).is_(None),
            col(AlarmNotice.over).is_(False),
            col(AlarmNotice.sent_at).is_not(None),
            col(AlarmNotice.channel).in_(cards),
        )
        .values(sent_at=None, tries=0, next_at=now)
        .execution_options(synchronize_session=False)
    )


async def bring_up_to_date(session: AsyncSession, alarm: Alarm) -> None:
    """Keep how a rise, or what people report, goes on."""
    await session.exec(
        update(Alarm)
        .where(col(Alarm.id) == alarm.key, col(Alarm.over_at).is_(None))
        .values(
            about=alarm.about,
            theme_id=alarm.theme_id,
            count=alarm.count,
            passed_on=alarm.passed_on,
            mentions=alarm.mentions,
            expected=alarm.expected,
            low=alarm.low,
            high=alarm.high,
            chart=alarm.chart,
        )
        .execution_options(synchronize_session=False)
    )


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Whether anybody is to be told of an alarm now."""
    due = select(AlarmNotice.id).where(
        col(AlarmNotice.sent_at).is_(None),
        col(AlarmNotice.failed_at).is_(None),
        col(AlarmNotice.next_at) <= now,
    )
    return (await session.exec(due.limit(1))).first() is not None


def _tell(
    session: AsyncSession, number: int, channels: Collection[str], *, over: bool, now: datetime
) -> None:
    session.add_all(
        AlarmNotice(alarm_id=number, channel=channel, over=over, next_at=now)
        for channel in channels
    )


async def locked(session: AsyncSession, number: int) -> Alarm | None:
    """An alarm by number, locked until the transaction ends."""
    query = select(Alarm).where(Alarm.id == number).with_for_update()
    return (await session.exec(query)).one_or_none()


async def standing(session: AsyncSession) -> Sequence[Alarm]:
    """The alarms that are not over."""
    return (await session.exec(select(Alarm).where(col(Alarm.over_at).is_(None)))).all()


async def ended(session: AsyncSession, *, since: datetime) -> Sequence[Alarm]:
    """The alarms that were over since then."""
    return (
        await session.exec(
            select(Alarm).where(col(Alarm.over_at) >= since).order_by(col(Alarm.over_at))
        )
    ).all()


async def raised_between(
    session: AsyncSession, brands: Collection[int], *, since: datetime
) -> Sequence[Alarm]:
    """The rises of some brands since then: their hours are no part of what is usual."""
    return (
        await session.exec(
            select(Alarm).where(
                col(Alarm.brand_id).in_(brands),
                col(Alarm.sort).in_((Sort.COMPLAINTS, Sort.MENTIONS)),
                col(Alarm.since) >= since,
            )
        )
    ).all()


async def shown(
    session: AsyncSession,
    *,
    brands: Collection[int] | None,
    ringing_at: datetime | None = None,
    numbers: Collection[int] | None = None,
    limit: int = 100,
) -> list[Shown]:
    """Alarms with all that belongs to them, open ones first, the latest first.

    `brands` are those that somebody may see, None for all. With `ringing_at` only those that are
    neither over nor put off at that moment.
    """
    query: Any = (
        select(Alarm, Brand.name, Source.name, Theme.name, Staff.name)  # type: ignore[call-overload]
        .join(Brand, col(Brand.id) == col(Alarm.brand_id))
        .outerjoin(Source, col(Source.id) == col(Alarm.source_id))
        .outerjoin(Theme, col(Theme.id) == col(Alarm.theme_id))
        .outerjoin(Staff, col(Staff.id) == col(Alarm.acknowledged_by))
        .order_by(col(Alarm.over_at).is_(None).desc(), col(Alarm.id).desc())
        .limit(limit)
    )
    if brands is not None:
        query = query.where(col(Alarm.brand_id).in_(brands))
    if numbers is not None:
        query = query.where(col(Alarm.id).in_(numbers))
    if ringing_at is not None:
        query = query.where(
            col(Alarm.over_at).is_(None),
            or_(col(Alarm.snoozed_until).is_(None), col(Alarm.snoozed_until) <= ringing_at),
        )
    rows = (await session.exec(query)).all()
    wanted = {number for alarm, *_ in rows for number in alarm.mentions}
    said = {
        mention.key: mention
        for mention in await session.exec(select(Mention).where(col(Mention.id).in_(wanted)))
        if mention.deleted_at is None and mention.purged_at is None
    }
    return [
        Shown(
            alarm, brand, source, theme, who, [said[one] for one in alarm.mentions if one in said]
        )
        for alarm, brand, source, theme, who in rows
    ]


async def ringing_now(
    session: AsyncSession, brands: Collection[int] | None, *, now: datetime
) -> list[Shown]:
    """Those that are neither over nor put off, as every page of the queue says them."""
    walls = None if brands is None else tuple(sorted(brands))
    return await kept(
        session,
        partial(shown, brands=brands, ringing_at=now),
        of=("alarms", "brands", "sources", "themes", "staff"),
        key=("ringing", walls, now.replace(microsecond=0)),
    )


async def ringing(session: AsyncSession, brands: Collection[int] | None, *, now: datetime) -> int:
    """How many alarms are neither over nor put off."""
    return len(await shown(session, brands=brands, ringing_at=now))


async def take(session: AsyncSession, *, limit: int, now: datetime) -> list[Told]:
    """Take what is to be told now; who takes it has a minute."""
    waiting = (
        select(AlarmNotice)
        .where(
            col(AlarmNotice.sent_at).is_(None),
            col(AlarmNotice.failed_at).is_(None),
            col(AlarmNotice.next_at) <= now,
        )
        .order_by(col(AlarmNotice.id))
        .limit(limit)
    )
    notices = (await session.exec(locked_for_update(waiting, session))).all()
    for notice in notices:
        notice.next_at = now + LEASE
    numbers = {notice.alarm_id for notice in notices}
    by_number = {
        one.alarm.key: one
        for one in (await shown(session, brands=None, numbers=numbers) if numbers else ())
    }
    return [Told(notice, by_number[notice.alarm_id]) for notice in notices]


async def notice(session: AsyncSession, number: int) -> AlarmNotice | None:
    """The notice of this number."""
    return await session.get(AlarmNotice, number)


async def put_off(session: AsyncSession, number: int, *, until: datetime) -> None:
    """A channel wants a moment before it is spoken to; nothing failed."""
    waiting = await session.get(AlarmNotice, number)
    if waiting is not None:
        waiting.next_at = until


async def keep(
    session: AsyncSession, number: int, why: str | None, *, now: datetime, mails: bool = False
) -> None:
    """What became of telling: it arrived, or why not.

    What Slack does not take for a person goes to them by mail, where mail leaves this house.
    """
    told = await session.get(AlarmNotice, number)
    if told is None:
        return
    if why is None:
        told.sent_at, told.failed_at, told.failure = now, None, None
    elif told.failed_at is None:  # else it was taken back meanwhile
        told.missed(why, now)
        if mails and told.staff_id and told.channel == SLACK and told.tries >= DETOUR:
            person = await session.get(Staff, told.staff_id)
            if person is not None and person.active and person.mail:
                told.channel, told.tries, told.next_at = MAIL, 0, now
                told.failed_at = None
