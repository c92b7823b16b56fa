"""Embeddings: kept with the verdict that brought them, forgotten with the words."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert
from sqlmodel import col, select

from listener.domain.embedding import Embedding
from listener.store.session import AsyncSession, bulk
from models.verdict import Verdict

PORTION = 10_000  # numbers in one question


async def keep(session: AsyncSession, verdicts: Sequence[tuple[int, Verdict]]) -> None:
    """Keep where these mentions lie now, in place of where they lay before."""
    await forget(session, [mention_id for mention_id, _ in verdicts])
    rows = [
        {"mention_id": mention_id, "model": verdict.model, "vector": verdict.embedding}
        for mention_id, verdict in verdicts
        if verdict.embedding
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
