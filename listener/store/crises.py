"""Crises: which are open, which cases belong to each, what is said in it, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select

from listener.domain.alarm import Alarm
from listener.domain.brand import Brand
from listener.domain.case import FINAL, Case, Status
from listener.domain.crisis import (
    Crisis,
    CrisisCase,
    CrisisEvent,
    CrisisUpdate,
    HoldingText,
    How,
    Turn,
)
from listener.domain.crisis_story import Names, sentence
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.domain.report import kinds
from listener.domain.staff import Staff
from listener.domain.theme import Belonging, Theme
from listener.store import search, themes
from listener.store.kept import kept
from listener.store.session import LOCK, AsyncSession, bulk

AT_ONCE: Final = 200  # cases that join in one look; the next one takes the others
PASSED_ON: Final = 20  # times that a theme may have become a part of another


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How many cases a crisis has, how many of them are not closed, and wait for an answer."""

    cases: int = 0
    unclosed: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A crisis with the names it speaks of and how it stands."""

    crisis: Crisis
    brand: str
    lead: str
    numbers: Numbers
    missed_at: datetime | None  # when the last update was due, where it was not written


@dataclass(frozen=True, slots=True)
class Line:
    """A line of its history."""

    at: datetime
    says: str
    note: str = ""  # what an update said


@dataclass(frozen=True, slots=True)
class Worded:
    """A holding reply, with who wrote and who approved it."""

    text: HoldingText
    by: str
    approved: str | None


async def declare(session: AsyncSession, crisis: Crisis) -> bool:
    """Keep a new crisis; False where one of this name is open for the brand."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table = Crisis.__table__  # type: ignore[attr-defined]
    values = crisis.model_dump(exclude={"id"})
    made = await session.exec(
        dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id)
    )
    crisis.id = made.scalar_one_or_none()
    return crisis.id is not None


async def one(session: AsyncSession, number: int, *, lock: bool = True) -> Crisis | None:
    """A crisis; locked until the transaction ends, though others may refer to it meanwhile."""
    return await session.get(
        Crisis, number, with_for_update=LOCK if lock else None, populate_existing=lock
    )


async def going_on(session: AsyncSession) -> Sequence[int]:
    """The numbers of those that are open."""
    wanted = select(Crisis.id).where(col(Crisis.ended_at).is_(None)).order_by(col(Crisis.id))
    return [number for number in await session.exec(wanted) if number is not None]


async def shown(
    session: AsyncSession,
    *,
    brands: Collection[int] | None,
    numbers: Collection[int] | None = None,
    ended: bool = False,
    limit: int = 100,
) -> list[Shown]:
    """Crises of these brands (None: all), the open ones first, the latest first."""
    asked: Any = (
        select(Crisis, Brand.name, Staff.name)
        .join(Brand, col(Brand.id) == col(Crisis.brand_id))
        .join(Staff, col(Staff.id) == col(Crisis.lead_id))
        .order_by(col(Crisis.ended_at).is_(None).desc(), col(Crisis.id).desc())
        .limit(limit)
    )
    if brands is not None:
        asked = asked.where(col(Crisis.brand_id).in_(brands))
    if numbers is not None:
        asked = asked.where(col(Crisis.id).in_(numbers))
    if not ended:
        asked = asked.where(col(Crisis.ended_at).is_(None))
    found = (await session.exec(asked)).all()
    keys = [crisis.key for crisis, *_ in found]
    counted = await counts(session, keys)
    late = await missed(session, keys)
    return [
        Shown(crisis, brand, lead, counted.get(crisis.key, Numbers()), late.get(crisis.key))
        for crisis, brand, lead in found
    ]


async def open_ones(session: AsyncSession, brands: Collection[int] | None) -> list[Shown]:
    """Those of these brands that are open, as they are at the moment. Mostly there are none."""
    going = await kept(session, _going_on, of=("crises", "brands", "staff"), key="crises")
    if not any(brands is None or brand in brands for brand in going):
        return []
    return await shown(session, brands=brands)


async def _going_on(session: AsyncSession) -> frozenset[int]:
    rows = await bulk(
        session, sa.select(col(Crisis.brand_id)).where(col(Crisis.ended_at).is_(None))
    )
    return frozenset(rows.scalars())


async def counts(session: AsyncSession, numbers: Collection[int]) -> dict[int, Numbers]:
    """How many cases each of these crises has."""
    if not numbers:
        return {}
    status = col(Case.status)
    rows: Any = (
        sa.select(
            col(CrisisCase.crisis_id),
            func.count(),
            func.count(sa.case((status != Status.CLOSED, 1))),
            func.count(sa.case((status.in_((Status.OPEN, Status.OWNED)), 1))),
        )
        .join(Case, col(Case.id) == col(CrisisCase.case_id))
        .where(
            col(CrisisCase.crisis_id).in_(numbers),
            col(CrisisCase.left_at).is_(None),
            sa.or_(col(Case.outcome).is_(None), col(Case.outcome).not_in(FINAL)),
        )
        .group_by(col(CrisisCase.crisis_id))
    )
    found: dict[int, Numbers] = {}
    for row in await bulk(session, rows):
        number, cases, unclosed, waiting = tuple(row)
        found[number] = Numbers(cases=cases, unclosed=unclosed, waiting=waiting)
    return found


async def missed(session: AsyncSession, numbers: Collection[int]) -> dict[int, datetime]:
    """When the last update of each was due, where none was written since it was missed."""
    if not numbers:
        return {}
    latest = (
        sa.select(func.max(col(CrisisEvent.id)))
        .where(
            col(CrisisEvent.crisis_id).in_(numbers),
            col(CrisisEvent.what).in_((Turn.MISSED, Turn.UPDATED)),
        )
        .group_by(col(CrisisEvent.crisis_id))
    )
    found = await session.exec(select(CrisisEvent).where(col(CrisisEvent.id).in_(latest)))
    return {
        one.crisis_id: datetime.fromisoformat(one.words)
        for one in found
        if one.what is Turn.MISSED and one.words
    }


# --- which cases belong to it


def cases_of(number: int) -> sa.Select[Any]:
    """The numbers of a crisis's cases."""
    return sa.select(col(CrisisCase.case_id)).where(
        col(CrisisCase.crisis_id) == number, col(CrisisCase.left_at).is_(None)
    )


async def of_case(session: AsyncSession, case_id: int) -> Sequence[Crisis]:
    """The open crises that a case belongs to, the latest first."""
    return (
        await session.exec(
            select(Crisis)
            .join(CrisisCase, col(CrisisCase.crisis_id) == col(Crisis.id))
            .where(
                CrisisCase.case_id == case_id,
                col(CrisisCase.left_at).is_(None),
                col(Crisis.ended_at).is_(None),
            )
            .order_by(col(Crisis.id).desc())
        )
    ).all()


async def member(session: AsyncSession, number: int, case_id: int) -> CrisisCase | None:
    """That a case belongs to a crisis, or once did."""
    return await session.get(CrisisCase, (number, case_id), populate_existing=True)


async def join(
    session: AsyncSession,
    number: int,
    case_id: int,
    how: How,
    *,
    now: datetime,
    staff_id: int | None = None,
) -> CrisisCase | None:
    """Let a case belong to it; None where it does, or where a person has taken it out.

    A person may bring it back.
    """
    known = await member(session, number, case_id)
    if known is None:
        known = CrisisCase(crisis_id=number, case_id=case_id, how=how, since=now, staff_id=staff_id)
    elif known.left_at is None or staff_id is None:
        return None
    else:
        known.left_at, known.how, known.since, known.staff_id = None, how, now, staff_id
    session.add(known)
    await session.flush()
    return known


async def newcomers(session: AsyncSession, crisis: Crisis) -> dict[int, How]:
    """Cases that are not closed and are of its alarm, its theme or its words, and new to it."""
    found: dict[int, How] = {}
    if crisis.alarm_id is not None:
        alarm = await session.get_one(Alarm, crisis.alarm_id)
        found |= dict.fromkeys(await _of_alarm(session, crisis, alarm), How.ALARM)
    if crisis.theme_id is not None and (theme := await _standing(session, crisis.theme_id)):
        of_theme = (
            sa.select(col(Mention.case_id))
            .join(Belonging, col(Belonging.mention_id) == col(Mention.id))
            .where(col(Belonging.theme_id) == theme, col(Mention.case_id).is_not(None))
        )
        for number in await _new(session, crisis, of_theme):
            found.setdefault(number, How.THEME)
    if crisis.words and (saying := search.cases_saying(session, crisis.words)) is not None:
        for number in await _new(session, crisis, saying):
            found.setdefault(number, How.WORDS)
    return found


async def _new(session: AsyncSession, crisis: Crisis, which: sa.Select[Any]) -> list[int]:
    wanted: Any = (
        sa.select(col(Case.id))
        .where(col(Case.id).in_(which), *_joins(crisis))
        .order_by(col(Case.id))
        .limit(AT_ONCE)
    )
    return list((await bulk(session, wanted)).scalars())


async def _standing(session: AsyncSession, theme_id: int) -> int | None:
    """The theme, or the one that it has become a part of."""
    number: int | None = theme_id
    for _ in range(PASSED_ON):
        theme = None if number is None else await session.get(Theme, number)
        if theme is None or theme.merged_into is None:
            return None if theme is None else theme.key
        number = theme.merged_into
    return number


async def _of_alarm(session: AsyncSession, crisis: Crisis, alarm: Alarm) -> list[int]:
    """The cases of what an alarm tells of, from when it began until it is over."""
    wanted: Any = (
        sa.select(col(Mention.case_id), col(Mention.reasons))
        .join(Case, col(Case.id) == col(Mention.case_id))
        .where(
            col(Mention.brand_id) == alarm.brand_id,
            col(Mention.flagged).is_(True),
            col(Mention.ours).is_(False),
            col(Mention.published_at) >= alarm.since,
            *_joins(crisis),
        )
        .order_by(col(Mention.id))
        .limit(AT_ONCE)
    )
    if alarm.over_at is not None:
        wanted = wanted.where(col(Mention.published_at) <= alarm.over_at)
    if alarm.source_id is not None:
        wanted = wanted.where(col(Mention.source_id) == alarm.source_id)
    if alarm.is_of_theme and alarm.theme_id is not None:
        wanted = wanted.where(col(Mention.id).in_(search.of_theme(alarm.theme_id)))
    return [
        row.case_id
        for row in await bulk(session, wanted)
        if not alarm.sort.is_report or alarm.sort in kinds(row.reasons)
    ]


def _joins(crisis: Crisis) -> tuple[sa.ColumnElement[bool], ...]:
    """What is asked of a case that may still join."""
    known = sa.select(col(CrisisCase.case_id)).where(col(CrisisCase.crisis_id) == crisis.key)
    return (
        col(Case.brand_id) == crisis.brand_id,
        col(Case.status) != Status.CLOSED,
        col(Case.id).not_in(known),
    )


async def waiting(session: AsyncSession, number: int) -> list[int]:
    """Its cases that wait for an answer, those due first first."""
    wanted: Any = (
        sa.select(col(Case.id))
        .where(
            col(Case.id).in_(cases_of(number)),
            col(Case.status).in_((Status.OPEN, Status.OWNED)),
        )
        .order_by(col(Case.due_at).is_(None), col(Case.due_at), col(Case.id))
    )
    return list((await bulk(session, wanted)).scalars())


async def told(session: AsyncSession, crisis: Crisis) -> dict[str, datetime]:
    """Who in a crisis was answered since it was declared, and when last, in whichever case."""
    found: Any = (
        sa.select(
            col(Mention.connector), col(Mention.author_id), col(Mention.id), col(Reply.made_at)
        )
        .join(Reply, col(Reply.mention_id) == col(Mention.id))
        .where(
            col(Reply.case_id).in_(cases_of(crisis.key)),
            col(Reply.made_at) >= crisis.declared_at,
            col(Reply.state).not_in([State.WITHDRAWN, State.FAILED]),
        )
        .order_by(col(Reply.made_at))
    )
    return {themes.by(row): row.made_at for row in await bulk(session, found)}


# --- what is said in it


async def texts(session: AsyncSession, number: int) -> list[Worded]:
    """Its holding replies, the one for all languages first."""
    names = await _staff(session)
    rows = await session.exec(
        select(HoldingText)
        .where(HoldingText.crisis_id == number)
        .order_by(col(HoldingText.language))
        .execution_options(populate_existing=True)
    )
    return [
        Worded(
            one,
            names.get(one.written_by, "Somebody"),
            None if one.approved_by is None else names.get(one.approved_by, "Somebody"),
        )
        for one in rows
    ]


async def text(session: AsyncSession, number: int, language: str) -> HoldingText | None:
    """Its holding reply in one language, approved or not."""
    return await session.get(HoldingText, (number, language), populate_existing=True)


async def approved(session: AsyncSession, number: int) -> dict[str, str]:
    """The holding replies that may be used, by language."""
    rows = await session.exec(
        select(HoldingText).where(
            HoldingText.crisis_id == number, col(HoldingText.approved_at).is_not(None)
        )
    )
    return {one.language: one.text for one in rows}


def fitting(said: Mapping[str, str], language: str | None) -> str | None:
    """The holding reply for a post of this language; the one for all where it has none."""
    return said.get((language or "").split("-")[0].lower()) or said.get("")


async def updates(session: AsyncSession, number: int) -> list[tuple[CrisisUpdate, str]]:
    """What was said of how it goes on, with who said it, the first first."""
    rows = await session.exec(
        select(CrisisUpdate, Staff.name)
        .join(Staff, col(Staff.id) == col(CrisisUpdate.staff_id))
        .where(CrisisUpdate.crisis_id == number)
        .order_by(col(CrisisUpdate.id))
    )
    return list(rows.all())


async def record(
    session: AsyncSession,
    number: int,
    what: Turn,
    *,
    now: datetime,
    staff_id: int | None = None,
    other: int | None = None,
    words: str | None = None,
) -> None:
    """Add a line to its history."""
    session.add(
        CrisisEvent(
            crisis_id=number, at=now, what=what, staff_id=staff_id, other=other, words=words
        )
    )
    await session.flush()


async def story(session: AsyncSession, number: int) -> list[Line]:
    """What became of it, the first first."""
    events = await session.exec(
        select(CrisisEvent).where(CrisisEvent.crisis_id == number).order_by(col(CrisisEvent.id))
    )
    notes = {update.key: update.text for update, _ in await updates(session, number)}
    names = Names(await _staff(session))
    return [
        Line(
            one.at,
            sentence(one, names),
            notes.get(one.other or 0, "") if one.what is Turn.UPDATED else "",
        )
        for one in events
    ]


async def _staff(session: AsyncSession) -> dict[int, str]:
    rows = await session.exec(select(Staff.id, Staff.name))
    return {number: name for number, name in rows if number is not None}
