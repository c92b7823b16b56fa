"""A Jetstream on this machine that sends as many posts a second as it is told to, and knows them.

Like the real one it goes on from the time that a cursor names, as far back as it remembers.
"""

import asyncio
import random
import time
from collections import deque
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.journeys.complaints import SYLLABLES, Said, chance

POST = "app.bsky.feed.post"
BRAND = "Acme"
REMEMBERED = 200_000  # frames
TICK = 0.02  # seconds between two handfuls of posts
WEATHER = "Rain again on the way to work, and the bus was late, but the coffee was good today"


class Torrent:
    """What names the brand does it in words of its own; every second such post complains."""

    def __init__(self, seed: int = 0) -> None:
        self.said: list[Said] = []  # what names the brand
        self.sent = 0
        self.heard = asyncio.Event()  # somebody listens
        self._lot = chance(seed)
        self._frames: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self._more = asyncio.Condition()
        app = web.Application()
        app.add_routes([web.get("/subscribe", self.subscribe), web.get("/", hello)])
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._server.close()

    @property
    def host_port(self) -> str:
        return f"{self._server.host}:{self._server.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host_port}"

    async def flow(self, rate: float, seconds: float, share: float) -> None:
        """Send so many posts a second for so long; what a busy machine delayed comes at once.

        `share` of them name the brand.
        """
        began, already = time.monotonic(), self.sent
        while (passed := time.monotonic() - began) < seconds:
            due = already + int(rate * passed)
            async with self._more:
                while self.sent < due:
                    self._publish(share)
                self._more.notify_all()
            await asyncio.sleep(TICK)

    def _publish(self, share: float) -> None:
        self.sent += 1
        milliseconds = time.time_ns() // 1_000_000
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        names_us = self._lot.random() < share
        did, key = f"did:plc:person{self.sent % 9973}", f"3k{self.sent:011d}"
        record = {
            "$type": POST,
            "text": words(self.sent, self._lot) if names_us else WEATHER,
            "createdAt": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "langs": ["en"],
        }
        commit = {"rev": key, "operation": "create", "collection": POST, "rkey": key}
        frame = {
            "did": did,
            "time_us": milliseconds * 1000,
            "kind": "commit",
            "commit": commit | {"record": record, "cid": f"bafyrei{self.sent:052d}"},
        }
        self._frames.append((milliseconds * 1000, orjson.dumps(frame).decode()))
        if names_us:
            self.said.append(Said(id=f"at://{did}/{POST}/{key}", place=self.url, at=at))

    async def subscribe(self, request: web.Request) -> web.WebSocketResponse:
        """Tell everything since the cursor, or from now on, as fast as it is taken."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        place = self.sent
        if since := int(request.query.get("cursor", "0")):
            place -= sum(time_us >= since for time_us, _ in self._frames)
        self.heard.set()
        while not socket.closed:
            behind = self.sent - place
            if not behind:
                async with self._more:
                    await self._more.wait()
                continue
            place = self.sent
            newest = list(islice(reversed(self._frames), behind))
            for _, frame in reversed(newest):
                await socket.send_str(frame)
        return socket


async def hello(_: web.Request) -> web.Response:
    """What is at the top of the server."""
    return web.Response(text="Welcome to Jetstream")


def words(number: int, lot: random.Random) -> str:
    """A text that is like no other, every second one a complaint."""
    rare = " ".join("".join(lot.choices(SYLLABLES, k=3)) for _ in range(14))
    if number % 2:
        return f"{BRAND} is terrible, the parcel is broken and nobody answers me: {rare}."
    return f"{BRAND} was lovely today, thank you all: {rare}."
