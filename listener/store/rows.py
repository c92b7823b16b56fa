"""Mentions as lists show them: who said what and where, cut to what fits a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlmodel import col

from connectors.kit.contract import Kind
from listener.domain.case import Case
from listener.domain.mention import Mention, stars_of
from listener.domain.source import Source
from listener.store.session import AsyncSession, bulk

LENGTH: Final = 400  # characters of a text that a row may need
BEFORE: Final = 80  # of them before the first mark, when it stands too far down


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A mention as a row shows it. Marks are where the query's words stand in what is shown."""

    id: int
    connector: str
    source: str
    kind: Kind
    title: str | None
    text: str
    cut: bool  # more of the text stands before or behind
    marks: Sequence[tuple[int, int]]
    title_marks: Sequence[tuple[int, int]]
    stars: float | None
    author: str
    handle: str
    reach: int | None
    url: str
    language: str | None
    published_at: datetime
    complaint: float | None
    flagged: bool | None
    case_id: int | None
    brand_id: int
    edited: bool
    deleted: bool
    purged: bool
    ours: bool


COLUMNS: Final[tuple[Any, ...]] = (
    col(Mention.id),
    col(Mention.connector),
    col(Source.name).label("source"),
    col(Mention.kind),
    col(Mention.title),
    col(Mention.text),
    col(Mention.marks),
    col(Mention.rating),
    col(Mention.rating_lowest),
    col(Mention.rating_highest),
    col(Mention.author_name),
    col(Mention.author_handle),
    col(Mention.author_reach),
    col(Mention.reach),
    col(Mention.url),
    col(Mention.language),
    col(Mention.published_at),
    col(Mention.complaint),
    col(Mention.flagged),
    col(Mention.case_id),
    col(Mention.brand_id),
    col(Mention.revisions),
    col(Mention.deleted_at),
    col(Mention.purged_at),
    col(Mention.ours),
)


def speaking() -> sa.ColumnElement[int]:
    """The mention that speaks for a case: the first with its words, else the first."""
    of_case = (
        select(col(Mention.id))
        .where(col(Mention.case_id) == col(Case.id))
        .order_by(col(Mention.id))
        .limit(1)
    )
    standing = of_case.where(col(Mention.deleted_at).is_(None), col(Mention.purged_at).is_(None))
    return func.coalesce(
        standing.correlate(Case).scalar_subquery(), of_case.correlate(Case).scalar_subquery()
    )


async def shown(session: AsyncSession, ids: Sequence[int]) -> list[Lead]:
    """These mentions as a list shows them, in the order that was asked for."""
    if not ids:
        return []
    rows = await bulk(session, _shown(), {"mentions": list(ids)})
    found = {row.id: as_lead(row) for row in rows}
    return [found[number] for number in ids if number in found]


@cache
def _shown() -> sa.Select[*tuple[Any, ...]]:
    """The question, written once: lists and cases ask it."""
    wanted: sa.Select[*tuple[Any, ...]] = (
        select(*COLUMNS)
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(col(Mention.id).in_(sa.bindparam("mentions", expanding=True)))
    )
    return wanted


def as_lead(row: sa.Row[Any]) -> Lead:
    """A mention as a row shows it."""
    text, marks = excerpt(row.text, spans(row.marks, "text"))
    title, title_marks = excerpt(row.title or "", spans(row.marks, "title"))
    reaches = [reach for reach in (row.reach, row.author_reach) if reach is not None]
    return Lead(
        id=row.id,
        connector=row.connector,
        source=row.source,
        kind=row.kind,
        title=title or None,
        text=text,
        cut=len(text) < len(row.text),
        marks=tuple(marks),
        title_marks=tuple(title_marks),
        stars=stars_of(row.rating, row.rating_lowest, row.rating_highest),
        author=row.author_name or row.author_handle,
        handle=row.author_handle,
        reach=max(reaches, default=None),
        url=row.url,
        language=row.language,
        published_at=row.published_at,
        complaint=row.complaint,
        flagged=row.flagged,
        case_id=row.case_id,
        brand_id=row.brand_id,
        edited=row.revisions > 1,
        deleted=row.deleted_at is not None,
        purged=row.purged_at is not None,
        ours=row.ours,
    )


def spans(marks: Sequence[Sequence[Any]], field: str) -> list[tuple[int, int]]:
    """The marks of one field: where each begins and ends."""
    return sorted((start, end) for name, start, end in marks if name == field)


def excerpt(
    text: str, marks: Sequence[tuple[int, int]], length: int = LENGTH
) -> tuple[str, list[tuple[int, int]]]:
    """The beginning of a text, or what stands around its first mark; and the marks in that."""
    if len(text) <= length:
        return text, list(marks)
    first = marks[0] if marks else (0, 0)
    start = 0 if first[1] <= length else min(max(0, first[0] - BEFORE), len(text) - length)
    end = start + length
    inside = [(a - start, min(b, end) - start) for a, b in marks if start <= a < end]
    return text[start:end], inside
