"""What tests of the store, the desk and the stages begin with: a brand, a source, what it heard."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from connectors.kit.contract import Author, Page, Post, Unread
from connectors.webhook import Webhook
from listener.channels.contract import Telling
from listener.domain.case import Status
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.notice import News
from listener.domain.source import Source
from listener.stages.judge import Judge
from listener.store import sources
from listener.store.brands import Intake, Matchbook
from listener.store.intake import Kept
from models.classifier import Classifier
from models.verdict import Feeling, Question, Verdict
from tests.world import NOON, World

KEY = "whsec_QSBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="
INBOX = {"name": "Inbox", "connector": "webhook", "options": {"secret": KEY}}

NUMBERS = count(1)
# Complaints that share no wording, so that each opens a case of its own.
COMPLAINTS = [
    "The fish I ordered on Friday was cold and the batter had gone soft in the bag.",
    "Waited fifty minutes at the counter for one portion of fish while others walked past me.",
    "Your app took my money for fish that never came and nobody answers the telephone there.",
    "Found a long black hair inside my fish cake, and the waiter only laughed about it.",
    "The new fish place on Mill Lane is filthy, sticky tables and bins that overflow at noon.",
]


# A case as a channel is told of it.
OPENED = Telling(
    id="notice_1",
    news=News.OPENED,
    what=What.OPENED,
    at=NOON,
    case_id=7,
    brand="Acme",
    status=Status.OPEN,
    urgent=False,
    unsure=False,
    priority=38,
    reasons=("Reads like a complaint (95%).", "Reaches 9,000 people."),
    due_at=NOON + timedelta(hours=4),
    owner=None,
    mentions=1,
    outcome=None,
    connector="mastodon",
    author="Ada Example",
    quote="The fish was cold.\n\nAnd the chips too.",
)


async def settled(world: World, *staff: str, sources: Sequence[dict[str, Any]] = (INBOX,)) -> None:
    """A brand that is found by the word fish, an inbox, and people."""
    await world.set_up(sources=sources)
    await world.hire(*(staff or ("Ana", "Ben")))


def said(text: str, *, id: str = "", author: str = "ada", **more: Any) -> Post:  # noqa: A002
    """A post as a place published it, with a higher id than all before it."""
    return Post(
        id=id or f"p{next(NUMBERS):06}",
        url="https://place.example/p",
        text=text,
        author=Author(id=author, name=author.title()),
        **more,
    )


async def heard(
    world: World,
    *posts: Post,
    source: str = "Inbox",
    gone: Sequence[str] = (),
    unreadable: Sequence[Unread] = (),
) -> Kept:
    """Keep a page of posts, as poll does."""
    intake = Intake(Matchbook(world.store), timedelta(hours=48))
    await intake.matchbook.refresh()
    found = await named(world, source)
    page = Page(posts=posts, cursor="next", gone=tuple(gone), unreadable=tuple(unreadable))
    async with world.store.transaction() as session:
        return await intake.keep(
            session, found, Webhook.model_validate({"secret": KEY}), page, now=world.now
        )


async def judged(world: World, classifier: Classifier | None = None) -> Judge:
    """Judge everything that waits."""
    judge = Judge(world.store, classifier or world.classifier, Policies(), asyncio.Event())
    while await judge.step():
        pass
    return judge


async def complained(world: World, *texts: str, author: str = "ada", source: str = "Inbox") -> None:
    """Posts that each open a case, unless they say the same."""
    texts = texts or (COMPLAINTS[0],)
    posts = [said(text, author=author, published=world.now) for text in texts]
    await heard(world, *posts, source=source)
    await judged(world)


async def named(world: World, source: str) -> Source:
    """The source of this name."""
    async with world.store.reading() as session:
        found = await sources.named(session, source)
    assert found is not None
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


class Doubting:
    """A classifier that is sure of nothing."""

    name = "doubting 1"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        verdict = Verdict(
            complaint=0.4,
            feeling=Feeling.NEUTRAL,
            confidence=0.3,
            unsure=True,
            model=self.name,
            why="too close to call",
        )
        return [replace(verdict) for _ in questions]


class Cheerful:
    """A classifier to whom every post is praise."""

    name = "cheerful 1"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        verdict = Verdict(
            complaint=0.02,
            feeling=Feeling.POSITIVE,
            confidence=0.9,
            unsure=False,
            model=self.name,
        )
        return [replace(verdict) for _ in questions]
