"""How the network is written in int8, so that it says what it said in float32."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra `train`")
torch = pytest.importorskip("torch", reason="needs the extra `train`")

import onnxruntime  # type: ignore[import-untyped]  # noqa: E402  (it ships no types)
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: E402
from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: E402

from models.onnx import MODEL  # noqa: E402
from models.training import rescaled  # noqa: E402
from models.training.build import Phase  # noqa: E402
from models.training.export import (  # noqa: E402
    ANSWERS,
    answering,
    levelled,
    smoothed,
    traced,
    written,
)
from models.training.network import Network, transformers, weights  # noqa: E402
from models.training.rescaled import changed, plain, rates, scaled  # noqa: E402
from models.training.steadied import SHORT, steadied  # noqa: E402

PHASE = Phase("scales", 1, 0, 1e-3, 1e-3, 0.0)
LOUD = 200.0  # how much larger one channel is than the others


@pytest.fixture
def wide() -> Any:
    return np.random.default_rng(3).normal(0, 0.1, (32, 8)).astype(np.float32)


@pytest.fixture
def feeds() -> list[Any]:
    texts = np.random.default_rng(4).normal(0, 1, (20, 1, 5, 32)).astype(np.float32)
    texts[..., 7] *= LOUD
    return [{"state": text} for text in texts]


def network(wide: Any) -> Any:
    """One layer, as a transformer has many."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["state", "w"], ["said"], name="dense")],
        "layer",
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["b", "s", 32])],
        [helper.make_tensor_value_info("said", TensorProto.FLOAT, ["b", "s", 8])],
        [numpy_helper.from_array(wide, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def says(model: Any, feeds: list[Any]) -> Any:
    session = onnxruntime.InferenceSession(model)
    return np.stack([session.run(["said"], feed)[0] for feed in feeds])


def in_int8(model: Any, folder: Path) -> str:
    onnx.save(model, folder / "whole.onnx")
    small = str(folder / "small.onnx")
    quantize_dynamic(
        str(folder / "whole.onnx"), small, weight_type=QuantType.QInt8, per_channel=True
    )
    return small


def test_evened_out_it_says_the_same(wide: Any, feeds: list[Any]) -> None:
    before = says(network(wide).SerializeToString(), feeds)
    after = says(smoothed(network(wide), feeds).SerializeToString(), feeds)

    assert after == pytest.approx(before, rel=1e-4, abs=1e-3)


def test_evened_out_a_loud_channel_does_not_drown_the_others_in_int8(
    wide: Any, feeds: list[Any], tmp_path: Path
) -> None:
    whole = says(network(wide).SerializeToString(), feeds)
    plain = says(in_int8(network(wide), tmp_path), feeds)
    even = says(in_int8(smoothed(network(wide), feeds), tmp_path), feeds)

    assert np.abs(even - whole).mean() < np.abs(plain - whole).mean() / 2


def test_a_loud_piece_does_not_drown_the_others_in_int8(wide: Any, tmp_path: Path) -> None:
    texts = np.random.default_rng(5).uniform(-0.2, 1, (20, 1, 5, 32)).astype(np.float32)
    texts[:, :, 0] *= LOUD
    feeds = [{"state": text} for text in texts]
    layer = network(wide)
    layer.graph.node[0].name = "/bert/encoder/layer.3/output/dense/MatMul"

    whole = says(layer.SerializeToString(), feeds)
    plain = says(in_int8(layer, tmp_path), feeds)
    level = levelled(layer)

    assert says(level.SerializeToString(), feeds) == pytest.approx(whole, rel=1e-4, abs=1e-3)
    others = np.abs(says(in_int8(level, tmp_path), feeds) - whole)[..., 1:, :]
    assert others.mean() < np.abs(plain - whole)[..., 1:, :].mean() / 10


def tiny() -> Any:
    torch.manual_seed(20)
    return Network(
        transformers.BertConfig(
            vocab_size=12,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            initializer_range=0.5,
            attn_implementation="eager",
        )
    ).eval()


@pytest.mark.parametrize("pieces", [1, 2, 9])
def test_a_last_layer_that_reads_the_first_piece_alone_answers_the_same(pieces: int) -> None:
    network = tiny()
    ids = torch.arange(2 * pieces).reshape(2, pieces) % 7 + 3
    mask = torch.ones_like(ids)
    mask[1, pieces // 2 + 1 :] = 0

    with torch.no_grad():
        whole = network(ids, mask)
        short = answering(network)(ids, mask)

    for one, other in zip(short, whole, strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), abs=1e-5)


@pytest.mark.filterwarnings("ignore")  # torch on the way we take, and on what it traces
def test_in_int8_a_text_is_told_the_same_in_any_company(tmp_path: Path) -> None:
    pieces = np.random.default_rng(6).integers(3, 12, (30, 9))
    small = tmp_path / "small.onnx"
    network = tiny()
    written(network, tmp_path / "whole.onnx", small, fed(pieces))
    tells_alike(network, small, pieces)
    can_be_gone_on_with(network, small)


@pytest.mark.filterwarnings("ignore")
def test_weights_of_before_are_steadied_without_being_written_again(tmp_path: Path) -> None:
    pieces = np.random.default_rng(6).integers(3, 12, (30, 9))
    network = tiny()
    shipped = as_before(network, tmp_path, pieces)

    steady = steadied(tmp_path, fed(pieces))

    can_be_gone_on_with(network, shipped)
    can_be_gone_on_with(network, steady)
    tells_alike(network, steady, pieces)
    assert not [one for one in numbers_beside(steady) if len(one.raw_data) > SHORT]


@pytest.mark.filterwarnings("ignore")
def test_factors_that_were_learnt_stand_beside_numbers_that_stay(tmp_path: Path) -> None:
    pieces = np.random.default_rng(6).integers(3, 12, (30, 9))
    network = tiny()
    for one in network.parameters():
        if one.dim() == 1:  # of those that are alike only one would be written
            one.data += 0.01 * torch.randn_like(one)
    shipped = as_before(network, tmp_path, pieces)
    learnt = scaled(network)
    for one in (weight for group in rates(learnt, PHASE) for weight in group["params"]):
        one.data += 0.1 * torch.randn_like(one)  # what a training might make of them

    steady = steadied(tmp_path, fed(pieces), changed(learnt, onnx.load(shipped)))

    learnt = plain(learnt)
    can_be_gone_on_with(learnt, steady)
    tells_alike(learnt, steady, pieces)
    assert not [one for one in numbers_beside(steady) if len(one.raw_data) > SHORT]


def test_the_lower_layers_and_what_lies_there_stay_where_upper_ones_learn() -> None:
    learnt = scaled(tiny())

    rates(learnt, replace(PHASE, frozen=1))

    lower, *upper = learnt.bert.encoder.layer
    assert not [one for one in lower.parameters() if one.requires_grad]
    assert not [one for one in learnt.bert.embeddings.parameters() if one.requires_grad]
    assert [one for layer in upper for one in layer.parameters() if one.requires_grad]


def test_a_folder_that_cannot_be_scaled_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rescaled", str(tmp_path), "--out", str(tmp_path / "new")])

    with pytest.raises(SystemExit):
        rescaled.main()

    assert "only weights whose numbers lie beside it" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def as_before(network: Network, folder: Path, pieces: Any) -> Path:
    """An int8 file such as version 3's, which takes each scale from the very text."""
    whole, shipped = folder / "whole.onnx", folder / MODEL
    traced(answering(network), whole)
    quant_pre_process(str(whole), str(whole), skip_symbolic_shape=True)
    onnx.save(levelled(smoothed(onnx.load(whole), fed(pieces))), whole)
    quantize_dynamic(str(whole), str(shipped), weight_type=QuantType.QInt8, per_channel=True)
    return shipped


def numbers_beside(steady: Path) -> list[Any]:
    """What is in the file itself; all else is in the int8 file."""
    numbers = onnx.load(steady, load_external_data=False).graph.initializer
    assert {one.external_data[0].value for one in numbers if one.external_data} == {MODEL}
    return [one for one in numbers if not one.external_data]


def fed(pieces: Any) -> list[Any]:
    return [{"input_ids": one[None], "attention_mask": np.ones_like(one)[None]} for one in pieces]


def can_be_gone_on_with(network: Network, small: Path) -> None:
    """A new training that begins with the file begins with what the network has learnt."""
    found = weights(small)
    for name, exact in network.state_dict().items():
        if exact.dim() == 1:  # noughts and ones as yet, and of what is alike one is written
            continue
        missing = np.abs(found[name] - exact.numpy()).mean()
        assert missing <= 0.05 * np.abs(exact.numpy()).mean(), name


def tells_alike(network: Any, small: Path, pieces: Any) -> None:
    """The file says what the network says, and of a text the same in any company."""
    session = onnxruntime.InferenceSession(str(small))
    short = {"input_ids": pieces[:1, :5], "attention_mask": np.ones((1, 5), np.int64)}
    mask = np.ones((30, 9), np.int64)
    mask[0, 5:] = 0

    alone = session.run(list(ANSWERS), short)
    among = session.run(list(ANSWERS), {"input_ids": pieces, "attention_mask": mask})
    with torch.no_grad():
        whole = network(torch.tensor(pieces), torch.tensor(mask))

    for one, other, exact in zip(alone, among, whole, strict=False):
        assert one[0] == pytest.approx(other[0], abs=1e-5)
        assert np.abs(other - exact.numpy()).mean() < 0.1 * np.abs(exact.numpy()).mean()
