"""Tables for spreadsheets hold no formula, whatever stands before it."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain import table

HARMFUL = ("=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "|calc", "%0A")


@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\r", "\n", '"', "'", "\ufeff", "\u200b", '" \t']
)
@pytest.mark.parametrize("formula", HARMFUL)
def test_no_cell_is_reckoned_out(before: str, formula: str) -> None:
    [[cell, beside]] = csv.reader(io.StringIO(table.line([before + formula, "fine"])))

    assert cell.startswith("'")
    assert beside == "fine"


@pytest.mark.parametrize("value", ["-3", "-1,234.5", "fine = good", "a+b", "", "„=“"])
def test_what_is_no_formula_stays_as_it_is(value: str) -> None:
    [[cell, _]] = csv.reader(io.StringIO(table.line([value, ""])))

    assert cell == value


def test_numbers_times_and_lists_are_readable() -> None:
    at = datetime(2026, 11, 2, 12, tzinfo=UTC)

    said = table.line([-3, 0.5, True, None, at, ["late", "-x"], {"reply": 1}])

    assert said == (
        '-3,0.5,True,,2026-11-02T12:00:00+00:00,"[""late"",""-x""]","{""reply"":1}"\r\n'
    )


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_people_write_is_one_line_and_no_formula(cells: list[str]) -> None:
    [row] = csv.reader(io.StringIO(table.line(["x", *cells]), newline=""))

    assert len(row) == len(cells) + 1
    for cell in row:
        first = cell.lstrip(table.PASSED_OVER)[:1]
        digits = cell.lstrip("-").replace(",", "").replace(".", "").isdigit()
        assert (
            first not in table.MARKS
            or cell.startswith("'")
            or digits
            or cell.strip("-,.0123456789") == ""
        )
