"""Reads rows one by one, each with the byte behind it, so that reading can go on from there."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson
from pydantic import JsonValue

from connectors.files.layout import Layout
from connectors.files.layout import cells as table_rows
from connectors.files.lines import CHUNK, LONGEST, Line, Lines
from connectors.kit.errors import Unreadable

# What ends, opens and closes in JSON; a string counts whole, a half one as a lone quote.
TOKENS = re.compile(rb'"(?:[^"\\]+|\\.)*+"|["{}\[\]]', re.DOTALL)
BETWEEN = re.compile(rb"[\s,]*")


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its cells, or the JSON object that it is, or what is wrong with it."""

    number: int
    end: int
    cells: list[str] = field(default_factory=list, repr=False)
    said: JsonValue = field(default=None, repr=False)
    problem: str = ""
    raw: bytes = field(default=b"", repr=False)


def rows(file: BinaryIO, how: Layout, offset: int, row: int, *, settled: bool) -> Iterator[Row]:
    """The rows from a place on. `settled` says that nobody is writing the last one."""
    match how.form:
        case "csv":
            return _Table(file, how, offset, row, settled=settled).rows()
        case "jsonl":
            return _json_lines(Lines(file, how.charset, offset), how, row, settled=settled)
        case "array":
            return _elements(file, how, offset, row)


class _Table:
    """Rows of cells, which may hold line ends between quotes.

    The standard reader takes as many lines as a row needs, so the end of a row is the end of
    the last line it took. A quote in the wrong place would take lines that are not the row's: such
    a row is its first line alone, if that makes sense, and reading goes on with the line after.
    """

    def __init__(
        self, file: BinaryIO, how: Layout, offset: int, row: int, *, settled: bool
    ) -> None:
        self._lines = Lines(file, how.charset, offset)
        self._how = how
        self._row = row
        self._settled = settled
        self._taken: list[Line] = []  # the lines of the row that is being read

    def rows(self) -> Iterator[Row]:
        """Every row that is whole."""
        reader = self._reader()
        while True:
            self._taken = []
            cells, problem = self._next(reader)
            if not self._taken:
                return
            last = self._taken[-1]
            open_end = bool(problem) and self._lines.next_is_end(last.end)
            if not self._settled and (open_end or not last.ended):
                return  # somebody is still writing it
            problem = problem or self._too_many(cells)
            if problem:
                last, self._taken = self._taken[0], self._taken[:1]
                cells, problem = self._alone(last, problem)
                self._lines.rewind(last.end)
                reader = self._reader()
            self._row += 1
            if cells or problem:
                raw = b"".join(line.raw for line in self._taken)
                yield Row(self._row, last.end, cells, problem=problem, raw=raw)

    def _next(self, reader: Iterator[list[str]]) -> tuple[list[str], str]:
        """The cells of the next row, and what is wrong with it."""
        try:
            cells = next(reader, [])
        except csv.Error:
            return [], "it has a quote in the wrong place, or one that is never closed"
        too_long = any(line.long for line in self._taken)
        return cells, "it is longer than a row can be" if too_long else ""

    def _alone(self, line: Line, problem: str) -> tuple[list[str], str]:
        """One line as a row, read leniently, if that explains it; else what is wrong with it."""
        if line.long:
            return [], "it is longer than a row can be"
        text = self._text(line)
        quotes = text.replace('\\"', "") if self._how.escaped else text
        try:
            [cells] = table_rows([text], self._how.delimiter, escaped=self._how.escaped)
        except (csv.Error, ValueError):
            return [], problem
        if quotes.count('"') % 2 or len(cells) != len(self._how.columns):
            return [], problem
        return cells, ""

    def _reader(self) -> Iterator[list[str]]:
        return table_rows(self._fed(), self._how.delimiter, escaped=self._how.escaped, strict=True)

    def _fed(self) -> Iterator[str]:
        size = 0
        while line := self._lines.next():
            size = size + len(line.raw) if self._taken else len(line.raw)
            self._taken.append(line)
            if line.long or size > LONGEST:
                return  # which a strict reader takes for an error, but not at a row's beginning
            yield self._text(line)

    def _text(self, line: Line) -> str:
        return self._how.charset.text(line.raw).replace("\0", "")

    def _too_many(self, cells: list[str]) -> str:
        wide = len(self._how.columns)
        if any(cell.strip() for cell in cells[wide:]):
            return f"it has {len(cells)} cells, and there are {wide} columns"
        return ""


def _json_lines(lines: Lines, how: Layout, row: int, *, settled: bool) -> Iterator[Row]:
    while line := lines.next():
        text = how.charset.text(line.raw)
        said: JsonValue = None
        problem = "it is longer than a row can be" if line.long else ""
        if not problem and text.strip():
            try:
                said = orjson.loads(text)
                problem = "" if isinstance(said, dict) else "it is no JSON object"
            except orjson.JSONDecodeError:
                problem = "it is no JSON"
        if problem and not (line.ended or settled):
            return  # somebody is still writing it
        row += 1
        if said is not None or problem:
            yield Row(row, line.end, said=said, problem=problem, raw=line.raw)


def _elements(file: BinaryIO, how: Layout, offset: int, row: int) -> Iterator[Row]:
    """The objects of one large array, found by their braces."""
    file.seek(offset)
    held = bytearray()
    while True:
        at = _next_start(held)
        end = _closed(held, at)
        while end is None and len(held) <= LONGEST:
            chunk = file.read(CHUNK)
            if not chunk:
                return  # the array's end, or somebody is still writing it
            held += chunk
            at = _next_start(held)
            end = _closed(held, at)
        if end is None:
            raise Unreadable(f"Element {row + 1} of the file is longer than a row can be.")
        if end == at:
            return  # the closing bracket
        raw = bytes(held[at:end])
        del held[:end]
        offset += end
        row += 1
        try:
            said = orjson.loads(how.charset.text(raw))
        except orjson.JSONDecodeError:
            yield Row(row, offset, problem="it is no JSON", raw=raw)
        else:
            yield Row(row, offset, said=said, raw=raw)


def _next_start(held: bytearray) -> int:
    found = BETWEEN.match(held)
    return found.end() if found else 0


def _closed(held: bytearray, at: int) -> int | None:
    """Where the object at `at` ends; `at` itself at the array's end; None when it goes on."""
    if at >= len(held):
        return None
    if held[at : at + 1] == b"]":
        return at
    if held[at : at + 1] != b"{":
        raise Unreadable("The file's array holds something else than objects.")
    depth = 0
    for token in TOKENS.finditer(held, at):
        if token[0] == b'"':
            return None
        if token[0] in b"{[":
            depth += 1
        elif token[0] in b"}]":
            depth -= 1
            if not depth:
                return token.end()
    return None
