"""How the clocks of a case stand is said in words, with the promise, and who is called next."""

from datetime import UTC, datetime, timedelta

from listener.desk import acknowledging, applying, plan, snoozing, taking
from listener.desk.clocking import Standing, State, standing
from listener.domain.deadline import Clock
from listener.domain.ladder import Rank
from listener.domain.secret import Seal
from listener.domain.staff import Role
from tests.given import complained, settled
from tests.routed import both, member, rule, team
from tests.stages.test_misses import by_hand
from tests.web.visiting import hired
from tests.world import World

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


async def seen(world: World) -> Standing:
    """How the only case stands at this moment."""
    [case] = await world.cases()
    async with world.store.reading() as session:
        return await standing(session, case, brand="Acme", now=world.now)


async def complaint(world: World) -> None:
    world.now = MONDAY
    await settled(world)
    await complained(world)


async def test_a_new_case_shows_what_is_left_and_who_promised_it(world: World) -> None:
    await complaint(world)
    world.now = MONDAY + timedelta(hours=1)

    found = await seen(world)

    first, resolution = found.faces
    assert (first.clock, first.state) == (Clock.FIRST, State.RUNS)
    assert first.says == "3 h of 4 h left"
    assert first.due == MONDAY + timedelta(hours=4)
    assert first.hours == "Monday to Friday, 09:00 to 17:00 UTC"
    assert resolution.says == "23 h of 24 h left"
    assert found.why == "The policy “complaint” speaks: it is for everything no other is for."
    assert found.calls == []


async def test_a_policy_of_ones_own_says_why_it_speaks(world: World) -> None:
    await complaint(world)
    written = (
        '[[team]]\nname = "Care"\nalways = true\n'
        '[[policy]]\nname = "Gold"\nbrands = ["Acme"]\nkinds = ["post"]\nfirst_reply = "2h"'
    )
    await applying.apply(world.store, plan.read(written), Seal("a key for tests, long enough"))
    await complained(world, "Your fish shop never opens when it says it does, twice now.")

    async with world.store.reading() as session:
        [_, case] = await world.cases()
        found = await standing(session, case, brand="Acme", now=world.now)

    assert (
        found.why == "The policy “Gold”, version 1 is the first that fits: brand Acme, kind post."
    )
    assert found.faces[0].hours == "in the hours of Care, while no team has it"


async def test_while_the_author_is_asked_the_resolution_stands_still(world: World) -> None:
    await complaint(world)
    world.now = MONDAY + timedelta(hours=1)
    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    world.now = MONDAY + timedelta(days=3)

    first, resolution = (await seen(world)).faces

    assert (first.state, first.says) == (State.KEPT, "in time, with 3 h of 4 h left")
    assert (resolution.state, resolution.due) == (State.PAUSED, None)
    assert resolution.paused == MONDAY + timedelta(hours=1)
    assert resolution.says == "stands still, 23 h left"


async def test_what_is_missed_says_by_how_much_and_stays_when_it_is_answered(world: World) -> None:
    await complaint(world)
    world.now = MONDAY + timedelta(hours=6)
    assert (await seen(world)).faces[0].says == "missed by 2 h"
    assert (await seen(world)).faces[0].due == MONDAY + timedelta(hours=4)

    await taking.take(world.store, 1, "Ana")
    await by_hand(world)
    world.now = MONDAY + timedelta(days=1)

    first = (await seen(world)).faces[0]
    assert (first.state, first.says) == (State.LATE, "2 h too late")


async def test_snoozing_moves_no_deadline(world: World) -> None:
    await complaint(world)
    await snoozing.snooze(world.store, 1, "Ana", MONDAY + timedelta(days=2))
    world.now = MONDAY + timedelta(hours=1)

    assert [face.state for face in (await seen(world)).faces] == [State.RUNS, State.RUNS]


async def test_the_ladder_says_who_was_called_and_who_is_next(world: World) -> None:
    await complaint(world)
    await hired(world, "Lea", Role.LEAD)
    number = await team(world, "Support", "Ana")
    await member(world, number, "Lea", leads=True, capacity=0)
    await rule(world, number)
    await both(world, MONDAY)
    assert [(call.rank, call.next) for call in (await seen(world)).calls] == [(Rank.OWNER, True)]

    await both(world, MONDAY + timedelta(hours=2))

    owner, lead, upcoming = (await seen(world)).calls
    assert (owner.rank, owner.called) == (Rank.OWNER, ["Ana"])
    assert (lead.rank, lead.called, lead.next) == (Rank.LEAD, ["Lea"], False)
    assert (upcoming.rank, upcoming.next, upcoming.at) == (
        Rank.MANAGER, True, MONDAY + timedelta(hours=3),
    )  # fmt: skip

    await acknowledging.acknowledge(world.store, 1, "Lea")

    found = await seen(world)
    assert found.heard
    assert [call.next for call in found.calls] == [False, False]
