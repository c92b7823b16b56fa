"""What is promised stands on a page, in order, with the hours of every team."""

from datetime import UTC, datetime

from listener.desk.applying import apply
from listener.desk.plan import read
from listener.domain.secret import Seal
from listener.domain.staff import Role
from tests.given import complained, settled
from tests.web.visiting import hired, street
from tests.world import World

PLAN = """
[[brand]]
name = "Bolt"
query = "nuts"

[[team]]
name = "Berlin"
zone = "Europe/Berlin"
hours = ["mon-fri 09:00-17:00"]
holidays = "DE-BE"
closed = [2026-12-24]

[[team]]
name = "World"
follows = ["Berlin"]

[[policy]]
name = "Nuts first"
brands = ["Bolt"]
first_reply = "30m"

[[policy]]
name = "Berlin reviews"
kinds = ["review"]
teams = ["Berlin"]
first_reply = "2h"
next_reply = "1h"
"""


async def page(world: World, name: str = "Ana") -> str:
    async with street(world) as place:
        return (await (await place.signed_in(name)).get("/deadlines")).text


async def test_without_a_plan_the_standard_ones_stand_there_and_whose_hours_count(
    world: World,
) -> None:
    await settled(world)
    await complained(world)

    seen = await page(world)

    assert [seen.index(f'<th scope="row">{one}<br>') for one in ("crisis", "urgent", "review")]
    assert "everything no other is for" in seen
    assert '<td class="number">1</td>' in seen
    assert "There is no team yet." in seen


async def test_policies_stand_in_their_order_and_teams_say_until_when_they_are_there(
    world: World,
) -> None:
    world.now = datetime(2026, 12, 14, 10, tzinfo=UTC)
    await settled(world)
    await apply(world.store, read(PLAN), Seal("a key for tests, long enough"))

    seen = await page(world)

    own, berlin = seen.index("Nuts first"), seen.index("Berlin reviews")
    assert own < berlin < seen.index(">crisis<")
    assert "kind review, team Berlin" in seen
    assert '<span class="word">At work</span> until <time datetime="2026-12-14T16:00' in seen
    assert "works on with Berlin" in seen
    assert "Thu 24 Dec (a day of your own), Fri 25 Dec (" in seen


async def test_nobody_reads_what_is_promised_to_other_brands(world: World) -> None:
    await settled(world)
    await apply(world.store, read(PLAN), Seal("a key for tests, long enough"))
    await hired(world, "Zoe", Role.AGENT, brands=[1])

    seen = await page(world, "Zoe")

    assert "Berlin reviews" in seen
    assert "Bolt" not in seen
    assert "Nuts first" not in seen
