"""Every listing that Reddit sent to others is read, or left with a reason."""

import gzip
import os
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.kit.contract import Author, Kind, Page, Post, State, Unread, Web
from connectors.kit.errors import Unreadable
from connectors.kit.web import Network
from connectors.reddit import Reddit, access
from connectors.reddit.replies import Told, published
from connectors.reddit.shapes import (
    SITE,
    Comment,
    Listing,
    Message,
    More,
    Other,
    Submission,
    readable,
)
from tests.connectors.reddit_place import LOGIN
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "reddit"
FILES = sorted(RECORDINGS.glob("*/*.json"))

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)

MARKUP = re.compile(r"</?(?:p|div|a|em|strong|ul|li|blockquote|pre|code|span)\b[^<>]*>")
# People explain markup to each other: there it is the text.
ABOUT_MARKUP = re.compile(r"&lt;|`|^    ", re.MULTILINE)


@dataclass(frozen=True)
class Answered:
    """One recorded answer."""

    cassette: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path.rstrip("/")


def answers(name: str = "") -> Iterator[Answered]:
    """Every answer of the interface in every cassette, unpacked; or those of one."""
    for file in FILES:
        if not str(file).endswith(name):
            continue
        recorded = orjson.loads(file.read_bytes())
        for exchange in recorded.get("http_interactions") or recorded["interactions"]:
            asked, told = exchange["request"], exchange["response"]
            if "reddit.com" not in asked["uri"]:
                continue  # pictures go to a store of their own
            body = told["body"]
            raw = b64decode(body["base64_string"]) if "base64_string" in body else b""
            raw = raw or body.get("string", "").encode()
            yield Answered(
                f"{file.parent.name}/{file.name}",
                asked["method"],
                asked["uri"],
                {header.lower(): str(value) for header, value in told["headers"].items()},
                gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw,
            )


def things() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every thing with its kind, wherever it stands: in lists, trees, answers to forms."""

    def within(told: Any) -> Iterator[dict[str, Any]]:
        if isinstance(told, dict):
            if isinstance(told.get("kind"), str) and isinstance(told.get("data"), dict):
                yield told
            for inner in told.values():
                yield from within(inner)
        elif isinstance(told, list):
            for inner in told:
                yield from within(inner)

    for answer in answers():
        if answer.body:
            yield from ((answer.cassette, one) for one in within(orjson.loads(answer.body)))


def test_there_is_something_to_read() -> None:
    assert len(FILES) == 43
    kinds = [thing["kind"] for _, thing in things()]
    assert {kind: kinds.count(kind) for kind in ("t1", "t3", "t4", "more")} == {
        "t1": 1633,
        "t3": 552,
        "t4": 439,
        "more": 215,
    }


def test_every_post_is_mapped_and_nothing_else_is_taken_for_one() -> None:
    for source, told in things():
        read = readable(told)
        assert not isinstance(read, Unread), (source, read.reason)
        if told["kind"] not in {"t1", "t3", "t4"}:
            assert isinstance(read, More if told["kind"] == "more" else Other), source
            continue
        assert isinstance(read, Comment | Submission | Message), source
        given, post = told["data"], read.as_post("nobody")

        assert post.id == given["name"], source
        assert post.url.startswith("https://www.reddit.com/"), source
        assert post.published.tzinfo is UTC, source
        assert post.published.timestamp() == given["created_utc"], source
        html = given.get("body_html") or given.get("selftext_html") or ""
        assert not MARKUP.search(post.text) or ABOUT_MARKUP.search(html), (source, post.id)
        assert post.text or post.title or post.attachments or not html, (source, post.id)
        edited = not isinstance(given.get("edited", False), bool)
        assert (post.edited is not None) == edited, source
        match told["kind"]:
            case "t1":
                answers_comment = given["parent_id"].startswith("t1_")
                assert post.kind is (Kind.REPLY if answers_comment else Kind.COMMENT), source
                assert (post.thread or "").startswith("t3_"), source
                assert post.title is None, source
            case "t3":
                assert (post.kind, post.thread) == (Kind.POST, post.id), source
                assert post.title, source
            case _:
                assert post.kind is Kind.MESSAGE, source


def test_what_was_deleted_or_removed_is_known_by_its_mark() -> None:
    for source, told in things():
        read = readable(told)
        if not isinstance(read, Comment | Submission):
            continue
        text = told["data"].get("body", told["data"].get("selftext"))
        assert read.gone == (text in {"[deleted]", "[removed]"}), (source, read.name)
        if told["data"]["author"] == "[deleted]":
            assert read.as_post("nobody").author == Author(), source


def test_a_comment_that_others_saw_removed_still_has_its_text_by_id() -> None:
    # The thread showed it as removed, the look-up by id did not: a recheck believes the look-up.
    told = list(answers("TestComment.test_refresh__removed_comment.json"))
    [by_id] = [answer for answer in told if answer.path == "/api/info"]
    [comment] = Listing.model_validate_json(by_id.body).things
    assert not comment.gone


def test_every_recorded_answer_to_a_comment_is_understood() -> None:
    posted = [
        answer
        for answer in answers()
        if answer.method == "POST" and answer.path in {"/api/comment", "/api/morechildren"}
    ]
    assert len(posted) > 10
    for answer in posted:
        told = Told.model_validate_json(answer.body).told
        assert told.errors == ()
        hidden = "reply__none" in answer.cassette
        assert bool(told.data.things) is not hidden, answer.cassette


# Played back to the connector.


@asynccontextmanager
async def playing(cassette: str, renamed: Mapping[str, str]) -> AsyncIterator[tuple[str, Web]]:
    """A server that gives each recorded answer once, under the path that we ask; then nothing."""
    left = [answer for answer in answers(cassette) if "access_token" not in answer.path]

    async def answer(request: web.Request) -> web.Response:
        path = renamed.get(request.path, request.path)
        found = [each for each in left if each.path == path and each.method == request.method]
        if not found:
            return web.json_response({"kind": "Listing", "data": {"children": []}})
        left.remove(found[0])
        asked = dict(parse_qsl(urlsplit(found[0].url).query))
        assert asked.get("after") == request.query.get("after")
        return web.Response(body=found[0].body, content_type="application/json")

    async def sell(_: web.Request) -> web.Response:
        [token] = [each for each in answers(cassette) if "access_token" in each.path][:1]
        return web.Response(body=token.body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/v1/access_token", sell)
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    access._kept.clear()
    try:
        async with Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network:
            yield f"http://127.0.0.1:{server.port}", network.web(FREE, "replay")
    finally:
        access._kept.clear()
        await server.close()


class Beginner:
    """A listener that has read nothing yet, and wants everything."""

    now = datetime(2030, 1, 1, tzinfo=UTC)
    since = datetime(2005, 1, 1, tzinfo=UTC)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids[:0])


@pytest.mark.parametrize(
    ("cassette", "options", "renamed"),
    [
        ("praw/TestSubreddit.test_search.json", {"query": "a"}, {"/search": "/r/all/search"}),
        ("TestInbox.test_all__with_limit.json", {"inbox": True}, {}),
        ("TestInbox.test_mentions.json", {"inbox": True}, {"/message/inbox": "/message/mentions"}),
        ("TestSubredditListings.test_comments.json", {"communities": ["askreddit"]}, {}),
        ("TestSubredditListings.test_new.json", {"communities": ["askreddit"]}, {}),
    ],
)
async def test_a_recorded_list_is_walked(
    cassette: str, options: dict[str, object], renamed: dict[str, str]
) -> None:
    recorded = {
        thing.name
        for answer in answers(cassette)
        if answer.method == "GET"
        for thing in Listing.model_validate_json(answer.body).things
    }
    assert len(recorded) > 5

    async with playing(cassette, renamed) as (url, network):
        source = Reddit.model_validate({**LOGIN, "api": url, **options})
        pages: list[Page] = [page async for page in source.pages(network, None, Beginner())]

    assert {post.id for page in pages for post in page.posts} == recorded
    assert [unread for page in pages for unread in page.unreadable] == []


async def test_recorded_look_ups_say_what_became_of_each() -> None:
    cassette = "TestReddit.test_info.json"
    told = [answer for answer in answers(cassette) if answer.path == "/api/info"]
    batches = [Listing.model_validate_json(answer.body).things for answer in told]
    gone = {thing.name for batch in batches for thing in batch if thing.gone}
    states: dict[str, State] = {}

    async with playing(cassette, {}) as (url, network):
        source = Reddit.model_validate({**LOGIN, "api": url, "query": "a"})
        for batch in batches:
            asked = [thing.name for thing in batch]
            changes = await source.recheck(network, [*asked, "t1_neverwas"])
            assert [change.id for change in changes] == [*asked, "t1_neverwas"]
            states |= {change.id: change.state for change in changes}

    assert states.pop("t1_neverwas") is State.ABSENT
    assert {id_ for id_, state in states.items() if state is State.GONE} == gone
    assert len(gone) == 17
    assert set(states.values()) == {State.GONE, State.SAME, State.EDITED}


async def test_a_reply_that_was_recorded_without_a_comment_is_for_a_person_to_look_at() -> None:
    post = Post(id="t1_eear2ml", url=SITE, text="", published=Beginner.since)

    async with playing("asyncpraw/TestComment.test_reply__none.json", {}) as (url, network):
        source = Reddit.model_validate({**LOGIN, "api": url, "query": "a"})
        with pytest.raises(Unreadable, match="look whether it is there"):
            await published(source._access(network), post, "TEST")
