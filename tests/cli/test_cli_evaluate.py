"""`listener evaluate` measures a model on labelled posts of one's own."""

import orjson

from tests.command_line import CommandLine

POSTS: list[dict[str, object]] = [
    {"text": "Awful, the worst shop, never again!", "brand": "Acme", "label": "complaint"},
    {"text": "Lovely, thank you!", "brand": "Acme", "label": "fine", "stars": 5},
    {"text": "Lovely. NOT. [bold]x[/bold]\x1b[31m", "brand": "Acme", "label": "complaint"},
    {"text": "Fine, but one star", "brand": "Acme", "label": "complaint", "stars": 1},
]


def given(listener: CommandLine, rows: list[dict[str, object]] | None = None) -> str:
    path = listener.data.parent / "posts.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, POSTS if rows is None else rows)))
    return str(path)


def test_figures_are_told_to_machines(listener: CommandLine) -> None:
    said = listener("evaluate", given(listener), "--by", "brand", "--json")

    assert (said.code, said.err) == (0, "")
    (found,) = said.rows
    assert found["model"] == "lexicon 1"
    assert (found["posts"], found["all"]["hits"], found["all"]["missed"]) == (4, 2, 1)
    assert found["all"]["f1_between"][0] < found["all"]["f1"] <= found["all"]["f1_between"][1]
    assert [one["row"] for one in found["worst"]] == [3]
    assert {"by": "brand", "slice": "Acme"}.items() <= found["slices"][-1].items()


def test_people_get_tables_in_which_no_post_can_drive_the_terminal(listener: CommandLine) -> None:
    said = listener("evaluate", given(listener))

    assert said.code == 0
    assert said.out.startswith("lexicon 1 on 4 posts, of which 3 are complaints.")
    assert "Expected calibration error" in said.out
    assert "row 3: " in said.out
    assert "[bold]x[/bold] [31m" in said.out
    assert "\x1b" not in said.out


def test_rows_that_cannot_be_used_are_named_and_nothing_is_measured(listener: CommandLine) -> None:
    said = listener("evaluate", given(listener, [{"text": "x", "brand": "Acme"}, POSTS[0]]))

    assert (said.code, said.out) == (1, "")
    assert "Row 1: it has no label; write complaint or fine." in said.err


def test_a_model_that_is_not_there_is_said(listener: CommandLine) -> None:
    said = listener("evaluate", given(listener), "--model", "oracle")

    assert said.code == 1
    assert said.err.startswith("There is no model called 'oracle'.")
