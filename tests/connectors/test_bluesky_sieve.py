"""A stream that is sifted brings every mention that the whole stream brings, and moves as it does."""

import asyncio
import base64
import json
import os
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky import Bluesky, glance
from connectors.kit.contract import Page, Sieve, Sifts, Span, Unread, Web, everything
from listener.domain.matching import Matcher
from listener.domain.query import Query, QueryError, parse, registered
from tests.connectors.test_bluesky_recordings import views

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere")
FIREHOSE = RECORDINGS / "bluesky-local" / "scenario-a" / "subscribeRepos.frames.b64"

POST = "app.bsky.feed.post"
BEGAN = 1_762_000_000_000_000
QUERIES = (
    "acme",
    "straße",
    "istanbul",
    '"acme coffee"',
    "@acme",
    "#acme",
    "acme.com",
    "bsky.app",
    "müller.de",
    "東京",
    "☕",
    "café -tea",
    "soup lang:de",
    "soup kind:reply",
    "bread author:did:plc:ada",
)
SAID = (
    *("acme", "ACME", "ＡＣＭＥ", "Ac\u00adme", "ac\u0001me", "acme\u0301", "@acme", "#acme"),
    *("acme ☕ coffee", "STRASSE", "İSTANBUL", "新東京駅", "cafe\u0301", "soup", "bread", "tea"),
    *("\u2026", "！", "\r\n", "\t", "\u2028", "“", "\\u0061cme", "\U000e0100", "👩\u200d🍳", " "),
)
ADDRESSES = (
    *("https://www.acme.com/x", "HTTPS://ACME.COM", "acme.com", "https://ac\nme.com/"),
    *("https://xn--mller-kva.de", "https://shop.müller.de", "http://[", "", "mailto:a@acme.com"),
    *(f"at://did:plc:bob/{POST}/3kx", "at://did:plc:bob"),
)

texts = st.lists(st.sampled_from(SAID) | st.text(max_size=3), max_size=6).map("".join)
odd: st.SearchStrategy[Any] = st.sampled_from((None, 7, "x", [], {}, [[]], {"uri": 3}, "acme.com"))
addresses: st.SearchStrategy[Any] = st.sampled_from(ADDRESSES) | odd
facets = st.lists(
    st.fixed_dictionaries({"features": st.lists(st.builds(lambda uri: {"uri": uri}, addresses))})
    | odd,
    max_size=3,
)
media = st.fixed_dictionaries(
    {},
    optional={
        "external": st.fixed_dictionaries({"uri": addresses, "title": texts}) | odd,
        "images": st.just([{"alt": "acme", "image": {"ref": {"$link": "bafy"}}}]) | odd,
        "record": st.fixed_dictionaries({"uri": addresses}) | odd,
    },
)
embeds = media | st.fixed_dictionaries(
    {"media": media | odd, "record": st.fixed_dictionaries({"record": media}) | odd}
)
above = {"uri": f"at://did:plc:ada/{POST}/3ka", "cid": "bafy"}
records = (
    st.fixed_dictionaries(
        {"text": texts},
        optional={
            "langs": st.sampled_from((["de"], ["en"])) | odd,
            "facets": facets | odd,
            "embed": embeds | odd,
            "reply": st.just({"root": above, "parent": above}) | odd,
            "createdAt": st.just("2025-11-01T12:26:40Z") | odd,
        },
    )
    | st.fixed_dictionaries({"text": odd})
    | odd
)
people = st.sampled_from(("did:plc:ada", "did:plc:bob"))


@st.composite
def scripts(draw: st.DrawFn) -> list[str]:
    """What a Jetstream says: posts, edits, deletions, leavings, notices, in JSON of two hands."""
    script, at = [], BEGAN
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from((1_000, 40_000, 2_000_000, 5_000_000, -300_000)))
        told: dict[str, object] = {"did": draw(people), "time_us": at, "kind": "commit"}
        what = draw(st.sampled_from(("create", "create", "create", "update", "delete", "account")))
        if what == "account":
            told |= {"kind": what, "account": {"active": False, "status": "deleted"}}
        else:
            record = draw(records)
            told["commit"] = {
                "operation": what,
                "collection": draw(st.sampled_from((POST, POST, POST, "app.bsky.feed.like"))),
                "rkey": draw(st.sampled_from(("3ka", "3kb", "3kc"))),
                "cid": sha256(orjson.dumps(record)).hexdigest(),  # a name for just this
                **({} if what == "delete" else {"record": record}),
            }
        script.append(json.dumps(told, ensure_ascii=draw(st.booleans())))
    return script


def commit(number: int, text: object, **more: object) -> bytes:
    return framed(number, {"text": text, "createdAt": "2025-11-01T12:26:40Z"}, **more)


def framed(number: int, record: object, **more: object) -> bytes:
    """A post of a Jetstream, ten milliseconds after the one before."""
    return orjson.dumps(
        {
            "did": "did:plc:ada",
            "time_us": BEGAN + number * 10_000,
            "kind": "commit",
            "commit": {
                "operation": "create",
                "collection": POST,
                "rkey": f"3k{number}",
                "cid": f"bafy{number}",
                "record": record,
            },
            **more,
        }
    )


class Playing:
    """A door behind which one stream says exactly this."""

    def __init__(self, script: Sequence[bytes | str]) -> None:
        self.script = script

    async def socket(self, _url: str) -> AsyncGenerator[bytes | str, None]:
        """All of it, then the end."""
        for message in self.script:
            yield message


async def heard(dialect: str, script: Sequence[bytes | str], wanted: Sieve) -> list[Page]:
    source = cast(Sifts, Bluesky.model_validate({"stream": dialect}))
    pages = cast(AsyncGenerator[Page, None], source.sift(cast(Web, Playing(script)), None, wanted))
    async with aclosing(pages):
        return [page async for page in pages]


def changes(pages: Sequence[Page], matcher: Matcher) -> list[object]:
    """What the listener would write: new mentions, their edits, their deletions, in order.

    An account that goes takes all its posts with it at one moment: among them there is no order.
    """
    standing: dict[str, str] = {}
    found: list[object] = []
    for page in pages:
        for post, matches in matcher.matches(page.posts):
            if standing.get(post.id) != post.revision:
                standing[post.id] = post.revision
                found.append((post, matches))
        found += sorted(uri for uri in page.gone if standing.pop(uri, None))
    return found


def compare(dialect: str, script: Sequence[bytes | str], matcher: Matcher) -> int:
    """Hear it whole and sifted, which must come to the same; say how much was to be written."""
    whole = asyncio.run(heard(dialect, script, everything))
    sifted = asyncio.run(heard(dialect, script, matcher.may_match))

    written = changes(whole, matcher)
    assert changes(sifted, matcher) == written
    assert dead(sifted) == dead(whole)
    assert spans(sifted) == spans(whole)
    return len(written)


def dead(pages: Sequence[Page]) -> list[Unread]:
    return [one for page in pages for one in page.unreadable]


def spans(pages: Sequence[Page]) -> list[tuple[Span, str | None]]:
    return [(page.span, page.cursor) for page in pages if page.span]


@given(scripts())
def test_a_sifted_stream_loses_no_mention_deletion_or_dead_letter(script: list[str]) -> None:
    compare("jetstream", script, Matcher({n: parse(query) for n, query in enumerate(QUERIES)}))


def dressed(address: object) -> list[dict[str, object]]:
    """A record for each place in which an address may stand."""
    external = {"external": {"uri": address, "title": "A card"}}
    quoted = {"uri": address, "cid": "bafy"}
    return [
        {"text": "", "facets": [{"features": [{"tag": "x"}, {"uri": address}]}]},
        {"text": "", "embed": external},
        {"text": "", "embed": {"media": external, "record": {"record": quoted}}},
        {"text": "", "embed": {"record": quoted}},
        {"text": "", "embed": {"media": external, "record": {"record": {"uri": "at://x"}}}},
    ]


@pytest.mark.parametrize("query", QUERIES)
def test_every_spelling_and_every_place_of_an_address_is_seen(query: str) -> None:
    records: list[object] = [{"text": said} for said in SAID]
    records += [record for address in ADDRESSES for record in dressed(address)]
    matcher = Matcher({1: parse(query)})
    compare("jetstream", [framed(*record) for record in enumerate(records)], matcher)


async def test_what_nobody_wants_is_counted_and_the_cursor_goes_on_without_it() -> None:
    matcher = Matcher({1: parse("acme")})
    script = [commit(number, "tea and bread") for number in range(1_201)]
    script[700] = commit(700, "cold soup at Acme")

    pages = await heard("jetstream", script, matcher.may_match)

    assert [len(page.posts) for page in pages] == [0, 1, 0]
    assert sum(page.sifted for page in pages) == 1_000
    assert [round((span.end - span.start).total_seconds()) for span, _ in spans(pages)] == [5, 5]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(commit(1, 7), id="a text that is none"),
        pytest.param(commit(1, "tea", payload={"kind": "info"}), id="another message inside"),
        pytest.param(commit(1, "tea", time_us="today"), id="a time that is none"),
        pytest.param(commit(1, "tea", kind="account"), id="not a commit"),
        pytest.param(commit(1, "tea").replace(b"create", b"delete"), id="a deletion with words"),
        pytest.param(commit(1, "tea").replace(b"feed.post", b"feed.like"), id="not a post"),
        pytest.param(b"[" * 5_000, id="nothing but depth"),
        pytest.param(b"tea", id="no JSON"),
        pytest.param(b'"tea"', id="a bare word"),
    ],
)
def test_what_is_unusual_is_read_whole(message: bytes) -> None:
    assert glance.unwanted(message, lambda _text, _links: False) == 0
    assert glance.unwanted(commit(1, "tea"), lambda _text, _links: False) > 0


def test_addresses_are_looked_at_only_where_a_brand_is_known_by_its_domain() -> None:
    def links() -> Iterator[str]:
        seen.append("looked")
        yield "https://acme.com/"

    seen: list[str] = []
    assert not Matcher({1: parse("acme")}).may_match("tea", links())
    assert not seen
    assert Matcher({1: parse("acme OR acme.com")}).may_match("tea", links())


recorded = pytest.mark.skipif(
    not FIREHOSE.is_file(), reason="LISTENER_RECORDINGS does not point at the recordings"
)


@recorded
@pytest.mark.parametrize("dialect", ["jetstream", "firehose"])
def test_a_recorded_stream_is_sifted_without_loss(dialect: str) -> None:
    if dialect == "firehose":
        told = map(base64.b64decode, FIREHOSE.read_bytes().split())
        script = [message for message in told if b"FutureCursor" not in message]  # ends a stream
    else:  # posts that people published, as a Jetstream would wrap them
        found = [view["record"] for _, view in views()]
        script = [framed(number, record) for number, record in enumerate(found)]
    whole = asyncio.run(heard(dialect, script, everything))
    posts = [post for page in whole for post in page.posts]
    said = {word for post in posts for word in re.findall(r"\w+", post.text)}
    linked = {name for post in posts for link in post.links for name in registered(link)}
    words = sorted(said | linked)

    matcher = Matcher(dict(enumerate(query for word in words if (query := asked(word)))))
    assert compare(dialect, script, matcher) > len(posts) / 2
    few = Matcher({1: parse(max(said, key=len))})
    assert 0 < compare(dialect, script, few) < len(posts)


def asked(word: str) -> Query | None:
    """The word as a query, where it can be one."""
    try:
        return parse(word)
    except QueryError:
        return None
