"""Bluesky is read without a gap, by search and by notification, with regard for who may be read."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.bluesky import Bluesky
from connectors.bluesky.shapes import Record, View
from connectors.kit.contract import Attachment, Author, Kind
from connectors.kit.errors import AccessDenied, Unreadable
from tests.connectors.place import BEGINNING
from tests.connectors.skyline import (
    ADA,
    HANDLE,
    OURS,
    PASSWORD,
    RECORDINGS,
    Sky,
    bluesky,
    iso,
    member,
    pull,
    read_all,
)
from tests.connectors.suite import ConnectorSuite, Memory


class OldSky(Sky):
    """A server whose search knows no `until`, such as one of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.knows_until = False


class TestSearch(ConnectorSuite):
    """A search by somebody with an account."""

    connector = Bluesky
    options: ClassVar = {"query": "acme", "handle": HANDLE, "password": PASSWORD}
    place = Sky
    reply_path = "putRecord"


class TestNotifications(ConnectorSuite):
    """What is addressed to our own account."""

    connector = Bluesky
    options: ClassVar = {"notifications": True, "handle": HANDLE, "password": PASSWORD}
    place = Sky
    reply_path = "putRecord"


# What a post becomes.


def recorded() -> View:
    return View.model_validate_json((RECORDINGS / "view.json").read_bytes())


def test_a_post_is_mapped_whole() -> None:
    post = recorded().as_post()

    assert post.id == f"at://{ADA}/app.bsky.feed.post/3lpk2u6qo222m"
    assert post.url == f"https://bsky.app/profile/{ADA}/post/3lpk2u6qo222m"
    assert post.text == "Grüße 👩‍👩‍👦 @acme.example der Lift: acme.example/lif…"
    assert post.kind is Kind.REPLY
    assert post.language == "de"
    assert post.published == datetime(2025, 3, 4, 9, 30, 0, 123456, tzinfo=UTC)
    assert post.author == Author(
        id=ADA, name="Ada ✨", handle="ada.example", url=f"https://bsky.app/profile/{ADA}"
    )
    assert post.in_reply_to == "at://did:plc:bob/app.bsky.feed.post/3parent"
    assert post.thread == "at://did:plc:bob/app.bsky.feed.post/3root"
    assert post.links == (
        "https://acme.example/lifts/4",
        "https://bsky.app/profile/did:plc:eve/post/3quoted",
    )
    picture = f"https://cdn.bsky.app/img/feed_fullsize/plain/{ADA}/bafkreipicture@jpeg"
    assert post.attachments == (Attachment(picture, "image", "A sign: out of order"),)


def test_a_post_of_our_own_account_is_ours() -> None:
    assert recorded().as_post(ADA).author.ours
    assert not recorded().as_post(OURS).author.ours


@pytest.mark.parametrize(
    ("embed", "links", "attachments"),
    [
        (
            {"external": {"uri": "https://news.example/1", "title": "Acme &amp; Co", "thumb": 7}},
            ("https://news.example/1",),
            (Attachment("https://news.example/1", "link", "Acme &amp; Co"),),
        ),
        (
            {"video": {"ref": {"$link": "bafkfilm"}}, "alt": "the lift, stuck"},
            (),
            (
                Attachment(
                    "https://video.bsky.app/watch/did%3Aplc%3Aada/bafkfilm/playlist.m3u8",
                    "video",
                    "the lift, stuck",
                ),
            ),
        ),
        (
            {"images": [{"image": {"cid": "bafkold", "mimeType": "image/png"}}]},
            (),
            (
                Attachment(
                    "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:ada/bafkold@jpeg",
                    "image",
                ),
            ),
        ),
        ({"record": {"uri": "at://did:plc:a/app.bsky.feed.generator/x"}}, (), ()),
        ({"images": [{"image": {"ref": {"$link": "../../evil"}}}]}, (), ()),
        ({"external": {"uri": "javascript:alert(1)"}}, (), ()),
        ({"images": "none"}, (), ()),
        ("nonsense", (), ()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_hangs_on_a_post_is_kept_as_links(
    embed: object, links: tuple[str, ...], attachments: tuple[Attachment, ...]
) -> None:
    record = Record.model_validate({"text": "look", "embed": embed})
    post = record.as_post("at://did:plc:ada/app.bsky.feed.post/3one", Author(), BEGINNING)

    assert post.links == links
    assert post.attachments == attachments


@pytest.mark.parametrize("ornament", ["langs", "facets", "reply", "embed"])
def test_a_broken_ornament_does_not_cost_the_words(ornament: str) -> None:
    record = Record.model_validate({"text": "broken lift", ornament: {"no": ["idea"]}})
    post = record.as_post("at://did:plc:ada/app.bsky.feed.post/3one", Author(), BEGINNING)

    assert post.text == "broken lift"
    assert post.kind is Kind.POST


@pytest.mark.parametrize(
    ("claimed", "published"),
    [
        ("2025-03-04T09:00:00Z", BEGINNING - timedelta(minutes=30)),
        ("2035-03-04T09:00:00Z", BEGINNING),
        ("0001-01-01T00:00:00Z", BEGINNING),
        ("yesterday", BEGINNING),
        (None, BEGINNING),
        (["2025"], BEGINNING),
    ],
)
def test_an_author_may_claim_any_time_but_the_future(claimed: object, published: datetime) -> None:
    record = Record.model_validate({"text": "broken", "createdAt": claimed})

    assert record.at(BEGINNING) == published


def test_a_handle_that_is_broken_is_no_handle() -> None:
    view = json.loads((RECORDINGS / "view.json").read_bytes())
    view["author"]["handle"] = "handle.invalid"

    assert View.model_validate(view).as_post().author.handle == ""


# Who may be read.

LABELS: list[tuple[dict[str, Any], bool, bool]] = [
    ({"val": "bot"}, True, True),
    ({"val": "!hide"}, False, False),
    ({"val": "!takedown"}, False, False),
    ({"val": "!hide", "neg": True}, True, True),
    ({"val": "!hide", "exp": "2020-01-01T00:00:00Z"}, True, True),
    ({"val": "!no-unauthenticated"}, True, False),
]


@pytest.mark.parametrize(("label", "to_members", "to_strangers"), LABELS, ids=str)
@pytest.mark.parametrize("worn_by", ["post", "author"])
async def test_moderators_and_authors_say_who_reads_a_post(
    label: dict[str, Any], to_members: bool, to_strangers: bool, worn_by: str
) -> None:
    async with Sky() as sky:
        plain, marked = sky.insert(2)
        author = {"did": ADA, "handle": "ada.example", "labels": [label]}
        sky.views[marked.number] = {"labels": [label]} if worn_by == "post" else {"author": author}
        as_member = await read_all(sky, member(sky, query="acme"))
        as_stranger = await read_all(sky, bluesky(sky, query="acme"))

    assert (marked.number in as_member.numbers) is to_members
    assert (marked.number in as_stranger.numbers) is to_strangers
    assert plain.number in as_stranger.numbers


# How lists are read.


async def test_a_server_that_knows_no_until_is_read_by_its_own_cursor() -> None:
    async with OldSky() as sky:
        sky.insert(3 * sky.page + 3)
        memory = Memory(sky)
        await pull(sky, memory, bluesky(sky, query="acme"))
        first = len(memory.posts)
        sky.insert(2)
        await pull(sky, memory, bluesky(sky, query="acme"))

        assert (first, len(memory.posts)) == (33, 35)
        assert memory.unreadable == []


async def test_more_posts_of_one_second_than_a_page_holds_are_all_read() -> None:
    async with Sky() as sky:
        sky.insert(3, at=BEGINNING - timedelta(hours=1))
        sky.insert(2 * sky.page + 5, at=BEGINNING)
        memory = await read_all(sky, bluesky(sky, query="acme"))

        assert len(memory.posts) == 2 * sky.page + 8


async def test_a_search_goes_down_by_time_and_not_by_offset() -> None:
    async with Sky() as sky:
        sky.insert(2 * sky.page + 1)
        await read_all(sky, bluesky(sky, query="acme"))
        asked = [one.query for one in sky.asked]

    assert all("cursor" not in query for query in asked)
    assert [query.get("until", "") for query in asked] == sorted(
        (query.get("until", "") for query in asked), key=lambda until: until or "9", reverse=True
    )
    assert {query["since"] for query in asked} == {iso(BEGINNING - timedelta(days=7))}


async def test_a_backdated_post_stands_where_the_search_puts_it() -> None:
    async with Sky() as sky:
        [post] = sky.insert(1)
        sky.records[post.number] = {"createdAt": iso(BEGINNING - timedelta(days=2))}
        memory = await read_all(sky, bluesky(sky, query="acme"))

    [read] = memory.posts.values()
    assert read.published == BEGINNING - timedelta(days=2)


async def test_a_line_that_cannot_be_read_is_set_aside_and_the_rest_is_read() -> None:
    async with Sky() as sky:
        good, bad = sky.insert(2)
        sky.views[bad.number] = {"record": {"text": ["not", "text"]}}
        memory = await read_all(sky, bluesky(sky, query="acme"))

    assert memory.numbers == [good.number]
    [unread] = memory.unreadable
    assert unread.reason == "A post is in a shape we do not know: record.text (string_type)."
    assert "not" in unread.raw


async def test_likes_among_our_notifications_are_no_posts() -> None:
    async with Sky() as sky:
        liked, _ = sky.insert(2)
        sky.views[liked.number] = {"record": {"$type": "app.bsky.feed.like"}, "reason": "like"}
        memory = await read_all(sky, member(sky, notifications=True))

    assert memory.numbers == [2]
    assert memory.unreadable == []


async def test_a_search_that_shows_itself_to_members_only_says_so() -> None:
    async with Sky() as sky:
        sky.members_only = True
        with pytest.raises(AccessDenied, match="handle and an app password"):
            await read_all(sky, bluesky(sky, query="acme"))
        sky.insert(1)
        assert len((await read_all(sky, member(sky, query="acme"))).posts) == 1


async def test_a_query_that_the_server_does_not_understand_is_named() -> None:
    async with Sky() as sky:
        with pytest.raises(Unreadable, match="does not understand the query"):
            await read_all(sky, bluesky(sky, query="a AND"))


# Options.


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, "choose one"),
        ({"query": "  "}, "choose one"),
        ({"query": "acme", "stream": "jetstream"}, "choose one"),
        ({"notifications": True}, "handle and an app password"),
        ({"query": "acme", "password": PASSWORD}, "needs the handle"),
        ({"query": "acme", "words": ["acme"]}, "sift a stream"),
        ({"stream": "firehose", "words": ["acme", " "]}, "at least one letter"),
        ({"query": "acme", "api": "ftp://pds.example"}, "begins with https"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        Bluesky.model_validate(options)


def test_what_comes_to_our_own_account_is_about_us() -> None:
    told = {"handle": f"@{HANDLE.upper()}", "password": PASSWORD}

    assert Bluesky.model_validate({"notifications": True, **told}).about_us
    assert not Bluesky.model_validate({"query": "acme", **told}).about_us
    assert Bluesky.model_validate({"query": "acme", **told}).handle == HANDLE


@pytest.mark.parametrize(
    ("options", "home"),
    [
        ({"query": "acme"}, "public.api.bsky.app"),
        ({"query": "acme", "handle": HANDLE, "password": PASSWORD}, "bsky.social"),
        ({"query": "acme", "api": "https://pds.example/"}, "pds.example"),
        ({"stream": "jetstream"}, "jetstream2.us-east.bsky.network"),
        ({"stream": "firehose"}, "bsky.network"),
        ({"stream": "firehose", "api": "https://pds.example"}, "pds.example"),
        ({"stream": "firehose", "api_stream": "wss://relay.example"}, "relay.example"),
    ],
    ids=str,
)
def test_a_source_asks_one_host(options: dict[str, Any], home: str) -> None:
    assert Bluesky.model_validate(options).home == home
