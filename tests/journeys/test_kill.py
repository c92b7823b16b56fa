"""Kill -9 at any moment, start again: no mention is lost, and no case is doubled.

LISTENER_KILLS says how many kills a test makes (25 unless told), LISTENER_SEED repeats a run.
"""

import asyncio
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest

from listener.app.service import Stage
from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.secret import Seal
from listener.store import schema
from listener.store.session import Store
from tests.journeys import history
from tests.journeys.complaints import EARLIER, LATE, Crowd, OtherCrowd, Said, chance
from tests.journeys.process import KEY, KILLED, Fate, Ground, Program, forked, started
from tests.postgres import Postgres

KILLS = int(os.environ.get("LISTENER_KILLS", "25"))
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
SOON = Fate(lease=timedelta(seconds=2))  # what the dead had taken is free soon
A_WHILE, A_MINUTE = 120.0, 60.0
Fresh = Callable[..., str]
TIME = pytest.mark.timeout(120 + 12 * KILLS)


class Scene:
    """Two servers full of complaints, three sources that overlap, and a program to be killed."""

    def __init__(self, store: Store, ground: Ground, crowds: list[Crowd], seed: int) -> None:
        self.store = store
        self.ground = ground
        self.crowds = crowds
        self.chance = chance(seed)
        self.seed = seed

    def published(self) -> list[Said]:
        """Everything anybody has said."""
        return [said for crowd in self.crowds for said in crowd.said()]

    def speak(self, most: int) -> None:
        """Let some people complain."""
        for crowd in self.crowds:
            crowd.speak(self.chance.randint(0, most))

    @asynccontextmanager
    async def chatter(self) -> AsyncIterator[None]:
        """People complain all the time."""

        async def chat() -> None:
            while True:
                self.speak(3)
                # Fewer at a time in a longer run: every walk reads again what is young.
                await asyncio.sleep(self.chance.uniform(0.05, 0.3) * max(1, KILLS / 25))

        chatting = asyncio.create_task(chat())
        try:
            yield
        finally:
            chatting.cancel()
            await asyncio.gather(chatting, return_exceptions=True)

    async def unharmed(self) -> None:
        """Whatever is half done, nothing is wrong."""
        found = await history.of(self.store)
        wrong = found.broken(self.published())
        assert not wrong, history.told(wrong, self.seed)

    async def runs_out(self) -> None:
        """Let one more program do what is left, and find everything there, once."""
        async with forked(self.ground, "run", fate=SOON) as program:
            await self.left_in_peace(program)

    async def left_in_peace(self, program: Program, *, within: float = A_WHILE) -> None:
        """Wait until it has done everything, stop it, and look at what it has done."""
        await program.until_said("Listens to")
        found = await history.until_finished(self.store, self.published, within)
        program.stop()
        assert await program.ended() == 0, program.said
        history.assert_whole(found, self.published(), self.seed)
        told = {f"notice_{one.id}" for one in found.notices if one.channel == "desk"}
        assert told == set(self.crowds[0].told_desk)


@asynccontextmanager
async def scene(
    database: str, folder: Path, seed: int, *, every: str = "1s"
) -> AsyncIterator[Scene]:
    """The scene with its plan applied and a few pages of posts published."""
    async with (
        history.kept_in(database) as store,
        Crowd(seed) as town,
        OtherCrowd(seed + 1) as other,
    ):
        ground = Ground(folder, database, [town.host_port, other.host_port])
        for crowd in (town, other):
            crowd.have_spoken(20, LATE)
            crowd.have_spoken(60, EARLIER)
            crowd.speak(30)
        tag, everything = {"tag": "acme"}, {"timeline": "public"}
        plan = Plan.model_validate(
            {
                "brand": [{"name": "Acme", "query": "fish"}],
                "source": [
                    source("Town", town, tag, every),
                    source("Town again", town, everything, every),
                    source("Other town", other, tag, every),
                ],
                "channel": [{"name": "desk", "url": f"{town.url}/desk", "secret": SECRET}],
            }
        )
        await apply(store, plan, Seal(KEY))
        yield Scene(store, ground, [town, other], seed)


def source(name: str, crowd: Crowd, what: dict[str, str], every: str) -> dict[str, object]:
    """A source in the plan."""
    options = {"api": crowd.url, **what}
    return {"name": name, "connector": "mastodon", "every": every, "options": options}


@pytest.fixture
def seed() -> int:
    """Where chance begins; shown with what a test prints when it fails."""
    return int(os.environ.get("LISTENER_SEED") or time.time_ns() % 2**32)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """As many empty databases of one kind as are asked for, with or without tables."""
    if request.param == "sqlite":
        empty: Path = request.getfixturevalue("empty_sqlite")

        def file(*, tables: bool = True) -> str:
            folder = Path(mkdtemp(dir=tmp_path))
            if tables:
                shutil.copy(empty, folder / "listener.db")
            return f"sqlite:///{folder / 'listener.db'}"

        yield file
        return
    server: Postgres = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("empty_postgres")
    created: list[str] = []

    def database(*, tables: bool = True) -> str:
        created.append(server.create(template=template if tables else None))
        return created[-1]

    yield database
    for url in created:
        server.drop(url)


# --- at random moments


@TIME
@pytest.mark.slow
async def test_killed_at_random_moments_it_loses_and_doubles_nothing(
    database: str, tmp_path: Path, seed: int
) -> None:
    async with scene(database, tmp_path, seed) as here:
        async with here.chatter():
            for _ in range(KILLS):
                async with forked(here.ground, "run", fate=SOON) as program:
                    await some_moment(here, program)
                    program.kill()
                    assert await program.ended() == KILLED, program.said
                await here.unharmed()
        await here.runs_out()


async def some_moment(here: Scene, program: Program) -> None:
    """Mostly while it works, sometimes while it starts."""
    if here.chance.random() < 0.75:
        await program.until_said("read", "heard", "judged")
    await asyncio.sleep(here.chance.uniform(0, 1))


@pytest.mark.slow
async def test_the_program_as_people_start_it_survives_kills_as_well(
    database: str, tmp_path: Path, seed: int
) -> None:
    async with scene(database, tmp_path, seed, every="10s") as here:
        for _ in range(3):
            here.speak(10)
            async with started(here.ground, "run") as program:
                await program.until_said("read", "heard")
                await asyncio.sleep(here.chance.uniform(0, 0.5))
                program.kill()
                assert await program.ended() == KILLED, program.said
            await here.unharmed()
        async with started(here.ground, "run") as program:
            await here.left_in_peace(program, within=A_MINUTE + A_WHILE)


@TIME
@pytest.mark.slow
async def test_judges_may_die_beside_the_reader_and_no_case_is_doubled(
    postgres_url: str, tmp_path: Path, seed: int
) -> None:
    async with scene(postgres_url, tmp_path, seed) as here:
        # A reader that judges too is woken by what it has read, and leaves the others nothing.
        elsewhere = [part for one in Stage if one is not Stage.JUDGE for part in ("--only", one)]
        commands = [("run", *elsewhere), *[("run", "--only", "judge")] * 2]
        async with AsyncExitStack() as stack, here.chatter():

            async def start(number: int) -> Program:
                fork = forked(here.ground, *commands[number], fate=SOON)
                return await stack.enter_async_context(fork)

            alive = [await start(number) for number in range(len(commands))]
            for _ in range(KILLS):
                victim = here.chance.randrange(len(alive))
                await some_moment(here, alive[victim])
                alive[victim].kill()
                assert await alive[victim].ended() == KILLED, alive[victim].said
                await here.unharmed()
                alive[victim] = await start(victim)
        await here.runs_out()


# --- after every step, by number


async def test_killed_in_the_middle_it_goes_on_where_it_stopped(
    sqlite_url: str, tmp_path: Path, seed: int
) -> None:
    async with scene(sqlite_url, tmp_path, seed) as here:
        for step in (150, 350):
            assert await dies_at(step, here)
        await here.runs_out()


@TIME
@pytest.mark.slow
async def test_killed_after_any_step_it_loses_and_doubles_nothing(
    fresh: Fresh, tmp_path: Path, seed: int
) -> None:
    steps = await steps_of_one_run(fresh(), tmp_path, seed)
    died = 0
    for step in spread(steps, chance(seed)):
        database = fresh()
        async with scene(database, tmp_path / str(step), seed) as here:
            died += await dies_at(step, here)
            await here.runs_out()
    assert died > KILLS / 2


@TIME
@pytest.mark.slow
async def test_a_first_start_killed_after_any_step_leaves_a_database_that_can_be_used(
    fresh: Fresh, tmp_path: Path, seed: int
) -> None:
    counted = tmp_path / "steps"
    ground = Ground(tmp_path, fresh(tables=False))
    async with forked(ground, "run", "--once", fate=Fate(counts=counted)) as program:
        assert await program.ended() == 0, program.said
    for step in spread(int(counted.read_text()), chance(seed)):
        ground = Ground(tmp_path / str(step), fresh(tables=False))
        async with forked(ground, "run", "--once", fate=Fate(dies_at=step)) as program:
            assert await program.ended() in {KILLED, 0}, program.said
        async with forked(ground, "run", "--once") as program:
            assert await program.ended() == 0, program.said
        async with history.kept_in(ground.database) as store, store.writer.connect() as connection:
            assert await connection.run_sync(schema.unnamed_differences) == []


async def steps_of_one_run(database: str, folder: Path, seed: int) -> int:
    """How often the event loop comes round in `listener run --once`."""
    counted = folder / "steps"
    async with (
        scene(database, folder, seed) as here,
        forked(here.ground, "run", "--once", fate=Fate(counts=counted)) as program,
    ):
        assert await program.ended() == 0, program.said
    return int(counted.read_text())


def spread(steps: int, lot: random.Random) -> list[int]:
    """KILLS steps from the first to the last, each somewhere in its own stretch."""
    stretch = steps / KILLS
    return [1 + int((number + lot.random()) * stretch) for number in range(KILLS)]


async def dies_at(step: int, here: Scene) -> bool:
    """Run once, and die when that step comes; False when a quick run had ended before."""
    fate = Fate(lease=SOON.lease, dies_at=step)
    async with forked(here.ground, "run", "--once", fate=fate) as program:
        code = await program.ended()
    assert code in {KILLED, 0}, program.said
    await here.unharmed()
    return code == KILLED
