"""Models are opened by name; what is wrong with one is said in a sentence."""

import json
import shutil
from pathlib import Path

import pytest

from models import shelf
from models.errors import BadDeclaration, BrokenModel, UnknownModel
from models.labels import Meaning

NAME = "minilm-l6-en"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our own copy of the weights, free to be broken."""
    shutil.copytree(shelf.WEIGHTS / NAME, tmp_path / NAME)
    monkeypatch.setattr(shelf, "WEIGHTS", tmp_path)
    return tmp_path / NAME


def test_every_model_on_the_shelf_opens_by_its_name() -> None:
    assert shelf.names() == ("me5-small-pair", "minilm-l6-en", "lexicon")
    assert shelf.open("lexicon").name == "lexicon 1"
    assert shelf.open(NAME).name == "minilm-l6-en 1"
    assert shelf.open().name == "me5-small-pair 3.1"


def test_onnx_is_another_word_for_the_default_model() -> None:
    assert shelf.open("onnx").name == shelf.open().name


def test_weights_of_ones_own_are_opened_by_their_folder_and_have_their_own_lens(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "build" / "me5-small-pair"
    shutil.copytree(shelf.WEIGHTS / shelf.DEFAULT, folder)
    card = json.loads((folder / "listener.json").read_text("utf-8"))
    (folder / "listener.json").write_text(json.dumps(card | {"version": "ours"}), "utf-8")

    assert shelf.open(f"onnx:{folder}").name == "me5-small-pair ours"
    assert shelf.card(f"onnx:{folder}") is None
    assert shelf.lens("me5-small-pair ours") is not None
    (folder / "lens.npz").unlink()
    assert shelf.lens("me5-small-pair ours") is None


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(BrokenModel, match=r"has no readable listener\.json in /nowhere"):
        shelf.open("onnx:/nowhere")


@pytest.mark.parametrize("name", ["gpt", "", "../weights/minilm-l6-en", "Lexicon"])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        shelf.open(name)

    assert str(refused.value) == (
        f"There is no model called {name!r}. Choose one of: me5-small-pair, minilm-l6-en, "
        "lexicon, onnx:FOLDER, openvino, openvino:FOLDER, hub:FOLDER-OR-NAME, remote:ADDRESS."
    )


@pytest.mark.parametrize("name", ["onnx", *shelf.names()])
def test_what_is_declared_about_a_model_of_our_own_is_refused(name: str) -> None:
    for declared in ({"mapping": {"x": Meaning.NEGATIVE}}, {"languages": frozenset({"en"})}):
        with pytest.raises(BadDeclaration) as refused:
            shelf.open(name, **declared)

        assert str(refused.value) == (
            f"The model {name!r} knows what its labels mean and which languages it has learnt. "
            "Take LISTENER_MODEL_LABELS and LISTENER_MODEL_LANGUAGES away, or choose another "
            "model."
        )


def test_a_name_with_nothing_behind_it_is_asked_for_the_rest() -> None:
    with pytest.raises(UnknownModel) as refused:
        shelf.open("hub:")

    assert str(refused.value) == (
        "'hub:' does not say which model. Add the folder it was saved to, or its name on the "
        "Hugging Face hub, for example hub:organisation/model."
    )


def test_only_a_remote_model_has_an_address() -> None:
    assert shelf.address("remote:http://127.0.0.1:8081") == "http://127.0.0.1:8081/predict"
    assert shelf.address("hub:organisation/model") is None
    assert shelf.address("minilm-l6-en") is None


def test_a_remote_model_needs_somebody_who_sends() -> None:
    with pytest.raises(BrokenModel) as refused:
        shelf.open("remote:http://127.0.0.1:8081")

    assert str(refused.value) == (
        "The model 'remote:http://127.0.0.1:8081' is on another machine, and from here nothing "
        "can be sent there. Choose a model of this machine."
    )


def test_weights_that_are_gone_are_missed(weights: Path) -> None:
    (weights / "model_int8.onnx").unlink()

    with pytest.raises(BrokenModel) as refused:
        shelf.open(NAME)

    assert str(refused.value) == (
        f"The model 'minilm-l6-en' lacks its file {weights}/model_int8.onnx. "
        "Install the listener again, or choose another model."
    )


@pytest.mark.parametrize("name", ["model_int8.onnx", "tokenizer.json"])
def test_weights_cut_short_are_not_used(weights: Path, name: str) -> None:
    whole = (weights / name).read_bytes()
    (weights / name).write_bytes(whole[:-1])

    with pytest.raises(BrokenModel) as refused:
        shelf.open(NAME)

    assert str(refused.value) == (
        f"The file {weights}/{name} is not the one that the model 'minilm-l6-en' was published "
        "with: it is cut short or changed. Install the listener again, or choose another model."
    )


@pytest.mark.parametrize("name", ["model_int8.onnx", "steady.onnx"])
def test_neither_the_numbers_nor_what_works_with_them_may_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copytree(shelf.WEIGHTS / shelf.DEFAULT, tmp_path / shelf.DEFAULT)
    monkeypatch.setattr(shelf, "WEIGHTS", tmp_path)
    file = tmp_path / shelf.DEFAULT / name
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(BrokenModel) as refused:
        shelf.open()

    assert str(refused.value) == (
        f"The file {file} is not the one that the model 'me5-small-pair' was published with: "
        "it is cut short or changed. Install the listener again, or choose another model."
    )


def test_a_folder_without_its_card_is_not_used(weights: Path) -> None:
    (weights / "listener.json").unlink()

    with pytest.raises(BrokenModel) as refused:
        shelf.open(NAME)

    assert str(refused.value) == (
        f"The model 'minilm-l6-en' has no readable listener.json in {weights}. "
        "Install the listener again, or choose another model."
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"temperature": 0}, "temperature"),
        ({"grey": [0.4]}, "grey.1"),
        ({"labels": ["negative", "angry", "positive"]}, "labels.1"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_card_that_makes_no_sense_is_not_used(
    weights: Path, change: dict[str, object], where: str
) -> None:
    card = json.loads((weights / "listener.json").read_bytes())
    (weights / "listener.json").write_text(json.dumps(card | change))

    with pytest.raises(BrokenModel) as refused:
        shelf.open(NAME)

    assert str(refused.value) == (
        f"The card {weights}/listener.json cannot be understood ({where}). "
        "Install the listener again, or choose another model."
    )


def test_a_card_that_is_not_json_is_not_used(weights: Path) -> None:
    (weights / "listener.json").write_text("{")

    with pytest.raises(BrokenModel, match=r"cannot be understood \(the file\)"):
        shelf.open(NAME)


@pytest.mark.parametrize("name", shelf.SHIPPED)
def test_every_shipped_model_has_a_card_for_people(name: str) -> None:
    card = (shelf.WEIGHTS.parent / "cards" / f"{name}.md").read_text()
    notice = (shelf.WEIGHTS.parents[1] / "NOTICE").read_text()

    assert card.startswith(f"# {name}\n")
    assert name in notice
