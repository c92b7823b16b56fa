"""Server-sent events are read as the standard says, and a stream that dies is noticed."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Pace, ServerEvent
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.kit.web import Limits, PacedWeb
from connectors.kit.web.stream import Events
from tests.connectors.kit.door import QUICK, Site, door, hello, site

STREAM = {"Content-Type": "text/event-stream"}


def heard(text: str | bytes) -> list[tuple[str, str, str]]:
    raw = text.encode() if isinstance(text, str) else text
    return [(e.event, e.data, e.id) for e in Events(largest=1_000).feed(raw)]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: one\n\n", [("message", "one", "")]),
        ("data:one\n\n", [("message", "one", "")]),
        ("data:  one\n\n", [("message", " one", "")]),
        ("data: one\r\rdata: two\r\n\r\n", [("message", "one", ""), ("message", "two", "")]),
        ("data: one\ndata: two\n\n", [("message", "one\ntwo", "")]),
        ("data\n\n", [("message", "", "")]),
        ("data: a: b\n\n", [("message", "a: b", "")]),
        ("event: update\ndata: {}\n\n", [("update", "{}", "")]),
        ("event: update\n\ndata: {}\n\n", [("message", "{}", "")]),
        ("id: 7\ndata: a\n\ndata: b\n\n", [("message", "a", "7"), ("message", "b", "7")]),
        ("id: 7\nid\ndata: a\n\n", [("message", "a", "")]),
        ("id: 7\x00\ndata: a\n\n", [("message", "a", "")]),
        (":thump\n\n:\n\ndata: a\n\n", [("message", "a", "")]),
        ("colour: red\ndata: a\n\n", [("message", "a", "")]),
        ("\ufeffdata: a\n\n", [("message", "a", "")]),
        ("\ufeff\ufeffdata: a\n\n", []),
        ("data: never ended\n", []),
        ("\n\n\n", []),
        ("", []),
        ("data: ☕ 咖啡\n\n", [("message", "☕ 咖啡", "")]),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
    ],
)
def test_events_are_read_as_the_standard_says(
    text: str | bytes, events: list[tuple[str, str, str]]
) -> None:
    assert heard(text) == events


def test_the_place_says_how_long_to_wait_after_a_cut() -> None:
    reader = Events(largest=1_000)
    assert list(reader.feed(b"retry: soon\nretry: 2500\nretry: -1\n\n")) == []

    assert reader.retry == timedelta(seconds=2.5)


@given(
    st.lists(st.sampled_from(["data: é", "event: x", "id: 1", ":", "data", "", "", "☕"])),
    st.sampled_from(["\n", "\r", "\r\n"]),
    st.lists(st.integers(1, 7)),
)
def test_it_does_not_matter_how_the_bytes_arrive(
    lines: list[str], end: str, cuts: list[int]
) -> None:
    raw = "".join(line + end for line in lines).encode()
    reader, pieces, rest = Events(largest=10_000), list[ServerEvent](), raw
    for cut in cuts:
        pieces += reader.feed(rest[:cut])
        pieces += reader.feed(b"")
        rest = rest[cut:]
    pieces += reader.feed(rest)

    assert pieces == list(Events(largest=10_000).feed(raw))


@pytest.mark.parametrize(
    "endless", ["data: " + "x" * 1_200, "data: x\n" * 600, "x" * 2_000], ids=len
)
def test_an_event_without_end_is_given_up(endless: str) -> None:
    reader = Events(largest=1_000)
    with pytest.raises(Unreadable, match="more than 1000"):
        list(reader.feed(endless.encode()))


# --- over a real connection


async def test_events_arrive_one_by_one_while_the_stream_is_open() -> None:
    go_on = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        await response.write(b":thump\n\nevent: update\ndata: first\n\n")
        await go_on.wait()
        await response.write(b"event: update\ndata: second\n\n")
        return response

    async with site(serve) as place, door(place) as web_:
        events = aiter(web_.events(place.url, headers={"X-Key": "k"}))
        first = await anext(events)
        go_on.set()
        second = await anext(events)
        with pytest.raises(StopAsyncIteration):
            await anext(events)

        assert [first.data, second.data] == ["first", "second"]
        assert place.asked[0].headers["Accept"] == "text/event-stream"
        assert place.asked[0].headers["X-Key"] == "k"


async def _listen(web_: PacedWeb, place: Site) -> list[str]:
    return [event.data async for event in web_.events(place.url)]


async def test_silence_ends_a_stream() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        await response.write(b"retry: 3000\ndata: one\n\n")
        await asyncio.sleep(1)
        return response

    async with site(serve) as place, door(place, limits=QUICK) as web_:
        with pytest.raises(TryLater) as later:
            await _listen(web_, place)

    assert later.value.wait == timedelta(seconds=3)


async def test_heartbeats_keep_a_stream_alive() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        for _ in range(10):
            await asyncio.sleep(0.08)
            await response.write(b":thump\n\n")
        await response.write(b"data: still here\n\n")
        return response

    async with site(serve) as place, door(place, limits=QUICK) as web_:
        assert await _listen(web_, place) == ["still here"]


async def test_a_cut_stream_is_tried_again_later() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        assert request.transport
        request.transport.abort()
        return response

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(TryLater):
            await _listen(web_, place)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 401}, AccessDenied),
        ({"status": 404}, Gone),
        ({"status": 429, "headers": {"Retry-After": "60"}}, TryLater),
        ({"status": 502}, TryLater),
        ({"status": 200, "text": "{}", "content_type": "application/json"}, Unreadable),
        ({"status": 204}, Unreadable),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, AccessDenied),
    ],
    ids=str,
)
async def test_a_stream_that_is_refused_has_its_error(
    answer: dict[str, Any], error: type[ConnectorError]
) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(**answer)

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(error):
            await _listen(web_, place)


async def test_a_stream_follows_a_redirect() -> None:
    async def serve(request: web.Request) -> web.Response:
        if request.path == "/new":
            return web.Response(body=b"data: here\n\n", headers=STREAM)
        return web.Response(status=307, headers={"Location": "/new"})

    async with site(serve) as place, door(place) as web_:
        assert await _listen(web_, place) == ["here"]


async def test_an_open_stream_takes_no_place_in_the_line_and_closes_when_left() -> None:
    left = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path != "/stream":
            return await hello(request)
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: tick\n\n")
                await asyncio.sleep(0.01)
        finally:
            left.set()

    pace = Pace(requests=100, per=timedelta(seconds=1), at_once=1)
    async with site(serve) as place, door(place, pace=pace) as web_:
        stream: Any = web_.events(f"{place.url}/stream")
        async with aclosing(stream) as events:
            await anext(events)
            assert (await web_.fetch(place.url)).status == 200
        async with asyncio.timeout(60):
            await left.wait()


async def test_a_stream_of_one_endless_event_is_given_up() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    async with site(serve) as place, door(place, limits=Limits(event=50_000)) as web_:
        with pytest.raises(Unreadable):
            await _listen(web_, place)
