"""Policies are written in the plan; cases keep what they were promised when those change."""

import tomllib
from datetime import timedelta

import pytest

from listener.desk import closing, tagging
from listener.desk.applying import Applied, apply
from listener.desk.exporting import export
from listener.desk.plan import read
from listener.desk.plan_words import BadPlan
from listener.domain.case import Case, Outcome
from listener.domain.deadline import Policies
from listener.domain.secret import Seal
from listener.domain.severity import Severity
from listener.store import deadlines
from tests.given import COMPLAINTS, complained, settled
from tests.world import World

SEAL = Seal("a key for tests, long enough")
HURT = "There was glass in the fish and my son is in hospital with cuts in his mouth, bleeding."
TEAM = '[[team]]\nname = "Care"\nalways = true\n'
PLAN = (
    TEAM
    + """
[[policy]]
name = "Gold"
brands = ["Acme"]
places = ["webhook"]
kinds = ["post"]
severities = ["normal"]
first_reply = "30m"
next_reply = "1h"
resolution = "2d"
always = true

[[policy]]
name = "Team"
teams = ["Care"]
first_reply = "2h"

[[policy]]
name = "urgent"
first_reply = "20m"
"""
)


async def applied(world: World, plan: str) -> Applied:
    return await apply(world.store, read(plan), SEAL)


async def only(world: World) -> Case:
    [case] = await world.cases()
    return case


async def test_what_goes_in_comes_out_and_applying_it_again_changes_nothing(world: World) -> None:
    await settled(world)

    first = await applied(world, PLAN)
    exported = await export(world.store)
    again = await applied(world, exported)
    twice = await applied(world, PLAN)

    assert {'policy "Gold"', 'policy "Team"', 'policy "urgent"'} <= set(first.added)
    assert (again.added, again.changed) == ([], [])
    assert (twice.added, twice.changed) == ([], [])
    assert await export(world.store) == exported
    gold, team, urgent = tomllib.loads(exported)["policy"]
    assert gold == tomllib.loads(PLAN)["policy"][0]
    assert (team["teams"], team["first_reply"]) == (["Care"], "2h")
    assert (urgent["severities"], urgent["always"]) == (["urgent"], True)


async def test_the_first_that_fits_speaks_and_stamps_its_version(world: World) -> None:
    await settled(world)
    await applied(world, PLAN)

    await complained(world)

    case = await only(world)
    assert (case.policy, case.policy_version) == ("Gold", 1)
    assert case.due_at == world.now + timedelta(minutes=30)
    assert case.resolve_at == world.now + timedelta(days=2)


async def test_a_standard_policy_is_changed_in_its_place(world: World) -> None:
    await settled(world)
    await applied(world, '[[policy]]\nname = "complaint"\nfirst_reply = "8h"\nalways = true')

    await complained(world, HURT, COMPLAINTS[0])

    hurt, cold = await world.cases()
    assert (hurt.policy, hurt.due_at) == ("urgent", world.now + timedelta(hours=1))
    assert (cold.policy, cold.due_at) == ("complaint", world.now + timedelta(hours=8))


async def test_a_changed_policy_is_a_new_version_and_old_promises_are_kept(world: World) -> None:
    await settled(world)
    await applied(world, PLAN)
    await complained(world)

    done = await applied(world, PLAN.replace('"30m"', '"10m"'))
    await complained(world, COMPLAINTS[1], author="bob")

    assert done.changed == ['policy "Gold"']
    old, new = await world.cases()
    assert (old.policy_version, old.due_at) == (1, world.now + timedelta(minutes=30))
    assert (new.policy_version, new.due_at) == (2, world.now + timedelta(minutes=10))


async def test_who_comes_back_gets_the_promise_of_today(world: World) -> None:
    await settled(world)
    await applied(world, PLAN)
    await complained(world)
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)
    await applied(world, PLAN.replace('"30m"', '"10m"'))

    world.now += timedelta(hours=1)
    await closing.reopen(world.store, 1, "Ana", Policies())

    case = await only(world)
    assert (case.policy_version, case.due_at) == (2, world.now + timedelta(minutes=10))


async def test_the_order_in_the_file_decides(world: World) -> None:
    await settled(world)
    plan = (
        '[[policy]]\nname = "A"\nplaces = ["webhook"]\nfirst_reply = "1h"\nalways = true\n'
        '[[policy]]\nname = "B"\nkinds = ["post"]\nfirst_reply = "2h"\nalways = true\n'
    )
    first, second = plan.split('[[policy]]\nname = "B"')
    await applied(world, plan)

    await applied(world, '[[policy]]\nname = "B"' + second + first)
    await complained(world)

    assert (await only(world)).policy == "B"


async def test_a_policy_that_has_ended_speaks_no_more_and_can_come_back(world: World) -> None:
    await settled(world)
    await applied(world, PLAN)
    ended = PLAN.replace('name = "Gold"', 'name = "Gold"\nactive = false').replace(
        '[[policy]]\nname = "Team"', '[[policy]]\nname = "Team"\nactive = false'
    )

    assert (await applied(world, ended)).changed == ['policy "Gold"', 'policy "Team"']
    await complained(world)
    assert (await only(world)).policy == "complaint"
    assert [one["name"] for one in tomllib.loads(await export(world.store))["policy"]] == ["urgent"]

    await applied(world, PLAN)
    await complained(world, COMPLAINTS[1], author="bob")
    assert (await world.cases())[1].policy == "Gold"


async def test_what_people_tag_a_crisis_is_due_as_one_and_no_more_when_they_do_not(
    world: World,
) -> None:
    await settled(world)
    await complained(world)
    before = (await only(world)).due_at

    await tagging.tag(world.store, 1, "Ana", "Crisis")

    case = await only(world)
    assert (case.sort.severity, case.policy) == (Severity.CRISIS, "crisis")
    assert case.due_at == world.now + timedelta(minutes=15)

    await tagging.untag(world.store, 1, "Ana", "crisis")

    case = await only(world)
    assert (case.policy, case.due_at) == ("complaint", before)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("", 'say until when: first_reply = "4h", next_reply or resolution'),
        ('first_reply = "soon"', 'a stretch of time looks like "30s", "5m", "1h" or "7d"'),
        ('first_reply = "10s"', "a deadline is a minute at least and a year at most"),
        ('resolution = "900d"', "a deadline is a minute at least and a year at most"),
        ('first_reply = "2h"\nresolution = "1h"', "`resolution` cannot be sooner"),
        ('first_reply = "2h"\nseverities = ["bad"]', "'crisis', 'urgent' or 'normal'"),
        ('first_reply = "2h"\nplaces = ["Zwitscher"]', 'there is no connector called "Zwitscher"'),
        ('first_reply = "2h"\nbrands = []', "an empty list fits no case; leave it out"),
        ('frist_reply = "2h"', "did you mean `first_reply`?"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_in_words(policy: str, said: str) -> None:
    with pytest.raises(BadPlan) as refused:
        read(f'[[policy]]\nname = "Gold"\n{policy}\n')

    assert '[[policy]] "Gold"' in str(refused.value)
    assert said in str(refused.value)


def test_a_policy_that_can_never_speak_is_refused() -> None:
    with pytest.raises(BadPlan, match='"Late": it never speaks, because "All" stands before it'):
        read(
            '[[policy]]\nname = "All"\nfirst_reply = "1h"\n'
            '[[policy]]\nname = "Late"\nkinds = ["review"]\nfirst_reply = "2h"\n'
        )


async def test_strangers_are_named_with_those_that_there_are(world: World) -> None:
    await settled(world)

    with pytest.raises(BadPlan, match='there is no brand called "Acne"; there is: Acme'):
        await applied(world, PLAN.replace('"Acme"', '"Acne"'))
    with pytest.raises(BadPlan, match='there is no team called "Cure"; there is: Care'):
        await applied(world, PLAN.replace('teams = ["Care"]', 'teams = ["Cure"]'))
    with pytest.raises(BadPlan, match='policy]] "Old": there is none that could be ended'):
        await applied(world, '[[policy]]\nname = "Old"\nactive = false')

    async with world.store.reading() as session:
        assert await deadlines.policies(session) == []
