"""Answering a customer: by whom, with what in sight, and never into the blue."""

from datetime import timedelta

import pytest

from connectors.kit.errors import AccessDenied
from listener.desk import replies, taking
from listener.domain.case import Status
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.domain.reply import Draft, State, length
from listener.stages.sweep import Sweep
from listener.store.replies import draft
from listener.store.sweeping import Keeping
from tests.given import heard, said
from tests.replying import Square, held, outbox, seen, sent
from tests.world import World

WORDS = "We are sorry, Ada. Please write to us and we send you a new one."


async def test_a_reply_waits_out_its_undo_window(world: World) -> None:
    case, square = await held(world), Square()

    await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )
    await outbox(world, square).step()
    assert square.standing == {}

    world.now += timedelta(seconds=31)
    await outbox(world, square).step()
    assert list(square.standing.values()) == [WORDS]
    [reply] = await sent(world)
    assert reply.state is State.POSTED
    assert reply.url == f"https://square.example/{reply.publish_key}"
    [answered] = await world.cases()
    assert answered.status is Status.ANSWERED
    assert answered.answered_at == world.now
    assert answered.waiting_since is None


async def test_a_reply_that_is_taken_back_is_never_sent_and_becomes_the_draft(
    world: World,
) -> None:
    case, square = await held(world), Square()
    written = await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )

    await replies.withdraw(world.store, written.reply.key, "Ana")
    world.now += timedelta(minutes=2)
    await outbox(world, square).step()

    assert square.standing == {}
    box = await replies.compose(world.store, square.rule, case, "Ana")
    assert box is not None
    assert box.draft == WORDS
    [still] = await world.cases()
    assert still.status is Status.OWNED


async def test_only_who_holds_the_case_may_answer(world: World) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case, "Ben")

    with pytest.raises(NotAllowed, match="Ana holds case 1"):
        await replies.send(world.store, square.rule, case, "Ben", WORDS, looked)


async def test_an_owner_whose_hold_has_lapsed_may_answer_and_holds_it_again(world: World) -> None:
    case, square = await held(world), Square()
    world.now += timedelta(hours=1)

    await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )

    [now] = await world.cases()
    assert now.held_by(world.now) == now.owner_id


async def test_a_reply_is_refused_when_the_author_changed_the_post_meanwhile(
    world: World,
) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case)
    await replies.keep_draft(world.store, case, "Ana", WORDS)
    [mention] = await world.mentions()
    await heard(world, said("It has arrived, the fish was fine.", id=mention.post_id,
                            published=mention.published_at))  # fmt: skip

    with pytest.raises(replies.Changed, match="the author changed the post"):
        await replies.send(world.store, square.rule, case, "Ana", WORDS, looked)

    box = await replies.compose(world.store, square.rule, case, "Ana")
    assert box is not None
    assert box.draft == WORDS
    assert await sent(world) == []


async def test_a_reply_is_refused_when_the_post_was_deleted_meanwhile(world: World) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case)
    [mention] = await world.mentions()
    await heard(world, gone=[mention.post_id])

    with pytest.raises(replies.Changed, match="deleted"):
        await replies.send(world.store, square.rule, case, "Ana", WORDS, looked)
    async with world.store.reading() as session:
        assert await draft(session, case, 1) == WORDS


async def test_a_reply_too_long_for_its_place_is_refused_and_kept_as_the_draft(
    world: World,
) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case)

    with pytest.raises(NotAllowed, match="501 characters, and 500 are the most"):
        await replies.send(world.store, square.rule, case, "Ana", "x" * 501, looked)

    async with world.store.reading() as session:
        assert await draft(session, case, 1) == "x" * 501


async def test_a_failed_reply_is_not_sent_again_once_another_was_written(world: World) -> None:
    case, square = await held(world), Square()
    first = await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )
    square.before = refusing
    world.now += timedelta(minutes=1)
    await outbox(world, square).step()
    square.before = lambda: None
    await replies.send(
        world.store, square.rule, case, "Ana", "Hello, Ada.", await seen(world, square, case)
    )

    with pytest.raises(NotAllowed, match="Another reply was written since"):
        await replies.again(world.store, first.reply.key, "Ana")


def refusing() -> None:
    """A place that takes nothing."""
    raise AccessDenied("The key has ended.")


@pytest.mark.parametrize(
    ("text", "unit", "long"),
    [("né", "characters", 2), ("né", "bytes", 3), ("👨‍👩‍👧e\u0301", "graphemes", 2)],
)
def test_a_text_is_counted_as_its_place_counts(text: str, unit: str, long: int) -> None:
    assert length(text, unit) == long


async def test_a_reply_is_refused_when_another_one_was_written_meanwhile(world: World) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case, "Ben")
    await replies.send(
        world.store, square.rule, case, "Ana", WORDS, await seen(world, square, case)
    )
    await taking.take(world.store, case, "Ben", over=True)

    with pytest.raises(replies.Changed, match="another reply was written"):
        await replies.send(world.store, square.rule, case, "Ben", "Hello, Ada!", looked)


async def test_what_was_posted_by_hand_answers_the_case(world: World) -> None:
    case, square = await held(world), Square()

    await replies.by_hand(
        world.store, case, "Ana", WORDS, await seen(world, square, case),
        url="https://place.example/r/1",
    )  # fmt: skip

    [reply] = await sent(world)
    assert (reply.state, reply.by_hand) == (State.POSTED, True)
    [answered] = await world.cases()
    assert answered.status is Status.ANSWERED
    assert [event.what for event in await world.events()][-1] is What.ANSWERED


async def test_an_empty_reply_is_none(world: World) -> None:
    case, square = await held(world), Square()
    looked = await seen(world, square, case)

    with pytest.raises(NotAllowed, match="empty"):
        await replies.send(world.store, square.rule, case, "Ana", " \n", looked)


async def test_drafts_belong_to_their_writer_and_outlive_everything(world: World) -> None:
    case, square = await held(world), Square()

    await replies.keep_draft(world.store, case, "Ana", "We are")
    await replies.keep_draft(world.store, case, "Ana", "We are so")
    await replies.keep_draft(world.store, case, "Ben", "Hi")

    for staff, words in (("Ana", "We are so"), ("Ben", "Hi")):
        box = await replies.compose(world.store, square.rule, case, staff)
        assert box is not None
        assert box.draft == words


def test_the_same_words_are_noticed() -> None:
    lately = ["Sorry about that, please write to us.", "sorry about that - please write to us!"]

    assert "2 times" in replies.repeated("Sorry about that, please write to us!", lately)
    assert replies.repeated("Your refund left this morning.", lately) == ""


async def test_the_words_of_replies_and_drafts_go_with_those_they_answer(world: World) -> None:
    case, square = await held(world), Square()
    await replies.by_hand(
        world.store, case, "Ana", "Dear Ada, sorry.", await seen(world, square, case),
        url="https://place.example/ada/1",
    )  # fmt: skip
    await replies.keep_draft(world.store, case, "Ana", "And, Ada,")

    world.now += timedelta(days=731)
    await Sweep(world.store, Keeping()).step()

    [reply] = await sent(world)
    assert (reply.text, reply.url, reply.state) == ("", None, State.POSTED)
    assert await world.all_of(Draft) == []
