"""Mastodon end to end against somebody else's server: read, heard, asked again and answered."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.request import urlopen

import pytest
from aiohttp import ClientSession

from connectors.kit.contract import Kind, Page, Post, State, Web
from connectors.kit.web import Network
from connectors.mastodon import Mastodon
from tests.connectors.place import Place
from tests.connectors.suite import CONTACT, FREE, Memory

BESIDE_US = str(Path(sys.executable).parent)
COMMAND = os.environ.get("LISTENER_MASTODON_MOCK") or shutil.which(
    "mastodon_mock", path=os.pathsep.join([BESIDE_US, os.environ.get("PATH", "")])
)

pytestmark = [
    pytest.mark.realserver,
    pytest.mark.skipif(not COMMAND, reason="mastodon_mock is not installed: make servers"),
]

Pages: TypeAlias = AsyncIterator[Page]
Status: TypeAlias = Mapping[str, Any]

ADA, ACME = "token-of-ada", "token-of-acme"
SETTINGS = f"""
[[seed.accounts]]
username = "acme"
display_name = "Acme"
access_token = "{ACME}"

[[seed.accounts]]
username = "ada"
display_name = "Ada Example"
access_token = "{ADA}"
"""


@dataclass
class Server:
    """The running server, and the people who write there."""

    port: int
    topics: Iterator[int] = field(default_factory=lambda: iter(range(1_000)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tag(self) -> str:
        """A hashtag that no other test uses."""
        return f"acme{next(self.topics)}"

    async def post(self, text: str, *, token: str = ADA, **more: str) -> Status:
        return await self._ask("POST", "/api/v1/statuses", token, {"status": text, **more})

    async def edit(self, status: Status, text: str) -> Status:
        return await self._ask("PUT", f"/api/v1/statuses/{status['id']}", ADA, {"status": text})

    async def delete(self, status: Status) -> None:
        await self._ask("DELETE", f"/api/v1/statuses/{status['id']}", ADA, {})

    async def _ask(self, method: str, path: str, token: str, form: Mapping[str, str]) -> Status:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            ClientSession(headers=headers) as session,
            session.request(method, self.url + path, json=form) as response,
        ):
            assert response.status == 200, await response.text()
            return cast(Status, await response.json())

    def connector(self, **options: object) -> Mastodon:
        return Mastodon.model_validate({"api": self.url, **options})

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Web]:
        async with Network(CONTACT, allow={f"127.0.0.1:{self.port}"}) as network:
            yield network.web(FREE, "server")

    async def pull(self, memory: Memory, **options: object) -> list[Post]:
        """What was new in one poll."""
        fresh: list[Post] = []
        async with self.door() as web:
            async for page in self.connector(**options).pages(web, memory.cursor, memory):
                fresh += memory.keep(page)
        return fresh


class Clock:
    """The time at the server, which is ours."""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


def memory() -> Memory:
    return Memory(cast(Place, Clock()), since=datetime.now(UTC) - timedelta(days=7))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server in a process of its own, on a free port, stopped by its own pid."""
    folder = tmp_path_factory.mktemp("mastodon")
    settings = folder / "server.toml"
    settings.write_text(SETTINGS)
    port = free_port()
    address = f"127.0.0.1:{port}"
    listening = ["--host", "127.0.0.1", "--port", str(port), "--domain", address]
    command = [str(COMMAND), "serve", "--config", str(settings)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with Path(folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--in-memory", "--log-level", "error", *listening],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://{address}/api/v2/instance", process, folder / "log")
            yield Server(port)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-2000:]}")
        try:
            with urlopen(url, timeout=2):  # noqa: S310 our own address
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


async def test_a_hashtag_is_read_whole_over_many_pages_and_then_only_what_is_new(
    server: Server,
) -> None:
    tag, seen = server.tag(), memory()
    for number in range(90):
        await server.post(f"The lift is broken, day {number} #{tag}")

    first = await server.pull(seen, tag=tag)
    again = await server.pull(seen, tag=tag)
    for number in range(90, 140):
        await server.post(f"Still broken, day {number} #{tag}")
    later = await server.pull(seen, tag=tag)

    assert (len(first), len(again), len(later)) == (90, 0, 50)
    assert len(seen.posts) == 140
    assert seen.unreadable == []
    example = first[0]
    assert example.text.startswith("The lift is broken")
    assert "<" not in example.text
    assert example.author.handle == f"ada@127.0.0.1:{server.port}"


async def test_what_ada_tells_her_followers_is_not_read(server: Server) -> None:
    tag, seen = server.tag(), memory()
    await server.post(f"for everybody #{tag}")
    await server.post(f"for followers #{tag}", visibility="private")

    await server.pull(seen, timeline="local", token=ADA, opted_out=True)

    texts = [post.text for post in seen.posts.values() if tag in post.text]
    assert texts == [f"for everybody #{tag}"]


async def test_an_edit_and_a_deletion_are_learnt_by_asking_again(server: Server) -> None:
    tag, seen = server.tag(), memory()
    same, edited, deleted = [await server.post(f"number {n} #{tag}") for n in range(3)]
    await server.pull(seen, tag=tag)
    await server.edit(edited, f"number one #{tag}")
    await server.delete(deleted)

    async with server.door() as web:
        changes = await server.connector(tag=tag).recheck(
            web, [same["uri"], edited["uri"], deleted["uri"]]
        )

    assert [change.state for change in changes] == [State.SAME, State.EDITED, State.GONE]
    assert changes[1].post is not None
    assert changes[1].post.text == f"number one #{tag}"


async def test_a_post_its_edit_and_its_deletion_are_heard_as_they_happen(server: Server) -> None:
    tag = server.tag()
    heard: asyncio.Queue[Page] = asyncio.Queue()

    async def listen(web: Web) -> None:
        stream: Any = server.connector(tag=tag).listen(web, "cursor")
        async with aclosing(stream) as pages:
            async for page in pages:
                await heard.put(page)

    async with server.door() as web:
        task = asyncio.create_task(listen(web))
        try:
            first, status = await first_heard(server, tag, heard)
            await server.edit(status, f"fixed #{tag}")
            second = await asyncio.wait_for(heard.get(), 60)
            await server.delete(status)
            third = await asyncio.wait_for(heard.get(), 60)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert [post.id for post in first.posts] == [status["uri"]]
    assert [(post.id, post.text) for post in second.posts] == [(status["uri"], f"fixed #{tag}")]
    assert third.gone == (status["uri"],)


async def first_heard(server: Server, tag: str, heard: asyncio.Queue[Page]) -> tuple[Page, Status]:
    """Publish until the stream is open: a stream does not repeat what came before it."""
    for number in range(50):
        status = await server.post(f"hello {number} #{tag}")
        try:
            page = await asyncio.wait_for(heard.get(), 0.5)
        except TimeoutError:
            continue
        assert page.posts[0].id == status["uri"]
        return page, status
    pytest.fail("nothing was heard in fifty posts")


async def test_a_mention_is_answered_once_and_the_answer_to_that_finds_its_way_back(
    server: Server,
) -> None:
    seen = memory()
    ours = server.connector(mentions=True, token=ACME)
    told = await server.post("@acme your lift is broken", visibility="unlisted")
    await server.pull(seen, mentions=True, token=ACME)
    mention = seen.posts[told["uri"]]

    async with server.door() as web:
        assert await ours.find_reply(web, mention, "key-1") is None
        receipt = await ours.reply(web, mention, "We are on our way.", "key-1")
        again = await ours.reply(web, mention, "We are on our way.", "key-1")
        found = await ours.find_reply(web, mention, "key-1")

    assert ours.can_reply(mention).allowed
    assert receipt == again == found
    published = await server._ask("GET", f"/api/v1/statuses/{receipt.id.split('/')[-1]}", ACME, {})
    assert published["visibility"] == "unlisted"
    assert published["in_reply_to_id"] == told["id"]
    assert "We are on our way." in published["content"]

    thanks = await server.post("@acme thank you", in_reply_to_id=published["id"])
    await server.pull(seen, mentions=True, token=ACME)
    answer = seen.posts[thanks["uri"]]
    assert answer.in_reply_to == receipt.id
    assert answer.kind is Kind.REPLY


async def test_a_source_says_that_it_can_be_read(server: Server) -> None:
    async with server.door() as web:
        health = await server.connector(tag="acme").check(web)

    assert health.well
    assert health.says == f"Reads posts tagged #acme on 127.0.0.1:{server.port}."
