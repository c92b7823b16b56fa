"""The ladder, played with a clock that is moved: each step at its minute, once, until heard."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from listener.desk import acknowledging, away, tagging, taking
from listener.domain.event import What
from listener.domain.ladder import Ladder, Rank, Rung
from listener.domain.staff import Role
from listener.store.session import DatabaseTrouble
from tests.given import COMPLAINTS, complained, settled
from tests.routed import OFFICE, both, case, climbed, member, owners, rule, team, told
from tests.web.visiting import hired
from tests.world import NOON, World

MINUTE = timedelta(minutes=1)
URGENT = "There was glass in my fish and my daughter is bleeding!"


async def staffed(world: World, **hours: object) -> int:
    """A team with an agent, a lead, somebody on call, and a manager of the brand."""
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER)
    support = await team(world, "Support", "Ana", **hours)
    await member(world, support, "Lea", leads=True, capacity=0)
    await member(world, support, "Ben", on_call=True, capacity=0)
    await rule(world, support)
    return support


async def minutes(world: World, start: datetime, last: int) -> dict[int, str]:
    """Live through so many minutes, a restart in each; who was called in which."""
    heard: dict[int, str] = {}
    known = len(await told(world, What.ESCALATED))
    for minute in range(last + 1):
        await both(world, start + minute * MINUTE)
        steps = await told(world, What.ESCALATED)
        for step in steps[known:]:
            assert minute not in heard, "two steps in one minute"
            heard[minute] = step.details["rank"]
        known = len(steps)
    return heard


async def test_while_nobody_acts_each_step_is_taken_once_at_its_minute(world: World) -> None:
    await staffed(world)
    await complained(world)

    assert await minutes(world, NOON, 300) == {
        60: "owner",
        120: "lead",
        180: "manager",
        230: "on-call",
    }

    steps = await told(world, What.ESCALATED)
    assert [step.details["says"][0] for step in steps] == [
        "Nobody had heard it after 1 h: its owner is called, Ana.",
        "Nobody had heard it after 2 h: the lead is called, Lea.",
        "Nobody had heard it after 3 h: the manager is called, Mia.",
        "Nobody had heard it after 3 h 50 min: whoever is on call is called, Ben.",
    ]
    named = [one for one in await world.notices() if one.staff_id is not None]
    assert len(named) == len({one.staff_id for one in named}) == 4  # everybody once


async def test_acknowledging_stops_it(world: World) -> None:
    await staffed(world)
    await complained(world)
    assert await minutes(world, NOON, 125) == {60: "owner", 120: "lead"}

    await acknowledging.acknowledge(world.store, 1, "Lea", how="Slack")

    assert await minutes(world, NOON + 126 * MINUTE, 120) == {}


async def test_taking_stops_it_and_giving_back_begins_it_anew(world: World) -> None:
    await staffed(world)
    await complained(world)
    await both(world, NOON + 60 * MINUTE)

    await taking.take(world.store, 1, "Ana")
    assert await minutes(world, NOON + 61 * MINUTE, 120) == {}
    await taking.release(world.store, 1, "Ana")

    again = await minutes(world, world.now, 130)
    assert again == {60: "owner", 120: "lead"}
    nobody = (await told(world, What.ESCALATED))[1]
    assert nobody.details["says"][1] == "Nobody owns it yet, so the next step is waited for."


async def test_going_away_hands_back_and_the_next_owner_has_their_whole_time(
    world: World,
) -> None:
    support = await staffed(world)
    await world.hire("Cem")
    await both(world, NOON)
    await member(world, support, "Cem")
    await complained(world)
    await both(world, NOON)
    assert await owners(world) == ["Ana"]
    await both(world, NOON + 60 * MINUTE)

    await away.go_away(world.store, "Ana", world.now + timedelta(days=1))

    assert await minutes(world, world.now, 130) == {60: "owner", 120: "lead"}
    assert await owners(world) == ["Cem"]
    assert (await told(world, What.ESCALATED))[-2].details["says"][0].endswith("called, Cem.")


async def test_a_night_does_not_count_except_for_what_is_urgent(world: World) -> None:
    evening = NOON + timedelta(hours=4, minutes=30)  # Monday, 16:30
    world.now = evening
    await staffed(world, **OFFICE)
    await complained(world, COMPLAINTS[0])
    await complained(world, URGENT)

    called = await minutes(world, evening, 60)
    assert called == {10: "owner", 20: "lead", 40: "manager", 50: "on-call"}
    assert {step.case_id for step in await told(world, What.ESCALATED)} == {2}

    morning = NOON + timedelta(hours=21)  # Tuesday, 09:00
    assert await minutes(world, morning, 90) == {30: "owner", 90: "lead"}


async def test_a_crisis_calls_quickly_also_when_it_becomes_one_late(world: World) -> None:
    await staffed(world)
    await complained(world)
    await both(world, NOON)

    await both(world, NOON + 3 * MINUTE)
    await tagging.tag(world.store, 1, "Ana", "crisis")

    assert await minutes(world, NOON + 4 * MINUTE, 10) == {
        0: "owner",
        1: "lead",
        6: "manager",
        8: "on-call",
    }


async def test_a_ladder_of_ones_own_is_climbed_instead(world: World) -> None:
    support = await staffed(world)
    async with world.store.transaction() as session:
        session.add(
            Ladder(name="Short", teams=[support], steps=[[300, Rank.LEAD], [900, Rank.ON_CALL]])
        )
    await complained(world)

    assert await minutes(world, NOON, 65) == {5: "lead", 15: "on-call"}


async def test_without_a_team_nobody_is_called(world: World) -> None:
    await settled(world)
    await complained(world)

    assert await minutes(world, NOON, 61) == {}


async def test_after_a_long_standstill_every_step_is_taken_once_and_none_twice(
    world: World,
) -> None:
    await staffed(world)
    await complained(world)
    await both(world, NOON)

    await both(world, NOON + timedelta(days=1))
    await climbed(world)

    ranks = [step.details["rank"] for step in await told(world, What.ESCALATED)]
    assert ranks == ["owner", "lead", "manager", "on-call"]


async def test_a_step_cannot_be_taken_twice(world: World) -> None:
    await staffed(world)
    await complained(world)
    await both(world, NOON)
    found = await case(world)
    assert found.unheard_since is not None

    with pytest.raises((DatabaseTrouble, IntegrityError)):
        await doubled(world, found.unheard_since)


async def doubled(world: World, since: datetime) -> None:
    """The first step of the first case once more."""
    async with world.store.transaction() as session:
        session.add(Rung(case_id=1, since=since, step=0, rank=Rank.OWNER, due_at=since))
