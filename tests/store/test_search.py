"""Every mention can be found by its words, in every script, as long as its words are kept."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.domain.mention import Mention
from listener.stages.index import Index
from listener.stages.sweep import Sweep
from listener.store import queue, search
from listener.store.queue import Filters, Queue, Viewer
from listener.store.search import Found, Search
from listener.store.sweeping import Keeping
from tests.given import COMPLAINTS, INBOX, Cheerful, complained, heard, judged, said, settled
from tests.world import World


async def indexed(world: World) -> int:
    """Enter everything that waits."""
    stage = Index(world.store, batch=7)
    while await stage.step():
        pass
    return stage.entered


async def look(world: World, words: str = "", **more: Any) -> Found:
    asking = {name: more.pop(name) for name in ("brands", "after", "limit") if name in more}
    async with world.store.reading() as session:
        return await search.search(session, Search(words=words, **more), **asking)


async def found(world: World, words: str = "", **more: Any) -> list[str]:
    """The authors of what is found, by name."""
    return sorted(one.author for one in (await look(world, words, **more)).mentions)


async def spoken(world: World, **texts: str) -> None:
    """Everybody says one thing about fish."""
    await settled(world)
    await heard(
        world,
        *(said(f"{text} #fish", author=name, published=world.now) for name, text in texts.items()),
    )
    await indexed(world)


async def test_words_are_found_wherever_they_stand(world: World) -> None:
    await spoken(world, ada="The batter was soft", ben="Soft drinks, crisp batter", cem="Batteries")

    assert await found(world, "batter soft ") == ["Ada", "Ben"]
    assert await found(world, "batte") == ["Ada", "Ben", "Cem"]  # not ended yet
    assert await found(world, "batte ") == []
    assert await found(world, '"soft drinks"') == ["Ben"]
    assert await found(world, '"drinks soft"') == []
    assert await found(world, "crisp ada ") == []


async def test_who_wrote_it_is_found_too(world: World) -> None:
    await spoken(world, ada="The batter was soft", ben="The batter was hard")

    assert await found(world, "ada batter") == ["Ada"]


async def test_every_script_is_searched_alike(world: World) -> None:
    await spoken(
        world,
        ada="寿司が冷たい",
        ben="치킨은 별로예요",
        cem="Das Café war nass",
        dan="हिन्दी में शिकायत",
        eva="İSTANBUL'da soğuk",
        fay="Холодная рыба",
    )

    assert await found(world, "寿司") == ["Ada"]
    assert await found(world, "司寿") == []
    assert await found(world, "치킨") == ["Ben"]
    assert await found(world, "CAFE ") == ["Cem"]
    assert await found(world, "शिकायत") == ["Dan"]
    assert await found(world, "istanbul soguk") == ["Eva"]
    assert await found(world, "холодная") == ["Fay"]


@pytest.mark.parametrize(
    "typed",
    [
        '"', "'", "''", "*", "(", ")", "a OR", "AND", "NEAR(", 'x" OR "y', "words:cold", "^cold",
        "-", "!", "& |", ":*", "'; DROP TABLE mentions; --", "\\", "\\'", "%", "_", "\0", "\ue000b1",
        "<->", "🎉", "a" * 5000, "'a' " * 500, "\ud800",
    ],
)  # fmt: skip
async def test_no_search_can_be_a_mistake(world: World, typed: str) -> None:
    await spoken(world, ada="The batter was soft")

    await found(world, typed)

    assert await found(world, "batter") == ["Ada"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(typed=st.text(max_size=30))
async def test_whatever_was_said_is_found_by_saying_it(world: World, typed: str) -> None:
    await found(world, typed)
    await found(world, f'"{typed}" {typed}')


async def test_nothing_is_found_by_signs_alone(world: World) -> None:
    await spoken(world, ada="The batter was soft")

    assert await found(world, "?!") == []


async def test_an_edit_is_found_by_its_new_words_and_at_once_no_more_by_its_old(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said("The fish was soft", id="one", published=world.now))
    await indexed(world)

    await heard(world, said("The fish was hard", id="one", published=world.now))

    assert await found(world, "soft") == []
    await indexed(world)
    assert await found(world, "soft") == []
    assert await found(world, "hard") == ["Ada"]


async def test_a_deleted_mention_leaves_the_index_with_its_words(world: World) -> None:
    await settled(world)
    await heard(world, said("The fish was soft", id="one", published=world.now))
    await indexed(world)

    await heard(world, gone=["one"])

    assert await entered(world) == 0
    await indexed(world)
    assert await entered(world) == 0
    assert await found(world) == []


async def test_words_kept_long_enough_leave_the_index_when_they_are_forgotten(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said("The fish was soft", published=world.now))
    await indexed(world)
    world.now += timedelta(days=91)

    await Sweep(world.store, Keeping()).step()

    assert await entered(world) == 0
    await indexed(world)
    assert await found(world, "soft") == []


async def test_an_author_who_is_forgotten_is_not_found_by_name(world: World) -> None:
    await spoken(world, ada="The batter was soft")
    async with world.store.transaction() as session:
        mention = await session.get_one(Mention, 1)
        mention.author_name = mention.author_handle = mention.author_id = ""

    assert await found(world, "ada") == []
    await indexed(world)
    assert await found(world, "ada") == []
    assert await found(world, "batter") == [""]


async def test_words_that_change_while_they_are_cut_are_cut_again(world: World) -> None:
    await settled(world)
    await heard(world, said("The fish was soft", id="one", published=world.now))
    stage = Index(world.store)
    waiting = await stage.take()

    await heard(world, said("The fish was hard", id="one", published=world.now))
    assert await stage.keep(stage.work(waiting)) == 0

    assert await found(world, "soft") == []
    await indexed(world)
    assert await found(world, "hard") == ["Ada"]


async def test_two_that_enter_the_same_words_enter_them_once(world: World) -> None:
    await settled(world)
    await heard(world, said("The fish was soft", published=world.now))
    one, other = Index(world.store), Index(world.store)
    both = [(stage, await stage.take()) for stage in (one, other)]

    for stage, waiting in both:
        await stage.keep(stage.work(waiting))

    assert await entered(world) == 1
    assert one.entered + other.entered == 1


async def test_the_filters_narrow_what_is_found(world: World) -> None:
    await settled(world)
    await heard(
        world,
        said("cold fish", author="ada", language="en", published=world.now - timedelta(days=2)),
        said("cold fish today", author="ben", language="de", published=world.now),
    )
    await judged(world, Cheerful())
    await complained(world, COMPLAINTS[0], author="cem")
    await indexed(world)

    assert await found(world, "cold", language="de") == ["Ben"]
    assert await found(world, "cold", since=world.now - timedelta(days=1)) == ["Ben", "Cem"]
    assert await found(world, "cold", until=world.now - timedelta(days=1)) == ["Ada"]
    assert await found(world, "cold", flagged=True) == ["Cem"]
    assert await found(world, "cold", flagged=False) == ["Ada", "Ben"]
    assert await found(world, "cold", source="Inbox", place="webhook") == ["Ada", "Ben", "Cem"]
    assert await found(world, "cold", place="mastodon") == []
    assert await found(world, "cold", source="Nowhere") == []
    assert await found(world, "cold", brand="Acme") == ["Ada", "Ben", "Cem"]
    assert await found(world, "cold", brand="Nobody") == []
    assert await found(world, case_id=1) == ["Cem"]
    assert await found(world) == ["Ada", "Ben", "Cem"]


async def test_nobody_finds_what_is_said_of_a_brand_behind_a_wall(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bits", "query": "bread"}],
        sources=[INBOX],
    )
    await heard(
        world,
        said("cold fish", author="ada", published=world.now),
        said("cold bread", author="ben", published=world.now),
    )
    await indexed(world)

    assert await found(world, "cold", brands=[2]) == ["Ben"]
    assert await found(world, brands=[2]) == ["Ben"]
    assert await found(world, "fish", brands=[2]) == []
    assert await found(world, "cold", brands=[]) == []
    assert await found(world, "cold", brand="Acme", brands=[2]) == []


async def test_what_is_found_comes_latest_first_page_by_page(world: World) -> None:
    await settled(world)
    await heard(world, *(said(f"cold fish {n}", published=world.now) for n in range(5)))
    await indexed(world)

    one = await look(world, "cold", limit=2)
    two = await look(world, "cold", limit=2, after=one.after)
    three = await look(world, "cold", limit=2, after=two.after)

    assert [mention.id for part in (one, two, three) for mention in part.mentions] == [
        5,
        4,
        3,
        2,
        1,
    ]
    assert three.after is None


async def test_a_search_looks_only_so_far_at_once_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FAR", 3)
    await settled(world)
    await heard(world, said("cold fish", language="fi", published=world.now))
    await heard(world, *(said(f"cold fish {n}", published=world.now) for n in range(4)))
    await indexed(world)

    near = await look(world, "cold", language="fi")
    far = await look(world, "cold", language="fi", after=near.after)

    assert (near.mentions, near.after) == ([], 3)
    assert [mention.id for mention in far.mentions] == [1]
    assert far.after is None


async def test_a_queue_is_searched_by_the_words_of_its_cases(world: World) -> None:
    await settled(world)
    await heard(world, said("the batter of my fish, lovely", published=world.now))
    await judged(world, Cheerful())
    await indexed(world)
    await complained(world, *COMPLAINTS)
    await indexed(world)
    viewer = Viewer(staff_id=1, now=world.now, today=world.now)

    async with world.store.reading() as session:
        for words, ids in (("batter", [1]), ("hair waiter", [4]), ("nothing", []), ("?", [])):
            page = await queue.page(session, Queue.ALL, viewer, Filters(words=words))
            assert [row.id for row in page.rows] == ids, words


async def entered(world: World) -> int:
    """How many mentions are in the index."""
    async with world.store.reading() as session:
        connection = await session.connection()
        answer = await connection.execute(sa.text("SELECT count(*) FROM mention_index"))
        return int(answer.scalar_one())
