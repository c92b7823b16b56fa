"""How the suite reads: through the real door, page by page, remembering like a listener."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from connectors.kit.contract import Connector, Pace, Post, Span, Web
from connectors.kit.web import Limits, Network
from tests.connectors.memory import Memory
from tests.connectors.place import Fault, Place
from tests.connectors.suite_options import OptionsSuite

CONTACT = "suite@listener.example"
FREE = Pace(requests=1_000_000, per=timedelta(seconds=1), at_once=4)
ALWAYS = 10_000  # requests: more than any test makes


class Reading(OptionsSuite):
    """A connector, its place, and polls of it."""

    place: ClassVar[type[Place]]
    address: ClassVar[str] = "api"  # the option that takes the place's address
    lists_edits: ClassVar[bool] = True  # lists show a fresh post's edit
    streams: ClassVar[bool] = True  # `listen` is served by Place.stream
    key_in_address: ClassVar[bool] = False  # the place takes its key in the address only
    reply_path: ClassVar[str] = ""  # part of the path that replies are posted to
    excused: ClassVar[Mapping[Fault, str]] = {}  # faults this place cannot show, and why

    @property
    def apart(self) -> timedelta:
        """So far apart are posts that the overlap of a walk must not hide what a cut lost."""
        return self.connector.lag / 4 + timedelta(minutes=1)

    def connect(self, place: Place) -> Connector:
        """The connector with its options, reading from the local place."""
        return self.connector.model_validate({**self.options, self.address: place.url})

    @override
    def made(self) -> Connector:
        return self.connector.model_validate({**self.options, self.address: "http://127.0.0.1:9"})

    # --- what tests read with

    @pytest.fixture
    async def at(self) -> AsyncIterator[Place]:
        """The place, open for one test."""
        async with self.place() as place:
            yield place

    @asynccontextmanager
    async def web(
        self, at: Place, *, pace: Pace = FREE, limits: Limits | None = None
    ) -> AsyncIterator[Web]:
        """A real door to the network, open to this place and fresh of all waiting."""
        async with Network(CONTACT, allow={at.host_port}, limits=limits) as network:
            yield network.web(pace, "suite")

    async def pull(
        self,
        at: Place,
        memory: Memory,
        *,
        stop_after: int | None = None,
        lose_last: bool = False,
        between: Callable[[int], None] = lambda _: None,
        limits: Limits | None = None,
    ) -> list[Post]:
        """One poll, page by page; what was new to memory.

        `stop_after` cuts it off after so many pages, and `lose_last` before the last of them
        is committed. `between` is called with the count after each page.
        """
        fresh: list[Post] = []
        spans: list[Span | None] = []
        count = 0
        at.wait(timedelta(seconds=1))
        memory.walk = at.now
        async with (
            self.web(at, limits=limits) as web,
            aclosing(pages_of(self.connect(at), web, memory)) as pages,
        ):
            async for page in pages:
                count += 1
                if count == stop_after and lose_last:
                    break
                fresh += memory.keep(page)
                spans.append(page.span)
                memory.assert_has_read(page.span, edges=False)
                if count == stop_after:
                    break
                between(count)
        if stop_after is None:
            for span in spans:
                memory.assert_has_read(span, edges=True)
        return fresh

    async def catch_up(self, at: Place, memory: Memory) -> None:
        """Poll until nothing new comes twice in a row."""
        quiet = 0
        for _ in range(50):
            quiet = 0 if await self.pull(at, memory) else quiet + 1
            if quiet == 2:
                return
        pytest.fail("after fifty polls there is still something new every time")

    def assert_has_all(self, at: Place, memory: Memory) -> None:
        """Each post the place shows was read, as one id."""
        shown = {post.number for post in at.listed()}
        assert shown - set(memory.numbers) == set(), "posts were missed"
        assert len(memory.numbers) == len(set(memory.numbers)), "one post came under two ids"


def pages_of(connector: Connector, web: Web, memory: Memory) -> Any:
    """The connector's pages; an async generator, though the contract says iterator."""
    return connector.pages(web, memory.cursor, memory)
