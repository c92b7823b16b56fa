"""A case's whole story reads from top to bottom, in people's names and plain sentences."""

from datetime import timedelta

from listener.desk import assigning, closing, noting, snoozing, tagging, taking, undoing
from listener.domain.case import Outcome
from listener.domain.deadline import Policies
from listener.store import timeline
from listener.store.timeline import Changed, Line
from tests.given import COMPLAINTS, heard, judged, said, settled
from tests.world import World


async def story(world: World) -> list[Line]:
    async with world.store.reading() as session:
        return await timeline.of_case(session, 1)


async def changes(world: World) -> list[Changed]:
    async with world.store.reading() as session:
        return await timeline.changes(session, 1)


async def test_the_whole_story_of_a_case(world: World) -> None:
    await settled(world)
    await heard(world, said(COMPLAINTS[0], id="1", published=world.now))
    await judged(world)
    await taking.take(world.store, 1, "Ana")
    await taking.take(world.store, 1, "Ben", over=True, note="Ana is at lunch.")
    await noting.note(world.store, 1, "Ben", "Called them.")
    tagged = await tagging.tag(world.store, 1, "Ben", "refund")
    assert tagged.event is not None
    await undoing.undo(world.store, tagged.event, "Ben")
    await snoozing.snooze(world.store, 1, "Ben", on_answer=True)
    await heard(world, said("All is well now with the fish.", id="1", published=world.now))
    await assigning.unassign(world.store, 1, "Ben")
    await assigning.assign(world.store, 1, "Ana", "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED_ELSEWHERE)
    await closing.reopen(world.store, 1, "Ben", Policies())

    lines = await story(world)

    assert [line.says for line in lines] == [
        "Opened",
        "Ana took it",
        "Ben took it over from Ana",
        "Ben wrote a note",
        "Ben put the tag refund on it",
        "Ben took back: tagged",
        "Ben snoozed it until its author answers, at the latest 02 Dec 12:00 UTC",
        "Its author changed the post",
        "Back from its sleep: its author has changed it",
        "Ben gave it back",
        "Ana made it their own",
        "Ana closed it: answered elsewhere",
        "Ben reopened it",
    ]
    assert [line.note for line in lines if line.note] == ["Ana is at lunch.", "Called them."]
    assert [line.says for line in lines if line.undone] == ["Ben put the tag refund on it"]
    assert {line.who for line in lines} == {None, "Ana", "Ben"}


async def test_what_an_author_changed_is_shown_step_by_step(world: World) -> None:
    await settled(world)
    for words in ("The fish was cold.", "The fish was ice cold.", "The fish was fine."):
        await heard(world, said(words, id="1", published=world.now))
        await judged(world)
        world.now += timedelta(minutes=1)

    steps = await changes(world)

    assert [(one.text_before, one.text_after) for one in steps] == [
        ("The fish was cold.", "The fish was ice cold."),
        ("The fish was ice cold.", "The fish was fine."),
    ]
    assert [one.number for one in steps] == [1, 2]


async def test_of_a_deleted_post_no_earlier_words_are_shown(world: World) -> None:
    await settled(world)
    for words in ("The fish was cold.", "The fish was ice cold."):
        await heard(world, said(words, id="1", published=world.now))
        await judged(world)

    await heard(world, gone=["1"])

    assert await changes(world) == []
    assert [line.says for line in await story(world)][-1] == "Its author deleted the post"
