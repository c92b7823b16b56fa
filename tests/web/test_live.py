"""Open pages hear what happens to cases, whichever process did it, and only of their brands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp.web import StreamResponse
from structlog.testing import capture_logs

from listener.desk import presence, taking
from listener.domain.staff import Role
from listener.store import people
from tests.given import COMPLAINTS, complained, settled
from tests.web.visiting import Browser, street
from tests.world import World


@asynccontextmanager
async def listening(
    browser: Browser, after: int = 0
) -> AsyncIterator[asyncio.Queue[tuple[str, object]]]:
    """What an open page hears: the kind and the facts of each event."""
    heard: asyncio.Queue[tuple[str, object]] = asyncio.Queue()

    async def hear() -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        async with browser.session.get(f"/live?after={after}", headers={"Cookie": cookies}) as line:
            kind = ""
            async for raw in line.content:
                words = raw.decode().strip()
                if words.startswith("event: "):
                    kind = words.removeprefix("event: ")
                elif words.startswith("data: "):
                    heard.put_nowait((kind, orjson.loads(words.removeprefix("data: "))))

    task = asyncio.create_task(hear())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(heard: asyncio.Queue[tuple[str, object]], kind: str) -> dict[str, object]:
    """The next event of this kind."""
    async with asyncio.timeout(60):
        while True:
            found, facts = await heard.get()
            if found == kind and facts:
                assert isinstance(facts, dict)
                return facts


async def test_an_act_of_another_process_is_heard(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    before = max(event.key for event in await world.events())
    async with street(world) as way, listening(await way.signed_in("Ana"), before) as heard:
        await taking.take(world.store, 2, "Ben")

        facts = await until(heard, "cases")

    assert facts["cases"] == [2]
    assert facts["last"] == max(event.key for event in await world.events())


async def test_what_happened_while_a_page_was_away_is_heard_when_it_is_back(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    async with street(world) as way, listening(await way.signed_in("Ana"), after=1) as heard:
        assert (await until(heard, "cases"))["cases"] == [2]


async def test_who_is_at_a_case_is_heard_by_the_others(world: World) -> None:
    await settled(world)
    await complained(world)
    async with street(world) as way, listening(await way.signed_in("Ana")) as heard:
        await presence.here(world.store, 1, "Ben", writing=True)

        facts = await until(heard, "here")

    assert facts == {"1": [{"name": "Ben", "initials": "B", "writing": True}]}


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.MANAGER])
async def test_nothing_is_heard_of_another_brand(world: World, role: Role) -> None:
    await settled(world)
    async with world.store.transaction() as session:
        ana = await people.named(session, "Ana")
        assert ana is not None
        ana.role, ana.brands = role, [999]
        session.add(ana)
    await complained(world)
    async with street(world) as way, listening(await way.signed_in("Ana")) as heard:
        await presence.here(world.store, 1, "Ben")
        await taking.take(world.store, 1, "Ben")
        await asyncio.sleep(3)  # longer than three looks

    while not heard.empty():
        kind, facts = heard.get_nowait()
        assert not facts, kind


async def test_a_page_that_is_closed_is_no_fault_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    left, usual = asyncio.Event(), StreamResponse.write

    async def write(self: StreamResponse, data: bytes) -> None:
        try:
            await usual(self, data)
        except ConnectionError:
            left.set()
            raise

    monkeypatch.setattr(StreamResponse, "write", write)
    with capture_logs() as logs:
        async with street(world) as way:
            async with listening(await way.signed_in("Ana"), after=1) as heard:
                await until(heard, "cases")
            await taking.take(world.store, 2, "Ben")
            async with asyncio.timeout(60):
                await left.wait()

    assert [line for line in logs if line["log_level"] == "error"] == []
    assert [line for line in caplog.records if line.name == "aiohttp.server"] == []
