"""Every deadline that is missed is written down by name, and taken back if it was none."""

from datetime import UTC, datetime, timedelta

from listener.desk import closing, replies, tagging, taking, undoing
from listener.domain.case import Outcome
from listener.domain.deadline import Clock, Policies, Warned
from listener.domain.event import What
from listener.domain.miss import Miss
from listener.store import misses
from tests.given import COMPLAINTS, complained, settled
from tests.replying import Square, seen
from tests.routed import told
from tests.stages.test_due import due, due_all, teamed
from tests.world import World

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 6, 14, tzinfo=UTC)
HURT = "There was glass in the fish and my son is in hospital with cuts in his mouth, bleeding."


async def one(world: World, clock: Clock = Clock.FIRST) -> Miss:
    found: list[Miss] = [miss for miss in await world.all_of(Miss) if miss.clock is clock]
    assert len(found) == 1
    return found[0]


async def waiting(world: World, start: datetime, *texts: str) -> None:
    """A case that waits since a moment."""
    world.now = start
    await settled(world)
    await complained(world, *texts)


async def test_it_is_written_down_at_its_minute_with_whose_it_was(world: World) -> None:
    await waiting(world, MONDAY)
    await taking.take(world.store, 1, "Ben")

    world.now = MONDAY + timedelta(hours=4) - timedelta(seconds=1)
    await due(world)
    assert await world.all_of(Miss) == []

    world.now = MONDAY + timedelta(hours=4)
    await due(world)

    miss = await one(world)
    assert (miss.due_at, miss.owner_id, miss.ended_at) == (world.now, 2, None)
    assert (miss.policy, miss.told) == ("complaint", True)


async def test_what_is_answered_late_stays_in_the_list_and_says_when(world: World) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(hours=5)
    await due(world)

    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    await due(world)

    assert (await one(world)).ended_at == world.now


async def test_what_is_answered_in_time_is_no_miss(world: World) -> None:
    await waiting(world, MONDAY)
    await taking.take(world.store, 1, "Ana")
    world.now = MONDAY + timedelta(hours=3, minutes=59)

    await by_hand(world)
    world.now += timedelta(hours=1)
    await due(world)

    assert await world.all_of(Miss) == []


async def test_what_was_missed_and_answered_at_night_is_listed_though_nobody_was_warned(
    world: World,
) -> None:
    night = datetime(2026, 11, 3, 1, tzinfo=UTC)
    await waiting(world, night, HURT)  # urgent: one hour, round the clock
    await teamed(world.store, "mon-fri 09:00-17:00")
    world.now = night + timedelta(hours=2)
    await due(world)
    assert (await one(world)).due_at == night + timedelta(hours=1)
    assert await world.all_of(Warned) == []

    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    world.now = datetime(2026, 11, 3, 9, tzinfo=UTC)
    await due(world)

    miss = await one(world)
    assert (miss.ended_at, miss.told) == (night + timedelta(hours=2), True)
    assert await world.all_of(Warned) == []
    assert len(await told(world, What.MISSED)) == 1


async def test_a_service_that_stood_still_finds_what_was_missed_meanwhile(world: World) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(hours=6)
    await taking.take(world.store, 1, "Ana")
    await by_hand(world)

    world.now = MONDAY + timedelta(days=3)
    await due(world)

    miss = await one(world)
    assert miss.due_at == MONDAY + timedelta(hours=4)
    assert miss.ended_at == MONDAY + timedelta(hours=6)


async def test_hours_that_are_corrected_take_a_miss_back_and_the_history_keeps_both(
    world: World,
) -> None:
    await waiting(world, FRIDAY)
    await teamed(world.store, "mon-sun 00:00-24:00")
    world.now = FRIDAY + timedelta(hours=5)
    await due(world)
    assert (await one(world)).due_at == FRIDAY + timedelta(hours=4)

    await teamed(world.store, "mon-fri 09:00-17:00")
    case = await due(world)

    miss = await one(world)
    assert (miss.withdrawn_at, miss.first_due_at) == (world.now, FRIDAY + timedelta(hours=4))
    assert miss.why == "by the hours of today it was in time"
    assert case.due_at == datetime(2026, 11, 9, 10, tzinfo=UTC)
    assert [len(await told(world, what)) for what in (What.MISSED, What.KEPT)] == [1, 1]

    # Its time comes after all: it is told, once more and once only.
    world.now = datetime(2026, 11, 9, 10, tzinfo=UTC)
    await due(world)
    await due(world)
    again = await one(world)
    assert (again.withdrawn_at, again.due_at) == (None, world.now)
    assert len(await told(world, What.MISSED)) == 2


async def test_hours_that_are_corrected_repair_what_is_closed_too(world: World) -> None:
    await waiting(world, FRIDAY)
    await teamed(world.store, "mon-sun 00:00-24:00")
    world.now = FRIDAY + timedelta(hours=5)
    await due(world)
    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)
    await due(world)
    assert (await one(world)).withdrawn_at is None

    world.now += timedelta(days=20)
    await teamed(world.store, "mon-fri 09:00-17:00")
    await due(world)

    assert (await one(world)).withdrawn_at == world.now


async def test_what_was_no_complaint_was_no_miss_and_is_one_again_when_that_is_undone(
    world: World,
) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(hours=5)
    await due(world)

    done = await closing.close(world.store, 1, "Ana", Outcome.NOT_NEGATIVE)
    await due(world)
    assert (await one(world)).why == "it was no complaint: not negative"

    assert done.event is not None
    await undoing.undo(world.store, done.event, "Ana")
    await due(world)
    assert (await one(world)).withdrawn_at is None


async def test_who_comes_back_has_a_fresh_reply_and_the_same_resolution(world: World) -> None:
    await waiting(world, MONDAY)
    await teamed(world.store, "mon-sun 00:00-24:00")
    world.now = MONDAY + timedelta(days=2)  # first reply and resolution are over
    await due(world)
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)
    await due(world)
    world.now += timedelta(hours=1)
    await closing.reopen(world.store, 1, "Ana", Policies())

    case = await due(world)

    assert case.due_at == world.now + timedelta(hours=4)
    assert case.resolve_at == MONDAY + timedelta(days=1)
    missed = [event.details["clock"] for event in await told(world, What.MISSED)]
    assert sorted(missed) == ["first reply", "resolution"]  # neither is told a second time

    world.now += timedelta(hours=4)
    await due(world)
    firsts = [miss for miss in await world.all_of(Miss) if miss.clock is Clock.FIRST]
    assert [miss.since for miss in firsts] == [MONDAY, world.now - timedelta(hours=4)]


async def test_a_quick_answer_after_a_long_sleep_is_in_time(world: World) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(minutes=5)
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)
    world.now = MONDAY + timedelta(days=7)
    await closing.reopen(world.store, 1, "Ana", Policies())
    await taking.take(world.store, 1, "Ana")
    world.now += timedelta(minutes=5)

    await by_hand(world)
    await due(world)

    assert await world.all_of(Miss) == []


async def test_a_crisis_that_is_none_gets_its_old_deadline_back(world: World) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(hours=1)
    await tagging.tag(world.store, 1, "Ana", "crisis")
    world.now += timedelta(minutes=20)
    await due(world)
    assert (await one(world)).policy == "crisis"

    await tagging.untag(world.store, 1, "Ana", "crisis")
    case = await due(world)

    assert case.due_at == MONDAY + timedelta(hours=4)
    miss = await one(world)
    assert miss.why == "another promise holds now"


async def by_hand(world: World) -> None:
    """Whoever has the case says that they answered on its place."""
    [case] = await world.cases()
    staff = "Ana" if case.owner_id == 1 else "Ben"
    looked = await seen(world, Square(), 1, staff)
    await replies.by_hand(world.store, 1, staff, "We are sorry.", looked)


async def test_what_was_warned_of_before_misses_were_kept_is_not_said_again(
    world: World,
) -> None:
    await waiting(world, MONDAY)
    world.now = MONDAY + timedelta(hours=5)
    await due(world)
    async with world.store.transaction() as session:
        await session.delete(await session.get_one(Miss, (await one(world)).key))

    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    await due(world)

    assert (await one(world)).ended_at == world.now
    assert len(await told(world, What.MISSED)) == 1


async def test_misses_of_one_moment_are_listed_once_each_page_by_page(world: World) -> None:
    await waiting(world, MONDAY, *COMPLAINTS)
    world.now = MONDAY + timedelta(days=2)
    await due_all(world)
    async with world.store.reading() as session:
        seen, after = [], None
        while page := await misses.listed(session, misses.Asked(), after=after, limit=2):
            seen += [one.miss.key for one in page]
            after = (page[-1].miss.due_at, page[-1].miss.key)

    assert len(seen) > 3
    assert len(seen) == len(set(seen)) == len(await world.all_of(Miss))
