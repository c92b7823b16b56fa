"""Finds which complaints share a cause, and keeps each cause's number and name from day to day."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import structlog

from listener.domain.cause import Said, cut, named
from listener.domain.embedding import Matrix, vectors
from listener.domain.grouping import grouped
from listener.domain.theme import LONGEST_NAME, Became, Theme, matched, step_reached
from listener.store import themes
from listener.store.session import AsyncSession, Store, now
from listener.store.themes import Heard
from models import shelf

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=5)  # a brand; a cause that is three posts old is early enough
BRANDS: Final = 20  # a step


@dataclass(frozen=True, slots=True)
class Group:
    """What several say, under the name that its words give it."""

    said: Sequence[Said]
    name: str
    quote_id: int


@dataclass
class Themes:
    """Looks through the complaints of each brand of which there are new ones."""

    store: Store
    looked_at: dict[int, datetime] = field(default_factory=dict)

    async def step(self) -> int:
        """Look through some brands; say how many."""
        async with self.store.reading() as session:
            moment = await now(session)
            waiting = await themes.due(session, now=moment, limit=BRANDS)
        looked = 0
        for brand_id in waiting:
            last = self.looked_at.get(brand_id)
            if last is None or not timedelta() <= moment - last < EVERY:
                looked += await self.look(brand_id)
                self.looked_at[brand_id] = moment
        return looked

    async def look(self, brand_id: int) -> bool:
        """Look through one brand, unless another worker has it."""
        async with self.store.transaction() as session:
            moment = await now(session)
            if not await themes.take(session, brand_id, now=moment):
                return False
        async with self.store.reading() as session:
            heard = await themes.heard(session, brand_id, now=moment)
        groups = await asyncio.to_thread(found, heard)
        async with self.store.transaction() as session:
            if not await themes.done(session, brand_id, taken=moment):
                return False
            await keep(session, heard, groups, now=moment)
        log.info("themes", brand=brand_id, complaints=len(heard.said), themes=len(groups))
        return True


def found(heard: Heard) -> list[Group]:
    """Group a brand's complaints and name the groups. It blocks for up to some seconds."""
    # What posts are found by sets none of them apart.
    known = [heard.brand.name, *heard.brand.handles, heard.brand.query]
    groups = grouped(
        heard.said,
        meanings(heard),
        lens=shelf.lens(heard.model),
        known=known,
        standing={one: theme for theme, its in heard.standing.items() for one in its},
        by_hand=heard.by_hand,
    )
    spoken = cut(heard.said, heard.others, known=known)
    made = []
    for places in groups:
        name, quote = named(spoken, places)
        said = [heard.said[place] for place in places]
        made.append(Group(said, name[:LONGEST_NAME], quote.mention_id))
    return made


def meanings(heard: Heard) -> Matrix | None:
    """The embeddings in the order of what was said; noughts where there is none."""
    if not heard.meanings:
        return None
    have = vectors(list(heard.meanings.values()))
    row_of = {mention_id: row for row, mention_id in enumerate(heard.meanings)}
    rows = np.zeros((len(heard.said), have.shape[1]), dtype=np.float32)
    for place, one in enumerate(heard.said):
        if one.mention_id in row_of:
            rows[place] = have[row_of[one.mention_id]]
    return rows


async def keep(
    session: AsyncSession, heard: Heard, groups: Sequence[Group], *, now: datetime
) -> None:
    """Find the standing themes in the groups again, and write down what became of each."""
    match = matched([{one.mention_id for one in g.said} for g in groups], heard.standing)
    known = await themes.of_brand(session, heard.brand.key)
    for group, number, source in zip(groups, match.themes, match.split_from, strict=True):
        theme = known.get(number or 0)
        first = min(heard.at[one.mention_id] for one in group.said)
        last = max(heard.at[one.mention_id] for one in group.said)
        people = len({one.by for one in group.said})
        if theme is None:
            theme = Theme(brand_id=heard.brand.key, name=group.name, began_at=first, last_at=last)
            session.add(theme)
            await session.flush()
            became = Became.BEGAN if source is None else Became.SPLIT
            themes.record(session, theme.key, became, now=now, other=source, words=str(people))
        elif theme.ended_at is not None:
            theme.ended_at = None
            themes.record(session, theme.key, Became.AGAIN, now=now)
        if theme.people and step_reached(theme.people, people):
            themes.record(session, theme.key, Became.GREW, now=now, words=str(people))
        theme.last_at = last
        theme.people = people
        theme.quote_id = group.quote_id
        await themes.belong(session, theme.key, [one.mention_id for one in group.said], now=now)
    for gone, into in match.merged.items():
        if gone in known:
            known[gone].ended_at, known[gone].merged_into = now, into
            themes.record(session, gone, Became.MERGED, now=now, other=into)
            await themes.go_over(session, gone, into)
    for theme in known.values():
        heard_of = not heard.standing.get(theme.key, set()).isdisjoint(heard.at)
        if theme.ended_at is None and theme.key not in match.themes and not heard_of:
            theme.ended_at = now
            themes.record(session, theme.key, Became.ENDED, now=now)
