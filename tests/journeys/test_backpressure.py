"""A model that is too slow: places are asked for no more, memory stays as it is, all is judged."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from typing_extensions import override

from listener.app import Service
from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.secret import Seal
from listener.stages.listen import MOST as MOST_HEARD
from listener.store import mentions
from listener.store.session import Store
from models.lexicon import Lexicon
from models.verdict import Question, Verdict
from tests.connectors.place import Published
from tests.journeys import history
from tests.journeys.complaints import Crowd
from tests.journeys.process import KEY, Fate, Ground, forked, free_port
from tests.world import World

A_WHILE = 60.0
MEGABYTE = 1024 * 1024
MOST = 150  # megabytes that a program may grow by
POSTS, LETTERS = 3_000, 60_000


class Stuck:
    """A classifier that thinks until it is told to go on."""

    name = "stuck 1"

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        self.go_on.wait(A_WHILE)
        return Lexicon().judge(questions)


class Flood(Crowd):
    """Long posts, together more than may be in memory; few complain."""

    def __init__(self) -> None:
        super().__init__()
        self._statuses: dict[int, dict[str, Any]] = {}

    @property
    def now_held(self) -> int:
        """How many posts there are."""
        return len(self._held)

    @override
    def complains(self, number: int) -> bool:
        return number % 100 == 1  # a case more would only take longer

    @override
    def words(self, number: int) -> str:
        return f"{super().words(number)} {number} ".ljust(LETTERS, "x")

    @override
    def status(self, post: Published) -> dict[str, Any]:
        if post.number not in self._statuses:
            self._statuses[post.number] = super().status(post)
        return self._statuses[post.number]


async def test_while_the_model_thinks_the_place_is_asked_for_no_more(
    database: str, tmp_path: Path
) -> None:
    stuck = Stuck()
    async with World(database, tmp_path, classifier=stuck) as world, Crowd() as town:
        world.store._clock = None  # the clock runs
        town.speak(250)
        await apply(world.store, plan(town), Seal(KEY))
        world.allowed.add(town.host_port)
        service = await world.service()
        service.poll.backlog = 100
        async with running(service, free_port()) as url:
            await until_waiting(world.store, 100)
            await asyncio.sleep(0.3)
            asked, first = len(town.asked), await metrics(url)
            await asyncio.sleep(0.7)
            second = await metrics(url)
            assert len(town.asked) == asked
            assert 100 <= second["listener_mentions_waiting"] < 100 + town.page
            assert second["listener_lag_seconds"] >= first["listener_lag_seconds"] + 0.5

            stuck.go_on.set()
            found = await history.until_finished(world.store, town.said, A_WHILE)
            assert (await metrics(url))["listener_lag_seconds"] == 0
        history.assert_whole(found, town.said())


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_slow_model_costs_no_memory(database: str, tmp_path: Path) -> None:
    async with history.kept_in(database) as store, Flood() as town:
        town.speak(POSTS // 2)
        await apply(store, plan(town), Seal(KEY))
        ground, go_on = Ground(tmp_path, database, [town.host_port]), tmp_path / "go on"
        fate = Fate(thinks=0.2, until=go_on, backlog=500)
        async with forked(ground, "run", fate=fate) as program:
            await program.until_said("Listens to")
            before, most, longest, lag = program.memory, 0, 0.0, 0.0
            waiting = 1.0
            while waiting:
                if town.now_held < POSTS:
                    town.speak(100)  # these come by stream
                await asyncio.sleep(0.3)
                now = await metrics(ground.url)
                waiting = now["listener_mentions_waiting"] or POSTS - town.now_held
                longest = max(longest, now["listener_mentions_waiting"])
                lag = max(lag, now["listener_lag_seconds"])
                most = max(most, program.memory)
                if town.now_held == POSTS and longest >= 500 and lag > 2:
                    go_on.touch()  # whatever this machine's speed, the backlog was full
            found = await history.until_finished(store, town.said, 5 * A_WHILE)
            program.stop()
            assert await program.ended() == 0, program.said
        history.assert_whole(found, town.said())
        assert (most - before) / MEGABYTE < MOST
        assert POSTS * LETTERS / MEGABYTE > MOST  # or the test would prove nothing
        assert longest < 500 + MOST_HEARD + 2 * town.page


def plan(town: Crowd) -> Plan:
    """One brand, one source that is asked as often as can be."""
    options = {"api": town.url, "tag": "acme"}
    return Plan.model_validate(
        {
            "brand": [{"name": "Acme", "query": "fish"}],
            "source": [
                {"name": "Town", "connector": "mastodon", "every": "1s", "options": options}
            ],
        }
    )


@asynccontextmanager
async def running(service: Service, port: int) -> AsyncIterator[str]:
    """The whole service with its pages."""
    stop = asyncio.Event()
    async with service.site.open("127.0.0.1", port):
        work = asyncio.create_task(service.run((), stop))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            stop.set()
            await work


async def metrics(url: str) -> dict[str, float]:
    """What the service says of itself, by name; the numbers that have no labels."""
    async with ClientSession() as asking, asking.get(f"{url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in pairs}


async def until_waiting(store: Store, count: int) -> None:
    """Wait until so many mentions wait for a verdict."""
    until = time.monotonic() + A_WHILE
    while True:
        async with store.reading() as session:
            if await mentions.waiting(session) >= count:
                return
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
