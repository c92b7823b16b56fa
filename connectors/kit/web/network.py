"""The network as connectors meet it: every call guarded, paced, bounded and put into our words."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import orjson
from aiohttp import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import ContentEncodingError
from typing_extensions import override
from yarl import URL

from connectors.kit.contract import Answer, Pace, ServerEvent, Web
from connectors.kit.errors import TryLater, Unreadable
from connectors.kit.web import answers, guard
from connectors.kit.web.call import Call, exact, place, written
from connectors.kit.web.pace import Lane
from connectors.kit.web.socket import NotOpened, addressed, heard, only_opened
from connectors.kit.web.stream import Events

T = TypeVar("T")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may cost us, whatever the other side does. Sizes in bytes, unpacked."""

    json: int = 5_000_000
    anything: int = 10_000_000  # feeds and pages
    event: int = 1_000_000
    message: int = 5_000_000  # of a WebSocket; a commit of Bluesky's firehose may have two
    redirects: int = 3
    total: timedelta = timedelta(seconds=30)
    connect: timedelta = timedelta(seconds=10)
    idle: timedelta = timedelta(seconds=15)  # between two pieces of an answer
    silence: timedelta = timedelta(seconds=90)  # of a stream, heartbeats counted as sound
    goodbye: timedelta = timedelta(seconds=2)  # for a WebSocket to be closed from both sides
    patience: timedelta = timedelta(seconds=6)  # how long a call waits for its turn
    send: timedelta = timedelta(seconds=10)


class Network:
    """One per process: the connections, the guard, and a lane for every key.

    `contact` is named to every place, with the product. `allow` holds the exact `host:port`
    pairs that may lie in a private network; they open for nobody else. `proxy` is the
    operator's own: names are then resolved by it, so it has to guard private addresses too.
    """

    def __init__(
        self,
        contact: str,
        *,
        version: str = "0",
        allow: Collection[str] = (),
        proxy: str | None = None,
        trust: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not contact.strip() or not contact.isprintable():
            raise ValueError("The contact that places are told must be one line of text.")
        self.limits = limits or Limits()
        self._agent = f"Listener/{version} (+{contact.strip()})"
        self._allow = frozenset(exact(pair) for pair in allow)
        self.proxy = proxy
        self._trust = trust
        self._resolver = resolver
        self._now = now
        self._lanes: dict[str, Lane] = {}
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = TCPConnector(
            limit=256,
            limit_per_host=32,
            ssl=self._trust or True,
            resolver=self._resolver,
            socket_factory=guard.opening,
        )
        self._session = ClientSession(
            connector=connector,
            headers={"User-Agent": self._agent},
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            max_line_size=16_384,
            max_field_size=16_384,
            middlewares=(_ask_once, only_opened),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def web(self, pace: Pace, key: str, *, not_before: datetime | None = None) -> "PacedWeb":
        """The web for one key: a credential and a group of endpoints that share a limit.

        Everybody who names the same key shares its lane. `not_before` is what was stored
        with a source when the process last stopped.
        """
        lane = self._lanes.get(key)
        if lane is None:
            lane = Lane(pace, now=self._now, patience=self.limits.patience)
            self._lanes[key] = lane
        if not_before is not None:
            lane.not_before = max(lane.not_before or not_before, not_before)
        return PacedWeb(self, lane)

    def not_before(self, key: str) -> datetime | None:
        """Until when a key must not be used, as far as we know."""
        lane = self._lanes.get(key)
        return lane.not_before if lane else None

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Deliver an outgoing webhook; the status it was met with. Redirects are not followed."""
        call = Call("POST", written(url), dict(headers), body)
        seconds = self.limits.send.total_seconds()
        async with await self.open(call, ClientTimeout(total=seconds)) as response:
            return response.status

    async def ask(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post to a machine of the operator's own; its answer, whatever the status."""
        call = Call("POST", written(url), dict(headers), body)
        timeout = ClientTimeout(total=self.limits.total.total_seconds())
        async with await self.open(call, timeout) as response:
            with in_our_words(call):
                return Answer(
                    url=str(response.url),
                    status=response.status,
                    headers=_headers(response),
                    body=await _body(response, self.limits.json, call.place),
                )

    async def open(self, call: Call, timeout: ClientTimeout) -> ClientResponse:
        """Ask one address once and wait for the head of its answer; redirects are answers."""
        with self.admitted(call) as session:
            return await session.request(
                call.method,
                call.url,
                headers=call.headers,
                data=call.body,
                timeout=timeout,
                allow_redirects=False,
                proxy=self.proxy,
            )

    async def dial(self, call: Call) -> ClientWebSocketResponse[bool]:
        """Open a WebSocket; NotOpened when there is another answer, a redirect among them.

        A silent place is asked for a sign of life before it is given up.
        """
        silence = self.limits.silence.total_seconds()
        with self.admitted(call) as session:
            return await session.ws_connect(
                call.url,
                headers=call.headers,
                timeout=ClientWSTimeout(
                    ws_receive=silence, ws_close=self.limits.goodbye.total_seconds()
                ),
                heartbeat=silence / 2,
                max_msg_size=self.limits.message,
                proxy=self.proxy,
            )

    @contextmanager
    def admitted(self, call: Call) -> Iterator[ClientSession]:
        """The connections, for one call that the guard has looked at and goes on looking at."""
        if self._session is None:
            raise RuntimeError("The network is used before `async with`.")
        host, port = call.host, call.url.port or 0
        wanted = guard.admit(call.url.scheme, host, port, self._allow)
        if self.proxy is not None:
            wanted = guard.Passage(private=True)
        with in_our_words(call):
            token = guard.passage.set(wanted)
            try:
                yield self._session
            except ClientConnectionError:
                if wanted.refused:
                    raise guard.private_address(host, port) from None
                raise
            finally:
                guard.passage.reset(token)


class PacedWeb(Web):
    """The contract's `Web` for one key."""

    def __init__(self, network: Network, lane: Lane) -> None:
        self._network = network
        self._lane = lane

    @property
    def not_before(self) -> datetime | None:
        """Until when the place wants this key to rest; the listener stores it with the source."""
        return self._lane.not_before

    @not_before.setter
    def not_before(self, moment: datetime | None) -> None:
        self._lane.not_before = moment

    @property
    def wait(self) -> timedelta | None:
        """How long that is from now: the same whatever this machine's clock shows."""
        seconds = self._lane.closed_for
        return timedelta(seconds=seconds) if seconds > 0 else None

    @override
    async def get(
        self,
        shape: type[T],
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        call = Call("GET", written(url, params), {"Accept": "application/json", **(headers or {})})
        answer = await self._ask(call, self._network.limits.json)
        return self.read(shape, answer)

    @override
    async def post(
        self,
        shape: type[T],
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        named = {"Accept": "application/json"}
        body = b""
        if form is not None:
            named["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        elif json is not None:
            named["Content-Type"] = "application/json"
            body = orjson.dumps(json)
        named |= headers or {}
        answer = await self._ask(Call("POST", written(url), named, body), self._network.limits.json)
        return self.read(shape, answer)

    @override
    async def fetch(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Answer:
        call = Call("GET", written(url, params), dict(headers or {}))
        return await self._ask(call, self._network.limits.anything, also)

    @override
    def read(self, shape: type[T], answer: Answer) -> T:
        return answers.read(shape, answer.body, place(URL(answer.url)))

    @override
    async def events(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ServerEvent]:
        limits = self._network.limits
        call = Call("GET", written(url, params), {"Accept": "text/event-stream", **(headers or {})})
        reader = Events(largest=limits.event)
        async with await self._tune_in(call) as response:
            try:
                with in_our_words(call):
                    async for chunk in response.content.iter_any():
                        for event in reader.feed(chunk):
                            yield event
            except TryLater as error:
                raise TryLater(str(error), wait=error.wait or reader.retry) from None

    @override
    async def socket(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[bytes | str]:
        call = Call("GET", written(addressed(url), params), dict(headers or {}))
        socket = await self._dial(call)
        try:
            with in_our_words(call):
                async for message in heard(socket, call.place, self._network.limits.message):
                    yield message
        finally:
            await socket.close()

    async def _ask(self, call: Call, largest: int, also: Collection[int] = ()) -> Answer:
        limits, clock = self._network.limits, asyncio.get_running_loop().time
        left = limits.total.total_seconds()
        for _ in range(limits.redirects + 1):
            async with self._lane.turn():
                begun = clock()
                timeout = ClientTimeout(
                    total=left,
                    sock_connect=limits.connect.total_seconds(),
                    sock_read=limits.idle.total_seconds(),
                )
                async with await self._network.open(call, timeout) as response:
                    if response.status not in REDIRECTS or response.status in also:
                        with in_our_words(call):
                            return await self._answer(call, response, largest, also)
                    call = await self._redirected(call, response)
            left = max(left - (clock() - begun), 0.1)
        raise _too_many_redirects(call)

    async def _tune_in(self, call: Call) -> ClientResponse:
        """Open a stream. Only its beginning is a request that counts."""
        limits = self._network.limits
        timeout = ClientTimeout(
            sock_connect=limits.connect.total_seconds(),
            sock_read=limits.silence.total_seconds(),
        )
        for _ in range(limits.redirects + 1):
            async with self._lane.turn():
                with in_our_words(call):
                    async with asyncio.timeout(limits.total.total_seconds()):
                        response = await self._network.open(call, timeout)
                if response.status == 200 and response.content_type == "text/event-stream":
                    self._learn(response)
                    return response
                async with response:
                    call = await self._redirected(call, response)
        raise _too_many_redirects(call)

    async def _dial(self, call: Call) -> ClientWebSocketResponse[bool]:
        """Open a WebSocket. Only its beginning is a request that counts."""
        limits = self._network.limits
        for _ in range(limits.redirects + 1):
            async with self._lane.turn():
                try:
                    with in_our_words(call):
                        async with asyncio.timeout(limits.total.total_seconds()):
                            socket = await self._network.dial(call)
                except NotOpened as instead:
                    wait = self._lane.learn(instead.status, instead.headers)
                    call = _elsewhere(call, instead, wait)
                else:
                    self._lane.learn(101, {})
                    return socket
        raise _too_many_redirects(call)

    async def _redirected(self, call: Call, response: ClientResponse) -> Call:
        if response.status not in REDIRECTS:
            with in_our_words(call):
                await self._answer(call, response, self._network.limits.json, ())
            raise Unreadable(f"{call.place} is not a stream of events.")
        self._learn(response)
        return call.redirected(response.status, response.headers.get("Location", ""))

    async def _answer(
        self, call: Call, response: ClientResponse, largest: int, also: Collection[int]
    ) -> Answer:
        wait, status, where = self._learn(response), response.status, call.place
        if status not in also and not 200 <= status < 300:
            told = await _beginning(response) if 400 <= status < 500 else b""
            raise answers.refusal(status, where, wait=wait, body=told)
        return Answer(
            url=str(response.url),
            status=status,
            headers=_headers(response),
            body=await _body(response, largest, where),
            links=_links(response),
        )

    def _learn(self, response: ClientResponse) -> timedelta | None:
        return self._lane.learn(response.status, _headers(response))


@contextmanager
def in_our_words(call: Call) -> Iterator[None]:
    """Whatever the network throws, as the error that says what to do. Never with an address.

    The original is left behind: its text and its chain hold the whole address and more.
    """
    where = call.place
    try:
        yield
    except TimeoutError:
        raise TryLater(f"{where} did not answer in time.") from None
    except ClientConnectorDNSError:
        raise TryLater(f"{call.host} could not be found by its name.") from None
    except ClientSSLError:
        raise TryLater(f"{call.host} has no certificate that we can trust.") from None
    except ClientPayloadError as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise Unreadable(f"{where} answered in a compression we cannot unpack.") from None
        raise TryLater(f"{where} stopped in the middle of its answer.") from None
    except (ClientConnectionError, ConnectionError):
        raise TryLater(f"{call.host} cannot be reached, or cut the connection.") from None
    except ClientError:
        raise Unreadable(f"{where} does not answer as a website does.") from None


async def _ask_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from silently asking again after a cut: it would break the pace."""
    try:
        return await handler(request)
    except (ServerDisconnectedError, ClientOSError) as error:
        if isinstance(error, ClientConnectorError | ClientSSLError):
            raise
        raise _Cut from None


class _Cut(ClientConnectionError):
    """The other side cut the connection."""


async def _body(response: ClientResponse, largest: int, where: str) -> bytes:
    """Unpack an answer piece by piece, and stop the moment it is too large."""
    read = bytearray()
    if (response.content_length or 0) <= largest:
        async for chunk in response.content.iter_chunked(CHUNK):
            read += chunk
            if len(read) > largest:
                break
        else:
            return bytes(read)
    raise Unreadable(f"{where} answered with more than {largest // 1_000_000} MB.")


async def _beginning(response: ClientResponse) -> bytes:
    """What a place says about a refusal, if it gets to say it: the status counts, not this."""
    try:
        return await response.content.read(answers.RAW)
    except (ClientError, TimeoutError):
        return b""


def _headers(response: ClientResponse) -> dict[str, str]:
    return {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}


def _links(response: ClientResponse) -> dict[str, str]:
    try:
        return {rel: str(link["url"]) for rel, link in response.links.items()}
    except ValueError:
        return {}


def _elsewhere(call: Call, instead: NotOpened, wait: timedelta | None) -> Call:
    """The call that a redirect asks for; every other answer in place of a socket is an error."""
    if instead.status in REDIRECTS:
        return call.redirected(instead.status, addressed(instead.headers.get("location", "")))
    if 200 <= instead.status < 300:
        raise Unreadable(f"{call.place} is not a WebSocket.")
    raise answers.refusal(instead.status, call.place, wait=wait, body=instead.body)


def _too_many_redirects(call: Call) -> Unreadable:
    return Unreadable(f"{call.place} is one redirect too many.")
