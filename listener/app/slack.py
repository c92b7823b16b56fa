"""Slack as it is set up here: its channels with their secrets in the clear, and their memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from typing_extensions import override

from connectors.kit.errors import ConnectorError
from listener.app.parts import Parts
from listener.channels import digest_cards, prints, slack_check
from listener.channels.contract import NotNow, Undelivered
from listener.channels.slack import Memory, Person, Slack, Turn
from listener.channels.slack_api import API, Api, Refused
from listener.desk.replies import Rules
from listener.desk.slack import Conversation
from listener.domain.card import Card, Folded
from listener.domain.digest import Digest
from listener.domain.notice import Channel
from listener.domain.picture import Pictures
from listener.domain.secret import WrongKey
from listener.domain.staff import Staff
from listener.store import cards, notices
from listener.store.session import Store, now
from listener.web.slack import SlackDoor, Workspace

log = structlog.get_logger(__name__)

HOLD = timedelta(seconds=50)  # a turn lasts no longer, whatever Slack does
AGO = timedelta(minutes=5)  # how long a burst's card takes in more


@dataclass(frozen=True)
class Kept(Memory):
    """What is kept of one channel, in the database."""

    store: Store
    channel: str  # its name here
    place: str  # there

    @override
    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        async with self.store.transaction() as session:
            wait = await cards.claim(session, self.place, now=await now(session), hold=HOLD)
        if wait is not None:
            raise NotNow(wait)
        turn = Turn()
        try:
            yield turn
        finally:
            async with self.store.transaction() as session:
                await cards.rest(session, self.place, until=await now(session) + turn.rest)

    @override
    async def cards(self, cases: Collection[int]) -> dict[int, Card]:
        async with self.store.reading() as session:
            return await cards.of(session, self.channel, cases)

    @override
    async def begin(self, case_id: int, sort: str) -> tuple[Card, bool]:
        async with self.store.transaction() as session:
            return await cards.begin(session, self.channel, case_id, sort, now=await now(session))

    @override
    async def posted(self, card: Card, ts: str | None, *, urgent: bool) -> None:
        async with self.store.transaction() as session:
            await cards.posted(session, card.key, ts, urgent=urgent)

    @override
    async def forget(self, card: Card) -> None:
        async with self.store.transaction() as session:
            await cards.forget(session, card.key)

    @override
    async def burst(self) -> Card | None:
        async with self.store.reading() as session:
            return await cards.burst(session, self.channel, since=await now(session) - AGO)

    @override
    async def fold(self, cases: Sequence[tuple[int, bool]], ts: str) -> None:
        async with self.store.transaction() as session:
            await cards.fold(session, self.channel, cases, ts, now=await now(session))

    @override
    async def folded(self, ts: str) -> Folded:
        async with self.store.reading() as session:
            return await cards.folded(session, self.channel, ts)


def option(parts: Parts, row: Channel, name: str) -> str | None:
    """A secret of a channel in the clear; None where it has none."""
    value: Any = row.options.get(name)
    return None if value is None else str(parts.reveal(value, name))


def api(parts: Parts, row: Channel) -> Api:
    """Slack's methods, for the app that a channel names."""
    where = row.options.get("api") or API
    return Api.at(parts.network, option(parts, row, "token") or "", where)


async def workspaces(parts: Parts) -> list[Workspace]:
    """The apps that may speak to us by HTTP, each once."""
    found: dict[str, Workspace] = {}
    for row in await rows(parts):
        try:
            signing = option(parts, row, "signing_secret")
            if signing and signing not in found:
                found[signing] = Workspace(signing, api(parts, row))
        except (ConnectorError, WrongKey) as error:
            log.warning("channel fails", channel=row.name, why=str(error))
    return list(found.values())


def door(parts: Parts, rules: Rules, nudge: Callable[[], None]) -> SlackDoor:
    """Where Slack speaks to us."""
    settings = parts.settings
    talk = Conversation(parts.store, rules, settings.undo, parts.seal, settings.url, nudge)
    return SlackDoor(talk, partial(workspaces, parts))


def slack(parts: Parts, row: Channel) -> Slack:
    """A channel as it is set up."""
    channel = row.options["channel"]
    memory = Kept(parts.store, row.name, f"slack {channel}")
    return Slack(api(parts, row), memory, channel, parts.settings.url)


async def check(parts: Parts, row: Channel) -> tuple[bool, str]:
    """Whether a channel is ready, and what to do if it is not."""
    return await slack_check.check(
        api(parts, row),
        row.options["channel"],
        signing_secret=option(parts, row, "signing_secret"),
        app_token=option(parts, row, "app_token"),
    )


async def rows(parts: Parts) -> list[Channel]:
    """The channels of Slack that are told of cases, by name."""
    async with parts.store.reading() as session:
        everything = await notices.channels(session)
    return [row for row in everything if row.kind == "slack" and row.active]


async def person(parts: Parts, staff_id: int, why: str = "") -> Person | None:
    """The conversation with a person, and why they are told; None when there is no way to them."""
    async with parts.store.reading() as session:
        whose = await session.get(Staff, staff_id)
    found = await rows(parts)
    if whose is None or not whose.active or whose.slack is None or not found:
        return None
    memory = Kept(parts.store, f"@{whose.key}", f"slack {whose.slack}")
    return Person(api(parts, found[0]), memory, whose.slack, parts.settings.url, why=why)


async def digest(
    parts: Parts, person: Staff, number: str, digest: Digest, pictures: Pictures
) -> None:
    """A digest as a message to one person, once; Undelivered says in words why it could not be."""
    found = await rows(parts)
    if not found:
        raise Undelivered("No channel of Slack is set up here: docs/slack.md says how.")
    if person.slack is None:
        raise Undelivered(f"{person.name} is not known in Slack yet: write /listener join there.")
    message = digest_cards.message(digest, url=parts.settings.url, number=number)
    talk = api(parts, found[0])
    try:
        async with Kept(parts.store, f"@{person.key}", f"slack {person.slack}").turn():
            place = await talk.talk_with(person.slack)
            since = digest.stretch.ends.timestamp()
            ts = await talk.find(place, "listener_digest", number, since=since)
            if ts is None:
                ts = await talk.post(place, message)
            drawn = await asyncio.to_thread(prints.of_digest, digest, pictures)
            try:
                await talk.show(place, ts, drawn, since=since)
            except Refused as error:  # an app without the scope: the words are there all the same
                log.warning("digest without pictures", why=str(error))
    except NotNow as soon:
        raise Undelivered("Slack wants a moment; it is sent again soon.") from soon
    except (ConnectorError, WrongKey) as error:
        raise Undelivered(str(error)) from error
