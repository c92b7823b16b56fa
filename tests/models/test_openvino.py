"""Our weights in OpenVINO: what is said where it is missing, and which file it runs.

What every model promises is asked of it in test_classifiers.
"""

import hashlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from models import onnx, openvino, shelf
from models.errors import BrokenModel
from models.verdict import Question

DEFAULT = shelf.WEIGHTS / shelf.DEFAULT


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as a build leaves it, with a float32 file that the card knows."""
    shutil.copyfile(DEFAULT / onnx.CARD, tmp_path / onnx.CARD)
    (tmp_path / openvino.WHOLE).write_bytes(b"all of it")
    return tmp_path


def card(known: bytes) -> onnx.Card:
    read = onnx.Card.model_validate_json((DEFAULT / onnx.CARD).read_bytes())
    return read.model_copy(
        update={"sha256": {openvino.WHOLE: hashlib.sha256(known).hexdigest(), **read.sha256}}
    )


def test_where_openvino_is_missing_a_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)

    with pytest.raises(BrokenModel, match=r"pip install -e '.\[openvino\]'"):
        shelf.open("openvino")


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match=r"has no readable listener\.json"):
        shelf.open(f"openvino:{tmp_path}")


def test_the_float32_file_is_run_where_there_is_one(built: Path) -> None:
    assert openvino.weights(built, card(b"all of it")) == built / openvino.WHOLE
    assert openvino.weights(DEFAULT, card(b"all of it")) == DEFAULT / onnx.STEADY


def test_a_float32_file_that_the_card_does_not_know_is_not_run(built: Path) -> None:
    stranger = onnx.Card.model_validate_json((built / onnx.CARD).read_bytes())
    assert openvino.weights(built, stranger) == built / onnx.STEADY

    with pytest.raises(BrokenModel, match="cut short or changed"):
        openvino.weights(built, card(b"something else"))


@pytest.mark.parametrize(
    ("able", "chosen"), [(["FP32", "BF16", "INT8"], "bf16"), (["FP32", "INT8"], "f32")]
)
def test_half_the_digits_do_where_the_processor_is_quick_with_them(
    able: list[str], chosen: str
) -> None:
    assert openvino.precision(SimpleNamespace(get_property=lambda *_: able)) == chosen


def test_it_calls_a_plain_complaint_what_onnx_calls_it() -> None:
    pytest.importorskip("openvino", reason="needs the extra `openvino`")
    questions = [
        Question("Three weeks and still no parcel, nobody answers", "Swiftling", language="en"),
        Question("Lovely people, came early, thank you Swiftling!", "Swiftling", language="en"),
    ]

    there = shelf.open("openvino", threads=1)
    here = shelf.open(threads=1)

    assert there.name == f"{here.name} (openvino)"
    for one, other in zip(there.judge(questions), here.judge(questions), strict=True):
        assert (one.complaint > 0.5, one.feeling) == (other.complaint > 0.5, other.feeling)
