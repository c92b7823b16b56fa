"""The power goes at every statement of every step: nothing is half done, nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event

from listener.desk import away
from listener.domain.deadline import Policies, Warned
from listener.domain.event import What
from listener.domain.ladder import Rung
from listener.domain.miss import Miss
from listener.domain.notice import Notice
from listener.domain.staff import Role
from listener.stages.due import Due
from listener.stages.escalate import Escalate
from listener.stages.route import Routing
from listener.store.session import Store
from tests.given import complained, settled
from tests.routed import decisions, member, owners, rule, team, told
from tests.store.test_migrations import contents
from tests.web.visiting import hired
from tests.world import World

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


class PowerCutError(Exception):
    """The machine is off; what was not committed is lost."""


@contextmanager
def power_cut(store: Store, at: int) -> Iterator[Counter[str]]:
    """Everything ends before the statement of this number, or before the commit after the last."""
    engine, passed = store.writer.sync_engine, Counter[str]()

    def step() -> None:
        if passed["statements"] == at:
            passed["cut"] += 1
            raise PowerCutError
        passed["statements"] += 1

    def executing(_one: Any, _two: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            step()

    def committing(_connection: Any) -> None:
        step()

    event.listen(engine, "before_cursor_execute", executing)
    event.listen(engine, "commit", committing)
    try:
        yield passed
    finally:
        event.remove(engine, "before_cursor_execute", executing)
        event.remove(engine, "commit", committing)


async def cut_everywhere(world: World, step: Callable[[], Awaitable[int]]) -> int:
    """Cut at each statement in turn, until the step comes to its end; say how often."""
    at = 0
    while True:
        before = await contents(world.store)
        with power_cut(world.store, at) as passed, suppress(PowerCutError):
            await step()
        if not passed["cut"]:
            return at
        assert await contents(world.store) == before, f"cut {at} left something behind"
        at += 1


async def climb(world: World) -> int:
    """Let the ladder climb at this moment, cut at every statement of every batch."""
    cuts = 0
    for _ in range(3):  # a step may put the case before another that is due
        cuts += await cut_everywhere(world, lambda: Escalate(world.store, asyncio.Event()).step())
    return cuts


async def route(world: World) -> int:
    """Let the rules decide at this moment, cut at every statement."""
    return await cut_everywhere(world, lambda: Routing(world.store, asyncio.Event()).step())


async def test_every_step_of_the_ladder_is_taken_once_whenever_the_power_goes(
    world: World,
) -> None:
    world.now = MONDAY
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER)
    await hired(world, "Root", Role.ADMIN)
    support = await team(world, "Support", "Ana")
    await member(world, support, "Lea", leads=True, capacity=0)
    await rule(world, support)
    await complained(world)

    cuts = await route(world)
    for minute in (0, 60, 120, 180, 230):
        world.now = MONDAY + timedelta(minutes=minute)
        cuts += await climb(world)

    called = await told(world, What.ESCALATED)
    assert cuts > 30
    assert [(one.details["rank"], one.at - MONDAY) for one in called] == [
        ("owner", timedelta(minutes=60)),
        ("lead", timedelta(minutes=120)),
        ("manager", timedelta(minutes=180)),
        ("on-call", timedelta(minutes=230)),
    ]
    assert [rung.step for rung in await world.all_of(Rung)] == [0, 1, 2, 3]
    assert len(await decisions(world)) == 1
    notices = Counter((one.event_id, one.staff_id) for one in await world.all_of(Notice))
    assert notices
    assert set(notices.values()) == {1}


async def test_every_warning_is_given_once_whenever_the_power_goes(world: World) -> None:
    world.now = MONDAY
    await settled(world)
    await complained(world)

    cuts = 0
    for minute in (0, 120, 192, 240, 241):
        world.now = MONDAY + timedelta(minutes=minute)
        cuts += await cut_everywhere(
            world, lambda: Due(world.store, Policies(), asyncio.Event()).step()
        )

    assert cuts > 10
    assert [(one.level, one.at - MONDAY) for one in await world.all_of(Warned)] == [
        (50, timedelta(minutes=120)),
        (80, timedelta(minutes=192)),
        (100, timedelta(minutes=240)),
    ]
    assert len(await told(world, What.WARNED)) == 2
    assert len(await told(world, What.MISSED)) == 1
    assert len(await world.all_of(Miss)) == 1


async def test_going_away_hands_each_case_on_once_whenever_the_power_goes(world: World) -> None:
    world.now = MONDAY
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"))
    await complained(world)
    await route(world)
    assert await owners(world) == ["Ana"]

    await cut_everywhere(world, lambda: gone(world, "Ana", MONDAY + timedelta(days=1)))
    cuts = await route(world) + await route(world)

    assert cuts > 5
    assert await owners(world) == ["Ben"]
    assert len(await told(world, What.RELEASED)) == 1
    assert len(await told(world, What.ROUTED)) == 2


async def gone(world: World, name: str, until: datetime) -> int:
    """Somebody goes away."""
    await away.go_away(world.store, name, until)
    return 1
