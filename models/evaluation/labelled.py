"""Reads labelled posts from a file of JSON lines or of comma-separated values."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any, Final

import orjson

from models.verdict import Question

YES: Final = frozenset({"complaint", "yes", "true", "1", "y"})
NO: Final = frozenset({"no complaint", "not a complaint", "none", "fine", "no", "false", "0", "n"})
SHOWN: Final = 10  # faults that are told one by one
LONGEST: Final = 100_000  # characters of a field; a post is far shorter
MOST_STARS: Final = 5
COLUMNS: Final = "text, brand and label, and if you like place, language, stars, kind and answers"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A post, and whether a careful reader calls it a complaint about the brand."""

    question: Question
    complaint: bool
    row: int  # in its file, the first one is 1
    columns: Mapping[str, str] = field(default_factory=dict)  # all, to slice by


class BadRows(Exception):
    """A file of labelled posts cannot be used; the message says which rows, and why.

    It never repeats what stands in a row, for that may be a post.
    """


def read(path: Path) -> list[Labelled]:
    """Read every row of a file; BadRows when it, or one of its rows, cannot be used."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as problem:
        raise BadRows(f"{path} cannot be read ({problem.strerror}).") from None
    except UnicodeDecodeError:
        raise BadRows(f"{path} is not written in UTF-8. Save it as UTF-8 and try again.") from None
    rows = list(_lines(text) if text.lstrip()[:1] == "{" else _table(text, path))
    found, faults = [], []
    for number, row in rows:
        try:
            found.append(row if isinstance(row, Labelled) else labelled(row, number))
        except ValueError as fault:
            faults.append(f"Row {number}: {fault}.")
    if faults:
        more = [f"And {len(faults) - SHOWN:,} more."] if len(faults) > SHOWN else []
        raise BadRows(
            "\n".join(
                (
                    f"{len(faults):,} of {len(rows):,} rows of {path} cannot be used:",
                    *faults[:SHOWN],
                    *more,
                )
            )
        )
    if not found:
        raise BadRows(f"{path} has no rows. It needs the columns {COLUMNS}.")
    return found


def labelled(row: Mapping[str, Any] | str, number: int) -> Labelled:
    """One row as a labelled post; ValueError says what is wrong with it."""
    if isinstance(row, str):  # what is wrong was seen while it was read
        raise ValueError(row)  # noqa: TRY004  (one kind of error for whatever is wrong with a row)
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("it has no text")
    return Labelled(
        Question(
            text=text,
            brand=_word(row, "brand"),
            stars=_stars(row.get("stars")),
            kind=_word(row, "kind") or "post",
            language=_word(row, "language") or None,
            connector=_word(row, "place"),
            answers=_word(row, "answers") or _word(row, "thread") or None,
        ),
        _label(row),
        number,
        {
            name: str(value)
            for name, value in row.items()
            if name != "text" and isinstance(value, str | int | float) and value != ""
        },
    )


def _label(row: Mapping[str, Any]) -> bool:
    told = row.get("label")
    if told is None or told == "":
        told = row.get("complaint")
    if told is None or told == "":
        raise ValueError("it has no label; write complaint or fine")
    word = str(told).strip().casefold()
    if word in YES | NO:
        return word in YES
    raise ValueError("its label is not understood; write complaint or fine")


def _stars(told: Any) -> float | None:
    if told is None or told == "":
        return None
    try:
        stars = float(told) if not isinstance(told, bool) else float("nan")
    except (TypeError, ValueError):
        stars = float("nan")
    if not isfinite(stars) or not 0 < stars <= MOST_STARS:
        raise ValueError("its stars are no number from 1 to 5")
    return stars


def _word(row: Mapping[str, Any], name: str) -> str:
    told = row.get(name)
    if told is None:
        return ""
    if not isinstance(told, str):
        raise ValueError(f"its {name} is no text")  # noqa: TRY004  (see above)
    return told.strip()


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield number, "it is not JSON"
            continue
        yield number, row if isinstance(row, dict) else "it is no JSON object"


def _table(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    head = text.partition("\n")[0]
    comma = max(",;\t", key=head.count)
    csv.field_size_limit(LONGEST)
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=comma, strict=True)
    try:
        names = [name.strip().casefold() for name in reader.fieldnames or ()]
        _wanted(names, path)
        reader.fieldnames = names
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, "it has more or fewer columns than the first row"
            else:
                yield reader.line_num, row
    except csv.Error:
        yield reader.line_num, "its quotation marks do not match, or it is far too long"


def _wanted(names: Sequence[str], path: Path) -> None:
    lacking = [name for name in ("text", "brand") if name not in names]
    if not {"label", "complaint"} & set(names):
        lacking.append("label")
    if lacking:
        raise BadRows(
            f"{path} is neither JSON lines nor a table with the columns {COLUMNS}: its first row "
            f"does not name {' and '.join(lacking)}."
        )
