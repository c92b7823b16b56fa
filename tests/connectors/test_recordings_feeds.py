"""Feeds and App Store pages that others recorded are read, or set aside for a good reason."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import appstore
from connectors.feeds import Feeds, reading
from connectors.feeds.memory import Memory
from connectors.kit.contract import Answer, Page, Precision
from connectors.kit.errors import Unreadable
from connectors.kit.text import clean

WHERE = os.environ.get("LISTENER_RECORDINGS")
pytestmark = pytest.mark.skipif(
    not WHERE, reason="LISTENER_RECORDINGS does not say where the shared recordings are"
)
RECORDINGS = Path(WHERE or ".")
FEEDS = sorted(RECORDINGS.glob("feeds/*/*"))
HTTP_HEADER = re.compile(rb"Header:\s*Content-type:\s*([^\r\n]+)", re.IGNORECASE)

# Why a whole recording is set aside; of all others every piece is read, or says nothing at all.
SET_ASIDE = {
    "ScriptingNews.json": "not a JSON Feed",  # RSS written as JSON, years before JSON Feed
    "attachments.as-from-feed.json": "not a JSON Feed",  # ActivityStreams
    "invalid_content_fields.as-from-feed.json": "not a JSON Feed",
    "illformed__aaa_illformed.xml": "its end is missing",
    "illformed__rss_empty_document.xml": "its end is missing",
    "wellformed__rdf__doctype_contains_entity_decl.xml": "declares XML entities",
}
SAYS_NOTHING = "it has neither a title, nor a text, nor an address."


@dataclass(frozen=True)
class Reader:
    now: datetime = datetime(2100, 1, 1, tzinfo=UTC)
    since: datetime = datetime(1980, 1, 1, tzinfo=UTC)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids) - frozenset(ids)


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
async def test_every_recorded_feed_is_read_or_set_aside_for_a_good_reason(path: Path) -> None:
    body = await asyncio.to_thread(path.read_bytes)
    told = HTTP_HEADER.search(body)
    headers = {"content-type": told[1].decode().strip() if told else ""}
    url = "https://feed.example/dir/feed.xml"
    answer = Answer(url=url, status=200, headers=headers, body=body)
    if path.name in SET_ASIDE:
        with pytest.raises(Unreadable, match=SET_ASIDE[path.name]):
            await reading.read(answer)
        return

    feed = await reading.read(answer)
    first, again = (_page(feed, answer) for _ in range(2))

    assert all(unread.reason.endswith(SAYS_NOTHING) for unread in first.unreadable)
    assert len({post.id for post in first.posts}) == len(feed.pieces)
    assert [post.id for post in first.posts] == [post.id for post in again.posts]
    for post in first.posts:
        assert post.published.utcoffset() is not None
        assert post.url.startswith(("https://", "http://"))
        assert post.text == clean(post.text)


APPLE = RECORDINGS / "apple-app-store" / "DayBySay__Reviewer"


async def test_a_recorded_app_store_page_is_read_with_the_times_of_its_xml() -> None:
    json = await asyncio.to_thread((APPLE / "customerreviews_jp_page1_first34.json").read_bytes)
    xml = await asyncio.to_thread((APPLE / "customerreviews_jp_page1_first30.xml").read_bytes)
    told = appstore._Answer.model_validate_json(json).feed.entry
    now = Reader().now

    reviews, unread = appstore._reviews(told)
    times = appstore._written(xml)
    posts = [review.as_post("1404176564", "jp", times, now) for review in reviews]

    assert unread == []
    assert len(posts) == len({post.id for post in posts}) == 34
    assert len(times) == 30
    assert all(post.text and post.rating and post.author.name for post in posts)
    # The two were saved on different days: where both list a review, the JSON gets its time.
    timed = [post for post in posts if post.precision is Precision.SECOND]
    assert {post.id for post in timed} == times.keys() & {post.id for post in posts}


def _page(feed: reading.Feed, answer: Answer) -> Page:
    return Feeds(url=answer.url)._page(feed, answer, Memory(), Reader())
