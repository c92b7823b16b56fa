"""Filling makes up a desk full of work, and never touches a database that has anything real."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from listener.domain.case import Status
from listener.store import queue, search
from listener.store.queue import Queue, Viewer
from listener.store.search import Search
from listener.store.session import now
from tests.given import complained, settled
from tests.world import World

FILL = Path(__file__).resolve().parents[2] / "scripts" / "fill.py"


def fill(world: World, tmp_path: Path, count: int) -> subprocess.CompletedProcess[str]:
    where = {"DATABASE_URL": world.settings.database, "LISTENER_DATA": str(tmp_path / "own")}
    return subprocess.run(
        [sys.executable, str(FILL), str(count)],
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_an_empty_database_is_filled_once(world: World, tmp_path: Path) -> None:
    done = fill(world, tmp_path, 2000)

    assert done.returncode == 0, done.stderr
    assert len(await world.mentions()) == 2000
    cases = await world.cases()
    open_ones = [case for case in cases if case.status is not Status.CLOSED]
    assert len(open_ones) == 100
    assert Counter(case.status for case in cases).keys() == set(Status)
    async with world.store.reading() as session:
        moment = await now(session)
        viewer = Viewer(staff_id=1, now=moment, today=moment)
        assert (await queue.counts(session, viewer))[Queue.ALL] == 100
        assert (await search.search(session, Search(words="telephone"))).mentions

    again = fill(world, tmp_path, 2000)
    assert again.returncode == 1
    assert "filled already: 2,000 mentions" in again.stderr


async def test_a_database_with_anything_real_in_it_is_left_alone(
    world: World, tmp_path: Path
) -> None:
    await settled(world)
    await complained(world)

    done = fill(world, tmp_path, 100)

    assert done.returncode == 1
    assert "something that was not made up (Acme)" in done.stderr
    assert len(await world.mentions()) == 1
