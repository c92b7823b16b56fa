"""App Store reviews are read page by page, with their times, however Apple writes them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.appstore import AppStore
from connectors.kit.contract import Author, Kind, Page, Post, Precision, Rating, Span, Web
from connectors.kit.errors import Unreadable
from connectors.kit.web import Network
from tests.connectors.place import BEGINNING, Place, Published
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "appstore"


class Store(Place):
    """The list of reviews: a few a page, ten pages at most, edits on top."""

    page = 5
    window = 50
    says_when: ClassVar = True

    def __init__(self) -> None:
        super().__init__()
        self.empty = False  # as for hours, now and then

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        listed = "/{country}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent"
        return [
            web.get(f"{listed}/json", self._json),
            web.get(f"{listed}/xml", self._xml),
            web.get("/lookup", self._lookup),
        ]

    @override
    def listed(self) -> list[Published]:
        return sorted(super().listed(), key=_updated, reverse=True)

    async def _json(self, request: web.Request) -> web.Response:
        reviews: list[object] = [self._review(post) for post in self._page(request)]
        feed: dict[str, object] = {"author": {"name": {"label": "iTunes Store"}}}
        if reviews:
            feed["entry"] = reviews if len(reviews) > 1 else reviews[0]
        body = orjson.dumps({"feed": feed})
        return web.Response(body=body, content_type="text/javascript")

    async def _xml(self, request: web.Request) -> web.Response:
        reviews = "".join(
            f"<entry><id>{post.number}</id><updated>{_updated(post).isoformat()}</updated>"
            f'<content type="text">{escape(post.text)}</content></entry>'
            for post in self._page(request)
        )
        feed = f'<feed xmlns="http://www.w3.org/2005/Atom">{reviews}</feed>'
        return web.Response(text=feed, content_type="application/xml")

    async def _lookup(self, request: web.Request) -> web.Response:
        known = request.query["id"] == "123" and request.query["country"] == "gb"
        found = [{"trackName": "Acme Soup", "trackId": 123}] if known else []
        return web.json_response({"resultCount": len(found), "results": found})

    def _page(self, request: web.Request) -> list[Published]:
        number = int(request.match_info["page"])
        assert request.match_info["app"] == "123"
        if number > 10:
            raise web.HTTPBadRequest
        start = (number - 1) * self.page
        return [] if self.empty else self.listed()[start : start + self.page]

    def _review(self, post: Published) -> dict[str, object]:
        review: dict[str, object] = {
            "id": {"label": str(post.number)},
            "title": {"label": "Soup"},
            "content": {"label": post.text, "attributes": {"type": "text"}},
            "im:rating": {"label": str(post.stars)},
            "author": {"name": {"label": post.author}, "uri": {"label": "http://x.test/id7"}},
        }
        if self.says_when:
            review["updated"] = {"label": _updated(post).isoformat()}
        return review


class OldStore(Store):
    """The same, as it was when its JSON had no times."""

    says_when: ClassVar = False


def _updated(post: Published) -> datetime:
    return post.edited or post.at


class TestAppStore(ConnectorSuite):
    """A list that says when."""

    connector = AppStore
    options: ClassVar = {"app": "123", "country": "gb"}
    place = Store


class TestOldAppStore(ConnectorSuite):
    """A list that says when only as XML."""

    connector = AppStore
    options: ClassVar = {"app": "123", "country": "gb"}
    place = OldStore


# What is asked, and what it proves.


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[tuple[AppStore, Web]]:
    async with store, Network(CONTACT, allow={store.host_port}) as network:
        yield AppStore(app="123", country="gb", api=store.url), network.web(FREE, "test")


async def poll(reviews: AppStore, web_: Web, memory: Memory) -> list[Page]:
    read = []
    async for page in reviews.pages(web_, memory.cursor, memory):
        memory.keep(page)
        read.append(page)
    return read


def claimed(pages: Iterable[Page]) -> list[Span]:
    return [page.span for page in pages if page.span]


async def test_a_quiet_store_costs_one_request() -> None:
    async with opened(store := Store()) as (reviews, web_):
        store.insert(20)
        store.wait(timedelta(days=3))
        memory = Memory(store)
        await poll(reviews, web_, memory)
        store.asked.clear()
        store.wait(timedelta(days=1))

        pages = await poll(reviews, web_, memory)

        assert len(store.asked) == 1
        assert claimed(pages)[-1].end == store.now


async def test_what_lies_beyond_the_five_hundred_stays_a_gap() -> None:
    async with opened(store := Store()) as (reviews, web_):
        store.insert(3)
        store.wait(timedelta(days=3))
        memory = Memory(store)
        await poll(reviews, web_, memory)
        before = store.now
        store.wait(timedelta(days=3))
        store.insert(80)

        spans = claimed(await poll(reviews, web_, memory))

        assert spans == [Span(store.listed()[-1].at, store.now)]
        assert spans[0].start > before


async def test_a_store_that_falls_empty_deletes_nothing_and_proves_nothing() -> None:
    async with opened(store := Store()) as (reviews, web_):
        store.insert(7)
        memory = Memory(store)
        await poll(reviews, web_, memory)
        store.empty = True
        store.wait(timedelta(hours=1))
        [page] = await poll(reviews, web_, memory)
        assert (page.gone, page.posts, page.span) == ((), (), None)

        store.insert(2)
        store.empty = False
        await poll(reviews, web_, memory)

        assert memory.numbers == list(range(1, 10))


async def test_an_edit_keeps_the_id_and_moves_the_time() -> None:
    async with opened(store := Store()) as (reviews, web_):
        first, *_ = store.insert(12)
        memory = Memory(store)
        await poll(reviews, web_, memory)
        store.wait(timedelta(days=1))
        edited = store.edit(first)

        await poll(reviews, web_, memory)

        post = memory.posts[str(first.number)]
        assert post.text == edited.text
        assert post.published == edited.edited
        assert len(memory.posts) == 12


async def test_pages_beyond_the_tenth_are_never_asked_for() -> None:
    async with opened(store := Store()) as (reviews, web_):
        store.insert(100)

        await poll(reviews, web_, Memory(store))

        assert (
            max(int(asked.path.partition("page=")[2].partition("/")[0]) for asked in store.asked)
            == 10
        )


async def test_a_check_knows_the_app_or_says_that_there_is_none() -> None:
    async with opened(Store()) as (reviews, web_):
        other = reviews.model_copy(update={"country": "fr"})

        assert (await reviews.check(web_)).says == (
            "Reads the reviews of “Acme Soup” in the App Store of “gb”."
        )
        missing = await other.check(web_)
        assert not missing.well
        assert missing.says == "There is no app 123 in the App Store of “fr”."


# What a review becomes.


class Recorded(Store):
    """Answers the first page from a recording."""

    json: bytes = (RECORDINGS / "page.json").read_bytes()
    xml: bytes = (RECORDINGS / "page.xml").read_bytes()

    @override
    async def _json(self, request: web.Request) -> web.Response:
        first = request.match_info["page"] == "1"
        return web.Response(body=self.json if first else b'{"feed": {}}')

    @override
    async def _xml(self, request: web.Request) -> web.Response:
        return web.Response(body=self.xml)


async def recorded(store: Recorded) -> tuple[dict[str, Post], list[Page]]:
    async with opened(store) as (reviews, web_):
        memory = Memory(store, since=BEGINNING - timedelta(days=9000))
        store.now = datetime(2030, 5, 2, tzinfo=UTC)
        pages = await poll(reviews, web_, memory)
        return memory.posts, pages


async def test_a_review_is_mapped_whole_with_its_time_from_the_xml() -> None:
    posts, _ = await recorded(Recorded())

    assert posts["9001"] == Post(
        id="9001",
        url="https://apps.apple.com/gb/app/id123?see-all=reviews",
        kind=Kind.REVIEW,
        title="Cold & late",
        text="It was cold <3 hours late.\nNever again",
        rating=Rating(1),
        author=Author(id="77", name="ada_eats", url="https://itunes.apple.com/gb/reviews/id77"),
        published=datetime(2030, 5, 1, 11, 6, 20, tzinfo=UTC),
        branch="123",
    )


async def test_a_review_without_any_time_counts_from_when_it_was_seen() -> None:
    posts, _ = await recorded(Recorded())

    assert posts["9000"].precision is Precision.SEEN


async def test_the_app_itself_is_no_review_and_a_bad_review_spoils_no_other() -> None:
    posts, pages = await recorded(Recorded())

    assert posts.keys() == {"9001", "9000"}
    assert {unread.reason for page in pages for unread in page.unreadable} == {
        "A review is not in Apple's usual shape: its im:rating."
    }


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<feed><entry>",
        b'<!DOCTYPE f [<!ENTITY x "y">]><feed>&x;</feed>',
        b'<?xml version="1.0" encoding="klingon"?><feed/>',
    ],
)
async def test_times_that_cannot_be_read_are_said_to_be_so(xml: bytes) -> None:
    store = Recorded()
    store.xml = xml

    with pytest.raises(Unreadable, match="XML that cannot be read"):
        await recorded(store)


# Options.


@pytest.mark.parametrize(
    "app",
    ["123", "id123", " 123 ", "https://apps.apple.com/gb/app/acme-soup/id123?mt=8"],
)
def test_an_app_is_known_by_its_number_or_its_address(app: str) -> None:
    assert AppStore(app=app, country="GB").app == "123"
    assert AppStore(app=app, country="GB").country == "gb"


@pytest.mark.parametrize(("app", "country"), [("acme", "gb"), ("", "gb"), ("1", "gbr"), ("1", "")])
def test_what_names_no_app_or_country_is_refused(app: str, country: str) -> None:
    with pytest.raises(ValidationError):
        AppStore(app=app, country=country)
