"""WebSockets are listened to as politely as all the rest, and one that dies is noticed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import WSCloseCode, web

from connectors.kit.contract import Pace
from connectors.kit.errors import (
    AccessDenied,
    ConnectorError,
    Gone,
    PrivateAddress,
    TryLater,
    Unreadable,
)
from connectors.kit.web import Limits, PacedWeb
from tests.connectors.kit.door import QUICK, Handler, Site, door, hello, site

Talk = Callable[[web.WebSocketResponse], Awaitable[object]]


def saying(talk: Talk) -> Handler:
    """A site whose every address is a WebSocket that says this and then goodbye."""

    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        await socket.close()
        return socket

    return serve


async def listen(web_: PacedWeb, url: str, **more: Any) -> list[bytes | str]:
    return [message async for message in web_.socket(url, **more)]


async def test_messages_arrive_one_by_one_as_text_or_as_bytes() -> None:
    go_on = asyncio.Event()

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"text": "☕"}')
        await go_on.wait()
        await socket.send_bytes(b"\xa1\x00")

    async with site(saying(talk)) as place, door(place) as web_:
        messages = aiter(web_.socket(place.url))
        first = await anext(messages)
        go_on.set()
        second = await anext(messages)
        with pytest.raises(StopAsyncIteration):
            await anext(messages)

    assert [first, second] == ['{"text": "☕"}', b"\xa1\x00"]


@pytest.mark.parametrize("scheme", ["http", "ws", "WS"])
async def test_the_address_is_that_of_a_website_or_of_a_socket(scheme: str) -> None:
    async with site(saying(lambda socket: socket.send_str("hi"))) as place, door(place) as web_:
        url = f"{scheme}://{place.host_port}/subscribe?cursor=1"
        told = await listen(web_, url, params={"wanted": "posts"}, headers={"X-Key": "k"})
        [asked] = place.asked

    assert told == ["hi"]
    assert (asked.path, dict(asked.query)) == ("/subscribe", {"cursor": "1", "wanted": "posts"})
    assert asked.headers["X-Key"] == "k"
    assert asked.headers["User-Agent"].startswith("Listener/")
    assert "staff@listener.example" in asked.headers["User-Agent"]


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_place_that_says_goodbye_ends_the_stream(code: int) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str("one")
        await socket.close(code=code)

    async with site(saying(talk)) as place, door(place) as web_:
        assert await listen(web_, place.url) == ["one"]


@pytest.mark.parametrize(
    "code", [WSCloseCode.POLICY_VIOLATION, WSCloseCode.INTERNAL_ERROR, WSCloseCode.SERVICE_RESTART]
)
async def test_a_place_that_throws_us_out_is_asked_again_later(code: int) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.close(code=code, message=b"too slow, key s3cret")

    async with site(saying(talk)) as place, door(place) as web_:
        with pytest.raises(TryLater) as later:
            await listen(web_, f"{place.url}/stream?key=s3cret")

    assert "127.0.0.1/stream" in str(later.value)
    assert "s3cret" not in f"{later.value!r}"


async def test_a_cut_socket_is_tried_again_later() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("one")
        assert request.transport
        request.transport.abort()
        return socket

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(TryLater):
            await listen(web_, place.url)


async def test_a_connection_that_ends_without_a_goodbye_is_tried_again_later() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport
        request.transport.close()
        return socket

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(TryLater):
            await listen(web_, place.url)


async def test_silence_ends_a_socket() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str("one")
        await asyncio.sleep(5)  # and answers no ping

    async with site(saying(talk)) as place, door(place, limits=QUICK) as web_:
        with pytest.raises(TryLater):
            async with asyncio.timeout(4):
                await listen(web_, place.url)


async def test_a_quiet_place_that_gives_signs_of_life_is_listened_to() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        waiting = asyncio.create_task(socket.receive())  # which answers pings
        await asyncio.sleep(1)
        await socket.send_str("still here")
        waiting.cancel()

    async with site(saying(talk)) as place, door(place, limits=QUICK) as web_:
        assert await listen(web_, place.url) == ["still here"]


async def test_a_message_that_is_too_long_is_given_up() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"x" * 3_000_000)

    limits = Limits(message=2_000_000)
    async with site(saying(talk)) as place, door(place, limits=limits) as web_:
        with pytest.raises(Unreadable, match="more than 2 MB"):
            await listen(web_, place.url)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 401}, AccessDenied),
        ({"status": 404}, Gone),
        ({"status": 429, "headers": {"Retry-After": "60"}}, TryLater),
        ({"status": 502}, TryLater),
        ({"status": 200, "text": "Welcome"}, Unreadable),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, AccessDenied),
        ({"status": 302, "headers": {"Location": "ws://127.0.0.1:1/"}}, AccessDenied),
        ({"status": 302}, Unreadable),
    ],
    ids=str,
)
async def test_a_socket_that_is_refused_has_its_error(
    answer: dict[str, Any], error: type[ConnectorError]
) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(**answer)

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(error):
            await listen(web_, place.url)
        assert len(place.asked) == 1


async def test_a_refusal_keeps_what_the_place_says_and_how_long_it_wants_to_rest() -> None:
    told = [
        web.json_response({"error": "CursorTooOld"}, status=400),
        web.Response(status=429, headers={"Retry-After": "60"}),
    ]

    async def serve(_: web.Request) -> web.Response:
        return told.pop(0)

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(Unreadable) as unreadable:
            await listen(web_, place.url)
        with pytest.raises(TryLater) as later:
            await listen(web_, place.url)
        assert web_.not_before is not None

    assert "CursorTooOld" in unreadable.value.raw
    assert later.value.wait is not None
    assert later.value.wait > timedelta(seconds=55)


async def test_a_socket_follows_a_redirect_but_a_key_does_not_follow_to_another_host() -> None:
    async with site(saying(lambda socket: socket.send_str("here"))) as there:

        async def serve(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"ws://{there.host_port}/new"})

        async with site(serve) as here, door(here, there) as web_:
            told = await listen(web_, here.url, headers={"Authorization": "Bearer k"})
        [asked] = there.asked

    assert told == ["here"]
    assert asked.path == "/new"
    assert "Authorization" not in asked.headers


async def test_the_guard_stands_before_sockets_too() -> None:
    async with site(saying(lambda socket: socket.send_str("secret"))) as place, door() as web_:
        for url in (f"ws://{place.host_port}/", "wss://169.254.169.254/", "ws://localhost:6379/"):
            with pytest.raises(PrivateAddress):
                await listen(web_, url)
        assert place.asked == []


async def test_a_site_that_nobody_serves_is_tried_later() -> None:
    async with door(Site(9)) as web_:
        with pytest.raises(TryLater, match="cannot be reached"):
            await listen(web_, "ws://127.0.0.1:9/")


async def test_an_open_socket_takes_no_place_in_the_line_and_closes_when_left() -> None:
    left = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path != "/stream":
            return await hello(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("tick")
        await socket.receive()
        left.set()
        return socket

    pace = Pace(requests=100, per=timedelta(seconds=1), at_once=1)
    async with site(serve) as place, door(place, pace=pace) as web_:
        stream: Any = web_.socket(f"{place.url}/stream")
        async with aclosing(stream) as messages:
            await anext(messages)
            assert (await web_.fetch(place.url)).status == 200
        async with asyncio.timeout(60):
            await left.wait()


async def test_cancelling_closes_a_socket() -> None:
    left = asyncio.Event()

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str("tick")
        await socket.receive()
        left.set()

    async with site(saying(talk)) as place, door(place) as web_:
        task = asyncio.create_task(listen(web_, place.url))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(60):
            await left.wait()

    assert task.cancelled()
