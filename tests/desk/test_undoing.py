"""Whoever slips takes it back within a minute, unless somebody has built upon it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from listener.desk import assigning, bulk, closing, noting, snoozing, tagging, taking, undoing
from listener.desk.acting import Done
from listener.domain.case import Case, Outcome, Status
from listener.domain.correction import Better, Correction
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.domain.tag import CaseTag
from listener.store.session import Store
from tests.given import COMPLAINTS, Doubting, complained, heard, judged, said, settled
from tests.world import World

Deed = Callable[[World], Awaitable[Done]]


async def taken(world: World) -> Done:
    return await taking.take(world.store, 1, "Ana")


async def closed(world: World) -> Done:
    return await closing.close(world.store, 1, "Ana", Outcome.NOT_NEGATIVE)


async def snoozed(world: World) -> Done:
    return await snoozing.snooze(world.store, 1, "Ana", on_answer=True)


async def tagged(world: World) -> Done:
    return await tagging.tag(world.store, 1, "Ana", "refund")


async def assigned(world: World) -> Done:
    return await assigning.assign(world.store, 1, "Ana", "Ana")


async def confirmed(world: World) -> Done:
    return await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, Policies())


async def everything(world: World) -> tuple[dict[str, object], list[CaseTag], list[Correction]]:
    """All that an act may change."""
    [case] = await world.cases()
    return case.model_dump(), await world.all_of(CaseTag), await world.all_of(Correction)


@pytest.mark.parametrize("deed", [taken, closed, snoozed, tagged, assigned, confirmed])
async def test_an_act_is_taken_back_without_a_trace_but_in_the_history(
    world: World, deed: Deed
) -> None:
    await settled(world)
    await heard(world, said(COMPLAINTS[0], published=world.now))
    await judged(world, Doubting())
    before = await everything(world)
    done = await deed(world)
    assert done.event is not None
    assert await everything(world) != before

    world.now += timedelta(seconds=59)
    undone = await undoing.undo(world.store, done.event, "Ana")

    assert await everything(world) == before
    assert undone.said.startswith("Undone: case 1 is as it was before you ")
    event = (await world.events())[-1]
    assert (event.what, event.details["undoes"]) == (What.UNDONE, done.event)


async def test_releasing_and_taking_over_give_back_the_owner(world: World) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    over = await taking.take(world.store, 1, "Ben", over=True)
    assert over.event is not None

    await undoing.undo(world.store, over.event, "Ben")

    [case] = await world.cases()
    assert (case.owner_id, case.held_by(world.now)) == (1, 1)

    given = await taking.release(world.store, 1, "Ana")
    assert given.event is not None
    await undoing.undo(world.store, given.event, "Ana")
    [case] = await world.cases()
    assert (case.status, case.owner_id) == (Status.OWNED, 1)


async def test_after_a_minute_it_is_too_late(world: World) -> None:
    await settled(world)
    await complained(world)
    done = await closed(world)
    assert done.event is not None

    world.now += timedelta(seconds=61)

    with pytest.raises(NotAllowed) as refusal:
        await undoing.undo(world.store, done.event, "Ana")
    assert str(refusal.value) == "It is too late: an act can be taken back for 60 seconds."
    assert (await world.cases())[0].status is Status.CLOSED


async def test_what_somebody_has_built_upon_stays(world: World) -> None:
    await settled(world)
    await complained(world)
    done = await closed(world)
    assert done.event is not None
    await closing.reopen(world.store, 1, "Ben", Policies())

    with pytest.raises(NotAllowed) as refusal:
        await undoing.undo(world.store, done.event, "Ana")

    assert str(refusal.value) == ("Case 1 is left as it is: Ben reopened it since you closed it.")


async def test_notes_and_what_authors_do_are_not_in_the_way(world: World) -> None:
    await settled(world)
    await heard(world, said(COMPLAINTS[0], id="1", published=world.now))
    await judged(world)
    done = await snoozing.snooze(world.store, 1, "Ana", world.now + timedelta(hours=1))
    assert done.event is not None
    await noting.note(world.store, 1, "Ben", "Why does it sleep?")
    await heard(world, said("The fish was ice cold.", id="1", published=world.now))

    await undoing.undo(world.store, done.event, "Ana")

    assert not (await world.cases())[0].sleeps(world.now)


async def test_acts_are_taken_back_one_after_another(world: World) -> None:
    await settled(world)
    await complained(world)
    first, second = await taken(world), await tagged(world)
    assert first.event is not None
    assert second.event is not None

    with pytest.raises(NotAllowed, match="Ana tagged it since you took it"):
        await undoing.undo(world.store, first.event, "Ana")
    await undoing.undo(world.store, second.event, "Ana")
    await undoing.undo(world.store, first.event, "Ana")

    assert (await world.cases())[0].status is Status.OPEN


async def test_an_act_is_taken_back_once_and_by_whoever_did_it(world: World) -> None:
    await settled(world)
    await complained(world)
    done = await taken(world)
    assert done.event is not None

    with pytest.raises(NotAllowed) as refusal:
        await undoing.undo(world.store, done.event, "Ben")
    assert str(refusal.value) == "Ana did that; only who did it can take it back."

    await undoing.undo(world.store, done.event, "Ana")
    with pytest.raises(NotAllowed) as refusal:
        await undoing.undo(world.store, done.event, "Ana")
    assert str(refusal.value) == "That has been taken back already."


async def test_what_is_no_act_cannot_be_taken_back(world: World) -> None:
    await settled(world)
    await complained(world)
    noted = await noting.note(world.store, 1, "Ana", "Called them.")
    assert noted.event is not None

    for number, why in (
        (1, "Listener itself did that; only who did it can take it back."),
        (noted.event, "That cannot be taken back."),
        (99, "There is no event 99."),
    ):
        with pytest.raises(NotAllowed) as refusal:
            await undoing.undo(world.store, number, "Ana")
        assert str(refusal.value) == why


async def test_many_at_once_and_all_of_them_back(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS)
    await taking.take(world.store, 2, "Ben")

    made = await bulk.bulk(world.store, [1, 2, 3, 99, 3], as_spam, "Ana")

    assert list(made.done) == [1, 3]
    assert made.refused == {
        2: "Ben holds case 2 until 12:10 UTC. Take it over if you must.",
        99: "There is no case 99. `listener cases` lists them.",
    }
    assert made.said == (
        "2 cases done. 2 left as they were: "
        "Ben holds case 2 until 12:10 UTC. Take it over if you must."
    )
    assert states(await world.cases()) == ["closed", "owned", "closed", "open", "open"]

    back = await undoing.undo(world.store, made.events[0], "Ana")

    assert back.said == "Undone for 2 cases."
    assert states(await world.cases()) == ["open", "owned", "open", "open", "open"]
    assert await world.all_of(Correction) == []


async def test_nothing_ticked_or_far_too_much_is_said(world: World) -> None:
    await settled(world)

    with pytest.raises(NotAllowed, match="No case is ticked"):
        await bulk.bulk(world.store, [], as_spam, "Ana")
    with pytest.raises(NotAllowed, match="At most 500 cases at once; 501 are ticked"):
        await bulk.bulk(world.store, range(1, 502), as_spam, "Ana")


async def as_spam(store: Store, number: int, staff: str) -> Done:
    return await closing.close(store, number, staff, Outcome.SPAM)


def states(cases: list[Case]) -> list[str]:
    return [case.status.value for case in cases]
