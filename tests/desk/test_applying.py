"""Applying a plan makes the database say what the file says, and applying it again changes nothing."""

import json
from datetime import timedelta

import pytest

from listener.desk.applying import Applied, apply
from listener.desk.plan import read
from listener.desk.plan_words import BadPlan
from listener.domain.brand import Brand
from listener.domain.notice import Channel
from listener.domain.secret import Seal
from listener.domain.source import Source, Way
from tests.given import KEY
from tests.world import World

SEAL = Seal("a key for tests, long enough")
OTHER_KEY = "whsec_YW5vdGhlciBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="

PLAN = f"""
[[brand]]
name = "Acme"
query = "acme"
handles = ["acme"]

[[source]]
name = "News"
connector = "hackernews"
every = "5m"
[source.options]
query = "acme"

[[source]]
name = "Inbox"
connector = "webhook"
[source.options]
secret = "{KEY}"

[[channel]]
name = "ops"
url = "https://ops.example/hook"
secret = "{KEY}"
"""
EVERYTHING = ['brand "Acme"', 'source "News"', 'source "Inbox"', 'channel "ops"']


async def applied(world: World, text: str) -> Applied:
    return await apply(world.store, read(text), SEAL)


async def read_so_far(world: World, cursor: str = "as far as here") -> None:
    """Every source has been read to its end, and is not due."""
    async with world.store.transaction() as session:
        for reading in await world.readings():
            standing = await session.merge(reading)
            standing.cursor = cursor
            standing.next_at = world.now + timedelta(minutes=5)


async def cursors(world: World) -> dict[str, str | None]:
    names = {source.key: source.name for source in await world.all_of(Source)}
    return {names[one.source_id]: one.cursor for one in await world.readings()}


async def test_a_new_plan_adds_what_it_names(world: World) -> None:
    done = await applied(world, PLAN)

    assert (done.added, done.changed, done.same) == (EVERYTHING, [], [])
    [brand] = await world.all_of(Brand)
    assert (brand.name, brand.query, brand.handles) == ("Acme", "acme", ["acme"])
    news, inbox = await world.all_of(Source)
    assert (news.connector, news.every, news.brands) == ("hackernews", 300, None)
    assert news.since == world.now - timedelta(days=7)
    assert (inbox.connector, inbox.every) == ("webhook", 120)
    assert [(one.way, one.next_at) for one in await world.readings()] == [
        (Way.POLL, world.now),
        (Way.POLL, world.now),
    ]


async def test_applying_twice_changes_nothing_at_all(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)
    tables = (Brand, Source, Channel)
    before = [one.model_dump() for table in tables for one in await world.all_of(table)]
    readings = [one.model_dump() for one in await world.readings()]

    world.now += timedelta(days=3)
    done = await applied(world, PLAN)

    assert (done.added, done.changed, done.same) == ([], [], EVERYTHING)
    assert before == [one.model_dump() for table in tables for one in await world.all_of(table)]
    assert readings == [one.model_dump() for one in await world.readings()]


async def test_a_secret_is_sealed_before_it_is_stored(world: World) -> None:
    await applied(world, PLAN)

    source = (await world.all_of(Source))[1]
    [channel] = await world.all_of(Channel)
    for options in (source.options, channel.options):
        assert KEY not in json.dumps(options)
        assert SEAL.open(options["secret"]) == KEY


async def test_a_changed_secret_keeps_the_cursor_and_asks_at_once(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)

    done = await applied(
        world,
        PLAN.replace(
            f'[source.options]\nsecret = "{KEY}"', f'[source.options]\nsecret = "{OTHER_KEY}"'
        ),
    )

    assert done.changed == ['source "Inbox"']
    assert (await cursors(world))["Inbox"] == "as far as here"
    assert SEAL.open((await world.all_of(Source))[1].options["secret"]) == OTHER_KEY
    assert [one.next_at == world.now for one in await world.readings()] == [False, True]


async def test_a_secret_may_move_out_of_the_database(world: World) -> None:
    await applied(world, PLAN)

    done = await applied(world, PLAN.replace(f'"{KEY}"', '{ env = "A_SECRET" }'))

    assert done.changed == ['source "Inbox"', 'channel "ops"']
    assert (await world.all_of(Source))[1].options["secret"] == {"env": "A_SECRET"}


async def test_changed_options_begin_anew_and_fence_off_the_walk_under_way(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)
    fences = [one.fence for one in await world.readings()]

    done = await applied(
        world, PLAN.replace('[source.options]\nquery = "acme"', '[source.options]\nquery = "acne"')
    )

    assert done.changed == ['source "News"']
    assert await cursors(world) == {"News": None, "Inbox": "as far as here"}
    assert [one.fence for one in await world.readings()] == [fences[0] + 1, fences[1]]


async def test_a_changed_pace_keeps_the_cursor(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)

    done = await applied(world, PLAN.replace('"5m"', '"1h"'))

    assert done.changed == ['source "News"']
    assert (await cursors(world))["News"] == "as far as here"
    assert (await world.all_of(Source))[0].every == 3600


async def test_an_earlier_since_reads_back_further(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)

    done = await applied(world, PLAN.replace('every = "5m"', 'every = "5m"\nsince = "30d"'))

    assert done.changed == ['source "News"']
    assert (await cursors(world))["News"] is None
    assert (await world.all_of(Source))[0].since == world.now - timedelta(days=30)


async def test_a_changed_query_of_a_brand_reads_its_sources_back_once_more(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)
    world.now += timedelta(days=20)

    done = await applied(world, PLAN.replace('query = "acme"\nhandles', 'query = "acne"\nhandles'))

    assert done.changed == ['brand "Acme"']
    assert await cursors(world) == {"News": None, "Inbox": None}
    assert all(one.next_at == world.now for one in await world.readings())
    assert {one.since for one in await world.all_of(Source)} == {world.now - timedelta(days=7)}


async def test_a_brands_own_accounts_change_without_reading_again(world: World) -> None:
    await applied(world, PLAN)
    await read_so_far(world)

    done = await applied(world, PLAN.replace('["acme"]', '["acme", "acme_help"]'))

    assert done.changed == ['brand "Acme"']
    assert await cursors(world) == {"News": "as far as here", "Inbox": "as far as here"}


async def test_what_another_brand_is_read_from_is_left_alone(world: World) -> None:
    both = PLAN + '[[brand]]\nname = "Bolt"\nquery = "bolt"\n'
    both = both.replace('connector = "hackernews"', 'connector = "hackernews"\nbrands = ["Bolt"]')
    await applied(world, both)
    await read_so_far(world)

    await applied(world, both.replace('query = "acme"\nhandles', 'query = "acne"\nhandles'))

    assert await cursors(world) == {"News": "as far as here", "Inbox": None}


async def test_what_a_plan_does_not_name_stays_as_it_is(world: World) -> None:
    await applied(world, PLAN)

    done = await applied(world, '[[brand]]\nname = "Bolt"\nquery = "bolt"\n')

    assert done.added == ['brand "Bolt"']
    assert [brand.name for brand in await world.all_of(Brand)] == ["Acme", "Bolt"]
    assert len(await world.all_of(Source)) == 2


async def test_an_unknown_brand_is_refused_with_those_there_are(world: World) -> None:
    with pytest.raises(BadPlan) as refusal:
        await applied(
            world, PLAN.replace('connector = "webhook"', 'connector = "webhook"\nbrands = ["Acne"]')
        )

    assert str(refusal.value) == (
        '[[source]] "Inbox": there is no brand called "Acne"; there is: Acme.'
    )
    assert await world.all_of(Brand) == []  # all or nothing


async def test_a_source_that_a_person_must_mend_is_asked_again_when_one_applies(
    world: World,
) -> None:
    await applied(world, PLAN)
    async with world.store.transaction() as session:
        reading = await session.merge((await world.readings())[0])
        reading.failed("The key is refused.", now=world.now, wait=None, stop=True)
        reading.next_at = world.now + timedelta(days=1)

    done = await applied(world, PLAN)  # the secret in the environment was mended, say

    assert done.same == EVERYTHING
    reading = (await world.readings())[0]
    assert (reading.stopped, reading.next_at) == (False, world.now)


async def test_a_source_whose_posts_are_all_about_us_needs_one_brand(world: World) -> None:
    about_us = PLAN.replace('connector = "webhook"', 'connector = "webhook"\nabout_us = true')

    with pytest.raises(BadPlan) as refusal:
        await applied(world, about_us + '[[brand]]\nname = "Bolt"\nquery = "bolt"\n')
    assert str(refusal.value) == (
        '[[source]] "Inbox": every post of it is about one brand; say which: brands = ["…"].'
    )

    await applied(world, about_us)  # where there is but one, it is that


async def test_another_key_of_our_own_is_mended_by_applying_again(world: World) -> None:
    await applied(world, PLAN)
    other = Seal("another key, also long enough")

    done = await apply(world.store, read(PLAN), other)

    assert done.changed == ['source "Inbox"', 'channel "ops"']
    assert other.open((await world.all_of(Source))[1].options["secret"]) == KEY
