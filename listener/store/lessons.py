"""Lessons: which texts a correction speaks of, kept with it and forgotten with its words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert
from sqlmodel import col, select

from listener.domain.correction import Better, Correction
from listener.domain.lesson import Lesson, same_words
from listener.domain.likeness import fingerprints
from listener.domain.mention import Mention
from listener.store.session import AsyncSession, bulk


@dataclass(frozen=True, slots=True)
class Taught:
    """A correction that a fingerprint leads to, and the words it was made from."""

    correction_id: int
    better: Better
    mention_id: int
    words: str


async def keep(session: AsyncSession, corrections: Sequence[tuple[Correction, Mention]]) -> None:
    """Remember of which texts these corrections speak.

    That something is no complaint is believed of the same words only, that it is one also of
    near copies: so nothing is lost because it resembles something harmless.
    """
    rows = [
        {
            "band": band,
            "brand_id": mention.brand_id,
            "correction_id": correction.key,
            "mention_id": mention.key,
        }
        for correction, mention in corrections
        for band in set(prints(mention, copies=correction.better is Better.COMPLAINT))
    ]
    if rows:
        await bulk(session, insert(Lesson), rows)


def prints(mention: Mention, *, copies: bool) -> list[int]:
    """The fingerprints of a mention's words and, with `copies`, those that near copies share."""
    numbers = same_words(mention.words, names_of(mention), mention.stars)
    if copies:
        numbers += fingerprints(mention.words, mention.author_id or mention.author_handle)
    return numbers


def names_of(mention: Mention) -> tuple[str, ...]:
    """All names that its place gives a mention's author."""
    return mention.author_id, mention.author_handle, mention.author_name


async def brands_with_any(session: AsyncSession, brands: Collection[int]) -> set[int]:
    """Those of these brands of which people have corrected anything."""
    rows = await session.exec(
        select(Lesson.brand_id).where(col(Lesson.brand_id).in_(brands)).distinct()
    )
    return set(rows)


async def found(
    session: AsyncSession, brands: Collection[int], bands: Collection[int]
) -> dict[tuple[int, int], list[Taught]]:
    """What these fingerprints lead to, by brand and fingerprint."""
    rows = await session.exec(
        select(Lesson.brand_id, Lesson.band, Correction, Mention)
        .join(Correction, col(Correction.id) == col(Lesson.correction_id))
        .join(Mention, col(Mention.id) == col(Lesson.mention_id))
        .where(col(Lesson.band).in_(bands))
    )
    made: dict[tuple[int, int], list[Taught]] = {}
    for brand_id, band, correction, mention in rows:
        if brand_id in brands:
            taught = Taught(correction.key, correction.better, mention.key, mention.words)
            made.setdefault((brand_id, band), []).append(taught)
    return made


async def forget(session: AsyncSession, mention_ids: Collection[int]) -> None:
    """The words of these mentions have gone: so does what leads from others to them."""
    await session.exec(
        delete(Lesson)
        .where(col(Lesson.mention_id).in_(mention_ids))
        .execution_options(synchronize_session=False)
    )
