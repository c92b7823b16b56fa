"""`listener judge` answers every line in its order, whatever comes in."""

from tests.command_line import CommandLine

LINES = [
    b"Awful, the worst shop, never again!",
    b'{"text": "Lovely, thank you!", "rating": 1}',
    b'{"text": "Lovely, thank you!", "rating": true, "lang": 7, "brand": ["x"], "kind": "x"}',
    b'{"text": 5}',
    b"{broken",
    b"\xff\xfe garbage \x00",
    b'{"text": "\\ud800 half a pair"}',
    b'{"text": "much", "rating": 1e999}',
    b"[1, 2]",
    b"null",
    "ärgerlich 😡".encode(),
    b'{"text": "The glass exploded in my hand, awful!", "brand": "Acme", "lang": "en"}',
]


def test_plain_text_and_json_may_be_mixed_and_garbage_stops_nothing(listener: CommandLine) -> None:
    said = listener.alone("judge", "--json", given=b"\n".join(LINES) + b"\n\n")

    assert (said.code, said.err) == (0, "")
    rows = said.rows
    assert len(rows) == len(LINES)
    assert rows[0]["text"] == "Awful, the worst shop, never again!"
    assert rows[0]["flagged"]
    assert (rows[1]["text"], rows[1]["flagged"]) == ("Lovely, thank you!", True)  # one star
    assert (rows[2]["text"], rows[2]["flagged"]) == ("Lovely, thank you!", False)
    assert [row["text"] for row in rows[3:5]] == ['{"text": 5}', "{broken"]
    assert rows[5]["text"].endswith(" garbage \x00")
    assert rows[10]["text"] == "ärgerlich 😡"
    assert (rows[11]["text"][:9], rows[11]["urgent"]) == ("The glass", True)


def test_a_mark_at_the_head_of_a_file_is_no_part_of_the_first_post(listener: CommandLine) -> None:
    said = listener.alone("judge", "--json", given=b'\xef\xbb\xbf{"text": "fine"}\r\n')

    assert [row["text"] for row in said.rows] == ["fine"]


def test_thousands_of_lines_keep_their_order(listener: CommandLine) -> None:
    lines = [f"post number {number}" for number in range(2_000)]

    said = listener("judge", "--json", given="\n".join(lines))

    assert [row["text"] for row in said.rows] == lines


def test_people_get_one_line_for_each_post(listener: CommandLine) -> None:
    said = listener("judge", given="Awful, the worst shop!\nLovely!\n[bold]x[/bold]\x1b[31m\n")

    lines = said.out.splitlines()
    assert lines[0].startswith("COMPLAINT")
    assert lines[1].startswith("fine")
    assert lines[2].endswith("[bold]x[/bold] [31m")


def test_nothing_on_standard_input_is_said(listener: CommandLine) -> None:
    said = listener("judge", given="")

    assert (said.code, said.out) == (0, "")
    assert said.err == "Nothing came in. Give posts on standard input, one a line.\n"


def test_an_unknown_model_is_said_with_those_there_are(listener: CommandLine) -> None:
    said = listener("judge", "--model", "oracle", given="x\n")

    assert said.code == 1
    assert said.err.startswith("There is no model called 'oracle'. Choose one of: ")
