"""All that one theme is about, as its page needs it: read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import and_, or_
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.cause import Said, clearest
from listener.domain.event import Event, What
from listener.domain.mention import Mention, words_of
from listener.domain.reply import Reply, State
from listener.domain.staff import Staff
from listener.domain.theme import Became, Theme, ThemeEvent
from listener.domain.theme import Belonging as Its
from listener.domain.theme_story import called, sentence
from listener.store.session import AsyncSession, bulk
from listener.store.themes import MOST, beginning, by, standing, there

DAYS: Final = 28  # that are drawn, the last
FEWEST: Final = 7  # also of a theme that began today: one bar says nothing
POSTS: Final = 100  # that can be put apart at once, the latest


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case of the theme that is not closed."""

    number: int
    status: str
    owner: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of its history."""

    at: datetime
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A theme with all that is known of it. Counted are people, not posts."""

    theme: Theme
    brand: str
    owner: str | None
    people: int  # since it began
    mentions: int
    places: Sequence[tuple[str, int]]
    days: Sequence[tuple[date, int]]
    quotes: Sequence[Mention]
    cases: Sequence[OpenCase]
    closed: int
    posts: Sequence[Mention]  # the latest, the latest first
    story: Sequence[Line]
    part_of: str | None = None  # the theme that it has become a part of, in words
    cut: bool = False  # there are more posts than are looked through: figures are of the latest


async def read(session: AsyncSession, number: int, *, now: datetime, zone: str) -> Portrait | None:
    """Everything about a theme; None when there is none of this number."""
    found = (
        await session.exec(
            select(Theme, Brand, Staff.name)
            .join(Brand, col(Brand.id) == col(Theme.brand_id))
            .outerjoin(Staff, col(Staff.id) == col(Theme.owner_id))
            .where(col(Theme.id) == number)
        )
    ).one_or_none()
    if found is None:
        return None
    theme, brand, owner = found
    rows = await said(session, number)
    cases, closed = await cases_of(session, number)
    quotes = clearest(
        [Said(one.id, words_of(one.title, one.text), by(one)) for one in rows],
        known=[brand.name, *brand.handles, brand.query],
    )
    shown = [one.mention_id for one in quotes]
    latest = [one.id for one in rows[:POSTS]]
    there = await standing(session, [*shown, *latest])
    story, names = await history(session, number)
    return Portrait(
        theme=theme,
        brand=brand.name,
        owner=owner,
        people=len({by(one) for one in rows}),
        mentions=len(rows),
        cut=len(rows) == MOST,
        places=places(rows),
        days=days(rows, theme, now, ZoneInfo(zone)),
        quotes=[there[one] for one in shown if one in there],
        cases=cases,
        closed=closed,
        posts=[there[one] for one in latest if one in there],
        story=story,
        part_of=None if theme.merged_into is None else called(theme.merged_into, names),
    )


async def said(session: AsyncSession, number: int) -> Sequence[Any]:
    """What stands there of a theme, the latest first."""
    asked: Any = (
        sa.select(
            col(Mention.id), col(Mention.title), beginning(), col(Mention.connector),
            col(Mention.author_id), col(Mention.published_at),
        )
        .join(Its, col(Its.mention_id) == col(Mention.id))
        .where(col(Its.theme_id) == number, *there())
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(MOST)
    )  # fmt: skip
    return (await bulk(session, asked)).all()


def places(rows: Sequence[Any]) -> list[tuple[str, int]]:
    """How many people said it in each place, those of most first."""
    people: dict[str, set[str]] = {}
    for one in rows:
        people.setdefault(one.connector, set()).add(by(one))
    counts = [(place, len(who)) for place, who in people.items()]
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))


def days(
    rows: Sequence[Any], theme: Theme, now: datetime, zone: ZoneInfo
) -> list[tuple[date, int]]:
    """How many people said it on each of its last days, until today or until it ended."""
    people: dict[date, set[str]] = {}
    for one in rows:
        people.setdefault(one.published_at.astimezone(zone).date(), set()).add(by(one))
    end = (theme.last_at if theme.ended_at else now).astimezone(zone).date()
    began = theme.began_at.astimezone(zone).date()
    first = min(max(began, end - timedelta(days=DAYS - 1)), end - timedelta(days=FEWEST - 1))
    span = range((end - first).days + 1)
    every = [first + timedelta(days=number) for number in span]
    return [(day, len(people.get(day, ()))) for day in every]


async def cases_of(session: AsyncSession, number: int) -> tuple[list[OpenCase], int]:
    """A theme's cases that are not closed, those due first first, and how many are."""
    its = (
        sa.select(col(Mention.case_id))
        .join(Its, col(Its.mention_id) == col(Mention.id))
        .where(col(Its.theme_id) == number, col(Mention.case_id).is_not(None))
    )
    found = await session.exec(
        select(Case, Staff.name)
        .outerjoin(Staff, col(Staff.id) == col(Case.owner_id))
        .where(col(Case.id).in_(its))
        .order_by(col(Case.due_at).is_(None), col(Case.due_at), col(Case.id))
    )
    every = found.all()
    still = [
        OpenCase(case.key, case.status.value, owner, case.due_at)
        for case, owner in every
        if case.closed_at is None
    ]
    return still, len(every) - len(still)


async def told(session: AsyncSession, number: int) -> dict[str, datetime]:
    """Who of a theme's people has been told of it, and when last; a reply taken back told nobody."""
    rows: Any = (
        sa.select(col(Event.details), col(Event.case_id))
        .join(Mention, col(Mention.case_id) == col(Event.case_id))
        .join(Its, col(Its.mention_id) == col(Mention.id))
        .where(col(Its.theme_id) == number, col(Event.what) == What.WRITTEN)
    )
    written = {
        row.details["reply"]
        for row in await bulk(session, rows)
        if row.details.get("theme") == number
    }
    found: Any = (
        sa.select(
            col(Mention.connector), col(Mention.author_id), col(Mention.id), col(Reply.made_at)
        )
        .join(Reply, col(Reply.mention_id) == col(Mention.id))
        .where(
            col(Reply.id).in_(written),
            col(Reply.state).not_in([State.WITHDRAWN, State.FAILED]),
        )
        .order_by(col(Reply.made_at))
    )
    return {by(row): row.made_at for row in await bulk(session, found)}


async def history(session: AsyncSession, number: int) -> tuple[list[Line], dict[int, str]]:
    """What became of a theme, the latest first, and what the others in it are called."""
    event = ThemeEvent
    rows = (
        await session.exec(
            select(event)
            .where(
                or_(
                    col(event.theme_id) == number,
                    and_(
                        col(event.other) == number,
                        col(event.what).in_([Became.MERGED, Became.SPLIT]),
                    ),
                )
            )
            .order_by(col(event.id).desc())
        )
    ).all()
    others = {one.theme_id for one in rows} | {one.other for one in rows if one.other}
    named = await session.exec(
        select(Theme.id, Theme.name).where(col(Theme.id).in_(others - {number}))
    )
    names = {key: name for key, name in named if key is not None}
    staff = {key: name for key, name in await session.exec(select(Staff.id, Staff.name)) if key}
    return [Line(one.at, sentence(one, number, staff, names)) for one in rows], names
