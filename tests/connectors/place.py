"""A local server that behaves like a place: it holds posts, fails on demand and remembers."""

import asyncio
import html
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from time import monotonic
from types import TracebackType
from typing import ClassVar, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECOND = timedelta(seconds=1)
BEGINNING = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)


class Fault(StrEnum):
    """What can go wrong with a request."""

    RETRY_SECONDS = "429 with Retry-After in seconds"
    RETRY_DATE = "429 with Retry-After as a date"
    OWN_HEADER = "429 with the place's own header"
    TOO_MANY = "429 without a word"
    BROKEN = "500"
    BAD_GATEWAY = "502 with a page of HTML"
    TRUNCATED = "an answer that stops in the middle"
    ERROR_TEXT = "200 with an error in plain text"
    EMPTY = "an empty body"
    HANG = "no answer at all"
    RESET = "a connection that is cut"
    LOST = "done, but the answer is lost"
    DENIED = "401"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One post as the place holds it. `text` is what the author typed, with a mark to know it by."""

    number: int  # grows with every post; the place makes its own id from it
    text: str
    at: datetime
    indexed: datetime  # from when on the place's lists show it
    edited: datetime | None = None
    deleted: bool = False
    stars: int = 2
    author: str = "Ada Example"

    @property
    def html(self) -> str:
        """The text as places that publish HTML write it."""
        return f"<p>{html.escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached the place."""

    moment: float  # monotonic, when it arrived
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class _Trap:
    """A fault that waits for its requests."""

    fault: Fault
    times: int
    after: int
    method: str
    path: str

    def springs(self, request: web.Request) -> bool:
        if self.method not in {"", request.method} or self.path not in request.path:
            return False
        self.after -= 1
        if self.after >= 0 or self.times == 0:
            return False
        self.times -= 1
        return True


class Place:
    """Subclass it: `routes` names what is served, made from `listed()` in the place's words.

    A place also says how long its pages are at most (`page`), how many posts it lists at all
    (`window`, None for all), and what its own header for waiting looks like (`own_header`).
    """

    page: ClassVar[int] = 10
    window: ClassVar[int | None] = None

    def __init__(self) -> None:
        self.now = BEGINNING
        self.asked: list[Asked] = []
        self.replies: list[str] = []  # what `routes` was asked to publish
        self._held: dict[int, Published] = {}
        self._faults: list[_Trap] = []
        self._listeners: set[asyncio.Queue[Published | None]] = set()
        self._closing = asyncio.Event()
        app = web.Application(middlewares=[self._meddle])
        app.add_routes(self.routes())
        self._server = TestServer(app, host="127.0.0.1")

    def routes(self) -> Iterable[web.RouteDef]:
        """What this place serves."""
        raise NotImplementedError

    def own_header(self, wait: timedelta) -> dict[str, str]:
        """How this place says with a 429 when to come back."""
        return {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{wait.total_seconds():.0f}"}

    # --- what it holds

    def insert(
        self,
        count: int = 1,
        *,
        at: datetime | None = None,
        indexed: datetime | None = None,
        apart: timedelta = SECOND,
    ) -> list[Published]:
        """Publish posts one after the other while time passes, or all of them `at` one time."""
        fresh = []
        for _ in range(count):
            if at is None:
                self.now += apart
            number = max(self._held, default=0) + 1
            post = Published(
                number=number,
                text=f'Post n{number}n: fish & chips were cold, "sorry" <3 they said.',
                at=at or self.now,
                indexed=indexed or self.now,
            )
            self._held[number] = post
            fresh.append(post)
            for listener in self._listeners:
                listener.put_nowait(post)
        return fresh

    def edit(self, post: Published) -> Published:
        """Let the author change the text."""
        self.now += SECOND
        changed = replace(post, text=f"{post.text} Edited: still cold.", edited=self.now)
        self._held[post.number] = changed
        return changed

    def delete(self, post: Published) -> None:
        """Let the author delete a post."""
        self._held[post.number] = replace(post, deleted=True)

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time

    def holds(self, number: int) -> Published | None:
        """One post by its number; None when it never was, or is deleted."""
        post = self._held.get(number)
        return None if post is None or post.deleted else post

    def listed(self) -> list[Published]:
        """What lists show now, newest first."""
        shown = [p for p in self._held.values() if not p.deleted and p.indexed <= self.now]
        shown.sort(key=lambda post: (post.at, post.number), reverse=True)
        return shown[: self.window]

    # --- how it fails

    def fail(
        self, fault: Fault, times: int = 1, *, after: int = 0, method: str = "", path: str = ""
    ) -> None:
        """Let `times` requests fail, after that many more have gone well.

        Only those count that have this method, and this in their path.
        """
        self._faults.append(_Trap(fault, times, after, method, path))

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._faults.clear()

    # --- streams

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def hang_up(self) -> None:
        """End all streams."""
        for listener in self._listeners:
            listener.put_nowait(None)

    async def stream(
        self, request: web.Request, tell: Callable[[Published], bytes]
    ) -> web.StreamResponse:
        """Serve server-sent events: `tell` writes each new post as the place does."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async with self._listening() as queue:
            await response.write(b":thump\n\n")
            while (post := await queue.get()) is not None:
                await response.write(tell(post))
        return response

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Queue[Published | None]]:
        queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    # --- the server

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{self.host_port}"

    @property
    def host_port(self) -> str:
        """The pair that the guard has to allow."""
        return f"127.0.0.1:{self._server.port}"

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self.hang_up()
        await self._server.close()

    @web.middleware
    async def _meddle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(
            Asked(monotonic(), request.method, request.path, dict(request.query), request.headers)
        )
        for trap in self._faults:
            if trap.springs(request):
                return await self._faulty(trap.fault, request, handler)
        return await handler(request)

    async def _faulty(
        self, fault: Fault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        match fault:
            case Fault.RETRY_SECONDS:
                return web.Response(status=429, headers={"Retry-After": "120"})
            case Fault.RETRY_DATE:
                date = datetime.now(UTC) + timedelta(seconds=120)
                stamp = format_datetime(date, usegmt=True)
                return web.Response(status=429, headers={"Retry-After": stamp})
            case Fault.OWN_HEADER:
                return web.Response(status=429, headers=self.own_header(timedelta(seconds=120)))
            case Fault.TOO_MANY:
                return web.Response(status=429)
            case Fault.BROKEN:
                return web.json_response({"error": "internal"}, status=500)
            case Fault.BAD_GATEWAY:
                return _page("<html><h1>502 Bad Gateway</h1></html>", 502)
            case Fault.TRUNCATED:
                whole = await handler(request)
                assert isinstance(whole, web.Response)
                assert isinstance(whole.body, bytes)
                half = whole.body[: len(whole.body) // 2]
                return web.Response(body=half, content_type=whole.content_type)
            case Fault.ERROR_TEXT:
                return web.Response(text="Database error: too many connections")
            case Fault.EMPTY:
                return web.Response(body=b"", content_type="application/json")
            case Fault.HANG:
                await self._closing.wait()
                return web.Response(status=503)
            case Fault.RESET | Fault.LOST:
                if fault is Fault.LOST:
                    await handler(request)
                assert request.transport is not None
                request.transport.abort()
                return web.Response(status=503)
            case Fault.DENIED:
                return web.json_response({"error": "The access token is invalid"}, status=401)


def _page(text: str, status: int) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
