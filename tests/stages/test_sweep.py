"""Words are kept as long as the operator and the place say, and not a day longer."""

import asyncio
from datetime import timedelta

import pytest

from listener.domain.case import Status
from listener.domain.likeness import Likeness
from listener.domain.source import Arrival, DeadLetter, Seen
from listener.stages.sweep import Sweep, limits
from listener.store import intake, sweeping
from listener.store.mentions import Filters, found
from listener.store.sweeping import Keeping
from tests.given import COMPLAINTS, Cheerful, heard, judged, named, said, settled
from tests.world import World

DAY = timedelta(days=1)


async def kept_for(world: World, time: timedelta, keeping: Keeping | None = None) -> int:
    """Let time pass and sweep; how many were forgotten."""
    world.now += time
    sweep, forgotten = Sweep(world.store, keeping or Keeping()), 0
    while step := await sweep.step():
        forgotten += step
    return forgotten


async def praised_and_complained(world: World) -> None:
    """One mention without a case and one with."""
    await settled(world)
    await heard(world, said("Lovely fish.", id="1", published=world.now))
    await judged(world, Cheerful())
    await heard(world, said(COMPLAINTS[0], id="2", published=world.now))
    await judged(world)


async def test_without_a_case_words_are_kept_for_ninety_days(world: World) -> None:
    await praised_and_complained(world)

    assert await kept_for(world, 90 * DAY) == 0
    assert await kept_for(world, timedelta(seconds=1)) == 1

    praise, complaint = await world.mentions()
    assert (praise.text, praise.author_name, praise.url, praise.purged_at) == (
        "",
        "",
        "",
        world.now,
    )
    assert praise.flagged is False  # the verdict stays, and is counted
    assert complaint.text == COMPLAINTS[0]


async def test_with_a_case_words_are_kept_for_two_years(world: World) -> None:
    await praised_and_complained(world)

    assert await kept_for(world, 730 * DAY) == 1  # the praise
    assert await kept_for(world, timedelta(seconds=1)) == 1

    assert [mention.text for mention in await world.mentions()] == ["", ""]
    [case] = await world.cases()
    assert (case.status, case.mentions) == (Status.OPEN, 1)


async def test_an_operator_may_keep_less(world: World) -> None:
    await praised_and_complained(world)

    assert await kept_for(world, 8 * DAY, Keeping(without_case=7 * DAY, with_case=7 * DAY)) == 2


async def test_what_a_place_allows_for_shorter_is_forgotten_sooner(world: World) -> None:
    await praised_and_complained(world)

    async with world.store.transaction() as session:
        forgotten = await sweeping.forget_words(
            session, Keeping(), by_connector={"webhook": 30 * DAY}, now=world.now + 31 * DAY
        )

    assert forgotten == 2
    assert [mention.text for mention in await world.mentions()] == ["", ""]


async def test_what_another_place_asks_for_does_not_matter(world: World) -> None:
    await praised_and_complained(world)

    async with world.store.transaction() as session:
        forgotten = await sweeping.forget_words(
            session, Keeping(), by_connector={"mastodon": 30 * DAY}, now=world.now + 31 * DAY
        )

    assert forgotten == 0


def test_every_limit_of_a_place_is_known_by_its_connectors_name() -> None:
    assert all(limit > timedelta(0) for limit in limits().values())


async def test_former_words_are_forgotten_too(world: World) -> None:
    await settled(world)
    await heard(world, said("Lovely fish.", id="1", title="Old", published=world.now))
    await heard(world, said("Fine fish.", id="1", published=world.now, edited=world.now))

    await kept_for(world, 91 * DAY)

    assert [(one.text, one.title) for one in await world.revisions()] == [("", None)]


async def test_what_was_forgotten_does_not_come_back_with_the_next_page(world: World) -> None:
    await settled(world)
    post = said("Lovely fish.", id="1", published=world.now)
    await heard(world, post)
    await kept_for(world, 91 * DAY)

    await heard(world, post)

    [mention] = await world.mentions()
    assert (mention.text, mention.waits) == ("", False)


async def test_more_than_one_batch_is_forgotten_step_by_step(world: World) -> None:
    await settled(world)
    await heard(world, *(said(f"fish {number}", published=world.now) for number in range(1200)))
    world.now += 91 * DAY
    sweep = Sweep(world.store, Keeping())

    assert [await sweep.step() for _ in range(4)] == [500, 500, 200, 0]


async def test_marks_of_repeats_go_when_they_are_of_no_more_use(world: World) -> None:
    await settled(world)
    await heard(
        world,
        said("Nobody we look after.", published=world.now),
        said(COMPLAINTS[0], published=world.now),
    )
    await judged(world)
    inbox = await named(world, "Inbox")
    async with world.store.transaction() as session:
        await intake.arrived(session, inbox, "msg_1", now=world.now)

    tables = (Seen, Arrival, Likeness)
    before = [len(await world.all_of(table)) for table in tables]
    await kept_for(world, 7 * DAY)
    assert [len(await world.all_of(table)) for table in tables] == before
    await kept_for(world, timedelta(seconds=1))
    assert [len(await world.all_of(table)) for table in tables] == [1, 0, 0]
    await kept_for(world, 7 * DAY)
    assert [len(await world.all_of(table)) for table in tables] == [0, 0, 0]


@pytest.mark.parametrize(("days", "left"), [(14, 1), (15, 0)])
async def test_a_dead_letter_is_kept_for_a_fortnight(world: World, days: int, left: int) -> None:
    await settled(world)
    async with world.store.transaction() as session:
        inbox = await named(world, "Inbox")
        session.add(
            DeadLetter(
                source_id=inbox.key, digest=1, reason="Odd.", raw="a canary", seen_at=world.now
            )
        )

    await kept_for(world, days * DAY)

    assert len(await world.dead_letters()) == left


async def test_readers_do_not_wait_for_the_broom(world: World) -> None:
    await praised_and_complained(world)
    world.now += 91 * DAY

    async with world.store.transaction() as session:
        await sweeping.forget_words(session, Keeping(), by_connector={}, now=world.now)
        async with asyncio.timeout(60), world.store.reading() as reader:
            assert len(await found(reader, Filters())) == 2
