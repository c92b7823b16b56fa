"""Near: which of the mentions that lie nearest may be shown and fit, and which have a word."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select
from sqlmodel import col

from listener.domain.embedding import Embedding
from listener.domain.mention import Mention
from listener.domain.words import Phrase
from listener.store import search
from listener.store.mentions import WAITS
from listener.store.search import Search, conditions
from listener.store.session import AsyncSession, bulk

STEM: Final = 4  # letters from which on a word may go on: coupon finds coupons, and an no and


async def fitting(
    session: AsyncSession,
    ids: Sequence[int],
    wanted: Search,
    *,
    brands: Collection[int] | None,
) -> list[int]:
    """Those of these mentions that stand as the model has read them and fit, in the same order."""
    asked = (
        select(col(Mention.id))
        .join(Embedding, col(Embedding.mention_id) == col(Mention.id))
        .where(col(Mention.id).in_(ids), ~WAITS, *conditions(wanted, brands))
    )
    there = set((await bulk(session, asked)).scalars())
    return [number for number in ids if number in there]


async def having(session: AsyncSession, word: str, brand_id: int, *, most: int) -> list[int]:
    """The latest mentions of a brand that have a word, or a longer one that begins with it."""
    phrase = Phrase((word,), begins=len(word) >= STEM)
    asked = search.having(session, [phrase], [[search.brand_mark(brand_id)]])
    number = asked.selected_columns[0]
    found = await bulk(session, asked.order_by(number.desc()).limit(most))
    return list(found.scalars())
