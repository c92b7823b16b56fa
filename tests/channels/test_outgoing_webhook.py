"""What leaves for another system is signed as the standard asks, and the receiver can check it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook

from connectors.kit.web import Network
from listener.channels.contract import Undelivered
from listener.channels.webhook import OutgoingWebhook, words
from listener.domain.event import What
from listener.domain.notice import News
from listener.stages.notify import Notify
from tests.given import COMPLAINTS, INBOX, KEY, OPENED, complained
from tests.world import NOON, World


class Receiver:
    """Somebody else's system, which checks signatures with the standard's own library."""

    def __init__(self) -> None:
        self.status = 200
        self.deliveries: list[tuple[str, dict[str, Any]]] = []
        app = web.Application()
        app.router.add_post("/hook", self.receive)
        app.router.add_post("/elsewhere", self.elsewhere)
        self.server = TestServer(app, host="127.0.0.1")

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        Webhook(KEY).verify(body, dict(request.headers))  # raises when it does not fit
        self.deliveries.append((request.headers["webhook-id"], orjson.loads(body)))
        return web.Response(status=self.status)

    async def elsewhere(self, request: web.Request) -> web.Response:
        del request
        raise web.HTTPFound("/hook")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/hook"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with receiver.server:
        yield receiver


@pytest.fixture
async def network(receiver: Receiver) -> AsyncIterator[Network]:
    async with Network("tests", allow=frozenset({f"127.0.0.1:{receiver.server.port}"})) as network:
        yield network


async def test_a_delivery_is_signed_so_that_the_standards_library_accepts_it(
    receiver: Receiver, network: Network
) -> None:
    await OutgoingWebhook(receiver.url, KEY, network.send).send(OPENED)

    [(id_, body)] = receiver.deliveries
    assert id_ == "notice_1"
    assert body["type"] == "case.opened"
    assert body["timestamp"] == "2026-11-02T12:00:00Z"
    assert body["data"]["event"] == "opened"
    assert body["data"]["case"] == 7
    assert body["data"]["quote"] == OPENED.quote
    assert body["data"]["due_at"] == "2026-11-02T16:00:00Z"


async def test_another_key_is_not_accepted(receiver: Receiver, network: Network) -> None:
    other = "whsec_YW5vdGhlciBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="

    with pytest.raises(Undelivered) as refusal:
        await OutgoingWebhook(receiver.url, other, network.send).send(OPENED)

    assert str(refusal.value) == "The webhook's address answered 500."
    assert receiver.deliveries == []


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 429, 500, 503])
async def test_every_answer_but_yes_is_a_delivery_to_repeat(
    receiver: Receiver, network: Network, status: int
) -> None:
    receiver.status = status

    with pytest.raises(Undelivered) as refusal:
        await OutgoingWebhook(receiver.url, KEY, network.send).send(OPENED)

    assert str(refusal.value) == f"The webhook's address answered {status}."


async def test_a_redirect_is_not_followed(receiver: Receiver, network: Network) -> None:
    elsewhere = receiver.url.replace("/hook", "/elsewhere")

    with pytest.raises(Undelivered, match="answered 302"):
        await OutgoingWebhook(elsewhere, KEY, network.send).send(OPENED)

    assert receiver.deliveries == []


async def test_an_address_inside_the_house_is_refused(receiver: Receiver) -> None:
    async with Network("tests") as guarded:
        with pytest.raises(Undelivered) as refusal:
            await OutgoingWebhook(receiver.url, KEY, guarded.send).send(OPENED)

    assert "LISTENER_ALLOW_HOSTS" in str(refusal.value)
    assert receiver.deliveries == []


async def test_a_system_that_is_away_is_said_in_a_sentence() -> None:
    async with Network("tests", allow=frozenset({"127.0.0.1:1"})) as network:
        with pytest.raises(Undelivered) as refusal:
            await OutgoingWebhook("http://127.0.0.1:1/hook", KEY, network.send).send(OPENED)

    assert str(refusal.value).startswith("127.0.0.1")
    assert OPENED.quote not in str(refusal.value)


@pytest.mark.parametrize("secret", ["", "whsec_", "é"])
async def test_a_secret_that_cannot_sign_is_said_in_a_sentence_without_it(
    receiver: Receiver, network: Network, secret: str
) -> None:
    with pytest.raises(Undelivered) as refusal:
        await OutgoingWebhook(receiver.url, secret, network.send).send(OPENED)

    assert str(refusal.value) == (
        "Its secret is no key to sign with: that is whsec_ and random bytes in base64."
    )


def test_every_kind_of_news_has_a_type_of_its_own() -> None:
    types = {words(replace(OPENED, news=news))["type"] for news in News}

    assert types == {"case.opened", "case.changed", "case.closed"}


def test_a_body_holds_the_whole_case_and_no_second_id() -> None:
    body = words(replace(OPENED, news=News.CHANGED, what=What.TAKEN, at=NOON))

    assert sorted(body) == ["data", "timestamp", "type"]
    assert sorted(body["data"]) == [
        "author", "brand", "case", "connector", "due_at", "event", "mentions", "outcome", "owner",
        "priority", "quote", "reasons", "source", "stars", "status", "unsure", "urgent", "url",
    ]  # fmt: skip


async def test_a_receiver_that_was_down_gets_each_case_once_with_the_id_it_had(
    world: World, receiver: Receiver
) -> None:
    await world.set_up(
        sources=[INBOX],
        channels=[{"name": "ops", "url": receiver.url, "secret": KEY}],
        allow=[f"127.0.0.1:{receiver.server.port}"],
    )
    await complained(world, *COMPLAINTS[:2])
    service = await world.service()
    stage: Notify = service.notify

    receiver.status = 503
    await stage.step()
    first = list(receiver.deliveries)
    receiver.status = 200
    world.now += timedelta(seconds=30)
    await stage.step()

    assert [id_ for id_, _ in receiver.deliveries] == [id_ for id_, _ in first] * 2
    assert receiver.deliveries[2:] == first  # the same words under the same ids
    assert all(notice.sent_at for notice in await world.notices())
    assert KEY not in world.printed
