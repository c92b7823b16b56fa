"""Hostile and broken feeds end in a reading or a sentence, soon, and disturb nobody."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.feeds import reading
from connectors.feeds.reading import Piece
from connectors.kit.contract import Answer, Post
from connectors.kit.errors import Unreadable
from tests.connectors.feed_site import NOW, RECORDINGS, Site, open_site, read, rss, said

# Alphabets.


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (rss(said("1", title="Käse")).encode("utf-8-sig"), "text/xml; charset=iso-8859-1"),
        (rss(said("1", title="Käse")).encode("latin-1"), "text/xml; charset=iso-8859-1"),
        (
            b'<?xml version="1.0" encoding="iso-8859-1"?>'
            + rss(said("1", title="Käse")).encode("latin-1"),
            "application/rss+xml",
        ),
        (
            b'<?xml version="1.0" encoding="ascii"?>' + rss(said("1", title="Käse")).encode(),
            "application/rss+xml; charset=utf-8",
        ),
        (rss(said("1", title="Käse")).encode("utf-16"), ""),
        (rss(said("1", title="Käse")).encode("utf-8"), "text/html"),
        (rss(said("1", title="Käse")).encode("cp1252"), "application/rss+xml"),
    ],
    ids=["BOM over HTTP", "HTTP", "declared", "HTTP over declared", "UTF-16", "HTML", "guessed"],
)
async def test_letters_survive_whatever_the_server_says(body: bytes, type_: str) -> None:
    [post] = (await read(body, type_)).posts

    assert post.title == "Käse"


# Harm.

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "body",
    [
        f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]>{rss("<title>&l9;</title>")}',
        f'<!DOCTYPE r [<!ENTITY q "{"x" * 90_000}">]>{rss("<title>" + "&q;" * 9_000 + "</title>")}',
        f'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>{rss("<title>&f;</title>")}',
        f'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>{rss("<title>x</title>")}',
        f'<!DOCTYPE r [<!ENTITY l "ha">]>{rss("<title>&l;")}',
    ],
    ids=["billion laughs", "quadratic", "file", "parameter", "ill-formed"],
)
@pytest.mark.parametrize("alphabet", ["utf-8", "utf-16", "utf-32"])
async def test_entities_are_refused_in_words(body: str, alphabet: str) -> None:
    started = perf_counter()

    with pytest.raises(Unreadable, match="declares XML entities of its own"):
        await read(body.encode(alphabet))

    assert perf_counter() - started < 5


async def test_a_document_type_is_let_through_and_never_fetched() -> None:
    other = Site(b"<!ENTITY x 'y'>")
    async with open_site(other) as (feeds, _):
        name = f'<!DOCTYPE rss SYSTEM "{feeds.url}">'
        page = await read(name + rss(said("1", title="Old <b>school</b>")))

    assert [post.title for post in page.posts] == ["Old school"]
    assert other.asked == 0


async def test_an_answer_that_names_a_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(rss(said("1", title="secret")))

    with pytest.raises(Unreadable):
        await read(str(secret))


def shredded(body: bytes) -> dict[str, bytes]:
    """The same feed, broken in every way that is known."""
    return {
        "truncated": body[: len(body) // 2],
        "wrong encoding": body.decode().encode("utf-16") + b"\xff",
        "says latin, is not": b'<?xml version="1.0" encoding="shift_jis"?>' + body,
        "no such encoding": b'<?xml version="1.0" encoding="klingon"?>' + body,
        "NUL": body.replace(b"e", b"\x00e"),
        "control characters": body.replace(b" ", b"\x0b\x1b"),
        "10 MB title": body.replace(b"<title>", b"<title>" + b"x" * 9_900_000, 1),
        "nested": body.replace(b"</item>", b"<a>" * 100_000 + b"</a>" * 100_000 + b"</item>", 1),
        "nested in HTML": body.replace(b"</item>", b"<summary>" + b"&lt;i&gt;" * 100_000, 1),
        "never closed": body.replace(b"</item>", b"<b>" * 100_000),
        "wrong dates": body.replace(b"2030", b"99999999"),
        "negative dates": body.replace(b"2030", b"-0001"),
        "ampersands": body.replace(b"&", b"& &&nosuch; &#xFFFFFFFF; &#0;"),
        "tag soup": body.replace(b"</title>", b"").replace(b"<link>", b"<link"),
        "mismatched": body.replace(b"</wfw:commentRss>", b"").replace(b"</channel>", b"</b>"),
        "one long name": body.replace(b"Ada Example", b"a" * 300_000),
        "many attributes": body.replace(
            b"<item>", b"<item " + b"".join(b'a%d="" ' % n for n in range(90_000)) + b">", 1
        ),
        "many categories": body.replace(
            b"<item>", b"<item>" + b"".join(b"<category>%d</category>" % n for n in range(20_000))
        ),
        "blank lines": b'<?xml version="1.0"?>' + b"\n" * 200_000 + body.partition(b"?>")[2],
        "many pieces": rss(*["<title>x</title>"] * 100_000).encode(),
        "garbage": bytes(range(256)) * 400,
        "nothing": b" \n",
        "deep JSON": b'{"items": ' + b"[" * 1_000_000,
        "JSON of nothing": b'{"items": [null, 1, "x", [], {}, {"id": [], "title": {}}]}',
    }


HARM = shredded((RECORDINGS / "blog.rss").read_bytes())


@pytest.mark.parametrize("name", HARM)
async def test_no_broken_feed_crashes_or_stalls_others(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE", timedelta(seconds=2))
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            started = perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, perf_counter() - started)

    neighbours = asyncio.create_task(others())
    started = perf_counter()
    posts: tuple[Post, ...] = ()
    with suppress(Unreadable):
        posts = (await read(HARM[name])).posts
    lasted = perf_counter() - started
    neighbours.cancel()

    assert lasted < 20
    assert longest < 5
    assert all(post.published <= NOW for post in posts)
    assert all(len(post.title or "") <= 500 for post in posts)
    orjson.dumps([(post.id, post.title, post.text) for post in posts])


@pytest.mark.parametrize(
    "name",
    ["10 MB title", "NUL", "nested", "wrong dates", "no such encoding", "mismatched", "ampersands"],
)
async def test_what_is_merely_odd_is_still_read(name: str) -> None:
    page = await read(HARM[name])

    assert any("The whole story" in post.text for post in page.posts)


SMALL = [
    RECORDINGS.joinpath(name).read_bytes()
    for name in ("blog.rss", "isso.atom", "google-alerts.atom", "blog.json")
]


@given(
    body=st.sampled_from(SMALL),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=6)), max_size=8
    ),
)
@settings(max_examples=150, deadline=None)
async def test_any_damage_ends_in_a_feed_or_in_a_sentence(
    body: bytes, cuts: list[tuple[float, int, bytes]]
) -> None:
    for where, length, instead in cuts:
        at = int(where * len(body))
        body = body[:at] + instead + body[at + length :]
    answer = Answer(url="https://a.test/feed", status=200, headers={}, body=body)

    pieces: tuple[Piece, ...] = ()
    with suppress(Unreadable):
        pieces = (await reading.read(answer)).pieces
    for piece in pieces:
        f"{piece.title}{piece.text.text}{piece.guid}".encode()
