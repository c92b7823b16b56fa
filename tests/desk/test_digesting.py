"""A digest's figures are those that the database holds, on both databases."""

import asyncio
from datetime import date, timedelta

from listener.desk import closing, declaring, taking
from listener.desk.declaring import Wish
from listener.desk.digesting import digest, pictures
from listener.domain.case import Case, Outcome, Status
from listener.domain.deadline import Policies
from listener.domain.digest import Digest
from listener.domain.mention import Mention
from listener.domain.span import Of, Stretch, holding
from listener.stages.due import Due
from listener.store import brands, misses
from tests.desk.test_declaring import themed
from tests.given import COMPLAINTS, Cheerful, complained, heard, judged, said, settled
from tests.stages.test_theme import COUPON, VANS, complain, look
from tests.world import NOON, World


async def told(world: World, stretch: Stretch | None = None) -> Digest:
    stretch = stretch or holding(Of.DAY, world.now.date())
    async with world.store.reading() as session:
        brand = await brands.named(session, "Acme")
        assert brand is not None
        return await digest(session, brand, stretch, now=world.now)


async def test_an_empty_house_has_a_digest_too(world: World) -> None:
    await settled(world)

    found = await told(world)

    assert found.answer.startswith("Nobody spoke: 0 mentions")
    assert found.sources == 1
    assert (found.causes, found.praise, found.firsts, found.oldest) == ([], [], [], None)


async def test_figures_are_what_a_count_by_hand_finds(world: World) -> None:
    await settled(world)
    for _ in range(5):  # of the first day only its end was heard: it is compared with nothing
        await heard(world, said("A fine fish, thank you all", author="kim", published=world.now))
        await judged(world, Cheerful())
        await complained(world, COMPLAINTS[0])
        world.now += timedelta(days=7)
    await heard(
        world, said("The best fish that I have eaten in years", author="zoe", published=world.now)
    )
    await judged(world, Cheerful())
    for number, text in enumerate(COMPLAINTS):
        await complained(world, text, author=f"author{number}")
    wrong = max(one.key for one in await world.all_of(Case))
    await closing.close(world.store, wrong, "Ana", Outcome.NOT_US)

    found = await told(world)

    today = [
        one for one in await world.all_of(Mention) if one.published_at.date() == world.now.date()
    ]
    counted = [one for one in today if one.flagged and one.case_id != wrong]
    assert (found.now.mentions, found.now.complaints) == (len(today), len(counted)) == (6, 4)
    assert [(one.mentions, one.complaints) for one in found.before] == [(2, 1)] * 4
    assert [one.words for one in found.praise] == ["The best fish that I have eaten in years"]
    assert found.closed == 1
    assert found.looked_at == 4


async def test_who_waits_too_long_is_named(world: World) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])
    world.now += timedelta(hours=30)

    found = await told(world)

    assert [(one.case_id, one.author, one.owner) for one in found.overdue] == [(1, "Ada", None)]
    assert found.answer.endswith("1 overdue now.")


async def test_first_answers_are_timed_and_the_late_ones_listed(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    await taking.take(world.store, 1, "Ana")
    world.now += timedelta(minutes=20)
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)
    world.now += timedelta(hours=30)
    await taking.take(world.store, 2, "Ana")
    await closing.close(world.store, 2, "Ana", Outcome.ANSWERED)
    await Due(world.store, Policies(), asyncio.Event()).step()

    found = await told(world, Stretch(Of.MONTH, date(2026, 11, 1)))

    assert [(one.case_id, one.late) for one in found.firsts] == [(2, True), (1, False)]
    assert [one.case_id for one in found.late] == [2]
    assert found.half == timedelta(minutes=20)
    assert found.closed == 2
    assert found.overdue == []
    assert found.unanswered == 0


async def test_a_miss_that_was_none_by_corrected_hours_is_not_listed(world: World) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])
    await taking.take(world.store, 1, "Ana")
    world.now += timedelta(hours=30)
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)
    await Due(world.store, Policies(), asyncio.Event()).step()
    async with world.store.transaction() as session:
        for miss in (await misses.of_cases(session, [1]))[1]:
            miss.withdrawn_at = world.now

    found = await told(world, Stretch(Of.MONTH, date(2026, 11, 1)))

    assert [(one.case_id, one.late) for one in found.firsts] == [(1, False)]


async def test_a_day_that_was_not_read_is_told_as_a_gap(world: World) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])

    later = await told(world, Stretch(Of.DAY, (NOON + timedelta(days=1)).date()))

    assert later.now.mentions == 0
    assert later.oldest is not None


async def test_a_day_before_anybody_listened_is_told_as_a_gap(world: World) -> None:
    await settled(world)
    earlier = Stretch(Of.DAY, (NOON - timedelta(days=400)).date())

    before = await told(world, earlier)

    assert [(gap.start, gap.end) for gap in before.gaps] == [(earlier.starts, earlier.ends)]
    assert before.answer == "Nobody spoke: 0 mentions, but 1 of 1 source has gaps, none overdue."


async def test_what_was_deleted_since_is_not_quoted(world: World) -> None:
    await settled(world)
    await complained(world, "The coupon for fish is broken", author="ada")
    await complained(world, "Fish coupon refused, what a shame this is", author="ben")
    async with world.store.transaction() as session:
        for one in await world.all_of(Mention):
            gone = await session.get_one(Mention, one.key)
            gone.deleted_at, gone.text = world.now, ""

    found = await told(world)

    assert found.causes == []
    assert all(not one.words for one in [found.oldest] if one)


async def test_themes_are_counted_by_day_and_what_was_no_complaint_is_not_among_them(
    world: World,
) -> None:
    await settled(world)
    for day in range(3):
        await complain(world, *COUPON[: day + 1], by=f"day{day}")
        world.now += timedelta(days=1)
    await complain(world, *VANS, by="van")
    await look(world)
    wrong = max(one.key for one in await world.all_of(Case))
    await closing.close(world.store, wrong, "Ana", Outcome.NOT_US)

    stretch = Stretch(Of.WEEK, date(2026, 11, 2))
    async with world.store.reading() as session:
        brand = await brands.named(session, "Acme")
        assert brand is not None
        found = await pictures(session, brand, stretch)

    coupon, vans = found.lanes
    assert coupon.name.startswith("fresh20")
    assert coupon.counts == (1, 2, 3, 0, 0, 0, 0)
    assert (sum(vans.counts), vans.counts[3]) == (2, 2)


async def test_a_crisis_stands_among_the_risks_until_it_is_over_and_then_among_what_was_mended(
    world: World,
) -> None:
    await themed(world)
    await declaring.declare(world.store, Wish(name="Coupon fire", theme=1), "Lea")
    case = next(one for one in await world.cases() if one.crisis)
    await taking.take(world.store, case.key, "Ana")
    await closing.close(world.store, case.key, "Ana", Outcome.ANSWERED)

    found = await told(world)

    inside = [one for one in await world.cases() if one.crisis]
    waiting = [one for one in inside if one.status is not Status.CLOSED]
    [crisis] = found.burning
    assert (crisis.number, crisis.name, crisis.lead) == (1, "Coupon fire", "Lea")
    assert (crisis.cases, crisis.waiting) == (len(inside), len(waiting)) == (3, 2)
    assert (crisis.since, found.over) == (world.now, [])
    assert found.answer.endswith("none overdue, the crisis Coupon fire not over.")
    # It burns whatever day one asks about, and is over on one day only.
    yesterday = holding(Of.DAY, world.now.date() - timedelta(days=1))
    assert (await told(world, yesterday)).burning == [crisis]

    world.now += timedelta(hours=3)
    await declaring.end(world.store, 1, "Lea")

    found = await told(world)
    [over] = found.over
    assert (over.ended, over.cases, found.burning) == (world.now, 3, [])
    assert found.answer.endswith("2 overdue now.")
    assert (await told(world, yesterday)).crises == []
