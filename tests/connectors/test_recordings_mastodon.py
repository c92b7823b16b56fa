"""Every payload that real servers of the fediverse sent to others is read, or left with a reason."""

import gzip
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml  # type: ignore[import-untyped]
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.kit.contract import Kind, Page, State, Web
from connectors.kit.web import Network
from connectors.kit.web.stream import Events
from connectors.mastodon import Mastodon
from connectors.mastodon.shapes import PUBLIC, Account, Instance, Status
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "mastodon"
SDK = RECORDINGS / "TootSDK__TootSDK"
CASSETTES = RECORDINGS / "halcy__Mastodon.py"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)

MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]{2,8}|#x?[0-9a-f]{2,6});")
HOST = "localhost:3000"  # where the cassettes were recorded

TAG = Mastodon(api=f"http://{HOST}", tag="hoot")
TIMELINE = Mastodon(api=f"http://{HOST}", timeline="public")
MENTIONS = Mastodon.model_validate({"api": f"http://{HOST}", "mentions": True, "token": "t"})


@dataclass(frozen=True)
class Answered:
    """One recorded answer."""

    cassette: str
    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


def answers() -> Iterator[Answered]:
    """Every answer in every cassette, unpacked."""
    for file in sorted(CASSETTES.glob("*.yaml")):
        yield from cassette(file.name)


def cassette(name: str) -> Iterator[Answered]:
    recorded = yaml.safe_load((CASSETTES / name).read_text())
    for exchange in recorded["interactions"]:
        asked, told = exchange["request"], exchange["response"]
        body = told["body"].get("string", "")
        body = body.encode() if isinstance(body, str) else body
        yield Answered(
            name,
            asked["method"],
            asked["uri"],
            told["status"]["code"],
            {header.lower(): " ".join(values) for header, values in told["headers"].items()},
            gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body,
        )


def documents() -> Iterator[tuple[str, Any]]:
    """Every JSON document of both collections, also those inside streams, with where it is from."""
    for file in sorted(SDK.glob("*.json")):
        told = orjson.loads(file.read_bytes())
        yield file.name, told
        if isinstance(told, dict) and str(told.get("payload", "")).startswith("{"):
            yield file.name, orjson.loads(told["payload"])
    for answer in answers():
        if "/streaming/" in answer.path:
            events = Events(largest=1_000_000)
            yield from (
                (answer.cassette, orjson.loads(event.data))
                for event in events.feed(answer.body)
                if event.data.startswith("{")
            )
        else:
            yield answer.cassette, orjson.loads(answer.body)


def statuses() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every status, wherever it stands: alone, in lists, in notifications, reposted, quoted."""

    def within(told: Any) -> Iterator[dict[str, Any]]:
        if isinstance(told, dict):
            if {"content", "visibility", "account", "created_at"} <= told.keys():
                yield told
            for inner in told.values():
                yield from within(inner)
        elif isinstance(told, list):
            for inner in told:
                yield from within(inner)

    for source, document in documents():
        yield from ((source, status) for status in within(document))


def test_there_is_something_to_read() -> None:
    assert len(list(SDK.glob("*.json"))) == 22
    assert len(list(CASSETTES.glob("*.yaml"))) == 28
    assert len(list(statuses())) > 190


def test_every_status_is_mapped() -> None:
    for source, told in statuses():
        post = Status.model_validate(told).as_post(HOST)

        assert post.id == told["uri"], source
        assert post.url.startswith(("http://", "https://")), source
        assert post.published.tzinfo is UTC, source
        assert not MARKUP.search(f"{post.title} {post.text}"), source
        assert bool(post.text or post.attachments) or not told["content"], source
        assert re.fullmatch(r"[\w.-]+@[\w.:-]+", post.author.handle), source
        assert (post.edited is not None) == bool(told.get("edited_at")), source
        expected = Kind.REPLY if told["in_reply_to_id"] else Kind.POST
        assert post.kind is (Kind.MESSAGE if told["visibility"] == "direct" else expected), source


def test_every_status_is_read_or_left_for_the_right_reason() -> None:
    left = {"audience": 0, "opted out": 0, "not searchable": 0}
    for source, told in statuses():
        status, account = Status.model_validate(told), told["account"]
        hidden = account.get("noindex") is True or account.get("discoverable") is False
        if told["visibility"] not in PUBLIC:
            reason = "audience"
        elif hidden:
            reason = "opted out"
        elif account.get("indexable") is False:
            reason = "not searchable"
        else:
            reason = ""

        assert TIMELINE.may_read(status) is not bool(reason), source
        assert TAG.may_read(status) is (reason in {"", "not searchable"}), source
        assert MENTIONS.may_read(status), source
        if reason:
            left[reason] += 1

    assert left["audience"] > 0
    assert left["not searchable"] > 0


def test_the_same_post_has_one_id_on_every_server() -> None:
    seen: dict[str, set[str]] = {}
    for _, told in statuses():
        post = Status.model_validate(told).as_post(HOST)
        seen.setdefault(post.id, set()).add(post.author.id)

    assert all(len(authors) == 1 for authors in seen.values())


def test_every_account_is_read() -> None:
    files = sorted(SDK.glob("account*.json"))
    assert files
    for file in files:
        told = orjson.loads(file.read_bytes())
        for account in told if isinstance(told, list) else [told]:
            author = Account.model_validate(account).as_author("pixelfed.social", "")
            assert "@" in author.handle, file.name


@pytest.mark.parametrize(
    ("name", "climbs", "longest"),
    [
        ("instancev2_mastodon.json", True, 500),
        ("instancev2_mastodon_4.5.json", True, 500),
        ("mastodon.json", True, 500),
        ("instancev2_pleroma.json", False, 5000),
        ("pleroma.json", False, 5000),
        ("instancev2_pixelfed.json", False, 2000),
        ("instancev2_friendica.json", False, 200_000),
        ("instancev2_firefish.json", False, 3000),
    ],
)
def test_every_kind_of_server_is_told_apart(name: str, climbs: bool, longest: int) -> None:
    instance = Instance.model_validate_json((SDK / name).read_bytes())

    assert instance.in_order is climbs
    assert instance.longest == longest


def test_a_server_names_its_streaming_host() -> None:
    told = Instance.model_validate_json((SDK / "instancev2_mastodon.json").read_bytes())
    there = Mastodon(api="https://mastodon.social", tag="hoot")

    assert there.stream_base(told) == "https://streaming.mastodon.social"


# Played back to the connector.


def replay(told: Mapping[str, Answered]) -> web.Application:
    """A server that answers a path as it was recorded, once; then lists are empty."""
    left = dict(told)

    async def answer(request: web.Request) -> web.Response:
        recorded = left.pop(request.path, None)
        if recorded is None:
            listed = request.path.endswith(("/notifications", "/hoot"))
            return web.json_response([], status=200 if listed else 404)
        kept = {"link", "content-type"}
        headers = {name: text for name, text in recorded.headers.items() if name in kept}
        return web.Response(body=recorded.body, status=recorded.status, headers=headers)

    async def nobody(_: web.Request) -> web.Response:
        return web.json_response({"error": "not recorded"}, status=403)

    app = web.Application()
    app.router.add_get("/api/v1/accounts/verify_credentials", nobody)
    app.router.add_get("/{path:.*}", answer)
    return app


@asynccontextmanager
async def playing(told: Mapping[str, Answered]) -> AsyncIterator[tuple[str, Web]]:
    server = TestServer(replay(told), host="127.0.0.1")
    await server.start_server()
    try:
        async with Network(CONTACT, allow={f"127.0.0.1:{server.port}"}) as network:
            yield f"http://127.0.0.1:{server.port}", network.web(FREE, "replay")
    finally:
        await server.close()


class Beginner:
    """A listener that has read nothing yet."""

    now = datetime(2026, 8, 5, tzinfo=UTC)
    since = datetime(2019, 1, 1, tzinfo=UTC)

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids[:0])


def only(name: str, path: str, method: str = "GET") -> Answered:
    [found] = [
        answer for answer in cassette(name) if answer.path == path and answer.method == method
    ]
    return found


async def test_a_recorded_hashtag_timeline_is_read() -> None:
    name, path = "cassettes__test_hashtag_tl.yaml", "/api/v1/timelines/tag/hoot"
    instance = only(name, "/api/v2/instance/")
    told = {"/api/v2/instance": instance, path: only(name, path)}

    async with playing(told) as (url, network):
        source = Mastodon(api=url, tag="hoot")
        pages = [page async for page in source.pages(network, None, Beginner())]

    [post] = [post for page in pages for post in page.posts]
    assert post.published - datetime(2026, 8, 1, 13, 55, 55, tzinfo=UTC) < timedelta(seconds=1)
    assert "hoot" in post.text


async def test_recorded_mentions_with_a_link_header_are_read() -> None:
    name, path = "cassettes_pre_2_9_2__test_notifications_dismiss.yaml", "/api/v1/notifications"
    told = {"/api/v1/instance": only(name, "/api/v1/instance/"), path: only(name, path)}

    async with playing(told) as (url, network):
        source = Mastodon.model_validate({"api": url, "mentions": True, "token": "t"})
        pages = [page async for page in source.pages(network, None, Beginner())]

    posts = {post.id: post for page in pages for post in page.posts}
    recorded = [each for each in orjson.loads(told[path].body) if each["status"]]
    assert posts.keys() == {each["status"]["uri"] for each in recorded}
    assert [unread for page in pages for unread in page.unreadable] == []


async def test_a_recorded_missing_status_is_gone() -> None:
    path = "/api/v1/statuses/0"
    told = {path: only("cassettes__test_status_missing.yaml", path)}

    async with playing(told) as (url, network):
        source = Mastodon(api=url, tag="hoot")
        [change] = await source.recheck(network, [f"{url}/users/admin/statuses/0"])

    assert change.state is State.GONE


async def test_a_recorded_stream_of_our_own_is_heard() -> None:
    name, path = "cassettes__test_stream_user_direct.yaml", "/api/v1/streaming/user"
    stream = only(name, path)
    headers = {"content-type": "text/event-stream"}
    recorded = Answered(name, "GET", path, 200, headers, stream.body)

    async with playing({path: recorded}) as (url, network):
        ours = Mastodon.model_validate({"api": url, "mentions": True, "token": "t"})
        mentions: list[Page] = [page async for page in ours.listen(network, None)]
    async with playing({"/api/v1/streaming/hashtag": recorded}) as (url, network):
        tagged = Mastodon(api=url, tag="hoot")
        public: list[Page] = [page async for page in tagged.listen(network, None)]

    # Two notifications of mentions; of three updates and an edit, what everybody may read.
    assert [post.kind for page in mentions for post in page.posts] == [Kind.POST, Kind.MESSAGE]
    assert [page.unreadable for page in [*mentions, *public]] == [()] * len([*mentions, *public])
    assert [len(page.gone) for page in public].count(1) == 1
    assert {post.url for page in public for post in page.posts}
