"""What a person says of a text is believed at once, also when it comes again from elsewhere."""

from datetime import timedelta

import pytest

from listener.desk import closing, correcting, undoing
from listener.domain.case import Outcome, Status
from listener.domain.correction import Better, Correction
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.lesson import Lesson
from listener.domain.record import NotAllowed
from listener.stages.sweep import Sweep
from listener.store.sweeping import Keeping
from tests.given import (
    COMPLAINTS,
    KEY,
    Cheerful,
    Doubting,
    complained,
    heard,
    judged,
    said,
    settled,
)
from tests.world import World

TWO = [
    {"name": "Inbox", "connector": "webhook", "options": {"secret": KEY}},
    {"name": "Other", "connector": "webhook", "options": {"secret": KEY}},
]
COLD = COMPLAINTS[0]
LATER = timedelta(days=30)


@pytest.mark.parametrize("better", [Better.NOT_NEGATIVE, Better.NOT_US, Better.SPAM])
async def test_what_was_no_complaint_is_not_raised_again_from_another_source_weeks_later(
    world: World, better: Better
) -> None:
    await settled(world, sources=TWO)
    await complained(world, COLD)
    await closing.correct(world.store, 1, "Ana", better, Policies())

    world.now += LATER
    again = said(f"@shop {COLD} https://place.example/2", author="zoe", published=world.now)
    await heard(world, again, source="Other")
    await judged(world)

    assert len(await world.cases()) == 1
    mention = (await world.mentions())[1]
    assert (mention.flagged, mention.case_id) == (False, None)
    assert mention.reasons == [f"Staff said of the same words: {better}."]


async def test_a_short_text_is_the_same_only_from_the_same_author(world: World) -> None:
    await settled(world)
    await complained(world, "Never fish again!", author="ada")
    await closing.close(world.store, 1, "Ana", Outcome.NOT_NEGATIVE)

    world.now += LATER
    await complained(world, "Never fish again!", author="ada")
    assert len(await world.cases()) == 1
    await complained(world, "Never fish again!", author="ben")
    assert len(await world.cases()) == 2


async def test_another_text_or_another_brand_is_raised_all_the_same(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "batter"}],
        sources=TWO[:1],
    )
    await world.hire("Ana")
    await complained(world, COLD)  # names both
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)

    world.now += LATER
    await complained(world, COLD)
    open_now = [case for case in await world.cases() if case.status is Status.OPEN]
    assert {case.brand_id for case in open_now} == {2}
    await complained(world, f"{COLD} Not worth it, and not for the first time either, believe me.")
    assert {case.brand_id for case in await world.cases() if case.status is Status.OPEN} == {1, 2}


async def test_few_stars_make_the_same_words_another_thing(world: World) -> None:
    from connectors.kit.contract import Rating

    await settled(world)
    await complained(world, COLD)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_NEGATIVE)

    world.now += LATER
    await heard(world, said(COLD, published=world.now, rating=Rating(1, 1, 5)))
    await judged(world)

    assert len(await world.cases()) == 2


async def test_who_undoes_or_reopens_takes_back_the_lesson_too(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    undone = await closing.close(world.store, 1, "Ana", Outcome.SPAM)
    await closing.close(world.store, 2, "Ana", Outcome.SPAM)
    assert undone.event is not None

    await undoing.undo(world.store, undone.event, "Ana")
    await closing.reopen(world.store, 2, "Ben", Policies())

    assert await world.all_of(Correction) == []
    assert await world.all_of(Lesson) == []
    [_, case] = await world.cases()
    assert (case.status, case.outcome, case.reopened) == (Status.OPEN, None, 1)


async def test_a_lesson_goes_with_the_words_it_came_from(world: World) -> None:
    await settled(world)
    await heard(
        world,
        said(COLD, id="1", published=world.now),
        said(COMPLAINTS[1], id="2", published=world.now),
    )
    await judged(world)
    for number in (1, 2):
        await closing.close(world.store, number, "Ana", Outcome.NOT_US)

    await heard(world, gone=["1"])
    assert {one.mention_id for one in await world.all_of(Lesson)} == {2}
    world.now += timedelta(days=731)
    await Sweep(world.store, Keeping()).step()

    assert await world.all_of(Lesson) == []
    assert len(await world.all_of(Correction)) == 2  # a reference; nothing of the words


async def test_a_missed_complaint_gets_a_case_with_a_deadline(world: World) -> None:
    await settled(world)
    hurt = f"{COLD} I found glass in it."
    await heard(world, said(hurt, published=world.now - timedelta(days=3)))
    await judged(world, Cheerful())
    assert await world.cases() == []

    done = await correcting.missed(world.store, 1, "Ana", Policies())

    [case] = await world.cases()
    assert (case.urgent, case.unsure, case.status) == (True, False, Status.OPEN)
    assert case.due_at == world.now + timedelta(hours=1)
    assert case.priority >= 40
    assert case.reasons[0] == "A colleague says that this is a complaint; the model let it pass."
    assert done.said == "Case 1 opened: this was a complaint."
    assert [one.what for one in await world.events()] == [What.OPENED, What.CORRECTED]
    [correction] = await world.all_of(Correction)
    assert (correction.better, correction.mention_id, correction.model) == (
        Better.COMPLAINT,
        1,
        "cheerful 1",
    )
    assert (await world.mentions())[0].flagged is False  # what the model said stays known


async def test_near_copies_of_a_missed_complaint_are_flagged_from_now_on(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    await judged(world, Cheerful())
    await correcting.missed(world.store, 1, "Ana", Policies())
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)

    world.now += LATER
    copy = COLD.replace("Friday", "Monday")
    await heard(world, said(copy, author="ben", published=world.now))
    await heard(world, said("Lovely fish, as ever, thank you all.", published=world.now))
    await judged(world, Cheerful())

    assert [case.status for case in await world.cases()] == [Status.CLOSED, Status.OPEN]
    assert (await world.cases())[1].reasons[0] == "Staff said of the same words: a complaint."


async def test_near_copies_of_a_confirmed_one_need_no_second_confirming(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    await judged(world, Doubting())
    await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, Policies())
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)

    world.now += LATER
    await heard(world, said(COLD.replace("Friday", "Monday"), author="ben", published=world.now))
    await judged(world, Doubting())

    assert (await world.cases())[1].unsure is False


async def test_the_last_word_counts(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    await judged(world, Cheerful())
    await correcting.missed(world.store, 1, "Ana", Policies())
    await closing.close(world.store, 1, "Ben", Outcome.NOT_NEGATIVE)

    world.now += LATER
    await complained(world, COLD, author="ben")

    assert len(await world.cases()) == 1


async def test_a_missed_one_joins_the_case_of_its_like(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await heard(world, said(COLD, author="ben", published=world.now))
    await judged(world, Cheerful())

    done = await correcting.missed(world.store, 2, "Ana", Policies())

    [case] = await world.cases()
    assert (done.case.id, case.mentions) == (1, 2)
    assert done.said == "Case 1 has one more mention: this was a complaint."


async def test_undoing_a_missed_one_closes_what_it_opened(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    await judged(world, Cheerful())
    done = await correcting.missed(world.store, 1, "Ana", Policies())
    assert done.event is not None

    await undoing.undo(world.store, done.event, "Ana")

    [case] = await world.cases()
    assert (case.status, case.outcome) == (Status.CLOSED, Outcome.NOT_NEGATIVE)
    assert await world.all_of(Correction) == []


async def test_what_nobody_can_have_missed_is_refused(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await heard(
        world,
        said(COMPLAINTS[1], id="2", published=world.now),
        said(COMPLAINTS[2], id="3", published=world.now),
    )
    await judged(world, Cheerful())
    await heard(world, said(COMPLAINTS[3], published=world.now), gone=["3"])

    for number, why in (
        (1, "Mention 1 belongs to case 1 already."),
        (3, "The words of mention 3 are gone."),
        (4, "Mention 4 is just being judged; look again in a moment."),
        (99, "There is no mention 99."),
    ):
        with pytest.raises(NotAllowed) as refusal:
            await correcting.missed(world.store, number, "Ana", Policies())
        assert str(refusal.value) == why
