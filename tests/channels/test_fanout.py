"""Fan-out reaches a real service in plain words, and says in words what is wrong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from listener.channels.contract import Undelivered
from listener.channels.fanout import Fanout
from listener.store import notices
from tests.given import INBOX, OPENED, complained
from tests.world import World

# Apprise looks whether an old module of Python is there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

HOSTILE = "The fish was cold. @everyone <!channel> <script>alert(1)</script>"
KEY = "a-very-secret-key"


@dataclass
class Service:
    """A service that Apprise knows how to reach."""

    port: int = 0
    status: int = 200
    told: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One message."""
        if self.status == 200:
            self.told.append(await request.json())
        return web.Response(status=self.status)

    @property
    def host(self) -> str:
        """Where it is, as the operator allows it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address as Apprise writes it."""
        return f"json://user:{KEY}@{self.host}/"

    def channel(self, **more: Any) -> Fanout:
        """A channel that tells it."""
        return replace(Fanout(self.url, "https://listener.example", {self.host}), **more)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The service, on this machine."""
    here = Service()
    app = web.Application()
    app.router.add_post("/", here.take)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    here.port = server.port or 0
    yield here
    await server.close()


async def test_a_case_arrives_in_plain_words_with_the_way_to_it(service: Service) -> None:
    await service.channel().send(replace(OPENED, source="Town"))

    [told] = service.told
    assert told["title"] == "Acme: case 7"
    assert "The fish was cold." in told["message"]
    assert "https://listener.example/cases/7" in told["message"]


async def test_what_strangers_wrote_pings_nobody(service: Service) -> None:
    await service.channel().send(replace(OPENED, quote=HOSTILE))

    [told] = service.told
    assert "@everyone" not in told["message"]
    assert "<" not in told["message"]
    assert "The fish was cold." in told["message"]


async def test_a_service_that_refuses_is_said_without_its_key(service: Service) -> None:
    service.status = 500

    with pytest.raises(Undelivered, match="did not take it") as refused:
        await service.channel().send(OPENED)

    assert KEY not in str(refused.value)
    assert KEY not in repr(service.channel())


@pytest.mark.parametrize("url", ["nope://x", "discord://", f"{KEY}"])
async def test_an_address_that_is_none_is_said_in_words(service: Service, url: str) -> None:
    with pytest.raises(Undelivered, match="cannot read this address") as refused:
        await service.channel(url=url).send(OPENED)

    assert KEY not in str(refused.value)


async def test_a_private_network_is_not_reached_unless_it_is_allowed(service: Service) -> None:
    with pytest.raises(Undelivered, match="LISTENER_ALLOW_HOSTS"):
        await service.channel(allow=()).send(OPENED)

    assert service.told == []


async def test_its_address_is_sealed_and_a_refusal_is_tried_again(
    world: World, service: Service
) -> None:
    world.settings = replace(world.settings, allow_hosts=frozenset({service.host}))
    row = {"name": "team", "kind": "apprise", "url": service.url}
    await world.set_up(sources=[INBOX], channels=[row], allow=[service.host])
    await complained(world)
    service.status = 503
    await (await world.service()).notify.step()
    [notice] = [one for one in await world.notices() if one.channel == "team"]
    assert "did not take it" in str(notice.failure)
    service.status, world.now = 200, notice.next_at

    await (await world.service()).notify.step()

    assert len(service.told) == 1
    async with world.store.reading() as session:
        [kept] = await notices.channels(session)
    assert KEY not in str(kept.options)
