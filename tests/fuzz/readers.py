"""Every reader of outside bytes, called as the listener calls it: posts, or a reason, come back."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.bluesky import frames
from connectors.bluesky.ear import Ear
from connectors.bluesky.frames import Dialect, Mark
from connectors.files import Files
from connectors.kit import catalog
from connectors.kit.contract import Connector, Page, Post
from connectors.kit.errors import ConnectorError
from connectors.kit.web import Network
from connectors.webhook import Webhook
from listener.domain.matching import Matcher
from listener.domain.query import QueryError, parse
from tests.connectors import skyline
from tests.connectors.imports import NO_WEB
from tests.connectors.skyline import RECORDINGS
from tests.connectors.suite import CONTACT, FREE

RECORDED = RECORDINGS.parent
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOST_PAGES = 3  # a server that always answers the same has no end
QUERIES = [
    b"acme",
    b'(acme OR "acme corp" OR @acme OR #acme) AND NOT (job OR hiring)',
    b"acme NEAR/5 broken AND lang:en,de AND kind:review AND stars:<=2",
    b"acme.com OR site:acme.com -recruiting",
]
MATCHER = Matcher({1: parse("acme OR lift OR the OR (a NEAR/5 b)"), 2: parse("NOT no acme")})


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads bytes to pages; its samples are what it reads well."""

    name: str
    samples: Sequence[bytes]
    read: Callable[[bytes], Awaitable[Sequence[Page]]]


class Wanted:
    """A listener that has read nothing yet."""

    now = NOW
    since = NOW - timedelta(days=36_500)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        """None of them."""
        return frozenset(ids) - frozenset(ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A connector, its options, what of its recordings is spoilt, and what is not.

    URL in the options stands for the server; `wraps` stands around a recording; an answer at a
    path that ends with one of `good` is never spoilt.
    """

    connector: str
    options: Mapping[str, object]
    samples: Sequence[str] = ("*.json",)
    wraps: tuple[bytes, bytes] = (b"", b"")
    good: Mapping[str, bytes] = field(default_factory=dict)


def recorded(name: str) -> bytes:
    """What is in one recording."""
    return (RECORDED / name).read_bytes()


SEARCH = {"query": "acme", "api": "URL"}
STORE = {"app": "1", "country": "gb", "api": "URL"}
LOGIN = {"client_id": "a", "client_secret": "b", "account": "acme_help"}
SITE = b'{"site_view": {"site": {"actor_id": "https://burrow.example/"}}, "all_languages": []}'
TOKEN = b'{"access_token": "t", "token_type": "bearer", "expires_in": 3600}'
ASKED: Final = {
    "appstore": Asked(
        connector="appstore", options=STORE, good={"/xml": recorded("appstore/page.xml")}
    ),
    "appstore-times": Asked(
        connector="appstore",
        options=STORE,
        samples=["page.xml"],
        good={"/json": recorded("appstore/page.json")},
    ),
    "bluesky": Asked(
        connector="bluesky", options=SEARCH, samples=["view.json"], wraps=(b'{"posts": [', b"]}")
    ),
    "discourse": Asked(connector="discourse", options={"api": "URL"}),
    "feeds": Asked(
        connector="feeds", options={"url": "URL"}, samples=["*.rss", "*.atom", "*.json"]
    ),
    "gdelt": Asked(connector="gdelt", options=SEARCH),
    "hackernews": Asked(connector="hackernews", options=SEARCH),
    "lemmy": Asked(
        connector="lemmy", options=SEARCH, samples=["search-v3.json"], good={"/site": SITE}
    ),
    "mastodon": Asked(
        connector="mastodon",
        options={"tag": "acme", "api": "URL"},
        wraps=(b"[", b"]"),
        good={"/instance": b"{}"},
    ),
    "reddit": Asked(connector="reddit", options={**SEARCH, **LOGIN}, good={"/access_token": TOKEN}),
    "stackexchange": Asked(connector="stackexchange", options=SEARCH),
    "steam": Asked(connector="steam", options={"app": "1", "api": "URL"}),
}


def everyone() -> list[Reader]:
    """All readers, by name."""
    return sorted([*over_http(), *by_themselves()], key=lambda reader: reader.name)


def over_http() -> Iterable[Reader]:
    """Connectors that ask a server."""
    for name, one in ASKED.items():
        before, after = one.wraps
        samples = files(RECORDED / one.connector, *one.samples)
        yield Reader(name, [before + sample + after for sample in samples], partial(answered, one))


def by_themselves() -> Iterable[Reader]:
    """What is read without a server: streams, files, deliveries, queries."""
    stream = [
        line
        for path in sorted((RECORDED / "bluesky").glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    yield Reader("jetstream", stream, lambda body: heard("jetstream", body))
    yield Reader("firehose", [commit()], lambda body: heard("firehose", body))
    yield Reader("files", files(RECORDED / "files", "*.csv", "*.jsonl", "*.js"), imported)
    yield Reader("webhook", files(RECORDED / "webhook", "*.json", "*.ndjson"), delivered)
    yield Reader("queries", QUERIES, queried)


def files(folder: Path, *patterns: str) -> list[bytes]:
    """What is in the files of a folder."""
    return [path.read_bytes() for one in patterns for path in sorted(folder.glob(one))]


def commit() -> bytes:
    """A message of the firehose with one post."""
    sky = skyline.Sky()
    [post] = sky.insert()
    return sky.commit(post)


async def answered(one: Asked, body: bytes) -> Sequence[Page]:
    """What a connector makes of a server that answers with these bytes."""

    async def answer(request: web.Request) -> web.Response:
        fine = [told for end, told in one.good.items() if request.path.endswith(end)]
        return web.Response(body=fine[0] if fine else body, content_type="application/octet-stream")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.port}"
        told = {key: url if value == "URL" else value for key, value in one.options.items()}
        source = catalog.load(one.connector).model_validate(told)
        async with Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network:
            return await walked(source, network.web(FREE, one.connector))


async def walked(source: Connector, door: Any) -> Sequence[Page]:
    """The first pages of a source."""
    pages: list[Page] = []
    async with aclosing(cast(Any, source.pages(door, None, Wanted()))) as found:
        async for page in found:
            pages.append(page)
            if len(pages) == MOST_PAGES:
                break
    return pages


async def heard(dialect: Dialect, body: bytes) -> Sequence[Page]:
    """What an ear makes of one message."""
    ear = Ear((), since=Mark(stream=dialect, at=NOW), ours=None)
    event = frames.read(dialect, body, ear.last)
    page = ear.hear(event) if event else None
    return [page] if page else []


async def imported(body: bytes) -> Sequence[Page]:
    """What is read from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "import"
        path.write_bytes(body)
        return await walked(Files.model_validate({"path": path}), NO_WEB)


async def delivered(body: bytes) -> Sequence[Page]:
    """What a delivery says."""
    hook = Webhook.model_validate({"secret": "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"})
    return [hook.dry_run(body, received=NOW)]


async def queried(body: bytes) -> Sequence[Page]:
    """A query is read and asked of a post, or refused in a sentence."""
    try:
        query = parse(body.decode("utf-8", "replace"))
    except QueryError as refused:
        if not str(refused).strip():
            raise AssertionError("a query was refused without a reason") from None
        return []
    Matcher({1: query}).matches(
        [
            Post(
                id="1",
                url="https://a.example/1",
                text=body.decode("utf-8", "replace"),
                published=NOW,
            )
        ]
    )
    return []


async def judged(reader: Reader, body: bytes) -> str:
    """What became of an input, in words; AssertionError when something was read that cannot be kept."""
    try:
        pages = await reader.read(body)
    except ConnectorError as refused:
        why = str(refused)
    else:
        return checked(pages)
    assert why.strip(), "it was refused without a reason"
    return "refused"


def checked(pages: Sequence[Page]) -> str:
    """The pages are such as can be kept."""
    posts = [post for page in pages for post in page.posts]
    for post in posts:
        for words in (post.id, post.url, post.text, post.title or "", post.author.name):
            assert "\x00" not in words, "a NUL would reach the database"
            words.encode()  # half a surrogate pair could not be stored
    assert all(one.reason.strip() for page in pages for one in page.unreadable), "no reason"
    MATCHER.matches(posts)
    return "read" if posts else "nothing in it"
