"""Likes: other complaints of the last day that say nearly the same."""

from datetime import datetime, timedelta
from typing import Final

from rapidfuzz import fuzz
from sqlalchemy import or_, select
from sqlmodel import col

from listener.domain.likeness import plain_words
from listener.domain.mention import Mention
from listener.store.rows import Lead, shown
from listener.store.session import AsyncSession, bulk

DAY: Final = timedelta(days=1)
MOST: Final = 5
COMPARED: Final = 300  # complaints of the day that are looked at, the latest
LENGTH: Final = 500  # characters of each
ALIKE: Final = 60.0  # of 100: copies have joined the case already, this is for the same cause


async def of_last_day(
    session: AsyncSession, mention: Mention, *, now: datetime, limit: int = MOST
) -> list[Lead]:
    """Complaints about the same brand in the last day that share most of their words.

    The most alike first. What belongs to the same case is not among them.
    """
    said = " ".join(plain_words(mention.words[:LENGTH]))
    if not said:
        return []
    wanted = (
        select(col(Mention.id), col(Mention.title), col(Mention.text))
        .where(
            col(Mention.brand_id) == mention.brand_id,
            col(Mention.published_at) >= now - DAY,
            col(Mention.id) != mention.key,
            or_(col(Mention.flagged).is_(True), col(Mention.unsure).is_(True)),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        )
        .order_by(col(Mention.published_at).desc())
        .limit(COMPARED)
    )
    if mention.case_id is not None:
        wanted = wanted.where(
            or_(col(Mention.case_id).is_(None), col(Mention.case_id) != mention.case_id)
        )
    likeness: list[tuple[float, int]] = []
    for row in await bulk(session, wanted):
        other = " ".join(plain_words(f"{row.title or ''} {row.text}"[:LENGTH]))
        points = fuzz.token_set_ratio(said, other, score_cutoff=ALIKE)
        if points:
            likeness.append((-points, row.id))
    return await shown(session, [number for _, number in sorted(likeness)[:limit]])
