"""A case hears what is said after it: our own answer on the place, and its author again."""

from dataclasses import replace
from datetime import timedelta

from connectors.kit.contract import Author
from listener.desk import closing, replies, snoozing, taking
from listener.domain.case import Case, Outcome, Status
from listener.domain.event import What
from listener.domain.reply import Reply
from tests.given import COMPLAINTS, Cheerful, heard, judged, said, settled
from tests.replying import Square, outbox, seen
from tests.world import World

COLD = COMPLAINTS[0]
MINUTE = timedelta(minutes=1)


async def complained(world: World) -> None:
    """A complaint in a thread of its own."""
    await heard(world, said(COLD, id="1", thread="1", published=world.now))
    await judged(world)
    world.now += MINUTE


async def answered(world: World) -> None:
    """Our answer to it, as the place shows it."""
    words = "We are sorry for the fish; please write to us."
    answer = said(words, id="1/us", in_reply_to="1", thread="1", published=world.now)
    await heard(world, replace(answer, author=Author(ours=True)))
    world.now += MINUTE


async def wrote_again(world: World, text: str = "And the fish is cold again.") -> None:
    """The author once more, in the same thread."""
    await heard(world, said(text, id="3", in_reply_to="1/us", thread="1", published=world.now))


async def case_of(world: World) -> Case:
    """The only case."""
    [case] = await world.cases()
    return case


async def test_our_answer_on_the_place_makes_the_case_answered(world: World) -> None:
    await settled(world)
    await complained(world)

    await answered(world)

    case = await case_of(world)
    assert (case.status, case.answered_at) == (Status.ANSWERED, world.now - MINUTE)
    event = (await world.events())[-1]
    assert (event.what, event.staff_id) == (What.ANSWERED, None)
    assert event.details == {"elsewhere": True, "mention": 2}
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED_ELSEWHERE)


async def test_what_we_had_answered_before_we_heard_it_rings_nobody(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", thread="1", published=world.now))
    await answered(world)

    await judged(world)

    case = await case_of(world)
    assert (case.status, case.waiting_since) == (Status.ANSWERED, None)
    assert [one.what for one in await world.events()] == [What.OPENED, What.ANSWERED]
    assert await world.notices() == []


async def test_an_answer_to_somebody_else_changes_nothing(world: World) -> None:
    await settled(world)
    await complained(world)
    await heard(world, said("No fish for me.", id="9", thread="1", author="x", published=world.now))

    ours = said("Which fish?", id="9/us", in_reply_to="9", thread="1", published=world.now)
    await heard(world, replace(ours, author=Author(ours=True)))

    assert (await case_of(world)).status is Status.OPEN


async def test_the_author_again_belongs_to_the_case_and_opens_it_for_its_owner(
    world: World,
) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    await answered(world)

    await wrote_again(world, "Thank you. Which address do I send the fish to?")
    await judged(world, Cheerful())

    case = await case_of(world)
    assert (case.status, case.owner_id, case.mentions) == (Status.OWNED, 1, 2)
    assert case.due_at == world.now + timedelta(hours=4)
    assert [one.what for one in await world.events()][-2:] == [What.FOLLOWED, What.REOPENED]
    assert [one.case_id for one in await world.mentions()] == [1, None, 1]
    assert case.reasons == ["Reads like a complaint (95%)."]  # what opened it still stands


async def test_what_waits_for_its_author_wakes_when_they_write(world: World) -> None:
    await settled(world)
    await complained(world)
    await snoozing.snooze(world.store, 1, "Ana", on_answer=True)

    await wrote_again(world)

    case = await case_of(world)
    assert not case.sleeps(world.now)
    assert [one.what for one in await world.events()][-2:] == [What.FOLLOWED, What.WOKEN]


async def test_somebody_else_in_the_thread_is_a_case_of_their_own(world: World) -> None:
    await settled(world)
    await complained(world)
    await snoozing.snooze(world.store, 1, "Ana", on_answer=True)

    other = said(COMPLAINTS[1], id="3", thread="1", author="ben", published=world.now)
    await heard(world, other)
    await judged(world)

    first, second = await world.cases()
    assert first.sleeps(world.now)
    assert second.status is Status.OPEN


async def test_a_closed_case_opens_again_only_for_a_complaint(world: World) -> None:
    await settled(world)
    await complained(world)
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)

    await wrote_again(world, "Thank you, the fish is lovely.")
    await judged(world, Cheerful())
    assert (await case_of(world)).status is Status.CLOSED

    angry = said("The fish is cold again.", id="4", thread="1", published=world.now + MINUTE)
    await heard(world, angry)
    await judged(world)
    assert (await case_of(world)).status is Status.OPEN


async def test_what_was_no_complaint_is_not_followed(world: World) -> None:
    await settled(world)
    await complained(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)

    await wrote_again(world, COMPLAINTS[1])
    await judged(world)

    assert [case.status for case in await world.cases()] == [Status.CLOSED, Status.OPEN]


async def test_who_answers_a_reply_of_ours_that_nobody_read_back_comes_back_to_its_owner(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world)
    await taking.take(world.store, 1, "Ana")
    square = Square()
    await replies.send(world.store, square.rule, 1, "Ana", "Sorry!", await seen(world, square, 1))
    world.now += MINUTE
    await outbox(world, square).step()
    [reply] = await world.all_of(Reply)
    world.now += MINUTE

    parent = reply.post_id
    await heard(world, said("And the fish?", id="3", in_reply_to=parent, published=world.now))
    joins = said("Fish? Me too!", id="4", author="eve", in_reply_to=parent, published=world.now)
    await heard(world, joins)
    await judged(world)

    case, other = await world.cases()
    assert (case.status, case.owner_id, case.reopened) == (Status.OWNED, 1, 1)
    assert (other.status, other.owner_id) == (Status.OPEN, None)  # a matter of its own
