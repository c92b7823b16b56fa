"""Fixes the scales of weights that were shipped with scales taken text by text."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.external_data_helper import set_external_data
from onnxruntime.transformers.onnx_model import OnnxModel  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from models.onnx import MODEL, STEADY, TOKENIZER
from models.training import sets
from models.training.export import LOOKED_AT, Feed, Posts, fed, in_eight_bits
from models.training.network import PIECES, QUANTIZED

SMALL = ("quantized", "scale", "zero_point")  # how weights are stored in int8
LARGE_AGAIN = ("DequantizeLinear", "DequantizeLinear")  # a state and the weights that it meets
NONE: Final[Mapping[str, NDArray[Any]]] = MappingProxyType({})
MICROSOFT = "com.microsoft"
SHORT = 256  # bytes; what is no longer is written again, and does not point into the other file


def main() -> int:
    """Write the network of a folder anew; its numbers stay in the file they are in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the weights")
    folder = parser.parse_args().folder
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(PIECES, strategy="only_second")
    own = sets.own("train")
    steady = steadied(
        folder, [fed(tokenizer, one) for one in own[:: max(1, len(own) // LOOKED_AT)]]
    )
    sys.stdout.write(f"{steady}: {steady.stat().st_size:,} bytes\n")
    return 0


def steadied(folder: Path, feeds: Sequence[Feed], new: Mapping[str, NDArray[Any]] = NONE) -> Path:
    """Write how the numbers of the folder's int8 file work together once scales are fixed.

    `feeds` are posts that show how large each state becomes; `new` are numbers, by their names in
    that file, that take the place of those there.
    """
    shipped, steady, ready = folder / MODEL, folder / STEADY, folder / "ready.onnx"
    onnx.save(plain(renumbered(onnx.load(shipped), new)), ready)
    in_eight_bits(ready, steady, Posts(feeds))
    ready.unlink()
    network = joined(onnx.load(steady))
    point(network, shipped.read_bytes())
    onnx.save(network, steady)
    return steady


def renumbered(model: onnx.ModelProto, new: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """The file with these numbers in place of its own."""
    for one in model.graph.initializer:
        if one.name in new:
            one.CopyFrom(numpy_helper.from_array(new[one.name], one.name))
    return model


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with products of real numbers, as if nobody had made them small."""
    graph = model.graph
    stored = {one.name: one for one in graph.initializer}
    readers = {name: one for one in graph.node for name in one.input}
    made = {name: one for one in graph.node for name in one.output}
    nodes: list[onnx.NodeProto] = []
    products: dict[str, onnx.NodeProto] = {}  # those of before, by what they make
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            name = node.input[1].removesuffix(QUANTIZED)
            product = readers[readers[node.output[0]].output[0]]  # a Cast, then a Mul
            products[product.output[0]] = product
            whole, small = f"{name}_whole", [f"{name}_{what}" for what in SMALL]
            if "layer." in node.name:
                number, scale = (numpy_helper.to_array(stored[one]) for one in small[:2])
                real = number.astype(np.float32) * scale
                graph.initializer.append(numpy_helper.from_array(real, whole))
            else:
                nodes.append(helper.make_node("DequantizeLinear", small, [whole], whole, axis=1))
            states = [made[node.input[0]].input[0], whole]
            named = node.name.removesuffix("_quant")
            nodes.append(helper.make_node("MatMul", states, product.output, named))
            continue
        if node.op_type == "ReduceMax":  # of a size, as `export.levelled` has it by now
            size = f"{node.name}_size"
            nodes.append(helper.make_node("Abs", node.input, [size], size))
            node.input[0] = size
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(one for one in nodes if one is not products.get(one.output[0]))
    left = OnnxModel(model)
    left.prune_graph()  # what made states small
    return left.model


def joined(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network, whose products of small numbers add what is added to them at once.

    ONNX Runtime joins the product and its scales by itself when it opens a file, not the addition:
    one pass less over each state, a thirtieth of the time.
    """
    graph = model.graph
    stored = {one.name for one in graph.initializer}
    made = {name: one for one in graph.node for name in one.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for one in graph.node:
        for name in one.input:
            readers.setdefault(name, []).append(one)
    nodes: list[onnx.NodeProto] = []
    added: set[str] = set()
    for node in graph.node:
        parts = [made[name] for name in node.input if name in made]
        if node.op_type != "MatMul" or [one.op_type for one in parts] != [*LARGE_AGAIN]:
            if added.isdisjoint(node.output):
                nodes.append(node)
            continue
        given = [name for pair in zip(*(one.input for one in parts), strict=True) for name in pair]
        made_here = node.output
        [reader] = readers[node.output[0]]
        if reader.op_type == "Add" and (constants := stored.intersection(reader.input)):
            given += constants
            made_here = reader.output
            added.update(made_here)
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", given, made_here, node.name, domain=MICROSOFT)
        )
    del graph.node[:]
    graph.node.extend(nodes)
    if MICROSOFT not in {one.domain for one in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    left = OnnxModel(model)
    left.prune_graph()  # what made numbers large again
    return left.model


def point(model: onnx.ModelProto, shipped: bytes) -> None:
    """Let all numbers that are in the shipped file be read from there."""
    for one in model.graph.initializer:
        told = numpy_helper.to_array(one).tobytes()
        place = shipped.find(told) if len(told) > SHORT else -1
        if place >= 0:
            one.raw_data = told  # without which nothing points anywhere
            set_external_data(one, MODEL, place, len(told))
            one.ClearField("raw_data")


if __name__ == "__main__":
    sys.exit(main())
