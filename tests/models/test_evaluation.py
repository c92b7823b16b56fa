"""Labelled posts are read row by row, and what is counted of them is what happened."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.evaluation import labelled, scores
from models.evaluation.intervals import by_chance, f1_interval, wilson
from models.evaluation.labelled import BadRows, Labelled
from models.evaluation.scores import Told
from models.verdict import Question


def told(probable: float, complaint: bool, **asked: str) -> Told:
    post = Labelled(Question("text", **asked), complaint, 1, {"sort": "plain"})  # type: ignore[arg-type]
    return Told(post, probable, probable >= 0.5, unsure=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "posts"
    path.write_text(text, "utf-8")
    return path


def test_json_lines_and_tables_are_read_alike(tmp_path: Path) -> None:
    lines = written(
        tmp_path,
        '{"text": "Day 9, no parcel", "brand": "Acme", "label": "complaint", "stars": 2}\n\n'
        '{"text": "lovely", "brand": "Acme", "label": "fine", "place": "x"}\n',
    )
    found = labelled.read(lines)
    table = written(
        tmp_path,
        "\ufeffText;brand;LABEL;stars;place\r\nDay 9, no parcel;Acme;yes;2;\r\nlovely;Acme;0;;x\r\n",
    )

    assert [one.question for one in labelled.read(table)] == [one.question for one in found]
    assert [one.complaint for one in labelled.read(table)] == [True, False]
    assert (found[0].question.stars, found[1].question.connector) == (2.0, "x")
    assert [one.row for one in found] == [1, 3]


def test_what_is_wrong_is_said_row_by_row_and_no_post_is_repeated(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"text": "secret words", "brand": "Acme"}\n{secret\n["secret"]\n'
        '{"text": "secret", "label": "perhaps"}\n{"text": "secret", "label": 1, "stars": "many"}\n'
        '{"text": "secret", "label": true, "stars": 9}\n{"text": "", "label": 1}\n'
        '{"text": "good", "brand": "Acme", "label": true}\n{"text": "x", "label": 1, "brand": 7}\n',
    )

    with pytest.raises(BadRows) as refused:
        labelled.read(path)

    said = str(refused.value)
    assert said.splitlines()[0].startswith("8 of 9 rows of ")
    assert "Row 1: it has no label; write complaint or fine." in said
    assert "Row 2: it is not JSON." in said
    assert "Row 3: it is no JSON object." in said
    assert "Row 4: its label is not understood" in said
    assert "Row 5: its stars are no number from 1 to 5." in said
    assert "Row 7: it has no text." in said
    assert "Row 9: its brand is no text." in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its first row does not name text and brand and label"),
        ("text,brand\na,b\n", "its first row does not name label"),
        ("text,brand,label\n", "has no rows"),
        ("text,brand,label\na,b\n", "more or fewer columns"),
        ('text,brand,label\n"a,b,yes\n', "quotation marks"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(BadRows, match=why):
        labelled.read(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match="cannot be read"):
        labelled.read(tmp_path / "none")
    (tmp_path / "latin").write_bytes("text,brand,label\nschön,b,yes".encode("latin-1"))
    with pytest.raises(BadRows, match="not written in UTF-8"):
        labelled.read(tmp_path / "latin")


def test_flags_are_counted_by_what_became_of_them() -> None:
    posts = [told(0.9, True), told(0.8, True), told(0.7, False), told(0.2, True), told(0.1, False)]

    one = scores.score(posts)

    assert (one.hits, one.false, one.missed, one.rest) == (2, 1, 1, 1)
    assert (one.precision, one.recall, one.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert one.accuracy == 3 / 5
    assert [mistake.probable for mistake in scores.worst(posts, 1)] == [0.2]


def test_where_nothing_was_flagged_there_is_no_precision() -> None:
    one = scores.score([told(0.1, False)])

    assert (one.precision, one.recall, one.f1) == (None, None, None)


def test_probabilities_that_hold_have_no_calibration_error() -> None:
    held = [told(0.75, number < 3) for number in range(4)]
    boastful = [told(0.95, number < 2) for number in range(4)]

    assert scores.calibration_error(held) == pytest.approx(0)
    assert scores.calibration_error(boastful) == pytest.approx(0.45)
    assert scores.bins([told(1.0, True)])[0].low == 0.9


def test_posts_are_cut_by_what_tells_them_apart_and_by_columns_that_are_named() -> None:
    posts = [told(0.9, True, language=code) for code in ("en", "en", "de", "de")]

    assert [(name, which) for name, which, _ in scores.slices(posts)] == [
        ("language", "de"),
        ("language", "en"),
    ]
    assert ("sort", "plain") in [(name, which) for name, which, _ in scores.slices(posts, ["sort"])]


def test_two_models_are_compared_on_the_posts_where_they_differ() -> None:
    first = [told(0.1, True)] * 12 + [told(0.9, True)] * 50
    second = [told(0.9, True)] * 62

    assert scores.compared(first, second).words.startswith("The second is better")
    assert scores.compared(second, first).words.startswith("The first is better")
    assert "may be chance" in scores.compared(first[10:], second[10:]).words
    assert scores.compared(first, first).words == "Neither is better."


@given(st.integers(0, 60), st.integers(0, 60))
@example(48, 0)
def test_an_interval_holds_the_share_and_chance_is_a_probability(right: int, wrong: int) -> None:
    low, high = wilson(right, right + wrong)
    share = right / (right + wrong) if right + wrong else 0.5

    assert 0 <= low <= share <= high <= 1
    assert 0 < by_chance(right, wrong) <= 1


def test_more_posts_make_an_interval_narrower() -> None:
    few, many = f1_interval(8, 2, 2, 8), f1_interval(800, 200, 200, 800)

    assert few[0] < many[0] < 0.8 < many[1] < few[1]
    assert by_chance(1, 9) == pytest.approx(22 / 1024)
