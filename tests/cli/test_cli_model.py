"""`listener model` shows, compares and chooses models."""

from pathlib import Path

import orjson
import pytest

from listener.config import BadSettings, read
from models import shelf
from tests.command_line import CommandLine, clean

POSTS: list[dict[str, object]] = [
    {"text": "Awful, the worst shop, never again!", "brand": "Acme", "label": "complaint"},
    {"text": "Lovely, thank you!", "brand": "Acme", "label": "fine"},
]


@pytest.fixture
def free(tmp_path: Path) -> CommandLine:
    """A command line in whose environment no model is set."""
    return CommandLine(tmp_path / "data", clean(tmp_path / "data", LISTENER_MODEL=""))


def test_every_model_is_listed_and_the_one_that_judges_is_marked(listener: CommandLine) -> None:
    rows = listener("model", "list", "--json").rows
    said = listener("model", "list").out

    assert [row["model"] for row in rows] == list(shelf.names())
    assert [row["model"] for row in rows if row["in_use"]] == ["lexicon"]
    assert "* lexicon: " in said


def test_a_chosen_model_judges_from_the_next_start_on(free: CommandLine) -> None:
    said = free("model", "use", "lexicon")

    assert said.code == 0, said.err
    assert said.out.startswith("lexicon 1 judges from the next start on.")
    (verdict,) = free("judge", "--json", given="Awful\n").rows
    assert verdict["model"] == "lexicon 1"


def test_what_does_not_open_is_not_chosen(free: CommandLine) -> None:
    said = free("model", "use", "oracle")

    assert said.code == 1
    assert said.err.startswith("There is no model called 'oracle'.")
    assert read({"LISTENER_DATA": str(free.data)}).model == shelf.DEFAULT


def test_a_model_that_the_environment_sets_counts_more(listener: CommandLine) -> None:
    said = listener("model", "use", "minilm-l6-en")

    assert said.code == 1
    assert "LISTENER_MODEL is set to lexicon" in said.err
    assert not (listener.data / "model").exists()


def test_a_choice_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"\xff\xfe")

    with pytest.raises(BadSettings, match="choose again with `listener model use`"):
        read({"LISTENER_DATA": str(tmp_path)})


def test_cards_are_shown_and_where_there_is_none_that_is_said(listener: CommandLine) -> None:
    assert listener("model", "card", "me5-small-pair").out.startswith("# me5-small-pair")
    said = listener("model", "card")
    assert said.code == 1
    assert said.err.startswith("There is no card of the model 'lexicon'")
    assert listener("model", "card", "oracle").err.startswith("There is no model called 'oracle'.")


def test_two_models_are_compared_on_the_same_posts(listener: CommandLine) -> None:
    path = listener.data.parent / "posts.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, POSTS)))

    (found,) = listener("model", "compare", path, "lexicon", "lexicon", "--json").rows
    said = listener("model", "compare", path, "lexicon")

    assert (found["posts"], found["only_first_right"], found["only_second_right"]) == (2, 0, 0)
    assert [one["model"] for one in found["models"]] == ["lexicon 1", "lexicon 1"]
    assert "Neither is better." in said.out
