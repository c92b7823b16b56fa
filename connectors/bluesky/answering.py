"""What it takes to answer: a key of our own for each reply, a length in graphemes, live links."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b

import regex  # type: ignore[import-untyped]

from connectors.bluesky.lists import stamp
from connectors.bluesky.shapes import COLLECTION, Reference, View
from connectors.kit.contract import Post
from connectors.kit.errors import ConnectorError

# https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json
GRAPHEMES = 300
BYTES = 3000

# https://atproto.com/specs/tid: 53 bits of microseconds and 10 of a clock, five bits a letter.
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
HOUR = 3_600_000_000  # microseconds

LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}]")
TAG = re.compile(r"(?<![\w/#])#(?!\d+\b)(\w{1,64})")
MENTION = re.compile(
    r"(?<![\w/@.])@([a-zA-Z0-9](?:[a-zA-Z0-9-]*\.)+[a-zA-Z][a-zA-Z0-9-]*[a-zA-Z0-9])"
)


def record_key_of(post: Post, key: str) -> str:
    """The record key of our reply: the same for every attempt, and no other reply's.

    It counts as a time soon after the post, since keys are to grow with time.
    """
    number = int.from_bytes(blake2b(f"{post.id}\0{key}".encode(), digest_size=8).digest(), "big")
    later, clock = divmod(number, 1024)
    at = max(int(post.published.timestamp()), 0) * 1_000_000 + later % HOUR
    left = (at % 2**53) << 10 | clock
    letters = ""
    for _ in range(13):
        left, place = divmod(left, 32)
        letters = LETTERS[place] + letters
    return letters


def length(text: str) -> int:
    """How long people see a text: a family of emoji is one, and so is a letter with its accents."""
    return len(regex.findall(r"\X", text))


def fitting(text: str) -> str:
    """The text as it is sent; ConnectorError when Bluesky would not take it."""
    text = text.strip()
    if not text:
        raise ConnectorError("The reply is empty.")
    if (signs := length(text)) > GRAPHEMES:
        raise ConnectorError(
            f"The reply is {signs} characters long, and Bluesky takes {GRAPHEMES}. Shorten it."
        )
    if (size := len(text.encode())) > BYTES:
        raise ConnectorError(
            f"The reply is {size} bytes long, and Bluesky takes {BYTES}: use fewer emoji."
        )
    return text


def names(text: str) -> list[str]:
    """The handles that a text mentions."""
    return [found[1].lower() for found in MENTION.finditer(text)]


def reply_to(parent: View, text: str, *, accounts: Mapping[str, str]) -> dict[str, object]:
    """The record of our reply; `accounts` holds the DID of each handle it mentions."""
    above = Reference(uri=parent.uri, cid=parent.cid)
    root = parent.record.reply.root if parent.record.reply else above
    record: dict[str, object] = {
        "$type": COLLECTION,
        "text": text,
        "createdAt": stamp(datetime.now(UTC)),
        "reply": {"root": root.model_dump(), "parent": above.model_dump()},
    }
    if parent.record.langs:
        record["langs"] = list(parent.record.langs[:1])
    if facets := list(_facets(text, accounts)):
        record["facets"] = facets
    return record


def _facets(text: str, accounts: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """What makes links, hashtags and names live; without it they are mere text."""
    for found in LINK.finditer(text):
        yield _facet(text, found, "link", uri=found[0])
    for found in TAG.finditer(text):
        yield _facet(text, found, "tag", tag=found[1])
    for found in MENTION.finditer(text):
        if did := accounts.get(found[1].lower()):
            yield _facet(text, found, "mention", did=did)


def _facet(text: str, found: re.Match[str], sort: str, **feature: str) -> dict[str, object]:
    """A stretch of text is counted in bytes of UTF-8, not in characters."""
    start = len(text[: found.start()].encode())
    return {
        "index": {"byteStart": start, "byteEnd": start + len(found[0].encode())},
        "features": [{"$type": f"app.bsky.richtext.facet#{sort}", **feature}],
    }
