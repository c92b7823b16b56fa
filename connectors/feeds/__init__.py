"""Feeds: what a blog, a newspaper or a comment section publishes as RSS, Atom or JSON Feed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import AnyHttpUrl, Field, TypeAdapter, field_validator
from typing_extensions import override

from connectors.feeds.memory import Memory, traced
from connectors.feeds.posts import Border
from connectors.feeds.reading import Feed, read
from connectors.kit.contract import (
    Answer,
    Connector,
    Health,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Precision,
    Span,
    Web,
)
from connectors.kit.errors import Gone, Unreadable

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, "
    "application/xml;q=0.9, */*;q=0.5"
)


class Feeds(Connector, frozen=True):
    """One feed, read whole whenever it has changed."""

    title: ClassVar = "Feed (RSS, Atom, JSON Feed)"
    docs: ClassVar = "https://www.rssboard.org/rss-specification"
    pace: ClassVar = Pace(requests=30, per=timedelta(minutes=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=15)  # feeds are cached on their way

    url: str = Field(description="The address of the feed, such as https://example.org/feed.xml")

    @field_validator("url")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address.strip()))

    @override
    async def check(self, web: Web) -> Health:
        try:
            feed = await read(await self._asked(web, Memory()))
        except (Gone, Unreadable) as error:
            return Health(False, str(error))
        name = f"“{feed.title}”" if feed.title else "a feed without a title"
        return Health(True, f"Reads {name}, which lists {len(feed.pieces)} pieces now.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        memory = Memory.of(cursor)
        answer = await self._asked(web, memory)
        if memory.unchanged(answer):
            same = memory.model_copy(update={"read": known.now})
            yield Page(cursor=same.cursor(), span=memory.since(known.now))
            return
        feed = await read(answer)
        yield await asyncio.to_thread(self._page, feed, answer, memory, known)

    async def _asked(self, web: Web, memory: Memory) -> Answer:
        conditions = memory.conditions()
        also = {304} if conditions else set()
        return await web.fetch(self.url, headers={"Accept": ACCEPT, **conditions}, also=also)

    def _page(self, feed: Feed, answer: Answer, memory: Memory, known: Known) -> Page:
        traces = traced(feed.pieces, self.url, memory)
        border = Border(self.url, feed, {trace.id for trace in traces}, known.now)
        posts: dict[str, Post] = {}
        for piece, trace in zip(feed.pieces, traces, strict=True):
            posts.setdefault(trace.id, border.as_post(piece, trace.id))
        wanted = memory.changed(traces)
        if memory.read is None:
            wanted = {id_ for id_ in wanted if posts[id_].published >= known.since}
        return Page(
            posts=tuple(post for id_, post in posts.items() if id_ in wanted),
            unreadable=tuple(memory.news(feed.unread)),
            cursor=memory.after(answer, known.now, feed, traces).cursor(),
            span=_proven([*posts.values()], memory, known),
        )


def _proven(posts: Sequence[Post], memory: Memory, known: Known) -> Span | None:
    """What a listing proves to have been read: a feed lists only its last so many pieces.

    While one of the newest pieces of the last reading is still listed, nothing fell off the
    end in between. Otherwise only what is not older than the last piece listed is certain.
    """
    still_there = any(post.id in memory.newest for post in posts)
    still_empty = not posts and not memory.newest
    if memory.read and (still_there or still_empty):
        return memory.since(known.now)
    dated = [post.published for post in posts if post.precision is not Precision.SEEN]
    if not dated:
        return None
    start = dated[-1] if memory.read else max(dated[-1], known.since)
    return Span(start, known.now) if start <= known.now else None
