"""A complaint on a real server is answered there once, whatever dies, and its author comes back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from listener.app import Service
from listener.desk import replies, taking
from listener.domain.case import Status
from listener.domain.reply import Reply, State
from listener.stages.reach import rule
from listener.store.replies import LEASE
from tests.connectors import test_mastodon_server as mastodon
from tests.connectors.test_mastodon_server import ACME, Server
from tests.replying import Cut
from tests.world import World

pytestmark = mastodon.pytestmark
server = mastodon.server

WORDS = "We are sorry. Please write to us."


async def complained(world: World, server: Server) -> tuple[Service, str]:
    """A case that Ana holds, and the id of the post that opened it."""
    world.now = datetime.now(UTC)
    place = server.url.removeprefix("http://")
    source = {
        "name": "Mastodon",
        "connector": "mastodon",
        "options": {"api": server.url, "mentions": True, "token": ACME},
    }
    await world.set_up(sources=[source], allow=[place])
    await world.hire("Ana")
    told = await server.post(f"@acme the fish was cold, {server.tag()}")
    await world.once()
    service = await world.service()
    cases = await world.cases()
    mentions = await world.mentions()
    mine = next(one for one in mentions if one.post_id == told["uri"])
    case = next(one for one in cases if one.key == mine.case_id)
    await taking.take(world.store, case.key, "Ana")
    return service, str(told["id"])


async def sent(world: World, service: Service) -> None:
    """A reply whose undo window is over."""
    rules = partial(rule, service.parts.connect)
    case = next(one for one in await world.cases() if one.owner_id is not None)
    box = await replies.compose(world.store, rules, case.key, "Ana")
    assert box is not None
    assert box.rule.allowed
    await replies.send(world.store, rules, case.key, "Ana", WORDS, box.seen)
    world.now += timedelta(minutes=1)


async def standing(server: Server, post: str) -> list[Mapping[str, Any]]:
    """What stands below a post."""
    below = await server._ask("GET", f"/api/v1/statuses/{post}/context", ACME, {})
    return [one for one in below["descendants"] if WORDS in one["content"]]


@pytest.mark.parametrize("dies", ["before it is sent", "once it stands there", "never"])
async def test_a_complaint_is_answered_there_once(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    service, post = await complained(world, server)
    await sent(world, service)

    async def cut(*_: object) -> None:
        raise Cut

    if dies != "never":
        with monkeypatch.context() as patch:
            patch.setattr(
                type(service.answer), "work" if dies.startswith("before") else "keep", cut
            )
            with pytest.raises(Cut):
                await service.answer.step()
        world.now += LEASE + timedelta(seconds=1)
    service = await world.service()
    while await service.answer.step():
        pass

    [answer] = await standing(server, post)
    [reply] = await world.all_of(Reply)
    assert (reply.state, reply.post_id) == (State.POSTED, answer["uri"])
    case = next(one for one in await world.cases() if one.key == reply.case_id)
    assert case.status is Status.ANSWERED

    await server.post("@acme and where is my new fish?", in_reply_to_id=answer["id"])
    await world.once()

    case = next(one for one in await world.cases() if one.key == reply.case_id)
    assert (case.status, case.owner_id, case.reopened) == (Status.OWNED, 1, 1)
