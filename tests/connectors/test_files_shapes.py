"""Files are read in whatever characters, marks and shapes programs write them."""

import csv
import io
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files import Files
from connectors.files.charset import Charset, charset
from connectors.files.layout import layout
from connectors.files.lines import LONGEST, Lines
from connectors.files.rows import rows
from connectors.kit.errors import Unreadable
from tests.connectors.imports import NO_WEB, Kept, only, read, read_all, written

TABLE = "Comment,Stars\nStürzt ab – „kalt“,1\n"


# Characters.


@pytest.mark.parametrize(
    "name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
async def test_every_usual_character_set_is_recognised(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.csv", TABLE, charset=name)

    assert (await only(path)).text == "Stürzt ab – „kalt“"


async def test_a_character_set_that_its_owner_names_is_believed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment\nЗупа хладна\n", charset="cp1251")

    assert (await only(path, charset="windows-1251")).text == "Зупа хладна"


async def test_a_row_in_other_characters_than_the_rest_is_read_as_theirs(tmp_path: Path) -> None:
    filler = b"a perfectly plain row of words\n" * 4_000
    path = written(tmp_path / "a.csv", b"Comment\n" + filler + "Stürzt ab\n".encode("cp1252"))

    assert (await read_all(path)).texts[-1] == "Stürzt ab"


async def test_a_character_on_the_edge_of_what_is_looked_at_misleads_nobody(tmp_path: Path) -> None:
    body = "Comment\n" + "ü" * 40_000 + "\nkalt ü\n"  # an edge of 64 KiB cuts one in two
    path = written(tmp_path / "a.csv", body)

    assert (await read_all(path)).texts[-1] == "kalt ü"


def test_wide_line_ends_are_found_in_step() -> None:
    # U+0A0A and U+0D0A hold the byte of a line end, U+2222 that of a quote.
    text = "\u0a0a\u0d0a\u2222\nb\n"
    file = io.BytesIO(text.encode("utf-16-le"))
    lines = Lines(file, Charset("utf-16-le", 0, "\n".encode("utf-16-le")), 0)

    assert (first := lines.next()) is not None
    assert first.raw.decode("utf-16-le") == "\u0a0a\u0d0a\u2222\n"
    assert (second := lines.next()) is not None
    assert second.end == len(text) * 2


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange_to_look_at(head: bytes) -> None:
    found = charset(head)

    assert isinstance(found.text(head), str)


# Tables.


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_every_usual_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=delimiter).writerows(
        [
            ["Comment", "Stars", "Date"],
            ["Cold, late; and | dear", "1", "2025-01-01"],
            ["Fine", "5", ""],
        ]
    )
    kept = await read_all(written(tmp_path / "a.csv", table.getvalue()))

    assert kept.texts == ["Cold, late; and | dear", "Fine"]


async def test_a_table_of_one_column_is_not_split_at_its_commas(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment\nCold, late; dear\nCold, again\n")

    assert (await read_all(path)).texts == ["Cold, late; dear", "Cold, again"]


async def test_what_excel_writes_for_itself_is_understood(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "sep=;\r\nComment;Stars\r\nCold, late;1\r\nbad;lots\r\n")

    kept = await read_all(path)

    assert kept.texts == ["Cold, late"]
    assert kept.reasons == ["Row 4: its rating is no number."]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_every_line_end_will_do_also_between_quotes(tmp_path: Path, newline: str) -> None:
    table = 'Comment,Stars\n"Cold.\n""Again""!",1\n\nLate,2\n'.replace("\n", newline)
    path = written(tmp_path / "a.csv", table)

    kept = await read_all(path)

    assert kept.texts == ['Cold.\n"Again"!', "Late"]
    assert kept.reasons == []


async def test_quotes_escaped_as_databases_do_are_understood(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'Comment,Stars\n"He said \\"cold\\", twice",1\n')

    assert (await only(path)).text == 'He said "cold", twice'


async def test_a_quote_that_is_never_closed_costs_its_own_row_alone(tmp_path: Path) -> None:
    rest = "".join(f"row {number},3\n" for number in range(2_000))
    path = written(tmp_path / "a.csv", f'Comment,Stars\nfine,5\n"oh no,1\n{rest}')

    kept = await read_all(path)

    assert len(kept.texts) == 2_001
    assert kept.reasons == [
        "Row 3: it has a quote in the wrong place, or one that is never closed."
    ]
    assert kept.unreadable[0].raw == '"oh no,1\n'


async def test_two_stray_quotes_do_not_swallow_what_stands_between(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'Comment,Stars\n"one,1\ntwo,2\nthree,3\n"four,4\nfive,5\n')

    kept = await read_all(path)

    assert kept.texts == ["two", "three", "five"]
    assert [reason[:6] for reason in kept.reasons] == ["Row 2:", "Row 5:"]


async def test_quotes_that_somebody_forgot_to_double_stay_readable(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'Comment,Stars\n"He said "cold" twice",1\nfine,2\n')

    kept = await read_all(path)

    assert kept.reasons == []
    assert "cold" in kept.texts[0]
    assert kept.texts[1] == "fine"


async def test_a_quote_in_the_middle_of_a_cell_is_a_quote(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'Comment,Stars\nA 5" screen,1\nfine,2\n')

    assert (await read_all(path)).texts == ['A 5" screen', "fine"]


async def test_a_row_that_no_memory_should_hold_is_set_aside(tmp_path: Path) -> None:
    monster = "x" * (3 * LONGEST)
    path = written(tmp_path / "a.csv", f"Comment,Stars\nfine,5\n{monster},1\nfine too,2\n")

    kept = await read_all(path)

    assert kept.texts == ["fine", "fine too"]
    assert kept.reasons == ["Row 3: it is longer than a row can be."]
    assert len(kept.unreadable[0].raw) <= 64_000


async def test_rows_with_fewer_cells_are_read_for_what_they_have(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Stars,Comment,Author\n1,cold\n2,late,Ada,,\n")

    assert (await read_all(path)).texts == ["cold", "late"]


async def test_of_two_columns_of_one_name_the_first_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Comment\ncold,internal\n")

    assert (await only(path)).text == "cold"


CELL = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"),
    max_size=20,
)


@given(
    st.lists(st.tuples(CELL, CELL), max_size=8),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
    st.sampled_from([",", ";"]),
)
def test_every_table_that_is_written_by_the_book_comes_back_row_by_row(
    cells: list[tuple[str, str]], name: str, delimiter: str
) -> None:
    wanted = [["a", "b"], *([f"{one}\n{two}", two] for one, two in cells)]
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=delimiter).writerows(wanted)
    raw = table.getvalue().encode(name)
    how = layout(raw, form="csv", told=name, delimiter=delimiter, header=True)
    if how.escaped:  # a lone \" by chance looks like a database's
        return

    whole = list(rows(io.BytesIO(raw), how, how.body, how.row, settled=True))

    assert [row.cells for row in whole] == wanted[1:]
    assert [row.problem for row in whole] == [""] * len(cells)
    for place, row in enumerate(whole[:-1]):  # any row's end is a place to go on from
        rest = list(rows(io.BytesIO(raw), how, row.end, row.number, settled=True))
        assert [one.cells for one in rest] == wanted[place + 2 :]


# JSON.


async def test_bad_lines_of_json_are_set_aside_with_their_numbers(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"text": "one"}\n\n{"text": \n[1]\n{"text": "two\u2028three"}\n' + "x" * (2 * LONGEST),
    )

    kept = await read_all(path)

    assert kept.texts == ["one", "two\u2028three"]
    assert kept.reasons == [
        "Row 3: it is no JSON.",
        "Row 4: it is no JSON object.",
        "Row 6: it is longer than a row can be.",
    ]


async def test_an_array_is_read_object_by_object(tmp_path: Path) -> None:
    told = [{"text": f'n{number} "}}]\\', "a": [{"b": {}}]} for number in range(1_200)]
    path = written(tmp_path / "a.json", json.dumps(told, indent=1))

    kept = Kept()
    pages = await read(Files(path=path), kept)

    assert [post["text"] for post in told] == kept.texts
    assert [len(page.posts) for page in pages] == [500, 500, 200]


async def test_a_broken_object_of_an_array_spoils_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[{"text": "one"}, {"text": nil}, {"text": "two"}]')

    kept = await read_all(path)

    assert kept.texts == ["one", "two"]
    assert kept.reasons == ["Row 2: it is no JSON."]


@pytest.mark.parametrize(
    "content",
    ['[{"text": "x"}, 7]', '[{"text": "x"}, {"text": "' + "x" * (2 * LONGEST) + '"}]'],
    ids=["a number", "a monster"],
)
async def test_an_array_of_something_else_says_so(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "a.json", content)

    with pytest.raises(Unreadable):
        await read_all(path)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), min_size=1), max_size=6))
def test_every_array_comes_back_object_by_object(told: list[dict[str, str]]) -> None:
    raw = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    how = layout(raw, form="array", told="utf-8", delimiter=None, header=True)

    found = list(rows(io.BytesIO(raw), how, how.body, 0, settled=True))

    assert [row.said for row in found] == told
    for place, row in enumerate(found):
        rest = list(rows(io.BytesIO(raw), how, row.end, row.number, settled=True))
        assert [one.said for one in rest] == told[place + 1 :]


async def test_the_form_that_its_owner_names_is_believed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", '{"text";stars\n{cold};2\n')

    assert (
        await only(path, form="csv", delimiter=";", fields={'{"text"': "text"})
    ).text == "{cold}"
    assert (await Files(path=path, form="jsonl").check(NO_WEB)).well is False
