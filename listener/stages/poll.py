"""First stage: sources whose time has come are asked for their next posts, page by page."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from connectors.kit.contract import Connector, Page, Unread
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from listener.domain.secret import WrongKey
from listener.domain.source import Source, Way
from listener.stages.leases import Leases
from listener.stages.loop import fault
from listener.stages.reach import Knowledge, Reach
from listener.store import intake, mentions, sources
from listener.store.brands import Intake
from listener.store.intake import Kept
from listener.store.session import DatabaseTrouble, Store, now
from listener.store.sources import Lost, Turn

log = structlog.get_logger(__name__)

SLOTS = 16  # walks at the same time in one process
BACKLOG = 5_000  # mentions that may wait for a verdict before walks pause


@dataclass
class Poll:
    """Takes due sources, walks them in the background, keeps each page as it comes."""

    store: Store
    reach: Reach
    intake: Intake
    leases: Leases
    wake_judge: asyncio.Event
    slots: int = SLOTS
    backlog: int = BACKLOG
    tally: dict[str, Kept] = field(default_factory=dict)  # what each source has brought
    errors: dict[str, str] = field(default_factory=dict)  # why the last walk of each failed
    walks: set[asyncio.Task[None]] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self) -> int:
        """Start walks for due sources while there is room; say how many were started."""
        if not await self.has_room():
            return 0
        turns = await self.take(limit=self.slots - len(self.walks))
        for turn in turns:
            self.start(turn)
        return len(turns)

    async def once(self, patience: timedelta = sources.LEASE * 2) -> None:
        """Walk every source to its end, once; what another worker has is waited for."""
        async with self.store.reading() as session:
            left = {source.name for source in await sources.every(session) if source.active}
        waited = 0.0
        while left and waited < patience.total_seconds():
            turns = await self.take(limit=self.slots, names=sorted(left), whenever=True)
            left -= {turn.source.name for turn in turns}
            if turns:
                await asyncio.gather(*(self.walk(turn) for turn in turns))
                continue
            left -= await self.cannot_be_asked(left)
            if left:
                await asyncio.sleep(0.5)
                waited += 0.5
        for name in left:
            self.errors[name] = "Another worker is reading it."

    async def take(
        self, *, limit: int, names: Sequence[str] | None = None, whenever: bool = False
    ) -> list[Turn]:
        """Take sources whose time has come (or, with `whenever`, also before), if any."""
        if limit <= 0:
            return []
        async with self.store.transaction() as session:
            moment = await now(session)
            return await sources.take(
                session,
                Way.POLL,
                worker=self.leases.worker,
                limit=limit,
                now=moment,
                until=datetime.max.replace(tzinfo=moment.tzinfo) if whenever else None,
                names=names,
            )

    def start(self, turn: Turn) -> None:
        """Walk in the background, in one of the slots."""
        task = asyncio.create_task(self.walk(turn), name=f"walk of {turn.source.name}")
        self.walks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.walks.discard(task)
        self.ended.set()

    async def stop(self) -> None:
        """End the walks that are under way; what they have kept is kept."""
        for task in self.walks:
            task.cancel()
        await asyncio.gather(*self.walks, return_exceptions=True)

    async def walk(self, turn: Turn) -> None:
        """Read one source until there is no more for now."""
        source = turn.source
        self.leases.hold(turn)
        try:
            await self.rest(turn, wait=await self.read(turn))
        except Lost as error:
            log.info("source lost", source=source.name, why=str(error))
        except DatabaseTrouble as error:
            if self.errors.get(source.name) != str(error):  # an outage is said once
                log.error("walk stopped", source=source.name, why=str(error))
            self.errors[source.name] = str(error)
        except (ConnectorError, WrongKey) as error:
            await self.fail(turn, error)
        except Exception as error:  # noqa: BLE001  (a fault in one connector stops only its source)
            await self.fail(turn, Unreadable(f"Its connector met a fault: {fault(error)}."))
        finally:
            self.leases.let_go(turn)

    async def read(self, turn: Turn) -> timedelta | None:
        """Ask for page after page, and for the next only when the last is kept.

        Returns how long the place wants not to be asked again.
        """
        await self.intake.matchbook.refresh()
        connector, web = self.reach(turn.source)
        async with self.store.reading() as session:
            moment = await now(session)
        known = Knowledge(self.store, turn.source, moment)
        async with aclosing(connector.pages(web, turn.cursor, known)) as pages:  # type: ignore[type-var]
            async for page in pages:
                await self.keep(turn, connector, page)
                while not await self.has_room():
                    await asyncio.sleep(0.2)
        return web.wait

    async def keep(self, turn: Turn, connector: Connector, page: Page) -> None:
        """One page, everything that is true with it, and the cursor: all or nothing."""
        async with self.store.transaction() as session:
            reading = await sources.held(session, turn)
            kept = await self.intake.keep(
                session, turn.source, connector, page, now=await now(session)
            )
            intake.advance(reading, page)
        self.tally.setdefault(turn.source.name, Kept()).__iadd__(kept)
        if kept.mentions or kept.edits:
            self.wake_judge.set()
        if kept.mentions or kept.edits or kept.gone or kept.unreadable:
            log.info(
                "read",
                source=turn.source.name,
                posts=kept.posts,
                mentions=kept.mentions,
                edits=kept.edits,
                gone=kept.gone,
                unreadable=kept.unreadable,
            )

    async def rest(self, turn: Turn, *, wait: timedelta | None) -> None:
        """The walk has reached its end: give the source back until its next time."""
        async with self.store.transaction() as session:
            reading = await sources.held(session, turn)
            since = reading.failing_since
            every = timedelta(seconds=turn.source.every)
            moment = await now(session)
            recovered = reading.caught_up(now=moment, every=every)
            reading.not_before = moment + wait if wait is not None else None
            reading.taken_by = reading.taken_until = None
        self.tally.setdefault(turn.source.name, Kept())
        troubled = self.errors.pop(turn.source.name, None)
        if recovered and since is not None:
            log.info("source works again", source=turn.source.name, failed_since=f"{since:%H:%M}")
        elif troubled is not None:
            log.info("walk goes on", source=turn.source.name)

    async def fail(self, turn: Turn, error: Exception) -> None:
        """The place did not answer as it should: say so once, and when it is asked again."""
        self.errors[turn.source.name] = str(error)
        stop = isinstance(error, (AccessDenied, Gone, WrongKey))
        wait = error.wait if isinstance(error, TryLater) else None
        try:
            async with self.store.transaction() as session:
                reading = await sources.held(session, turn)
                moment = await now(session)
                first = reading.failed(str(error), now=moment, wait=wait, stop=stop)
                reading.taken_by = reading.taken_until = None
                if isinstance(error, Unreadable):
                    letter = Page(cursor=None, unreadable=(Unread(str(error), error.raw),))
                    await intake.keep_dead_letters(session, turn.source, letter, now=moment)
        except Lost as lost:
            log.info("source lost", source=turn.source.name, why=str(lost))
            return
        except DatabaseTrouble as trouble:
            log.error("walk stopped", source=turn.source.name, why=str(trouble))
            return
        if first:
            log.warning(
                "source fails",
                source=turn.source.name,
                why=str(error),
                again="when a person has acted" if stop else f"at {reading.next_at:%H:%M:%S} UTC",
            )

    async def has_room(self) -> bool:
        """Whether few enough mentions wait for a verdict that more may come in."""
        async with self.store.reading() as session:
            return await mentions.waiting(session) < self.backlog

    async def cannot_be_asked(self, names: set[str]) -> set[str]:
        """Those that no waiting helps: a person must act, or the place asked us to stay away."""
        refused: set[str] = set()
        async with self.store.reading() as session:
            moment = await now(session)
            how = await sources.readings(session)
            for source in await sources.every(session):
                if source.name not in names:
                    continue
                reading = how.get(source.key)
                if reading is None or reading.stopped:
                    why = (reading and reading.failure) or "It has never been set up to be read."
                elif reading.not_before is not None and reading.not_before > moment:
                    why = (
                        f"{reading.failure} (asked to wait until {reading.not_before:%H:%M:%S} UTC)"
                    )
                else:
                    continue
                self.errors[source.name] = why
                refused.add(source.name)
        return refused


async def preview(
    source: Source, reach: Reach, *, since: datetime, now: datetime, most: int
) -> tuple[list[Page], bool]:
    """Read up to `most` posts of a source and keep nothing; say whether there would be more."""
    connector, web = reach(source)
    pages: list[Page] = []
    async with aclosing(connector.pages(web, None, _Nothing(since, now))) as walk:  # type: ignore[type-var]
        async for page in walk:
            pages.append(page)
            if sum(len(page.posts) for page in pages) >= most:
                return pages, True
    return pages, False


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Knowing nothing yet."""

    since: datetime
    now: datetime

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        """None of them."""
        del ids
        return frozenset()
