"""Small real servers, and doors to them, for the tests of the network."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from socket import AF_INET, AF_INET6, AI_NUMERICHOST, AddressFamily

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from typing_extensions import override

from connectors.kit.contract import Pace
from connectors.kit.web import Limits, Network, PacedWeb

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTACT = "staff@listener.example"
FREE = Pace(requests=100_000, per=timedelta(seconds=1), at_once=100)
QUICK = Limits(
    total=timedelta(seconds=0.5),
    idle=timedelta(seconds=0.3),
    silence=timedelta(seconds=0.3),
    patience=timedelta(seconds=0.6),
)


@dataclass(slots=True)
class Site:
    """A server on this machine, and every request that reached it."""

    port: int
    asked: list[web.BaseRequest] = field(default_factory=list)

    @property
    def host_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host_port}"


@asynccontextmanager
async def site(handler: Handler) -> AsyncIterator[Site]:
    """Serve every request with `handler`."""

    async def remember(request: web.Request) -> web.StreamResponse:
        opened.asked.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", remember)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port
        opened = Site(server.port)
        yield opened


@asynccontextmanager
async def door(
    *sites: Site,
    pace: Pace = FREE,
    limits: Limits | None = None,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[PacedWeb]:
    """A web that may go to these sites, and to no other private address."""
    allow = {one.host_port for one in sites}
    async with Network(CONTACT, allow=allow, limits=limits, resolver=resolver) as network:
        yield network.web(pace, "key")


async def hello(_: web.Request) -> web.Response:
    """The answer of a site that has nothing to say."""
    return web.json_response({"hello": "world"})


class Names(AbstractResolver):
    """Answers each name with its next list of addresses, and the last one for ever."""

    def __init__(self, answers: Mapping[str, list[list[str]]]) -> None:
        self._answers = {name: list(lists) for name, lists in answers.items()}

    @override
    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AF_INET
    ) -> list[ResolveResult]:
        lists = self._answers.get(host.rstrip("."))
        if not lists:
            raise OSError(f"no such name: {host}")
        addresses = lists.pop(0) if len(lists) > 1 else lists[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AF_INET6 if ":" in address else AF_INET,
                proto=0,
                flags=AI_NUMERICHOST,
            )
            for address in addresses
        ]

    @override
    async def close(self) -> None:
        pass
