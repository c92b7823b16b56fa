"""The page about models tells operators what is true."""

import re
from pathlib import Path

import pytest

from models import hub, labels, languages, openvino, remote, shelf
from models.labels import Meaning

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


@pytest.mark.parametrize(
    "name",
    [
        *shelf.names(),
        shelf.ONNX,
        f"{shelf.ONNX}:FOLDER",
        openvino.PREFIX,
        f"{openvino.PREFIX}:FOLDER",
        f"{hub.PREFIX}FOLDER",
        f"{remote.PREFIX}ADDRESS",
    ],
)
def test_every_kind_of_model_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_label_that_is_understood_is_on_the_page_and_no_other() -> None:
    listed = PAGE.split("These labels are understood as they are")[1].split("All others")[0]
    shown = [label for label in re.findall(r"`([^`]+)`", listed) if label not in "_-"]

    assert {labels.plain(label) for label in shown} == {
        *labels.BY_NAME,
        *labels.NUMBERED,
        "1 star",
        *(f"{number} stars" for number in range(2, 6)),
    }


def test_the_examples_on_the_page_are_understood() -> None:
    mappings = re.findall(rf'{labels.SETTING}="([^"]+)"', PAGE)
    codes = re.findall(rf'{languages.SETTING}="([^"]+)"', PAGE)

    assert [labels.parse(words) for words in mappings] == [
        {"LABEL_0": Meaning.NEUTRAL, "LABEL_1": Meaning.COMPLAINT},
        {"negative": Meaning.COMPLAINT},
    ]
    assert [languages.parse(words) for words in codes] == [{"en", "de"}]
    assert shelf.address("remote:http://127.0.0.1:8081") is not None


def test_the_numbers_on_the_page_are_the_ones_in_use() -> None:
    assert f"The first {hub.TOKENS} tokens" in PAGE
    assert f"At most {remote.MOST} texts are sent at once" in PAGE
    assert remote.AT_ONCE == 4
    assert "in four requests" in PAGE
