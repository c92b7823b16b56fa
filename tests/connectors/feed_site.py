"""A web server that answers one feed, for tests of how feeds are read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.feeds import Feeds
from connectors.kit.contract import Page, Web
from connectors.kit.web import Network
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(__file__).parent / "recordings" / "feeds"
NOW = datetime(2030, 5, 1, 12, 30, tzinfo=UTC)


@dataclass
class Site:
    """A web server that answers one thing, and remembers how often it was asked."""

    body: bytes
    type: str = ""
    status: int = 200
    asked: int = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        headers = {"Content-Type": self.type} if self.type else {}
        return web.Response(body=self.body, status=self.status, headers=headers)


@dataclass(frozen=True)
class Reader:
    """A listener that has read nothing yet."""

    now: datetime = NOW
    since: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids) - frozenset(ids)


@asynccontextmanager
async def open_site(site: Site) -> AsyncIterator[tuple[Feeds, Web]]:
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        async with Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network:
            feeds = Feeds(url=f"http://127.0.0.1:{server.port}/blog/feed.xml")
            yield feeds, network.web(FREE, "test")
    finally:
        await server.close()


async def read(
    body: bytes | str, type_: str = "", *, cursor: str | None = None, now: datetime = NOW
) -> Page:
    """What the connector makes of a site that answers so."""
    site = Site(body.encode() if isinstance(body, str) else body, type_)
    async with open_site(site) as (feeds, web_):
        [page] = [page async for page in feeds.pages(web_, cursor, Reader(now))]
        return page


def rss(*pieces: str) -> str:
    items = "".join(f"<item>{piece}</item>" for piece in pieces)
    return f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'


def said(guid: str = "", link: str = "", title: str = "", date: str = "") -> str:
    told = {"guid": guid, "link": link, "title": title, "pubDate": date}
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items() if value)
