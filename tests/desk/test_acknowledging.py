"""Somebody says that they heard of a case: it stops being unheard and stays whose it is."""

import pytest

from listener.desk import acknowledging, assigning, snoozing, taking, undoing
from listener.domain.case import Case
from listener.domain.event import What
from listener.domain.record import NotAllowed, NotThere
from listener.domain.staff import Role
from tests.given import Doubting, complained, judged, said, settled
from tests.given import heard as kept
from tests.web.visiting import hired
from tests.world import World


async def unheard(world: World) -> Case:
    """A case that waits for somebody to hear it."""
    await settled(world)
    await complained(world)
    [case] = await world.cases()
    assert case.unheard_since == world.now
    return case


async def test_a_case_is_heard_by_a_manager_and_stays_in_the_queue(world: World) -> None:
    case = await unheard(world)
    await hired(world, "Mia", Role.MANAGER)

    done = await acknowledging.acknowledge(world.store, case.key, "Mia", how="mail")

    [case] = await world.cases()
    assert case.unheard_since is None
    assert case.owner_id is None
    event = (await world.events())[-1]
    assert (event.id, event.what, event.details["how"]) == (done.event, What.ACKNOWLEDGED, "mail")


async def test_saying_it_twice_writes_it_down_once(world: World) -> None:
    case = await unheard(world)

    await acknowledging.acknowledge(world.store, case.key, "Ana")
    again = await acknowledging.acknowledge(world.store, case.key, "Ben")

    assert again.event is None
    assert [one.what for one in await world.events()] == [What.OPENED, What.ACKNOWLEDGED]


async def test_whoever_takes_a_case_has_heard_it_and_whoever_gives_it_back_has_not(
    world: World,
) -> None:
    case = await unheard(world)

    await taking.take(world.store, case.key, "Ana")
    assert (await world.cases())[0].unheard_since is None
    await taking.release(world.store, case.key, "Ana")

    assert (await world.cases())[0].unheard_since == world.now


async def test_whoever_is_given_a_case_has_yet_to_hear_it(world: World) -> None:
    case = await unheard(world)
    await hired(world, "Lea", Role.LEAD)
    await acknowledging.acknowledge(world.store, case.key, "Lea")

    await assigning.assign(world.store, case.key, "Lea", "Ben")

    assert (await world.cases())[0].unheard_since == world.now


async def test_a_snoozed_case_is_unheard_again_when_it_wakes(world: World) -> None:
    case = await unheard(world)

    await snoozing.snooze(world.store, case.key, "Ana", on_answer=True)
    assert (await world.cases())[0].unheard_since is None
    await snoozing.wake(world.store, case.key, "Ana")

    assert (await world.cases())[0].unheard_since == world.now


async def test_acknowledging_is_taken_back(world: World) -> None:
    case = await unheard(world)
    done = await acknowledging.acknowledge(world.store, case.key, "Ana")
    assert done.event is not None

    await undoing.undo(world.store, done.event, "Ana")

    assert (await world.cases())[0].unheard_since == case.unheard_since


async def test_nobody_is_called_for_what_may_be_no_complaint(world: World) -> None:
    await settled(world)
    await kept(world, said("The fish was fish.", published=world.now))
    await judged(world, Doubting())
    [case] = await world.cases()
    assert case.unheard_since is None

    with pytest.raises(NotAllowed, match="say first whether it is a complaint"):
        await acknowledging.acknowledge(world.store, case.key, "Ana")


async def test_a_case_of_another_brand_is_not_there(world: World) -> None:
    case = await unheard(world)
    await hired(world, "Zoe", brands=[])

    with pytest.raises(NotThere):
        await acknowledging.acknowledge(world.store, case.key, "Zoe")
