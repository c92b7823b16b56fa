"""Writes trained weights as the int8 file that the product runs, and checks it against float32."""

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.onnx_model import OnnxModel  # type: ignore[import-untyped]
from tokenizers import Tokenizer
from typing_extensions import override

from models.openvino import WHOLE
from models.training import build, sets
from models.training.network import EVENED, PIECES, Network, recovered

ANSWERS = ("complaint", "feeling", "urgent", "harm")
LOOKED_AT = 400  # posts that were learnt from, to see how large each number becomes
SHARE = 0.75  # of a number's size, how much the weights take over
WIDEST = re.compile(r"layer\.\d+/output/dense/")  # the products that end a layer
QUIET = 0.1  # no piece is made louder than by this
Feed = dict[str, NDArray[np.int64]]


def main() -> int:
    """Export, quantise, and say on how many labels both files agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the int8 base")
    parser.add_argument("--weights", type=Path, required=True, help="what the training left")
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    network = recovered(told.base)
    network.load_state_dict(torch.load(told.weights, weights_only=True))
    whole = told.out / WHOLE
    for name in (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
    ):
        shutil.copyfile(told.base / name, told.out / name)
    tokenizer = Tokenizer.from_file(str(told.out / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(PIECES, strategy="only_second")
    own = sets.own("train")
    feeds = [fed(tokenizer, one) for one in own[:: max(1, len(own) // LOOKED_AT)]]
    written(network.eval(), whole, told.out / "model_int8.onnx", feeds)
    sys.stdout.write(agreement(whole, told.out / "model_int8.onnx", tokenizer) + "\n")
    return 0


def fed(tokenizer: Tokenizer, example: sets.Example) -> Feed:
    """What the network reads of one post."""
    ids = np.array([build.encoded(tokenizer, example)])
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def written(network: Network, whole: Path, small: Path, feeds: Sequence[Feed]) -> None:
    """The network in float32, then in int8 with a scale for each channel."""
    traced(answering(network), whole)
    ready = whole.with_name("ready.onnx")
    onnx.save(settled(onnx.load(whole)), ready)
    quant_pre_process(str(ready), str(ready), skip_symbolic_shape=True)
    onnx.save(levelled(smoothed(onnx.load(ready), feeds)), ready)
    eight_bits = {"weight_type": QuantType.QInt8, "per_channel": True}
    quantize_dynamic(str(ready), str(ready), op_types_to_quantize=["Gather"], **eight_bits)
    in_eight_bits(ready, small, Posts(feeds))
    ready.unlink()


def traced(network: Network, whole: Path) -> None:
    """The network as it is, in float32."""
    row = torch.tensor([[0, 5, 2, 9, 2]])
    torch.onnx.export(
        network,
        (row, torch.ones_like(row)),
        str(whole),
        input_names=["input_ids", "attention_mask"],
        output_names=list(ANSWERS),
        dynamic_axes={name: {0: "b", 1: "s"} for name in ("input_ids", "attention_mask")},
        opset_version=17,
        dynamo=False,
    )


def in_eight_bits(ready: Path, small: Path, posts: CalibrationDataReader) -> None:
    """The products of the layers in int8, whose states have a scale that no text moves.

    So a post is told the same in any company, and many go through at once.
    """
    quantize_static(
        str(ready),
        str(small),
        posts,
        nodes_to_quantize=[node.name for node in products(onnx.load(ready))],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
    )


class Posts(CalibrationDataReader):  # type: ignore[misc]
    """Posts that show how large each state becomes."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.left = iter(feeds)

    @override
    def get_next(self) -> Feed | None:
        """The next one, while there are any."""
        return next(self.left, None)


def products(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The products of a state with weights, in the layers."""
    stored = {one.name for one in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in stored and "layer." in node.name
    ]


def answering(network: Network) -> Network:
    """The same network, whose last layer makes nothing of what no answer looks at.

    All answers look at the first piece, so only that goes through the last layer: a twentieth
    of all work less, and the same answers.
    """
    network = deepcopy(network)
    attention = network.bert.encoder.layer[-1].attention
    seen, output = attention.self, attention.output.forward

    def first(hidden_states: Any, attention_mask: Any = None, *_: Any, **__: Any) -> Any:
        state = hidden_states
        heads = (*state.shape[:1], -1, seen.num_attention_heads, seen.attention_head_size)
        query, key, value = (
            part(pieces).reshape(heads).transpose(1, 2)
            for part, pieces in ((seen.query, state[:, :1]), (seen.key, state), (seen.value, state))
        )
        alike = query @ key.transpose(-1, -2) / seen.attention_head_size**0.5
        if attention_mask is not None:
            alike = alike + attention_mask[:, :, :1]
        shares = alike.softmax(-1)
        return (shares @ value).transpose(1, 2).reshape(*state.shape[:1], 1, -1), None

    seen.forward = first
    attention.output.forward = lambda state, before: output(state, before[:, :1])
    return network


def settled(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network, which no longer asks for its sizes wherever they stay as they are.

    Heads are taken apart and put together in every layer, each time by asking how many texts and
    pieces there are. ONNX writes 0 for a size that a Reshape leaves alone.
    """
    made = {name: node for node in model.graph.node for name in node.output}

    def size(name: str, place: int) -> int | None:
        """A part of a shape: a constant, or 0 where it is the same place of another shape."""
        node = made.get(name)
        if node is not None and node.op_type == "Constant":
            return int(numpy_helper.to_array(node.attribute[0].t).item())
        if node is None or node.op_type != "Unsqueeze":
            return None
        gather = made.get(node.input[0])
        if gather is None or gather.op_type != "Gather" or gather.input[0] not in made:
            return None
        asked = size(gather.input[1], place)
        return 0 if made[gather.input[0]].op_type == "Shape" and asked == place else None

    for node in model.graph.node:
        shape = made.get(node.input[1]) if node.op_type == "Reshape" else None
        if shape is not None and shape.op_type == "Concat":
            sizes = [size(name, place) for place, name in enumerate(shape.input)]
            if None not in sizes and "layer." in node.name:
                known = f"{node.output[0]}_shape"
                model.graph.initializer.append(
                    numpy_helper.from_array(np.array(sizes, dtype=np.int64), known)
                )
                node.input[1] = known
    whole = OnnxModel(model)
    whole.prune_graph()  # what asked for them
    return whole.model


def smoothed(model: onnx.ModelProto, feeds: Sequence[Feed]) -> onnx.ModelProto:
    """The same network, easier to write in int8 (SmoothQuant, Xiao and others 2023).

    In a transformer a few channels carry numbers many times larger than the rest, and what flows
    between layers has one scale a text: beside the large, the small are lost. So each channel is
    divided by some of its size, and the weights that it meets are multiplied by the same.
    """
    stored = {one.name: one for one in model.graph.initializer}
    products: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            products.setdefault(node.input[0], []).append(node)
    sizes = largest(model, list(products), feeds)
    divisions: dict[int, onnx.NodeProto] = {}
    for number, (state, nodes) in enumerate(products.items()):
        weights = [numpy_helper.to_array(stored[node.input[1]]) for node in nodes]
        met = np.maximum(np.max([np.abs(one).max(axis=1) for one in weights], axis=0), 1e-5)
        scale = np.maximum(sizes[state], 1e-3) ** SHARE / met ** (1 - SHARE)
        scale /= np.exp(np.log(scale).mean())
        name = f"{EVENED}{number}"
        factor = numpy_helper.from_array((1 / scale).astype(np.float32), name)
        model.graph.initializer.append(factor)
        divisions[id(nodes[0])] = helper.make_node("Mul", [state, name], [f"{name}_out"], name=name)
        for node, old in zip(nodes, weights, strict=True):
            new = (old * scale[:, None]).astype(np.float32)
            stored[node.input[1]].CopyFrom(numpy_helper.from_array(new, node.input[1]))
            node.input[0] = f"{name}_out"
    ordered = [
        one
        for node in model.graph.node
        for one in ([divisions[id(node)], node] if id(node) in divisions else [node])
    ]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    return model


def levelled(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network, whose widest states are as loud in every piece.

    Single pieces, often the first or a full stop, are many times louder than all others where a
    layer is widest (Sun and others 2024, massive activations), and a text has one scale. So each
    piece is divided by its loudest number before the product that ends the layer, and multiplied
    by it afterwards.
    """
    stored = {one.name for one in model.graph.initializer}
    quiet = numpy_helper.from_array(np.array(QUIET, dtype=np.float32), "quiet")
    model.graph.initializer.append(quiet)
    ordered: list[onnx.NodeProto] = []
    for node in model.graph.node:
        ends = node.op_type == "MatMul" and node.input[1] in stored and WIDEST.search(node.name)
        if not ends:
            ordered.append(node)
            continue
        state, name, out = node.input[0], f"level_{len(ordered)}", node.output[0]
        loud, level, product = f"{name}_loud", f"{name}_level", f"{name}_product"
        node.input[0], node.output[0] = level, product
        ordered += [
            helper.make_node("Abs", [state], [f"{name}_size"], f"{name}_size"),
            helper.make_node(
                "ReduceMax", [f"{name}_size"], [f"{name}_max"], f"{name}_max", axes=[-1]
            ),
            helper.make_node("Max", [f"{name}_max", quiet.name], [loud], loud),
            helper.make_node("Div", [state, loud], [level], level),
            node,
            helper.make_node("Mul", [product, loud], [out], product),
        ]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    return model


def largest(
    model: onnx.ModelProto, states: Sequence[str], feeds: Sequence[Feed]
) -> dict[str, NDArray[np.float32]]:
    """The largest size of each channel of these inner states over all posts."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in states)
    session = onnxruntime.InferenceSession(watched.SerializeToString())
    found: dict[str, NDArray[np.float32]] = {}
    for feed in feeds:
        for name, state in zip(states, session.run(list(states), feed), strict=True):
            size = np.abs(state).reshape(-1, state.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, size), size)
    return found


def agreement(whole: Path, small: Path, tokenizer: Tokenizer) -> str:
    """How often both files give a post the same label."""
    sessions = [onnxruntime.InferenceSession(str(file)) for file in (whole, small)]
    same = dict.fromkeys(ANSWERS, 0)
    examples = sets.own("calibration")
    for example in examples:
        feed = fed(tokenizer, example)
        (one, other) = (session.run(list(ANSWERS), feed) for session in sessions)
        for answer, left, right in zip(ANSWERS, one, other, strict=True):
            labels = [_best(told) if answer == "feeling" else told > 0 for told in (left, right)]
            same[answer] += bool(np.all(labels[0] == labels[1]))
    shares = ", ".join(f"{name} {count / len(examples):.1%}" for name, count in same.items())
    return f"int8 agrees with float32 on: {shares} of {len(examples)} posts"


def _best(logits: Any) -> int:
    return int(np.argmax(logits[0]))


if __name__ == "__main__":
    sys.exit(main())
