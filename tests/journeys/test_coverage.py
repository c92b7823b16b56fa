"""Coverage says what has provably been read: nothing that was missed lies in what it claims."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.kit.contract import Span
from tests.connectors.place import SECOND, Fault, Place
from tests.journeys.scenes import (
    ALWAYS,
    NUMBERED,
    SCENES,
    Paper,
    Scene,
    Village,
    Weekly,
    feed,
    mastodon,
    numbers,
    read_spans,
)
from tests.world import World

MINUTE = timedelta(minutes=1)
ALL: Mapping[str, Scene] = {
    **SCENES,
    "a feed with little room": Scene(Weekly, feed, "/feed"),
    "numbered pages": NUMBERED,
}
COMPLETE = [name for name in SCENES if name != "a feed"]
# What happens one after the other: posts a minute apart, a look that goes well, one that is cut
# after so many pages.
STORIES: dict[str, Sequence[tuple[str, int]]] = {
    "quiet": [("posts", 5), ("look", 0), ("posts", 0), ("look", 0), ("posts", 2), ("look", 0)],
    "bursts": [("posts", 30), ("look", 0), ("posts", 75), ("look", 0), ("posts", 55), ("look", 0)],
    "cuts": [("posts", 45), ("cut", 2), ("posts", 25), ("cut", 1), ("posts", 15), ("cut", 3)],
    "an outage": [("posts", 9), ("look", 0), *[("posts", 40), ("cut", 0)] * 3, ("look", 0)],
    "nothing yet": [("look", 0), ("look", 0), ("posts", 12), ("cut", 1), ("posts", 12)],
}


async def look(world: World, place: Place) -> None:
    """Let the listener look at what the place shows now."""
    place.wait(SECOND)
    world.now = place.now
    await world.once()


async def settle(world: World, place: Place, *sources: dict[str, Any]) -> None:
    """Set up what reads a place, by the place's clock."""
    world.now = place.now
    await world.set_up(sources=sources, allow=[place.host_port])


def within(moment: datetime, spans: Sequence[Span]) -> bool:
    """Whether a moment lies in one of the spans."""
    return any(span.start <= moment <= span.end for span in spans)


async def claims_are_true(world: World, place: Place, name: str) -> None:
    """Every post in a span that counts as read has been read; every other lies in a gap."""
    spans = await read_spans(world, name)
    gaps = [Span(*gap) for gap in await world.gaps(name)]
    kept = set(numbers(await world.mentions()))
    for post in place._held.values():
        if post.number in kept:
            continue
        assert not within(post.at, spans), f"post {post.number} counts as read, and was not"
        assert within(post.at, gaps) or not spans or post.at > spans[-1].end


@pytest.mark.parametrize(
    "story",
    [pytest.param(name, marks=[pytest.mark.slow] if name == "bursts" else []) for name in STORIES],
)
@pytest.mark.parametrize("scene", ALL)
async def test_what_counts_as_read_has_been_read(world: World, scene: str, story: str) -> None:
    async with ALL[scene].place() as place:
        source = ALL[scene].source(place)
        await settle(world, place, source)
        for what, count in STORIES[story]:
            if what == "posts":
                place.insert(count, apart=MINUTE)
                continue
            if what == "cut":
                place.fail(Fault.BROKEN, ALWAYS, after=count, path=ALL[scene].lists)
            await look(world, place)
            place.heal()
            await claims_are_true(world, place, source["name"])
        await look(world, place)

        await claims_are_true(world, place, source["name"])
        found = numbers(await world.mentions())
        assert len(found) == len(set(found))
        if scene in COMPLETE:
            assert found == sorted(place._held)
            assert await world.gaps(source["name"]) == []


@pytest.mark.parametrize("scene", COMPLETE)
async def test_a_place_that_can_be_read_back_is_covered_from_the_day_it_is_wanted(
    world: World, scene: str
) -> None:
    async with SCENES[scene].place() as place:
        source = SCENES[scene].source(place)
        await settle(world, place, {**source, "since": "3d"})
        since = world.now - timedelta(days=3)
        place.insert(25, apart=MINUTE)
        await look(world, place)
        place.insert(25, apart=MINUTE)
        await look(world, place)

        [span] = await read_spans(world, source["name"])
        assert abs(span.start - since) <= SECOND
        assert span.end == world.now
        assert await world.gaps(source["name"]) == []


@pytest.mark.parametrize("scene", ["a feed with little room", "numbered pages"])
async def test_what_rolled_out_of_a_places_window_stays_a_gap_for_all_to_see(
    world: World, scene: str
) -> None:
    async with ALL[scene].place() as place:
        window = place.window or 0
        source = {**ALL[scene].source(place), "since": "1d"}
        await settle(world, place, source)
        place.wait(timedelta(days=2))
        await settle(world, place, {**source, "since": "1d"})
        first = place.insert(5, apart=MINUTE)
        await look(world, place)
        read = world.now
        place.insert(2 * window, apart=MINUTE)
        await look(world, place)

        lost = [post for post in place._held.values() if post not in place.listed()][len(first) :]
        assert len(lost) == window
        [*_, (start, end)] = await world.gaps(source["name"])
        assert start <= read + MINUTE
        assert start <= lost[0].at
        assert lost[-1].at <= end <= place.listed()[-1].at
        gaps = await world.gaps(source["name"])

        place.insert(3, apart=MINUTE)
        await look(world, place)
        assert await world.gaps(source["name"]) == gaps, "no later look can fill it"


async def test_a_feed_that_is_still_known_at_its_end_leaves_no_gap(world: World) -> None:
    async with Paper() as paper:
        await settle(world, paper, feed(paper))
        paper.insert(3, apart=MINUTE)
        await look(world, paper)
        [(start, end)] = await world.gaps("Paper")
        assert (start, end) == (world.now - timedelta(days=7, seconds=181), paper.listed()[-1].at)

        for _ in range(3):
            paper.insert(10, apart=MINUTE)
            await look(world, paper)
        assert await world.gaps("Paper") == [(start, end)]


async def test_reading_again_for_another_brand_unsays_nothing(world: World) -> None:
    async with Village() as village:
        await settle(world, village, mastodon(village))
        village.insert(15, apart=MINUTE)
        await look(world, village)
        before = await read_spans(world, "Town")

        brands = [{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "chips"}]
        await world.set_up(brands=brands)
        village.fail(Fault.BROKEN, ALWAYS, after=1, path="/timelines")
        await look(world, village)
        [after] = await read_spans(world, "Town")
        assert after.start <= before[0].start
        assert after.end >= before[0].end

        village.heal()
        await look(world, village)
        assert len(await world.mentions()) == 30
        assert await world.gaps("Town") == []


@pytest.mark.slow
async def test_the_command_lists_every_source_with_its_spans_and_gaps(
    world: World, database: str, tmp_path: Path
) -> None:
    async with Village() as village, Weekly() as weekly:
        world.now = weekly.now = village.now
        idle = mastodon(village, "Idle", tag=None, since="1d")
        await settle(world, village, mastodon(village, since="1d"))
        await settle(world, weekly, feed(weekly, since="1d"))
        village.insert(5)
        weekly.insert(5)
        await look(world, weekly)
        weekly.insert(40, apart=MINUTE)
        village.now = weekly.now
        await look(world, weekly)
        read = world.now
        village.now = read + MINUTE
        village.fail(Fault.BROKEN, ALWAYS)
        await look(world, village)
        await world.set_up(sources=[idle])

        told = await said_by_the_command(database, tmp_path, "--json")
        rows = {row["source"]: row for row in map(orjson.loads, told.splitlines())}
        assert set(rows) == {"Town", "Paper", "Idle"}
        assert rows["Idle"] | {"since": ""} == {
            "source": "Idle",
            "since": "",
            "read": [],
            "gaps": [],
            "failing_since": None,
            "error": None,
        }
        town, paper = rows["Town"], rows["Paper"]
        [span] = town["read"]
        assert datetime.fromisoformat(span["to"]) == read
        assert town["gaps"] == []
        assert datetime.fromisoformat(town["failing_since"]) == world.now
        assert town["error"]
        gaps = await world.gaps("Paper")
        assert len(gaps) == 2
        assert gaps == [
            (datetime.fromisoformat(gap["from"]), datetime.fromisoformat(gap["to"]))
            for gap in paper["gaps"]
        ]

        shown = await said_by_the_command(database, tmp_path)
        assert f"{gaps[1][0]:%Y-%m-%d %H:%M} to {gaps[1][1]:%Y-%m-%d %H:%M}" in shown
        assert "not read yet" in shown


async def said_by_the_command(database: str, folder: Path, *arguments: str) -> str:
    """What `listener coverage` prints."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "listener", "coverage", *arguments),
        env=os.environ | {"DATABASE_URL": database, "LISTENER_DATA": str(folder), "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await program.communicate()
    assert program.returncode == 0, err.decode()
    return out.decode()
