"""The file of a backup: lines of JSON, packed, that prove to be all there.

    {"listener_backup": 1, "revision": "0017", "made_at": "…", "made_by": "0.1.0", "lock": "…"}
    {"table": "brands", "columns": ["id", "name", …]}
    [1, "Acme", …]                                  one line a row
    {"end": "brands", "rows": 1, "last": 1}         `last`: the highest number ever given, if known
    …
    {"sha256": "…"}                                 of every byte before this line

The draft becomes the file only when it is whole and on the disk, for its owner alone.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

FORMAT = 1
QUICK = 3  # how hard gzip tries: words of people shrink to a third, and the disk is not waited for
LONGEST = 64 * 1024 * 1024  # bytes of one line


class BadBackup(Exception):
    """A backup cannot be written or used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup says about itself; `lock` is the mark of the key that seals its secrets."""

    revision: str
    made_at: str
    made_by: str
    lock: str


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> int:
        """Take some more."""


class Draft:
    """A backup that is being written: every line counts towards its proof."""

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._proof = hashlib.sha256()

    def line(self, value: Any) -> None:
        """One more line; times become text in UTC."""
        words = orjson.dumps(value, option=orjson.OPT_NAIVE_UTC | orjson.OPT_APPEND_NEWLINE)
        self._proof.update(words)
        self._file.write(words)

    def head(self, head: Head) -> None:
        """The first line."""
        self.line(
            {
                "listener_backup": FORMAT,
                "revision": head.revision,
                "made_at": head.made_at,
                "made_by": head.made_by,
                "lock": head.lock,
            }
        )

    def prove(self) -> None:
        """The last line."""
        self._file.write(orjson.dumps({"sha256": self._proof.hexdigest()}) + b"\n")


@contextmanager
def drafted(path: Path) -> Iterator[Draft]:
    """Write a backup: all of it or nothing, and never over another file."""
    if path.exists():
        raise BadBackup(f"{path} is there already and stays as it is: name another file.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as raw:
            with gzip.GzipFile("", "wb", QUICK, raw) as packed:
                draft = Draft(packed)
                yield draft
                draft.prove()
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(path)
    except OSError as error:
        raise BadBackup(
            f"{path} cannot be written ({error.strerror}). Make room, or name a file in a folder "
            "that you may write to."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def proven(path: Path) -> Head:
    """What a backup says about itself, once every byte of it has been looked at."""
    proof, previous, first = hashlib.sha256(), b"", b""
    for line in _lines(path):
        first = first or line
        proof.update(previous)
        previous = line
    head = _head(path, first)
    last = _json(path, previous)
    if not isinstance(last, dict) or last.get("sha256") != proof.hexdigest():
        raise _broken(path)
    return head


def lines(path: Path) -> Iterator[Any]:
    """The lines between the first and the last, of a backup that is proven."""
    found = _lines(path)
    next(found, None)
    for line in found:
        value = _json(path, line)
        if isinstance(value, dict) and "sha256" in value:
            return
        yield value


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(LONGEST):
                yield line
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise _broken(path) from None
    except OSError as error:
        raise BadBackup(f"{path} cannot be read ({error.strerror}).") from error


def _head(path: Path, line: bytes) -> Head:
    said = _json(path, line)
    if not isinstance(said, dict) or not isinstance(said.get("listener_backup"), int):
        raise _broken(path)
    if said["listener_backup"] != FORMAT:
        raise BadBackup(
            f"{path} was made by a newer Listener ({said.get('made_by')}): restore it with that "
            "version or a later one."
        )
    try:
        return Head(*(str(said[name]) for name in ("revision", "made_at", "made_by", "lock")))
    except KeyError:
        raise _broken(path) from None


def _json(path: Path, line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _broken(path) from None


def _broken(path: Path) -> BadBackup:
    return BadBackup(
        f"{path} is not a whole backup of Listener: it was cut off or changed. Nothing was "
        "restored; take another copy of it, or an older backup."
    )
