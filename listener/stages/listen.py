"""Streams: posts are heard the moment they are published; polling fills what a cut left out."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from connectors.kit.contract import Connector, Listens, Page, Sifts
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from listener.domain.secret import WrongKey
from listener.domain.source import Way
from listener.stages.leases import Leases
from listener.stages.loop import fault
from listener.stages.reach import Reach
from listener.store import intake, mentions, sources
from listener.store.brands import Intake
from listener.store.session import DatabaseTrouble, Store, now
from listener.store.sources import Lost, Turn

log = structlog.get_logger(__name__)

SLOTS = 64
GATHER = timedelta(milliseconds=250)
QUIET = timedelta(milliseconds=500)
MOST = 500  # posts that are kept in one transaction
BACKLOG = 5_000


@dataclass
class Listen:
    """Keeps every stream open, each by one worker, and writes what comes in small batches."""

    store: Store
    reach: Reach
    intake: Intake
    leases: Leases
    wake_judge: asyncio.Event
    wake_poll: asyncio.Event
    slots: int = SLOTS
    streams: set[asyncio.Task[None]] = field(default_factory=set)
    troubles: dict[str, str] = field(default_factory=dict)  # with the database, by source

    async def step(self) -> int:
        """Open the streams that nobody listens to; say how many."""
        room = self.slots - len(self.streams)
        if room <= 0:
            return 0
        async with self.store.transaction() as session:
            turns = await sources.take(
                session,
                Way.LISTEN,
                worker=self.leases.worker,
                limit=room,
                now=await now(session),
            )
        for turn in turns:
            task = asyncio.create_task(self.hear(turn), name=f"stream of {turn.source.name}")
            self.streams.add(task)
            task.add_done_callback(self.streams.discard)
        return 0

    async def stop(self) -> None:
        """Close the streams; what they have kept is kept."""
        for task in self.streams:
            task.cancel()
        await asyncio.gather(*self.streams, return_exceptions=True)

    async def hear(self, turn: Turn) -> None:
        """Listen to one stream until it is cut, then let polling fill the gap."""
        source = turn.source
        self.leases.hold(turn)
        error: Exception = TryLater("The stream ended.")
        try:
            await self.follow(turn)
        except Lost as lost:
            log.info("stream lost", source=source.name, why=str(lost))
            return
        except DatabaseTrouble as trouble:
            if self.troubles.get(source.name) != str(trouble):  # an outage is said once
                log.error("stream stopped", source=source.name, why=str(trouble))
            self.troubles[source.name] = str(trouble)
            return
        except (ConnectorError, WrongKey) as refused:
            error = refused
        except Exception as failed:  # noqa: BLE001  (a fault in one stream stops only that one)
            error = Unreadable(f"Its connector met a fault: {fault(failed)}.")
        finally:
            self.leases.let_go(turn)
        await self.fail(turn, error)

    async def follow(self, turn: Turn) -> None:
        """Gather pages for a quarter of a second and keep them together."""
        connector, web = self.reach(turn.source)
        if not isinstance(connector, Listens):
            raise Gone(f"{turn.source.connector} does not offer a stream.")
        waiting: asyncio.Queue[Page] = asyncio.Queue(maxsize=MOST)
        await self.intake.matchbook.refresh()  # before anything is sifted by it
        if isinstance(connector, Sifts):
            wanted = self.intake.matchbook.sieve(turn.source, connector)
            told = connector.sift(web, turn.cursor, wanted)
        else:
            told = connector.listen(web, turn.cursor)

        async def hear() -> None:
            async with aclosing(told) as pages:  # type: ignore[type-var]
                async for page in pages:
                    await waiting.put(page)  # a full queue makes the stream wait

        hearing = asyncio.create_task(hear(), name=f"ear of {turn.source.name}")
        try:
            while not (hearing.done() and waiting.empty()):
                await self.intake.matchbook.refresh()  # a stream that brings nothing sifts, too
                if batch := await self.gather(waiting):
                    await self.keep(turn, connector, batch)
                while await self.behind():
                    await asyncio.sleep(0.2)
            await hearing  # says why the stream ended
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def gather(self, waiting: asyncio.Queue[Page]) -> list[Page]:
        """What is heard within a moment of the first; nothing when it is quiet."""
        try:
            async with asyncio.timeout(QUIET.total_seconds()):
                batch = [await waiting.get()]
        except TimeoutError:
            return []
        await asyncio.sleep(GATHER.total_seconds())
        while not waiting.empty() and len(batch) < MOST:
            batch.append(waiting.get_nowait())
        return batch

    async def keep(self, turn: Turn, connector: Connector, batch: list[Page]) -> None:
        """A batch of pages and the cursor of the last: all or nothing."""
        fresh = 0
        async with self.store.transaction() as session:
            reading = await sources.held(session, turn)
            moment = await now(session)
            for page in joined(batch):
                kept = await self.intake.keep(
                    session, turn.source, connector, page, now=moment, remember=False
                )
                fresh += kept.mentions + kept.edits
            for page in batch:
                intake.advance(reading, page)
            reading.caught_up(now=moment, every=timedelta())
        self.troubles.pop(turn.source.name, None)
        if fresh:
            self.wake_judge.set()
            log.info("heard", source=turn.source.name, mentions=fresh)

    async def behind(self) -> bool:
        """Whether so many mentions wait for a verdict that no more should come in."""
        async with self.store.reading() as session:
            return await mentions.waiting(session) >= BACKLOG

    async def fail(self, turn: Turn, error: Exception) -> None:
        """The stream was cut: open it again later, and let polling fill the gap now."""
        stop = isinstance(error, (AccessDenied, Gone, WrongKey))
        wait = error.wait if isinstance(error, TryLater) else None
        try:
            async with self.store.transaction() as session:
                reading = await sources.held(session, turn)
                first = reading.failed(str(error), now=await now(session), wait=wait, stop=stop)
                reading.taken_by = reading.taken_until = None
                await sources.poll_now(session, turn.source, now=await now(session))
        except (Lost, DatabaseTrouble) as trouble:
            log.error("stream stopped", source=turn.source.name, why=str(trouble))
            return
        self.wake_poll.set()
        if first:
            log.warning(
                "stream cut",
                source=turn.source.name,
                why=str(error),
                again="when a person has acted" if stop else "soon",
            )


def joined(pages: Iterable[Page]) -> Iterator[Page]:
    """The same in fewer pages: a stream brings one post a page, and each costs some statements.

    What is in one page is true at once. So what comes again begins another, and nothing follows
    a deletion in its page, nor what a span was told with.
    """
    together: list[Page] = []
    ids: set[str] = set()
    for page in pages:
        if not ids.isdisjoint(post.id for post in page.posts):
            yield _as_one(together)
            together, ids = [], set()
        together.append(page)
        ids.update(post.id for post in page.posts)
        if page.gone or page.span:
            yield _as_one(together)
            together, ids = [], set()
    if together:
        yield _as_one(together)


def _as_one(pages: Sequence[Page]) -> Page:
    """Pages of which only the last may tell of deletions and of a span."""
    return replace(
        pages[-1],
        posts=tuple(post for page in pages for post in page.posts),
        unreadable=tuple(unread for page in pages for unread in page.unreadable),
        sifted=sum(page.sifted for page in pages),
    )
