"""What the three dialects of Bluesky's live stream tell, as one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import libipld
import orjson
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from connectors.bluesky.glance import may_be_wanted
from connectors.bluesky.shapes import COLLECTION, MaybeMoment, Moment, Record, Shape, unknown_shape
from connectors.kit.contract import Sieve, Unread, everything
from connectors.kit.errors import ConnectorError, TryLater
from connectors.kit.text import moment

Dialect = Literal["jetstream", "firehose"]

OVERLAP = timedelta(seconds=5)  # Jetstream's clock is no order: so much is heard again
NEWER = "subscribeEvents"  # the last word of Jetstream's second interface
# A relay that has lost an account for a while says so in other words: that is no farewell.
LEFT = frozenset({"deleted", "deactivated", "takendown", "suspended"})
LONGEST_RAW = 64_000


class Mark(BaseModel, frozen=True):
    """How far a stream was heard: what a cursor says."""

    stream: Dialect
    at: AwareDatetime
    seq: int = 0

    @property
    def cursor(self) -> str:
        """The mark as text."""
        return self.model_dump_json(exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Written:
    """A post that was published or changed, and the name of this revision of it."""

    uri: str
    record: Record
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What one message told of one account."""

    mark: Mark
    did: str = ""
    written: tuple[Written, ...] = ()
    gone: tuple[str, ...] = ()
    left: bool = False  # the account is no longer there
    gap: bool = False  # something between this and what came before is missing
    unreadable: tuple[Unread, ...] = ()
    sifted: int = 0  # posts that nobody wants


class ForgotUs(ConnectorError):
    """The stream does not know our cursor, so it has to be heard from now on."""


def mark_of(cursor: str | None, stream: Dialect) -> Mark | None:
    """The mark that a cursor holds; None to begin now, also when it is of another stream."""
    try:
        mark = Mark.model_validate_json(cursor or "null")
    except ValidationError:
        return None
    return mark if mark.stream == stream else None


def address(stream: Dialect, base: str, mark: Mark | None) -> str:
    """Where the stream goes on after a mark."""
    base = base.rstrip("/")
    if stream == "firehose":
        after = urlencode({"cursor": mark.seq} if mark else {})
        return f"{base}/xrpc/com.atproto.sync.subscribeRepos?{after}"
    resumed = {"cursor": str(microseconds(mark.at - OVERLAP))} if mark else {}
    if urlsplit(base).path.endswith(NEWER):
        wanted = [("kinds", "commit"), ("kinds", "account"), ("collections", COLLECTION)]
        return f"{base}?{urlencode([*wanted, *resumed.items()])}"
    return f"{base}/subscribe?{urlencode({'wantedCollections': COLLECTION, **resumed})}"


def read(
    stream: Dialect, message: bytes | str, last: Mark | None, wanted: Sieve = everything
) -> Event | None:
    """What a message tells; None when it is nothing of ours. Posts not wanted are only counted."""
    try:
        if stream == "firehose":
            return _firehose(message, last, wanted)
        return _jetstream(message, last, wanted)
    except ValidationError as problem:
        why = unknown_shape(problem)
    except (ValueError, RecursionError):  # how orjson and libipld say that this is none of theirs
        why = "A message of the stream is not in its own language."
    raw = message if isinstance(message, str) else message.hex()
    if last is None:
        return None
    return Event(mark=last, unreadable=(Unread(why, raw[:LONGEST_RAW]),))


# Jetstream: JSON, one record an event. https://github.com/bluesky-social/jetstream


class _Commit(Shape):
    operation: str
    collection: str = ""
    rkey: str = ""
    rev: str = ""
    cid: str = ""
    record: object = None


class _Standing(Shape):
    active: bool = True
    status: str = ""


class _Frame(Shape):
    """An event of the first interface, or of the second, which is flat."""

    type: str = Field("", alias="$type")
    kind: str = ""
    did: str = ""
    time_us: int = 0
    time: MaybeMoment = None
    seq: int = 0
    commit: _Commit | None = None
    account: _Standing | None = None
    name: str = ""  # of a notice about the stream itself

    @property
    def what(self) -> str:
        """Which sort of event this is."""
        return self.kind or self.type.rpartition("#")[2]


def _jetstream(message: bytes | str, last: Mark | None, wanted: Sieve) -> Event | None:
    told = orjson.loads(message)
    if isinstance(told, dict) and isinstance(told.get("payload"), dict):
        told = told["payload"]
    frame = _Frame.model_validate(told)
    if frame.what == "info":
        return Event(mark=last, gap=True) if last else None
    at = moment(frame.time_us) if frame.time_us else frame.time
    if at is None:
        return None
    mark = Mark(stream="jetstream", at=at, seq=frame.seq)
    if frame.what == "account":
        left = _left(frame.account or _Standing.model_validate(told))
        return Event(mark=mark, did=frame.did, left=left)
    if frame.what == "commit":
        commit = frame.commit or _Commit.model_validate(told)
        if commit.collection == COLLECTION:
            return _operation(
                mark,
                frame.did,
                commit.operation,
                commit.rkey,
                commit.cid or commit.rev,
                commit.record,
                wanted,
            )
    return Event(mark=mark, did=frame.did)


# The firehose: two CBOR objects a message, the records in an archive of blocks.
# https://atproto.com/specs/event-stream and https://atproto.com/specs/sync


class _Head(Shape):
    op: int
    t: str = ""


class _Mistake(Shape):
    error: str = ""


class _Operation(Shape):
    action: str
    path: str
    cid: bytes | None = None


class _Body(Shape):
    seq: int
    time: Moment
    repo: str = ""  # of a commit
    did: str = ""  # of everything else
    ops: tuple[_Operation, ...] = ()
    blocks: bytes = b""
    active: bool = True
    status: str = ""


def _firehose(message: bytes | str, last: Mark | None, wanted: Sieve) -> Event | None:
    raw = message.encode() if isinstance(message, str) else message
    head_told, body_told = libipld.decode_dag_cbor_multi(raw)
    head = _Head.model_validate(head_told)
    if head.op == -1:
        _complain(_Mistake.model_validate(body_told).error)
    if head.t == "#info":
        return Event(mark=last, gap=True) if last else None
    if head.t not in {"#commit", "#account", "#identity", "#sync"}:
        return None
    body = _Body.model_validate(body_told)
    mark = Mark(stream="firehose", at=body.time, seq=body.seq)
    if head.t == "#account":
        left = _left(_Standing(active=body.active, status=body.status))
        return Event(mark=mark, did=body.did, left=left)
    operations = [one for one in body.ops if one.path.startswith(f"{COLLECTION}/")]
    if head.t != "#commit" or not operations:
        return Event(mark=mark, did=body.repo or body.did)
    return _commit(mark, body.repo, operations, body.blocks, wanted)


def _commit(
    mark: Mark, did: str, operations: list[_Operation], archive: bytes, wanted: Sieve
) -> Event:
    """The posts among the operations of one commit."""
    needed = any(one.cid for one in operations)  # a deletion tells all there is to tell
    blocks: Mapping[bytes, object] = libipld.decode_car(archive)[1] if needed else {}
    events = [
        _operation(
            mark,
            did,
            one.action,
            one.path.rpartition("/")[2],
            (one.cid or b"").hex(),
            blocks.get(one.cid or b""),
            wanted,
        )
        for one in operations
    ]
    return Event(
        mark=mark,
        did=did,
        written=tuple(post for event in events for post in event.written),
        gone=tuple(uri for event in events for uri in event.gone),
        unreadable=tuple(unread for event in events for unread in event.unreadable),
        sifted=sum(event.sifted for event in events),
    )


def _complain(error: str) -> None:
    """https://atproto.com/specs/event-stream says that an error ends the stream."""
    if error == "FutureCursor":
        raise ForgotUs("The stream does not know how far we heard it: it is heard from now on.")
    raise TryLater("The stream ended: we were too slow, or it has a fault.")


def _operation(
    mark: Mark, did: str, action: str, rkey: str, revision: str, told: object, wanted: Sieve
) -> Event:
    uri = f"at://{did}/{COLLECTION}/{rkey}"
    if action == "delete":
        return Event(mark=mark, did=did, gone=(uri,))
    if not may_be_wanted(told, wanted):
        return Event(mark=mark, did=did, sifted=1)
    try:
        record = Record.model_validate(told)
    except ValidationError as problem:
        unread = Unread(unknown_shape(problem), _as_text(told))
        return Event(mark=mark, did=did, unreadable=(unread,))
    return Event(mark=mark, did=did, written=(Written(uri, record, revision),))


def _left(standing: _Standing) -> bool:
    return not standing.active and standing.status in LEFT


def _as_text(told: object) -> str:
    def readable(value: Any) -> str:
        return value.hex() if isinstance(value, bytes) else str(value)

    return orjson.dumps(told, default=readable).decode()[:LONGEST_RAW]


def microseconds(at: datetime) -> int:
    """A time as Jetstream writes it."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond
