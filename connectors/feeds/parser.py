"""Reads the XML of one feed into plain JSON, in a process that may be killed.

feedparser understands every feed there is, and some of its patterns take quadratic time, in C,
with the interpreter locked: no thread can be stopped there. So this file runs alone, imports
nothing of ours, takes the bytes on standard input and writes JSON on standard output.
"""

import json
import re
import sys
from io import BytesIO

import feedparser  # type: ignore[import-untyped]

MOST_PIECES = 3_000
MOST_MEMORY = 1_000_000_000  # bytes; a feed of ten megabytes takes a third of it
MOST_SECONDS = 20

KEPT = frozenset(
    {
        "id",
        "guidislink",
        "link",
        "links",
        "title",
        "title_detail",
        "summary",
        "summary_detail",
        "content",
        "published",
        "published_parsed",
        "updated",
        "updated_parsed",
        "created",
        "created_parsed",
        "author",
        "author_detail",
        "source",
        "thr_in-reply-to",
        "feedburner_origlink",
        "media_content",
        "media_thumbnail",
    }
)


def parsed(body: bytes, content_type: str) -> bytes:
    """What feedparser makes of the feed, as JSON; `version` is empty when it is none."""
    # A stream, because feedparser takes bytes for the name of a file first. Markup and relative
    # addresses are left as they are: text.plain() cleans the one and resolves the other.
    found = feedparser.parse(
        BytesIO(_mended(body)),
        response_headers={"content-type": content_type},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    feed = dict(found["feed"])
    told = {
        "version": found["version"],
        "title": feed.get("title"),
        "link": feed.get("link"),
        "language": feed.get("language"),
        "pieces": [
            {key: value for key, value in dict(piece).items() if key in KEPT}
            for piece in found["entries"][:MOST_PIECES]
        ],
    }
    return json.dumps(told, ensure_ascii=False, default=str).encode("utf-8", "replace")


def _mended(body: bytes) -> bytes:
    """The body without the two things that break feedparser: NULs, and impossible characters."""
    if b"\x00" not in body[:4] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = body.replace(b"\x00", b"")
    return _REFERENCE.sub(_possible, body)


_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,1000})|([0-9]{1,1000}));?")


def _possible(reference: re.Match[bytes]) -> bytes:
    hexadecimal, decimal = reference.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    good = 0 < number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF
    return reference[0] if good else b"&#xFFFD;"


def _alone() -> None:
    try:
        import resource
    except ImportError:  # not on every system; the parent's patience still holds
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    [content_type] = sys.argv[1:]
    sys.stdout.buffer.write(parsed(sys.stdin.buffer.read(), content_type))


if __name__ == "__main__":
    _alone()
