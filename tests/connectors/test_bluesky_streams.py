"""Bluesky's streams are heard in all their dialects, without a gap that nobody knows of."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import libipld
import pytest

from connectors.bluesky import Bluesky
from connectors.bluesky.frames import Mark, address
from connectors.kit.contract import Listens, Page, revealed
from connectors.kit.errors import TryLater
from tests.connectors.memory import Memory, number
from tests.connectors.place import BEGINNING
from tests.connectors.skyline import (
    ADA,
    HANDLE,
    OURS,
    RECORDINGS,
    Sky,
    bluesky,
    door,
    heard,
    iso,
    member,
    message,
    pull,
    text,
)

ONE = "at://did:plc:ada/app.bsky.feed.post/3one"


TORN = (
    '{"did":"did:plc:ada","time_us":1741080602000001,"kind":"commit","commit":{"operation":'
    '"create","collection":"app.bsky.feed.post","rkey":"x","record":{"text":1}}}'
)


def recorded(name: str) -> list[bytes | str]:
    return [*(RECORDINGS / name).read_text().splitlines()]


def jetstream(sky: Sky, **options: object) -> Bluesky:
    return bluesky(sky, stream="jetstream", **options)


def firehose(sky: Sky, **options: object) -> Bluesky:
    return bluesky(sky, stream="firehose", **options)


def texts(pages: Sequence[Page]) -> list[str]:
    return [post.text for page in pages for post in page.posts]


# What is heard.


async def test_jetstream_tells_of_posts_changes_and_deletions() -> None:
    async with Sky() as sky:
        pages = await heard(sky, recorded("jetstream.jsonl"), jetstream(sky))

    assert texts(pages) == ["The Acme lift is broken", "The Acme lift works again"]
    assert [post.id for page in pages for post in page.posts] == [ONE, ONE]
    assert [page.gone for page in pages] == [(), (), (ONE,)]
    post = pages[0].posts[0]
    assert (post.author.id, post.author.url) == (
        "did:plc:ada",
        "https://bsky.app/profile/did:plc:ada",
    )
    assert post.published == datetime(2025, 3, 4, 9, 30, tzinfo=UTC)


async def test_the_newer_jetstream_is_understood_as_well() -> None:
    async with Sky() as sky:
        source = jetstream(sky, api_stream=f"{sky.url}/xrpc/network.bsky.jetstream.subscribeEvents")
        pages = await heard(sky, recorded("jetstream-2.jsonl"), source)
        [asked] = sky.asked
        wrapped = [
            json.dumps({"payload": json.loads(line)}) for line in recorded("jetstream-2.jsonl")
        ]
        again = await heard(sky, [*wrapped], source)

    assert texts(pages) == ["The Acme lift is broken"]
    assert pages[1].gone == (ONE,)
    assert texts(again) == texts(pages)
    assert asked.query["collections"] == "app.bsky.feed.post"


async def test_the_firehose_tells_of_posts_changes_and_deletions() -> None:
    async with Sky() as sky:
        [post] = sky.insert(1)
        edited = sky.edit(post)
        script = [sky.commit(post), sky.commit(edited, "update"), sky.commit(edited, "delete")]
        pages = await heard(sky, [*script], firehose(sky))
        shown = sky.view(edited)

    assert [number(post) for page in pages for post in page.posts] == [1, 1]
    assert "Edited" in pages[1].posts[0].text
    assert pages[2].gone == (shown["uri"],)


async def test_a_post_is_the_same_heard_and_searched() -> None:
    picture = libipld.encode_cid(bytes.fromhex("01551220") + b"p" * 32)
    embed: dict[str, Any] = {"images": [{"alt": "a sign", "image": {"ref": {"$link": picture}}}]}
    async with Sky() as sky:
        [post] = sky.insert(1)
        sky.records[post.number] = {"embed": embed, "langs": ["de"]}
        memory = Memory(sky)
        await pull(sky, memory, bluesky(sky, query="acme"))
        [by_jetstream] = await heard(sky, [text(sky.frame(post))], jetstream(sky))
        in_cbor = {"ref": bytes.fromhex("01551220") + b"p" * 32}
        sky.records[post.number]["embed"] = {"images": [{"alt": "a sign", "image": in_cbor}]}
        [by_firehose] = await heard(sky, [sky.commit(post)], firehose(sky))

    [searched] = memory.posts.values()
    assert searched.attachments
    for page in (by_jetstream, by_firehose):
        [one] = page.posts
        assert (one.id, one.revision, one.published) == (
            searched.id,
            searched.revision,
            searched.published,
        )


async def test_only_posts_with_our_words_are_heard_wherever_the_words_stand() -> None:
    async with Sky() as sky:
        posts = sky.insert(5)
        sky.records[1] = {"text": "Der ＡＣＭＥ-Lift ist kaputt"}
        sky.records[2] = {"text": "nothing of ours"}
        link = {"features": [{"uri": "https://acme.example/lifts"}]}
        sky.records[3] = {"text": "look", "facets": [link]}
        card = {"external": {"uri": "https://news.example", "title": "Acme in trouble"}}
        sky.records[4] = {"text": "look", "embed": card}
        sky.records[5] = {"text": "Straße"}
        script = [text(sky.frame(post)) for post in posts]
        pages = await heard(sky, [*script], jetstream(sky, words=["acme", "STRASSE"]))

    assert texts(pages) == ["Der ＡＣＭＥ-Lift ist kaputt", "look", "look", "Straße"]


async def test_posts_with_our_words_are_introduced_and_wishes_are_heard() -> None:
    async with Sky() as sky:
        known, unseen, hidden, shy = posts = sky.insert(4)
        sky.hidden = {unseen.number}
        sky.views[hidden.number] = {"labels": [{"val": "!hide"}]}
        author = {"did": ADA, "handle": "ada.example", "labels": [{"val": "!no-unauthenticated"}]}
        sky.views[shy.number] = {"author": author}
        script = [text(sky.frame(post)) for post in posts]
        as_stranger = await heard(sky, [*script], jetstream(sky, words=["fish"]))
        as_member = await heard(sky, [*script], member(sky, stream="jetstream", words=["fish"]))

    names = {number(p): p.author.handle for page in as_stranger for p in page.posts}
    assert names == {known.number: "ada.example", unseen.number: ""}
    assert {number(p) for page in as_member for p in page.posts} == {1, 2, 4}


@pytest.mark.parametrize("options", [{"handle": HANDLE}, {"handle": HANDLE, "words": ["fish"]}])
async def test_our_own_posts_are_known_by_our_handle(options: dict[str, Any]) -> None:
    async with Sky() as sky:
        [post] = sky.insert(1)
        frame = sky.frame(post) | {"did": OURS}
        [page] = await heard(sky, [text(frame)], jetstream(sky, **options))

    [post_of_ours] = page.posts
    assert post_of_ours.author.ours
    assert post_of_ours.author.handle == HANDLE


@pytest.mark.parametrize(
    ("status", "gone"), [("deleted", 2), ("takendown", 2), ("deactivated", 2), ("throttled", 0)]
)
async def test_an_account_that_leaves_takes_its_posts_along(status: str, gone: int) -> None:
    async with Sky() as sky:
        posts = sky.insert(2)
        account = {"active": False, "status": status}
        left = {"did": ADA, "time_us": 1741080700000000, "kind": "account", "account": account}
        by_jetstream = await heard(
            sky, [*(text(sky.frame(post)) for post in posts), text(left)], jetstream(sky)
        )
        body = {"seq": 9, "did": ADA, "time": iso(BEGINNING), **account}
        by_firehose = await heard(
            sky, [*(sky.commit(post) for post in posts), message("#account", body)], firehose(sky)
        )

    for pages in (by_jetstream, by_firehose):
        assert len([uri for page in pages for uri in page.gone]) == gone


async def test_what_a_relay_repeats_is_heard_once() -> None:
    async with Sky() as sky:
        [post] = sky.insert(1)
        frame = text(sky.frame(post))
        pages = await heard(sky, [frame, frame, frame], jetstream(sky))

    assert len(texts(pages)) == 1


@pytest.mark.parametrize(
    "broken",
    [
        "{torn",
        '{"did": 7}',
        TORN,
    ],
)
async def test_a_message_that_cannot_be_read_is_set_aside_and_the_stream_goes_on(
    broken: str,
) -> None:
    async with Sky() as sky:
        before, after = sky.insert(2)
        script = [text(sky.frame(before)), broken, text(sky.frame(after))]
        pages = await heard(sky, [*script], jetstream(sky))

    assert [len(page.unreadable) for page in pages] == [0, 1, 0]
    assert pages[1].unreadable[0].raw in {broken, '{"text":1}'}
    assert len(texts(pages)) == 2


@pytest.mark.parametrize("broken", [b"", b"\xff\xff", b"\xa0", b"\xa1aa\x01"], ids=repr)
async def test_a_broken_message_of_the_firehose_does_not_end_it(broken: bytes) -> None:
    async with Sky() as sky:
        before, after = sky.insert(2)
        whole = sky.commit(before)
        cut = whole[: len(whole) - 9]
        pages = await heard(sky, [whole, broken, cut, sky.commit(after)], firehose(sky))

    assert [number(post) for page in pages for post in page.posts] == [1, 2]
    assert sum(len(page.unreadable) for page in pages) == 2


async def test_a_commit_whose_archive_is_broken_is_set_aside() -> None:
    async with Sky() as sky:
        before, after = sky.insert(2)
        operation = {"action": "create", "path": "app.bsky.feed.post/3x", "cid": sky.cid(after)}
        body = {
            "seq": 5,
            "time": iso(BEGINNING),
            "repo": ADA,
            "ops": [operation],
            "blocks": b"\x05",
        }
        script = [sky.commit(before), message("#commit", body), sky.commit(after)]
        pages = await heard(sky, [*script], firehose(sky))

    assert [len(page.unreadable) for page in pages] == [0, 1, 0]


# How far it was heard.


def at(seconds: float) -> int:
    return int((BEGINNING.timestamp() + seconds) * 1_000_000)


def tick(seconds: float) -> str:
    """Something of no interest that happens on the network."""
    return text({"did": ADA, "time_us": at(seconds), "kind": "identity"})


async def test_a_quiet_stream_says_now_and_then_how_far_it_was_heard() -> None:
    async with Sky() as sky:
        pages = await heard(sky, [tick(n) for n in range(13)], jetstream(sky, words=["acme"]))

    spans = [page.span for page in pages if page.span]
    assert [(span.start - BEGINNING, span.end - BEGINNING) for span in spans] == [
        (timedelta(seconds=0), timedelta(seconds=5)),
        (timedelta(seconds=5), timedelta(seconds=10)),
    ]
    assert len(pages) == 2


async def test_a_stream_goes_on_five_seconds_before_where_it_was_cut() -> None:
    async with Sky() as sky:
        pages = await heard(sky, [tick(0), tick(6)], jetstream(sky))
        again = await heard(
            sky, [tick(1), tick(6), tick(8), tick(11)], jetstream(sky), pages[-1].cursor
        )
        asked = sky.asked[-1]

    assert asked.query == {
        "wantedCollections": "app.bsky.feed.post",
        "cursor": str(at(1)),
    }
    [span] = [page.span for page in again if page.span]
    assert span.start == BEGINNING + timedelta(seconds=6)


async def test_what_jetstream_no_longer_has_is_not_claimed_as_heard() -> None:
    async with Sky() as sky:
        pages = await heard(sky, [tick(0), tick(6)], jetstream(sky))
        later = await heard(sky, [tick(9_000), tick(9_006)], jetstream(sky), pages[-1].cursor)

    [span] = [page.span for page in later if page.span]
    assert span.start == BEGINNING + timedelta(seconds=9_000)


async def test_the_firehose_goes_on_after_its_last_number_and_owns_up_to_a_gap() -> None:
    async with Sky() as sky:
        first, second, third = (sky.insert(1, apart=timedelta(seconds=10))[0] for _ in range(3))
        pages = await heard(sky, [sky.commit(first)], firehose(sky))
        gapless = await heard(sky, [sky.commit(second)], firehose(sky), pages[-1].cursor)
        asked = sky.asked[-1]
        outdated = message("#info", {"name": "OutdatedCursor"})
        gap = await heard(sky, [outdated, sky.commit(third)], firehose(sky), pages[-1].cursor)

    assert asked.query == {"cursor": "1"}
    assert gapless[0].span is not None
    assert gapless[0].span.start == first.indexed
    assert [page.span for page in gap] == [None]


async def test_a_stream_that_does_not_know_our_cursor_is_heard_from_now_on() -> None:
    async with Sky() as sky:
        sky.script = [message("", {"error": "FutureCursor", "message": "Cursor in the future."})]
        cursor = Mark(stream="firehose", at=BEGINNING, seq=99).cursor
        async with door(sky) as network:
            stream: Any = cast(Listens, firehose(sky)).listen(network, cursor)
            async with aclosing(stream) as pages:
                page = await anext(pages)
                with pytest.raises(TryLater):
                    await anext(pages)

    assert page == Page(cursor=None)


async def test_a_stream_that_throws_us_out_is_heard_again_later() -> None:
    async with Sky() as sky:
        slow = message("", {"error": "ConsumerTooSlow"})
        with pytest.raises(TryLater, match="too slow"):
            await heard(sky, [slow], firehose(sky))
        sky.closing = 1008
        with pytest.raises(TryLater):
            await heard(sky, [], jetstream(sky))


@pytest.mark.parametrize("cursor", [None, "nonsense", '{"mark": 1}'])
async def test_a_cursor_that_is_not_of_this_stream_begins_now(cursor: str | None) -> None:
    async with Sky() as sky:
        other = Mark(stream="firehose", at=BEGINNING, seq=9).cursor
        await heard(sky, [], jetstream(sky), cursor)
        await heard(sky, [], jetstream(sky), other)

    assert all("cursor" not in asked.query for asked in sky.asked)


def test_the_newer_jetstream_is_resumed_by_time_so_that_it_can_move_us_up() -> None:
    mark = Mark(stream="jetstream", at=BEGINNING, seq=41)
    base = "wss://j.example/xrpc/network.bsky.jetstream.subscribeEvents"

    assert address("jetstream", base, mark) == (
        f"{base}?kinds=commit&kinds=account&collections=app.bsky.feed.post&cursor={at(-5)}"
    )


async def test_a_post_is_heard_the_moment_it_is_published() -> None:
    async with Sky() as sky, door(sky) as network:
        memory = Memory(sky)

        async def listen() -> None:
            async for page in cast(Listens, firehose(sky)).listen(network, None):
                memory.keep(page)

        task = asyncio.create_task(listen())
        async with asyncio.timeout(60):
            while not sky.listeners:
                await asyncio.sleep(0.01)
            sky.insert(3)
            while memory.numbers != [1, 2, 3]:
                await asyncio.sleep(0.01)
            sky.hang_up()
            await task


# Sources that have one way only.


def test_only_a_source_with_a_stream_listens() -> None:
    assert not isinstance(Bluesky.model_validate({"query": "acme"}), Listens)
    stream = Bluesky.model_validate({"stream": "firehose", "words": ["acme"]})
    assert isinstance(stream, Listens)
    assert Bluesky.model_validate(revealed(stream)) == stream
    assert Bluesky.model_validate(stream) == stream


async def test_a_stream_has_no_list_and_its_poll_claims_nothing() -> None:
    async with Sky() as sky:
        sky.insert(3)
        pages = await pull(sky, Memory(sky, cursor="kept"), jetstream(sky))
        async with door(sky) as network:
            health = await jetstream(sky).check(network)

    assert pages == [Page(cursor="kept")]
    assert health.well
