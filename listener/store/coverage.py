"""Coverage: what has provably been read of a source, and what has not."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from connectors.kit.contract import Span
from listener.domain.coverage import Covered, gaps, merged
from listener.domain.source import Source
from listener.store.session import AsyncSession


async def spans_of(session: AsyncSession, source: Source) -> list[Span]:
    """The stretches of time of which every post has been read, in order."""
    rows = await session.exec(
        select(Covered).where(Covered.source_id == source.id).order_by(col(Covered.starts_at))
    )
    return merged(row.span for row in rows)


async def gaps_of(
    session: AsyncSession, source: Source, *, since: datetime | None = None
) -> Sequence[Span]:
    """The stretches that nothing proves read, since the source began or since an earlier moment."""
    spans = await spans_of(session, source) or [Span(source.since, source.since)]
    return gaps(spans, since=min(source.since, since or source.since))
