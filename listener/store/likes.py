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
        likes: list[Lead] = []
        while ranked and len(likes) < limit:
            # Nearly all still stand, in other cases: twice as many as wanted will do.
            ranked, asked = ranked[2 * limit :], ranked[: 2 * limit]
            likes += [one for one in await shown(session, asked) if is_another(one, mention)]
        return likes[:limit]

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


def is_another(one: Lead, mention: Mention) -> bool:
    """Whether a post still stands, in another case than this mention's."""
    if one.deleted or one.purged or one.id == mention.id:
        return False
    return one.case_id is None or one.case_id != mention.case_id


def words(text: str) -> str:
    """The beginning of a text, as likeness sees it."""
    return " ".join(plain_words(text[:LENGTH]))
