"""What is remembered of a feed from one poll to the next: its validators and its pieces."""

from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b, sha256
from itertools import chain
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AwareDatetime, BaseModel, ValidationError

from connectors.feeds import google
from connectors.feeds.reading import Feed, Piece
from connectors.kit.contract import Answer, Span, Unread

LEAST_REMEMBERED = 500
NEWEST = 3
LONGEST_ID = 300

_TRACKING = ("utm_", "mc_", "pk_", "mtm_")
_TRACKERS = {"fbclid", "gclid", "dclid", "msclkid", "yclid", "igshid", "ref_src", "cmpid", "ocid"}
_ABSOLUTE = ("http://", "https://", "tag:", "urn:")


class Trace(NamedTuple):
    """One piece as it was last listed."""

    id: str
    words: str  # a fingerprint of title and text
    keys: tuple[str, ...]  # what it is recognised by when its guid has changed


class Memory(BaseModel, frozen=True):
    """The cursor of a feed."""

    etag: str | None = None
    modified: str | None = None
    digest: str | None = None  # of the bytes, for servers without validators
    read: AwareDatetime | None = None  # when it was last read
    newest: tuple[str, ...] = ()  # the newest ids it listed then
    traces: tuple[Trace, ...] = ()
    unread: tuple[str, ...] = ()  # fingerprints of what could not be read, said once

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """What a cursor remembers; one that is not ours remembers nothing."""
        try:
            return cls.model_validate_json(cursor or "{}")
        except ValidationError:
            return cls()

    def cursor(self) -> str:
        """This memory as a cursor."""
        return self.model_dump_json(exclude_none=True)

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the feed only if it has changed."""
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in told.items() if value and self.read}

    def unchanged(self, answer: Answer) -> bool:
        """Whether the answer is what was read last."""
        if self.read is None:
            return False
        return answer.status == 304 or digest(answer.body) == self.digest

    def since(self, now: datetime) -> Span | None:
        """From the last read until now."""
        return Span(self.read, now) if self.read and self.read <= now else None

    def changed(self, traces: Iterable[Trace]) -> set[str]:
        """The ids of those that are new, or say something else than last time."""
        before = {trace.id: trace.words for trace in self.traces}
        return {trace.id for trace in traces if before.get(trace.id) != trace.words}

    def news(self, unread: Iterable[Unread]) -> list[Unread]:
        """What could not be read, without what has been told before."""
        return [one for one in unread if _hash(one.raw) not in self.unread]

    def after(self, answer: Answer, now: datetime, feed: Feed, traces: Sequence[Trace]) -> "Memory":
        """What is to be remembered once this answer has been kept."""
        listed = {trace.id for trace in traces}
        most = max(LEAST_REMEMBERED, 3 * len(traces))
        older = (trace for trace in self.traces if trace.id not in listed)
        return Memory(
            etag=answer.headers.get("etag"),
            modified=answer.headers.get("last-modified"),
            digest=digest(answer.body),
            read=now,
            newest=_newest(feed.pieces, traces),
            traces=tuple(chain(traces, older))[:most],
            unread=tuple(_hash(one.raw) for one in feed.unread)[:LEAST_REMEMBERED],
        )


def traced(pieces: Sequence[Piece], feed: str, memory: Memory) -> list[Trace]:
    """An id for each piece that stays the same however the feed is built next time.

    A guid that several pieces share is none. A piece with an unknown id is recognised as
    one that is remembered by two of its link, its title and its time, unless that one is
    still listed too.
    """
    guids = Counter(piece.guid for piece in pieces)
    links = Counter(canonical(piece.link) for piece in pieces)
    ids = [_id(piece, feed, guids, links) for piece in pieces]
    keys = [_keys(piece) for piece in pieces]
    once = Counter(chain.from_iterable(keys))
    known = {trace.id for trace in memory.traces}
    by_key = {key: trace.id for trace in reversed(memory.traces) for key in trace.keys}
    taken = set(ids)
    traces = []
    for piece, own, marks in zip(pieces, ids, keys, strict=True):
        names = (by_key[mark] for mark in marks if once[mark] == 1 and mark in by_key)
        before = next((name for name in names if name not in taken), own)
        chosen = own if own in known else before
        taken.add(chosen)
        traces.append(Trace(chosen, _hash(piece.title, piece.text.text), marks))
    return traces


def guid_id(guid: str, feed: str) -> str:
    """The id of a guid: as it is where it is unique in the world, else under the feed's host."""
    guid = guid.strip()
    whole = guid if guid.lower().startswith(_ABSOLUTE) else f"{_host(feed)}/{guid}"
    return whole if len(whole) <= LONGEST_ID else _long(whole)


def canonical(link: str) -> str:
    """The same address for the same page: no tracking, no default port, always https."""
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    except ValueError:
        return link
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _TRACKERS and not name.lower().startswith(_TRACKING)
    ]
    host = (parts.hostname or "").removeprefix("www.")
    path = parts.path.rstrip("/")
    return urlunsplit(("https", host + port, path, urlencode(query), parts.fragment))


def digest(body: bytes) -> str:
    """A fingerprint of an answer."""
    return urlsafe_b64encode(blake2b(body, digest_size=12).digest()).decode()


def _newest(pieces: Sequence[Piece], traces: Sequence[Trace]) -> tuple[str, ...]:
    """The ids of the newest by their time; where none has a time, those listed first."""
    dated = [(piece.published, trace.id) for piece, trace in zip(pieces, traces, strict=True)]
    dated.sort(key=lambda one: one[0].timestamp() if one[0] else 0.0, reverse=True)
    return tuple(id_ for _, id_ in dated[:NEWEST])


def _id(piece: Piece, feed: str, guids: Mapping[str, int], links: Mapping[str, int]) -> str:
    if google.is_news(piece.link) and piece.paper:
        return _long(f"news.google.com\n{piece.title}\n{piece.paper}")
    if piece.guid and guids[piece.guid] == 1:
        return guid_id(piece.guid, feed)
    link = canonical(piece.link)
    if link and links[link] == 1:
        return link if len(link) <= LONGEST_ID else _long(link)
    told = piece.published.isoformat() if piece.published else ""
    return _long("\n".join((feed, piece.title or piece.text.text, told)))


def _keys(piece: Piece) -> tuple[str, ...]:
    title = " ".join(piece.title.casefold().split())
    link = canonical(piece.link)
    time = piece.published.isoformat() if piece.published else ""
    pairs = (("lt", link, title), ("lp", link, time), ("tp", title, time))
    return tuple(_hash(*pair) for pair in pairs if pair[1] and pair[2])


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _hash(*words: str) -> str:
    told = "\n".join(words).encode("utf-8", "replace")
    return urlsafe_b64encode(blake2b(told, digest_size=6).digest()).decode()


def _long(words: str) -> str:
    return sha256(words.encode("utf-8", "replace")).hexdigest()
