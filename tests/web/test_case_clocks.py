"""The case page shows each clock, by which promise, and who was called."""

from datetime import timedelta

from listener.domain.staff import Role
from tests.given import Doubting, complained, heard, judged, said, settled
from tests.routed import both, rule, team
from tests.web.visiting import hired, street
from tests.world import World


async def page(world: World, name: str = "Ana") -> str:
    async with street(world) as place:
        return (await (await place.signed_in(name)).get("/cases/1")).text


async def test_the_clocks_stand_beside_the_case_with_exact_times_and_whose_hours(
    world: World,
) -> None:
    await settled(world)
    await complained(world)

    seen = await page(world)

    assert "<h2>Until when</h2>" in seen
    assert "<dt>First reply</dt>" in seen
    assert "4 h of 4 h left" in seen
    due = world.now + timedelta(hours=4)
    assert f'due <time datetime="{due.isoformat()}"' in seen
    assert "Monday to Friday, 09:00 to 17:00 UTC" in seen
    assert "The policy “complaint” speaks" in seen
    assert "Who was called" not in seen


async def test_what_is_missed_says_so_also_to_who_cannot_see_colour(world: World) -> None:
    await settled(world)
    await complained(world)
    world.now += timedelta(hours=24)

    seen = await page(world)

    assert '<span class="word strong">Overdue</span> missed by 4 h' in seen


async def test_the_ladder_says_who_is_next(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER)
    await rule(world, await team(world, "Support", "Ana"))
    await complained(world)
    await both(world, world.now)
    await both(world, world.now + timedelta(hours=1))

    seen = await page(world, "Mia")

    assert "The owner: Ana" in seen
    assert "Next is the lead, unless somebody has heard it" in seen


async def test_an_unsure_case_says_why_no_clock_runs(world: World) -> None:
    await settled(world)
    await heard(world, said("The fish, well, hm.", published=world.now))
    await judged(world, Doubting())

    assert "No clock runs until somebody says that it is a complaint." in await page(world)


async def test_a_case_of_old_says_that_it_came_before(world: World) -> None:
    await settled(world)
    await complained(world)
    [case] = await world.cases()
    async with world.store.transaction() as session:
        old = await session.get_one(type(case), case.key)
        old.policy = old.counts_from = None

    assert "It came before there were clocks" in await page(world)
