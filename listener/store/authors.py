"""Authors: what the one who complains said before in the same place, and what we answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import and_, bindparam, func, select
from sqlmodel import col

from listener.domain.case import Case, Outcome, Status
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.domain.source import Source
from listener.store.rows import COLUMNS, Lead, as_lead
from listener.store.session import AsyncSession, bulk

MOST: Final = 10
ANSWER: Final = 400  # characters of what we said


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that an author said before, what became of it, and what we answered."""

    mention: Lead
    status: Status | None = None
    outcome: Outcome | None = None
    answer: str | None = None
    answered_at: datetime | None = None


async def earlier(session: AsyncSession, mention: Mention, *, limit: int = MOST) -> list[Earlier]:
    """What the author of a mention said before of the same brand and in the same place.

    The latest first. What has been deleted or forgotten is not there; neither is an author
    whom a place does not tell apart from others.
    """
    if not mention.author_id and not mention.author_handle:
        return []
    asked = {
        "who": mention.author_id or mention.author_handle,
        "connector": mention.connector,
        "brand": mention.brand_id,
        "mention": mention.key,
        "before": mention.published_at,
        "most": limit,
    }
    rows = (await bulk(session, _earlier(by_handle=not mention.author_id), asked)).all()
    if not rows:
        return []
    said = await answers(session, [row.id for row in rows])
    return [
        Earlier(as_lead(row), row.status, row.outcome, *said.get(row.id, (None, None)))
        for row in rows
    ]


@cache
def _earlier(*, by_handle: bool) -> sa.Select[*tuple[Any, ...]]:
    """The question, written once: every page of a case asks it."""
    who: Any = bindparam("who")
    same = (
        and_(col(Mention.author_id) == "", col(Mention.author_handle) == who)
        if by_handle
        else col(Mention.author_id) == who
    )
    wanted: sa.Select[*tuple[Any, ...]] = (
        select(*COLUMNS, col(Case.status).label("status"), col(Case.outcome).label("outcome"))
        .join(Source, col(Source.id) == col(Mention.source_id))
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(
            same,
            col(Mention.connector) == bindparam("connector"),
            col(Mention.brand_id) == bindparam("brand"),
            col(Mention.id) != bindparam("mention"),
            col(Mention.published_at) <= bindparam("before"),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        )
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(bindparam("most", type_=sa.Integer()))
    )
    return wanted


async def answers(
    session: AsyncSession, ids: Sequence[int]
) -> dict[int, tuple[str, datetime | None]]:
    """The last thing that we said to each mention, where it stands on the place."""
    rows = await bulk(
        session,
        select(
            col(Reply.mention_id),
            func.substr(col(Reply.text), 1, ANSWER).label("text"),
            col(Reply.sent_at),
        )
        .where(col(Reply.mention_id).in_(ids), col(Reply.state) == State.POSTED)
        .order_by(col(Reply.id)),
    )
    return {row.mention_id: (row.text, row.sent_at) for row in rows}
