"""Mastodon and its kin are read without a gap, with regard for who may be read, and answered."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.kit.contract import Attachment, Author, Kind
from connectors.kit.errors import AccessDenied
from connectors.mastodon import Mastodon
from connectors.mastodon.shapes import local_id
from tests.connectors.fediverse import (
    ME,
    TOKEN,
    CountingTown,
    OtherTown,
    Town,
    pull,
    read_all,
    recorded,
)
from tests.connectors.place import BEGINNING
from tests.connectors.suite import ConnectorSuite, Memory, number


class TestMastodon(ConnectorSuite):
    """A hashtag on Mastodon."""

    connector = Mastodon
    options: ClassVar = {"api": "https://town.example", "tag": "acme", "token": TOKEN}
    place = Town
    reply_path = "/statuses"


class TestPleroma(ConnectorSuite):
    """A timeline where ids cannot be compared and a post is found by searching for its uri."""

    connector = Mastodon
    options: ClassVar = {"api": "https://town.example", "timeline": "public", "token": TOKEN}
    place = OtherTown
    reply_path = "/statuses"


class TestMentions(ConnectorSuite):
    """What is addressed to our own account."""

    connector = Mastodon
    options: ClassVar = {"api": "https://town.example", "mentions": True, "token": TOKEN}
    place = Town
    reply_path = "/statuses"


# What a status becomes.


def test_a_status_is_mapped_whole() -> None:
    post = recorded("status.json").as_post("town.example")

    assert post.id == "https://far.example/users/ada/statuses/114999999999999999"
    assert post.url == "https://far.example/@ada/114999999999999999"
    assert post.title == "Rant about lifts"
    assert post.text == (
        "@acme the lift is broken & nobody answers\n\n"
        "see https://pictures.example/lift #acme\nStill broken\nWorks"
    )
    assert post.kind is Kind.REPLY
    assert post.author == Author(
        id="https://far.example/@ada",
        name="Ada <3 Example",
        handle="ada@far.example",
        url="https://far.example/@ada",
        reach=42,
    )
    assert post.links == ("https://pictures.example/lift", "https://other.example/@bo/5")
    assert post.attachments == (
        Attachment("https://files.example/lift.png", "image", "A closed lift door"),
        Attachment("https://far.example/lift.bin", "link", ""),
    )
    assert post.published == datetime(2025, 9, 13, 10, 20, 30, 456000, tzinfo=UTC)
    assert post.edited == datetime(2025, 9, 13, 10, 25, tzinfo=UTC)
    assert post.language == "en"


def test_a_server_that_sends_unix_seconds_and_bare_quotes_is_understood() -> None:
    post = recorded("pleroma.json").as_post("town.example")

    assert post.published == datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC)
    assert post.author.handle == "ada@town.example"
    assert post.text == "The lift\nis broken."
    assert post.links == ("https://other.example/notice/9",)
    assert post.language is None


def test_a_picture_without_words_is_a_post_of_which_little_is_known() -> None:
    post = recorded("pixelfed.json").as_post("pix.example")

    assert post.text == ""
    assert post.attachments[0].alt == "The lift, again"
    assert post.author.reach is None
    assert post.id == "https://pix.example/p/ada/569707951076919000"


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("https://town.example/users/ada/statuses/115", "115"),
        ("https://town.example/ap/users/7/statuses/115", "115"),
        ("https://town.example/@ada/115", "115"),
        ("https://town.example/p/ada/115", "115"),
        ("https://town.example/notes/9abc", "9abc"),
        ("https://town.example/objects/0b7f8e6e-0000-4000-8000-000000000001", ""),
        ("https://far.example/users/ada/statuses/115", ""),
        ("https://town.example:8443/users/ada/statuses/115", ""),
        ("tag:town.example,2017:objectId=1", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_only_a_posts_own_server_is_asked_for_it_by_number(uri: str, local: str) -> None:
    assert local_id(uri, "town.example") == local


# Who may be read.


async def test_posts_for_followers_are_not_read_though_the_token_shows_them() -> None:
    async with Town() as town:
        town.private = {2}
        town.insert(3)
        memory = await read_all(town, tag="acme", token=TOKEN)

    assert memory.numbers == [1, 3]
    assert memory.unreadable == []


async def test_a_direct_message_that_mentions_us_is_a_message() -> None:
    async with Town() as town:
        town.told = {"visibility": "direct"}
        town.insert(1)
        memory = await read_all(town, mentions=True, token=TOKEN)

    assert [post.kind for post in memory.posts.values()] == [Kind.MESSAGE]


@pytest.mark.parametrize(
    ("flags", "tagged", "in_the_timeline"),
    [
        ({"noindex": True}, False, False),
        ({"discoverable": False}, False, False),
        ({"indexable": False}, True, False),
        ({"indexable": True, "discoverable": True, "noindex": False}, True, True),
        ({}, True, True),
    ],
)
async def test_accounts_that_do_not_want_to_be_found_are_left_alone(
    flags: Mapping[str, bool], tagged: bool, in_the_timeline: bool
) -> None:
    async with Town() as town:
        town.told = {"account": {**town.account(), **flags}}
        town.insert(1)
        by_tag = await read_all(town, tag="acme")
        by_timeline = await read_all(town, timeline="local")
        by_mention = await read_all(town, mentions=True, token=TOKEN)
        by_choice = await read_all(town, timeline="local", opted_out=True)

    assert bool(by_tag.posts) is tagged
    assert bool(by_timeline.posts) is in_the_timeline
    assert by_mention.posts, "who speaks to us wants to be heard"
    assert by_choice.posts


async def test_a_repost_is_the_original_once_more() -> None:
    async with Town() as town:
        [original] = town.insert(1)
        said = town.status(original)
        town.insert(1)
        town.told = {"reblog": said, "content": ""}
        memory = await read_all(town, timeline="public")

    assert [post.id for post in memory.posts.values()] == [said["uri"]]


async def test_our_own_posts_are_marked_as_ours() -> None:
    async with Town() as town:
        town.told = {"account": town.account("acme", ME)}
        town.insert(1)
        with_token = await read_all(town, tag="acme", token=TOKEN)
        without = await read_all(town, tag="acme")

    assert [post.author.ours for post in with_token.posts.values()] == [True]
    assert [post.author.ours for post in without.posts.values()] == [False]


async def test_a_timeline_for_members_says_so() -> None:
    async with Town() as town:
        town.members_only = True
        with pytest.raises(AccessDenied, match="only to members: give a token"):
            await read_all(town, timeline="public")
        assert (await read_all(town, timeline="public", token=TOKEN)).posts == {}


async def test_a_status_in_a_strange_shape_is_set_aside_and_the_page_is_kept() -> None:
    async with Town() as town:
        town.insert(2)
        town.told = {"created_at": "soon", "content": "secret words"}
        memory = await read_all(town, tag="acme")

    assert memory.posts == {}
    reasons = {unread.reason for unread in memory.unreadable}
    assert reasons == {"A status is in a shape we do not know: created_at (datetime_type)."}
    assert "secret words" in memory.unreadable[0].raw


# How it walks.


async def test_a_quiet_timeline_costs_one_request_and_climbs_from_what_was_read() -> None:
    async with Town() as town:
        town.insert(5)
        memory = await read_all(town, tag="acme")
        town.wait(timedelta(hours=1))
        await pull(town, memory, tag="acme")
        town.asked.clear()
        await pull(town, memory, tag="acme")

    [asked] = town.asked
    assert asked.query["min_id"] == max((town.local(post) for post in town.listed()), key=int)


async def test_what_is_younger_than_the_lag_is_asked_for_again() -> None:
    async with Town() as town:
        [old, *_] = town.insert(3)
        town.wait(Mastodon.lag)
        fresh = town.insert(3)
        memory = await read_all(town, tag="acme")
        town.asked.clear()
        pages = await pull(town, memory, tag="acme")

    assert {number(post) for page in pages for post in page.posts} >= {p.number for p in fresh}
    assert old.number not in {number(post) for page in pages for post in page.posts}


@pytest.mark.parametrize("kind", [Town, OtherTown])
async def test_what_pages_claim_to_have_read_leaves_no_gap_and_overlaps_nothing_unread(
    kind: type[Town],
) -> None:
    async with kind() as town:
        town.insert(35)
        memory = Memory(town)
        first = await pull(town, memory, tag="acme")
        town.wait(timedelta(minutes=30))
        town.insert(35)
        second = await pull(town, memory, tag="acme")

    spans = sorted([page.span for page in [*first, *second] if page.span], key=lambda s: s.start)
    assert spans[0].start == memory.since
    assert max(span.end for span in spans) == town.now
    reached = spans[0].end
    for span in spans[1:]:
        assert span.start <= reached
        reached = max(reached, span.end)


@pytest.mark.parametrize("read_before", [False, True], ids=["first walk", "later walk"])
async def test_an_old_date_on_top_does_not_hide_what_appears_below_it_late(
    read_before: bool,
) -> None:
    async with CountingTown() as town:
        memory = Memory(town)
        if read_before:
            await pull(town, memory, tag="acme")
        town.wait(timedelta(hours=3))
        town.insert(1)
        town.insert(1, indexed=town.now + timedelta(minutes=5))
        town.insert(1, at=town.now - timedelta(hours=2))
        await pull(town, memory, tag="acme")
        town.wait(timedelta(minutes=6))
        await pull(town, memory, tag="acme")

    assert memory.numbers == [1, 2, 3]


async def test_the_first_walk_leaves_out_what_is_older_than_wanted() -> None:
    async with Town() as town:
        town.insert(5, at=BEGINNING - timedelta(days=8))
        town.insert(5)
        memory = await read_all(town, tag="acme")

    assert memory.numbers == [6, 7, 8, 9, 10]


async def test_a_cursor_in_other_words_begins_anew() -> None:
    async with Town() as town:
        town.insert(3)
        memory = Memory(town, cursor="from another version")
        await pull(town, memory, tag="acme")

    assert memory.numbers == [1, 2, 3]


async def test_a_link_header_cannot_send_our_token_to_another_host() -> None:
    class Sly(Town):
        @override
        def links(self, request: web.Request, ids: Sequence[str]) -> str:
            return f'<http://elsewhere.example/steal?max_id={ids[-1]}&access=1>; rel="next"'

    async with Sly() as town:
        town.insert(25)
        memory = await read_all(town, tag="acme", token=TOKEN)

    assert len(memory.numbers) == 25
    assert all("access" not in asked.query for asked in town.asked)


async def test_an_answer_to_our_reply_names_it_by_its_global_id() -> None:
    async with Town() as town:
        [ours] = town.insert(1)
        town.told = {"in_reply_to_id": town.local(ours)}
        town.insert(1)
        memory = await read_all(town, mentions=True, token=TOKEN)
        uri = town.uri(ours)

    assert {post.in_reply_to for post in memory.posts.values()} == {uri}


# Options.


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "choose one of tag, timeline and mentions"),
        ({"tag": "acme", "timeline": "local"}, "choose one of"),
        ({"mentions": True}, "with a token"),
        ({"tag": "two words"}, "a hashtag is one word"),
        ({"tag": "#"}, "a hashtag is one word"),
        ({"tag": "../x"}, "a hashtag is one word"),
        ({"timeline": "home"}, "'public', 'local' or 'remote'"),
        ({"tag": "acme", "api": "town.example"}, "valid URL"),
        ({"tag": "acme", "characters": 0}, "greater than 0"),
    ],
)
def test_options_that_cannot_work_are_refused_in_words(
    options: Mapping[str, object], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        Mastodon.model_validate({"api": "https://town.example", **options})


def test_a_hashtag_may_be_written_with_its_sign_and_an_address_with_a_slash() -> None:
    connector = Mastodon(api="https://town.example/", tag="#Bäckerei")

    assert connector.tag == "Bäckerei"
    assert connector.api == "https://town.example"


def test_a_refused_option_does_not_repeat_the_token() -> None:
    with pytest.raises(ValidationError) as refused:
        Mastodon.model_validate({"api": "https://town.example", "token": TOKEN})

    assert TOKEN not in str(refused.value)
