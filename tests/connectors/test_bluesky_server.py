"""Bluesky end to end against its own servers: searched, heard, asked again and answered."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from connectors.bluesky import Bluesky
from connectors.bluesky.shapes import COLLECTION
from connectors.kit.contract import Kind, Listens, Page, Post, State, Web
from connectors.kit.errors import ConnectorError, TryLater
from connectors.kit.web import Network
from tests import postgres
from tests.connectors.memory import Memory
from tests.connectors.place import Place
from tests.connectors.suite import CONTACT, FREE

SCRIPT = Path(__file__).parents[2] / "scripts" / "bluesky-server" / "server.js"
INSTALLED = Path(os.environ.get("LISTENER_BLUESKY") or f"{sys.prefix}/servers/bluesky")
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.realserver,
    pytest.mark.skipif(not NODE, reason="Node.js is not installed"),
    pytest.mark.skipif(
        not (INSTALLED / "node_modules" / "@atproto" / "dev-env").is_dir(),
        reason="@atproto/dev-env is not installed: make servers",
    ),
]

Told: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """An account on the server."""

    handle: str
    did: str
    token: str = field(repr=False)

    @property
    def options(self) -> Mapping[str, str]:
        return {"handle": self.handle, "password": PASSWORD}


PASSWORD = "made-up"


@dataclass
class Server:
    """The running network, and the people who write there."""

    url: str
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000)))

    @property
    def host_port(self) -> str:
        return urlsplit(self.url).netloc

    def word(self) -> str:
        """A word that no other test uses."""
        return f"acme{next(self.numbers)}x"

    async def person(self, name: str) -> Person:
        handle = f"{name}{next(self.numbers)}.test"
        known = {"handle": handle, "email": f"{handle}@example.test", "password": PASSWORD}
        told = await self.ask("com.atproto.server.createAccount", known)
        return Person(handle, told["did"], told["accessJwt"])

    async def post(self, who: Person, text: str, **more: object) -> Told:
        record = {"$type": COLLECTION, "text": text, "createdAt": now(), **more}
        return await self.write(who, COLLECTION, record)

    async def write(self, who: Person, collection: str, record: Told, **more: str) -> Told:
        known = {"repo": who.did, "collection": collection, "record": record, **more}
        return await self.ask("com.atproto.repo.createRecord", known, who)

    async def post_many(self, who: Person, texts: list[str]) -> None:
        writes = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": COLLECTION,
                "value": {"$type": COLLECTION, "text": text, "createdAt": now()},
            }
            for text in texts
        ]
        for start in range(0, len(writes), 50):
            batch = {"repo": who.did, "writes": writes[start : start + 50]}
            await self.ask("com.atproto.repo.applyWrites", batch, who)

    async def delete(self, who: Person, written: Told) -> None:
        key = written["uri"].rpartition("/")[2]
        known = {"repo": who.did, "collection": COLLECTION, "rkey": key}
        await self.ask("com.atproto.repo.deleteRecord", known, who)

    async def leave(self, who: Person) -> None:
        await self.ask("com.atproto.server.deactivateAccount", {}, who)

    async def ask(self, method: str, told: Told | None = None, who: Person | None = None) -> Told:
        headers = {"Authorization": f"Bearer {who.token}"} if who else {}
        url = f"{self.url}/xrpc/{method}"
        async with (
            ClientSession(headers=headers) as session,
            session.request("GET" if told is None else "POST", url, json=told) as response,
        ):
            assert response.status == 200, await response.text()
            body = await response.read()
            return cast(Told, json.loads(body)) if body else {}

    async def shows(self, who: Person, word: str, count: int) -> None:
        """Wait until the view of the network, which reads the firehose too, is there."""
        for _ in range(2_400):  # two minutes: machines are busy
            if await self.count(who, word) >= count:
                return
            await asyncio.sleep(0.05)
        pytest.fail("the network did not show what was written")

    async def count(self, who: Person, word: str) -> int:
        found, cursor = 0, ""
        while True:
            query = f"q={word}&limit=100{cursor and f'&cursor={cursor}'}"
            told = await self.ask(f"app.bsky.feed.searchPosts?{query}", None, who)
            found += len(told["posts"])
            if not (cursor := told.get("cursor", "")):
                return found

    def connector(self, **options: object) -> Bluesky:
        return Bluesky.model_validate({"api": self.url, **options})

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Web]:
        async with Network(CONTACT, allow={self.host_port}) as network:
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


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The network in a process of its own, on free ports; it ends when we stop listening to it."""
    folder = tmp_path_factory.mktemp("bluesky")
    with postgres.server() as database, (folder / "log").open("wb") as log:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "NODE_PATH": str(INSTALLED / "node_modules"),
            "DB_POSTGRES_URL": as_node_says_it(database.create()),
        }
        process = subprocess.Popen(
            [str(NODE), str(SCRIPT)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            if not line:
                pytest.fail(f"the servers did not start: {(folder / 'log').read_text()[-2000:]}")
            yield Server(json.loads(line)["pds"])
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def as_node_says_it(url: str) -> str:
    """The address of a database, which lies on a socket, for the driver of Node.js."""
    parts = urlsplit(url)
    [folder] = parse_qs(parts.query)["host"]
    return f"postgres://{parts.username}@localhost{parts.path}?host={folder}"


async def test_a_search_is_read_whole_over_many_pages_and_then_only_what_is_new(
    server: Server,
) -> None:
    word, seen = server.word(), memory()
    ada, acme = await server.person("ada"), await server.person("acme")
    await server.post_many(ada, [f"The {word} lift is broken, day {day} 🛗" for day in range(230)])
    await server.shows(ada, word, 230)

    first = await server.pull(seen, query=word, **acme.options)
    again = await server.pull(seen, query=word, **acme.options)
    await server.post_many(ada, [f"Still broken: {word}, day {day}" for day in range(5)])
    await server.shows(ada, f"broken:%20{word}", 5)
    later = await server.pull(seen, query=word, **acme.options)

    assert (len(first), len(again), len(later)) == (230, 0, 5)
    assert seen.unreadable == []
    example = first[0]
    assert example.author.handle == ada.handle
    assert example.author.id == ada.did
    assert example.url == f"https://bsky.app/profile/{ada.did}/post/{example.id.split('/')[-1]}"
    assert not example.author.ours


async def test_a_mention_is_answered_once_and_the_answer_to_that_finds_its_way_back(
    server: Server,
) -> None:
    seen = memory()
    ada, acme = await server.person("ada"), await server.person("acme")
    ours = server.connector(notifications=True, **acme.options)
    facet = {
        "index": {"byteStart": 0, "byteEnd": len(acme.handle) + 1},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": acme.did}],
    }
    told = await server.post(ada, f"@{acme.handle} your lift is broken", facets=[facet])
    mention = await noticed(server, acme, seen, told)

    async with server.door() as web:
        assert await ours.find_reply(web, mention, "key-1") is None
        text = f"Grüße, @{ada.handle}: see https://acme.example/lift #sorry"
        receipt = await ours.reply(web, mention, text, "key-1")
        again = await ours.reply(web, mention, "Something else", "key-1")
        found = await ours.find_reply(web, mention, "key-1")

    assert ours.can_reply(mention).allowed
    assert receipt == again == found
    written = await record_of(server, receipt.id)
    strong = {"uri": told["uri"], "cid": told["cid"]}
    assert written["text"] == text
    assert written["reply"] == {"root": strong, "parent": strong}
    live = {
        written["text"].encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode()
        for one in written["facets"]
    }
    assert live == {f"@{ada.handle}", "https://acme.example/lift", "#sorry"}

    above = {"uri": receipt.id, "cid": again_cid(await view_of(server, acme, receipt.id))}
    thanks = await server.post(ada, "Thank you!", reply={"root": strong, "parent": above})
    answer = await noticed(server, acme, seen, thanks)
    assert answer.in_reply_to == receipt.id
    assert answer.thread == told["uri"]
    assert answer.kind is Kind.REPLY


async def test_who_lets_nobody_answer_is_not_answered(server: Server) -> None:
    word, seen = server.word(), memory()
    ada, acme = await server.person("ada"), await server.person("acme")
    told = await server.post(ada, f"{word} is the worst, and no answers please")
    gate = {"$type": "app.bsky.feed.threadgate", "post": told["uri"], "allow": []}
    key = told["uri"].rpartition("/")[2]
    await server.write(ada, "app.bsky.feed.threadgate", gate | {"createdAt": now()}, rkey=key)
    await server.shows(ada, word, 1)
    await until_gated(server, acme, told["uri"])
    [post] = await server.pull(seen, query=word, **acme.options)

    async with server.door() as web:
        with pytest.raises(ConnectorError, match="only some people"):
            await server.connector(query=word, **acme.options).reply(web, post, "Hi", "key")


async def test_deleted_posts_and_departed_authors_are_learnt_by_asking_again(
    server: Server,
) -> None:
    word, seen = server.word(), memory()
    ada, bob, acme = [await server.person(name) for name in ("ada", "bob", "acme")]
    stays, goes = [await server.post(ada, f"{word} {n}") for n in range(2)]
    left = await server.post(bob, f"{word} from bob")
    await server.shows(ada, word, 3)
    await server.pull(seen, query=word, **acme.options)
    await server.delete(ada, goes)
    await server.leave(bob)

    asked = [one["uri"] for one in (stays, goes, left)]
    await until_left_out(server, acme, left["uri"])
    async with server.door() as web:
        changes = await server.connector(query=word, **acme.options).recheck(web, asked)

    assert [change.state for change in changes] == [State.SAME, State.GONE, State.ABSENT]
    assert changes[0].post is not None
    assert changes[0].post.revision == seen.posts[stays["uri"]].revision


async def test_a_post_its_deletion_and_a_departure_are_heard_as_they_happen(
    server: Server,
) -> None:
    word = server.word()
    ada, acme = await server.person("ada"), await server.person("acme")
    async with listening(server, words=[word], **acme.options) as heard:
        first, told = await first_heard(server, ada, word, heard)
        await server.post(ada, "about something else")
        await server.delete(ada, told)
        second = await asyncio.wait_for(heard.get(), 60)
        kept = await server.post(ada, f"The {word.upper()} lift again 🛗")
        third = await asyncio.wait_for(heard.get(), 60)
        await server.leave(ada)
        fourth = await asyncio.wait_for(heard.get(), 60)

    assert [post.id for post in first.posts] == [told["uri"]]
    assert first.posts[0].author.id == ada.did
    assert second.gone == (told["uri"],)
    assert [post.text for post in third.posts] == [f"The {word.upper()} lift again 🛗"]
    assert kept["uri"] in fourth.gone


async def test_what_was_streamed_while_nobody_listened_is_heard_later(server: Server) -> None:
    word = server.word()
    ada, acme = await server.person("ada"), await server.person("acme")
    async with listening(server, words=[word], **acme.options) as heard:
        page, _ = await first_heard(server, ada, word, heard)
    missed = [await server.post(ada, f"{word} missed {n}") for n in range(3)]

    async with listening(server, page.cursor, words=[word], **acme.options) as heard:
        pages = [await asyncio.wait_for(heard.get(), 60) for _ in missed]

    assert [post.id for page in pages for post in page.posts] == [one["uri"] for one in missed]


async def test_a_cursor_from_the_future_is_forgotten(server: Server) -> None:
    ahead = json.dumps({"stream": "firehose", "at": now(), "seq": 1_000_000})
    source = server.connector(stream="firehose")
    async with server.door() as web:
        pages = aiter(cast(Listens, source).listen(web, ahead))
        first = await anext(pages)
        with pytest.raises(TryLater, match="from now on"):
            await anext(pages)

    assert first.cursor is None


async def test_a_source_says_that_it_can_be_read(server: Server) -> None:
    acme = await server.person("acme")
    async with server.door() as web:
        search = await server.connector(query="acme", **acme.options).check(web)
        inbox = await server.connector(notifications=True, **acme.options).check(web)
        stream = await server.connector(stream="firehose").check(web)

    assert search.says == "Reads posts that localhost finds for 'acme'."
    assert inbox.says == f"Reads what is addressed to {acme.handle}."
    assert stream.well


# Waiting for a network.


async def noticed(server: Server, who: Person, seen: Memory, told: Told) -> Post:
    for _ in range(2_400):
        await server.pull(seen, notifications=True, **who.options)
        if told["uri"] in seen.posts:
            return seen.posts[told["uri"]]
        await asyncio.sleep(0.05)
    pytest.fail("nobody was told of the post")


async def view_of(server: Server, who: Person, uri: str) -> Told:
    for _ in range(2_400):
        found = await server.ask(f"app.bsky.feed.getPosts?uris={uri}", None, who)
        if found["posts"]:
            return cast(Told, found["posts"][0])
        await asyncio.sleep(0.05)
    pytest.fail("the network did not show the post")


async def until_left_out(server: Server, who: Person, uri: str) -> None:
    for _ in range(2_400):
        if not (await server.ask(f"app.bsky.feed.getPosts?uris={uri}", None, who))["posts"]:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the network goes on showing the post")


async def until_gated(server: Server, who: Person, uri: str) -> None:
    for _ in range(2_400):
        if "threadgate" in await view_of(server, who, uri):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the network did not see who may answer")


def again_cid(view: Told) -> str:
    return str(view["cid"])


async def record_of(server: Server, uri: str) -> Told:
    repo, collection, key = uri.removeprefix("at://").split("/")
    query = f"repo={repo}&collection={collection}&rkey={key}"
    return cast(Told, (await server.ask(f"com.atproto.repo.getRecord?{query}"))["value"])


@asynccontextmanager
async def listening(
    server: Server, cursor: str | None = None, **options: object
) -> AsyncIterator[asyncio.Queue[Page]]:
    heard: asyncio.Queue[Page] = asyncio.Queue()

    async def listen(web: Web) -> None:
        source = cast(Listens, server.connector(stream="firehose", **options))
        stream: Any = source.listen(web, cursor)
        async with aclosing(stream) as pages:
            async for page in pages:
                if page.posts or page.gone:
                    await heard.put(page)

    async with server.door() as web:
        task = asyncio.create_task(listen(web))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def first_heard(
    server: Server, who: Person, word: str, heard: asyncio.Queue[Page]
) -> tuple[Page, Told]:
    """Publish until the stream is open: without a cursor it tells only what comes after."""
    for number in range(20):
        told = await server.post(who, f"The {word} lift, take {number}")
        try:
            page = await asyncio.wait_for(heard.get(), 5)
        except TimeoutError:
            continue
        assert page.posts[0].id == told["uri"]
        return page, told
    pytest.fail("nothing was heard in fifty posts")
