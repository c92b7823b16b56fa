"""A whole listener in a test: a real store, a real network to loopback, a clock that stands still."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from sqlalchemy import text
from sqlmodel import select

from connectors.kit.web import Network
from listener.app import Parts, Service
from listener.config import Settings
from listener.desk.applying import Applied, apply
from listener.desk.plan import Plan
from listener.domain.case import Case
from listener.domain.event import Event
from listener.domain.mention import Mention, Revision
from listener.domain.notice import Notice
from listener.domain.secret import Seal
from listener.domain.source import DeadLetter, Reading, Source
from listener.domain.staff import Staff
from listener.store import coverage, mentions
from listener.store.mentions import Filters
from listener.store.session import Store
from models.classifier import Classifier
from models.verdict import Feeling, Question, Verdict

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)  # a Monday


class Gloomy:
    """A classifier to whom every post is a plain complaint."""

    name = "gloomy 1"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        return [
            Verdict(
                complaint=0.95,
                feeling=Feeling.NEGATIVE,
                confidence=0.95,
                unsure=False,
                model=self.name,
                language="en",
            )
            for _ in questions
        ]


class World:
    """Given a plan and places on loopback, reads, judges and tells as the service does.

    `now` is the database's clock and stands still until a test moves it.
    """

    def __init__(
        self,
        database: str,
        data: Path,
        *,
        now: datetime = NOON,
        classifier: Classifier | None = None,
        fresh: timedelta = timedelta(hours=48),
    ) -> None:
        self.now = now
        self.settings = Settings(data=data, database=database, fresh=fresh)
        self.store = Store(database, clock=lambda: self.now)
        self.classifier = classifier or Gloomy()
        self.console = Console(file=io.StringIO(), width=120)
        self.allowed: set[str] = set()
        self._network: Network | None = None
        self._service: Service | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._network is not None:
            await self._network.__aexit__(kind, error, trace)
        await self.store.close()

    async def set_up(
        self,
        *,
        brands: Sequence[dict[str, Any]] = ({"name": "Acme", "query": "fish"},),
        sources: Sequence[dict[str, Any]] = (),
        channels: Sequence[dict[str, Any]] = (),
        allow: Sequence[str] = (),
    ) -> Applied:
        """Apply a plan; `allow` are the host:port pairs of the test's own places."""
        self.allowed |= set(allow)
        plan = Plan.model_validate(
            {"brand": list(brands), "source": list(sources), "channel": list(channels)}
        )
        return await apply(self.store, plan, Seal("a key for tests, long enough"))

    async def service(self) -> Service:
        """The service's stages, made anew as after a restart."""
        if self._network is not None:
            await self._network.__aexit__(None, None, None)
        self._network = Network(
            "tests@listener.example", allow=frozenset(self.allowed), now=lambda: self.now
        )
        await self._network.__aenter__()
        parts = Parts(
            self.settings,
            self.store,
            Seal("a key for tests, long enough"),
            self._network,
            self.console,
            classifier=self.classifier,
        )
        self._service = Service(parts, self.classifier)
        return self._service

    async def once(self) -> Service:
        """Read everything to its end, judge and tell, as `listener run --once` does."""
        service = await self.service()
        await service.once()
        return service

    # --- what the database holds

    async def mentions(self) -> list[Mention]:
        """All mentions, in the order they were first seen."""
        async with self.store.reading() as session:
            return [mention for mention, _ in await mentions.found(session, Filters())]

    async def sightings(self) -> dict[str, list[str]]:
        """Which sources saw each mention, by post id."""
        async with self.store.reading() as session:
            found = [mention for mention, _ in await mentions.found(session, Filters())]
            names = await mentions.sightings(session, [one.key for one in found])
            return {one.post_id: names.get(one.key, []) for one in found}

    async def all_of(self, table: type[Any]) -> list[Any]:
        """All rows of a table, by number."""
        async with self.store.reading() as session:
            return list((await session.exec(select(table).order_by(text("1")))).all())

    async def cases(self) -> list[Case]:
        """All cases."""
        return await self.all_of(Case)

    async def events(self) -> list[Event]:
        """All events."""
        return await self.all_of(Event)

    async def notices(self) -> list[Notice]:
        """All notices."""
        return await self.all_of(Notice)

    async def revisions(self) -> list[Revision]:
        """All former revisions."""
        return await self.all_of(Revision)

    async def readings(self) -> list[Reading]:
        """How far every source has been read."""
        return await self.all_of(Reading)

    async def dead_letters(self) -> list[DeadLetter]:
        """What could not be read."""
        return await self.all_of(DeadLetter)

    async def gaps(self, name: str) -> list[tuple[datetime, datetime]]:
        """What has not provably been read of a source."""
        async with self.store.reading() as session:
            source = (await session.exec(select(Source).where(Source.name == name))).one()
            return [(gap.start, gap.end) for gap in await coverage.gaps_of(session, source)]

    async def hire(self, *names: str) -> None:
        """Add agents."""
        async with self.store.transaction() as session:
            for name in names:
                session.add(Staff(name=name))

    @property
    def printed(self) -> str:
        """What the terminal channel has printed."""
        file = self.console.file
        assert isinstance(file, io.StringIO)
        return file.getvalue()
