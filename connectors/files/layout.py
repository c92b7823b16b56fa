"""Tells from the beginning of a file how it is laid out: table, lines of JSON, or an array."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from json import JSONDecodeError, JSONDecoder
from typing import Literal

import orjson

from connectors.files.charset import Charset, charset
from connectors.files.lines import Lines
from connectors.kit.errors import Unreadable
from connectors.kit.text import clean

Form = Literal["csv", "jsonl", "array"]

DELIMITERS = (",", ";", "\t", "|")
ONE_COLUMN = "\x1f"  # stands in no text
SAMPLE = 50  # rows that are looked at
SEPARATOR = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # what Excel writes for itself
# An archive of X keeps its JSON in a script: window.YTD.tweets.part0 = [ …
SCRIPT = re.compile(r"\s*(?:window\.[\w.]+\s*=\s*)?\[")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read. A table has columns; in JSON they are pointers."""

    form: Form
    charset: Charset
    body: int  # the byte at which rows begin
    row: int  # the number of the row before the first
    delimiter: str = ","
    escaped: bool = False  # quotes within quotes are \" instead of ""
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


def layout(
    head: bytes, *, form: Form | None, told: str | None, delimiter: str | None, header: bool
) -> Layout:
    """The layout of a file that begins so. Options of the owner come before what it looks like."""
    letters = charset(head, told)
    text = letters.beginning(head[letters.mark :])
    form = form or _form(text)
    if form == "array":
        begun = SCRIPT.match(text)
        if begun is None or letters.width > 1:
            raise Unreadable("The file is no array of JSON in UTF-8.")
        body = letters.mark + len(begun[0].encode(letters.name))
        return Layout(
            form, letters, body, 0, columns=_pointers(_first_objects(text[begun.end() :]))
        )
    if form == "jsonl":
        return Layout(form, letters, letters.mark, 0, columns=_pointers(_objects(text)))
    return _table(head, text, letters, delimiter, header=header)


def cells(
    lines: Iterable[str], delimiter: str, *, escaped: bool, strict: bool = False
) -> Iterator[list[str]]:
    """The rows of a table; a `strict` reader raises csv.Error at a quote in the wrong place."""
    return csv.reader(
        lines,
        delimiter=delimiter,
        doublequote=not escaped,
        escapechar="\\" if escaped else None,
        strict=strict,
    )


def _form(text: str) -> Form:
    begun = text.lstrip()
    if begun.startswith("{"):
        return "jsonl"
    script = SCRIPT.match(text)
    if script and text[script.end() :].lstrip()[:1] in {"{", "]"}:
        return "array"
    return "csv"


def _table(
    head: bytes, text: str, letters: Charset, delimiter: str | None, *, header: bool
) -> Layout:
    said = SEPARATOR.match(text)
    skipped = said[0] if said else ""
    text = text[len(skipped) :]
    escaped = '\\"' in text and '""' not in text
    delimiter = delimiter or (said[1] if said else _delimiter(text, escaped=escaped))
    rows = tuple(map(tuple, _rows(text, delimiter, escaped=escaped)))
    first, *others = rows or ((),)
    begin, row = letters.mark + len(skipped.encode(letters.name)), 1 if said else 0
    if not header:
        numbers = tuple(str(number) for number in range(1, len(first) + 1))
        return Layout("csv", letters, begin, row, delimiter, escaped, numbers, rows)
    body = _after_first(head, letters, begin, delimiter, escaped=escaped)
    names = tuple(" ".join(clean(name).split()) for name in first)
    return Layout("csv", letters, body, row + 1, delimiter, escaped, names, tuple(others))


def _delimiter(text: str, *, escaped: bool) -> str:
    """What splits the rows most often into as many cells as there are columns, and the most."""

    def evenness(delimiter: str) -> tuple[int, int]:
        rows = _rows(text, delimiter, escaped=escaped)
        wide = len(rows[0]) if rows else 0
        even = sum(len(row) == wide for row in rows)
        # A share in tenths, so that one odd row does not outweigh columns.
        return (even * 10 // len(rows), wide) if wide > 1 else (0, 0)

    best = max(DELIMITERS, key=evenness)
    return best if evenness(best) > (0, 0) else ONE_COLUMN


def _rows(text: str, delimiter: str, *, escaped: bool) -> list[list[str]]:
    """The first rows, but not the last: it may be cut."""
    found: list[list[str]] = []
    try:
        for row in cells(StringIO(text, newline=""), delimiter, escaped=escaped):
            if row:
                found.append(row)
            if len(found) > SAMPLE:
                break
    except csv.Error:
        pass
    return found[:-1] if len(found) > SAMPLE else found


def _after_first(
    head: bytes, letters: Charset, begin: int, delimiter: str, *, escaped: bool
) -> int:
    """The byte behind the row of column names."""
    lines, end = Lines(BytesIO(head), letters, begin), begin

    def fed() -> Iterator[str]:
        nonlocal end
        while line := lines.next():
            end = line.end
            yield letters.text(line.raw)

    reader = cells(fed(), delimiter, escaped=escaped)
    try:
        while next(reader, None) == []:
            pass
    except csv.Error:
        raise Unreadable("The file's first row is not one of names of columns.") from None
    return end


# JSON: columns are the pointers to what stands in the first objects.


def _objects(text: str) -> list[object]:
    found: list[object] = []
    lines = [line for line in text.split("\n")[: SAMPLE + 1] if line.strip()]
    for line in lines:
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict):
            found.append(said)
    if len(lines) > 2 and not found:
        raise Unreadable(
            "The file holds JSON, but not one object a line. Write it so, or as an array."
        )
    return found


def _first_objects(text: str) -> list[object]:
    decoder, found, at = JSONDecoder(strict=False), list[object](), 0
    while len(found) < SAMPLE:
        while text[at : at + 1] in {" ", "\n", "\r", "\t", ","}:
            at += 1
        try:
            one, at = decoder.raw_decode(text, at)
        except JSONDecodeError:
            break
        found.append(one)
    return found


def _pointers(objects: list[object]) -> tuple[str, ...]:
    found: dict[str, None] = {}

    def within(told: object, above: str) -> None:
        if isinstance(told, dict) and above.count("/") < 3:
            for name, inner in told.items():
                within(inner, f"{above}/{str(name).replace('~', '~0').replace('/', '~1')}")
        elif above and not isinstance(told, list):
            found[above] = None

    for one in objects:
        within(one, "")
    return tuple(found)
