"""Take next: the most urgent case that nobody has, and never the same to two."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from listener.desk import closing, snoozing, tagging, taking
from listener.desk.acting import Done
from listener.domain.case import Case, Outcome, Status
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store.queue import Filters
from listener.store.session import Store
from tests.given import COMPLAINTS, Doubting, complained, heard, judged, said, settled
from tests.routed import team
from tests.world import World

HURT = "There was glass in the fish and my son is in hospital with cuts in his mouth, bleeding."
CROWD = ["Ana", "Ben", "Cem", "Dee", "Eve"]


async def test_the_most_urgent_comes_first_and_is_held_ten_minutes(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2], HURT)

    done = await taking.take_next(world.store, "Ana")

    assert done is not None
    assert (done.case.id, done.case.urgent, done.case.owner_id) == (3, True, 1)
    assert done.case.held_until == world.now + timedelta(minutes=10)
    assert done.said == "Case 3 is yours; you hold it until 12:10 UTC."
    assert done.event == (await world.events())[-1].id


async def test_five_who_ask_at_once_get_five_cases(world: World) -> None:
    await settled(world, *CROWD)
    await complained(world, *COMPLAINTS)
    others = [Store(world.store.url.render_as_string(hide_password=False)) for _ in CROWD]

    handed = await asyncio.gather(
        *(taking.take_next(store, name) for store, name in zip(others, CROWD, strict=True))
    )

    for store in others:
        await store.close()
    assert all(isinstance(done, Done) for done in handed)
    assert {done.case.id for done in handed if done} == {1, 2, 3, 4, 5}
    assert {done.case.owner_id for done in handed if done} == {1, 2, 3, 4, 5}
    assert [one.what for one in await world.events()].count(What.TAKEN) == 5


async def test_two_racing_for_the_last_case_one_goes_away_empty(world: World) -> None:
    await settled(world)
    await complained(world)

    handed = await asyncio.gather(
        taking.take_next(world.store, "Ana"), taking.take_next(world.store, "Ben")
    )

    assert sorted(done is None for done in handed) == [False, True]


async def test_what_is_owned_asleep_or_closed_is_not_handed_out(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:3])
    await taking.take(world.store, 1, "Ben")
    await snoozing.snooze(world.store, 2, "Ben", world.now + timedelta(hours=1))
    await closing.close(world.store, 3, "Ben", Outcome.NO_REPLY_NEEDED)
    world.now += timedelta(minutes=30)  # Ben's hold has lapsed, but he is the owner

    assert await taking.take_next(world.store, "Ana") is None

    world.now += timedelta(minutes=30)
    done = await taking.take_next(world.store, "Ana")
    assert done is not None
    assert done.case.id == 2


async def test_one_may_ask_for_some_only(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:3])
    await tagging.tag(world.store, 2, "Ana", "Late delivery")

    assert await taking.take_next(world.store, "Ana", brands=[]) is None
    assert await taking.take_next(world.store, "Ana", filters=Filters(place="mastodon")) is None
    done = await taking.take_next(
        world.store, "Ana", brands=[1], filters=Filters(place="webhook"), tag="late-delivery"
    )
    assert done is not None
    assert done.case.id == 2


async def test_a_stranger_is_handed_nothing(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed, match="Nobody here is called 'Zoe'"):
        await taking.take_next(world.store, "Zoe")

    assert [case.status for case in await world.cases()] == [Status.OPEN]


async def test_activity_keeps_the_hold_alive(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    events = len(await world.events())

    world.now += timedelta(minutes=9)
    await taking.touch(world.store, 1, "Ana")

    [case] = await world.cases()
    assert case.held_until == world.now + timedelta(minutes=10)
    assert len(await world.events()) == events


async def test_an_owner_who_comes_back_holds_again_unless_somebody_else_does(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    world.now += timedelta(minutes=20)

    await taking.touch(world.store, 1, "Ana")
    assert (await world.cases())[0].held_by(world.now) == 1

    await taking.take(world.store, 1, "Ben", over=True)
    with pytest.raises(NotAllowed) as refusal:
        await taking.touch(world.store, 1, "Ana")
    assert str(refusal.value) == "Ben holds case 1 until 12:30 UTC. Take it over if you must."


async def test_who_takes_over_leaves_a_word_that_stays_on_the_case(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")

    done = await taking.take(world.store, 1, "Ben", over=True, note="@Ana is at lunch")

    assert done.case.owner_id == 2
    [note] = await notes_of(world)
    assert note == (1, 2, "@Ana is at lunch")
    event = (await world.events())[-1]
    assert (event.what, event.details["note"]) == (What.TAKEN_OVER, 1)
    assert "lunch" not in str(event.details)


async def test_a_complaint_that_is_heard_while_cases_are_handed_out_is_no_obstacle(
    world: World,
) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])
    await heard(world, said(COMPLAINTS[1], published=world.now))

    _, done = await asyncio.gather(judged(world), taking.take_next(world.store, "Ana"))

    assert done is not None


async def notes_of(world: World) -> list[tuple[int, int, str]]:
    """The notes there are: case, author, words."""
    from listener.domain.note import Note

    return [(one.case_id, one.staff_id, one.text) for one in await world.all_of(Note)]


async def test_ones_own_team_comes_first_then_no_team_s_then_others(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await complained(world, COMPLAINTS[0], author="ida")
    world.now += timedelta(minutes=1)
    await complained(world, *COMPLAINTS[1:4], author="joe")
    own, others = await team(world, "Own", "Ana"), await team(world, "Others", "Ben")
    await belong(world, {1: others, 2: None, 3: own, 4: others})

    taken = [await taking.take_next(world.store, "Ana") for _ in range(4)]

    assert [done.case.id for done in taken if done] == [3, 2, 1, 4]


async def test_what_is_urgent_comes_first_whoever_s_it_is(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await complained(world, COMPLAINTS[0], HURT)
    own, others = await team(world, "Own", "Ana"), await team(world, "Others", "Ben")
    await belong(world, {1: own, 2: others})

    done = await taking.take_next(world.store, "Ana")

    assert done is not None
    assert (done.case.urgent, done.case.team_id) == (True, others)


async def test_what_nobody_is_sure_of_comes_last_also_in_ones_own_team(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await heard(world, said("The fish, well, hm.", published=world.now))
    await judged(world, Doubting())
    await complained(world, COMPLAINTS[1])
    own, others = await team(world, "Own", "Ana"), await team(world, "Others", "Ben")
    await belong(world, {1: own, 2: others})

    done = await taking.take_next(world.store, "Ana")

    assert done is not None
    assert done.case.id == 2


async def belong(world: World, teams: Mapping[int, int | None]) -> None:
    """These cases are these teams'."""
    async with world.store.transaction() as session:
        for number, team_id in teams.items():
            case = await session.get_one(Case, number)
            case.belong_to(team_id, Policies())
