"""Spoils what places send: cut, mutated, wrongly encoded, huge, deeply nested, wrongly dated."""

import random
from collections.abc import Callable, Sequence

HUGE = 10_000_000  # letters of a title
DEEP = 100_000
ODD: list[bytes | str] = [
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\\u0000",
        b"\\ud800",
        b"&#0;",
        b"]]>",
        b"<!--",
        b"<![CDATA[",
    ),
    *(b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"{", b"}", b"[", b"]", b"<", b">", b"&", b"\\"),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"99999999999999999999", b"0", b"[]", b"{}"),
    *("\u202e", "\ufeff", "\u200b", "\U0001f4a9", "\u0301" * 200, "İ", "ß", "ﷺ"),
]
PIECES = [one if isinstance(one, bytes) else one.encode() for one in ODD]
DATES = [
    *(b"0000-00-00T00:00:00Z", b"9999-12-31T23:59:59Z", b"10000-01-01T00:00:00Z", b"2026-02-30"),
    *(b"1969-12-31T23:59:59+99:99", b"-1", b"1e400", b"99999999999999999", b"tomorrow", b""),
    *(b"Mon, 32 Jan 2026 25:61:61 +9999", b"2026-03-29T02:30:00[Europe/Berlin]", b"\xd9\xa2" * 8),
]
Spoil = Callable[[bytes, random.Random], bytes]


def cut(body: bytes, lot: random.Random) -> bytes:
    """Stop somewhere."""
    return body[: lot.randrange(len(body) + 1)]


def flip(body: bytes, lot: random.Random) -> bytes:
    """Change single bytes."""
    changed = bytearray(body)
    for _ in range(lot.choice((1, 3, 30))):
        if changed:
            changed[lot.randrange(len(changed))] = lot.randrange(256)
    return bytes(changed)


def insert(body: bytes, lot: random.Random) -> bytes:
    """Put odd pieces somewhere."""
    for _ in range(lot.choice((1, 2, 10))):
        at = lot.randrange(len(body) + 1)
        body = body[:at] + lot.choice(PIECES) * lot.choice((1, 1, 1, 50)) + body[at:]
    return body


def splice(body: bytes, lot: random.Random) -> bytes:
    """Copy, move or drop a stretch."""
    start, end = sorted((lot.randrange(len(body) + 1), lot.randrange(len(body) + 1)))
    at = lot.randrange(len(body) + 1)
    return lot.choice((body[:start] + body[end:], body[:at] + body[start:end] + body[at:]))


def recode(body: bytes, lot: random.Random) -> bytes:
    """Another encoding than it says."""
    text = body.decode("utf-8", "replace")
    return text.encode(lot.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252")), "replace")


def redate(body: bytes, lot: random.Random) -> bytes:
    """Wrong dates where numbers stand that could be dates."""
    years = [at for at in range(len(body)) if body[at : at + 2] == b"20"]
    if not years:
        return insert(body, lot)
    at = lot.choice(years)
    end = at
    while end < len(body) and body[end : end + 1] not in {b'"', b"<", b",", b"\n", b"}", b"'"}:
        end += 1
    return body[:at] + lot.choice(DATES) + body[end:]


def swell(body: bytes, lot: random.Random) -> bytes:
    """A title of ten megabytes: one of its words, again and again."""
    letters = [at for at in range(len(body)) if body[at : at + 1].isalpha()]
    at = lot.choice(letters) if letters else 0
    return (
        body[:at]
        + lot.choice((b"a", b"a b", "ä".encode(), b"&amp;", b"&lt;b&gt;")) * (HUGE // 5)
        + body[at:]
    )


def nest(body: bytes, lot: random.Random) -> bytes:
    """Nested a hundred thousand times, bare or inside what was there."""
    opening, closing = lot.choice(
        (
            (b"[", b"]"),
            (b'{"a":', b"}"),
            (b"<a>", b"</a>"),
            (b"(", b")"),
            (b"&lt;b&gt;", b""),
            (b"\x81", b""),
        )
    )
    deep = opening * DEEP + lot.choice((b"1", b"")) + closing * lot.choice((DEEP, 0))
    at = lot.choice((0, len(body), lot.randrange(len(body) + 1)))
    return lot.choice((deep, body[:at] + deep + body[at:]))


QUICK: Sequence[Spoil] = (cut, flip, insert, splice, recode, redate)
HEAVY: Sequence[Spoil] = (swell, nest)


def spoil(body: bytes, lot: random.Random, *, heavy: float = 0.02) -> bytes:
    """Spoilt in one way or in a few."""
    if lot.random() < heavy:
        return lot.choice(HEAVY)(body, lot)
    for _ in range(lot.choice((1, 1, 2, 4))):
        body = lot.choice(QUICK)(body, lot)
    return body
