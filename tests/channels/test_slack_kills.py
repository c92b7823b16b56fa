"""Whatever moment the program dies in while it speaks to Slack, people see one card a case."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any
from unittest.mock import patch

import pytest

from listener.app.slack import Kept
from listener.channels.slack_api import Api
from listener.desk import taking
from listener.stages.notify import Notify
from tests.channels.test_slack import several, told, urgent
from tests.given import INBOX, complained
from tests.slack_double import Workspace
from tests.world import World

STEPS = [
    *((Kept, name) for name in ("begin", "posted", "cards", "fold", "folded", "burst")),
    *((Api, name) for name in ("post", "edit", "find")),
    (Notify, "keep"),
]


class Killed(BaseException):
    """The power went."""


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace, and a channel of it that hears of our cases."""
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        await world.hire("Ana")
        yield workspace


@contextmanager
def dying(at: int) -> Iterator[list[int]]:
    """The program dies before or after the step of this number: even ones before, odd ones after."""
    passed = [0]

    def mortal(done: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(done)
        async def step(*given: Any, **more: Any) -> Any:
            number = passed[0]
            passed[0] += 2
            if number == at:
                raise Killed
            made = await done(*given, **more)
            if number + 1 == at:
                raise Killed
            return made

        return step

    patches = [patch.object(kind, name, mortal(getattr(kind, name))) for kind, name in STEPS]
    for one in patches:
        one.start()
    try:
        yield passed
    finally:
        for one in patches:
            one.stop()


async def tells(world: World, at: int) -> bool:
    """Tell until everything is told or the program dies; True when it lived."""
    with dying(at):
        try:
            await told(world)
        except Killed:
            return False
    return True


async def restarted(world: World, slack: Workspace) -> None:
    """Another worker goes on, once what the dead one had taken is free; Slack is slow and cuts."""
    world.now += timedelta(minutes=2)
    slack.trap("chat.postMessage", "429")
    await told(world, seconds=60)
    slack.traps.clear()
    world.now += timedelta(minutes=2)
    await told(world, seconds=60)


async def at_every_step(
    world: World, slack: Workspace, act: Callable[[], Any], seen: Callable[[], None]
) -> int:
    """Let it happen and die at its first step, then again at its second, to the last."""
    at = 0
    while True:
        await act()
        lived = await tells(world, at)
        await restarted(world, slack)
        assert all(notice.sent_at for notice in await world.notices())
        seen()
        if lived:
            return at
        at += 1
        assert at < 100


@pytest.mark.slow
async def test_one_card_a_case_wherever_it_dies(world: World, slack: Workspace) -> None:
    number = 0

    async def another() -> None:
        nonlocal number
        number += 1
        words = " ".join(f"fish w{number}x{one}" for one in range(12))
        await complained(world, words, author=f"a{number}")
        await taking.take(world.store, number, "Ana")
        await urgent(world, number)

    def one_each() -> None:
        keys = [card.metadata["event_payload"]["key"] for card in slack.cards]
        assert sorted(keys, key=int) == [str(one + 1) for one in range(number)]
        assert all("Taken by Ana" in card.shown for card in slack.cards)

    steps = await at_every_step(world, slack, another, one_each)

    assert steps >= 8


@pytest.mark.slow
async def test_a_rise_is_said_aloud_once_wherever_it_dies(world: World, slack: Workspace) -> None:
    number = 0

    async def another() -> None:
        nonlocal number
        number += 1
        words = " ".join(f"fish w{number}x{one}" for one in range(12))
        await complained(world, words, author=f"a{number}")
        await restarted(world, slack)
        await urgent(world, number)
        await taking.take(world.store, number, "Ana")

    def once() -> None:
        aloud = [card for card in slack.cards if card.broadcast]
        assert len(aloud) == number
        assert len(slack.cards) == 2 * number

    steps = await at_every_step(world, slack, another, once)

    assert steps >= 8


@pytest.mark.slow
async def test_a_burst_is_one_card_wherever_it_dies(world: World, slack: Workspace) -> None:
    bursts = 0

    async def another() -> None:
        nonlocal bursts
        world.now += timedelta(minutes=10)  # the one before takes in no more
        await several(world, 12, first=12 * bursts)
        bursts += 1

    def counted() -> None:
        assert len(slack.cards) == bursts
        assert all("12 new cases at once" in card.shown for card in slack.cards)

    steps = await at_every_step(world, slack, another, counted)

    assert steps >= 8
