"""A workspace of Slack on loopback, as strict as the real one: it checks what Slack checks.

Written after Slack's documentation of its methods, block kit, rate limits and signatures. Its
clock is the test's, so that no test depends on how busy a machine is.
"""

import asyncio
import hashlib
import hmac
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from tests.slack_blocks import faults, marked_up

TOKEN: Final = "xoxb-a-token-for-tests"
APP_TOKEN: Final = "xapp-a-token-for-tests"
SIGNING: Final = "8f742231b10e8888abcd99aaabbb85a5"
TIER_3: Final = 50  # of chat.update, a minute
SCOPES: Final = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "conversations.info": "channels:read",
    "conversations.open": "im:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "slash commands": "commands",
}
IN_PERSON: Final = "im:history"  # to read a conversation with one person
# A message that would ping somebody, or lead somewhere, is what no test may ever see.
PING = re.compile(r"<(?:[@#]|!(?!date\^)|https?:|mailto:)")


@dataclass
class Message:
    """One message as it stands there."""

    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    thread: str | None = None
    broadcast: bool = False
    edits: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """All of its words."""
        return self.text + " " + json.dumps(self.blocks, ensure_ascii=False)


@dataclass
class Workspace:
    """The double. `clock` is the test's; a trap is a fault for the next call of a method."""

    clock: Callable[[], datetime]
    channels: dict[str, list[Message]] = field(default_factory=lambda: {"C01": []})
    joined: set[str] = field(default_factory=lambda: {"C01"})
    scopes: set[str] = field(default_factory=lambda: {*SCOPES.values(), IN_PERSON})
    page: int = 100
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    whispers: list[tuple[str, str, str]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoken: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    changed: list[datetime] = field(default_factory=list)
    traps: list[tuple[str, str]] = field(default_factory=list)
    numbers: int = 0
    uploads: dict[str, bytes] = field(default_factory=dict)  # by id; empty until they are there
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    answers: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/{method}", self.answer)
        app.router.add_get("/link", self.link)
        app.router.add_post("/upload/{file}", self.upload)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.server.close()

    @property
    def host(self) -> str:
        """Where it is, as the operator allows it."""
        return f"127.0.0.1:{self.server.port}"

    @property
    def options(self) -> dict[str, Any]:
        """A `[[channel]]` that speaks here."""
        return {
            "name": "desk",
            "kind": "slack",
            "channel": "C01",
            "token": TOKEN,
            "signing_secret": SIGNING,
            "api": f"http://{self.host}/api/",
        }

    @property
    def cards(self) -> list[Message]:
        """What stands in the channel itself, oldest first."""
        return [one for one in self.channels["C01"] if one.thread is None or one.broadcast]

    def thread(self, ts: str) -> list[Message]:
        """What stands in a thread."""
        return [one for one in self.channels["C01"] if one.thread == ts]

    def trap(self, method: str, fault: str) -> None:
        """The next call of a method meets: 429, `cut before`, `cut after`, or an error's word."""
        self.traps.append((method, fault))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One method."""
        method = request.match_info["method"]
        if request.content_type == "application/json":
            asked = await request.json()
        else:
            asked = dict(request.query) | dict(await request.post())
        self.calls.append((method, asked))
        fault = next((fault for name, fault in self.traps if name == method), None)
        if fault is not None:
            self.traps.remove((method, fault))
        if fault == "cut before":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault == "429":
            return self.limited(method, 7)
        if fault is not None and fault != "cut after":
            return self.no(fault)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != (APP_TOKEN if method == "apps.connections.open" else TOKEN):
            return self.no("invalid_auth" if token else "not_authed")
        needed = SCOPES.get(method)
        if needed == "channels:history" and str(asked.get("channel", "")).startswith("D"):
            needed = IN_PERSON
        if needed is not None and needed not in self.scopes:
            return self.no("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))
        done = self.do(method, asked)
        if fault == "cut after":
            assert request.transport is not None
            request.transport.close()
        return done

    def do(self, method: str, asked: Mapping[str, Any]) -> web.Response:
        """What a method does, once nothing stands in its way."""
        match method:
            case "apps.connections.open":
                return self.yes(url=f"ws://{self.host}/link?ticket=13")
            case "auth.test":
                given = {"X-OAuth-Scopes": ",".join(sorted(self.scopes))}
                return self.yes(headers=given, team="Acme", user="listener", user_id="UBOT")
            case "chat.postMessage":
                return self.post(asked)
            case "chat.update":
                return self.update(asked)
            case "chat.postEphemeral":
                self.whispers.append((asked["channel"], asked["user"], asked["text"]))
                return self.yes(message_ts="1.0")
            case "conversations.history" | "conversations.replies":
                return self.history(asked)
            case "conversations.info":
                name = asked["channel"]
                if name not in self.channels:
                    return self.no("channel_not_found")
                return self.yes(channel={"id": name, "is_member": name in self.joined})
            case "conversations.open":
                name = "D" + asked["users"]
                self.channels.setdefault(name, [])
                self.joined.add(name)
                return self.yes(channel={"id": name})
            case "files.getUploadURLExternal":
                name = f"F{len(self.uploads) + 1}"
                self.uploads[name] = b""
                if not asked.get("filename") or int(asked.get("length", 0)) <= 0:
                    return self.no("invalid_arguments")
                return self.yes(upload_url=f"http://{self.host}/upload/{name}", file_id=name)
            case "files.completeUploadExternal":
                return self.complete(asked)
            case "views.open":
                if why := faults(asked["view"].get("blocks", []), most=100):
                    return self.no("invalid_arguments", response_metadata={"messages": why})
                if not asked.get("trigger_id"):
                    return self.no("invalid_trigger_id")
                self.views.append(asked["view"])
                return self.yes(view={"id": "V1"})
            case "views.publish":
                if why := faults(asked["view"].get("blocks", []), most=100):
                    return self.no("invalid_arguments", response_metadata={"messages": why})
                self.homes[asked["user_id"]] = asked["view"]
                return self.yes(view={"id": "V2"})
            case _:
                return self.no("unknown_method")

    def post(self, asked: Mapping[str, Any]) -> web.Response:
        """A new message: one a second in each channel."""
        name = asked["channel"]
        if why := self.wrong(asked):
            return why
        now = self.clock()
        if self.spoken[name] and (now - self.spoken[name][-1]).total_seconds() < 1:
            return self.limited("chat.postMessage", 1)
        self.spoken[name].append(now)
        self.numbers += 1
        ts = f"{now.timestamp():.0f}.{self.numbers:06}"
        self.channels[name].append(
            Message(
                ts,
                asked.get("text", ""),
                asked.get("blocks", []),
                asked.get("metadata", {}),
                asked.get("thread_ts"),
                bool(asked.get("reply_broadcast")),
            )
        )
        return self.yes(ts=ts, channel=name)

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file; who has the address needs no token."""
        name = request.match_info["file"]
        if name not in self.uploads:
            return web.Response(status=404)
        self.uploads[name] = await request.read()
        return web.Response(text=f"OK - {len(self.uploads[name])}")

    def complete(self, asked: Mapping[str, Any]) -> web.Response:
        """Files that are there become a message, in a thread where that is told."""
        name, files = asked["channel_id"], json.loads(asked["files"])
        if name not in self.channels:
            return self.no("channel_not_found")
        if any(not self.uploads.get(one["id"]) for one in files):
            return self.no("file_not_found")
        self.numbers += 1
        ts = f"{self.clock().timestamp():.0f}.{self.numbers:06}"
        message = Message(ts, "", [], {}, asked.get("thread_ts"), files=files)
        self.channels[name].append(message)
        return self.yes(files=files)

    def update(self, asked: Mapping[str, Any]) -> web.Response:
        """Another text for a message of ours."""
        if why := self.wrong(asked):
            return why
        now = self.clock()
        self.changed = [at for at in self.changed if (now - at).total_seconds() < 60]
        if len(self.changed) >= TIER_3:
            return self.limited("chat.update", 5)
        self.changed.append(now)
        for message in self.channels[asked["channel"]]:
            if message.ts == asked["ts"]:
                message.text, message.blocks = asked["text"], asked["blocks"]
                message.metadata = asked.get("metadata", message.metadata)
                message.edits += 1
                return self.yes(ts=message.ts, channel=asked["channel"])
        return self.no("message_not_found")

    def history(self, asked: Mapping[str, Any]) -> web.Response:
        """What was written, newest first in a channel, page by page."""
        name = asked["channel"]
        if name not in self.channels:
            return self.no("channel_not_found")
        if name not in self.joined:
            return self.no("not_in_channel")
        thread, oldest = asked.get("ts"), float(asked.get("oldest", 0))
        found = [
            one
            for one in reversed(self.channels[name])
            if float(one.ts) > oldest
            and (one.thread is None or one.broadcast if thread is None else one.thread == thread)
        ]
        begin = int(asked.get("cursor") or 0)
        end = begin + min(self.page, int(asked.get("limit", 100)))
        wanted = asked.get("include_all_metadata") in ("true", "1", True)
        return self.yes(
            messages=[
                {"ts": one.ts, "text": one.text}
                | ({"files": one.files} if one.files else {})
                | ({"metadata": one.metadata} if wanted else {})
                for one in found[begin:end]
            ],
            has_more=end < len(found),
            response_metadata={"next_cursor": str(end) if end < len(found) else ""},
        )

    def wrong(self, asked: Mapping[str, Any]) -> web.Response | None:
        """Why a message is not taken."""
        name = asked.get("channel", "")
        if name not in self.channels:
            return self.no("channel_not_found")
        if name not in self.joined:
            return self.no("not_in_channel")
        if not asked.get("text") and not asked.get("blocks"):
            return self.no("no_text")
        why = faults(asked.get("blocks", []))
        payload = json.dumps(asked.get("metadata", {}).get("event_payload", {}))
        if len(payload) > 8_000:
            return self.no("metadata_too_large")
        if why:
            return self.no("invalid_blocks", response_metadata={"messages": why})
        pinged = [one for one in marked_up(asked) if PING.search(one)]
        assert not pinged, f"this would ping or link: {pinged}"
        return None

    def limited(self, method: str, seconds: int) -> web.Response:
        """Too many."""
        self.refused.append(method)
        return web.json_response(
            {"ok": False, "error": "ratelimited"},
            status=429,
            headers={"Retry-After": str(seconds)},
        )

    def no(self, error: str, **more: Any) -> web.Response:
        """A refusal."""
        self.refused.append(error)
        return web.json_response({"ok": False, "error": error} | more)

    def yes(self, *, headers: Mapping[str, str] | None = None, **more: Any) -> web.Response:
        """An answer."""
        return web.json_response({"ok": True} | more, headers=headers)

    # --- what the workspace sends to us

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """A connection for Socket Mode."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello"})
        self.sockets.append(socket)
        async for message in socket:
            told = json.loads(message.data)
            self.answers.pop(told["envelope_id"]).set_result(told)
        self.sockets.remove(socket)
        return socket

    async def tell(
        self, kind: str, told: Mapping[str, Any], *, within: float = 60
    ) -> dict[str, Any]:
        """Tell something over the last connection; what is answered, or a TimeoutError."""
        self.numbers += 1
        envelope = f"e{self.numbers}"
        answered = self.answers[envelope] = asyncio.get_running_loop().create_future()
        await self.sockets[-1].send_json(
            {
                "type": kind,
                "envelope_id": envelope,
                "payload": told,
                "accepts_response_payload": True,
            }
        )
        async with asyncio.timeout(within):
            answer: dict[str, Any] = await answered
            return answer

    async def press(
        self,
        url: str,
        action: str,
        value: str,
        *,
        user: str = "U01",
        secret: str = SIGNING,
        age: int = 0,
        ts: str = "",
    ) -> tuple[int, str]:
        """A button of a card, or a choice of a menu; `ts` is the message in which it stands."""
        acted: dict[str, Any] = {"action_id": action, "type": "button", "value": value}
        if action == "snooze":
            acted = {
                "action_id": action,
                "type": "static_select",
                "selected_option": {"value": value},
            }
        told = {
            "type": "block_actions",
            "team": {"id": "T01"},
            "user": {"id": user, "name": "somebody"},
            "trigger_id": "13.37.abc",
            "channel": {"id": "C01"},
            "actions": [acted],
        } | ({"message": {"ts": ts}} if ts else {})
        body = urlencode({"payload": json.dumps(told)})
        return await self.deliver(url, body, secret=secret, age=age)

    async def submit(
        self, url: str, view: Mapping[str, Any], text: str, *, user: str = "U01"
    ) -> tuple[int, str]:
        """The reply that somebody wrote into a modal."""
        [block] = [one for one in view["blocks"] if one["type"] == "input"]
        values = {block["block_id"]: {block["element"]["action_id"]: {"value": text}}}
        told = {
            "type": "view_submission",
            "team": {"id": "T01"},
            "user": {"id": user},
            "view": {
                "callback_id": view["callback_id"],
                "private_metadata": view["private_metadata"],
                "state": {"values": values},
            },
        }
        return await self.deliver(url, urlencode({"payload": json.dumps(told)}))

    async def command(self, url: str, text: str, *, user: str = "U01") -> tuple[int, str]:
        """A slash command."""
        form = {
            "command": "/listener",
            "text": text,
            "user_id": user,
            "team_id": "T01",
            "channel_id": "C01",
            "trigger_id": "13.37.abc",
        }
        return await self.deliver(url, urlencode(form))

    async def deliver(
        self,
        url: str,
        body: str,
        *,
        secret: str = SIGNING,
        age: int = 0,
        kind: str = "application/x-www-form-urlencoded",
    ) -> tuple[int, str]:
        """Something signed as Slack signs it."""
        stamp = str(int(self.clock().timestamp()) - age)
        signed = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed.hexdigest()}",
        }
        async with (
            ClientSession() as session,
            session.post(url, data=body.encode(), headers=headers) as response,
        ):
            return response.status, await response.text()
