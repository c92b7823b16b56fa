"""Everybody sees who is at a case right now, and nobody stays there who has left."""

from datetime import timedelta

import pytest

from listener.desk import presence
from listener.domain.record import NotAllowed
from listener.store import presences
from listener.store.presences import Mark
from tests.given import COMPLAINTS, complained, settled
from tests.world import World


async def marks(world: World, *cases: int) -> dict[int, list[Mark]]:
    async with world.store.reading() as session:
        return await presences.marks(session, cases or None, now=world.now)


async def test_who_looks_and_who_writes_is_seen_writers_first(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])

    await presence.here(world.store, 1, "Ana")
    await presence.here(world.store, 1, "Ben", writing=True)
    await presence.here(world.store, 2, "Ana")

    assert await marks(world) == {
        1: [Mark(1, 2, "Ben", writing=True), Mark(1, 1, "Ana", writing=False)],
        2: [Mark(2, 1, "Ana", writing=False)],
    }
    assert set(await marks(world, 2)) == {2}


async def test_who_begins_to_write_is_seen_to_at_once(world: World) -> None:
    await settled(world)
    await complained(world)
    await presence.here(world.store, 1, "Ana")

    await presence.here(world.store, 1, "Ana", writing=True)

    assert (await marks(world))[1] == [Mark(1, 1, "Ana", writing=True)]


async def test_a_mark_ends_by_itself_and_lives_on_while_signs_come(world: World) -> None:
    await settled(world)
    await complained(world)
    await presence.here(world.store, 1, "Ana")
    await presence.here(world.store, 1, "Ben")

    for _ in range(5):
        world.now += timedelta(seconds=10)
        await presence.here(world.store, 1, "Ana")

    assert (await marks(world))[1] == [Mark(1, 1, "Ana", writing=False)]
    world.now += timedelta(seconds=40)
    assert await marks(world) == {}


async def test_who_says_goodbye_is_gone_at_once(world: World) -> None:
    await settled(world)
    await complained(world)
    await presence.here(world.store, 1, "Ana")

    await presence.gone(world.store, 1, "Ana")

    assert await marks(world) == {}


async def test_strangers_leave_no_mark(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed, match="Nobody here is called 'Zoe'"):
        await presence.here(world.store, 1, "Zoe")
