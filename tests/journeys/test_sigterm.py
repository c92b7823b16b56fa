"""SIGTERM and Ctrl-C: it stops within five seconds, says so, and gives back what it had."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
import pytest

from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.secret import Seal
from listener.store.session import Store
from tests.connectors.place import Fault
from tests.journeys import history
from tests.journeys.complaints import Crowd
from tests.journeys.process import KEY, Fate, Ground, Program, forked, started

MOST = 5.0  # seconds that a stop may take, on a quiet machine
A_WHILE = 60.0
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"


@dataclass(frozen=True)
class Scene:
    """A program, the town it listens to, and the database between them."""

    store: Store
    ground: Ground
    town: Crowd

    async def stops(self, program: Program, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop it as asked: soon, in order, and with nothing left in its hands."""
        began = time.monotonic()
        program.stop(number)
        code = await program.ended()
        took = time.monotonic() - began
        assert code == 0, program.said
        assert took < MOST, f"It took {took:.1f} s to stop."
        assert "Traceback" not in program.said
        assert "stopped" in program.said
        found = await history.of(self.store)
        assert not found.taken()
        assert not found.broken(self.town.said())

    async def nothing_is_lost(self) -> None:
        """Another program does what is left at once: it need not wait for any lease."""
        self.town.heal()
        async with forked(self.ground, "run", "--once") as program:
            assert await program.ended() == 0, program.said
        history.assert_whole(await history.of(self.store), self.town.said())


@pytest.fixture
async def here(store: Store, database: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with town_and_source(store) as town:
        yield Scene(store, Ground(tmp_path, database, [town.host_port]), town)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_there_is_nothing_to_do(here: Scene, number: signal.Signals) -> None:
    async with forked(here.ground, "run") as program:
        await program.until_said("Listens to")
        await asyncio.sleep(0.3)
        await here.stops(program, number)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_program_as_people_start_it_stops_as_well(
    here: Scene, number: signal.Signals
) -> None:
    here.town.speak(60)
    async with started(here.ground, "run") as program:
        await program.until_said("read", "heard", "judged")
        await here.stops(program, number)
    await here.nothing_is_lost()


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.6, 1.0])
async def test_it_stops_in_the_middle_of_its_work(here: Scene, after: float) -> None:
    here.town.speak(200)
    async with forked(here.ground, "run") as program, chatter(here.town):
        await program.until_said("Listens to")
        await asyncio.sleep(after)
        await here.stops(program)
    await here.nothing_is_lost()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_while_a_place_does_not_answer(here: Scene, number: signal.Signals) -> None:
    here.town.speak(60)
    here.town.fail(Fault.HANG, times=1_000, after=3)
    async with forked(here.ground, "run") as program:
        await until_asked(here.town, times=4)
        await here.stops(program, number)
    await here.nothing_is_lost()


@pytest.mark.slow
async def test_it_stops_while_the_desk_does_not_answer(here: Scene) -> None:
    here.town.speak(60)
    here.town.fail(Fault.HANG, times=1_000, path="/desk")
    async with forked(here.ground, "run") as program:
        await until_asked(here.town, "/desk")
        await here.stops(program)
    await here.nothing_is_lost()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_while_the_model_thinks(here: Scene, number: signal.Signals) -> None:
    here.town.speak(60)
    async with forked(here.ground, "run", fate=Fate(thinks=30)) as program:
        await until_taken(here.store)
        await here.stops(program, number)
    await here.nothing_is_lost()


@pytest.mark.slow
async def test_it_stops_while_the_database_is_locked(sqlite_url: str, tmp_path: Path) -> None:
    async with history.kept_in(sqlite_url) as store, town_and_source(store) as town:
        here = Scene(store, Ground(tmp_path, sqlite_url, [town.host_port]), town)
        async with forked(here.ground, "run") as program:
            await program.until_said("Listens to")
            async with idle_and_locked(store, sqlite_url):
                town.speak(20)
                await asyncio.sleep(1)
                await here.stops(program)
        await here.nothing_is_lost()


async def test_a_judge_alone_stops_as_well(here: Scene) -> None:
    async with forked(here.ground, "run", "--only", "judge") as program:
        await program.until_said("Runs judge")
        await asyncio.sleep(0.3)
        await here.stops(program)


@asynccontextmanager
async def town_and_source(store: Store) -> AsyncIterator[Crowd]:
    """A town, and a listener that is to listen to it."""
    async with Crowd() as town:
        options = {"api": town.url, "tag": "acme"}
        plan = Plan.model_validate(
            {
                "brand": [{"name": "Acme", "query": "fish"}],
                "source": [
                    {"name": "Town", "connector": "mastodon", "every": "2s", "options": options}
                ],
                "channel": [{"name": "desk", "url": f"{town.url}/desk", "secret": SECRET}],
            }
        )
        await apply(store, plan, Seal(KEY))
        yield town


@asynccontextmanager
async def idle_and_locked(store: Store, url: str) -> AsyncIterator[None]:
    """The write lock is somebody else's until the block ends.

    It was taken while the program had nothing in its hands, for behind the lock nobody can give
    anything back.
    """
    async with aiosqlite.connect(url.removeprefix("sqlite:///"), isolation_level=None) as other:
        until = time.monotonic() + A_WHILE
        await other.execute("BEGIN IMMEDIATE")
        while (await history.of(store)).taken():
            await other.execute("ROLLBACK")
            assert time.monotonic() < until, "It always has something in its hands."
            await asyncio.sleep(0.1)
            await other.execute("BEGIN IMMEDIATE")
        yield
        await other.execute("ROLLBACK")


@asynccontextmanager
async def chatter(town: Crowd) -> AsyncIterator[None]:
    """People complain all the time."""

    async def chat() -> None:
        while True:
            town.speak(2)
            await asyncio.sleep(0.05)

    chatting = asyncio.create_task(chat())
    try:
        yield
    finally:
        chatting.cancel()
        await asyncio.gather(chatting, return_exceptions=True)


async def until_asked(town: Crowd, path: str = "", *, times: int = 1) -> None:
    """Wait until the town was asked so often for this."""
    until = time.monotonic() + A_WHILE
    while sum(path in asked.path for asked in town.asked) < times:
        assert time.monotonic() < until, f"Nobody asks for {path}."
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)


async def until_taken(store: Store) -> None:
    """Wait until somebody judges."""
    until = time.monotonic() + A_WHILE
    while not any(one.taken_until for one in (await history.of(store)).mentions):
        assert time.monotonic() < until, "Nobody judges."
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
