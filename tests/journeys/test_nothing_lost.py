"""Nothing is lost and nothing kept twice: bursts, late posts, cut walks, two sources, two brands."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from listener.desk.plan_words import BadPlan
from listener.domain.brand import Brand
from listener.store.sources import LEASE
from tests.connectors.place import SECOND, Fault, Place
from tests.connectors.test_appstore import Store as Shop
from tests.journeys.scenes import (
    ALWAYS,
    NUMBERED,
    SCENES,
    Library,
    Paper,
    Scene,
    Village,
    appstore,
    crowded,
    feed,
    hackernews,
    mastodon,
    numbers,
    read_what_is_due,
    reading_of,
    said,
)
from tests.world import World

BURST = 1_200


@pytest.fixture(params=[*SCENES, "numbered pages"])
def any_scene(request: pytest.FixtureRequest) -> Scene:
    """A way in which places are read, also those that list little."""
    return SCENES.get(request.param, NUMBERED)


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    """A way in which places are read."""
    return SCENES[request.param]


@pytest.fixture(params=[name for name in SCENES if name != "a feed"])
def paged(request: pytest.FixtureRequest) -> Scene:
    """A way in which places with many pages are read."""
    return SCENES[request.param]


async def settle(world: World, place: Place, *sources: dict[str, Any], **more: Any) -> None:
    """Set up what reads a place, by the place's clock."""
    world.now = place.now
    await world.set_up(sources=sources, allow=[place.host_port], **more)


async def once(world: World, place: Place) -> None:
    """Let the listener look at what the place shows now."""
    place.wait(SECOND)
    world.now = place.now
    await world.once()


async def one_moment() -> None:
    """Let the others run."""
    await asyncio.sleep(0.02)


async def nothing_is_lost_or_doubled(world: World, posts: Sequence[int]) -> None:
    """Every post is one mention, and every mention counts in one case."""
    mentions = await world.mentions()
    assert numbers(mentions) == list(posts)
    assert len({one.post_id for one in mentions}) == len(mentions)
    assert not any(one.waits for one in mentions)
    belonging = Counter(one.case_id for one in mentions)
    assert belonging == {case.id: case.mentions for case in await world.cases()}
    assert await world.revisions() == []


# --- bursts, late posts, crowded seconds


@pytest.mark.slow
async def test_a_burst_between_two_looks_is_kept_whole(world: World, scene: Scene) -> None:
    async with crowded(scene).place() as place:
        await settle(world, place, scene.source(place))
        place.insert(3)
        await once(world, place)

        place.insert(BURST, apart=timedelta(milliseconds=90))
        await once(world, place)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, BURST + 4))


async def test_a_post_that_is_listed_three_minutes_late_is_found(
    world: World, any_scene: Scene
) -> None:
    async with any_scene.place() as place:
        await settle(world, place, any_scene.source(place))
        place.insert(12)
        await once(world, place)

        minutes = timedelta(minutes=3)
        place.insert(at=place.now, indexed=place.now + minutes)
        place.wait(SECOND)
        place.insert(12)
        await once(world, place)
        assert len(await world.mentions()) == 24
        place.wait(minutes)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 26))


async def test_posts_of_one_second_on_both_sides_of_a_pages_edge_are_all_kept(
    world: World, any_scene: Scene
) -> None:
    async with any_scene.place() as place:
        await settle(world, place, any_scene.source(place))
        for _ in range(2):  # on the first walk, and again on one that goes on
            place.insert(4)
            place.wait(SECOND)
            place.insert(4, at=place.now)
            place.insert(place.page - 2)
            await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 2 * (place.page + 6) + 1))


async def test_the_post_where_reading_stopped_may_be_deleted(
    world: World, any_scene: Scene
) -> None:
    async with any_scene.place() as place:
        await settle(world, place, any_scene.source(place))
        first = place.insert(12)
        await once(world, place)
        place.wait(timedelta(hours=1))
        await once(world, place)

        place.delete(first[-1])
        place.delete(first[-2])
        place.insert(15)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 28))


async def test_a_place_that_lost_all_its_posts_is_read_on(world: World, any_scene: Scene) -> None:
    async with any_scene.place() as place:
        await settle(world, place, any_scene.source(place))
        for post in place.insert(12):
            place.delete(post)
        place.insert(5)
        await once(world, place)
        for post in place.listed():
            place.delete(post)
        await once(world, place)

        place.insert(5)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(13, 23))


# --- walks that are cut


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("already", [0, 3], ids=["the first walk", "a later walk"])
async def test_a_walk_that_is_cut_goes_on_where_it_stopped(
    world: World, paged: Scene, pages: int, already: int
) -> None:
    async with paged.place() as place:
        await settle(world, place, paged.source(place))
        if already:
            place.insert(already)
            await once(world, place)
        place.insert(55)
        place.wait(timedelta(hours=1))
        place.fail(Fault.RESET, ALWAYS, after=pages, path=paged.lists)
        await once(world, place)
        assert already < len(await world.mentions()) < 55 + already
        before = paged.asked_for_lists(place)

        place.insert(5)
        place.heal()
        await once(world, place)

        resumed = paged.asked_for_lists(place)[len(before)]
        assert resumed == before[-1], "with the page that was refused"

        await nothing_is_lost_or_doubled(world, range(1, 61 + already))
        assert await world.gaps(paged.source(place)["name"]) == []


@pytest.mark.parametrize("pages", [1, 3])
async def test_a_worker_that_dies_in_the_middle_of_a_walk_is_followed_by_another(
    world: World, paged: Scene, pages: int
) -> None:
    async with paged.place() as place:
        await settle(world, place, paged.source(place))
        place.insert(55)
        place.fail(Fault.HANG, ALWAYS, after=pages, path=paged.lists)
        place.wait(SECOND)
        world.now = place.now

        service = await world.service()
        await service.poll.step()
        while len(paged.asked_for_lists(place)) <= pages:
            await one_moment()
        await service.poll.stop()  # without giving back what it had taken
        assert (await reading_of(world, paged.source(place)["name"])).taken_by is not None
        assert 0 < len(await world.mentions()) < 55

        place.heal()
        place.insert(5)
        place.wait(LEASE)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 61))


async def test_a_page_that_the_database_refuses_is_read_again(world: World, paged: Scene) -> None:
    async with paged.place() as place:
        await settle(world, place, paged.source(place))
        place.insert(35)
        place.wait(SECOND)
        world.now = place.now
        service = await world.service()
        keep, calls = service.poll.intake.keep, 0

        async def refused(*given: Any, **named: Any) -> Any:
            nonlocal calls
            kept = await keep(*given, **named)  # written, but not committed
            calls += 1
            if calls == 2:
                raise RuntimeError("the process is about to die")
            return kept

        service.poll.intake.keep = refused  # type: ignore[method-assign]
        await service.poll.step()
        while service.poll.walks:
            await one_moment()
        assert 0 < len(await world.mentions()) <= place.page

        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 36))


async def test_what_has_been_read_is_not_read_again(world: World, scene: Scene) -> None:
    async with scene.place() as place:
        await settle(world, place, scene.source(place))
        place.insert(55)
        for _ in range(2):
            place.wait(timedelta(hours=1))
            await once(world, place)
        before = len(scene.asked_for_lists(place))
        place.wait(timedelta(hours=1))
        place.insert(3)
        await once(world, place)

        assert len(scene.asked_for_lists(place)) - before <= 2, "of six pages and more"
        await nothing_is_lost_or_doubled(world, range(1, 59))


# --- one post, several sources and brands


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    async with Village() as village:
        yield village


async def test_a_post_that_two_sources_see_is_one_mention_with_two_sightings(
    world: World, village: Village
) -> None:
    await settle(
        world,
        village,
        mastodon(village, "By tag"),
        mastodon(village, "By timeline", tag=None),
    )
    village.insert(25)
    await once(world, village)
    village.insert(25)
    await once(world, village)

    await nothing_is_lost_or_doubled(world, range(1, 51))
    seen = await world.sightings()
    assert len(seen) == 50
    assert all(sorted(names) == ["By tag", "By timeline"] for names in seen.values())


@pytest.mark.slow
async def test_sources_that_meet_in_the_same_posts_do_not_stand_in_each_others_way(
    world: World,
) -> None:
    async with crowded(SCENES["climbed"]).place() as village:
        await settle(world, village, mastodon(village, "Upwards"))
        village.insert(1)
        await once(world, village)

        village.insert(400, apart=timedelta(milliseconds=90))
        await settle(world, village, mastodon(village, "Downwards", tag=None))
        village.wait(SECOND)
        world.now = village.now
        service = await world.once()

        assert service.poll.errors == {}
        await nothing_is_lost_or_doubled(world, range(1, 402))
        assert all(len(names) == 2 for names in (await world.sightings()).values())


async def test_a_post_that_names_two_brands_is_a_mention_of_each(
    world: World, village: Village
) -> None:
    await settle(
        world,
        village,
        mastodon(village),
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "chips"}],
    )
    village.insert(2)
    said(village, "The chips of yesterday were better, n3n, but the queue was not.")
    await once(world, village)
    await once(world, village)

    mentions = await world.mentions()
    assert numbers(mentions) == [1, 1, 2, 2, 3]
    assert len({(one.post_id, one.brand_id) for one in mentions}) == 5
    cases = await world.cases()
    assert sorted((case.brand_id, case.mentions) for case in cases) == [(1, 2), (2, 1), (2, 2)]


async def test_a_source_of_one_brand_brings_no_mentions_of_another(
    world: World, village: Village
) -> None:
    await settle(
        world,
        village,
        mastodon(village, brands=["Bolt"]),
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "chips"}],
    )
    village.insert(2)
    await once(world, village)

    assert [one.brand_id for one in await world.mentions()] == [2, 2]


async def test_a_review_of_our_own_app_is_about_us_though_it_does_not_name_us(
    world: World,
) -> None:
    async with Shop() as shop:
        brands = [{"name": "Acme", "query": "acme"}, {"name": "Bolt", "query": "fish"}]
        with pytest.raises(BadPlan, match="say which"):
            await settle(world, shop, appstore(shop), brands=brands)
        await settle(world, shop, appstore(shop, brands=["Acme"]), brands=brands)
        shop.insert(3)
        await once(world, shop)
        await once(world, shop)

        mentions = await world.mentions()
        assert numbers(mentions) == [1, 2, 3]
        names = {brand.id: brand.name for brand in await world.all_of(Brand)}
        assert {names[one.brand_id] for one in mentions} == {"Acme"}


async def test_a_source_that_the_plan_says_is_about_us_needs_no_name(
    world: World, village: Village
) -> None:
    brands = [{"name": "Acme", "query": "acme"}]
    await settle(world, village, mastodon(village), brands=brands)
    village.insert(2)
    await once(world, village)
    assert await world.mentions() == []

    await world.set_up(brands=brands, sources=[mastodon(village, about_us=True)])
    await once(world, village)

    assert numbers(await world.mentions()) == [1, 2], "what was read before is read again"


async def test_a_brand_that_is_added_later_finds_what_was_said_before(
    world: World, scene: Scene
) -> None:
    async with scene.place() as place:
        source = scene.source(place)
        await settle(world, place, source)
        place.insert(15)
        for number in range(16, 21):
            said(place, f"The bananas were brown, n{number}n.")
        await once(world, place)
        await once(world, place)
        assert numbers(await world.mentions()) == list(range(1, 16))
        told = len(await world.events())

        brands = [{"name": "Acme", "query": "fish"}, {"name": "Nana", "query": "bananas"}]
        await world.set_up(brands=brands, sources=[source])
        await once(world, place)
        await once(world, place)

        await nothing_is_lost_or_doubled(world, range(1, 21))
        by_brand = Counter(one.brand_id for one in await world.mentions())
        assert by_brand == {1: 15, 2: 5}
        cases = {case.id for case in await world.cases() if case.brand_id == 1}
        events = [event for event in await world.events() if event.case_id in cases]
        assert len(events) == told, "of what was known nobody is told again"


# --- a source with a long past


@pytest.mark.slow
async def test_ten_thousand_old_posts_are_judged_and_counted_and_call_nobody(
    world: World,
) -> None:
    async with Library() as library:
        world.now = library.now
        past = library.now - timedelta(days=400)
        for week in range(50):
            library.insert(200, at=past + timedelta(days=7 * week), indexed=library.now)
        library.insert(2)
        await settle(world, library, hackernews(library, since="500d"))

        await once(world, library)
        await once(world, library)

        mentions = await world.mentions()
        assert len(mentions) == len({one.post_id for one in mentions}) == 10_002
        assert all(one.flagged and one.judged_at for one in mentions)
        assert sum(one.late for one in mentions) == 10_000
        [case] = await world.cases()
        assert case.mentions == 2
        assert len({notice.case_id for notice in await world.notices()}) == 1


async def test_what_a_feed_lists_for_ever_is_read_once(world: World) -> None:
    async with Paper() as paper:
        await settle(world, paper, feed(paper))
        paper.insert(20)
        for _ in range(3):
            await once(world, paper)
            await read_what_is_due(world)

        await nothing_is_lost_or_doubled(world, range(1, 21))
