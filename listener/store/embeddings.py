"""Embeddings: kept with the verdict that brought them, forgotten with the words."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import delete, insert
from sqlmodel import col, select

from listener.domain.embedding import Embedding
from listener.domain.mention import Mention
from listener.store.session import AsyncSession, bulk
from models.verdict import Verdict

PORTION = 10_000  # numbers in one question
LATE: Final = timedelta(minutes=1)  # what was kept at a moment may be seen so much later


class Placed(NamedTuple):
    """A mention whose words lie somewhere; `vector` only of the model that was asked for."""

    mention_id: int
    vector: bytes | None
    kept_at: datetime
    published_at: datetime


class Kept(NamedTuple):
    """Where a model puts the words of a mention of a brand."""

    mention_id: int
    brand_id: int
    verdict: Verdict


async def keep(session: AsyncSession, kept: Sequence[Kept], *, now: datetime) -> None:
    """Keep where these mentions lie now, in place of where they lay before."""
    await forget(session, [one.mention_id for one in kept])
    rows = [
        {
            "mention_id": one.mention_id,
            "model": one.verdict.model,
            "vector": one.verdict.embedding,
            "brand_id": one.brand_id,
            "kept_at": now,
        }
        for one in kept
        if one.verdict.embedding
    ]
    if rows:
        await bulk(session, insert(Embedding), rows)


async def of(session: AsyncSession, mention_ids: Sequence[int], model: str) -> dict[int, bytes]:
    """Where these mentions lie, by number, as far as this model (name and version) has said it."""
    found: dict[int, bytes] = {}
    for start in range(0, len(mention_ids), PORTION):
        rows = await bulk(
            session,
            select(Embedding.mention_id, Embedding.vector).where(
                Embedding.model == model,
                col(Embedding.mention_id).in_(mention_ids[start : start + PORTION]),
            ),
        )
        found |= {row.mention_id: row.vector for row in rows}
    return found


async def forget(session: AsyncSession, mention_ids: Collection[int]) -> None:
    """The words of these mentions have gone: so does what tells of their meaning."""
    await session.exec(
        delete(Embedding)
        .where(col(Embedding.mention_id).in_(mention_ids))
        .execution_options(synchronize_session=False)
    )


async def placed(
    session: AsyncSession,
    brand_id: int,
    model: str,
    *,
    since: datetime,
    before: Placed | None,
    limit: int,
) -> list[Placed]:
    """The mentions of a brand placed since then, the last kept first; behind `before` if told."""
    asked: Any = (
        sa.select(
            col(Embedding.mention_id),
            sa.case((col(Embedding.model) == model, col(Embedding.vector))).label("vector"),
            col(Embedding.kept_at),
            col(Mention.published_at),
        )
        .join(Mention, col(Mention.id) == col(Embedding.mention_id))
        .where(col(Embedding.brand_id) == brand_id, col(Embedding.kept_at) >= since)
        .order_by(col(Embedding.kept_at).desc(), col(Embedding.mention_id).desc())
        .limit(limit)
    )
    if before is not None:
        # As one comparison of both, so that the index is entered where the last portion ended.
        here = sa.tuple_(col(Embedding.kept_at), col(Embedding.mention_id))
        asked = asked.where(here < (before.kept_at, before.mention_id))
    return [
        Placed(row.mention_id, row.vector, row.kept_at, row.published_at)
        for row in await bulk(session, asked)
    ]


async def one(session: AsyncSession, mention_id: int) -> Embedding | None:
    """Where one mention lies, and by which model."""
    return await session.get(Embedding, mention_id)
