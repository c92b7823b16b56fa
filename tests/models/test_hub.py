"""A model from Hugging Face: run as it was trained, or refused in a sentence that says why."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models import hub, labels, shelf
from models.errors import BadDeclaration, BrokenModel
from models.text import normalise
from models.verdict import Feeling, Question
from tests.models import tiny

ROOT = Path(__file__).parents[2]
TEXTS = [
    "Terrible, nobody answers",
    "I love it!",
    "late",
    "The shop opens at nine on Monday, as it does on every other day of the week.",
    "long " * 300,
    *(f"parcel {number} " * number for number in range(1, 30)),
]
Saved = Callable[..., Path]


def model(folder: Path, **declared: object) -> hub.Hub:
    opened = shelf.open(f"hub:{folder}", **declared)  # type: ignore[arg-type]
    assert isinstance(opened, hub.Hub)
    return opened


def refusal(folder: Path | str, **declared: object) -> str:
    with pytest.raises(BrokenModel) as refused:
        shelf.open(f"hub:{folder}", **declared)  # type: ignore[arg-type]
    return str(refused.value)


def test_it_says_what_its_network_says(saved: Saved) -> None:
    folder = saved()
    torch, transformers = tiny.libraries()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()

    verdicts = model(folder).judge([Question(text, language="en") for text in TEXTS])

    for text, verdict in zip(TEXTS, verdicts, strict=True):
        cut = tokenizer(normalise(text), truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            shares = network(**cut).logits.softmax(-1)[0].tolist()
        assert verdict.complaint == pytest.approx(shares[0], abs=1e-4)
        assert verdict.confidence == pytest.approx(max(shares), abs=1e-4)
        assert verdict.feeling is list(Feeling)[shares.index(max(shares))]


def test_texts_of_like_length_share_a_batch_that_is_never_too_large(saved: Saved) -> None:
    machine = model(saved()).machine

    batches = list(machine.batches([5, 128, 7, 128, 128, 128, 128, 6]))

    assert not machine.one_by_one
    assert batches == [[0, 7, 2, 1], [3, 4, 5, 6]]  # 4 times 128 tokens is the most


@pytest.mark.parametrize("padding", [True, False])
def test_a_network_that_cannot_bear_padding_is_asked_one_by_one(
    tmp_path: Path, padding: bool
) -> None:
    folder = tiny.gpt(tmp_path / "gpt", padding=padding)
    written = json.loads((folder / "tokenizer_config.json").read_bytes())
    (folder / "tokenizer_config.json").write_text(json.dumps(written | {"padding_side": "left"}))
    questions = [Question(text) for text in TEXTS]
    gpt = model(folder)

    together = gpt.judge(questions)

    assert gpt.machine.one_by_one
    for question, verdict in zip(questions, together, strict=True):
        assert gpt.judge([question]) == [verdict]


def test_it_is_called_by_its_folder_and_what_is_in_it(saved: Saved, tmp_path: Path) -> None:
    folder = saved()
    name = model(folder).name
    shutil.copytree(folder, tmp_path / "elsewhere" / "tiny")
    again = model(tmp_path / "elsewhere" / "tiny").name
    with (folder / "config.json").open("a") as config:
        config.write("\n")

    assert name.startswith("hub:tiny ")
    assert again == name
    assert model(folder).name != name


def test_a_link_to_a_folder_will_do(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(saved())

    assert model(tmp_path / "current").name.startswith("hub:tiny ")


def test_its_stars_are_read(saved: Saved) -> None:
    folder = saved("1 star", "2 stars", "3 stars", "4 stars", "5 stars")

    opened = model(folder)

    (shares,) = opened.machine.run(["late"])
    (verdict,) = opened.judge([Question("late", language="en")])
    assert verdict.complaint == pytest.approx(shares[0] + shares[1], abs=1e-4)


def test_its_labels_can_be_declared(saved: Saved) -> None:
    folder = saved("LABEL_0", "LABEL_1")

    assert refusal(folder) == (
        f"What the model 'hub:{folder}' means by 'LABEL_0', 'LABEL_1' is not known. Say it in "
        "LISTENER_MODEL_LABELS, for example "
        "LISTENER_MODEL_LABELS='LABEL_0=negative,LABEL_1=positive'; a label can mean one of: "
        "complaint, negative, neutral, positive."
    )
    with pytest.raises(BadDeclaration, match="says what 'bad' means, but the labels"):
        model(folder, mapping=labels.parse("bad=negative"))
    opened = model(folder, mapping=labels.parse("LABEL_1=complaint,LABEL_0=neutral"))
    (shares,) = opened.machine.run(["late"])
    (verdict,) = opened.judge([Question("late", language="en")])
    assert verdict.complaint == pytest.approx(shares[1], abs=1e-4)


def test_a_network_without_a_trained_head_is_refused(saved: Saved, tmp_path: Path) -> None:
    _, transformers = tiny.libraries()
    transformers.BertModel.from_pretrained(saved()).save_pretrained(tmp_path / "base")
    tiny.give_tokenizer(tmp_path / "base")
    config = json.loads((tmp_path / "tiny" / "config.json").read_bytes())
    (tmp_path / "base" / "config.json").write_text(json.dumps(config))

    assert refusal(tmp_path / "base") == (
        f"The model in {tmp_path}/base is not trained to classify texts: 'classifier.bias', "
        "'classifier.weight' are not in its weights. Choose one that is made for text "
        "classification."
    )


def test_a_network_that_gives_several_labels_at_once_is_refused(saved: Saved) -> None:
    folder = saved(problem_type="multi_label_classification")

    assert refusal(folder) == (
        f"The model in {folder} does not choose one label for each text. Choose one that does."
    )


def test_a_network_that_only_measures_is_refused(saved: Saved) -> None:
    assert "does not choose one label" in refusal(
        saved("score"), mapping=labels.parse("score=negative")
    )


def test_a_folder_without_a_tokenizer_is_refused(saved: Saved) -> None:
    folder = saved()
    for name in tiny.TOKENIZER:
        (folder / name).unlink()

    assert refusal(folder) == (
        f"The folder {folder} holds no tokenizer. Save it there too (tokenizer.json)."
    )


def test_a_tokenizer_of_another_model_is_refused(saved: Saved) -> None:
    folder = saved()
    torch, transformers = tiny.libraries()
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    network.resize_token_embeddings(1_000)
    network.save_pretrained(folder)

    assert torch.is_tensor(network.get_input_embeddings().weight)
    assert refusal(folder) == (
        f"The tokenizer in {folder} belongs to another model: it knows 30522 pieces, the network "
        "1000. Save the right one there."
    )


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_files_cut_short_are_not_used(saved: Saved, name: str) -> None:
    folder = saved()
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])

    said = refusal(folder)

    assert said.startswith(f"The model in {folder} cannot be opened (")
    assert said.endswith("). Save or fetch it again, or choose another.")
    assert "\n" not in said


def test_weights_that_are_not_there_are_missed(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").unlink()

    assert refusal(folder).startswith(f"The model in {folder} cannot be opened (OSError: ")


def test_a_network_that_computes_nothing_is_not_believed(saved: Saved) -> None:
    folder = saved()
    torch, transformers = tiny.libraries()
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    torch.nn.init.constant_(network.classifier.bias, math.nan)
    network.save_pretrained(folder)

    assert "scores that are not probabilities (they add up to nan" in refusal(folder)


def test_code_in_a_folder_is_never_run(saved: Saved, tmp_path: Path) -> None:
    folder = saved()
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_bytes())
    own = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Network"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": own}))

    assert "cannot be opened" in refusal(folder)
    assert not (tmp_path / "ran").exists()


def test_loading_prints_nothing_and_warns_of_nothing(saved: Saved) -> None:
    folder = saved()
    judge = (
        "import sys\n"
        "from models import shelf\n"
        "from models.verdict import Question\n"
        "assert 'torch' not in sys.modules\n"
        f"model = shelf.open('hub:' + {str(folder)!r}, threads=1)\n"
        "assert len(model.judge([Question('late'), Question('on time, thank you')])) == 2\n"
        "assert sys.modules['torch'].get_num_threads() == 1\n"
    )

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", judge],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
