"""Bulletins: what is told of a crisis, to whom, and whether it has arrived."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete
from sqlmodel import col, func, select

from listener.domain.brand import Brand
from listener.domain.case import Case, Status
from listener.domain.crisis import (
    REMINDERS,
    Bulletin,
    Crisis,
    CrisisCase,
    CrisisUpdate,
    Told,
)
from listener.domain.notice import MAIL, SLACK
from listener.domain.staff import Staff
from listener.store.intake import ignoring
from listener.store.session import AsyncSession, bulk, locked_for_update

LEASE: Final = timedelta(minutes=1)
DETOUR: Final = 3  # tries after which mail goes where Slack does not


@dataclass(frozen=True, slots=True)
class Trouble:
    """Whom something has not reached, by which way, and why not."""

    told: Told
    whom: str
    way: str
    why: str
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A bulletin with everything that it speaks of, as it stands now."""

    bulletin: Bulletin
    crisis: Crisis
    brand: str
    who: str  # of whom it tells
    lead: str
    text: str  # what an update says
    unclosed: int


async def publish(
    session: AsyncSession,
    crisis: Crisis,
    told: Told,
    *,
    what: str = "",
    channels: Collection[str] = (),
    people: Iterable[Staff] = (),
    at: datetime,
    now: datetime,
) -> None:
    """Queue one thing for these channels and people; who has it already is not told again.

    A person is told by Slack where they have joined it, else by mail; who has neither reads it
    on the page.
    """
    common = {"crisis_id": crisis.key, "told": told, "what": what, "at": at, "next_at": now}
    common |= {"tries": 0}
    rows: list[dict[str, Any]] = [
        common | {"whom": channel, "channel": channel, "staff_id": None} for channel in channels
    ]
    rows += [
        common
        | {
            "whom": f"@{one.key}",
            "channel": SLACK if one.slack else MAIL,
            "staff_id": one.key,
        }
        for one in people
        if one.slack or one.mail
    ]
    if rows:
        await bulk(session, ignoring(session, Bulletin, "crisis_id", "told", "what", "whom"), rows)


async def readers(session: AsyncSession, crisis: Crisis, *, but: int) -> list[Staff]:
    """Everybody whose business the brand is, but the one who says it themselves."""
    people = await session.exec(select(Staff).where(col(Staff.active)).order_by(col(Staff.id)))
    return [one for one in people if one.sees(crisis.brand_id) and one.key != but]


async def withdraw(session: AsyncSession, number: int) -> None:
    """What the lead was to be told of an update that is written now, or needed no more."""
    await session.exec(
        delete(Bulletin)
        .where(
            col(Bulletin.crisis_id) == number,
            col(Bulletin.told).in_(REMINDERS),
            col(Bulletin.sent_at).is_(None),
        )
        .execution_options(synchronize_session=False)
    )


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Whether anybody is to be told of a crisis now."""
    waiting = select(Bulletin.id).where(
        col(Bulletin.sent_at).is_(None),
        col(Bulletin.failed_at).is_(None),
        col(Bulletin.next_at) <= now,
    )
    return (await session.exec(waiting.limit(1))).first() is not None


async def take(session: AsyncSession, *, limit: int, now: datetime) -> list[Due]:
    """Take what is to be told now, the oldest first; who takes it has a minute."""
    waiting = (
        select(Bulletin)
        .where(
            col(Bulletin.sent_at).is_(None),
            col(Bulletin.failed_at).is_(None),
            col(Bulletin.next_at) <= now,
        )
        .order_by(col(Bulletin.id))
        .limit(limit)
    )
    taken: Sequence[Bulletin] = (await session.exec(locked_for_update(waiting, session))).all()
    for one in taken:
        one.next_at = now + LEASE
    if not taken:
        return []
    crises = {
        crisis.key: (crisis, brand)
        for crisis, brand in await session.exec(
            select(Crisis, Brand.name)
            .join(Brand, col(Brand.id) == col(Crisis.brand_id))
            .where(col(Crisis.id).in_({one.crisis_id for one in taken}))
        )
    }
    numbers = {int(one.what) for one in taken if one.told is Told.UPDATE}
    updates = {
        one.key: one
        for one in await session.exec(select(CrisisUpdate).where(col(CrisisUpdate.id).in_(numbers)))
    }
    names = {number: name for number, name in await session.exec(select(Staff.id, Staff.name))}  # noqa: C416
    open_cases = await _unclosed(session, crises.keys())
    return [
        as_due(one, *crises[one.crisis_id], updates, names, open_cases.get(one.crisis_id, 0))
        for one in taken
    ]


def as_due(
    one: Bulletin,
    crisis: Crisis,
    brand: str,
    updates: dict[int, CrisisUpdate],
    names: dict[int | None, str],
    unclosed: int,
) -> Due:
    """A bulletin with the names and words that it needs."""
    update = updates.get(int(one.what)) if one.told is Told.UPDATE else None
    of = {Told.DECLARED: crisis.declared_by, Told.ENDED: crisis.ended_by}
    who = update.staff_id if update else of.get(one.told, crisis.lead_id)
    return Due(
        bulletin=one,
        crisis=crisis,
        brand=brand,
        who=names.get(who, "Somebody"),
        lead=names.get(crisis.lead_id, "Somebody"),
        text=update.text if update else "",
        unclosed=unclosed,
    )


async def _unclosed(session: AsyncSession, numbers: Collection[int]) -> dict[int, int]:
    rows = await session.exec(
        select(CrisisCase.crisis_id, func.count())
        .join(Case, col(Case.id) == col(CrisisCase.case_id))
        .where(
            col(CrisisCase.crisis_id).in_(numbers),
            col(CrisisCase.left_at).is_(None),
            Case.status != Status.CLOSED,
        )
        .group_by(col(CrisisCase.crisis_id))
    )
    return {number: count for number, count in rows}  # noqa: C416


async def troubles(session: AsyncSession, number: int) -> list[Trouble]:
    """What has not arrived of a crisis though it was tried, the latest first."""
    rows = await session.exec(
        select(Bulletin, Staff.name)
        .outerjoin(Staff, col(Staff.id) == col(Bulletin.staff_id))
        .where(
            Bulletin.crisis_id == number,
            col(Bulletin.sent_at).is_(None),
            col(Bulletin.failure).is_not(None),
        )
        .order_by(col(Bulletin.id).desc())
    )
    return [
        Trouble(
            one.told,
            name or one.channel,
            one.channel,
            one.failure or "",
            one.failed_at is not None,
        )
        for one, name in rows
    ]


async def put_off(session: AsyncSession, number: int, *, until: datetime) -> None:
    """A channel wants a moment before it is spoken to; nothing failed."""
    one = await session.get(Bulletin, number)
    if one is not None:
        one.next_at = until


async def keep(
    session: AsyncSession, number: int, why: str | None, *, now: datetime, mails: bool
) -> None:
    """What became of telling: it arrived, or why not. What Slack does not take goes by mail."""
    one = await session.get(Bulletin, number)
    if one is None:  # withdrawn meanwhile
        return
    if why is None:
        one.sent_at, one.failure = now, None
        return
    one.missed(why, now)
    if mails and one.channel == SLACK and one.staff_id is not None and one.tries >= DETOUR:
        person = await session.get(Staff, one.staff_id)
        if person is not None and person.active and person.mail:
            one.channel, one.tries, one.next_at, one.failed_at = MAIL, 0, now, None
