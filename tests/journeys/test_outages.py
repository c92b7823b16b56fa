"""A place in trouble: asked less, told of once, read on without a gap, and nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs
from structlog.types import EventDict

import connectors
from listener.app import Stage
from listener.domain.event import What
from tests.connectors.place import SECOND, Fault
from tests.journeys.scenes import (
    ALWAYS,
    Orange,
    Paper,
    Village,
    feed,
    hackernews,
    mastodon,
    numbers,
    read_what_is_due,
    reading_of,
)
from tests.world import World

PATIENCE = 20.0  # seconds, on a busy machine
PAGE = "<html><body><h1>We are having a little lie-down, n99n</h1></body></html>"

Break = Callable[["Village"], None]


def failing(fault: Fault) -> Break:
    """Whatever it is asked, the place answers with this fault."""
    return lambda village: village.fail(fault, ALWAYS)


def a_web_page(village: Village) -> None:
    """Instead of its posts the place shows a page for people."""
    village.instead = web.Response(text=PAGE, content_type="text/html")


TROUBLES: dict[str, Break] = {
    "429": failing(Fault.RETRY_SECONDS),
    "429 without a word": failing(Fault.TOO_MANY),
    "500": failing(Fault.BROKEN),
    "502": failing(Fault.BAD_GATEWAY),
    "cut off": failing(Fault.RESET),
    "half an answer": failing(Fault.TRUNCATED),
    "plain text": failing(Fault.ERROR_TEXT),
    "a web page": a_web_page,
}
UNREADABLE = {"half an answer", "plain text", "a web page"}


@pytest.fixture
async def sick() -> AsyncIterator[Village]:
    async with Village() as village:
        yield village


@pytest.fixture
async def well() -> AsyncIterator[Village]:
    async with Village() as village:
        yield village


async def settle(world: World, sick: Village, well: Village) -> None:
    """Two sources that have been read once and are well."""
    world.now = sick.now
    await world.set_up(
        sources=[mastodon(sick, "Sick"), mastodon(well, "Well", member=False)],
        allow=[sick.host_port, well.host_port],
    )
    sick.insert(2)
    well.insert(2)
    await look(world, sick, well)


async def look(world: World, *places: Village, after: timedelta = SECOND) -> None:
    """Let the listener look at what is due some time later."""
    world.now = max(world.now, *(place.now for place in places)) + after
    for place in places:
        place.now = world.now
    await read_what_is_due(world)


def told_of(logs: list[EventDict], event: str) -> list[EventDict]:
    """What was logged of one event."""
    return [one for one in logs if one["event"] == event]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.05)


# --- one place fails, the others go on


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_place_in_trouble_is_told_of_once_and_delays_nobody(
    world: World, sick: Village, well: Village, trouble: str
) -> None:
    await settle(world, sick, well)
    TROUBLES[trouble](sick)
    with capture_logs() as logs:
        for _ in range(4):
            sick.insert(5)
            well.insert(5)
            await look(world, sick, well, after=timedelta(minutes=20))

        source = (await reading_of(world, "Sick")).source_id
        theirs = [one for one in await world.mentions() if one.source_id != source]
        assert len(theirs) == 22
        reading = await reading_of(world, "Sick")
        assert reading.failing_since is not None
        assert reading.failures == 4
        assert not reading.stopped

        sick.heal()
        sick.instead = None
        await look(world, sick, well, after=timedelta(minutes=20))
        await look(world, sick, well, after=timedelta(minutes=20))

    [failed] = told_of(logs, "source fails")
    assert (failed["source"], failed["log_level"]) == ("Sick", "warning")
    assert "n99n" not in str(logs)
    [recovered] = told_of(logs, "source works again")
    assert recovered["source"] == "Sick"
    reading = await reading_of(world, "Sick")
    assert (reading.failing_since, reading.failure, reading.failures) == (None, None, 0)
    assert numbers(await world.mentions()) == sorted([*range(1, 23), *range(1, 23)])
    assert await world.gaps("Sick") == []
    letters = await world.dead_letters()
    assert bool(letters) is (trouble in UNREADABLE)
    assert len({letter.digest for letter in letters}) == len(letters)
    if trouble == "a web page":
        [letter] = letters
        assert letter.raw == PAGE
        assert letter.source_id == reading.source_id


async def test_a_place_that_fails_is_asked_less_and_less(
    world: World, sick: Village, well: Village
) -> None:
    await settle(world, sick, well)
    sick.fail(Fault.BROKEN, ALWAYS)
    world.now += timedelta(hours=1)
    begun = len(sick.asked)
    for _ in range(60):  # a minute, second by second
        world.now += SECOND
        await read_what_is_due(world)

    assert len(sick.asked) - begun == 4, "at once, and after 5, 10 and 20 seconds"


async def test_what_a_place_asks_for_with_429_is_obeyed_also_after_a_restart(
    world: World, sick: Village, well: Village
) -> None:
    await settle(world, sick, well)
    sick.insert(3)
    sick.fail(Fault.RETRY_SECONDS)
    await look(world, sick, well, after=timedelta(minutes=2))
    reading = await reading_of(world, "Sick")
    assert reading.not_before == world.now + timedelta(seconds=120)
    asked = len(sick.asked)

    await look(world, sick, well, after=timedelta(seconds=60))
    service = await world.once()  # also when a person says: now
    assert len(sick.asked) == asked
    assert "asked to wait" in service.poll.errors["Sick"]
    assert len(await world.mentions()) == 4

    await look(world, sick, well, after=timedelta(seconds=61))
    assert len(sick.asked) > asked
    assert len(await world.mentions()) == 7
    reading = await reading_of(world, "Sick")
    assert reading.not_before is None or reading.not_before <= world.now


async def test_sources_of_one_account_share_what_its_place_asked_for(
    world: World, sick: Village
) -> None:
    world.now = sick.now
    await world.set_up(
        sources=[mastodon(sick, "One"), mastodon(sick, "Two", tag=None)], allow=[sick.host_port]
    )
    sick.fail(Fault.RETRY_SECONDS)
    service = await world.once()

    assert set(service.poll.errors) == {"One", "Two"}
    assert len(sick.asked) <= 2, "who was not under way yet is not sent"


async def test_a_key_that_is_refused_waits_for_a_person(
    world: World, sick: Village, well: Village
) -> None:
    await settle(world, sick, well)
    sick.insert(3)
    sick.fail(Fault.DENIED)
    with capture_logs() as logs:
        await look(world, sick, well, after=timedelta(hours=1))
        asked = len(sick.asked)
        await look(world, sick, well, after=timedelta(days=1))

    assert (await reading_of(world, "Sick")).stopped
    assert len(sick.asked) == asked, "a wrong key is not tried again and again"
    [failed] = told_of(logs, "source fails")
    assert failed["again"] == "when a person has acted"

    changed = {**mastodon(sick, "Sick"), "every": "1m"}
    await world.set_up(sources=[changed])
    await look(world, sick, well)
    assert len(await world.mentions()) == 7


@pytest.mark.parametrize("fault", [Fault.RETRY_SECONDS, Fault.DENIED])
async def test_a_place_that_wants_to_be_left_alone_is_not_asked_for_old_posts_either(
    world: World, sick: Village, well: Village, fault: Fault
) -> None:
    await settle(world, sick, well)
    sick.fail(fault)
    await look(world, sick, well, after=timedelta(minutes=59))
    asked, theirs = len(sick.asked), len(well.asked)

    world.now += timedelta(seconds=90)
    await world.once()  # after a restart, when posts of an hour ago are due

    assert len(sick.asked) == asked
    assert any("/statuses/" in one.path for one in well.asked[theirs:])
    if fault is Fault.RETRY_SECONDS:
        world.now += timedelta(minutes=11)
        await world.once()
        assert any("/statuses/" in one.path for one in sick.asked[asked:])


async def test_a_place_that_hangs_keeps_nobody_waiting(
    world: World, sick: Village, well: Village
) -> None:
    async with Paper() as paper, Orange() as orange:
        for place in (sick, well, paper, orange):
            place.insert(5)
        world.now = sick.now + SECOND
        sick.fail(Fault.HANG, ALWAYS)
        await world.set_up(
            sources=[
                mastodon(sick, "Sick"),
                mastodon(well, "Well", member=False),
                feed(paper),
                hackernews(orange),
            ],
            allow=[place.host_port for place in (sick, well, paper, orange)],
        )
        service, stop = await world.service(), asyncio.Event()
        running = asyncio.create_task(
            service.run([Stage.POLL, Stage.JUDGE, Stage.NOTIFY], stop), name="the service"
        )
        try:

            async def all_others_are_told_of() -> bool:
                mentions = await world.mentions()
                return (
                    len(mentions) == 15
                    and not any(one.waits for one in mentions)
                    and all(notice.sent_at for notice in await world.notices())
                )

            await until(all_others_are_told_of)
            assert sick.asked
            assert (await reading_of(world, "Sick")).taken_by is not None, "it still hangs"
        finally:
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await running
        assert (await reading_of(world, "Sick")).taken_by is None


async def test_a_page_of_which_one_post_is_broken_brings_the_others(
    world: World, well: Village
) -> None:
    world.now = well.now
    await world.set_up(sources=[mastodon(well)], allow=[well.host_port])
    broken = well.insert(7)[3]
    status = well.status

    def one_is_broken(post: object) -> dict[str, object]:
        told = status(post)  # type: ignore[arg-type]
        return {**told, "created_at": "teatime"} if post == broken else told

    well.status = one_is_broken  # type: ignore[method-assign]
    await look(world, well)
    await look(world, well)

    assert numbers(await world.mentions()) == [1, 2, 3, 5, 6, 7]
    [letter] = await world.dead_letters()
    assert "teatime" in letter.raw
    assert "fish" not in letter.reason
    assert (await reading_of(world, "Town")).failing_since is None


# --- a long outage


async def test_a_complaint_made_during_an_outage_of_a_day_still_calls_somebody(
    world: World, sick: Village, well: Village
) -> None:
    await settle(world, sick, well)
    before = {case.id for case in await world.cases()}
    sick.fail(Fault.BROKEN, ALWAYS)
    for _ in range(24):
        sick.insert(1)
        await look(world, sick, well, after=timedelta(hours=1))
    assert len(await world.mentions()) == 4

    sick.heal()
    await look(world, sick, well, after=timedelta(hours=1))

    assert len(await world.mentions()) == 28
    assert await world.gaps("Sick") == []
    fresh = [one for one in await world.mentions() if one.id and one.id > 4]
    assert not any(one.late for one in fresh)
    assert all(one.case_id is not None for one in fresh)
    told = {event.case_id for event in await world.events() if event.what is What.OPENED}
    assert {one.case_id for one in fresh} <= told | before


async def test_an_outage_of_one_page_in_the_middle_leaves_a_gap_until_it_is_filled(
    world: World,
) -> None:
    async with Orange() as orange:
        world.now = orange.now
        await world.set_up(sources=[hackernews(orange)], allow=[orange.host_port])
        orange.insert(3)
        world.now = orange.now = orange.now + SECOND
        await world.once()
        assert await world.gaps("Orange") == []
        read = world.now

        orange.insert(35, apart=timedelta(minutes=2))
        orange.fail(Fault.BROKEN, ALWAYS, after=2, path="/search")
        world.now = orange.now = orange.now + SECOND
        await world.once()

        [(start, end)] = await world.gaps("Orange")
        assert start == read
        oldest = min(one.published_at for one in (await world.mentions())[3:])
        assert abs(end - oldest) <= timedelta(minutes=2)

        orange.heal()
        world.now = orange.now = orange.now + SECOND
        await world.once()

        assert await world.gaps("Orange") == []
        assert numbers(await world.mentions()) == list(range(1, 39))


async def test_a_connector_that_is_broken_stops_nobody_else(
    world: World, well: Village, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.now = well.now
    await world.set_up(sources=[mastodon(well)], allow=[well.host_port])
    post = well.insert(1)[0]
    await look(world, well)

    (tmp_path / "half_done.py").write_text("raise RuntimeError('not yet')\n")
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    well.delete(post)
    well.insert(1)
    world.now = well.now = world.now + timedelta(days=91)
    await world.once()

    gone, fresh = await world.mentions()
    assert gone.deleted_at == world.now
    assert fresh.judged_at == world.now
