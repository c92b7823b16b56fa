"""Telling people: what concerns one of them is queued on the way by which they are reached."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select

from listener.domain import quiet
from listener.domain.case import Case
from listener.domain.event import Event
from listener.domain.notice import MAIL, SLACK, News, Notice
from listener.domain.staff import Staff
from listener.store.session import AsyncSession

NO_WAY = "There is neither Slack nor a mail address for this person."


async def tell(
    session: AsyncSession,
    case_id: int,
    event: Event,
    staff_ids: Collection[int],
    now: datetime,
    *,
    urgent: bool = False,
    why: str = "",
) -> list[Notice]:
    """Queue one notice of an event for each of these people; return those that are new.

    By Slack where they have joined it, else by mail. What is not urgent waits until their quiet
    hours are over. Whoever may not see the case, or works here no more, is not told; twice of
    one event nobody is told. `why` says why this concerns them, in a sentence.
    """
    case = await session.get_one(Case, case_id)
    people = await session.exec(
        select(Staff).where(col(Staff.id).in_(staff_ids), col(Staff.active)).order_by(col(Staff.id))
    )
    knowing = await session.exec(select(Notice.staff_id).where(Notice.event_id == event.key))
    known = set(knowing.all())
    queued = [
        Notice(
            channel=SLACK if person.slack else MAIL,
            staff_id=person.key,
            why=why or None,
            news=News.CHANGED,
            case_id=case_id,
            event_id=event.key,
            next_at=quiet.tell_at(person, now, urgent=urgent),
            failed_at=None if person.slack or person.mail else now,
            failure=None if person.slack or person.mail else NO_WAY,
        )
        for person in people
        if person.sees(case.brand_id) and person.key not in known
    ]
    session.add_all(queued)
    await session.flush()
    return queued
