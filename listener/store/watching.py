"""Watching: what was said lately, what was said at every hour of the weeks before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlmodel import col

from listener.domain.brand import Brand
from listener.domain.likeness import Words
from listener.domain.lookout import Said
from listener.domain.mention import Mention, words_of
from listener.domain.outlook import Hour, Shared
from listener.domain.report import SAYS, Report
from listener.domain.source import Source
from listener.domain.theme import Became, Belonging, Theme, ThemeEvent
from listener.store.session import AsyncSession, bulk

PAIRS: Final = 5_000  # in one question: a database takes some thirty thousand numbers
LETTERS: Final = 2_000  # of each post: who says more does not only pass on


def _counted(since: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        col(Mention.published_at) >= since,
        sa.not_(col(Mention.ours)),
        col(Mention.deleted_at).is_(None),
    ]


async def lately(session: AsyncSession, *, since: datetime, until: datetime) -> list[Said]:
    """What was published from one moment to another, of all brands, in order: one index serves it."""
    found = await bulk(
        session,
        sa.select(
            col(Mention.id),
            col(Mention.brand_id),
            col(Mention.source_id),
            col(Mention.published_at),
            func.coalesce(col(Mention.flagged), sa.false()),
            col(Theme.id),
            sa.case((col(Theme.id).is_not(None), _by()), else_=""),
        )
        .outerjoin(Belonging, col(Belonging.mention_id) == col(Mention.id))
        .outerjoin(Theme, sa.and_(col(Theme.id) == col(Belonging.theme_id), *_watched()))
        .where(*_counted(since), col(Mention.published_at) < until)
        .order_by(col(Mention.published_at)),
    )
    return [Said._make(row) for row in found.all()]


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


async def roots(session: AsyncSession, numbers: Sequence[int]) -> list[int]:
    """Posts of the same cases of which the model was not sure: others may only pass them on."""
    cases: set[int] = set()
    for start in range(0, len(numbers), PAIRS):
        asked = sa.select(col(Mention.case_id)).where(
            col(Mention.id).in_(numbers[start : start + PAIRS]), col(Mention.case_id).is_not(None)
        )
        cases |= set((await bulk(session, asked)).scalars())
    found: list[int] = []
    told = sorted(cases)
    for start in range(0, len(told), PAIRS):
        wanted = sa.select(col(Mention.id)).where(
            col(Mention.case_id).in_(told[start : start + PAIRS]),
            col(Mention.unsure).is_(True),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        )
        found += (await bulk(session, wanted)).scalars()
    return sorted(set(found) - set(numbers))


async def words(session: AsyncSession, numbers: Sequence[int]) -> list[Words]:
    """What these mentions say and who says it, in order of time."""
    found: list[Any] = []
    for start in range(0, len(numbers), PAIRS):
        found += await bulk(
            session,
            sa.select(
                col(Mention.id),
                col(Mention.published_at),
                col(Mention.author_id),
                col(Mention.author_handle),
                col(Mention.connector),
                col(Mention.title),
                _beginning(),
            ).where(col(Mention.id).in_(numbers[start : start + PAIRS])),
        )
    found.sort(key=lambda row: (row.published_at, row.id))
    return [Words(row.id, _author(row), words_of(row.title, row.text)) for row in found]


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
        )
        .where(
            col(Mention.brand_id).in_(brands), *_counted(since), col(Mention.published_at) < until
        )
        .group_by(col(Mention.brand_id), col(Mention.source_id), hour),
    )
    return [
        Hour(row.brand_id, row.source_id, row.hour, row.mentions, row.complaints) for row in found
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
        seconds = sa.cast(func.strftime("%s", col(Mention.published_at)), sa.Integer)
        return seconds // sa.literal_column("3600", sa.Integer)
    return sa.cast(func.floor(func.extract("epoch", col(Mention.published_at)) / 3600), sa.Integer)


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
