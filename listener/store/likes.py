"""Likes: other complaints of the last day that say nearly the same."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from rapidfuzz import fuzz, process
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
KEPT: Final = timedelta(seconds=20)  # how long the words of a brand's day may be used again


@dataclass
class Likes:
    """Finds the like complaints; what a brand's day said is read once for many cases."""

    _days: dict[int, tuple[datetime, dict[int, str]]] = field(default_factory=dict)

    async def of_last_day(
        self, session: AsyncSession, mention: Mention, *, now: datetime, limit: int = MOST
    ) -> list[Lead]:
        """Complaints about the same brand in the last day that share most of their words.

        The most alike first. What belongs to the same case is not among them, nor what is
        deleted; what came in the last seconds may be missing.
        """
        said = words(mention.words)
        if not said:
            return []
        found = process.extract(
            said,
            await self.day(session, mention.brand_id, now),
            scorer=fuzz.token_set_ratio,
            score_cutoff=ALIKE,
            limit=None,
        )
        ranked = [number for _, _, number in sorted(found, key=lambda one: (-one[1], one[2]))]
        others = await standing(session, ranked, mention)
        return await shown(session, [number for number in ranked if number in others][:limit])

    async def day(self, session: AsyncSession, brand_id: int, now: datetime) -> dict[int, str]:
        """The words of a brand's latest complaints of the last day, by the mention's number."""
        read_at, said = self._days.get(brand_id, (None, {}))
        if read_at is None or not timedelta() <= now - read_at < KEPT:
            wanted = (
                select(col(Mention.id), col(Mention.title), col(Mention.text))
                .where(
                    col(Mention.brand_id) == brand_id,
                    col(Mention.published_at) >= now - DAY,
                    or_(col(Mention.flagged).is_(True), col(Mention.unsure).is_(True)),
                    col(Mention.deleted_at).is_(None),
                    col(Mention.purged_at).is_(None),
                )
                .order_by(col(Mention.published_at).desc())
                .limit(COMPARED)
            )
            said = {
                row.id: words(f"{row.title or ''} {row.text}")
                for row in await bulk(session, wanted)
            }
            self._days[brand_id] = (now, said)
        return said


async def standing(session: AsyncSession, ids: list[int], mention: Mention) -> set[int]:
    """Those of these mentions that still stand, in another case than this one."""
    if not ids:
        return set()
    wanted = select(col(Mention.id)).where(
        col(Mention.id).in_(ids),
        col(Mention.id) != mention.key,
        col(Mention.deleted_at).is_(None),
        col(Mention.purged_at).is_(None),
    )
    if mention.case_id is not None:
        wanted = wanted.where(
            or_(col(Mention.case_id).is_(None), col(Mention.case_id) != mention.case_id)
        )
    return {row.id for row in await bulk(session, wanted)}


def words(text: str) -> str:
    """The beginning of a text, as likeness sees it."""
    return " ".join(plain_words(text[:LENGTH]))
