"""Tables for spreadsheets: whatever people wrote, no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
from defusedcsv.csv import writer

MARKS: Final = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
# Spreadsheets look past these for the first character that counts.
PASSED_OVER: Final = " \t\r\n\v\f\0\"'`\u00a0\ufeff\u200b\u200c\u200d\u2060"


def line(cells: Sequence[Any]) -> str:
    """One line of a table: times in UTC, lists as JSON, nothing as an empty cell."""
    return lines([cells])


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """Several lines of a table."""
    file = io.StringIO()
    writer(file, quoting=csv.QUOTE_MINIMAL).writerows([cell(one) for one in row] for row in rows)
    return file.getvalue()


def cell(value: Any) -> Any:
    """A cell that a spreadsheet shows as it stands, and never reckons out."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | tuple):
        value = orjson.dumps(value).decode()
    if not isinstance(value, str):
        return value
    first = value.lstrip(PASSED_OVER)[:1]
    harmful = value[:1] in ("\t", "\r", "\n") or (first in MARKS and value[:1] not in MARKS)
    return "'" + value if harmful or value[:1] in MARKS[6:] else value
