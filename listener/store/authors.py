"""Authors: what the one who complains said before in the same place, and what we answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, func, select
from sqlmodel import col

from listener.domain.case import Case, Outcome, Status
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.store.rows import Lead, shown
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
    same = the_same(mention)
    if same is None:
        return []
    wanted = (
        select(col(Mention.id))
        .where(
            same,
            col(Mention.connector) == mention.connector,
            col(Mention.brand_id) == mention.brand_id,
            col(Mention.id) != mention.key,
            col(Mention.published_at) <= mention.published_at,
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        )
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(limit)
    )
    ids = list((await bulk(session, wanted)).scalars())
    if not ids:
        return []
    ends = await ends_of(session, ids)
    said = await answers(session, ids)
    found = []
    for one in await shown(session, ids):
        status, outcome = ends.get(one.id, (None, None))
        answer, at = said.get(one.id, (None, None))
        found.append(Earlier(one, status, outcome, answer, at))
    return found


def the_same(mention: Mention) -> Any:
    """What makes a mention one of the same author; None when nothing does."""
    if mention.author_id:
        return col(Mention.author_id) == mention.author_id
    if mention.author_handle:
        return and_(
            col(Mention.author_id) == "", col(Mention.author_handle) == mention.author_handle
        )
    return None


async def ends_of(
    session: AsyncSession, ids: Sequence[int]
) -> dict[int, tuple[Status, Outcome | None]]:
    """Where the case of each mention stands, for those that have one."""
    rows = await bulk(
        session,
        select(col(Mention.id), col(Case.status), col(Case.outcome))
        .join(Case, col(Case.id) == col(Mention.case_id))
        .where(col(Mention.id).in_(ids)),
    )
    return {row.id: (row.status, row.outcome) for row in rows}


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
