"""What somebody's own system sends us is kept once, however often it comes, or refused in words."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from listener.app import Service
from listener.domain.event import What
from listener.domain.source import Arrival
from tests.world import World

KEY = "whsec_" + b64encode(b"a key that two systems share").decode()
OTHER = "whsec_" + b64encode(b"a key of somebody else's own").decode()

Said = dict[str, Any]


@dataclass(frozen=True)
class Sender:
    """Somebody's own system, which signs what it sends."""

    world: World
    address: str
    session: aiohttp.ClientSession

    async def send(
        self,
        *posts: Said,
        to: str = "Shop",
        id_: str = "msg_1",
        key: str = KEY,
        ago: timedelta = timedelta(0),
        body: bytes | None = None,
        **headers: str,
    ) -> tuple[int, Said]:
        """Deliver posts; how it was met."""
        body = orjson.dumps(posts) if body is None else body
        signed = self.world.now - ago
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(signed.timestamp())),
            "webhook-signature": Webhook(key).sign(id_, signed, body.decode(errors="replace")),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.address}/hooks/{to}"
        async with self.session.post(url, data=BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json()


def review(number: int, text: str = "The fish was cold when it came.", **more: Any) -> Said:
    """A review as the sender writes it."""
    said = {
        "id": number,
        "text": text,
        "published": "2026-11-02T11:59:00Z",
        "author": {"name": "Ada Example", "id": "ada"},
        "url": f"https://shop.example/reviews/{number}",
    }
    return said | more


@asynccontextmanager
async def opened(world: World) -> AsyncIterator[tuple[Service, Sender]]:
    """The service's own site on a free port, and a sender who knows it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = await world.service()
    async with service.site.open("127.0.0.1", port), aiohttp.ClientSession() as session:
        yield service, Sender(world, f"http://127.0.0.1:{port}", session)


@pytest.fixture
async def world(world: World) -> World:
    """A listener to whom a shop sends its reviews."""
    await world.set_up(
        sources=[
            {"name": name, "connector": "webhook", "options": {"secret": KEY}}
            for name in ("Shop", "Other shop")
        ]
    )
    return world


async def test_a_signed_delivery_becomes_mentions_that_are_judged_and_told(world: World) -> None:
    async with opened(world) as (service, sender):
        status, answer = await sender.send(review(1), review(2, "The weather was fine."))
        assert (status, answer) == (202, {"kept": 1, "read": 2, "unreadable": []})
        assert service.wake.keys() >= {"judge"}
        await service.judge.step()
        await service.notify.step()

    [mention] = await world.mentions()
    assert mention.text == "The fish was cold when it came."
    assert mention.url == "https://shop.example/reviews/1"
    assert mention.flagged
    [case] = await world.cases()
    assert mention.case_id == case.id
    assert "Case 1" in world.printed


async def test_a_delivery_that_comes_again_is_thanked_for_and_not_kept_again(world: World) -> None:
    async with opened(world) as (_, sender):
        assert (await sender.send(review(1)))[0] == 202
        again = await sender.send(review(1))
        assert again == (200, {"duplicate": True, "kept": 0})
        changed = await sender.send(review(1, "The fish was cold, twice."))
        assert changed[0] == 200, "the same id is the same delivery, whatever it says now"

    async with opened(world) as (_, sender):  # after a restart as well
        assert (await sender.send(review(1)))[0] == 200
        assert (await sender.send(review(1), id_="msg_2"))[0] == 202

    [mention] = await world.mentions()
    assert (mention.text, mention.revisions) == ("The fish was cold when it came.", 1)
    assert len(await world.all_of(Arrival)) == 2


async def test_the_same_delivery_ten_times_at_once_is_kept_once(world: World) -> None:
    async with opened(world) as (_, sender):
        answers = await asyncio.gather(*(sender.send(review(1)) for _ in range(10)))

    assert sorted(status for status, _ in answers) == [200] * 9 + [202]
    assert len(await world.mentions()) == 1


async def test_two_senders_may_use_the_same_ids(world: World) -> None:
    async with opened(world) as (_, sender):
        assert (await sender.send(review(1)))[0] == 202
        assert (await sender.send(review(1, "The fish was late."), to="Other shop"))[0] == 202

    assert [one.text for one in await world.mentions()] == [
        "The fish was cold when it came.",
        "The fish was late.",
    ]
    assert await world.revisions() == []


async def test_edits_and_deletions_are_delivered_too(world: World) -> None:
    async with opened(world) as (service, sender):
        await sender.send(review(1), review(2, "The fish was raw, and cold in the middle."))
        await service.judge.step()
        await sender.send(review(1, "The fish was cold, and burnt."), id_="msg_2")
        await sender.send({"id": 2, "deleted": True}, id_="msg_3")
        await service.judge.step()

    edited, deleted = await world.mentions()
    assert (edited.text, edited.revisions) == ("The fish was cold, and burnt.", 2)
    assert (deleted.text, deleted.author_name, deleted.url) == ("", "", "")
    assert deleted.deleted_at == world.now
    story = [(event.case_id, event.what) for event in await world.events()]
    assert story[2:] == [
        (edited.case_id, What.EDITED),
        (deleted.case_id, What.DELETED),
        (edited.case_id, What.PRIORITY),
    ]


async def test_what_of_a_delivery_cannot_be_read_is_set_aside_and_named(world: World) -> None:
    async with opened(world) as (_, sender):
        status, answer = await sender.send(review(1), {"id": 2}, review(3, published="teatime"))

    assert (status, answer["kept"], answer["read"]) == (202, 1, 1)
    assert len(answer["unreadable"]) == len(await world.dead_letters()) == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"key": OTHER}, "No signature fits"),
        ({"webhook_signature": "v1,AAAA"}, "No signature fits"),
        ({"webhook_signature": ""}, "not signed"),
        ({"ago": timedelta(minutes=6)}, "five minutes"),
        ({"ago": -timedelta(minutes=6)}, "five minutes"),
    ],
)
async def test_a_delivery_that_is_not_from_the_sender_is_refused(
    world: World, wrong: dict[str, Any], why: str
) -> None:
    with capture_logs() as logs:
        async with opened(world) as (_, sender):
            status, answer = await sender.send(review(1), **wrong)

    assert status == 401
    assert why in answer["error"]
    assert await world.mentions() == []
    assert await world.all_of(Arrival) == []
    assert "fish" not in str(logs)


async def test_a_delivery_that_is_too_large_is_refused_and_may_come_in_parts(world: World) -> None:
    async with opened(world) as (_, sender):
        much = [review(number, "fish " * 2_000) for number in range(120)]
        status, answer = await sender.send(*much)
        assert status == 413
        assert "1 MiB" in answer["error"]
        for start in range(0, 120, 60):
            status, _ = await sender.send(*much[start : start + 60], id_=f"part {start}")
            assert status == 202

    assert len(await world.mentions()) == 120


async def test_a_delivery_that_is_no_json_is_refused_with_a_reason(world: World) -> None:
    async with opened(world) as (_, sender):
        status, answer = await sender.send(body=b"{half")

    assert status == 422
    assert answer["error"]


@pytest.mark.parametrize("to", ["Nobody", "Town", "Closed shop"])
async def test_only_sources_that_are_sent_posts_have_a_door(world: World, to: str) -> None:
    town = {"api": "https://town.example", "tag": "acme"}
    await world.set_up(sources=[{"name": "Town", "connector": "mastodon", "options": town}])
    async with opened(world) as (_, sender):
        status, answer = await sender.send(review(1), to=to)

    assert status == 404
    assert answer["error"]


async def test_a_delivery_during_which_the_database_fails_may_be_sent_again(world: World) -> None:
    async with opened(world) as (service, sender):
        keep = service.poll.intake.keep

        async def fails(*given: Any, **named: Any) -> Any:
            await keep(*given, **named)
            raise RuntimeError("the process is about to die")

        service.poll.intake.keep = fails  # type: ignore[method-assign]
        status, answer = await sender.send(review(1))
        assert status == 500
        assert "fish" not in str(answer)
        assert await world.mentions() == []
        service.poll.intake.keep = keep  # type: ignore[method-assign]
        assert (await sender.send(review(1)))[0] == 202

    assert len(await world.mentions()) == 1
