"""Members, routes and ladders are written in the plan, and come out of it as they went in."""

import tomllib

import pytest

from listener.desk.applying import apply
from listener.desk.exporting import export
from listener.desk.plan import read
from listener.desk.plan_words import BadPlan
from listener.domain.secret import Seal
from tests.given import settled
from tests.world import World

SEAL = Seal("a key for tests, long enough")
PLAN = """
[[team]]
name = "Support"
always = true

[[member]]
name = "Ana"
teams = ["Support"]
languages = ["de"]
skills = ["billing"]
capacity = 5
leads = true

[[route]]
name = "German"
team = "Support"
brands = ["Acme"]
languages = ["de"]
severities = ["urgent"]
share = "round robin"

[[ladder]]
name = "Short"
teams = ["Support"]
steps = [{ after = "5m", call = "lead" }, { after = "1h", call = "on-call" }]
"""


async def test_what_goes_in_comes_out_and_applying_twice_changes_nothing(world: World) -> None:
    await settled(world)
    first = await apply(world.store, read(PLAN), SEAL)
    assert {'member "Ana"', 'route "German"', 'ladder "Short"'} <= set(first.added)

    again = await apply(world.store, read(PLAN), SEAL)
    assert not again.added
    assert not again.changed

    words = tomllib.loads(await export(world.store))
    [route] = words["route"]
    assert (route["team"], route["brands"], route["share"]) == ("Support", ["Acme"], "round robin")
    assert words["member"][0]["capacity"] == 5
    assert words["ladder"][0]["steps"] == [
        {"after": "5m", "call": "lead"},
        {"after": "1h", "call": "on-call"},
    ]


async def test_a_route_to_no_team_and_a_member_nobody_knows_are_refused(world: World) -> None:
    await settled(world)

    with pytest.raises(BadPlan, match='there is no team called "Sales"; there is: Support'):
        await apply(world.store, read(PLAN.replace('team = "Support"', 'team = "Sales"')), SEAL)
    with pytest.raises(BadPlan, match="nobody here is called that"):
        await apply(world.store, read(PLAN.replace('name = "Ana"', 'name = "Zoe"')), SEAL)


def test_steps_that_go_back_are_refused() -> None:
    with pytest.raises(BadPlan, match="each step comes later"):
        read(PLAN.replace('"1h"', '"5m"'))
    with pytest.raises(BadPlan, match="there is no key `wait`"):
        read(PLAN.replace('after = "5m"', 'wait = "5m"'))


def test_a_route_for_a_place_that_nobody_can_read_is_refused() -> None:
    places = 'languages = ["de"]\nplaces = ["Webhook", "Zwitscher"]'

    with pytest.raises(
        BadPlan, match='route]] "German": `places`: there is no connector called "Zw'
    ):
        read(PLAN.replace('languages = ["de"]\nseverities', places + "\nseverities"))
