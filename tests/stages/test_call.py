"""Alarms climb the ladder, with a clock that is moved: each step once, until somebody sees to it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from listener.desk import alarming
from listener.domain.alarm import RISE, Alarm, AlarmNotice, Sort
from listener.domain.ladder import AlarmRung, Ladder, Rank
from listener.domain.staff import Role, Staff
from listener.stages.call import climb
from listener.store import alarms, people
from tests.given import complained, settled
from tests.routed import OFFICE, member, routed, rule, team
from tests.web.visiting import hired
from tests.world import NOON, World

MINUTE = timedelta(minutes=1)
NIGHT = NOON + timedelta(hours=4, minutes=30)  # Monday, 16:30: half an hour is left of the day


async def staffed(world: World, **hours: Any) -> None:
    """A team that has case 1, with a lead and somebody on call, and a manager of the brand."""
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER)
    await hired(world, "Zoe", Role.LEAD, brands=[99])
    support = await team(world, "Support", "Ana", **hours)
    await member(world, support, "Lea", leads=True, capacity=0)
    await member(world, support, "Ben", on_call=True, capacity=0)
    await rule(world, support)
    async with world.store.transaction() as session:
        for person in await people.every(session):
            person.mail = f"{person.name.lower()}@shop.example"
    await complained(world)
    await routed(world)


async def rings(world: World, sort: Sort = Sort.COMPLAINTS) -> None:
    """An alarm is raised about it."""
    async with world.store.transaction() as session:
        about = RISE if sort is Sort.COMPLAINTS else sort.value
        alarm = Alarm(
            brand_id=1, about=about, sort=sort, since=world.now, raised_at=world.now, mentions=[1]
        )
        await alarms.raise_once(session, alarm, ["terminal"])


async def calls(world: World) -> list[AlarmNotice]:
    """Every notice of an alarm to a person."""
    return [one for one in await world.all_of(AlarmNotice) if one.staff_id is not None]


async def minutes(world: World, start: datetime, last: int) -> dict[int, list[str]]:
    """Live through so many minutes, two programs beside each other; who was called in which."""
    names = {one.key: one.name for one in await world.all_of(Staff)}
    heard: dict[int, list[str]] = {}
    known = len(await calls(world))
    for minute in range(last + 1):
        world.now = start + minute * MINUTE
        await asyncio.gather(climb(world.store), climb(world.store))
        made = await calls(world)
        if made[known:]:
            heard[minute] = [names[one.staff_id or 0] for one in made[known:]]
        known = len(made)
    return heard


async def told(world: World) -> None:
    """Everything that is to be told by mail has arrived."""
    async with world.store.transaction() as session:
        for one in await alarms.take(session, limit=100, now=world.now):
            await alarms.keep(session, one.notice.key, None, now=world.now)


async def test_while_nobody_sees_to_it_each_is_called_once_after_their_time(world: World) -> None:
    await staffed(world)
    await rings(world)

    assert await minutes(world, NOON, 120) == {20: ["Lea"], 40: ["Mia"], 50: ["Ben"]}

    assert [one.why for one in await calls(world)] == [
        "Nobody sees to it after 20 min: the lead is called, Lea.",
        "Nobody sees to it after 40 min: the manager is called, Mia.",
        "Nobody sees to it after 50 min: whoever is on call is called, Ben.",
    ]


async def test_what_people_report_calls_by_night_and_a_rise_waits_for_the_morning(
    world: World,
) -> None:
    world.now = NIGHT
    await staffed(world, **OFFICE)
    await rings(world)
    await rings(world, Sort.SAFETY)

    assert await minutes(world, NIGHT, 60) == {
        5: ["Lea"],
        10: ["Mia"],
        12: ["Ben"],
        20: ["Lea"],
    }
    morning = NOON + timedelta(hours=21)  # Tuesday, 09:00
    assert await minutes(world, morning, 60) == {10: ["Mia"], 20: ["Ben"]}


async def test_who_sees_to_it_stops_the_calls_and_takes_back_those_that_wait(world: World) -> None:
    await staffed(world)
    async with world.store.transaction() as session:
        lea = await people.named(session, "Lea")
        assert lea is not None
        lea.quiet_from, lea.quiet_until = NOON.time(), (NOON + timedelta(hours=8)).time()
    await rings(world)
    await minutes(world, NOON, 25)
    [waiting] = await calls(world)
    assert waiting.next_at == NOON + timedelta(hours=8), "a rise does not break their quiet hours"

    seen = await alarming.acknowledge(world.store, 1, "Ana")

    assert seen.new
    assert await minutes(world, NOON + 26 * MINUTE, 90) == {}
    world.now = NOON + timedelta(hours=9)
    async with world.store.transaction() as session:
        due = await alarms.take(session, limit=100, now=world.now)
    assert [one.notice.staff_id for one in due] == [None], "the channel alone is told"


async def test_put_off_it_calls_nobody_and_begins_anew_when_that_ends(world: World) -> None:
    await staffed(world)
    await rings(world)
    assert await minutes(world, NOON, 25) == {20: ["Lea"]}
    await told(world)

    until = NOON + timedelta(hours=4)
    await alarming.snooze(world.store, 1, "Ana", until)

    assert await minutes(world, NOON + 26 * MINUTE, 213) == {}
    assert await minutes(world, until, 60) == {20: ["Lea"], 40: ["Mia"], 50: ["Ben"]}


async def test_who_was_called_hears_that_it_is_over_and_nobody_else_does(world: World) -> None:
    await staffed(world)
    await rings(world)
    await minutes(world, NOON, 22)
    await told(world)
    await minutes(world, NOON + 23 * MINUTE, 20)  # Mia is called, and it is not sent yet

    async with world.store.transaction() as session:
        [alarm] = await alarms.standing(session)
        assert await alarms.end(session, alarm, ["terminal"], world.now)

    names = {one.key: one.name for one in await world.all_of(Staff)}
    async with world.store.transaction() as session:
        due = await alarms.take(session, limit=100, now=world.now)
    said = [(names.get(one.notice.staff_id or 0), one.notice.over) for one in due]
    assert said == [(None, True), ("Lea", True)]
    assert await minutes(world, world.now, 60) == {}


async def test_after_a_standstill_nobody_is_passed_over(world: World) -> None:
    await staffed(world)
    await rings(world)

    late = NOON + timedelta(hours=3)

    assert await minutes(world, late, 60) == {0: ["Lea"], 20: ["Mia"], 30: ["Ben"]}


async def test_a_ladder_of_ones_own_is_climbed_and_where_nobody_is_the_next_is_waited_for(
    world: World,
) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER)
    async with world.store.transaction() as session:
        steps: list[list[str | int]] = [[60, Rank.OWNER], [300, Rank.LEAD], [600, Rank.MANAGER]]
        session.add(Ladder(name="Short", severities=["urgent"], steps=steps))
    await rings(world)

    assert await minutes(world, NOON, 60) == {10: ["Mia"]}
    assert [one.called for one in await world.all_of(AlarmRung)] == [[], [3]]


async def test_who_cannot_be_reached_is_named(world: World) -> None:
    await staffed(world)
    async with world.store.transaction() as session:
        for person in await people.every(session):
            person.mail = None
    await rings(world)
    await minutes(world, NOON, 22)

    [call] = await calls(world)
    assert call.failed_at is not None
    assert call.failure == "There is neither Slack nor a mail address for this person."
