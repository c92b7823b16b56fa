"""Of which brand a thing is, so that who must not see it does not."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from listener.domain.alarm import Alarm, AlarmNotice
from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.crisis import Bulletin, Crisis
from listener.domain.event import Event
from listener.domain.mention import Mention
from listener.domain.notice import Notice
from listener.domain.reply import Reply
from listener.domain.subscription import Letter, Subscription
from listener.domain.theme import Theme
from listener.store.session import AsyncSession, bulk


async def of_case(session: AsyncSession, number: int) -> int | None:
    """The brand of a case; None where there is no such case."""
    return (await bulk(session, _of_case(), {"case": number})).scalar_one_or_none()


@cache
def _of_case() -> Any:
    """The question, written once: every page of a case asks it, and every act."""
    return sa.select(col(Case.brand_id)).where(col(Case.id) == sa.bindparam("case"))


async def of_mention(session: AsyncSession, number: int) -> int | None:
    """The brand of a mention."""
    found = await session.exec(select(Mention.brand_id).where(Mention.id == number))
    return found.one_or_none()


async def of_event(session: AsyncSession, number: int) -> int | None:
    """The brand of the case to which an event happened."""
    found = await session.exec(
        select(Case.brand_id)
        .join(Event, Event.case_id == Case.id)  # type: ignore[arg-type]
        .where(Event.id == number)
    )
    return found.one_or_none()


async def of_reply(session: AsyncSession, number: int) -> int | None:
    """The brand of the case to which a reply belongs."""
    found = await session.exec(
        select(Case.brand_id)
        .join(Reply, Reply.case_id == Case.id)  # type: ignore[arg-type]
        .where(Reply.id == number)
    )
    return found.one_or_none()


async def of_brand(session: AsyncSession, number: int) -> int | None:
    """The brand itself, where there is one of this number."""
    return (await session.exec(select(Brand.id).where(Brand.id == number))).one_or_none()


async def of_notice(session: AsyncSession, number: int) -> int | None:
    """The brand of the case that a notice tells of."""
    found = await session.exec(
        select(Case.brand_id)
        .join(Notice, Notice.case_id == Case.id)  # type: ignore[arg-type]
        .where(Notice.id == number)
    )
    return found.one_or_none()


async def of_alarm(session: AsyncSession, number: int) -> int | None:
    """The brand that an alarm is about."""
    return (await session.exec(select(Alarm.brand_id).where(Alarm.id == number))).one_or_none()


async def of_call(session: AsyncSession, number: int) -> int | None:
    """The brand of the alarm that somebody was told of."""
    found = await session.exec(
        select(Alarm.brand_id)
        .join(AlarmNotice, AlarmNotice.alarm_id == Alarm.id)  # type: ignore[arg-type]
        .where(AlarmNotice.id == number)
    )
    return found.one_or_none()


async def of_letter(session: AsyncSession, number: int) -> int | None:
    """The brand whose digest it is."""
    found = await session.exec(
        select(Subscription.brand_id)
        .join(Letter, Letter.subscription_id == Subscription.id)  # type: ignore[arg-type]
        .where(Letter.id == number)
    )
    return found.one_or_none()


async def of_bulletin(session: AsyncSession, number: int) -> int | None:
    """The brand of the crisis that somebody was told of."""
    found = await session.exec(
        select(Crisis.brand_id)
        .join(Bulletin, Bulletin.crisis_id == Crisis.id)  # type: ignore[arg-type]
        .where(Bulletin.id == number)
    )
    return found.one_or_none()


async def of_theme(session: AsyncSession, number: int) -> int | None:
    """The brand that an theme is about."""
    return (await session.exec(select(Theme.brand_id).where(Theme.id == number))).one_or_none()


async def of_crisis(session: AsyncSession, number: int) -> int | None:
    """The brand whose crisis it is."""
    return (await session.exec(select(Crisis.brand_id).where(Crisis.id == number))).one_or_none()
