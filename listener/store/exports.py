"""Exports: all mentions, cases or events as plain rows, a portion at a time and in order.

A portion is a query of its own, so that nobody who reads slowly keeps a transaction open.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.event import Event
from listener.domain.mention import Mention, stars_of
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.team import Team
from listener.store import tags
from listener.store.session import AsyncSession, Store, bulk

PORTION: Final = 500


class Exported(StrEnum):
    """What can be taken out."""

    MENTIONS = "mentions"
    CASES = "cases"
    EVENTS = "events"


COLUMNS: Final[dict[Exported, tuple[str, ...]]] = {
    Exported.MENTIONS: (
        "id", "brand", "source", "connector", "kind", "post_id", "url", "published_at", "seen_at",
        "edited_at", "deleted_at", "author_name", "author_handle", "author_reach", "language",
        "stars", "title", "text", "ours", "late", "flagged", "unsure", "urgent", "complaint",
        "feeling", "confidence", "model", "reasons", "case",
    ),
    Exported.CASES: (
        "id", "brand", "status", "urgent", "unsure", "priority", "kind", "mentions", "owner",
        "team", "tags", "opened_at", "due_at", "first_answered_at", "answered_at", "closed_at",
        "outcome", "reopened", "reasons",
    ),
    Exported.EVENTS: ("id", "brand", "case", "what", "at", "who", "details"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are wanted; None is all.

    Mentions count by when they were published, cases by when they opened, events by when they
    happened: from `since` to before `until`.
    """

    what: Exported
    brands: Collection[int] | None = None
    since: datetime | None = None
    until: datetime | None = None


async def portions(store: Store, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    """The rows by number, a portion at a time, each with all of its columns."""
    ask = {Exported.MENTIONS: _mentions, Exported.CASES: _cases, Exported.EVENTS: _events}
    after = 0
    while True:
        async with store.reading() as session:
            rows = await ask[wanted.what](session, wanted, after)
        if rows:
            yield rows
            after = rows[-1]["id"]
        if len(rows) < PORTION:
            return


def _within(wanted: Wanted, brand: Any, at: Any) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.brands is not None:
        conditions.append(brand.in_(wanted.brands))
    if wanted.since is not None:
        conditions.append(at >= wanted.since)
    if wanted.until is not None:
        conditions.append(at < wanted.until)
    return conditions


async def _mentions(session: AsyncSession, wanted: Wanted, after: int) -> list[dict[str, Any]]:
    """Of what was deleted by its author, or kept long enough, the words are gone."""
    table = Mention.__table__  # type: ignore[attr-defined]
    found = await bulk(
        session,
        sa.select(table, col(Brand.name).label("brand"), col(Source.name).label("source"))
        .join(Brand, col(Brand.id) == col(Mention.brand_id))
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(
            col(Mention.id) > after,
            *_within(wanted, col(Mention.brand_id), col(Mention.published_at)),
        )
        .order_by(col(Mention.id))
        .limit(PORTION),
    )
    return [_mention(row) for row in found]


def _mention(row: Any) -> dict[str, Any]:
    gone = row.deleted_at is not None or row.purged_at is not None
    said = dict.fromkeys(("author_name", "author_handle", "title", "text", "url")) if gone else {}
    special = {
        "stars": stars_of(row.rating, row.rating_lowest, row.rating_highest),
        "case": row.case_id,
        **said,
    }
    return {
        name: special[name] if name in special else getattr(row, name)
        for name in COLUMNS[Exported.MENTIONS]
    }


async def _cases(session: AsyncSession, wanted: Wanted, after: int) -> list[dict[str, Any]]:
    table = Case.__table__  # type: ignore[attr-defined]
    found = await bulk(
        session,
        sa.select(
            table,
            col(Brand.name).label("brand"),
            col(Staff.name).label("owner"),
            col(Team.name).label("team"),
        )
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        .outerjoin(Staff, col(Staff.id) == col(Case.owner_id))
        .outerjoin(Team, col(Team.id) == col(Case.team_id))
        .where(col(Case.id) > after, *_within(wanted, col(Case.brand_id), col(Case.opened_at)))
        .order_by(col(Case.id))
        .limit(PORTION),
    )
    rows = found.all()
    tagged = await tags.of_cases(session, [row.id for row in rows])
    return [
        {
            name: tagged.get(row.id, []) if name == "tags" else getattr(row, name)
            for name in COLUMNS[Exported.CASES]
        }
        for row in rows
    ]


async def _events(session: AsyncSession, wanted: Wanted, after: int) -> list[dict[str, Any]]:
    found = await bulk(
        session,
        sa.select(
            col(Event.id),
            col(Brand.name).label("brand"),
            col(Event.case_id).label("case"),
            col(Event.what),
            col(Event.at),
            col(Staff.name).label("who"),
            col(Event.details),
        )
        .join(Case, col(Case.id) == col(Event.case_id))
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        .outerjoin(Staff, col(Staff.id) == col(Event.staff_id))
        .where(col(Event.id) > after, *_within(wanted, col(Case.brand_id), col(Event.at)))
        .order_by(col(Event.id))
        .limit(PORTION),
    )
    return [dict(row) for row in found.mappings()]
