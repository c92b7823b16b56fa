"""A stream is heard by the brands as they stand now, and what names none is counted only."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from connectors.kit.contract import Page, Post, Span, Unread
from listener.domain.source import Reading, Way
from listener.stages.listen import joined
from tests.connectors.skyline import Sky
from tests.world import World


def frame(number: int, text: str) -> bytes:
    return orjson.dumps(
        {
            "did": "did:plc:ada",
            "time_us": 1_762_000_000_000_000 + number * 1_000_000,
            "kind": "commit",
            "commit": {
                "operation": "create",
                "collection": "app.bsky.feed.post",
                "rkey": f"3k{number}",
                "cid": f"bafy{number}",
                "record": {"text": text},
            },
        }
    )


async def test_posts_that_name_no_brand_are_read_but_never_kept(
    database: str, tmp_path: Path
) -> None:
    async with World(database, tmp_path) as world, Sky() as sky:
        source = {
            "name": "Sky",
            "connector": "bluesky",
            "options": {"api": sky.url, "stream": "jetstream"},
        }
        await world.set_up(sources=[source], allow=[sky.host_port])
        said = ["tea", "bread", "cold fish", "tea", "no FISH today", *["tea"] * 6]
        sky.script = [frame(*one) for one in enumerate(said)]
        service = await world.service()

        await service.listen.step()
        await asyncio.gather(*service.listen.streams)

        assert sorted(one.text for one in await world.mentions()) == ["cold fish", "no FISH today"]
        async with world.store.reading() as session:
            reading = (await session.exec(select(Reading).where(Reading.way == Way.LISTEN))).one()
        assert reading.posts == len(said)


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = Span(NOON, NOON + timedelta(hours=1))
POSTS = st.builds(
    lambda key, text: Post(id=key, url="", text=text, published=NOON),
    st.sampled_from("abc"),
    st.sampled_from(["fish", "cold fish"]),
)
PAGES = st.builds(
    Page,
    posts=st.lists(POSTS, max_size=2, unique_by=lambda post: post.id).map(tuple),
    gone=st.lists(st.sampled_from("abc"), max_size=1).map(tuple),
    unreadable=st.lists(st.just(Unread("It has no text.", "{}")), max_size=1).map(tuple),
    span=st.none() | st.none() | st.just(HOUR),
    sifted=st.integers(0, 3),
    cursor=st.text("0123", min_size=1, max_size=2),
)


def history(pages: Iterable[Page]) -> list[object]:
    """What becomes of every id, one thing after the other, and all else there is to keep."""
    told: list[object] = []
    for key in "abc":
        for page in pages:
            told += [(key, post.text) for post in page.posts if post.id == key]
            told += [(key, None) for gone in page.gone if gone == key]
    told += [unread for page in pages for unread in page.unreadable]
    told += [page.span for page in pages if page.span]
    return [*told, sum(page.sifted for page in pages), [page.cursor for page in pages][-1:]]


@given(st.lists(PAGES, max_size=8))
def test_pages_of_a_stream_that_are_kept_together_tell_the_same(pages: list[Page]) -> None:
    fewer = list(joined(pages))

    assert history(fewer) == history(pages)
    for page in fewer:
        assert len({post.id for post in page.posts}) == len(page.posts)


def test_a_burst_of_single_posts_is_one_page() -> None:
    pages = [
        Page(posts=(Post(id=f"{number}", url="", text="fish", published=NOON),), cursor=f"{number}")
        for number in range(50)
    ]

    [page] = joined(pages)

    assert len(page.posts) == 50
    assert page.cursor == "49"


async def test_what_changes_and_goes_within_a_moment_is_kept_in_that_order(
    database: str, tmp_path: Path
) -> None:
    async with World(database, tmp_path) as world, Sky() as sky:
        source = {
            "name": "Sky",
            "connector": "bluesky",
            "options": {"api": sky.url, "stream": "jetstream"},
        }
        await world.set_up(sources=[source], allow=[sky.host_port])
        gone = orjson.loads(frame(1, ""))
        gone["commit"] = {key: gone["commit"][key] for key in ("collection", "rkey")}
        gone["commit"]["operation"] = "delete"
        changed = orjson.loads(frame(0, "warm fish"))
        changed["commit"] |= {"operation": "update", "cid": "bafyother"}
        sky.script = [
            frame(0, "cold fish"),
            frame(1, "no fish"),
            frame(2, "old fish"),
            orjson.dumps(changed),
            orjson.dumps(gone),
        ]
        service = await world.service()

        await service.listen.step()
        await asyncio.gather(*service.listen.streams)

        found = {one.text: one.revisions for one in await world.mentions() if not one.deleted_at}
        assert found == {"warm fish": 2, "old fish": 1}
        assert [one.text for one in await world.mentions() if one.deleted_at] == [""]
