"""Every review that others downloaded from Steam is read as it stands there."""

import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.kit.contract import Kind, Page, Post
from connectors.kit.web import Network
from connectors.steam import Steam
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "steam"
FILES = sorted(RECORDINGS.glob("*/*.json"))

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)

# Steam's markup as it stands in a text; "[1/10]" and "[DLC]" are what people write themselves.
MARKUP = re.compile(r"\[/?(?:h1|b|i|u|strike|spoiler|list|table|tr|td|url)(?:=[^\]]*)?\]")
PAGE = 30


class Beginner:
    """A listener that has read nothing yet, and wants everything."""

    now = datetime(2030, 1, 1, tzinfo=UTC)
    since = datetime(2003, 1, 1, tzinfo=UTC)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids[:0])


def recorded(file: Path) -> list[dict[str, Any]]:
    """The reviews of a file, last change first; the download had keyed them by number."""
    told = orjson.loads(file.read_bytes())["reviews"]
    reviews = list(told.values()) if isinstance(told, Mapping) else list(told)
    return sorted(reviews, key=lambda review: -review["timestamp_updated"])


@asynccontextmanager
async def playing(reviews: list[dict[str, Any]]) -> AsyncIterator[tuple[str, Network]]:
    """A server that lists these reviews as Steam does."""

    async def listed(request: web.Request) -> web.Response:
        cursor = request.query["cursor"]
        start = 0 if cursor == "*" else int(cursor)
        shown = reviews[start : start + PAGE]
        told = {"success": 1, "reviews": shown, "cursor": str(start + len(shown))}
        total = {"total_reviews": len(reviews)} if cursor == "*" else {}
        return web.json_response({**told, "query_summary": total})

    app = web.Application()
    app.router.add_get("/appreviews/620", listed)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        async with Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network:
            yield f"http://127.0.0.1:{server.port}", network
    finally:
        await server.close()


async def read(reviews: list[dict[str, Any]]) -> list[Page]:
    async with playing(reviews) as (url, network):
        source = Steam(app="620", api=url)
        pages = source.pages(network.web(FREE, "replay"), None, Beginner())
        return [page async for page in pages]


def test_there_is_something_to_read() -> None:
    assert sum(len(recorded(file)) for file in FILES) == 1360


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_every_review_is_mapped(file: Path) -> None:
    told = recorded(file)

    pages = await read(told)

    posts: dict[str, Post] = {post.id: post for page in pages for post in page.posts}
    assert [unread for page in pages for unread in page.unreadable] == []
    assert {review["recommendationid"] for review in told} <= posts.keys()
    for review in told:
        post = posts[review["recommendationid"]]
        assert post.kind is Kind.REVIEW
        assert post.rating is not None
        assert post.rating.stars == (5 if review["voted_up"] else 1)
        assert post.published.timestamp() == review["timestamp_created"]
        assert (post.edited is not None) == (
            review["timestamp_updated"] != review["timestamp_created"]
        )
        assert post.language
        assert post.url.startswith("https://steamcommunity.com/profiles/7656")
        assert not MARKUP.search(post.text), post.id
        assert len(post.text) >= len(review["review"]) / 4 or MARKUP.search(review["review"])


async def test_every_answer_of_a_developer_is_read_as_our_own() -> None:
    told = [review for file in FILES for review in recorded(file)]
    answered = {
        f"{review['recommendationid']}/developer"
        for review in told
        if review.get("developer_response")
    }

    pages = await read(sorted(told, key=lambda review: -review["timestamp_updated"]))

    ours = {post.id for page in pages for post in page.posts if post.author.ours}
    assert ours == answered
    assert len(ours) == 13
