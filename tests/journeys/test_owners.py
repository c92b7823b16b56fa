"""A source has one owner: whoever was away too long has lost it, whatever any clock says."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs
from typing_extensions import override

from listener.app import Service
from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.secret import Seal
from listener.domain.source import Reading, Way
from listener.stages import leases
from listener.store import sources
from listener.store.session import Store
from models.lexicon import Lexicon
from tests.journeys import history
from tests.journeys.complaints import Crowd
from tests.journeys.process import KEY, Fate, Ground, forked, started
from tests.world import World

A_WHILE = 60.0
SHORT = timedelta(seconds=3)
HOUR = timedelta(hours=1)


class Gate(Crowd):
    """A town that keeps one page back until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.hold_page = 2  # counted from the first page that anybody asks for
        self.pages = 0
        self.refuses = False  # what is behind the gate is an error
        self.waits, self.opened = asyncio.Event(), asyncio.Event()

    @override
    async def timeline(self, request: web.Request) -> web.Response:
        answer = await super().timeline(request)
        self.pages += 1
        if self.pages == self.hold_page:
            self.waits.set()
            await self.opened.wait()
            return web.Response(status=503) if self.refuses else answer
        return answer


class Pair:
    """Two workers on one database, and one clock that a test moves."""

    def __init__(self, one: World, other: World, town: Gate) -> None:
        self.one, self.other, self.town = one, other, town
        self.store = one.store

    def wait(self, stretch: timedelta) -> None:
        """Let time pass on the database's clock."""
        self.one.now = self.other.now = self.one.now + stretch

    async def service(self, world: World) -> Service:
        """One of the two, under a name of its own."""
        service = await world.service()
        service.leases.worker = "one" if world is self.one else "other"
        return service

    async def reading(self) -> Reading:
        """How far the source has been read."""
        [reading] = [each for each in await self.one.readings() if each.way is Way.POLL]
        return reading


@pytest.fixture
async def pair(database: str, tmp_path: Path) -> AsyncIterator[Pair]:
    async with (
        World(database, tmp_path, classifier=Lexicon()) as one,
        World(database, tmp_path, classifier=Lexicon()) as other,
        Gate() as town,
    ):
        for world in (one, other):
            world.now = town.now
            world.allowed.add(town.host_port)
        town.speak(120)  # three pages
        await apply(one.store, plan(town), Seal(KEY))
        yield Pair(one, other, town)


# --- one worker is away, on a clock that a test moves


async def test_what_a_worker_read_after_it_lost_the_source_does_not_count(pair: Pair) -> None:
    one, other = await pair.service(pair.one), await pair.service(pair.other)
    with capture_logs() as facts:
        async with walking(one, pair.town):
            pair.wait(sources.LEASE + timedelta(seconds=1))
            await other.once()
            taken_over = await pair.reading()
            pair.town.opened.set()

    reading = await pair.reading()
    assert (reading.fence, reading.cursor) == (2, taken_over.cursor)
    assert (reading.posts, reading.next_at) == (taken_over.posts, taken_over.next_at)
    assert any(fact["event"] == "source lost" for fact in facts)
    assert one.poll.tally["Town"].posts == 40  # its first page
    history.assert_whole(await history.of(pair.store), pair.town.said())


async def test_a_failure_of_a_worker_that_lost_the_source_is_not_the_sources(pair: Pair) -> None:
    one, other = await pair.service(pair.one), await pair.service(pair.other)
    pair.town.refuses = True
    async with walking(one, pair.town):
        pair.wait(sources.LEASE + timedelta(seconds=1))
        await other.once()
        pair.town.opened.set()

    reading = await pair.reading()
    assert (reading.failures, reading.failure) == (0, None)
    history.assert_whole(await history.of(pair.store), pair.town.said())


async def test_nobody_takes_a_source_whose_owner_is_alive(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT", timedelta(milliseconds=20))
    one, other = await pair.service(pair.one), await pair.service(pair.other)
    beating = asyncio.create_task(one.leases.beat())
    async with walking(one, pair.town):
        for _ in range(5):
            pair.wait(sources.LEASE / 2)
            await asyncio.sleep(0.1)  # the owner's heart beats
            assert await other.poll.take(limit=1, whenever=True) == []
        pair.town.opened.set()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    assert (await pair.reading()).fence == 1


async def test_a_worker_that_was_only_slow_goes_on(pair: Pair) -> None:
    one = await pair.service(pair.one)
    async with walking(one, pair.town):
        pair.wait(sources.LEASE * 3)
        pair.town.opened.set()
    reading = await pair.reading()
    assert (reading.fence, reading.taken_by) == (1, None)
    assert len(await pair.one.mentions()) == sum(said.names_us for said in pair.town.said())


async def test_a_worker_that_takes_its_own_source_again_keeps_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT", timedelta(milliseconds=20))
    one, other = await pair.service(pair.one), await pair.service(pair.other)
    async with walking(one, pair.town):
        pair.wait(sources.LEASE + timedelta(seconds=1))
        [turn] = await one.poll.take(limit=1, whenever=True)
        one.leases.hold(turn)
        pair.town.opened.set()  # the walk that lost it ends
    beating = asyncio.create_task(one.leases.beat())
    for _ in range(3):
        pair.wait(sources.LEASE / 2)
        await asyncio.sleep(0.1)
        assert await other.poll.take(limit=1, whenever=True) == []
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


# --- real processes, which are really frozen


@pytest.mark.slow
async def test_a_frozen_owner_finds_that_another_has_taken_over(
    postgres_url: str, tmp_path: Path
) -> None:
    async with history.kept_in(postgres_url) as store, Gate() as town:
        town.speak(120)
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, postgres_url, [town.host_port])
        async with started(ground, "run", "--only", "poll") as owner:
            await asyncio.wait_for(town.waits.wait(), A_WHILE)
            owner.freeze()
            town.opened.set()
            async with forked(ground, "run", "--only", "poll") as other:
                await until_all_is_read(store, town, sources.LEASE + timedelta(seconds=10))
                await asyncio.sleep(5)  # longer than the lease in all
                owner.thaw()
                await owner.until_said("is read by another worker now")
                for program in (other, owner):
                    program.stop()
                    assert await program.ended() == 0, program.said
        async with forked(ground, "run", "--once") as last:
            assert await last.ended() == 0, last.said
        history.assert_whole(await history.of(store), town.said())


@pytest.mark.slow
async def test_an_owner_frozen_in_a_transaction_does_not_keep_others_waiting(
    postgres_url: str, tmp_path: Path
) -> None:
    async with history.kept_in(postgres_url) as store, Crowd() as town:
        town.speak(120)
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, postgres_url, [town.host_port])
        frozen = forked(ground, "run", "--only", "poll", fate=Fate(freezes=True))
        async with frozen as owner:
            await until_asked(town)
            await asyncio.sleep(1)
            async with forked(ground, "run", "--only", "poll") as other:
                await until_all_is_read(store, town, sources.LEASE * 2 + timedelta(seconds=10))
                other.stop()
                assert await other.ended() == 0, other.said
            owner.thaw()
            await asyncio.sleep(1)
            owner.kill()
            assert "Traceback" not in owner.said
        async with forked(ground, "run", "--once") as last:
            assert await last.ended() == 0, last.said
        history.assert_whole(await history.of(store), town.said())


# --- a clock that is wrong


@pytest.mark.slow
@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_worker_with_a_wrong_clock_takes_nothing_from_others(
    postgres_url: str, tmp_path: Path, skew: timedelta
) -> None:
    pytest.importorskip("time_machine")
    async with history.kept_in(postgres_url) as store, Gate() as town:
        town.speak(120)
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, postgres_url, [town.host_port])
        right, wrong = Fate(lease=SHORT), Fate(lease=SHORT, skew=skew)
        async with (
            forked(ground, "run", "--only", "poll", fate=right) as owner,
        ):
            await asyncio.wait_for(town.waits.wait(), A_WHILE)
            async with forked(ground, "run", "--only", "poll", fate=wrong) as other:
                await other.until_said("Runs poll")
                await asyncio.sleep(2 * SHORT.total_seconds())
                assert town.pages == 2, "The source was taken from its owner."
                town.opened.set()
                await until_all_is_read(store, town, timedelta(seconds=A_WHILE))
                assert "source lost" not in owner.said


@pytest.mark.slow
@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_worker_with_a_wrong_clock_owns_what_it_has_taken(
    postgres_url: str, tmp_path: Path, skew: timedelta
) -> None:
    pytest.importorskip("time_machine")
    async with history.kept_in(postgres_url) as store, Gate() as town:
        town.speak(120)
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, postgres_url, [town.host_port])
        right, wrong = Fate(lease=SHORT), Fate(lease=SHORT, skew=skew)
        async with forked(ground, "run", "--only", "poll", fate=wrong) as owner:
            await asyncio.wait_for(town.waits.wait(), A_WHILE)
            async with forked(ground, "run", fate=right):
                await asyncio.sleep(2 * SHORT.total_seconds())
                assert town.pages == 2, "The source was taken from its owner."
                town.opened.set()
                found = await history.until_finished(store, town.said, A_WHILE)
                assert "source lost" not in owner.said
        history.assert_whole(found, town.said())


@pytest.mark.slow
@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_worker_with_a_wrong_clock_waits_as_long_as_the_place_asked(
    postgres_url: str, tmp_path: Path, skew: timedelta
) -> None:
    pytest.importorskip("time_machine")
    async with history.kept_in(postgres_url) as store, Hasty() as town:
        town.speak(30)
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, postgres_url, [town.host_port])
        wrong = Fate(lease=SHORT, skew=skew)
        async with forked(ground, "run", "--only", "poll", fate=wrong) as program:
            await until_asked(town, times=8)
            assert program.code() is None
        gaps = [
            later.moment - earlier.moment
            for earlier, later in zip(town.asked, town.asked[1:], strict=False)
            if "timelines" in earlier.path
        ]
        assert min(gaps) > 0.9, "It did not wait."
        assert max(gaps) < 10, "It waited much longer than it was asked to."


class Hasty(Crowd):
    """A town that with every page asks for a second's rest, and refuses every third request."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = 0

    @override
    async def timeline(self, request: web.Request) -> web.Response:
        answer = await super().timeline(request)
        self.pages += 1
        if self.pages % 3 == 0:
            return web.Response(status=429, headers={"Retry-After": "1"})
        answer.headers["X-RateLimit-Remaining"] = "0"
        answer.headers["X-RateLimit-Reset"] = "1"
        return answer


# --- what the tests wait for


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
async def walking(service: Service, town: Gate) -> AsyncIterator[None]:
    """Its walk stands before the gate; when the block ends, so does the walk."""
    walk = asyncio.create_task(service.poll.once())
    try:
        await asyncio.wait_for(town.waits.wait(), A_WHILE)
        yield
        await asyncio.wait_for(walk, A_WHILE)
    finally:
        town.opened.set()
        walk.cancel()
        await asyncio.gather(walk, return_exceptions=True)


async def until_all_is_read(store: Store, town: Crowd, within: timedelta) -> None:
    """Wait until every post that names us is kept."""
    until = time.monotonic() + within.total_seconds()
    wanted = {said.id for said in town.said() if said.names_us}
    while True:
        found = await history.of(store)
        assert not found.broken(town.said())
        if {one.post_id for one in found.mentions} == wanted:
            return
        assert time.monotonic() < until, f"{len(found.mentions)} of {len(wanted)} are kept."
        await asyncio.sleep(0.1)


async def until_asked(town: Crowd, *, times: int = 1) -> None:
    """Wait until somebody asked the town for its timeline so often."""
    until = time.monotonic() + A_WHILE
    while sum("timelines" in asked.path for asked in town.asked) < times:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
