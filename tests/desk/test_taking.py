"""A case is one person's at a time, and whoever comes second learns who has it."""

import asyncio
from datetime import timedelta

import pytest

from listener.desk import taking
from listener.desk.acting import Done
from listener.domain.case import Status
from listener.domain.event import What
from listener.domain.notice import News
from listener.domain.record import NotAllowed
from tests.given import complained, settled
from tests.world import World

CROWD = ["Ana", "Ben", "Cem", "Dee", "Eve", "Finn", "Gus", "Hal"]


async def test_of_eight_who_press_at_once_one_has_it_and_seven_learn_who(world: World) -> None:
    await settled(world, *CROWD)
    await complained(world)

    pressed = await asyncio.gather(
        *(taking.take(world.store, 1, name) for name in CROWD), return_exceptions=True
    )

    [winner] = [name for name, what in zip(CROWD, pressed, strict=True) if isinstance(what, Done)]
    refusals = [what for what in pressed if not isinstance(what, Done)]
    assert [str(refusal) for refusal in refusals] == [
        f"{winner} holds case 1 until 12:10 UTC. Take it over if you must."
    ] * 7
    assert all(isinstance(refusal, NotAllowed) for refusal in refusals)
    assert [event.what for event in await world.events()] == [What.OPENED, What.TAKEN]


async def test_taking_makes_owner_and_holder_and_tells_everybody(world: World) -> None:
    await settled(world)
    await complained(world)

    await taking.take(world.store, 1, "Ana")

    [case] = await world.cases()
    assert (case.status, case.owner_id, case.held_by(world.now)) == (Status.OWNED, 1, 1)
    assert [(one.channel, one.news) for one in await world.notices()] == [
        ("terminal", News.OPENED),
        ("terminal", News.CHANGED),
    ]


async def test_taking_again_keeps_the_hold_and_says_nothing_new(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")

    world.now += timedelta(minutes=9)
    case = (await taking.take(world.store, 1, "Ana")).case

    assert case.held_until == world.now + timedelta(minutes=10)
    assert len(await world.events()) == 2


async def test_an_owner_who_went_away_keeps_the_case_until_it_is_taken_over(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    world.now += timedelta(minutes=10)

    with pytest.raises(NotAllowed) as refusal:
        await taking.take(world.store, 1, "Ben")
    assert str(refusal.value) == "Case 1 belongs to Ana. Take it over if you must."

    await taking.take(world.store, 1, "Ben", over=True)
    [case] = await world.cases()
    assert case.owner_id == case.held_by(world.now) == 2
    event = (await world.events())[-1]
    assert (event.what, event.staff_id, event.details["from"]) == (What.TAKEN_OVER, 2, 1)


async def test_only_who_has_it_can_give_it_back(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")

    with pytest.raises(NotAllowed) as refusal:
        await taking.release(world.store, 1, "Ben")
    assert str(refusal.value) == "Ana holds case 1 until 12:10 UTC. Take it over if you must."

    world.now += timedelta(minutes=10)
    with pytest.raises(NotAllowed) as refusal:
        await taking.release(world.store, 1, "Ben")
    assert str(refusal.value) == (
        "Case 1 belongs to Ana, who alone can give it back. Take it over if you must."
    )

    await taking.release(world.store, 1, "Ana")
    [case] = await world.cases()
    assert (case.status, case.owner_id, case.held_by(world.now)) == (Status.OPEN, None, None)
    assert [event.what for event in await world.events()][-1] is What.RELEASED


async def test_what_nobody_has_cannot_be_given_back(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await taking.release(world.store, 1, "Ana")

    assert str(refusal.value) == "Case 1 is open; only an owned case can be given back."


async def test_strangers_and_unknown_cases_are_refused_with_the_next_step(world: World) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises(NotAllowed) as refusal:
        await taking.take(world.store, 1, "Zoe")
    assert str(refusal.value) == "Nobody here is called 'Zoe'. Add them: listener staff add 'Zoe'."

    with pytest.raises(NotAllowed) as refusal:
        await taking.take(world.store, 99, "Ana")
    assert str(refusal.value) == "There is no case 99. `listener cases` lists them."


async def test_a_refused_act_leaves_no_trace(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    before = (await world.cases())[0].model_dump()

    with pytest.raises(NotAllowed):
        await taking.take(world.store, 1, "Ben")

    assert (await world.cases())[0].model_dump() == before
    assert len(await world.events()) == 2
    assert len(await world.notices()) == 2
