"""Clocks are counted in the hours of the team that has the case, and repaired when those change."""

from datetime import UTC, datetime, time, timedelta

import pytest

from listener.desk import closing, replies, tagging, taking
from listener.desk.applying import apply
from listener.desk.plan import Plan, read
from listener.domain.case import Case
from listener.domain.deadline import Policies, Warned
from listener.domain.event import What
from listener.domain.notice import Notice
from listener.domain.secret import Seal
from listener.domain.staff import Role
from listener.store.session import Store
from tests.given import COMPLAINTS, complained, settled
from tests.replying import Square, seen
from tests.routed import OFFICE, member, routed, rule, team
from tests.web.visiting import hired
from tests.world import World

SEAL = Seal("a key for tests, long enough")
FRIDAY = datetime(2026, 11, 6, 14, tzinfo=UTC)


async def due(world: World) -> Case:
    """Every clock that has news is looked at; the case as it stands then."""
    await due_all(world)
    [case] = await world.cases()
    return case


async def due_all(world: World) -> None:
    """Every clock that has news is looked at."""
    service = await world.service()
    while await service.due.step():
        pass


async def teamed(store: Store, *hours: str) -> None:
    plan = Plan.model_validate({"team": [{"name": "Support", "zone": "UTC", "hours": list(hours)}]})
    await apply(store, plan, SEAL)


async def test_a_case_of_old_keeps_its_deadline(world: World) -> None:
    await settled(world)
    await complained(world)
    promised = world.now + timedelta(hours=3)
    async with world.store.transaction() as session:
        [case] = await world.cases()
        old = await session.get_one(Case, case.key)
        old.policy, old.counts_from, old.due_at, old.look_at = None, None, promised, world.now

    assert (await due(world)).due_at == promised


async def test_a_team_s_case_is_due_by_that_team_s_hours(world: World) -> None:
    world.now = FRIDAY
    await settled(world)
    await team(world, "Office", **OFFICE)  # the first: its hours count until a case has a team
    await rule(world, await team(world, "Round", "Ana", always=True))
    await complained(world)
    [before] = await world.cases()

    await routed(world)

    [after] = await world.cases()
    assert before.due_at == datetime(2026, 11, 9, 10, tzinfo=UTC)
    assert after.due_at == FRIDAY + timedelta(hours=4)


async def test_hours_that_are_corrected_repair_what_is_due(world: World) -> None:
    world.now = FRIDAY
    await settled(world)
    await complained(world)
    await teamed(world.store, "mon-fri 09:00-17:00")
    assert (await due(world)).due_at == datetime(2026, 11, 9, 10, tzinfo=UTC)

    await teamed(world.store, "mon-sat 09:00-17:00")

    assert (await due(world)).due_at == datetime(2026, 11, 7, 10, tzinfo=UTC)


async def test_each_warning_is_given_once_and_none_early(world: World) -> None:
    world.now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    await settled(world)
    await complained(world)
    told: list[tuple[int, int]] = []
    for minute in range(0, 8 * 60, 10):
        world.now = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(minutes=minute)
        for _ in range(2):
            await due(world)
        seen = len(await world.all_of(Warned))
        told += [(minute, seen)] if not told or told[-1][1] != seen else []

    warned = await world.all_of(Warned)
    assert [one.level for one in warned] == [50, 80, 100]
    assert [minute for minute, seen in told if seen] == [120, 200, 240]  # 80 % of four hours is 192
    said = [one.what for one in await world.events() if one.what in (What.WARNED, What.MISSED)]
    assert said == [What.WARNED, What.WARNED, What.MISSED]


async def test_nobody_is_warned_in_quiet_hours_but_of_a_crisis_at_its_minute(world: World) -> None:
    thursday = datetime(2026, 11, 5, 15, tzinfo=UTC)
    world.now = thursday
    await settled(world)
    await applied(
        world,
        '[[team]]\nname = "Support"\nhours = ["mon-fri 09:00-17:00"]\nclosed = [2026-11-06]\n'
        '[[policy]]\nname = "Round"\nseverities = ["urgent"]\nfirst_reply = "6h"\nalways = true\n',
    )
    await complained(world, "There was glass in the fish, and that is the second time.")
    world.now = thursday + timedelta(hours=1)
    await complained(world, COMPLAINTS[1])
    await tagging.tag(world.store, 2, "Ana", "crisis")

    for quarter in range(5 * 24 * 4):
        world.now = thursday + timedelta(hours=1, minutes=15 * quarter)
        for _ in range(2):
            await due_all(world)

    told = [one for one in await world.events() if one.what in (What.WARNED, What.MISSED)]
    of_crisis = [(one.details["level"], one.at) for one in told if one.case_id == 2]
    monday = datetime(2026, 11, 9, 9, tzinfo=UTC)
    assert of_crisis[:2] == [  # half of a quarter of an hour is over between two looks
        (100, thursday + timedelta(hours=1, minutes=15)),
        (50, thursday + timedelta(hours=13)),
    ]
    of_other = [
        (one.details["clock"], one.details["level"], one.at) for one in told if one.case_id == 1
    ]
    assert of_other == [
        ("first reply", 100, monday),  # 50 and 80 % passed meanwhile: the highest is told
    ]
    assert len(told) == len(
        {(one.case_id, one.details["clock"], one.details["level"]) for one in told}
    )


async def test_a_resolution_that_waited_for_its_author_is_reckoned_without_that_time(
    world: World,
) -> None:
    monday = datetime(2026, 11, 2, 9, tzinfo=UTC)
    world.now = monday
    await settled(world)
    await applied(
        world,
        '[[team]]\nname = "Support"\nhours = ["mon-fri 09:00-17:00"]\n'
        '[[policy]]\nname = "Mine"\nfirst_reply = "4h"\nresolution = "8h"\n',
    )
    await complained(world)
    world.now = monday + timedelta(hours=2)
    await taking.take(world.store, 1, "Ana")
    looked = await seen(world, Square(), 1, "Ana")
    await replies.by_hand(world.store, 1, "Ana", "We are sorry.", looked)
    assert (await due(world)).resolve_at is None

    world.now = datetime(2026, 11, 3, 10, tzinfo=UTC)
    await closing.reopen(world.store, 1, "Ana", Policies())

    case = await due(world)
    assert case.resolve_at == datetime(2026, 11, 3, 16, tzinfo=UTC)  # as docs/deadlines.md tells
    assert case.due_at == datetime(2026, 11, 3, 14, tzinfo=UTC)


async def applied(world: World, words: str) -> None:
    """A plan is applied."""
    await apply(world.store, read(words), SEAL)


async def test_people_are_told_in_person_when_it_presses_and_when_it_is_missed(
    world: World,
) -> None:
    monday = datetime(2026, 11, 2, 9, tzinfo=UTC)
    world.now = monday
    await settled(world)
    await hired(world, "Lea", Role.LEAD, mail="lea@listener.example")
    support = await team(world, "Support", "Ana", **OFFICE)
    await member(world, support, "Lea", leads=True, capacity=0)
    await rule(world, support)
    await complained(world)
    await routed(world)

    told: list[list[str | None]] = []
    for minutes in (120, 192, 240, 241):
        world.now = monday + timedelta(minutes=minutes)
        await due_all(world)
        told.append([one.why for one in await world.all_of(Notice) if one.staff_id])

    assert told[0] == []
    assert told[1] == ["The first reply is due 02 Nov 13:00 UTC: 80 % of the time is over."]
    assert told[2][1:] == ["The first reply was due 02 Nov 13:00 UTC, and is not there."] * 2
    assert told[3] == told[2]
    people = [one.staff_id for one in await world.all_of(Notice) if one.staff_id]
    assert people == [1, 1, 3]


@pytest.mark.parametrize(("tag", "wakes"), [("crisis", True), ("refund", False)])
async def test_somebody_s_quiet_hours_are_kept_but_in_a_crisis(
    world: World, tag: str, wakes: bool
) -> None:
    night = datetime(2026, 11, 2, 23, tzinfo=UTC)
    world.now = night
    await settled(world)
    quiet = {"quiet_from": time(22), "quiet_until": time(7), "mail": "lea@listener.example"}
    await hired(world, "Lea", Role.LEAD, **quiet)
    support = await team(world, "Support", "Ana", always=True)
    await member(world, support, "Lea", leads=True, capacity=0)
    await rule(world, support)
    await complained(world)
    await tagging.tag(world.store, 1, "Ana", tag)
    await routed(world)

    world.now = night + timedelta(hours=4)
    await due_all(world)

    [notice] = [one for one in await world.all_of(Notice) if one.staff_id == 3]
    morning = datetime(2026, 11, 3, 7, tzinfo=UTC)
    assert notice.next_at == (world.now if wakes else morning)
