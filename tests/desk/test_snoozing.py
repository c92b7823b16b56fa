"""A snoozed case is out of sight until its moment or its author brings it back, never for ever."""

import asyncio
from datetime import timedelta

import pytest

from listener.desk import closing, snoozing, taking, theming, undoing
from listener.domain.case import Outcome
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.stages.waken import Waken
from tests.given import COMPLAINTS, complained, heard, judged, said, settled
from tests.stages.test_theme import COUPON, complain, look
from tests.world import World

HOUR = timedelta(hours=1)
COLD = COMPLAINTS[0]


MORE = (
    "FRESH20 refused for my fish",
    "nothing taken off my fish with FRESH20",
    "FRESH20 and fish: full price, no discount",
)


async def woken(world: World) -> int:
    """Look once for cases whose time has come."""
    return await Waken(world.store, asyncio.Event()).step()


async def test_until_a_moment_and_its_deadline_stays_where_it_was(world: World) -> None:
    await settled(world)
    await complained(world)
    [before] = await world.cases()

    done = await snoozing.snooze(world.store, 1, "Ana", world.now + HOUR)

    [case] = await world.cases()
    assert (case.sleeps(world.now), case.due_at) == (True, before.due_at)
    assert done.said == (
        "Case 1 sleeps until 02 Nov 13:00 UTC. Its deadline stays: 02 Nov 16:00 UTC."
    )
    assert (await world.events())[-1].what is What.SNOOZED


async def test_it_wakes_when_its_time_has_come_and_that_is_written_down_once(world: World) -> None:
    await settled(world)
    await complained(world)
    await snoozing.snooze(world.store, 1, "Ana", world.now + HOUR)

    assert await woken(world) == 0
    world.now += HOUR
    [case] = await world.cases()
    assert not case.sleeps(world.now)  # from this very moment, before anything has run
    assert await woken(world) == 1
    assert await woken(world) == 0

    [case] = await world.cases()
    assert case.snoozed_until is None
    event = (await world.events())[-1]
    assert (event.what, event.staff_id) == (What.WOKEN, None)
    assert event.details == {"why": "its time has come"}


async def test_an_edit_wakes_what_waits_for_its_author_and_leaves_the_rest(world: World) -> None:
    await settled(world)
    await heard(
        world,
        said(COLD, id="1", published=world.now),
        said(COMPLAINTS[1], id="2", published=world.now),
    )
    await judged(world)
    done = await snoozing.snooze(world.store, 1, "Ana", on_answer=True)
    await snoozing.snooze(world.store, 2, "Ana", world.now + HOUR)
    assert done.said.startswith("Case 1 sleeps until its author answers, at the latest 02 Dec")

    for number in ("1", "2"):
        await heard(world, said("The fish was cold. They called.", id=number, published=world.now))

    first, second = await world.cases()
    assert (first.sleeps(world.now), second.sleeps(world.now)) == (False, True)
    assert [one.what for one in await world.events() if one.case_id == 1][-2:] == [
        What.EDITED,
        What.WOKEN,
    ]


async def test_a_deletion_wakes_it_too(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world)
    await snoozing.snooze(world.store, 1, "Ana", on_answer=True)

    await heard(world, gone=["1"])

    [case] = await world.cases()
    assert not case.sleeps(world.now)


async def test_an_author_who_never_answers_does_not_make_it_sleep_for_ever(world: World) -> None:
    await settled(world)
    await complained(world)
    await snoozing.snooze(world.store, 1, "Ana", on_answer=True)

    world.now += timedelta(days=30)

    assert await woken(world) == 1


async def test_what_becomes_urgent_wakes(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await snoozing.snooze(world.store, 1, "Ana", world.now + HOUR)

    await complained(world, f"{COLD} Metal in it!", author="ben")

    [case] = await world.cases()
    assert (case.urgent, case.sleeps(world.now)) == (True, False)
    assert [one.what for one in await world.events()][-2:] == [What.JOINED, What.WOKEN]


async def test_what_is_merely_said_again_sleeps_on(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await snoozing.snooze(world.store, 1, "Ana", world.now + HOUR)

    await complained(world, COLD, author="ben")

    [case] = await world.cases()
    assert (case.mentions, case.sleeps(world.now)) == (2, True)


async def test_a_person_wakes_it_by_saying_so_or_by_taking_it(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    for number in (1, 2):
        await snoozing.snooze(world.store, number, "Ana", world.now + HOUR)

    done = await snoozing.wake(world.store, 1, "Ben")
    await taking.take(world.store, 2, "Ben")

    assert done.said == "Case 1 is back in the queue."
    assert not any(case.sleeps(world.now) for case in await world.cases())
    with pytest.raises(NotAllowed, match="Case 1 does not sleep"):
        await snoozing.wake(world.store, 1, "Ben")


@pytest.mark.parametrize(
    ("span", "sentence"),
    [
        (-HOUR, "02 Nov 11:00 UTC is over already; name a later moment."),
        (timedelta(days=91), "A case sleeps 90 days at most; close it if it is done."),
        (None, "Say until when it sleeps: a moment, or until the author answers."),
    ],
)
async def test_a_moment_that_makes_no_sense_is_refused(
    world: World, span: timedelta | None, sentence: str
) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await snoozing.snooze(world.store, 1, "Ana", None if span is None else world.now + span)

    assert str(refusal.value) == sentence
    assert len(await world.events()) == 1


async def test_what_somebody_works_on_or_is_closed_does_not_sleep(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 2, "Ana", Outcome.NO_REPLY_NEEDED)

    with pytest.raises(NotAllowed, match="Ana holds case 1"):
        await snoozing.snooze(world.store, 1, "Ben", world.now + HOUR)
    with pytest.raises(NotAllowed, match="Case 2 is closed"):
        await snoozing.snooze(world.store, 2, "Ben", world.now + HOUR)


async def test_closing_ends_the_sleep(world: World) -> None:
    await settled(world)
    await complained(world)
    await snoozing.snooze(world.store, 1, "Ana", on_answer=True)

    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)

    [case] = await world.cases()
    assert (case.snoozed_until, case.wakes_on_answer) == (None, False)
    assert (case.wakes_on_people, case.slept_at) == (None, None)


async def a_theme(world: World) -> None:
    """Three people say the same, and a moment has gone by."""
    await settled(world)
    await complain(world, *COUPON, by="ada")
    await look(world)
    world.now += timedelta(minutes=1)


async def test_until_it_spreads_it_sleeps_and_then_says_why_it_woke(world: World) -> None:
    await a_theme(world)

    done = await snoozing.until_spread(world.store, 1, "Ana")

    assert done.said == (
        "Case 1 sleeps until 3 more people say the same (theme 1), at the latest "
        "16 Nov 12:07 UTC. Its deadline stays: 02 Nov 16:00 UTC."
    )
    stage = Waken(world.store, asyncio.Event())
    await complain(world, *MORE[:2], by="ben")
    await complain(world, MORE[2], by="ada")  # who said it before
    await look(world)
    assert await stage.step() == 0
    assert (await world.cases())[0].sleeps(world.now)

    await complain(world, MORE[2], by="cy")
    await look(world)
    assert await stage.step() == 1

    world.now += timedelta(minutes=1)
    assert await stage.step() == 0
    [case, *_] = await world.cases()
    assert (case.snoozed_until, case.wakes_on_people, case.slept_at) == (None, None, None)
    event = [one for one in await world.events() if one.case_id == 1][-1]
    assert (event.what, event.details) == (
        What.WOKEN,
        {"why": "3 more people say the same (theme 1)"},
    )


async def test_what_never_spreads_comes_back_after_two_weeks(world: World) -> None:
    await a_theme(world)
    await snoozing.until_spread(world.store, 1, "Ana", 1)

    assert await woken(world) == 0
    world.now += timedelta(days=14)

    assert await woken(world) == 1
    event = [one for one in await world.events() if one.case_id == 1][-1]
    assert event.details == {"why": "its time has come"}


async def test_themes_that_people_put_together_and_apart_have_not_spread(world: World) -> None:
    await a_theme(world)
    await snoozing.until_spread(world.store, 1, "Ana", 1)

    await theming.split(world.store, 1, "Ana", [1], "Apart")
    await theming.merge(world.store, 2, "Ana", 1)
    assert await woken(world) == 0

    await complain(world, MORE[0], by="ben")
    await look(world)
    assert await woken(world) == 1


async def test_only_what_has_a_theme_can_spread(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await snoozing.until_spread(world.store, 1, "Ana")
    assert str(refusal.value) == (
        "Case 1 has no theme that could spread. Snooze it for a time, or until its author answers."
    )
    with pytest.raises(NotAllowed, match="Say how many more people must say it: 1 to 1,000"):
        await snoozing.until_spread(world.store, 1, "Ana", 0)


async def test_sleeping_until_it_spreads_can_be_undone(world: World) -> None:
    await a_theme(world)
    done = await snoozing.until_spread(world.store, 1, "Ana")
    assert done.event is not None

    await undoing.undo(world.store, done.event, "Ana")

    [case, *_] = await world.cases()
    assert (case.snoozed_until, case.wakes_on_people, case.slept_at) == (None, None, None)
