"""Watching: what was said lately, what was said at every hour of the weeks before."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from listener.domain.brand import Brand
from listener.domain.lately import NO_THEME, Lately
from listener.domain.likeness import Words
from listener.domain.mention import Mention, words_of
from listener.domain.outlook import Hour, Shared
from listener.domain.report import SAYS, Report
from listener.domain.source import Source
from listener.domain.theme import Became, Belonging, Theme, ThemeEvent
from listener.store.session import AsyncSession, bulk

COLUMNS: Final = ("brand", "id", "at", "source", "complains", "theme", "edition", "opening")
PAIRS: Final = 5_000  # in one question: a database takes some thirty thousand numbers
LETTERS: Final = 2_000  # of each post: who says more does not only pass on


def _counted(since: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        col(Mention.published_at) >= since,
        sa.not_(col(Mention.ours)),
        col(Mention.deleted_at).is_(None),
    ]


async def lately(session: AsyncSession, *, since: datetime, until: datetime) -> dict[int, Lately]:
    """What was published from one moment to another, by brand: one index serves it.

    The database puts all numbers of a column into one text: to make a row of each mention and to
    read it takes ten times as long as to find them.
    """
    lite = session.get_bind().dialect.name == "sqlite"
    said = (
        sa.select(
            col(Mention.brand_id).label("brand"),
            col(Mention.id).label("id"),
            _microseconds(lite).label("at"),
            col(Mention.source_id).label("source"),
            sa.case((col(Mention.flagged).is_(True), 1), else_=0).label("complains"),
            func.coalesce(col(Theme.id), NO_THEME).label("theme"),
            sa.case((col(Mention.purged_at).is_(None), col(Mention.revisions)), else_=0).label(
                "edition"
            ),
            sa.case((col(Mention.in_reply_to).is_(None), 1), else_=0).label("opening"),
            sa.case((col(Theme.id).is_not(None), _by())).label("by"),
        )
        .outerjoin(Belonging, col(Belonging.mention_id) == col(Mention.id))
        .outerjoin(Theme, sa.and_(col(Theme.id) == col(Belonging.theme_id), *_watched()))
        .where(*_counted(since), col(Mention.published_at) < until)
        .subquery()
    )
    named = func.json_group_object if lite else func.json_object_agg
    by = named(sa.cast(said.c.id, sa.Text), said.c.by).filter(said.c.by.is_not(None))
    one = await bulk(
        session,
        sa.select(*(_together(said.c[name]) for name in COLUMNS), sa.cast(by, sa.Text)),
    )
    row = one.one()
    return {} if row[0] is None else await asyncio.to_thread(_apart, *row)


def _together(column: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    return func.aggregate_strings(sa.cast(column, sa.Text), ",")


def _apart(*row: str | None) -> dict[int, Lately]:
    """The columns by brand."""
    *texts, by = row
    brands, *columns = (np.fromstring(text, dtype=np.int64, sep=",") for text in texts if text)
    named = {int(one): who for one, who in orjson.loads(by or "{}").items()}
    order = np.argsort(brands, kind="stable")
    numbers, starts = np.unique(brands[order], return_index=True)
    several = [np.split(column[order], starts[1:]) for column in columns]
    return {
        brand: Lately.of(brand, columns, named)
        for brand, *columns in zip(numbers.tolist(), *several, strict=True)
    }


def _microseconds(lite: bool) -> sa.ColumnElement[int]:
    """When it was published, in microseconds since 1970."""
    at = col(Mention.published_at)
    if lite:
        return _seconds() * 1_000_000 + sa.cast(func.substr(at, 21, 6), sa.BigInteger)
    return sa.cast(func.round(func.date_part("epoch", at) * 1e6), sa.BigInteger)


async def reports(session: AsyncSession, *, since: datetime) -> list[Report]:
    """The complaints of harm published since then, in order."""
    found = await bulk(
        session,
        sa.select(
            col(Mention.id),
            col(Mention.brand_id),
            col(Mention.published_at),
            col(Mention.kind),
            col(Mention.author_id),
            col(Mention.author_handle),
            col(Mention.connector),
            col(Mention.reasons),
            col(Mention.title),
            _beginning(),
        )
        .where(
            *_counted(since),
            col(Mention.flagged).is_(True),
            sa.cast(col(Mention.reasons), sa.Text).contains(SAYS),
        )
        .order_by(col(Mention.published_at), col(Mention.id)),
    )
    return [
        Report(
            row.id,
            row.brand_id,
            row.published_at,
            row.kind,
            _author(row),
            row.reasons,
            words_of(row.title, row.text),
        )
        for row in found
    ]


async def roots(session: AsyncSession, numbers: Sequence[int]) -> dict[int, datetime]:
    """Posts of the same cases of which the model was not sure: others may only pass them on.

    Each with when it was published.
    """
    ours = sa.select(col(Mention.case_id)).where(
        _among(session, col(Mention.id), numbers), col(Mention.case_id).is_not(None)
    )
    cases = sorted(set((await bulk(session, ours)).scalars()))
    found = await bulk(
        session,
        sa.select(col(Mention.id), col(Mention.published_at)).where(
            _among(session, col(Mention.case_id), cases),
            col(Mention.unsure).is_(True),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        ),
    )
    known = set(numbers)
    return {row.id: row.published_at for row in found if row.id not in known}


async def words(session: AsyncSession, numbers: Collection[int]) -> list[Words]:
    """What these mentions say and who says it."""
    if not numbers:
        return []
    found = await bulk(
        session,
        sa.select(
            col(Mention.id),
            col(Mention.author_id),
            col(Mention.author_handle),
            col(Mention.connector),
            col(Mention.title),
            _beginning(),
        ).where(_among(session, col(Mention.id), numbers)),
    )
    return [Words(row.id, _author(row), words_of(row.title, row.text)) for row in found]


def _among(session: AsyncSession, column: Any, numbers: Collection[int]) -> sa.ColumnElement[bool]:
    """That a column has one of so many numbers that each alone would make a long statement."""
    if session.get_bind().dialect.name == "sqlite":
        several = func.json_each(orjson.dumps(list(numbers)).decode()).table_valued("value")
        listed: sa.ColumnElement[bool] = column.in_(sa.select(several.c.value))
        return listed
    array = sa.literal(list(numbers), postgresql.ARRAY(sa.BigInteger))
    equal: sa.ColumnElement[bool] = column == sa.any_(array)
    return equal


def _beginning() -> sa.ColumnElement[Any]:
    return func.substr(col(Mention.text), 1, LETTERS).label("text")


def _author(row: Any) -> str:
    return f"{row.connector} {row.author_id or row.author_handle or row.id}"


async def hours(
    session: AsyncSession, brands: Collection[int], *, since: datetime, until: datetime
) -> list[Hour]:
    """How many mentions some brands had in every hour, by source; hours without any are left out."""
    hour = _hour(session)
    found = await bulk(
        session,
        sa.select(
            col(Mention.brand_id),
            col(Mention.source_id),
            hour.label("hour"),
            func.count().label("mentions"),
            func.count(sa.case((col(Mention.flagged).is_(True), 1))).label("complaints"),
            func.count(sa.case((col(Mention.in_reply_to).is_(None), 1))).label("opening"),
        )
        .where(
            col(Mention.brand_id).in_(brands), *_counted(since), col(Mention.published_at) < until
        )
        .group_by(col(Mention.brand_id), col(Mention.source_id), hour),
    )
    return [
        Hour(row.brand_id, row.source_id, row.hour, row.mentions, row.complaints, row.opening)
        for row in found
    ]


async def themes(
    session: AsyncSession, brands: Collection[int], *, since: datetime, until: datetime
) -> list[Shared]:
    """The themes of some brands that are watched, each with the complaints of every hour."""
    found_at: Any = (
        sa.select(sa.func.min(col(ThemeEvent.at)))
        .where(
            col(ThemeEvent.theme_id) == col(Theme.id),
            col(ThemeEvent.what).in_((Became.BEGAN, Became.SPLIT)),
        )
        .correlate(Theme.__table__)  # type: ignore[attr-defined]
        .scalar_subquery()
    )
    standing = await bulk(
        session,
        sa.select(
            col(Theme.id), col(Theme.brand_id), col(Theme.began_at), found_at.label("found_at")
        )
        .where(col(Theme.brand_id).in_(brands), *_watched())
        .order_by(col(Theme.id)),
    )
    hour = _hour(session)
    counted = await bulk(
        session,
        sa.select(col(Belonging.theme_id), hour.label("hour"), func.count().label("complaints"))
        .join(Mention, col(Mention.id) == col(Belonging.mention_id))
        .join(Theme, col(Theme.id) == col(Belonging.theme_id))
        .where(
            col(Theme.brand_id).in_(brands),
            *_watched(),
            *_counted(since),
            col(Mention.flagged).is_(True),
            col(Mention.published_at) < until,
        )
        .group_by(col(Belonging.theme_id), hour),
    )
    by_theme: dict[int, dict[int, int]] = {}
    for row in counted:
        by_theme.setdefault(row.theme_id, {})[row.hour] = row.complaints
    return [
        Shared(row.id, row.brand_id, row.found_at or row.began_at, by_theme.get(row.id, {}))
        for row in standing
    ]


async def heirs(session: AsyncSession, numbers: Collection[int]) -> dict[int, int]:
    """Which themes were parts of these, by their numbers: what was said of one is of the other."""
    if not numbers:
        return {}
    found = await bulk(
        session,
        sa.select(col(ThemeEvent.theme_id), col(ThemeEvent.other)).where(
            col(ThemeEvent.what) == Became.SPLIT, col(ThemeEvent.other).in_(numbers)
        ),
    )
    return {row.theme_id: row.other for row in found}


async def merged(session: AsyncSession, numbers: Collection[int]) -> dict[int, int]:
    """Which of these themes have become others, and which."""
    found: dict[int, int] = {}
    asked = set(numbers)
    while asked:
        rows = await bulk(
            session,
            sa.select(col(Theme.id), col(Theme.merged_into)).where(
                col(Theme.id).in_(asked), col(Theme.merged_into).is_not(None)
            ),
        )
        new = {row.id: row.merged_into for row in rows if row.id not in found}
        found |= new
        asked = set(new.values())
    return found


def _watched() -> tuple[sa.ColumnElement[bool], ...]:
    return sa.not_(col(Theme.muted)), col(Theme.ended_at).is_(None)


def _by() -> sa.ColumnElement[Any]:
    """Who said it, the same for the same author."""
    return (
        col(Mention.connector)
        + " "
        + func.coalesce(
            func.nullif(col(Mention.author_id), ""),
            func.nullif(col(Mention.author_handle), ""),
            sa.cast(col(Mention.id), sa.String),
        )
    )


def _hour(session: AsyncSession) -> Any:
    if session.get_bind().dialect.name == "sqlite":
        return _seconds() // sa.literal_column("3600", sa.Integer)
    return sa.cast(func.floor(func.extract("epoch", col(Mention.published_at)) / 3600), sa.Integer)


def _seconds() -> sa.ColumnElement[int]:
    """When it was published, in whole seconds since 1970, as SQLite says it."""
    # Told of the fraction as well, it makes the next second of the last half millisecond.
    whole = func.substr(col(Mention.published_at), 1, 19)
    return sa.cast(func.strftime("%s", whole), sa.BigInteger)


async def last_heard(
    session: AsyncSession, pairs: Collection[tuple[int, int]]
) -> dict[tuple[int, int], datetime]:
    """When each of these sources last brought something about a brand; pairs of brand and source."""
    last = (
        sa.select(col(Mention.published_at))
        .where(
            col(Mention.brand_id) == col(Brand.id),
            col(Mention.source_id) == col(Source.id),
            sa.not_(col(Mention.ours)),
        )
        .order_by(col(Mention.published_at).desc())
        .limit(1)
        .correlate(Brand.__table__, Source.__table__)  # type: ignore[attr-defined]
        .scalar_subquery()
    )
    ordered = sorted(pairs)
    heard: dict[tuple[int, int], datetime] = {}
    for start in range(0, len(ordered), PAIRS):
        some = ordered[start : start + PAIRS]
        found = await bulk(
            session,
            sa.select(col(Brand.id), col(Source.id), last)
            .select_from(Brand)
            .join(Source, sa.true())
            .where(sa.tuple_(col(Brand.id), col(Source.id)).in_(some)),
        )
        for row in found:
            brand, source, at = tuple(row)
            if at is not None:
                heard[brand, source] = at
    return heard


async def brands(session: AsyncSession) -> list[int]:
    """All brands that are watched."""
    found = await bulk(session, sa.select(col(Brand.id)).order_by(col(Brand.id)))
    return [number for (number,) in found]
