"""Promise S2: whatever a server sends, a call costs little memory and little time."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from aiohttp import web

from connectors.kit.errors import TryLater, Unreadable
from connectors.kit.web import Limits
from tests.connectors.kit.door import QUICK, Site, door, hello, site

MB = 1_000_000


def _packed(wbits: int, size: int = 200) -> bytes:
    """So many megabytes of nothing, in a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(bytes(MB)) for _ in range(size)), packer.flush()])


BOMBS = {"gzip": _packed(31), "deflate": _packed(15)}


def _serving(body: bytes, encoding: str) -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(
        body=body, headers={"Content-Encoding": encoding, "Content-Type": "application/json"}
    )


@pytest.mark.parametrize("encoding", BOMBS)
async def test_a_bomb_is_stopped_long_before_it_is_unpacked(encoding: str) -> None:
    bomb = BOMBS[encoding]
    assert len(bomb) < 200_000

    async def serve(request: web.Request) -> web.Response:
        return _serving(bomb, encoding)(request)

    async with site(serve) as hostile, door(hostile) as web_:
        tracemalloc.start()
        try:
            with pytest.raises(Unreadable, match="more than 5 MB"):
                await web_.get(dict[str, str], hostile.url)
            with pytest.raises(Unreadable, match="more than 10 MB"):
                await web_.fetch(hostile.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 40 * MB


async def test_a_bomb_in_a_bomb_is_not_opened_twice() -> None:
    nested = gzip.compress(BOMBS["gzip"])

    async def serve(request: web.Request) -> web.Response:
        return _serving(nested, request.query["as"])(request)

    async with site(serve) as hostile, door(hostile) as web_:
        tracemalloc.start()
        for encoding in ("gzip", "gzip, gzip"):
            with pytest.raises(Unreadable):
                await web_.get(dict[str, str], hostile.url, params={"as": encoding})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 40 * MB


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_what_cannot_be_unpacked_is_unreadable(encoding: str) -> None:
    async def serve(request: web.Request) -> web.Response:
        return _serving(b"\x8b\x07\x80this is not what it says", encoding)(request)

    async with site(serve) as hostile, door(hostile) as web_:
        with pytest.raises(Unreadable):
            await web_.fetch(hostile.url)


async def test_packed_answers_of_a_normal_size_are_read() -> None:
    async def serve(request: web.Request) -> web.Response:
        return _serving(gzip.compress(b'{"hello": "world"}'), "gzip")(request)

    async with site(serve) as friendly, door(friendly) as web_:
        assert await web_.get(dict[str, str], friendly.url) == {"hello": "world"}


async def test_an_answer_that_says_it_is_too_large_is_not_read_at_all() -> None:
    sent = 0

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(500 * MB)})
        await response.prepare(request)
        for _ in range(500):
            await response.write(bytes(MB))
            sent += 1
        return response

    async with site(serve) as hostile, door(hostile) as web_:
        with pytest.raises(Unreadable, match="more than 10 MB"):
            await web_.fetch(hostile.url)

    assert sent < 10


async def test_an_answer_without_end_is_stopped() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 100_000)

    async with site(serve) as hostile, door(hostile) as web_:
        with pytest.raises(Unreadable, match="more than 10 MB"):
            await web_.fetch(hostile.url)


async def test_an_answer_of_exactly_the_largest_size_is_read() -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * int(request.query["size"]))

    limits = Limits(anything=100_000)
    async with site(serve) as place, door(place, limits=limits) as web_:
        assert len((await web_.fetch(place.url, params={"size": "100000"})).body) == 100_000
        with pytest.raises(Unreadable):
            await web_.fetch(place.url, params={"size": "100001"})


@pytest.mark.parametrize(
    "headers", [{"X-Long": "x" * 100_000}, {f"X-{n}": "1" for n in range(999)}]
)
async def test_an_answer_with_absurd_headers_is_unreadable(headers: dict[str, str]) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(headers=headers)

    async with site(serve) as hostile, door(hostile) as web_:
        with pytest.raises(Unreadable):
            await web_.fetch(hostile.url)


async def test_a_body_that_drips_is_given_up() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async with site(serve) as slow, door(slow, limits=QUICK) as web_:
        begun = monotonic()
        with pytest.raises(TryLater, match="in time"):
            await web_.fetch(slow.url)

        assert monotonic() - begun < 30


@asynccontextmanager
async def _raw(talk: Callable[[asyncio.StreamWriter], AsyncIterator[None]]) -> AsyncIterator[Site]:
    """A server below HTTP, which may break its rules."""
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            async for _ in talk(writer):
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server:
        yield Site(server.sockets[0].getsockname()[1])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_headers_that_drip_are_given_up() -> None:
    async def talk(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for which in range(10_000):
            writer.write(f"X-{which}: 1\r\n".encode())
            yield
            await asyncio.sleep(0.02)

    async with _raw(talk) as slow, door(slow, limits=QUICK) as web_:
        begun = monotonic()
        with pytest.raises(TryLater, match="in time"):
            await web_.fetch(slow.url)
        with pytest.raises(TryLater, match="in time"):
            await anext(aiter(web_.events(slow.url)))

        assert monotonic() - begun < 30


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def talk(_: asyncio.StreamWriter) -> AsyncIterator[None]:
        await asyncio.sleep(10)
        yield

    async with _raw(talk) as silent, door(silent, limits=QUICK) as web_:
        with pytest.raises(TryLater, match="in time"):
            await web_.fetch(silent.url)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (b"", TryLater),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", TryLater),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", TryLater),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unreadable),
        (b"HTTP/1.1 two hundred\r\n\r\n", Unreadable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n", Unreadable),
    ],
)
async def test_a_server_that_breaks_off_or_speaks_otherwise_has_its_error(
    told: bytes, error: type[Exception]
) -> None:
    async def talk(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        writer.write(told)
        yield

    async with _raw(talk) as odd, door(odd) as web_:
        with pytest.raises((TryLater, Unreadable)) as caught:
            await web_.fetch(odd.url)

    if error is TryLater:
        assert isinstance(caught.value, TryLater)


async def test_one_hanging_host_does_not_delay_another() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(0.8)
        return web.Response()

    async with site(hang) as slow, site(hello) as quick, door(slow, quick, limits=QUICK) as web_:
        slowly = [asyncio.create_task(web_.fetch(slow.url)) for _ in range(20)]
        await asyncio.sleep(0)
        await web_.fetch(quick.url)

        assert not any(task.done() for task in slowly)
        results = await asyncio.gather(*slowly, return_exceptions=True)
        assert {type(result) for result in results} == {TryLater}


async def test_three_redirects_are_followed_and_no_more() -> None:
    async def lead(request: web.Request) -> web.Response:
        left = int(request.query["left"])
        if left == 0:
            return await hello(request)
        return web.Response(status=302, headers={"Location": f"/?left={left - 1}"})

    async with site(lead) as place, door(place) as web_:
        answer = await web_.fetch(place.url, params={"left": "3"})
        assert answer.url == f"{place.url}/?left=0"
        place.asked.clear()
        with pytest.raises(Unreadable, match="redirect"):
            await web_.fetch(place.url, params={"left": "4"})

        assert len(place.asked) == 4
