"""What is left of a crisis: its cases, what was said in them, what was answered and missed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from listener.domain.case import FINAL, Case
from listener.domain.crisis import CrisisCase, CrisisEvent, How, Turn
from listener.domain.event import Event, What
from listener.domain.mention import Mention
from listener.domain.miss import Miss
from listener.domain.reply import Reply, State
from listener.domain.staff import Staff
from listener.domain.team import Team
from listener.store import search
from listener.store.session import AsyncSession, bulk

BEGINNING = 2_000  # letters of each post; who complains says so before


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post of a case of it; without words where its author has deleted it."""

    id: int
    case_id: int
    connector: str
    author_id: str
    author: str
    title: str
    text: str
    language: str | None
    url: str
    published_at: datetime
    deleted: bool
    purged: bool


async def cases(session: AsyncSession, number: int) -> list[tuple[Case, How, str | None]]:
    """Its cases, with how each came to it and whose it is."""
    rows = await session.exec(
        select(Case, CrisisCase.how, Staff.name)
        .join(CrisisCase, col(CrisisCase.case_id) == col(Case.id))
        .outerjoin(Staff, col(Staff.id) == col(Case.owner_id))
        .where(CrisisCase.crisis_id == number, col(Case.id).in_(search.crisis_cases(number)))
        .order_by(col(Case.id))
    )
    return [(case, How(how), owner) for case, how, owner in rows]


async def none_of_it(session: AsyncSession, number: int) -> int:
    """How many of its cases turned out to be no complaint of ours: no figure counts them."""
    rows: Any = (
        sa.select(sa.func.count())
        .select_from(CrisisCase)
        .join(Case, col(Case.id) == col(CrisisCase.case_id))
        .where(
            col(CrisisCase.crisis_id) == number,
            col(CrisisCase.left_at).is_(None),
            col(Case.outcome).in_(FINAL),
        )
    )
    return int((await bulk(session, rows)).scalar_one())


async def posts(session: AsyncSession, number: int) -> list[Post]:
    """What was said in its cases by others than us, the first first."""
    beginning = sa.func.substr(col(Mention.text), 1, BEGINNING).label("text")
    rows: Any = (
        sa.select(
            col(Mention.id), col(Mention.case_id), col(Mention.connector),
            col(Mention.author_id), col(Mention.author_name), col(Mention.author_handle),
            col(Mention.title), beginning, col(Mention.language), col(Mention.url),
            col(Mention.published_at), col(Mention.deleted_at), col(Mention.purged_at),
        )
        .where(col(Mention.case_id).in_(search.crisis_cases(number)), col(Mention.ours).is_(False))
        .order_by(col(Mention.published_at), col(Mention.id))
    )  # fmt: skip
    return [
        Post(
            id=one.id,
            case_id=one.case_id,
            connector=one.connector,
            author_id=one.author_id,
            author=one.author_name or one.author_handle,
            title=one.title,
            text=one.text,
            language=one.language,
            url=one.url,
            published_at=one.published_at,
            deleted=one.deleted_at is not None,
            purged=one.purged_at is not None,
        )
        for one in await bulk(session, rows)
    ]


async def replies(
    session: AsyncSession, number: int, *, since: datetime
) -> list[tuple[Reply, bool]]:
    """What we have said in its cases since then, and whether many were told it together."""
    rows = await session.exec(
        select(Reply)
        .where(
            col(Reply.case_id).in_(search.crisis_cases(number)),
            col(Reply.made_at) >= since,
            col(Reply.state) == State.POSTED,
        )
        .order_by(col(Reply.id))
    )
    written: Any = sa.select(col(Event.details)).where(
        col(Event.case_id).in_(search.crisis_cases(number)),
        col(Event.what) == What.WRITTEN,
        col(Event.at) >= since,
    )
    together = {
        row.details.get("reply")
        for row in await bulk(session, written)
        if row.details.get("crisis") == number
    }
    return [(one, one.key in together) for one in rows]


async def missed(
    session: AsyncSession, number: int, *, since: datetime, until: datetime
) -> list[tuple[Miss, str | None, str | None]]:
    """The deadlines of its cases that were missed in this time, with whose they were."""
    rows = await session.exec(
        select(Miss, Staff.name, Team.name)
        .outerjoin(Staff, col(Staff.id) == col(Miss.owner_id))
        .outerjoin(Team, col(Team.id) == col(Miss.team_id))
        .where(
            col(Miss.case_id).in_(search.crisis_cases(number)),
            col(Miss.withdrawn_at).is_(None),
            col(Miss.due_at) >= since,
            col(Miss.due_at) <= until,
        )
        .order_by(col(Miss.due_at), col(Miss.id))
    )
    return [(miss, owner, team) for miss, owner, team in rows]


async def missed_updates(session: AsyncSession, number: int) -> list[datetime]:
    """When updates were due that nobody has written."""
    rows = await session.exec(
        select(CrisisEvent.words)
        .where(CrisisEvent.crisis_id == number, CrisisEvent.what == Turn.MISSED)
        .order_by(col(CrisisEvent.id))
    )
    return [datetime.fromisoformat(words) for words in rows if words]
