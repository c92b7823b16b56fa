"""A complaint on Bluesky's own servers is answered there once, whatever dies, and heard again."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from listener.app import Service
from listener.desk import replies, taking
from listener.domain.case import Case, Status
from listener.domain.reply import Reply, State
from listener.stages.reach import rule
from listener.store.replies import LEASE
from tests.connectors import test_bluesky_server as bluesky
from tests.connectors.test_bluesky_server import Person, Server
from tests.replying import Cut
from tests.world import World

pytestmark = bluesky.pytestmark
server = bluesky.server

WORDS = "We are sorry. Please write to us."
PATIENCE = 120.0  # seconds until the view of the network knows of a post; machines are busy


@dataclass(frozen=True)
class Scene:
    """Who complains of whom, and where."""

    world: World
    server: Server
    ada: Person
    acme: Person

    async def complains(self) -> dict[str, Any]:
        """Ada names the brand's account."""
        facet = {
            "index": {"byteStart": 0, "byteEnd": len(self.acme.handle) + 1},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": self.acme.did}],
        }
        words = f"@{self.acme.handle} the fish was cold and nobody picks up the phone"
        return await self.server.post(self.ada, words, facets=[facet])

    async def heard(self, uri: str) -> Case:
        """The case that a post has opened or joined."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.world.now = datetime.now(UTC)
                await self.world.once()
                for mention in await self.world.mentions():
                    if mention.post_id == uri and mention.case_id is not None:
                        return await self.case(mention.case_id)
                await asyncio.sleep(0.2)

    async def case(self, number: int) -> Case:
        return next(one for one in await self.world.cases() if one.key == number)

    async def below(self, uri: str) -> list[dict[str, Any]]:
        """What stands below a post, once anything does."""
        query = f"app.bsky.feed.getPostThread?uri={uri}&depth=1"
        async with asyncio.timeout(PATIENCE):
            while True:
                thread = (await self.server.ask(query, None, self.acme))["thread"]
                if found := thread.get("replies"):
                    return list(found)
                await asyncio.sleep(0.2)


@pytest.fixture
async def scene(world: World, server: Server) -> Scene:
    ada, acme = await server.person("ada"), await server.person("acme")
    source = {
        "name": "Bluesky",
        "connector": "bluesky",
        "options": {"api": server.url, "notifications": True, **acme.options},
    }
    world.now = datetime.now(UTC)
    await world.set_up(sources=[source], allow=[server.host_port])
    await world.hire("Ana")
    return Scene(world, server, ada, acme)


async def sent(scene: Scene, service: Service, case: Case) -> None:
    """A reply whose undo window is over."""
    store, rules = scene.world.store, partial(rule, service.parts.connect)
    await taking.take(store, case.key, "Ana")
    box = await replies.compose(store, rules, case.key, "Ana")
    assert box is not None
    assert box.rule.allowed
    await replies.send(store, rules, case.key, "Ana", WORDS, box.seen)
    scene.world.now += timedelta(minutes=1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dies", ["before it is sent", "once it stands there", "never"])
async def test_a_complaint_is_answered_there_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    told = await scene.complains()
    case = await scene.heard(told["uri"])
    service = await scene.world.service()
    await sent(scene, service, case)

    async def cut(*_: object) -> None:
        raise Cut

    if dies != "never":
        with monkeypatch.context() as patch:
            patch.setattr(
                type(service.answer), "work" if dies.startswith("before") else "keep", cut
            )
            with pytest.raises(Cut):
                await service.answer.step()
        scene.world.now += LEASE + timedelta(seconds=1)
    service = await scene.world.service()
    while await service.answer.step():
        pass

    [answer] = await scene.below(told["uri"])
    [reply] = await scene.world.all_of(Reply)
    assert answer["post"]["record"]["text"] == WORDS
    assert (reply.state, reply.post_id) == (State.POSTED, answer["post"]["uri"])
    assert (await scene.case(case.key)).status is Status.ANSWERED

    root = {"uri": told["uri"], "cid": told["cid"]}
    above = {"uri": answer["post"]["uri"], "cid": answer["post"]["cid"]}
    thanks = await scene.server.post(
        scene.ada, "And where is my new fish?", reply={"root": root, "parent": above}
    )
    again = await scene.heard(thanks["uri"])

    assert again.key == case.key
    assert (again.status, again.owner_id, again.reopened) == (Status.OWNED, 1, 1)
