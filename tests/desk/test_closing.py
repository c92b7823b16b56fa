"""A case ends with a reason, and a wrong flag is put right for every mention of it."""

import asyncio
from datetime import timedelta

import pytest

from listener.desk import closing, taking
from listener.domain.case import Outcome, Status
from listener.domain.correction import Better, Correction
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.notice import News
from listener.domain.record import NotAllowed
from listener.store import cases, mentions
from tests.given import COMPLAINTS, Doubting, complained, heard, judged, said, settled
from tests.world import World

TEACHING = [
    (Outcome.NOT_US, Better.NOT_US),
    (Outcome.NOT_NEGATIVE, Better.NOT_NEGATIVE),
    (Outcome.SPAM, Better.SPAM),
]
SILENT = [outcome for outcome in Outcome if outcome not in dict(TEACHING)]


async def said_three_times(world: World) -> None:
    """One complaint and two reposts of it by others."""
    await heard(world, *(said(COMPLAINTS[0], author=name, published=world.now) for name in "abc"))
    await judged(world)


async def doubted(world: World) -> None:
    """A post that the model is not sure of."""
    await heard(world, said(COMPLAINTS[0], published=world.now))
    await judged(world, Doubting())


@pytest.mark.parametrize(("outcome", "better"), TEACHING)
async def test_a_wrong_flag_is_corrected_for_all_mentions_of_the_case(
    world: World, outcome: Outcome, better: Better
) -> None:
    await settled(world)
    await said_three_times(world)

    await closing.close(world.store, 1, "Ana", outcome)

    corrections: list[Correction] = await world.all_of(Correction)
    assert [(one.mention_id, one.better) for one in corrections] == [
        (1, better),
        (2, better),
        (3, better),
    ]
    assert {(one.staff_id, one.model, one.at) for one in corrections} == {
        (1, "gloomy 1", world.now)
    }


@pytest.mark.parametrize("outcome", SILENT)
async def test_other_outcomes_teach_nothing(world: World, outcome: Outcome) -> None:
    await settled(world)
    await complained(world)

    await closing.close(world.store, 1, "Ana", outcome)

    [case] = await world.cases()
    assert (case.status, case.outcome, case.closed_at) == (Status.CLOSED, outcome, world.now)
    assert await world.all_of(Correction) == []


async def test_closing_is_written_down_and_told(world: World) -> None:
    await settled(world)
    await complained(world)

    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED_ELSEWHERE)

    event = (await world.events())[-1]
    assert (event.what, event.staff_id) == (What.CLOSED, 1)
    assert event.details["outcome"] == "answered elsewhere"
    assert (await world.notices())[-1].news is News.CLOSED


async def test_who_does_not_hold_it_cannot_close_it(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")

    with pytest.raises(NotAllowed) as refusal:
        await closing.close(world.store, 1, "Ben", Outcome.NOT_US)

    assert str(refusal.value) == "Ana holds case 1 until 12:10 UTC. Take it over if you must."
    assert (await world.cases())[0].status is Status.OWNED
    assert await world.all_of(Correction) == []


async def test_a_closed_case_is_closed_once(world: World) -> None:
    await settled(world)
    await complained(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)

    with pytest.raises(NotAllowed) as refusal:
        await closing.close(world.store, 1, "Ben", Outcome.SPAM)

    assert str(refusal.value) == "Case 1 is already closed (not us)."
    assert len(await world.all_of(Correction)) == 1


async def test_a_closed_case_is_not_offered_to_be_taken_over(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)

    for over in (False, True):
        with pytest.raises(NotAllowed) as refusal:
            await taking.take(world.store, 1, "Ben", over=over)
        assert str(refusal.value) == "Case 1 is closed (no reply needed); reopen it first."


async def test_an_unsure_case_waits_quietly_until_a_person_confirms_it(world: World) -> None:
    await settled(world)
    await doubted(world)
    [case] = await world.cases()
    assert (case.unsure, case.due_at) == (True, None)
    assert await world.notices() == []

    world.now += timedelta(hours=3)
    await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, Policies())

    [case] = await world.cases()
    assert (case.unsure, case.status) == (False, Status.OPEN)
    assert case.due_at == world.now + timedelta(hours=20)  # four hours of work: two are tomorrow
    assert [notice.news for notice in await world.notices()] == [News.CHANGED]
    assert [event.what for event in await world.events()] == [What.OPENED, What.CONFIRMED]
    [correction] = await world.all_of(Correction)
    assert (correction.better, correction.model) == (Better.COMPLAINT, "doubting 1")


async def test_what_is_sure_already_needs_no_confirming(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, Policies())

    assert str(refusal.value) == "Case 1 is not unsure."


async def test_a_closed_case_cannot_be_confirmed(world: World) -> None:
    await settled(world)
    await doubted(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)

    with pytest.raises(NotAllowed) as refusal:
        await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, Policies())

    assert str(refusal.value) == "Case 1 is closed (not us); reopen it first."


@pytest.mark.parametrize(("outcome", "better"), TEACHING)
async def test_correcting_a_flag_closes_the_case_for_that_reason(
    world: World, outcome: Outcome, better: Better
) -> None:
    await settled(world)
    await complained(world)

    await closing.correct(world.store, 1, "Ana", better, Policies())

    [case] = await world.cases()
    assert (case.status, case.outcome) == (Status.CLOSED, outcome)
    assert [one.better for one in await world.all_of(Correction)] == [better]


async def test_a_judge_at_work_on_a_mention_of_the_case_does_not_make_closing_fail(
    world: World,
) -> None:
    # The judge has the mention and wants the case; the desk has the case and names the mention.
    await settled(world)
    await complained(world)

    async with world.store.transaction() as session:
        await mentions.locked(session, [1])
        pressed = asyncio.create_task(closing.close(world.store, 1, "Ana", Outcome.NOT_US))
        await asyncio.sleep(0.3)
        await cases.locked(session, 1)

    assert (await pressed).case.status is Status.CLOSED
    assert len(await world.all_of(Correction)) == 1
