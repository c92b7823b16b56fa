"""A database that is full, locked or restarted: nothing is lost, and it goes on by itself."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from structlog.testing import capture_logs

from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.brand import Brand
from listener.domain.secret import Seal
from listener.domain.source import Reading
from listener.store import brands, sources
from listener.store import session as store_session
from listener.store.session import Store
from models.lexicon import Lexicon
from tests.journeys import history
from tests.journeys.complaints import Crowd
from tests.journeys.history import until_finished
from tests.journeys.process import KEY, Ground, forked, free_port, started
from tests.postgres import server
from tests.world import NOON, World

A_WHILE = 60.0
STALL = timedelta(seconds=30)
HOLDS = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30) as other:
    other.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    time.sleep(float(sys.argv[2]))
    other.execute("COMMIT")
"""


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


# --- full


async def test_a_full_disk_stops_the_intake_and_nothing_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with listening(sqlite_url, tmp_path) as (world, town):
        town.speak(20)
        await world.once()
        before = await history.of(world.store)

        await leave_room(world.store, pages=0)
        town.speak(300)
        with capture_logs() as facts:
            await world.once()
            await world.once()
        [reading] = polled(await world.readings())
        assert len(await world.mentions()) == len(before.mentions)
        assert reading.cursor == polled(before.readings)[0].cursor
        assert "The disk is full" in str(facts)
        assert "Make room" in str(facts)
        assert not (await history.of(world.store)).broken(town.said())

        await leave_room(world.store, pages=100_000)
        world.now += sources.LEASE
        await world.once()
        history.assert_whole(await history.of(world.store), town.said())


@pytest.mark.slow
async def test_on_a_full_disk_reads_are_served_and_it_goes_on_by_itself(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LEASE", timedelta(seconds=2))
    async with listening(sqlite_url, tmp_path) as (world, town):
        world.store._clock = None  # the clock runs
        town.speak(20)
        port = free_port()
        with capture_logs() as facts:
            async with serving(world, port):
                await until_finished(world.store, town.said, A_WHILE)
                before = await history.of(world.store)
                await leave_room(world.store, pages=0)
                town.speak(300)
                await until(lambda: "The disk is full" in str(facts))
                await asyncio.sleep(6)  # time for more walks
                for path in ("/", "/health", "/metrics"):
                    assert await status(f"http://127.0.0.1:{port}{path}") == 200
                after = await history.of(world.store)
                assert polled(after.readings)[0].cursor == polled(before.readings)[0].cursor
                assert not after.broken(town.said())
                told = [
                    (fact["event"], fact.get("stage") or fact.get("source"))
                    for fact in facts
                    if "The disk is full" in str(fact)
                ]
                assert len(told) == len(set(told)), "It says the same again and again."

                await leave_room(world.store, pages=100_000)
                found = await until_finished(world.store, town.said, A_WHILE)
        history.assert_whole(found, town.said())


@pytest.mark.slow
async def test_the_program_outlives_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=6) as folder:
        ballast, database = folder / "ballast", f"sqlite:///{folder / 'listener.db'}"
        async with history.kept_in(database) as store, Crowd() as town:
            ground = Ground(folder / "data", database, [town.host_port])
            async with forked(ground, "run", "--once") as program:  # makes the tables
                assert await program.ended() == 0, program.said
            await apply(store, plan(town), Seal(KEY))
            town.speak(20)
            async with started(ground, "run") as program:
                await until_finished(store, town.said, A_WHILE)
                before = await history.of(store)
                fill(ballast)
                town.speak(200)
                await program.until_said("The disk is full")
                await asyncio.sleep(3)
                assert await status(f"{ground.url}/health") == 200
                assert await status(f"{ground.url}/") == 200
                after = await history.of(store)
                assert not after.broken(town.said())
                assert len(after.mentions) < len(town.said())
                assert len(before.mentions) <= len(after.mentions)

                ballast.unlink()
                found = await until_finished(store, town.said, A_WHILE)
                program.stop()
                assert await program.ended() == 0, program.said
            history.assert_whole(found, town.said())


# --- locked


async def test_whoever_waits_too_long_for_a_lock_says_so_and_tries_again(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_session, "PATIENCE", timedelta(milliseconds=100))
    async with listening(sqlite_url, tmp_path) as (world, town):
        town.speak(20)
        service = await world.service()
        stop = asyncio.Event()
        with capture_logs() as facts:
            running = asyncio.create_task(service.run((), stop))
            await until_read(world, 17)
            async with locked(sqlite_url, seconds=1.5):
                town.speak(20)
                await until(lambda: "holds" in str(facts))
            world.now = town.now + sources.LEASE
            town.speak(1)
            await until_finished(world.store, town.said, A_WHILE)
            stop.set()
            await running
        history.assert_whole(await history.of(world.store), town.said())
        assert "Another program holds" in str(facts)
        assert "works again" in str(facts)


async def test_whoever_is_cancelled_in_a_transaction_leaves_no_lock_behind(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_session, "PATIENCE", timedelta(milliseconds=100))
    async with history.kept_in(sqlite_url) as store:

        async def look() -> None:
            async with store.transaction() as session:
                for _ in range(3):
                    await brands.every(session)

        async with store.transaction() as session:
            session.add_all(
                Brand(name=f"Brand {number}", query="fish", changed_at=NOON) for number in range(50)
            )
        for step in range(60):
            looking = asyncio.create_task(look())
            await asyncio.sleep(step / 10_000)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await look()  # DatabaseTrouble, if the lock is held


@pytest.mark.slow
async def test_a_database_locked_for_twenty_seconds_loses_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with history.kept_in(sqlite_url) as store, Crowd() as town:
        await apply(store, plan(town), Seal(KEY))
        ground = Ground(tmp_path, sqlite_url, [town.host_port])
        town.speak(30)
        async with forked(ground, "run") as program:
            await program.until_said("read", "heard")
            async with locked(sqlite_url, seconds=20):
                for _ in range(10):
                    town.speak(5)
                    assert await status(f"{ground.url}/health") == 200
                    await asyncio.sleep(1)
            found = await until_finished(store, town.said, STALL.total_seconds())
            program.stop()
            assert await program.ended() == 0, program.said
        history.assert_whole(found, town.said())


# --- restarted


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_database_that_is_restarted_again_and_again_loses_nothing(tmp_path: Path) -> None:
    with server(durable=True) as postgres:
        url = postgres.create()
        async with history.kept_in(url) as store, Crowd() as town:
            ground = Ground(tmp_path, url, [town.host_port])
            async with forked(ground, "run", "--once") as program:  # makes the tables
                assert await program.ended() == 0, program.said
            await apply(store, plan(town), Seal(KEY))
            town.speak(100)
            async with forked(ground, "run") as program, forked(ground, "run", "--only", "judge"):
                await program.until_said("read", "heard")
                for _ in range(5):
                    await talk(town, seconds=4)
                    await asyncio.to_thread(postgres.restart, "immediate")
                town.speak(10)
                began = time.monotonic()
                found = await until_finished(store, town.said, A_WHILE)
                stalled = timedelta(seconds=time.monotonic() - began)
                assert program.code() is None
                program.stop()
                assert await program.ended() == 0, program.said
            history.assert_whole(found, town.said())
            assert stalled <= STALL
            assert "Traceback" not in program.said


# --- a disk, a lock, a running service


@asynccontextmanager
async def listening(database: str, folder: Path) -> AsyncIterator[tuple[World, Crowd]]:
    """A listener in this process, and the town that it listens to."""
    async with World(database, folder, classifier=Lexicon()) as world, Crowd() as town:
        world.now = town.now
        world.allowed.add(town.host_port)
        await apply(world.store, plan(town), Seal(KEY))
        yield world, town


async def leave_room(store: Store, *, pages: int) -> None:
    """Let the database grow by so many pages and no more."""
    async with store.writer.connect() as connection:
        standing = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {standing + pages}")


@asynccontextmanager
async def serving(world: World, port: int) -> AsyncIterator[None]:
    """The whole service with its pages."""
    service = await world.service()
    stop = asyncio.Event()
    async with service.site.open("127.0.0.1", port):
        running = asyncio.create_task(service.run((), stop))
        try:
            yield
        finally:
            stop.set()
            await running


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full; only root may make one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Fill the disk to its last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@asynccontextmanager
async def locked(url: str, *, seconds: float) -> AsyncIterator[None]:
    """Another program holds the database's write lock for so long."""
    path = url.removeprefix("sqlite:///")
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, path, str(seconds), stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    try:
        assert await other.stdout.readline() == b"locked\n"
        yield
        assert await other.wait() == 0
    finally:
        if other.returncode is None:
            other.kill()
            await other.wait()


async def talk(town: Crowd, *, seconds: float) -> None:
    """People complain for a while."""
    for _ in range(int(seconds * 5)):
        town.speak(1)
        await asyncio.sleep(0.2)


async def status(url: str) -> int:
    """What a page answers with."""
    async with ClientSession(timeout=ClientTimeout(total=5)) as web, web.get(url) as response:
        return response.status


async def until_read(world: World, count: int) -> None:
    """Wait until so many mentions are there."""
    end = time.monotonic() + A_WHILE
    while len(await world.mentions()) < count:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + A_WHILE
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def polled(readings: Any) -> list[Reading]:
    """How sources were read page by page."""
    return [one for one in readings if one.way == "poll"]
