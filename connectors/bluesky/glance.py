"""What a stream's message says at a glance, so that posts nobody wants cost next to nothing."""

from collections.abc import Iterator

import orjson

from connectors.bluesky.shapes import APP, COLLECTION
from connectors.kit.contract import Sieve
from connectors.kit.text import absolute, clean

WRITES = frozenset({"create", "update"})
EARLIEST = 10**14  # from here on a number of microseconds is read as such


def unwanted(message: bytes | str, wanted: Sieve) -> int:
    """When a post that nobody wants was streamed, in microseconds since 1970.

    Nothing (0) for everything else, also for what is in any way unusual: that is to be read
    whole. Building a post of a message takes twenty times as long.
    """
    try:
        told = orjson.loads(message)
        commit = told["commit"]
        at, record = told["time_us"], commit["record"]
        usual = (
            told["kind"] == "commit"
            and commit["collection"] == COLLECTION
            and commit["operation"] in WRITES
            and type(at) is int
            and at >= EARLIEST
            and "payload" not in told
        )
    except (ValueError, RecursionError, LookupError, TypeError):
        return 0
    return at if usual and not may_be_wanted(record, wanted) else 0


def may_be_wanted(record: object, wanted: Sieve) -> bool:
    """Whether a record, as it was decoded, has to be read as a post.

    So it is where nobody can tell: what is no post becomes a dead letter.
    """
    if not isinstance(record, dict):
        return True
    text = record.get("text")
    return not isinstance(text, str) or wanted(clean(text), _links(record))


def _links(record: dict[str, object]) -> Iterator[str]:
    """Every address among facets and embeds, wherever it stands: more than a post would link to."""
    left: list[object] = [record.get("facets"), record.get("embed")]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            left += (value for name, value in part.items() if name != "uri")
            uri = part.get("uri")
            if isinstance(uri, bytes):  # nothing forbids it in CBOR
                uri = uri.decode(errors="replace")
            if isinstance(uri, str):
                yield APP if uri.startswith("at://") else absolute(uri) or ""
