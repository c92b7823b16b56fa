"""A theme that rises is an alarm of its own, and one fire is one alarm."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from listener.domain.alarm import RISE, AlarmNotice, Sort, sentence
from listener.domain.mention import Mention
from listener.domain.theme import Became, Belonging, Theme, ThemeEvent
from listener.stages.theme import Themes
from listener.store import alarms as stored
from listener.store import themes
from tests.given import heard, judged, said, settled
from tests.stages.test_theme import COUPON as CODE
from tests.stages.test_theme import TILL
from tests.stages.test_watch import alarms, burst, keep, looked, used_to
from tests.world import World

MINUTE = timedelta(minutes=1)
COUPON = "The coupon is refused again, says {number} of your fish shops."


async def grouped(world: World, number: int | None = None, *, like: str = "The coupon%") -> int:
    """A theme is found, or found again, in all that is said so; its number."""
    async with world.store.transaction() as session:
        found = await session.exec(
            select(Mention.id).where(col(Mention.text).like(like)).order_by(col(Mention.id))
        )
        if number is None:
            theme = Theme(brand_id=1, name="coupon", began_at=world.now, last_at=world.now)
            session.add(theme)
            await session.flush()
            number = theme.key
            themes.record(session, number, Became.BEGAN, now=world.now)
        await themes.belong(session, number, [one or 0 for one in found], now=world.now)
    return number


async def says(world: World) -> list[str]:
    """What every alarm says."""
    async with world.store.reading() as session:
        found = await stored.shown(session, brands=None)
    return [sentence(one.alarm, one.source, one.theme) for one in found]


def an_hour(world: World) -> list[datetime]:
    """Nine moments of the last hour."""
    return [world.now - 6 * MINUTE * number for number in range(1, 10)]


async def busy(world: World) -> None:
    """A brand of which ten complaints an hour are usual."""
    await settled(world)
    every = timedelta(minutes=6)
    moments = [world.now - every * number for number in range(1, 10 * 24 * 10)]
    await keep(world, moments, flagged=True)


async def test_a_theme_rises_where_the_brand_as_a_whole_does_not(world: World) -> None:
    await busy(world)
    await keep(world, an_hour(world), flagged=True, words=COUPON)
    number = await grouped(world)

    await looked(world, await world.service(), 3)

    [alarm] = await alarms(world)
    assert (alarm.about, alarm.theme_id, alarm.sort) == (
        f"theme {number}",
        number,
        Sort.COMPLAINTS,
    )
    assert alarm.count == 9
    assert "9 complaints about “coupon” since" in world.printed
    assert world.printed.count(" ALARM ") == 1

    world.now += timedelta(hours=3)
    await looked(world, await world.service(), 2)
    [alarm] = await alarms(world)
    assert alarm.over_at is not None, "and it is not told again"


async def test_a_brand_does_not_ring_for_what_the_alarm_of_a_theme_explains(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30), flagged=True, words=COUPON)
    await grouped(world)
    service = await world.service()

    await looked(world, service, 2)
    await keep(world, burst(world, 3), flagged=True, words=COUPON)
    await grouped(world, 1)
    await looked(world, service, 3)

    [alarm] = await alarms(world)
    assert alarm.is_of_theme
    assert alarm.count == 33

    world.now += timedelta(hours=3)
    await looked(world, await world.service(), 3)
    assert [one.over_at is None for one in await alarms(world)] == [False]


async def test_another_fire_of_the_same_brand_rings_beside_it(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30), flagged=True, words=COUPON)
    await grouped(world)
    await looked(world, await world.service())

    await keep(world, burst(world, 30), flagged=True)
    await looked(world, await world.service())

    first, second = await alarms(world)
    assert (first.is_of_theme, second.about, second.theme_id) == (True, RISE, None)
    assert second.count == 30


async def test_a_brand_that_rings_already_learns_its_cause_and_nobody_is_rung_again(
    world: World,
) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30), flagged=True, words=COUPON)
    service = await world.service()
    await looked(world, service)
    assert [one.about for one in await alarms(world)] == [RISE]

    number = await grouped(world)  # it takes some minutes to find what people share
    await looked(world, service, 3)

    [alarm] = await alarms(world)
    assert alarm.theme_id == number
    assert [one.endswith("Most of the complaints are about “coupon”.") for one in await says(world)]
    assert world.printed.count(" ALARM ") == 1


async def test_a_rise_says_what_most_of_it_is_about(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    moments = burst(world, 30)
    # One person alone speaks of it: that makes no alarm of its own.
    await keep(world, moments[:20], flagged=True, words=COUPON, author_id="ada")
    await keep(world, moments[20:], flagged=True)
    await grouped(world)

    await looked(world, await world.service())

    [alarm] = await alarms(world)
    assert alarm.about == RISE
    assert "Most of the complaints are about “coupon”." in world.printed


async def test_a_quiet_theme_rings_nobody(world: World) -> None:
    await busy(world)
    await keep(world, an_hour(world), flagged=True, words=COUPON)
    number = await grouped(world)
    async with world.store.transaction() as session:
        (await session.get_one(Theme, number)).muted = True

    await looked(world, await world.service(), 2)

    assert await alarms(world) == []


async def test_a_theme_that_was_always_said_is_no_rise_on_the_day_it_is_found(
    world: World,
) -> None:
    await busy(world)
    hourly = [world.now - timedelta(hours=number, minutes=7) for number in range(200)]
    await keep(world, hourly, flagged=True, words=COUPON)
    await grouped(world)

    await looked(world, await world.service(), 5)

    assert await alarms(world) == []


async def test_what_three_report_is_not_told_again_as_a_theme(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    for number in range(8):
        words = f"Glass in the fish, {number} splinters, my mouth was bleeding"
        world.now += timedelta(seconds=5)
        await heard(world, said(words, author=f"a{number}", published=world.now))
    await judged(world)
    await grouped(world, like="Glass%")
    world.now += timedelta(seconds=5)

    await looked(world, await world.service(), 3)

    assert [one.sort for one in await alarms(world)] == [Sort.SAFETY]


async def both_named(world: World) -> tuple[int, int]:
    """An alarm of a theme stands, and another theme has been found beside it."""
    await busy(world)
    await keep(world, an_hour(world), flagged=True, words=COUPON)
    number = await grouped(world)
    await looked(world, await world.service())
    async with world.store.transaction() as session:
        other = Theme(brand_id=1, name="refused", began_at=world.now, last_at=world.now)
        session.add(other)
        await session.flush()
        return number, other.key


async def given(world: World, what: Sequence[ThemeEvent], number: int) -> None:
    """What was said of the coupon is another theme's from now on."""
    async with world.store.transaction() as session:
        session.add_all(what)
        for one in await session.exec(select(Belonging)):
            one.theme_id = number


async def test_an_alarm_follows_its_theme_into_another(world: World) -> None:
    number, other = await both_named(world)
    async with world.store.transaction() as session:
        (await session.get_one(Theme, number)).merged_into = other
    await given(world, [], other)

    await looked(world, await world.service(), 3)

    [alarm] = await alarms(world)
    assert (alarm.theme_id, alarm.about, alarm.over_at) == (other, f"theme {other}", None)


async def test_a_part_of_a_theme_does_not_ring_for_what_the_whole_has_told(world: World) -> None:
    number, other = await both_named(world)
    split = ThemeEvent(theme_id=other, at=world.now, what=Became.SPLIT, other=number)
    await given(world, [split], other)

    await looked(world, await world.service(), 3)

    assert [one.theme_id for one in await alarms(world)] == [number]


async def test_what_several_say_for_the_first_time_is_found_and_rings_under_its_name(
    world: World,
) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    for place, words in enumerate((*CODE, *TILL)):
        world.now += MINUTE
        await heard(world, said(words, author=f"a{place}", published=world.now))
    await judged(world)
    world.now += MINUTE
    await Themes(world.store).step()

    await looked(world, await world.service(), 3)

    [alarm] = await alarms(world)
    [says_it] = await says(world)
    assert alarm.is_of_theme
    assert alarm.count == len(CODE) + len(TILL)
    assert "complaints about “fresh20" in says_it
    quoted = [one.words for one in await world.mentions() if one.key in alarm.mentions]
    assert quoted[0] == CODE[0], "the post that began it"


@pytest.mark.parametrize("after", [timedelta(minutes=5), timedelta(minutes=40)])
async def test_a_restart_changes_nothing(world: World, after: timedelta) -> None:
    await busy(world)
    await keep(world, an_hour(world), flagged=True, words=COUPON)
    await grouped(world)
    until: datetime = world.now + after

    while world.now < until:
        await looked(world, await world.service())
        world.now += 4 * MINUTE

    assert len(await alarms(world)) == 1
    assert [one.over for one in await world.all_of(AlarmNotice)] == [False]
