"""Replies are said at most once, whatever dies between us and the place."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from listener.desk import replies
from listener.domain.case import Status
from listener.domain.reply import LOOKS, Reply, State
from listener.store.replies import LEASE, give_back
from tests.replying import Cut, Square, held, outbox, seen, sent
from tests.world import World

WORDS = "We are sorry, Ada."


def raising(error: BaseException, *, times: int = 1) -> Callable[[], None]:
    """Raises so often, then nothing."""
    left = [times]

    def happens() -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return happens


async def due(world: World, square: Square) -> int:
    """A reply whose undo window is over."""
    case = await held(world)
    await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )
    world.now += timedelta(minutes=1)
    return case


async def reply_of(world: World) -> Reply:
    [reply] = await sent(world)
    return reply


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_process_that_dies_while_it_sends_says_it_once(world: World, when: str) -> None:
    square = Square()
    await due(world, square)
    setattr(square, when, raising(Cut()))

    with pytest.raises(Cut):
        await outbox(world, square).step()
    await outbox(world, square).step()  # at once after the restart: still leased, nothing happens
    world.now += LEASE + timedelta(seconds=1)
    await outbox(world, square).step()

    assert list(square.standing.values()) == [WORDS]
    assert (await reply_of(world)).state is State.POSTED


async def test_a_process_that_dies_before_it_keeps_what_became_of_it_says_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    square = Square()
    await due(world, square)
    dying = outbox(world, square)

    async def dies(*_: object) -> None:
        raise Cut

    monkeypatch.setattr(dying, "keep", dies)
    with pytest.raises(Cut):
        await dying.step()
    world.now += LEASE + timedelta(seconds=1)
    await outbox(world, square).step()

    assert square.asked == 1
    assert (await reply_of(world)).state is State.POSTED


async def test_after_a_restart_on_the_embedded_database_it_is_looked_for_at_once(
    world: World,
) -> None:
    square = Square()
    await due(world, square)
    square.after = raising(Cut())
    with pytest.raises(Cut):
        await outbox(world, square).step()

    async with world.store.transaction() as session:
        await give_back(session)
    await outbox(world, square).step()

    assert square.asked == 1
    assert (await reply_of(world)).state is State.POSTED


async def test_a_place_that_hangs_is_left_before_another_worker_looks(world: World) -> None:
    square = Square()
    await due(world, square)
    square.hangs = True
    waiting = outbox(world, square)
    waiting.patience = timedelta(seconds=0.2)

    await waiting.step()

    reply = await reply_of(world)
    assert (reply.state, reply.failure) == (State.SENDING, "Its place took too long to answer.")
    square.hangs = False
    world.now += timedelta(minutes=2)
    await outbox(world, square).step()
    assert list(square.standing.values()) == [WORDS]


async def test_two_workers_never_send_the_same_reply(world: World) -> None:
    square = Square()
    await due(world, square)
    one, other = outbox(world, square), outbox(world, square)

    first, second = await one.take(), await other.take()

    assert (len(first), len(second)) == (1, 0)


@pytest.mark.parametrize("error", [TryLater("busy"), Unreadable("odd answer"), ValueError("bug")])
async def test_what_may_have_been_said_is_looked_for_before_it_is_said_again(
    world: World, error: Exception
) -> None:
    square = Square()
    await due(world, square)
    square.after = raising(error)  # it stands there, but nobody told us

    await outbox(world, square).step()
    assert (await reply_of(world)).state is State.SENDING
    world.now += timedelta(minutes=2)
    await outbox(world, square).step()

    assert square.asked == 1
    assert (await reply_of(world)).state is State.POSTED


async def test_a_place_that_cannot_tell_leaves_it_to_a_person(world: World) -> None:
    square = Square()
    case = await due(world, square)
    square.after = raising(TryLater("cut off"))
    square.looking = raising(TryLater("cannot look"), times=99)

    for _ in range(LOOKS + 2):
        await outbox(world, square).step()
        world.now += timedelta(minutes=2)

    reply = await reply_of(world)
    assert reply.state is State.UNCLEAR
    assert square.asked == 1  # never said again by itself
    [standing] = await world.cases()
    assert standing.status is Status.OWNED

    await replies.there(world.store, reply.key, "Ana", url="https://square.example/1")
    [answered] = await world.cases()
    assert (answered.key, answered.status) == (case, Status.ANSWERED)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (AccessDenied("The key has ended."), "The key has ended."),
        (Gone("no such post"), "The post is not there any more: no such post"),
        (ConnectorError("The reply is too long."), "The reply is too long."),
    ],
)
async def test_a_refusal_is_told_with_its_reason_and_can_be_sent_again(
    world: World, error: ConnectorError, why: str
) -> None:
    square = Square()
    await due(world, square)
    square.before = raising(error)

    await outbox(world, square).step()
    failed = await reply_of(world)
    assert (failed.state, failed.failure) == (State.FAILED, why)

    await replies.again(world.store, failed.key, "Ana")
    await outbox(world, square).step()
    assert list(square.standing.values()) == [WORDS]
