"""What colleagues tell each other, how they sort cases, and who gives what to whom."""

from datetime import timedelta

import pytest

from listener.desk import assigning, closing, noting, tagging, taking
from listener.domain.case import Outcome, Status
from listener.domain.event import What
from listener.domain.note import Note
from listener.domain.record import NoRight, NotAllowed
from listener.domain.staff import Role, Staff
from listener.stages.sweep import Sweep
from listener.store import notes, tags
from listener.store.sweeping import Keeping
from tests.given import COMPLAINTS, complained, settled
from tests.world import World


async def calling(world: World, staff_id: int) -> set[int]:
    async with world.store.reading() as session:
        return await notes.calling(session, staff_id)


async def promote(world: World, name: str, role: Role) -> None:
    async with world.store.transaction() as session:
        session.add(Staff(name=name, role=role))


async def test_a_note_calls_whom_it_names_until_they_have_seen_it(world: World) -> None:
    await settled(world)
    await complained(world)

    done = await noting.note(world.store, 1, "Ana", "  @ben, can you call them? @Ana @Zoe\0 ")

    assert done.said == "The note is kept. Ben will see it."
    [note] = await world.all_of(Note)
    assert (note.text, note.staff_id) == ("@ben, can you call them? @Ana @Zoe", 1)
    assert (await calling(world, 2), await calling(world, 1)) == ({1}, set())

    await noting.seen(world.store, 1, "Ana")
    assert await calling(world, 2) == {1}
    await noting.seen(world.store, 1, "Ben")
    assert await calling(world, 2) == set()


async def test_a_note_rings_nobody_outside_and_its_words_are_only_in_the_note(
    world: World,
) -> None:
    await settled(world)
    await complained(world)
    before = len(await world.notices())

    await noting.note(world.store, 1, "Ana", "Their number is 5550199.")

    assert len(await world.notices()) == before
    event = (await world.events())[-1]
    assert (event.what, event.details) == (What.NOTED, {"note": 1})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (" \n ", "The note is empty; write something first."),
        ("x" * 4001, "The note has 4,001 characters; 4,000 are the most. Say it shorter."),
    ],
)
async def test_an_empty_or_endless_note_is_refused(world: World, words: str, sentence: str) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await noting.note(world.store, 1, "Ana", words)

    assert str(refusal.value) == sentence


async def test_notes_are_kept_as_long_as_the_words_they_are_about(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    await noting.note(world.store, 1, "Ana", "@Ben knows them.")
    world.now += timedelta(days=730)
    await complained(world, COMPLAINTS[2])
    await noting.note(world.store, 3, "Ana", "New.")

    world.now += timedelta(seconds=1)
    await Sweep(world.store, Keeping()).step()

    assert [note.case_id for note in await world.all_of(Note)] == [3]
    assert await calling(world, 2) == set()


async def test_a_tag_is_one_word_however_it_is_typed(world: World) -> None:
    await settled(world)
    await complained(world)

    await tagging.tag(world.store, 1, "Ana", "#Late  Delivery")
    again = await tagging.tag(world.store, 1, "Ben", "late-delivery")

    assert again.said == "Case 1 has the tag late-delivery already."
    assert again.event is None
    async with world.store.reading() as session:
        assert await tags.of_case(session, 1) == ["late-delivery"]
        assert list(await tags.in_use(session)) == ["late-delivery"]

    await tagging.untag(world.store, 1, "Ben", "Late Delivery")
    async with world.store.reading() as session:
        assert await tags.of_case(session, 1) == []
    assert [one.what for one in await world.events()][-2:] == [What.TAGGED, What.UNTAGGED]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("#!?", "A tag needs a letter or a digit, for example: late-delivery."),
        ("x" * 41, "A tag has at most 40 characters; this one has 41."),
    ],
)
async def test_what_is_no_tag_is_refused(world: World, words: str, sentence: str) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await tagging.tag(world.store, 1, "Ana", words)

    assert str(refusal.value) == sentence


async def test_a_case_has_twenty_tags_at_most(world: World) -> None:
    await settled(world)
    await complained(world)
    for number in range(20):
        await tagging.tag(world.store, 1, "Ana", f"tag {number}")

    with pytest.raises(NotAllowed, match="Case 1 has 20 tags"):
        await tagging.tag(world.store, 1, "Ana", "one more")


async def test_a_lead_gives_a_case_to_somebody_with_a_reason(world: World) -> None:
    await settled(world)
    await promote(world, "Lea", Role.LEAD)
    await complained(world)

    done = await assigning.assign(world.store, 1, "Lea", "Ben", note="You know them, @Ben.")

    assert done.said == "Case 1 is Ben's now."
    [case] = await world.cases()
    assert (case.status, case.owner_id, case.held_by(world.now)) == (Status.OWNED, 2, None)
    event = (await world.events())[-1]
    assert (event.what, event.details["to"], event.details["note"]) == (What.ASSIGNED, 2, 1)
    assert await calling(world, 2) == {1}

    done = await assigning.unassign(world.store, 1, "Lea")
    [case] = await world.cases()
    assert (case.status, case.owner_id) == (Status.OPEN, None)


async def test_an_agent_gives_cases_to_themselves_only(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])

    done = await assigning.assign(world.store, 1, "Ana", "Ana")
    assert done.case.owner_id == 1

    for number, who, to in ((2, "Ana", "Ben"), (1, "Ben", "Ben")):
        with pytest.raises(NoRight, match="Only a lead may"):
            await assigning.assign(world.store, number, who, to)
    with pytest.raises(NoRight, match="Only a lead may"):
        await assigning.unassign(world.store, 1, "Ben")
    with pytest.raises(NotAllowed, match="Nobody here is called 'Zoe'"):
        await assigning.assign(world.store, 2, "Ana", "Zoe")


async def test_what_somebody_works_on_or_is_closed_is_not_given_away(world: World) -> None:
    await settled(world)
    await promote(world, "Lea", Role.LEAD)
    await complained(world, *COMPLAINTS[:2])
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 2, "Ana", Outcome.SPAM)

    with pytest.raises(NotAllowed, match="Ana holds case 1"):
        await assigning.assign(world.store, 1, "Lea", "Ben")
    with pytest.raises(NotAllowed, match="Case 2 is closed"):
        await assigning.assign(world.store, 2, "Lea", "Ben")
