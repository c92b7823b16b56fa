"""The door for Slack: verify that Slack speaks, act, and answer within its three seconds."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import structlog
from aiohttp import hdrs, web
from slack_sdk.signature import Clock, SignatureVerifier
from typing_extensions import override

from connectors.kit.errors import ConnectorError
from listener.channels.contract import NotNow, Undelivered
from listener.channels.slack_api import Api
from listener.desk import joining
from listener.desk.slack import Conversation
from listener.domain.record import NotAllowed
from listener.store.session import DatabaseTrouble, now
from listener.web import pages

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE: Final = 2.0  # seconds; after three Slack shows an error
UNSIGNED: Final = (
    "it is too old, or not signed with a signing_secret that is set up here: copy that again "
    "from Basic Information"
)
STILL: Final = "Listener is still at it; look again in a moment."


@dataclass(frozen=True)
class Workspace:
    """An app in a workspace: what it signs with, and how it is spoken to."""

    signing_secret: str = field(repr=False)
    api: Api


class StandingClock(Clock):
    """The database's clock, as it stood when something came."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    @override
    def now(self) -> float:
        return self.moment.timestamp()


@dataclass(frozen=True)
class SlackDoor:
    """Takes what Slack sends: buttons and windows, commands, events."""

    talk: Conversation
    workspaces: Callable[[], Awaitable[Sequence[Workspace]]]
    working: set[asyncio.Task[Any]] = field(default_factory=set)

    async def acts(self, request: web.Request) -> web.Response:
        """POST /slack/acts: a button was pressed, or a window sent."""
        found = await self.signed(request)
        if found is None:
            return refused()
        api, body = found
        told = read(dict(parse_qsl(body)).get("payload", ""))
        answer = await self.soon(self.talk.acted(api, told), {})
        return web.json_response(answer) if answer else web.Response()

    async def commands(self, request: web.Request) -> web.Response:
        """POST /slack/commands: somebody typed /listener."""
        found = await self.signed(request)
        if found is None:
            return refused()
        told = dict(parse_qsl(found[1]))
        late = {"response_type": "ephemeral", "text": STILL}
        return web.json_response(await self.soon(self.talk.commanded(told), late))

    async def events(self, request: web.Request) -> web.Response:
        """POST /slack/events: something happened in the workspace."""
        found = await self.signed(request)
        if found is None:
            return refused()
        api, body = found
        told = read(body)
        if told.get("type") == "url_verification":
            return web.json_response({"challenge": str(told.get("challenge", ""))[:200]})
        event = told.get("event")
        if isinstance(event, dict):
            await self.soon(self.talk.happened(api, event), None)
        return web.Response()

    async def signed(self, request: web.Request) -> tuple[Api, str] | None:
        """What was sent, and the app it concerns; None when no app of ours has signed it."""
        try:
            body = (await request.read()).decode()
        except (web.HTTPRequestEntityTooLarge, UnicodeDecodeError):
            return None
        async with self.talk.store.reading() as session:
            clock = StandingClock(await now(session))
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 16):
            return None
        signature = request.headers.get("X-Slack-Signature", "")
        for workspace in await self.workspaces() if signature.isascii() else ():
            verifier = SignatureVerifier(workspace.signing_secret, clock)
            if verifier.is_valid(body, stamp, signature):
                return workspace.api, body
        log.warning("slack refused", why=UNSIGNED)
        return None

    async def soon(self, work: Coroutine[Any, Any, T], late: T) -> T:
        """What comes of it, if that is soon; else it goes on, and `late` is answered."""
        task = asyncio.create_task(self.told(work, late), name="slack")
        self.working.add(task)
        task.add_done_callback(self.working.discard)
        await asyncio.wait({task}, timeout=PATIENCE)
        if task.done():
            return task.result()
        task.add_done_callback(noted)
        return late

    async def told(self, work: Coroutine[Any, Any, T], late: T) -> T:
        """What comes of it; that Slack itself fails is only noted, for the act stands."""
        try:
            return await work
        except (Undelivered, NotNow, ConnectorError) as error:
            log.warning("slack fails", why=str(error))
            return late

    async def stop(self) -> None:
        """Let what is under way come to its end."""
        if self.working:
            await asyncio.wait(set(self.working), timeout=PATIENCE)
        for task in set(self.working):
            task.cancel()

    async def ask(self, request: web.Request) -> web.Response:
        """GET /slack/join/{link}: is that you?"""
        return await self.page(request)

    async def join(self, request: web.Request) -> web.Response:
        """POST /slack/join/{link}: that is me."""
        person, token = pages.person(request), request.match_info["link"]
        try:
            said = await joining.join(self.talk.store, self.talk.seal, token, person.key)
        except NotAllowed as refusal:
            return await self.page(request, wrong=str(refusal))
        return pages.render(request, "joined.html", said=said, wrong="", user="")

    async def page(self, request: web.Request, *, wrong: str = "") -> web.Response:
        """The page that asks, or says why not."""
        async with self.talk.store.reading() as session:
            moment = await now(session)
        user = ""
        try:
            user = joining.asked(self.talk.seal, request.match_info["link"], moment)
        except NotAllowed as refusal:
            wrong = wrong or str(refusal)
        status = 400 if wrong else 200
        return pages.render(request, "joined.html", status=status, said="", wrong=wrong, user=user)


def noted(task: asyncio.Task[Any]) -> None:
    """Say that something failed for which nobody waits any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("slack fails", why=fault(error))


def fault(error: BaseException) -> str:
    """What went wrong, for the log: what is not ours may quote a post, so only its kind is told."""
    return str(error) if isinstance(error, DatabaseTrouble) else type(error).__name__


def read(words: str) -> dict[str, Any]:
    """An object in JSON; an empty one when it is none."""
    try:
        found = json.loads(words)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refused() -> web.Response:
    """To whoever is not Slack."""
    return web.json_response(
        {"error": "This is not signed by a Slack app that is set up here, or it is too old."},
        status=401,
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
