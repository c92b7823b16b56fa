"""A canary key and a canary post go every way there is: no log, page, error or check tells them."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook

from tests.command_line import CommandLine, clean
from tests.given import free_port

TOKEN = "canarytoken31415926"
SIGNING = "whsec_Y2FuYXJ5IHNpZ25pbmcga2V5IG51bWJlciBvbmU="
SENDING = "whsec_Y2FuYXJ5IHNlbmRpbmcga2V5IG51bWJlciB0d28="
MASTER = "canarymasterkey27182818"
WORDS = "canarypost"  # in every text, title and name
CANARIES = [TOKEN, SIGNING, SIGNING[6:], SENDING, SENDING[6:], MASTER, WORDS, "Y2FuYXJ5"]

PLAN = """
[[brand]]
name = "Acme"
query = "fish"

[[source]]
name = "Town"
connector = "mastodon"
every = "1s"
[source.options]
api = "{place}"
tag = "acme"
token = "{token}"

[[source]]
name = "Inbox"
connector = "webhook"
[source.options]
secret = "{signing}"

[[source]]
name = "Elsewhere"
connector = "webhook"
[source.options]
secret = {{ env = "ELSEWHERE" }}

[[channel]]
name = "ops"
url = "{place}/hook/{token}"
secret = "{sending}"
"""


@dataclass
class Place:
    """A town and a receiver in one, which quote what they were sent whenever they can."""

    calls: int = 0
    hooked: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/timelines/tag/acme", self.timeline)
        app.router.add_post("/hook/{token}", self.hook)
        app.router.add_get("/{tail:.*}", self.anything)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def host_port(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def timeline(self, request: web.Request) -> web.Response:
        self.calls += 1
        match self.calls:
            case 1:  # posts, and one that cannot be read
                return web.json_response([status(1), {"id": "2", "content": f"{WORDS} fish"}])
            case 2:  # an error that quotes the post and the key
                text = f"{WORDS} {request.headers['Authorization']} {TOKEN}"
                return web.json_response({"error": text}, status=500)
            case 3:
                return web.Response(text=f"<p>{WORDS} {TOKEN}</p>")
            case _:
                return web.json_response({"error": f"{WORDS} {TOKEN}"}, status=401)

    async def hook(self, request: web.Request) -> web.Response:
        self.hooked.append(await request.json())
        return web.Response(text=f"{WORDS} {TOKEN}", status=500)

    async def anything(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"error": f"{WORDS} {TOKEN}"}, status=404)


def status(number: int) -> dict[str, Any]:
    """A status as the town tells it."""
    return {
        "id": str(number),
        "uri": f"https://town.example/{number}",
        "url": f"https://town.example/@{WORDS}/{number}",
        "created_at": datetime.now(UTC).isoformat(),
        "edited_at": None,
        "content": f"<p>{WORDS}: the fish was awful, cold, and I hate it.</p>",
        "spoiler_text": "",
        "visibility": "public",
        "language": "en",
        "in_reply_to_id": None,
        "account": {
            "id": "7", "username": WORDS, "acct": WORDS, "display_name": WORDS,
            "url": f"https://town.example/@{WORDS}", "followers_count": 1, "bot": False,
        },
        "media_attachments": [], "mentions": [], "tags": [], "reblog": None,
    }  # fmt: skip


def signed(body: bytes, key: str, id_: str = "msg_1") -> Mapping[str, str]:
    moment = datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(key).sign(id_, moment, body.decode()),
    }


@asynccontextmanager
async def service(line: CommandLine) -> AsyncIterator[subprocess.Popen[str]]:
    """The service as a program of its own; standard output and error go to files."""
    out, err = (line.data.parent / name for name in ("out", "err"))
    with out.open("w") as stdout, err.open("w") as stderr:
        running = subprocess.Popen(  # noqa: ASYNC220  (it is over in a moment)
            [sys.executable, "-m", "listener", "run"],
            stdout=stdout,
            stderr=stderr,
            text=True,
            env=os.environ | line.environment,
        )
        try:
            yield running
            running.send_signal(signal.SIGTERM)
            await asyncio.to_thread(running.wait, 20)
        finally:
            if running.poll() is None:
                running.kill()
                running.wait(20)


async def until(what: str, happened: Any) -> None:
    """Wait for something to happen."""
    limit = time.monotonic() + 40
    while not happened():
        assert time.monotonic() < limit, what
        await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_no_canary_sings_whatever_goes_wrong(tmp_path: Path) -> None:
    place, port = Place(), free_port()
    line = CommandLine(
        tmp_path / "data",
        clean(
            tmp_path / "data",
            LISTENER_HTTP=f"127.0.0.1:{port}",
            LISTENER_KEY=MASTER,
        ),
    )
    pages: list[str] = []
    async with place.server:
        line.environment["LISTENER_ALLOW_HOSTS"] = place.host_port
        plan = PLAN.format(
            place=f"http://{place.host_port}", token=TOKEN, signing=SIGNING, sending=SENDING
        )
        applied = await asyncio.to_thread(line, "apply", line.plan(plan))
        assert applied.code == 0, applied.err

        async with service(line), ClientSession(f"http://127.0.0.1:{port}") as visitor:
            pages += await deliveries(visitor)
            await until("every kind of answer was met", lambda: place.calls >= 3)
            await until("cases were told", lambda: len(place.hooked) >= 2)
            for path in ("/", "/metrics", "/health", f"/{WORDS}"):
                async with visitor.get(path) as answer:
                    pages.append(await answer.text())

        checked = await asyncio.to_thread(line, "check")
        once = await asyncio.to_thread(line, "run", "--once", "--json")
        covered = await asyncio.to_thread(line, "coverage", "--json")
        again = await asyncio.to_thread(line, "apply", line.plan(plan.replace(SIGNING, "short")))

    # The canaries were there indeed: in the database, and in what the receiver was sent.
    mentions = (await asyncio.to_thread(line, "mentions", "--json")).rows
    assert {WORDS in mention["text"] for mention in mentions} == {True}
    assert len(mentions) >= 2
    assert any(WORDS in told["data"]["quote"] for told in place.hooked)

    err = (tmp_path / "err").read_text()
    assert "Town" in err  # something was logged
    assert "notice" in err or "ops" in err
    silent = {
        "standard error": err,
        "what commands said": "".join(
            said.err for said in (applied, checked, once, covered, again)
        ),
        "what check said": checked.out,
        "what run said": once.out,
        "coverage": covered.out,
        "pages": "".join(pages),
    }
    for where, text in silent.items():
        for canary in CANARIES:
            assert canary not in text, f"{canary} is in {where}"
    # The terminal is the one place that shows posts, and never a key.
    out = (tmp_path / "out").read_text()
    assert not any(canary in out for canary in CANARIES if canary != WORDS)
    assert "Traceback" not in err


async def deliveries(visitor: ClientSession) -> list[str]:
    """Deliveries of every kind; what each was answered."""
    good = orjson.dumps({"id": "1", "text": f"{WORDS}: cold fish, awful!", "author": WORDS})
    attempts = [
        ("Inbox", good, signed(good, SIGNING)),
        ("Inbox", good, signed(good, SIGNING)),  # again
        ("Inbox", good, signed(good, SENDING, "msg_2")),  # another's key
        ("Inbox", good, {}),
        ("Elsewhere", good, signed(good, SIGNING)),  # its secret is not set
        ("Town", good, signed(good, SIGNING)),
        (WORDS, good, signed(good, SIGNING)),
    ]
    for number, body in enumerate(
        (
            f"no json, {WORDS}".encode(),
            orjson.dumps([{"id": WORDS}, WORDS, {"text": WORDS, "rating": WORDS, "kind": WORDS}]),
            orjson.dumps({"text": f"{WORDS} fish", "published": WORDS}),
        )
    ):
        attempts.append(("Inbox", body, signed(body, SIGNING, f"msg_bad_{number}")))
    answers = []
    for door, body, headers in attempts:
        limit = time.monotonic() + 30
        while True:
            with suppress(ClientError):
                async with visitor.post(f"/hooks/{door}", data=body, headers=headers) as answer:
                    answers.append(await answer.text())
                    break
            assert time.monotonic() < limit
            await asyncio.sleep(0.2)
    return answers


def test_a_key_file_is_for_its_owner_alone_also_when_the_demo_came_first(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    line = CommandLine(data, clean(data))

    assert line("--demo", "cases").code == 0
    assert line("cases").code == 0

    for folder in (data.parent, data, data / "demo"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for key in (data / "key", data / "demo" / "key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_no_secret_is_in_the_clear_in_the_database_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    line = CommandLine(data, clean(data, LISTENER_KEY=MASTER))
    line.applied(
        PLAN.format(
            place="https://town.example", token=TOKEN, signing=SIGNING, sending=SENDING
        ).replace(f"/hook/{TOKEN}", "/hook")
    )

    kept = b"".join(path.read_bytes() for path in data.iterdir())

    for secret in (TOKEN, SIGNING[6:], SENDING[6:], MASTER):
        assert secret.encode() not in kept
