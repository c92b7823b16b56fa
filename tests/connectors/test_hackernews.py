"""Hacker News is searched so that a window never hides a hit, and asked again post by post."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast

import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.hackernews import HackerNews, Hit, Search
from connectors.kit.contract import Kind, Page, Span, State, Unread, Web
from connectors.kit.web import Network
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "hackernews"
Pages: TypeAlias = AsyncGenerator[Page, None]
NUMBERS = re.compile(r"created_at_i>=(\d+),created_at_i<(\d+)")


class Orange(Place):
    """Both interfaces on one address. A search shows ten hits, however many there are."""

    page: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self.dead: set[int] = set()

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v1/search_by_date", self.search),
            web.get("/v0/item/{number}.json", self.item),
        ]

    async def search(self, request: web.Request) -> web.Response:
        asked = request.query
        assert asked["query"] == '"acme coffee"'
        assert (asked["typoTolerance"], asked["advancedSyntax"]) == ("false", "true")
        assert asked["tags"] == "(story,comment)"
        found = self.listed()
        if "numericFilters" in asked:
            window = NUMBERS.fullmatch(asked["numericFilters"])
            assert window
            start, end = map(int, window.groups())
            found = [post for post in found if start <= int(post.at.timestamp()) < end]
        shown = found[: min(int(asked["hitsPerPage"]), self.page)]
        hits = [self.hit(post) for post in shown]
        return web.json_response({"hits": hits, "nbHits": len(found), "page": 0})

    def hit(self, post: Published) -> dict[str, Any]:
        return {
            "objectID": str(post.number),
            "author": "ada_example",
            "created_at_i": int(post.at.timestamp()),
            "comment_text": post.html,
            "story_id": 1,
            "parent_id": 1,
            "points": None,
        }

    async def item(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number == 404:
            return web.json_response(None)
        post = self.holds(number)
        if post is None:
            gone = {"id": number, "type": "comment", "time": 1741080600, "deleted": True}
            return web.json_response(gone)
        return web.json_response(
            {
                "id": number,
                "type": "comment",
                "by": "ada_example",
                "time": int(post.at.timestamp()),
                "text": post.html,
                "parent": 1,
                "dead": number in self.dead,
            }
        )


class TestHackerNews(ConnectorSuite):
    """The ten contract tests."""

    connector = HackerNews
    options: ClassVar = {"query": '"acme coffee"'}
    place = Orange


# What a hit becomes. These check shapes after the documentation only.


def test_a_comment_is_its_own_words_and_not_the_title_of_its_story() -> None:
    comment = recorded()[0].as_post()

    assert comment.kind is Kind.COMMENT
    assert comment.title is None
    assert comment.text == (
        "I'd never buy from Acme again: https://pictures.example/lift\n\nThe lift is still broken."
    )
    assert comment.url == "https://news.ycombinator.com/item?id=45000002"
    assert (comment.in_reply_to, comment.thread) == ("45000001", "45000001")
    assert comment.links == ("https://pictures.example/lift",)
    assert comment.author.url == "https://news.ycombinator.com/user?id=ada_example"
    assert comment.published == datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC)


def test_a_story_is_its_title_its_text_and_what_it_links_to() -> None:
    story, question = (hit.as_post() for hit in recorded()[1:3])

    assert story.kind is Kind.POST
    assert (story.title, story.text) == ("Acme raises money & eyebrows", "")
    assert story.links == ("https://news.example/acme",)
    assert (story.in_reply_to, story.thread) == (None, "45000001")
    assert question.text == "Has anybody ever had an answer?"
    assert question.thread == question.id == "45000000"


def test_a_hit_in_a_strange_shape_is_set_aside() -> None:
    [strange] = [hit for hit in search().hits if isinstance(hit, Unread)]

    assert strange.reason == "A hit is in a shape we do not know: created_at_i (missing)."
    assert "44999999" in strange.raw


# How it searches.


async def test_a_search_that_hides_hits_goes_on_below_the_last_it_showed() -> None:
    async with Orange() as orange:
        orange.insert(50)
        memory = Memory(orange)
        pages = await pull(orange, memory)

    assert sorted(memory.numbers) == [*range(1, 51)]
    assert len([post for page in pages for post in page.posts]) == 50, "nothing comes twice"
    assert len(orange.asked) == 6


async def test_pages_claim_what_they_read_without_a_gap_down_to_what_is_wanted() -> None:
    async with Orange() as orange:
        orange.insert(35)
        memory = Memory(orange)
        pages = await pull(orange, memory)

    spans = [page.span for page in pages if page.span]
    assert len(spans) == len(pages)
    assert spans[0].end == orange.now
    assert spans[-1].start == memory.since
    assert [span.start for span in spans[:-1]] == [span.end for span in spans[1:]]


async def test_a_walk_that_was_cut_is_finished_and_then_the_newer_posts_are_read() -> None:
    async with Orange() as orange:
        orange.insert(35)
        memory = Memory(orange)
        await pull(orange, memory, stop_after=1)
        orange.wait(timedelta(days=1))
        orange.insert(12)
        await pull(orange, memory)

    assert sorted(memory.numbers) == [*range(1, 48)]


async def test_the_next_search_begins_half_an_hour_before_the_last_one_ended() -> None:
    async with Orange() as orange:
        memory = Memory(orange)
        await pull(orange, memory)
        read = orange.now
        orange.wait(timedelta(hours=2))
        orange.asked.clear()
        [page] = await pull(orange, memory)

    assert page.span == Span(read - timedelta(minutes=30), orange.now)
    assert len(orange.asked) == 1


async def test_a_second_with_more_hits_than_a_search_shows_is_told_as_a_gap() -> None:
    async with Orange() as orange:
        orange.insert(3)
        orange.wait(timedelta(seconds=1))
        crowd = orange.now
        orange.insert(25, at=crowd)
        orange.wait(timedelta(seconds=1))
        orange.insert(3)
        memory = Memory(orange)
        pages = await pull(orange, memory)

    assert len(memory.posts) == 3 + orange.page + 3
    assert [unread.reason for unread in memory.unreadable] == [
        "The search found more than 10 posts of one second."
    ]
    assert not any(page.span.start <= crowd < page.span.end for page in pages if page.span)


async def test_a_cursor_in_other_words_or_of_the_future_loses_nothing() -> None:
    async with Orange() as orange:
        orange.insert(3)
        strange = Memory(orange, cursor="from another version")
        await pull(orange, strange)
        ahead = Memory(orange, cursor='{"read": "2999-01-01T00:00:00Z"}')
        await pull(orange, ahead)
        orange.insert(1)
        await pull(orange, ahead)

    assert strange.numbers == [1, 2, 3]
    assert 4 in ahead.numbers


# One post again.


async def test_a_killed_post_is_gone_and_a_number_that_is_not_there_is_merely_absent() -> None:
    async with Orange() as orange:
        orange.insert(2)
        orange.dead = {2}
        async with door(orange) as network:
            changes = await connected(orange).recheck(network, ["1", "2", "404"])

    assert [change.state for change in changes] == [State.SAME, State.GONE, State.ABSENT]


async def test_single_posts_are_asked_where_the_option_says() -> None:
    async with Orange() as searched, Orange() as held:
        held.insert(1)
        split = HackerNews(query='"acme coffee"', api=searched.url, api_items=held.url)
        async with door(held) as network:
            [change] = await split.recheck(network, ["1"])

    assert change.state is State.SAME
    assert searched.asked == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"query": ""}, "at least 1 character"),
        ({}, "query"),
        ({"query": "acme", "api": "hn"}, "valid URL"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        HackerNews.model_validate(options)


# What these tests read with.


def search() -> Search:
    return Search.model_validate_json((RECORDINGS / "search.json").read_bytes())


def recorded() -> list[Hit]:
    return [hit for hit in search().hits if isinstance(hit, Hit)]


def connected(orange: Orange) -> HackerNews:
    return HackerNews(query='"acme coffee"', api=orange.url)


@asynccontextmanager
async def door(orange: Orange) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={orange.host_port}) as network:
        yield network.web(FREE, "hackernews")


async def pull(orange: Orange, memory: Memory, *, stop_after: int | None = None) -> list[Page]:
    orange.wait(timedelta(seconds=1))
    found = []
    async with (
        door(orange) as network,
        aclosing(cast(Pages, connected(orange).pages(network, memory.cursor, memory))) as pages,
    ):
        async for page in pages:
            memory.keep(page)
            found.append(page)
            if len(found) == stop_after:
                break
    return found
