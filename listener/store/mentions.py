"""Mentions: which wait for a verdict, which must be asked for again, which are found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from connectors.kit.contract import Kind
from listener.domain.brand import Brand
from listener.domain.mention import Mention, Sighting, next_recheck, stars_of, words_of
from listener.domain.source import Source
from listener.domain.triage import Finding
from listener.store import embeddings
from listener.store.embeddings import Kept
from listener.store.session import LOCK, AsyncSession, bulk, locked_for_update
from models.verdict import Verdict

LEASE = timedelta(seconds=30)
# As the small index of what waits says it: compared with a truth value, SQLite looks at all.
WAITS: Final[ColumnElement[Any]] = literal_column("mentions.waits")
# What judging needs to know: whole mentions, as objects, were much of what taking them cost.
JUDGED: Final[tuple[Any, ...]] = (
    col(Mention.id),
    col(Mention.brand_id),
    col(Mention.revision),
    col(Mention.title),
    col(Mention.text),
    col(Mention.rating),
    col(Mention.rating_lowest),
    col(Mention.rating_highest),
    col(Mention.kind),
    col(Mention.language),
    col(Mention.connector),
    col(Mention.author_id),
    col(Mention.author_handle),
    col(Mention.author_name),
    col(Mention.revisions),
    col(Mention.reach),
    col(Mention.author_reach),
    col(Mention.late),
    col(Mention.case_id),
)
ASKING = timedelta(minutes=10)  # a recheck that died is tried again after this


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mention that waits for a verdict, as far as judging needs to know it."""

    id: int
    brand_id: int
    brand: str
    revision: str
    words: str  # title and text as one
    answers: str | None  # the words of the mention that it replies to, where that is kept
    stars: float | None
    kind: Kind
    language: str | None
    connector: str
    author: str  # what tells one author from another
    names: tuple[str, ...]  # all that its place calls them
    revision_number: int
    reach: int | None
    late: bool
    case_id: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, what triage makes of it, and the mention and revision it is about."""

    mention: Waiting
    verdict: Verdict
    finding: Finding


async def waiting(session: AsyncSession, brand_id: int | None = None) -> int:
    """How many mentions wait for a verdict; only those of a brand if told."""
    asked = select(func.count()).select_from(Mention).where(WAITS)
    if brand_id is not None:
        # As a sum, so that the small index of what waits is gone through, not all of the brand.
        asked = asked.where(col(Mention.brand_id) + 0 == brand_id)
    return (await session.exec(asked)).one()


async def oldest_waiting(session: AsyncSession) -> datetime | None:
    """When the mention that has waited longest for a verdict was seen."""
    return (await session.exec(select(func.min(Mention.seen_at)).where(WAITS))).one()


async def take_unjudged(session: AsyncSession, *, limit: int, now: datetime) -> Sequence[Waiting]:
    """Take mentions that wait for a verdict, oldest first, for as long as a lease lasts."""
    free = (
        select(Mention.id)
        .where(
            WAITS,
            or_(col(Mention.taken_until).is_(None), col(Mention.taken_until) <= now),
        )
        .order_by(col(Mention.id))
        .limit(limit)
    )
    ids = (await session.exec(locked_for_update(free, session))).all()
    if not ids:
        return []
    await session.exec(
        update(Mention)
        .where(col(Mention.id).in_(ids))
        .values(taken_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    parent = aliased(Mention)
    found = await bulk(
        session,
        sa.select(
            *JUDGED,
            col(Brand.name).label("brand"),
            col(parent.title).label("parent_title"),
            col(parent.text).label("parent_text"),
        )
        .join(Brand, col(Brand.id) == col(Mention.brand_id))
        .outerjoin(
            parent,
            and_(
                col(parent.connector) == col(Mention.connector),
                col(parent.post_id) == col(Mention.in_reply_to),
                col(parent.brand_id) == col(Mention.brand_id),
                col(parent.deleted_at).is_(None),
                col(parent.purged_at).is_(None),
            ),
        )
        .where(col(Mention.id).in_(ids))
        .order_by(col(Mention.id)),
    )
    return [
        as_waiting(row, row.brand, words_of(row.parent_title, row.parent_text or "") or None)
        for row in found
    ]


def as_waiting(mention: Mention | sa.Row[Any], brand: str, answers: str | None = None) -> Waiting:
    """What judging needs to know of a mention."""
    reaches = [reach for reach in (mention.reach, mention.author_reach) if reach is not None]
    return Waiting(
        id=mention.id or 0,
        brand_id=mention.brand_id,
        brand=brand,
        revision=mention.revision,
        words=words_of(mention.title, mention.text),
        answers=answers,
        stars=stars_of(mention.rating, mention.rating_lowest, mention.rating_highest),
        kind=mention.kind,
        language=mention.language,
        connector=mention.connector,
        author=mention.author_id or mention.author_handle,
        names=(mention.author_id, mention.author_handle, mention.author_name),
        revision_number=mention.revisions,
        reach=max(reaches, default=None),
        late=mention.late,
        case_id=mention.case_id,
    )


async def still_waiting(session: AsyncSession, judged: Sequence[Judged]) -> list[Judged]:
    """Those whose mention still waits, in the revision that was judged; locked until the end."""
    found = await session.exec(
        select(Mention.id, Mention.revision)
        .where(col(Mention.id).in_([one.mention.id for one in judged]), col(Mention.waits))
        .order_by(col(Mention.id))
        .with_for_update(**LOCK)
    )
    standing = dict(found.all())
    return [one for one in judged if standing.get(one.mention.id) == one.mention.revision]


async def keep_verdicts(session: AsyncSession, judged: Sequence[Judged], *, now: datetime) -> None:
    """Write verdicts on their mentions."""
    if not judged:
        return
    table = Mention.__table__  # type: ignore[attr-defined]
    await bulk(
        session,
        update(table)
        .where(table.c.id == bindparam("mention"))
        .values(
            waits=False,
            taken_until=None,
            judged_at=now,
            complaint=bindparam("p_complaint"),
            feeling=bindparam("p_feeling"),
            confidence=bindparam("p_confidence"),
            model=bindparam("p_model"),
            learnt=bindparam("p_learnt"),
            language=bindparam("p_language"),
            flagged=bindparam("p_flagged"),
            unsure=bindparam("p_unsure"),
            urgent=bindparam("p_urgent"),
            conflict=bindparam("p_conflict"),
            reasons=bindparam("p_reasons"),
        ),
        [
            {
                "mention": one.mention.id,
                "p_complaint": one.finding.complaint,
                "p_feeling": one.verdict.feeling,
                "p_confidence": one.verdict.confidence,
                "p_model": one.verdict.model,
                "p_learnt": one.verdict.learnt,
                "p_language": one.mention.language or one.verdict.language,
                "p_flagged": one.finding.flagged,
                "p_unsure": one.finding.unsure,
                "p_urgent": one.finding.urgent,
                "p_conflict": one.finding.conflict,
                "p_reasons": list(one.finding.reasons),
            }
            for one in judged
        ],
    )
    kept = [Kept(one.mention.id, one.mention.brand_id, one.verdict) for one in judged]
    await embeddings.keep(session, kept, now=now)


async def give_back(session: AsyncSession, ids: Sequence[int] | None = None) -> None:
    """Let go of mentions that were taken and not judged; without ids, of all."""
    let_go = update(Mention).where(WAITS, col(Mention.taken_until).is_not(None))
    if ids is not None:
        let_go = let_go.where(col(Mention.id).in_(ids))
    await session.exec(let_go.values(taken_until=None).execution_options(synchronize_session=False))


async def take_due(
    session: AsyncSession, connectors: Sequence[str], *, limit: int, now: datetime
) -> dict[int, list[tuple[int, str]]]:
    """Take mentions that are to be asked for again: id and post id, by the source that has them."""
    due = (
        select(Mention.id, Mention.post_id, Mention.source_id)
        .where(
            col(Mention.recheck_at) <= now,
            col(Mention.deleted_at).is_(None),
            col(Mention.connector).in_(connectors),
        )
        .order_by(col(Mention.recheck_at))
        .limit(limit)
    )
    by_source: dict[int, list[tuple[int, str]]] = {}
    for mention_id, post_id, source_id in (
        await session.exec(locked_for_update(due, session))
    ).all():
        by_source.setdefault(source_id, []).append((mention_id or 0, post_id))
    taken = [mention_id for rows in by_source.values() for mention_id, _ in rows]
    if taken:
        await session.exec(
            update(Mention)
            .where(col(Mention.id).in_(taken))
            .values(recheck_at=now + ASKING)
            .execution_options(synchronize_session=False)
        )
    return by_source


async def locked(session: AsyncSession, ids: Sequence[int]) -> dict[int, Mention]:
    """Mentions by number, locked until the transaction ends."""
    found = await session.exec(
        select(Mention)
        .where(col(Mention.id).in_(ids))
        .order_by(col(Mention.id))
        .with_for_update(**LOCK)
    )
    return {mention.key: mention for mention in found}


def rechecked(mention: Mention) -> None:
    """Note that a mention has been asked for, and when it is due again."""
    mention.rechecks += 1
    mention.recheck_at = next_recheck(mention.seen_at, mention.rechecks)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which mentions are wanted; None is all."""

    brand: str | None = None
    source: str | None = None
    flagged: bool | None = None
    since: datetime | None = None
    ids: Sequence[int] | None = None
    limit: int | None = None


async def found(session: AsyncSession, filters: Filters) -> Sequence[tuple[Mention, str]]:
    """Mentions with their brand's name, in the order they were first seen."""
    query = (
        select(Mention, Brand.name)
        .join(Brand, col(Brand.id) == col(Mention.brand_id))
        .order_by(col(Mention.id))
    )
    if filters.brand is not None:
        query = query.where(Brand.name == filters.brand)
    if filters.source is not None:
        query = query.where(
            col(Mention.id).in_(
                select(Sighting.mention_id)
                .join(Source, col(Source.id) == col(Sighting.source_id))
                .where(Source.name == filters.source)
            )
        )
    if filters.flagged is not None:
        query = query.where(col(Mention.flagged) == filters.flagged)
    if filters.since is not None:
        query = query.where(col(Mention.published_at) >= filters.since)
    if filters.ids is not None:
        query = query.where(col(Mention.id).in_(filters.ids))
    if filters.limit is not None:
        query = query.order_by(None).order_by(col(Mention.id).desc()).limit(filters.limit)
    rows = (await session.exec(query)).all()
    return rows if filters.limit is None else rows[::-1]


async def sightings(session: AsyncSession, ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The names of the sources that saw each mention, the first one first."""
    names: dict[int, list[str]] = {}
    for start in range(0, len(ids), 10_000):
        rows = await session.exec(
            select(Sighting.mention_id, Source.name)
            .join(Source, col(Source.id) == col(Sighting.source_id))
            .where(col(Sighting.mention_id).in_(ids[start : start + 10_000]))
            .order_by(col(Sighting.seen_at), col(Source.id))
        )
        for mention_id, name in rows:
            names.setdefault(mention_id, []).append(name)
    return names


async def of_case(session: AsyncSession, case_id: int) -> Sequence[Mention]:
    """The mentions that one case is about, the first first."""
    return (
        await session.exec(
            select(Mention).where(Mention.case_id == case_id).order_by(col(Mention.id))
        )
    ).all()


async def past_keeping(
    session: AsyncSession,
    *,
    without_case_before: datetime,
    with_case_before: datetime,
    connector_limits: Mapping[str, datetime],
    limit: int,
) -> Sequence[int]:
    """Mentions whose words have been kept long enough."""
    old = [
        and_(col(Mention.case_id).is_(None), col(Mention.seen_at) < without_case_before),
        and_(col(Mention.case_id).is_not(None), col(Mention.seen_at) < with_case_before),
        *(
            and_(col(Mention.connector) == name, col(Mention.seen_at) < limit_)
            for name, limit_ in connector_limits.items()
        ),
    ]
    rows = await session.exec(
        select(Mention.id)
        .where(col(Mention.purged_at).is_(None), or_(*old))
        .order_by(col(Mention.id))
        .limit(limit)
    )
    return [mention_id for mention_id in rows if mention_id is not None]
