"""Scenes of journeys: places in which different people say different things."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zlib import crc32

from aiohttp import web
from typing_extensions import override

from connectors.kit.contract import Span
from listener.domain.mention import Mention
from listener.domain.source import Reading, Source, Way
from listener.store import coverage, sources
from tests.connectors.fediverse import ME, TOKEN, OtherTown, Town
from tests.connectors.place import SECOND, Place, Published
from tests.connectors.test_appstore import Store as Shop
from tests.world import World

ALWAYS = 10_000  # so many requests that it is all of them
MARK = re.compile(r"\bn(\d+)n\b")
WINDOW = re.compile(r"created_at_i>=(\d+),created_at_i<(\d+)")

Planned = dict[str, Any]


class Village(Town):
    """A server of the fediverse where every post has an author of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: web.Response | None = None  # what its timelines answer, if not posts

    @override
    def status(self, post: Published) -> dict[str, Any]:
        return {**super().status(post), "account": self.citizen(post.author), **self.told}

    def citizen(self, name: str) -> dict[str, object]:
        """An account of this village; `acme` is the token's own."""
        handle = name.split()[0].lower()
        return self.account(handle, ME if handle == "acme" else str(crc32(handle.encode())))

    @override
    async def timeline(self, request: web.Request) -> web.Response:
        if self.instead is not None:
            return web.Response(body=self.instead.body, content_type=self.instead.content_type)
        return await super().timeline(request)


class Hamlet(OtherTown, Village):
    """The same of another make, which is walked from the newest post down."""


class Orange(Place):
    """The search of Hacker News, and its single posts, on one address."""

    page: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[int] = set()  # numbers of posts that it does not find at the moment

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v1/search_by_date", self.search),
            web.get("/v0/item/{number}.json", self.one),
        ]

    async def search(self, request: web.Request) -> web.Response:
        window = WINDOW.fullmatch(request.query["numericFilters"])
        assert window is not None
        start, end = map(int, window.groups())
        found = [post for post in self.listed() if start <= int(post.at.timestamp()) < end]
        hits = [
            {
                "objectID": str(post.number),
                "author": post.author.split()[0].lower(),
                "created_at_i": int(post.at.timestamp()),
                "comment_text": post.html,
                "story_id": 1,
                "parent_id": 1,
            }
            for post in found[: self.page]
        ]
        return web.json_response({"hits": hits, "nbHits": len(found)})

    async def one(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        post = self.holds(number)
        if number in self.hidden:
            return web.json_response(None)
        told = {"id": number, "type": "comment", "time": int(self._held[number].at.timestamp())}
        if post is None:
            return web.json_response({**told, "deleted": True})
        author = post.author.split()[0].lower()
        return web.json_response({**told, "by": author, "text": post.html, "parent": 1})


class Library(Orange):
    """The same with whole pages, for many posts."""

    page: ClassVar[int] = 1_000


class Paper(Place):
    """A newspaper with a feed, which lists only its newest pieces."""

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/feed.json", self.feed)]

    async def feed(self, request: web.Request) -> web.Response:
        del request
        pieces = [
            {
                "id": f"{self.url}/{post.number}",
                "url": f"{self.url}/{post.number}",
                "content_text": post.text,
                "date_published": post.at.isoformat(),
                "authors": [{"name": post.author, "url": f"{self.url}/by/{post.author[:3]}"}],
            }
            for post in self.listed()
        ]
        told = {"version": "https://jsonfeed.org/version/1.1", "title": "Paper", "items": pieces}
        return web.json_response(told)


class Weekly(Paper):
    """A paper whose feed has room for twenty pieces."""

    window: ClassVar[int | None] = 20


def said(
    place: Place, text: str, *, by: str = "Ada Example", at: datetime | None = None
) -> Published:
    """Let somebody publish these words."""
    [post] = place.insert(at=at)
    post = replace(post, text=text, author=by)
    place._held[post.number] = post
    return post


def reworded(place: Place, post: Published, text: str) -> Published:
    """Let the author change the words."""
    place.wait(SECOND)
    changed = replace(post, text=text, edited=place.now)
    place._held[post.number] = changed
    return changed


# --- sources, as a plan names them


def mastodon(
    place: Place, name: str = "Town", *, tag: str | None = "acme", member: bool = True, **more: Any
) -> Planned:
    """A hashtag of a town, or its public timeline, read by a member of it or by a stranger."""
    what = {"timeline": "public"} if tag is None else {"tag": tag}
    who = {"token": TOKEN} if member else {}
    return {
        "name": name,
        "connector": "mastodon",
        "options": {"api": place.url, **who, **what},
        **more,
    }


def hackernews(place: Place, name: str = "Orange", **more: Any) -> Planned:
    """A search on Hacker News."""
    options = {"api": place.url, "query": "acme"}
    return {"name": name, "connector": "hackernews", "options": options, **more}


def feed(place: Place, name: str = "Paper", **more: Any) -> Planned:
    """A paper's feed."""
    options = {"url": f"{place.url}/feed.json"}
    return {"name": name, "connector": "feeds", "options": options, **more}


def appstore(place: Place, name: str = "Shop", **more: Any) -> Planned:
    """The reviews of one app."""
    options = {"api": place.url, "app": "123", "country": "gb"}
    return {"name": name, "connector": "appstore", "options": options, **more}


@dataclass(frozen=True)
class Scene:
    """A kind of place, and how it becomes a source."""

    place: Callable[[], Place]
    source: Callable[[Place], Planned]
    lists: str  # what stands in the address of its lists

    def asked_for_lists(self, place: Place) -> list[Mapping[str, str]]:
        """What the place has been asked for its lists, in order."""
        return [asked.query for asked in place.asked if self.lists in asked.path]


SCENES: Mapping[str, Scene] = {
    "climbed": Scene(Village, mastodon, "/timelines"),
    "walked down": Scene(Hamlet, mastodon, "/timelines"),
    "searched": Scene(Orange, hackernews, "/search"),
    "a feed": Scene(Paper, feed, "/feed"),
}


NUMBERED = Scene(Shop, appstore, "/rss")  # ten pages of five reviews, which move on


def crowded(scene: Scene) -> Scene:
    """The same with pages of forty, as places have them."""
    kind = scene.place
    assert isinstance(kind, type)
    return replace(scene, place=type(f"Crowded{kind.__name__}", (kind,), {"page": 40}))


# --- steps of the service, and what it holds


async def read_what_is_due(world: World) -> None:
    """One look of the poll stage after a restart, and the judging that follows."""
    service = await world.service()
    await service.poll.step()
    while service.poll.walks:
        await service.poll.ended.wait()
        service.poll.ended.clear()
    while await service.judge.step():
        pass


def numbers(mentions: Iterable[Mention]) -> list[int]:
    """The numbers of the posts that mentions hold, in order: twice is seen."""
    return sorted(int(found[1]) for one in mentions if (found := MARK.search(one.text)))


async def reading_of(world: World, name: str) -> Reading:
    """How a source is doing."""
    async with world.store.reading() as session:
        source = await sources.named(session, name)
        assert source is not None
        return (await sources.readings_of(session, source))[Way.POLL]


async def read_spans(world: World, name: str) -> list[Span]:
    """What has provably been read of a source."""
    async with world.store.reading() as session:
        source: Source | None = await sources.named(session, name)
        assert source is not None
        return await coverage.spans_of(session, source)


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)
