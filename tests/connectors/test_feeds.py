"""Feeds are read in every dialect, however broken, without a gap and without harm."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import ClassVar

import orjson
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typing_extensions import override

from connectors.feeds import Feeds
from connectors.feeds.memory import canonical
from connectors.kit.contract import (
    Attachment,
    Author,
    Kind,
    Page,
    Post,
    Precision,
    Span,
)
from connectors.kit.errors import Gone, Unreadable
from connectors.kit.web import Network
from tests.connectors.feed_site import NOW, RECORDINGS, Reader, Site, open_site, read, rss, said
from tests.connectors.place import BEGINNING, Place
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

# The contract, in three dialects.


class Paper(Place):
    """A blog with its feed in RSS, which knows what its readers have."""

    page = 5
    window = 15
    type: ClassVar = "application/rss+xml"

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/feed", self._feed)]

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        body = self.written().encode()
        etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(
            body=body, headers={"ETag": etag, "Content-Type": f"{self.type}; charset=utf-8"}
        )

    def written(self) -> str:
        pieces = "".join(
            f"<item><guid>{self.url}/p/{post.number}</guid><link>{self.url}/p/{post.number}</link>"
            f"<title>Fish no. {post.number}</title><pubDate>{format_datetime(post.at)}</pubDate>"
            f"<description>{escape(post.html)}</description></item>"
            for post in self.listed()
        )
        return f'<rss version="2.0"><channel><title>Fish</title>{pieces}</channel></rss>'


class AtomPaper(Paper):
    """The same in Atom, without validators, so that it is sent whole every time."""

    type: ClassVar = "application/atom+xml"

    @override
    async def _feed(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=self.written(), content_type=self.type)

    @override
    def written(self) -> str:
        pieces = "".join(
            f"<entry><id>tag:fish.example,2025:{post.number}</id><title>Fish</title>"
            f'<link href="/p/{post.number}"/><published>{post.at.isoformat()}</published>'
            f"<updated>{(post.edited or post.at).isoformat()}</updated>"
            f'<content type="html">{escape(post.html)}</content></entry>'
            for post in self.listed()
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Fish</title>{pieces}</feed>'


class JsonPaper(Paper):
    """The same as JSON Feed."""

    type: ClassVar = "application/feed+json"

    @override
    def written(self) -> str:
        pieces = [
            {"id": str(post.number), "url": f"{self.url}/p/{post.number}"}
            | {"content_html": post.html, "date_published": post.at.isoformat()}
            for post in self.listed()
        ]
        told = {"version": "https://jsonfeed.org/version/1.1", "title": "Fish", "items": pieces}
        return orjson.dumps(told).decode()


class FeedSuite(ConnectorSuite):
    connector = Feeds
    options: ClassVar = {"url": "https://fish.example/feed"}
    address = "url"

    @override
    def connect(self, place: Place) -> Feeds:
        return Feeds(url=f"{place.url}/feed")


class TestRss(FeedSuite):
    """RSS with ETag."""

    place = Paper


class TestAtom(FeedSuite):
    """Atom without validators."""

    place = AtomPaper


class TestJsonFeed(FeedSuite):
    """JSON Feed."""

    place = JsonPaper


del FeedSuite  # only its subclasses are tests


# What a poll costs, and what it proves.


@asynccontextmanager
async def reader(place: Place, memory: Memory) -> AsyncIterator[Callable[[], Awaitable[Page]]]:
    async with Network(CONTACT, allow={place.host_port}) as network:

        async def poll() -> Page:
            feeds = Feeds(url=f"{place.url}/feed")
            [page] = [
                page async for page in feeds.pages(network.web(FREE, "t"), memory.cursor, memory)
            ]
            memory.keep(page)
            return page

        yield poll


async def test_an_unchanged_feed_is_a_success_that_proves_the_time_between() -> None:
    async with Paper() as paper, reader(paper, memory := Memory(paper)) as poll:
        paper.insert(3)
        first = await poll()
        read = paper.now
        paper.wait(timedelta(hours=1))

        second = await poll()

        assert len(first.posts) == 3
        assert "If-None-Match" in paper.asked[-1].headers
        assert "application/rss+xml" in paper.asked[-1].headers["Accept"]
        assert second.posts == ()
        assert second.span == Span(read, paper.now)
        assert memory.unreadable == []


async def test_a_server_without_validators_repeats_itself_in_vain() -> None:
    async with AtomPaper() as paper, reader(paper, Memory(paper)) as poll:
        paper.insert(3)
        await poll()
        read = paper.now
        paper.wait(timedelta(hours=1))

        again = await poll()

        assert again.posts == ()
        assert again.span == Span(read, paper.now)


async def test_only_what_is_new_is_handed_on() -> None:
    async with AtomPaper() as paper, reader(paper, Memory(paper)) as poll:
        paper.insert(3)
        await poll()
        read = paper.now
        [fresh] = paper.insert(1)

        page = await poll()

        assert [post.id for post in page.posts] == [f"tag:fish.example,2025:{fresh.number}"]
        assert page.span == Span(read, paper.now)


async def test_what_fell_off_the_end_between_two_polls_stays_a_gap() -> None:
    async with Paper() as paper, reader(paper, Memory(paper)) as poll:
        paper.insert(3)
        await poll()
        paper.wait(timedelta(hours=1))
        paper.insert(40)

        page = await poll()

        assert len(page.posts) == paper.window
        assert page.span == Span(paper.listed()[-1].at, paper.now)


async def test_the_first_poll_proves_what_is_listed_and_leaves_the_old_to_others() -> None:
    async with Paper() as paper, reader(paper, Memory(paper)) as poll:
        paper.insert(2, at=BEGINNING - timedelta(days=400))
        [fresh] = paper.insert(1)

        page = await poll()

        assert [post.published for post in page.posts] == [fresh.at]
        assert page.span == Span(BEGINNING - timedelta(days=7), paper.now)


# What a piece becomes.


async def recorded(name: str) -> Page:
    return await read(RECORDINGS.joinpath(name).read_bytes())


async def test_an_article_is_mapped_whole() -> None:
    page = await recorded("blog.rss")

    article = page.posts[0]
    assert article == Post(
        id="https://soup.example/?p=41",
        url="https://soup.example/2030/05/kettles/?utm_source=rss&utm_medium=feed",
        kind=Kind.ARTICLE,
        title="Acme “renews” its kettles",
        text="The whole story & more.\n\nTheir shop",
        author=Author(name="Ada Example"),
        published=datetime(2030, 5, 1, 12, 0, tzinfo=UTC),
        language="en-GB",
        links=("https://soup.example/shop",),
        attachments=(
            Attachment("https://soup.example/kettle.mp3", "audio"),
            Attachment("https://soup.example/kettle.mp4", "video"),
            Attachment(
                "https://soup.example/2030/05/kettles/pictures/kettle.jpg", "image", "A kettle"
            ),
        ),
    )


async def test_a_piece_that_says_little_is_read_as_far_as_it_goes() -> None:
    _, undated, future = (await recorded("blog.rss")).posts

    assert undated.id == "https://soup.example/undated"
    assert (undated.published, undated.precision) == (NOW, Precision.SEEN)
    assert undated.truncated
    assert undated.author.name == "Soup & Spoon"
    assert future.published == NOW
    assert future.url == "https://soup.example/"
    assert future.author.name == "Grace Example"
    assert len(future.id) == 64


async def test_one_bad_piece_is_set_aside_and_the_others_are_read() -> None:
    page = await recorded("blog.rss")

    assert len(page.posts) == 3
    [unread] = page.unreadable
    assert unread.reason == (
        "One piece of the feed cannot be read: it has neither a title, nor a text, nor an address."
    )


async def test_json_feed_is_mapped_too() -> None:
    page = await recorded("blog.json")

    kettles, words = page.posts
    assert kettles.id == "127.0.0.1/41"
    assert kettles.title == "Kettles & lids"
    assert kettles.text == "Mine leaks. Shop"
    assert kettles.links == ("https://soup.example/shop",)
    assert kettles.author.id == "https://ada.example/"
    assert kettles.published == datetime(2030, 5, 1, 5, 0, tzinfo=UTC)
    assert kettles.edited == datetime(2030, 5, 1, 6, 0, tzinfo=UTC)
    assert [each.kind for each in kettles.attachments] == ["audio", "image"]
    assert words.text == "Plain <text> & so on"
    assert words.precision is Precision.DAY
    assert len(page.unreadable) == 2


async def test_a_wordpress_comment_hangs_on_its_article() -> None:
    [comment] = (await recorded("wordpress-comments.rss")).posts

    assert comment.kind is Kind.COMMENT
    assert comment.text == "Mine leaks 😡"
    assert comment.thread == "https://soup.example/2030/05/kettles"


async def test_isso_comments_and_their_replies_form_a_thread() -> None:
    reply, comment = (await recorded("isso.atom")).posts

    assert reply.kind is Kind.REPLY
    assert reply.in_reply_to == comment.id == "tag:soup.example,2018:/isso/1/1"
    assert comment.kind is Kind.COMMENT
    assert {reply.thread, comment.thread} == {"https://soup.example/kettles"}


async def test_google_news_is_the_headline_and_its_paper() -> None:
    first = (await recorded("google-news.rss")).posts[0]
    moved = RECORDINGS.joinpath("google-news.rss").read_text().replace("REDIRECT1", "REDIRECT2")
    second = (await read(moved)).posts[0]

    assert first.title == "Acme recalls kettles"
    assert first.author.name == "The Example Times"
    assert "Other firms" not in first.text
    assert first.id == second.id


async def test_google_alerts_lead_to_the_page_itself() -> None:
    [alert] = (await recorded("google-alerts.atom")).posts

    assert alert.title == "Why Acme kettles leak"
    assert alert.url == "https://blog.example/leak?a=1"
    assert alert.id == "tag:google.com,2013:googlealerts/feed:777"


async def test_times_that_contradict_each_other_are_no_edits() -> None:
    [alert] = (await recorded("google-alerts.atom")).posts

    assert alert.edited is None


# Ids.


@pytest.mark.parametrize(
    ("piece", "id_"),
    [
        (said("urn:uuid:1", "https://a.test/1"), "urn:uuid:1"),
        (said("tag:a.test,2030:1"), "tag:a.test,2030:1"),
        (said("https://a.test/?p=1", "https://a.test/one"), "https://a.test/?p=1"),
        (said("17", "https://a.test/1"), "127.0.0.1/17"),
        (said("", "HTTP://WWW.a.test:80/1/?utm_source=x&b=2#top"), "https://a.test/1?b=2#top"),
    ],
)
async def test_an_id_is_the_guid_or_else_the_link(piece: str, id_: str) -> None:
    [post] = (await read(rss(f"{piece}<description>text</description>"))).posts

    assert post.id == id_


async def test_pieces_that_share_a_guid_or_a_link_are_still_different() -> None:
    page = await read(
        rss(
            said("0", "https://a.test/1", "one"),
            said("0", "https://a.test/2", "two"),
            said("", "https://a.test/", "three"),
            said("", "https://a.test/", "four"),
        )
    )

    assert len({post.id for post in page.posts}) == 4


async def test_a_guid_that_changes_with_each_build_does_not_make_a_new_post() -> None:
    def build(number: int) -> str:
        date = "Wed, 01 May 2030 07:00:00 GMT"
        return rss(
            said(f"build-{number}-a", "https://a.test/a", "Kettles leak", date),
            said(f"build-{number}-b", f"https://a.test/b?utm_id={number}", "Lids too", date),
            said(f"build-{number}-c", f"https://a.test/c-{number}", "Spoons three", date),
        )

    first = await read(build(1))
    second = await read(build(2), cursor=first.cursor)

    assert len(first.posts) == 3
    assert second.posts == ()


async def test_two_notices_with_one_link_are_two_posts() -> None:
    first = await read(rss(said("1", "https://a.test/", "Closed today", "1 May 2030 07:00 GMT")))
    second = await read(
        rss(said("2", "https://a.test/", "Open again", "1 May 2030 09:00 GMT")),
        cursor=first.cursor,
    )

    assert [post.id for post in second.posts] == ["127.0.0.1/2"]


async def test_a_corrected_headline_is_an_edit_even_under_a_new_guid() -> None:
    first = await read(rss(said("1", "https://a.test/1", "Acme shuts", "1 May 2030 07:00 GMT")))
    second = await read(
        rss(said("2", "https://a.test/1", "Acme does not shut", "1 May 2030 07:00 GMT")),
        cursor=first.cursor,
    )

    assert [post.id for post in second.posts] == [first.posts[0].id]
    assert second.posts[0].title == "Acme does not shut"


async def test_enough_is_remembered_to_recognise_what_comes_back() -> None:
    cursor = None
    for build in range(6):
        pieces = [said(f"{build}-{n}", f"https://a.test/{build}/{n}", "t") for n in range(100)]
        cursor = (await read(rss(*pieces), cursor=cursor)).cursor
    returned = [said(f"1-{n}", f"https://a.test/1/{n}", "t") for n in range(100)]

    assert (await read(rss(*returned), cursor=cursor)).posts == ()
    assert cursor is not None
    assert len(cursor) < 150_000


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_canonical_address_stays_as_it_is(link: str) -> None:
    once = canonical(f"https://a.test/{link}")

    assert canonical(once) == once


# Who answers what.


@pytest.mark.parametrize(
    "head",
    [
        "<link rel='alternate' type='application/rss+xml' href='/feed.xml'>",
        '<LINK TYPE="application/atom+xml" HREF="https://a.test/feed.xml" REL="Alternate">',
    ],
)
async def test_a_web_page_names_its_feed(head: str) -> None:
    page = f"<!DOCTYPE html><html><head>{head}</head><body>Hello</body></html>"

    with pytest.raises(Unreadable, match="a web page, not a feed") as caught:
        await read(page, "text/html")

    assert "/feed.xml: use that address" in str(caught.value)


async def test_a_web_page_without_a_feed_says_what_to_look_for() -> None:
    with pytest.raises(Unreadable, match="Look for the address of its feed"):
        await read("<html><body>Hello</body></html>", "text/html")


async def test_a_check_puts_it_in_words() -> None:
    async with open_site(Site(rss(said("1", title="x")).encode())) as (feeds, web_):
        good = await feeds.check(web_)
    async with open_site(Site(b"<html></html>")) as (feeds, web_):
        page = await feeds.check(web_)
    async with open_site(Site(b"", status=410)) as (feeds, web_):
        gone = await feeds.check(web_)

    assert good.well
    assert good.says == "Reads “t”, which lists 1 pieces now."
    assert not page.well
    assert not gone.well
    assert "410" in gone.says


async def test_a_feed_that_is_gone_says_so() -> None:
    async with open_site(Site(b"", status=410)) as (feeds, web_):
        with pytest.raises(Gone):
            _ = [page async for page in feeds.pages(web_, None, Reader())]


@pytest.mark.parametrize("address", ["", "nonsense", "ftp://a.test/feed", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Feeds(url=address)


async def test_a_bad_piece_is_told_once() -> None:
    body = (RECORDINGS / "blog.rss").read_text()
    first = await read(body)
    second = await read(body.replace("Soup", "Stew"), cursor=first.cursor)

    assert len(first.unreadable) == 1
    assert second.unreadable == ()
