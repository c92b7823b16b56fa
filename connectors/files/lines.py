"""Reads a file line by line from any place in it, in memory that does not grow with the file."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from connectors.files.charset import Charset

CHUNK = 256 * 1024
LONGEST = 1_000_000  # bytes of a line, and of a row of several lines, that are worth reading


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its end, or as much of it as is worth reading, and where the next begins."""

    raw: bytes
    end: int
    ended: bool  # by a line end, not by the file's
    long: bool = False


class Lines:
    """The lines of an open file. Line ends are found as bytes, in step with wide characters."""

    def __init__(self, file: BinaryIO, charset: Charset, offset: int) -> None:
        self._file = file
        self._charset = charset
        self._begin(offset)

    def rewind(self, offset: int) -> None:
        """Go on from another place, mostly one that is still held."""
        if self._base <= offset <= self._base + len(self._held):
            self._at = offset - self._base
        else:
            self._begin(offset)

    def next(self) -> Line | None:
        """The next line; None at the end of the file."""
        searched = self._at
        while (end := self._newline(searched)) is None:
            if len(self._held) - self._at > LONGEST:
                return self._long()
            self._let_go(self._at)
            # A wide line end may stand half in what is held and half in what comes.
            searched = max(0, len(self._held) - len(self._charset.newline) + 1)
            if not self._hold_more():
                return self._given(len(self._held), ended=False) if self._held else None
        return self._given(end, ended=True)

    def next_is_end(self, end: int) -> bool:
        """Whether nothing stands behind the byte `end`."""
        at = self._file.tell()
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(at)
        return size <= end

    def _begin(self, offset: int) -> None:
        self._file.seek(offset)
        self._held = bytearray()
        self._base = offset  # where in the file what is held begins
        self._at = 0  # what of it was given out

    def _hold_more(self) -> bool:
        chunk = self._file.read(CHUNK)
        self._held += chunk
        return bool(chunk)

    def _let_go(self, count: int) -> None:
        del self._held[:count]
        self._base += count
        self._at -= count

    def _newline(self, searched: int) -> int | None:
        """Where the next line end ends."""
        token, width = self._charset.newline, self._charset.width
        found = self._held.find(token, searched)
        while found >= 0 and (found - self._at) % width:
            found = self._held.find(token, found + 1)
        return found + len(token) if found >= 0 else None

    def _given(self, end: int, *, ended: bool, raw: bytes | None = None) -> Line:
        raw, long = (bytes(self._held[self._at : end]), False) if raw is None else (raw, True)
        self._at = end
        return Line(raw, self._base + end, ended, long)

    def _long(self) -> Line:
        """The beginning of a line that is too long, the rest left unread."""
        raw = bytes(self._held[self._at : self._at + LONGEST])
        while True:
            whole = (len(self._held) - self._at) // self._charset.width * self._charset.width
            self._at += whole
            self._let_go(self._at)
            if not self._hold_more():
                return self._given(len(self._held), ended=False, raw=raw)
            if (end := self._newline(0)) is not None:
                return self._given(end, ended=True, raw=raw)
