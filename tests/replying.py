"""A place on which one can answer, and what tests of replies begin with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.contract import Post, Receipt, ReplyRule
from connectors.webhook import Webhook
from listener.desk import replies, taking
from listener.domain.mention import Mention
from listener.domain.reply import Reply
from listener.domain.source import Source
from listener.stages.answer import Answer
from tests.given import KEY, complained, settled
from tests.world import World


class Cut(BaseException):
    """The process dies here."""


@dataclass
class Square:
    """A place where replies stand under the key they were sent with.

    `before` and `after` may raise: before a reply stands there, or once it does.
    """

    standing: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    looking: Callable[[], None] = lambda: None
    asked: int = 0
    hangs: bool = False

    def rule(self, _source: Source, _mention: Mention) -> ReplyRule:
        return ReplyRule(True, length=500)

    def reach(self, _source: Source) -> tuple[Any, Any]:
        return Answering.model_validate({"secret": KEY}).on(self), None


class Answering(Webhook, frozen=True):
    """A connector that answers on a square."""

    def on(self, square: Square) -> "Answering":
        object.__setattr__(self, "_square", square)
        return self

    @property
    def square(self) -> Square:
        found: Square = self._square  # type: ignore[attr-defined]
        return found

    def can_reply(self, post: Post) -> ReplyRule:  # noqa: ARG002
        return ReplyRule(True, length=500)

    async def reply(self, web: Any, post: Post, text: str, key: str) -> Receipt:  # noqa: ARG002
        self.square.asked += 1
        if self.square.hangs:
            await asyncio.Event().wait()
        self.square.before()
        assert key not in self.square.standing, "said twice"
        self.square.standing[key] = text
        self.square.after()
        return Receipt(f"r-{key}", f"https://square.example/{key}")

    async def find_reply(self, web: Any, post: Post, key: str) -> Receipt | None:  # noqa: ARG002
        self.square.looking()
        if key in self.square.standing:
            return Receipt(f"r-{key}", f"https://square.example/{key}")
        return None


async def held(world: World) -> int:
    """A case that Ana holds."""
    await settled(world)
    await complained(world)
    [case] = await world.cases()
    await taking.take(world.store, case.key, "Ana")
    return case.key


async def seen(world: World, square: Square, case: int, staff: str = "Ana") -> str:
    """What somebody has before their eyes."""
    box = await replies.compose(world.store, square.rule, case, staff)
    assert box is not None
    return box.seen


def outbox(world: World, square: Square) -> Answer:
    """The stage that sends, as after a restart."""
    return Answer(world.store, square.reach, asyncio.Event())


async def sent(world: World) -> list[Reply]:
    """All replies."""
    found: list[Reply] = await world.all_of(Reply)
    return found
