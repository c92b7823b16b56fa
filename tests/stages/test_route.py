"""Cases go to the team that a rule names, and to somebody of it who is here and has room."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from listener.desk import assigning, away, replies, staffing, tagging, taking
from listener.domain.case import Status
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.domain.routing import Decision, Share
from listener.domain.staff import Role
from listener.store.session import DatabaseTrouble
from tests.given import COMPLAINTS, complained, heard, judged, said, settled
from tests.replying import Square, seen
from tests.routed import (
    OFFICE,
    case,
    decisions,
    member,
    owners,
    routed,
    rule,
    team,
    told,
)
from tests.web.visiting import hired
from tests.world import NOON, World


async def test_without_rules_cases_stay_where_everybody_sees_them(world: World) -> None:
    await settled(world)
    await complained(world)

    await routed(world)

    assert await owners(world) == [None]
    assert [one.what for one in await world.events()] == [What.OPENED]


async def test_a_case_goes_to_somebody_of_the_team_and_says_why(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana"), places=["webhook"])
    await complained(world)

    await routed(world)

    assert await owners(world) == ["Ana"]
    assert (await case(world)).unheard_since == NOON  # she was given it, and has not heard yet
    [event] = await told(world, What.ROUTED)
    assert event.details["says"] == [
        "Goes to Support, to Ana, by the rule “All”.",
        "Ana is the only one who is free.",
    ]


async def test_the_first_rule_that_fits_decides(world: World) -> None:
    await settled(world)
    support = await team(world, "Support", "Ana")
    other = await team(world, "Berlin", "Ben")
    await rule(world, other, "German", languages=["de"], place=0)
    await rule(world, other, "Ada", authors=["ADA"], place=1)
    await rule(world, support, "Rest", place=2)
    await complained(world, COMPLAINTS[0], author="ada")
    await complained(world, COMPLAINTS[1], author="bob")

    await routed(world)

    assert await owners(world) == ["Ben", "Ana"]
    assert [one.route for one in await decisions(world)] == ["Ada", "Rest"]


async def test_what_no_rule_is_about_says_so_and_waits_for_all(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana"), places=["bluesky"])
    await complained(world)

    await routed(world)
    await routed(world)

    assert await owners(world) == [None]
    [event] = await told(world, What.ROUTED)
    assert event.details["says"] == ["No rule is about it, so it waits where everybody sees it."]


async def test_a_tag_sends_what_nobody_has_to_another_team(world: World) -> None:
    await settled(world)
    support = await team(world, "Support")
    billing = await team(world, "Billing", "Ben")
    await rule(world, billing, "Money", tags=["billing"], place=0)
    await rule(world, support, "Rest", place=1)
    await complained(world)
    await routed(world)
    assert await owners(world) == [None]

    await tagging.tag(world.store, 1, "Ana", "billing")
    await routed(world)

    assert await owners(world) == ["Ben"]


@pytest.mark.parametrize("share", [Share.LEAST_LOADED, Share.ROUND_ROBIN])
async def test_a_team_shares_evenly(world: World, share: Share) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"), share=share)

    for text in COMPLAINTS[:4]:
        await complained(world, text)
        await routed(world)
        world.now += timedelta(minutes=1)

    assert await owners(world) == ["Ana", "Ben", "Ana", "Ben"]


async def test_a_batch_is_shared_as_evenly_as_one_after_the_other(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"))
    await complained(world, *COMPLAINTS[:4])

    await routed(world)

    assert sorted(name or "" for name in await owners(world)) == ["Ana", "Ana", "Ben", "Ben"]


async def test_whoever_is_full_gets_no_more_until_there_is_room(world: World) -> None:
    await settled(world)
    support = await team(world, "Support")
    await member(world, support, "Ana", capacity=1)
    await rule(world, support)
    await complained(world, COMPLAINTS[0])
    await complained(world, COMPLAINTS[1])
    await routed(world)
    assert await owners(world) == ["Ana", None]
    assert "Ana has 1 case, and can have no more." in (await decisions(world))[1].why

    await taking.release(world.store, 1, "Ana")
    await routed(world)  # a minute has not passed
    assert await owners(world) == [None, None]
    world.now += timedelta(minutes=1)
    await routed(world)

    assert await owners(world) == [None, "Ana"]  # what she gave back by hand stays there
    assert len(await told(world, What.ROUTED)) == 3


async def test_who_speaks_the_language_and_has_the_skill_is_asked_before_others(
    world: World,
) -> None:
    await settled(world, "Ana", "Ben", "Cem")
    support = await team(world, "Support")
    await member(world, support, "Ana", languages=["en"], skills=["billing"])
    await member(world, support, "Ben", languages=["DE"], skills=["billing"])
    await member(world, support, "Cem", languages=["de"])
    await rule(world, support, skill="Billing")
    await heard(world, said(COMPLAINTS[0], language="de-AT", published=world.now))
    await judged(world)

    await routed(world)

    assert await owners(world) == ["Ben"]
    assert (await decisions(world))[0].why[1:] == [
        "Of the team Ana and Ben are good at Billing.",
        "Of the team Ben speaks de-AT.",
        "Ben is the only one who is free.",
    ]


async def test_who_answered_an_author_before_gets_them_again(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"))
    await complained(world, COMPLAINTS[0], author="ada")
    await taking.take(world.store, 1, "Ben")
    await answered(world, "Ben")
    await complained(world, COMPLAINTS[1], author="ada")

    await routed(world)

    assert await owners(world) == ["Ben", "Ben"]
    assert "Ben answered this author before." in (await decisions(world))[-1].why


async def test_going_away_hands_back_and_somebody_else_gets_it(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"), sticky=False)
    await complained(world)
    await routed(world)
    assert await owners(world) == ["Ana"]

    world.now += timedelta(minutes=5)
    _, back = await away.go_away(
        world.store, "Ana", world.now + timedelta(hours=4), "at the dentist"
    )
    assert back == 1
    assert await owners(world) == [None]
    assert (await case(world)).unheard_since == world.now
    await routed(world)

    assert await owners(world) == ["Ben"]
    [released] = await told(world, What.RELEASED)
    assert released.details["why"] == "Ana is away until 02 Nov 16:05 UTC (at the dentist)."
    assert [one.number for one in await decisions(world)] == [1, 2]


async def test_what_comes_back_to_somebody_who_is_away_is_handed_back(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await rule(world, await team(world, "Support", "Ana", "Ben"))
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    await answered(world, "Ana")
    world.now += timedelta(hours=1)
    await away.go_away(world.store, "Ana", world.now + timedelta(days=3))
    assert (await case(world)).status is Status.ANSWERED  # the customer's turn: hers still

    async with world.store.transaction() as session:
        found = await session.get_one(type(await case(world)), 1)
        found.reopen(world.settings.policies, world.now)
    await routed(world)

    assert await owners(world) == ["Ben"]


async def test_nobody_is_given_a_case_while_away_or_has_to_be_asked(world: World) -> None:
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await rule(world, await team(world, "Support", "Ana"))
    await away.go_away(world.store, "Ana", world.now + timedelta(hours=1))
    await complained(world)
    await routed(world)
    assert await owners(world) == [None]
    with pytest.raises(NotAllowed, match="Ana is away until 02 Nov 13:00 UTC"):
        await assigning.assign(world.store, 1, "Lea", "Ana")

    world.now += timedelta(hours=1)
    await routed(world)

    assert await owners(world) == ["Ana"]


async def test_out_of_hours_a_case_waits_for_the_team_and_an_urgent_one_does_not(
    world: World,
) -> None:
    world.now = NOON + timedelta(hours=8)  # Monday, 20:00
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", **OFFICE))
    await complained(world, COMPLAINTS[0])
    await complained(world, "There was glass in my fish and my daughter is bleeding!")
    await routed(world)
    assert await owners(world) == [None, "Ana"]
    assert next(one for one in await decisions(world) if one.case_id == 1).why[1] == (
        "The team is at work again Tue 03 Nov 09:00 UTC."
    )

    world.now = NOON + timedelta(hours=21)
    await routed(world)

    assert await owners(world) == ["Ana", "Ana"]


async def test_the_cases_of_whoever_leaves_go_to_somebody_else(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana", "Ben"))
    await complained(world)
    await routed(world)

    await staffing.leave(world.store, "Ana")
    await routed(world)

    assert await owners(world) == ["Ben"]


async def test_a_decision_is_written_once_whoever_restarts(world: World) -> None:
    await settled(world)
    await rule(world, await team(world, "Support", "Ana"))
    await complained(world)
    for _ in range(3):
        await routed(world)

    assert len(await told(world, What.ROUTED)) == 1
    with pytest.raises((DatabaseTrouble, IntegrityError)):
        await decided(world, number=1)


async def answered(world: World, staff: str) -> None:
    """Whoever holds the first case says that they answered there by hand."""
    looked = await seen(world, Square(), 1, staff)
    await replies.by_hand(world.store, 1, staff, "We are sorry.", looked)


async def decided(world: World, *, number: int) -> None:
    """A decision under a number of its own."""
    async with world.store.transaction() as session:
        session.add(Decision(case_id=1, number=number, at=world.now))
