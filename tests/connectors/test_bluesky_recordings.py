"""Every payload that Bluesky's servers sent to others is read, or left with a reason."""

import base64
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import yaml  # type: ignore[import-untyped]
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.bluesky import Bluesky, frames
from connectors.bluesky.ear import Ear
from connectors.bluesky.frames import ForgotUs
from connectors.bluesky.shapes import AT_URI, Record, Torn, View, address
from connectors.kit.contract import Author, Page, Post, State, Web
from connectors.kit.errors import AccessDenied, ConnectorError
from connectors.kit.text import clean, moment
from connectors.kit.web import Network
from tests.connectors.memory import Memory
from tests.connectors.place import Place
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere")
CASSETTES = RECORDINGS / "bluesky" / "christopherkenny__bskyr"
LOCAL = RECORDINGS / "bluesky-local" / "scenario-a"

pytestmark = pytest.mark.skipif(
    not (CASSETTES.is_dir() and LOCAL.is_dir()),
    reason="LISTENER_RECORDINGS does not point at the recordings",
)

MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]{2,8}|#x?[0-9a-f]{2,6});")
POST = "app.bsky.feed.post"
NOW = datetime(2026, 11, 21, 22, tzinfo=UTC)


def documents() -> Iterator[tuple[str, Any]]:
    """Every JSON document of all collections, with where it is from."""
    for file in sorted((RECORDINGS / "bluesky").glob("*/*.json")):
        if not file.name.startswith(("app__", "com__", "network__")):  # those are lexicons
            yield file.name, orjson.loads(file.read_bytes())
    for file in sorted(CASSETTES.glob("*.yml")):
        for exchange in yaml.safe_load(file.read_text())["http_interactions"]:
            told = exchange["response"]["body"].get("string") or ""
            if told.startswith(("{", "[")):
                yield file.name, orjson.loads(told)
    for exchange in exchanges():
        yield exchange.path, exchange.told


def within(told: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a document."""
    if isinstance(told, dict):
        yield told
        for inner in told.values():
            yield from within(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from within(inner)


def views() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every post as a server shows it: alone, in lists, in notifications, in threads."""
    for source, document in documents():
        for told in within(document):
            if {"uri", "record", "indexedAt"} <= told.keys() and "author" in told:
                record = told["record"]
                if isinstance(record, dict) and record.get("$type") == POST:
                    yield source, told


def records() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every post as its author published it."""
    for source, document in documents():
        for told in within(document):
            if told.get("$type") == POST and "createdAt" in told:
                yield source, told


@dataclass(frozen=True)
class Exchange:
    """One request to a real server on this machine, and its answer."""

    method: str
    path: str
    query: frozenset[tuple[str, str]]
    status: int
    told: Any


def exchanges() -> Iterator[Exchange]:
    for line in (LOCAL / "exchanges.jsonl").read_text().splitlines():
        recorded = orjson.loads(line)
        asked, told = recorded["request"], recorded["response"]
        query = asked["params"] or {}
        pairs = query.items() if isinstance(query, dict) else query
        names = frozenset((str(name), str(value)) for name, value in pairs)
        yield Exchange(asked["method"], asked["path"], names, told["status"], told["body"])


def test_there_is_something_to_read() -> None:
    assert len(list(CASSETTES.glob("*.yml"))) == 35
    assert len(list(views())) == 129
    assert len(list(records())) > 180


def test_every_post_that_a_server_shows_is_mapped() -> None:
    for source, told in views():
        view = View.model_validate(told)
        post = view.as_post()

        assert post.id == told["uri"], source
        assert post.url == address(told["uri"]), source
        assert post.published <= cast(datetime, moment(told["indexedAt"])), source
        assert post.author.handle == told["author"]["handle"], source
        assert post.text == clean(told["record"]["text"]), source
        assert (post.in_reply_to is not None) == ("reply" in told["record"]), source
        links = str(told["record"].get("facets", "")).count("facet#link")
        assert len(post.links) >= min(links, 1), source


def test_every_record_is_mapped_and_hides_nothing_that_hangs_on_it() -> None:
    seen: dict[str, int] = {}
    for source, told in records():
        record = Record.model_validate(told)
        post = record.as_post(f"at://did:plc:ada/{POST}/3one", Author(id="did:plc:ada"), NOW)

        assert not MARKUP.search(post.text), source
        assert post.language == (told.get("langs") or [None])[0], source
        sort = str((told.get("embed") or {}).get("$type", "")).rpartition(".")[2]
        if sort in {"images", "video", "external"}:
            blobs = str(told["embed"])
            assert post.attachments or "$link" not in blobs, source
            seen[sort] = seen.get(sort, 0) + 1
        if sort == "record" and f"/{POST}/" in str(told["embed"]):
            assert any("/post/" in link for link in post.links), source
    assert seen["images"] > 0
    assert seen["external"] > 0


def test_nobody_who_asked_to_be_hidden_is_read() -> None:
    hidden = 0
    for source, told in views():
        labels = {
            label["val"]
            for label in (told.get("labels") or []) + (told["author"].get("labels") or [])
        }
        readable = View.model_validate(told).may_be_read(by_members=False)
        assert readable is not bool(labels & {"!hide", "!takedown", "!no-unauthenticated"}), source
        hidden += not readable

    assert hidden > 0


def syntax(name: str) -> list[str]:
    file = RECORDINGS / "bluesky" / "MarshalX__atproto" / f"syntax__{name}.txt"
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def test_every_valid_time_is_read() -> None:
    unread = [time for time in syntax("datetime_syntax_valid") if moment(time) is None]

    # Times from before the web are placeholders.
    assert [time for time in unread if time >= "1971"] == []


def test_no_time_however_odd_breaks_a_post() -> None:
    for time in syntax("datetime_syntax_invalid"):
        record = Record.model_validate({"text": "broken", "createdAt": time})
        assert record.at(NOW) <= NOW


def test_only_addresses_of_posts_lead_somewhere() -> None:
    for uri in syntax("aturi_syntax_valid"):
        found = address(uri)
        assert (found is not None) == bool(AT_URI.fullmatch(uri))
        assert found is None or f"/{POST}/" in uri


# The firehose of a real server.


def test_a_recorded_firehose_is_heard() -> None:
    ear = Ear((), since=None, ours=None)
    pages: list[Page] = []
    ended = ""
    for line in (LOCAL / "subscribeRepos.frames.b64").read_text().splitlines():
        try:
            event = frames.read("firehose", base64.b64decode(line), ear.last)
        except ForgotUs as forgot:
            ended = str(forgot)
            continue
        page = ear.hear(event) if event else None
        pages += [page] if page else []

    posts = {post.id: post for page in pages for post in page.posts}
    gone = [uri for page in pages for uri in page.gone]
    assert len(posts) == 7
    assert [unread for page in pages for unread in page.unreadable] == []
    assert "acmecoffee in der Sonnenallee war schön aber zu süß" in {p.text for p in posts.values()}
    # One was deleted, and then its author left with the other two.
    authors = {posts[uri].author.id for uri in gone}
    assert (len(gone), len(authors)) == (3, 1)
    assert "from now on" in ended


# Played back to the connector.


@asynccontextmanager
async def playing() -> AsyncIterator[tuple[str, Web]]:
    """A server that answers as was recorded: by path and query, each answer once."""
    left = [one for one in exchanges() if one.method == "GET" and one.status == 200]

    async def answer(request: web.Request) -> web.Response:
        path = request.path
        for one in left:
            if one.path == path and fits(one, request):
                left.remove(one)
                return web.json_response(one.told)
        refusals = [one for one in exchanges() if one.path == path and one.status == 400]
        if path.endswith("getRecord"):
            return web.json_response(refusals[0].told, status=400)
        empty: Mapping[str, object] = {"posts": [], "notifications": []}
        return web.json_response(empty)

    def fits(one: Exchange, request: web.Request) -> bool:
        listed = one.path.endswith(("searchPosts", "listNotifications"))
        return listed or one.query == frozenset(request.query.items())

    async def session(_: web.Request) -> web.Response:
        told = {"did": "did:plc:6uyhkq6rgnxnwit5nwlzoox2", "accessJwt": "a", "refreshJwt": "r"}
        return web.json_response(told)

    app = web.Application()
    app.router.add_post("/xrpc/com.atproto.server.createSession", session)
    app.router.add_get("/{path:.*}", answer)
    async with serving(app) as found:
        yield found


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[tuple[str, Web]]:
    async with (
        TestServer(app, host="127.0.0.1") as server,
        Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network,
    ):
        yield f"http://127.0.0.1:{server.port}", network.web(FREE, "replay")


class Clock:
    now = NOW


async def pull(**options: object) -> list[Post]:
    memory = Memory(cast(Place, Clock()), since=NOW - timedelta(days=7))
    async with playing() as (url, network):
        source = Bluesky.model_validate({"api": url, **options})
        async for page in source.pages(network, None, memory):
            memory.keep(page)
    assert memory.unreadable == []
    return [*memory.posts.values()]


ACCOUNT = {"handle": "brand-a.test", "password": "made-up"}


async def test_a_recorded_search_is_read() -> None:
    posts = await pull(query="AcmeCoffee", **ACCOUNT)

    assert {post.author.handle for post in posts} == {"cust-a.test"}
    assert len(posts) == 2


async def test_recorded_notifications_are_read() -> None:
    [post] = await pull(notifications=True, **ACCOUNT)

    assert post.text == "@brand-a.test AcmeCoffee was terrible today, cold and late"


async def test_a_recorded_deletion_is_gone_and_its_neighbour_is_not() -> None:
    [recorded] = [one for one in exchanges() if one.path.endswith("getPosts") and one.told["posts"]]
    there = {one["uri"] for one in recorded.told["posts"]}
    uris = sorted((uri for _, uri in recorded.query), key=lambda uri: uri in there)
    async with playing() as (url, network):
        source = Bluesky.model_validate({"api": url, "query": "AcmeCoffee", **ACCOUNT})
        deleted, kept = await source.recheck(network, uris)

    assert (deleted.state, kept.state) == (State.GONE, State.SAME)


@pytest.mark.parametrize(
    ("error", "status", "raised"),
    [
        ("AuthMissing", 401, AccessDenied),
        ("InvalidToken", 400, AccessDenied),
        ("AuthenticationRequired", 401, AccessDenied),
        ("InvalidRequest", 400, ConnectorError),
    ],
)
async def test_every_recorded_refusal_has_its_error(
    error: str, status: int, raised: type[ConnectorError]
) -> None:
    told = next(
        one.told
        for one in exchanges()
        if one.status == status and isinstance(one.told, dict) and one.told["error"] == error
    )

    async def refuse(request: web.Request) -> web.Response:
        if request.method == "POST":
            wrong = {"error": "AuthenticationRequired", "message": "Invalid"}
            return web.json_response(wrong, status=401)
        return web.json_response(told, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with serving(app) as (url, network):
        source = Bluesky.model_validate({"api": url, "query": "acme"})
        with pytest.raises(raised):
            await source.check(network)


def test_lines_that_are_no_posts_are_set_aside() -> None:
    [likes] = [
        document["notifications"]
        for source, document in documents()
        if source == "n_notifications.yml" and "notifications" in document
    ]
    read = [View.model_validate(one) for one in likes if one["reason"] in {"mention", "reply"}]

    assert all(not isinstance(one, Torn) for one in read)
    assert {one["reason"] for one in likes} - {"mention", "reply", "quote"}
