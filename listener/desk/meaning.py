"""By meaning: which of a brand's mentions of late lie nearest to some words, or to one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import log
from typing import Final

from listener.domain.brand import Brand
from listener.domain.cause import SMALL
from listener.domain.plane import Near, Nearness, Plane
from listener.domain.record import NotAllowed, NotThere
from listener.domain.words import LONGEST_SEARCH, words
from listener.store import brands, embeddings, mentions, near, walls
from listener.store.embeddings import LATE, Placed
from listener.store.rows import Lead, shown
from listener.store.search import FAR, PAGE, Search
from listener.store.session import AsyncSession, Store, now
from models import shelf
from models.classifier import Classifier
from models.verdict import Question

WINDOW: Final = timedelta(days=90)
MOST: Final = 200_000  # mentions in memory, of all brands together: 77 MB with the shipped lens
PORTION: Final = 5_000  # that are read at once: more of them would hold up the pages of others
FRESH: Final = timedelta(seconds=2)  # so long nobody asks for what is new
AGAIN: Final = timedelta(hours=1)  # then all is read anew: what was forgotten meanwhile is gone
UNUSED: Final = timedelta(minutes=15)  # then the memory is given back
BY_WORDS: Final = 0.5  # what has all the words comes so much nearer
TELLING: Final = 8  # words that are looked for, the longest
COMMON: Final = 1_000  # mentions that have a word: of what more have, the latest are lifted
AT_ONCE: Final = 200  # of which is asked together whether they may be shown
CHOOSE: Final = "Meaning is looked for in one brand at a time: choose which."
PLACELESS: Final = (
    "The model {model} does not say where texts lie among others, so nothing is found by meaning. "
    "`listener model list` shows which models there are; words are found with any."
)
WORDLESS: Final = "There is no word in that. Write in a few words what people say."
UNREAD: Final = "The model has not read that mention, so none can be said to be like it."


@dataclass(frozen=True, slots=True)
class Alike:
    """A mention that was found, and how near it is."""

    mention: Lead
    near: Nearness


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What lies near, the nearest first, and what it was looked for in."""

    brand: str
    like: Lead | None  # what all are like, where that was asked
    mentions: Sequence[Alike]
    after: int | None  # where the next page begins
    looked: int  # mentions of the last ninety days that were looked at
    cut: bool  # older ones of these days were not: they are too many
    waiting: int  # that the model has not read yet
    others: int  # that another model has read


@dataclass(slots=True)
class Read:
    """A brand's plane, and how far it has been read."""

    plane: Plane
    at: datetime
    looked: datetime
    used: datetime
    last: datetime | None = None
    others: int = 0
    cut: bool = False
    lately: dict[int, datetime] = field(default_factory=dict)  # when what was read last was kept
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class Meanings:
    """Looks by meaning. Planes are kept in memory, the last used, and brought up to date."""

    store: Store
    model: Callable[[], Awaitable[Classifier]]
    most: int = MOST
    _planes: dict[tuple[int, str], Read] = field(default_factory=dict)
    _ending: asyncio.TimerHandle | None = None

    async def find(
        self,
        wanted: Search,
        *,
        like: int | None = None,
        within: Sequence[int] | None = None,
        after: int = 0,
        limit: int = PAGE,
    ) -> Found:
        """What lies near the words, or near the mention of this number, and fits the rest.

        `after` is how many of the nearest were looked at for the pages before. NotAllowed says in
        words what is missing.
        """
        async with self.store.reading() as session:
            moment = await now(session)
            lead = None if like is None else await self.mention(session, like, within)
            brand = await self.brand(session, wanted.brand, lead, within)
        vector, model = await self.asked(wanted.words, lead, brand)
        read = await self.read(brand.key, model, moment)
        since = moment - WINDOW
        said = wanted.words if lead is None else f"{lead.title or ''} {lead.text}"
        order = await asyncio.to_thread(
            read.plane.nearest,
            vector,
            since=since,
            lifted=await self.lifted(said, brand, len(read.plane)),
            most=FAR,
        )
        only = replace(wanted, words="", brand=None)
        async with self.store.reading() as session:
            found, more = await self.page(
                session,
                [one for one in order if one.mention_id != like],
                only,
                brand.key,
                after=after,
                limit=limit,
            )
            return Found(
                brand=brand.name,
                like=lead,
                mentions=found,
                after=more,
                looked=read.plane.count(since),
                cut=read.cut,
                waiting=await mentions.waiting(session, brand.key),
                others=read.others,
            )

    async def mention(self, session: AsyncSession, number: int, seen: Sequence[int] | None) -> Lead:
        """The mention that others are to be like; NotThere where this person has none such."""
        brand_id = await walls.of_mention(session, number)
        if brand_id is not None and (seen is None or brand_id in seen):
            for lead in await shown(session, [number]):
                if not lead.deleted and not lead.purged:
                    return lead
        raise NotThere(f"There is no mention {number}, or its words are gone.")

    async def brand(
        self,
        session: AsyncSession,
        name: str | None,
        lead: Lead | None,
        seen: Sequence[int] | None,
    ) -> Brand:
        """The brand in which is looked: the named one, the mention's, or the only one there is."""
        if lead is not None:
            return await brands.numbered(session, lead.brand_id)
        every = [one for one in await brands.every(session) if seen is None or one.key in seen]
        named = [one for one in every if name is None or one.name == name]
        if len(named) == 1:
            return named[0]
        if not every:
            raise NotAllowed("There is no brand yet.")
        if not named:
            raise NotThere(f"There is no brand called {name!r}.")
        raise NotAllowed(CHOOSE)

    async def asked(self, said: str, lead: Lead | None, brand: Brand) -> tuple[bytes, str]:
        """Where what is asked for lies, and by which model."""
        if lead is not None:
            async with self.store.reading() as session:
                placed = await embeddings.one(session, lead.id)
            if placed is None:
                raise NotAllowed(UNREAD)
            return placed.vector, placed.model
        if not said.strip():
            raise NotAllowed(WORDLESS)
        model = await self.model()
        question = Question(said[:LONGEST_SEARCH], brand=brand.name)
        (verdict,) = await asyncio.to_thread(model.judge, [question])
        if not verdict.embedding:
            has_words = any(sign.isalnum() for sign in said)
            raise NotAllowed(PLACELESS.format(model=model.name) if has_words else WORDLESS)
        return verdict.embedding, verdict.model

    async def lifted(self, said: str, brand: Brand, count: int) -> dict[int, float]:
        """By how much mentions come nearer that have the very words, the rarer the more.

        A model alone takes a code or a name for any other. Only mentions of the latest that have a
        word are lifted: what very many say sets nothing apart.
        """
        known = SMALL | {
            word for one in (brand.name, *brand.handles, brand.query) for word in words(one)
        }
        telling = sorted(
            {word for word in words(said) if word not in known}, key=lambda word: (-len(word), word)
        )
        having: dict[str, list[int]] = {}
        async with self.store.reading() as session:
            for word in telling[:TELLING]:
                having[word] = await near.having(session, word, brand.key, most=COMMON)
        rare = {word: log((2 + count) / (1 + min(count, len(ids)))) for word, ids in having.items()}
        whole = sum(rare.values())
        up: dict[int, float] = {}
        for word, ids in having.items():
            for mention_id in ids:
                up[mention_id] = up.get(mention_id, 0.0) + BY_WORDS * rare[word] / whole
        return up

    async def page(
        self,
        session: AsyncSession,
        order: Sequence[Near],
        wanted: Search,
        brand_id: int,
        *,
        after: int,
        limit: int,
    ) -> tuple[list[Alike], int | None]:
        """The first so many that fit, behind those looked at before; and where the next begin."""
        near_by = {one.mention_id: one.near for one in order}
        ids: list[int] = []
        looked = after
        while len(ids) <= limit and looked < len(order):
            several = [one.mention_id for one in order[looked : looked + AT_ONCE]]
            ids += await near.fitting(session, several, wanted, brands=[brand_id])
            looked += len(several)
        more = None
        if len(ids) > limit:
            places = {one.mention_id: place for place, one in enumerate(order)}
            more = places[ids[limit - 1]] + 1
        leads = await shown(session, ids[:limit])
        return [Alike(lead, Nearness.of(near_by[lead.id])) for lead in leads], more

    # --- what is kept in memory

    async def read(self, brand_id: int, model: str, moment: datetime) -> Read:
        """A brand's plane as it stands now, give or take `FRESH`."""
        key = (brand_id, model)
        read = self._planes.get(key)
        if read is None or not timedelta() <= moment - read.at < AGAIN:
            lens = await asyncio.to_thread(shelf.lens, model)
            read = self._planes[key] = Read(Plane(lens), moment, moment, moment)
        read.used = moment
        async with read.lock:
            if read.last is None or moment - read.looked >= FRESH:
                await self.catch_up(read, brand_id, model, moment)
        self.make_room(key)
        self.end_later()
        return read

    async def catch_up(self, read: Read, brand_id: int, model: str, moment: datetime) -> None:
        """Lay down what was placed since the last look; at first, everything."""
        first = read.last is None
        since = moment - WINDOW if read.last is None else read.last - LATE
        lay = read.plane.lay if first else read.plane.put
        before: Placed | None = None
        known, read.lately = read.lately, {}
        async with self.store.reading() as session:
            while True:
                portion = await embeddings.placed(
                    session, brand_id, model, since=since, before=before, limit=PORTION
                )
                mine = [
                    one
                    for one in portion
                    if one.vector is not None and known.get(one.mention_id) != one.kept_at
                ]
                room = self.most - len(read.plane) if first else len(mine)
                read.cut = read.cut or room < len(mine)
                await asyncio.to_thread(
                    lay,
                    [one.mention_id for one in mine[:room]],
                    [one.published_at for one in mine[:room]],
                    [one.vector or b"" for one in mine[:room]],
                )
                if first:
                    read.others += len(portion) - len(mine)
                else:
                    read.lately |= {one.mention_id: one.kept_at for one in portion}
                if before is None and portion:
                    newest = portion[0].kept_at
                    read.last = newest if read.last is None else max(read.last, newest)
                if len(portion) < PORTION or (first and read.cut):
                    break
                before = portion[-1]
        read.last = read.last or moment - WINDOW
        read.looked = moment

    def make_room(self, but: tuple[int, str]) -> None:
        """Let go of planes that were used longest ago, until what is left fits."""
        oldest = sorted(self._planes, key=lambda key: self._planes[key].used)
        for key in oldest:
            if sum(len(one.plane) for one in self._planes.values()) <= self.most:
                break
            if key != but:
                del self._planes[key]

    def end_later(self) -> None:
        """Give the memory back when nobody has asked for a while."""
        if self._ending is not None:
            self._ending.cancel()
        loop = asyncio.get_running_loop()
        self._ending = loop.call_later(UNUSED.total_seconds(), self._planes.clear)
