"""The network: a multilingual encoder that answers four questions in one pass."""

from collections.abc import Container, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from models.onnx import MODEL, STEADY
from models.training.corpus import Harm

transformers = import_module("transformers")  # its own types take mypy a minute to read

HARMS = get_args(Harm)
FEELINGS = 3
HEADS = ("bert.", "classifier.", "complaint.", "feeling.", "urgent.", "harm.")
PIECES = 160  # a model reads no further
QUANTIZED, EVENED = "_quantized", "smooth_"  # how int8 numbers and even channels are named
MADE_SMALL = ("DynamicQuantizeLinear", "QuantizeLinear", "DequantizeLinear", "Div")


class Network(nn.Module):  # type: ignore[misc]  # torch may not be there to be checked against
    """Complaint, feeling, urgency and harm from one reading."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.of_feelings_only = False  # whether its base has only ever read single texts
        self.bert = transformers.BertModel(config, add_pooling_layer=True)
        self.give_heads(config.hidden_size)

    def give_heads(self, size: int) -> None:
        """Four heads, anew, on what says so many numbers of a text."""
        self.dropout = nn.Dropout(0.1)
        self.feeling = nn.Linear(size, FEELINGS)
        self.complaint = nn.Linear(size, 1)
        self.urgent = nn.Linear(size, 1)
        self.harm = nn.Linear(size, len(HARMS))

    def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, ...]:
        """The four answers as logits."""
        read = self.bert(input_ids=input_ids, attention_mask=attention_mask)
        return self.answers(read.last_hidden_state, attention_mask)

    def below(self, input_ids: Any, attention_mask: Any, layers: int) -> Any:
        """What the first layers make of the pieces."""
        state = self.bert.embeddings(input_ids=input_ids)
        return self._through(state, attention_mask, 0, layers)

    def above(self, state: Any, attention_mask: Any, layers: int) -> tuple[Any, ...]:
        """The answers, from what the first layers made of the pieces."""
        last = len(self.bert.encoder.layer)
        return self.answers(self._through(state, attention_mask, layers, last), attention_mask)

    def _through(self, state: Any, attention_mask: Any, first: int, last: int) -> Any:
        hidden = (1.0 - attention_mask[:, None, None, :].to(state.dtype)) * -1e9
        for layer in self.bert.encoder.layer[first:last]:
            out = layer(state, hidden)
            state = out[0] if isinstance(out, tuple) else out  # releases differ
        return state

    def answers(self, state: Any, attention_mask: Any) -> tuple[Any, ...]:
        """What the heads say of the last layer."""
        pooled = self.dropout(self.pooled(state, attention_mask))
        return (
            self.complaint(pooled).squeeze(-1),
            self.feeling(pooled),
            self.urgent(pooled).squeeze(-1),
            self.harm(pooled),
        )

    def pooled(self, state: Any, attention_mask: Any) -> Any:  # noqa: ARG002  (a teacher's reads it)
        """What the heads look at: the first piece, which has learnt to stand for all."""
        return self.bert.pooler(state)


def recovered(folder: Path, file: str = "") -> Network:
    """The network with the weights of a base in int8 ONNX, multiplied out again.

    They are read from a `file` of the folder: unless told, from the one that the product opens.
    """
    config = transformers.BertConfig.from_pretrained(str(folder), local_files_only=True)
    config.hidden_dropout_prob = 0.1
    config.attention_probs_dropout_prob = 0.0
    config._attn_implementation = "eager"  # noqa: SLF001  (the other is slow on CPUs)
    network = Network(config)
    opened = STEADY if (folder / STEADY).is_file() else MODEL
    told = weights(folder / (file or opened))
    own = network.state_dict()
    for name in own:
        known = told.get(name)
        if known is None and name.startswith("feeling."):
            known = told.get(name.replace("feeling.", "classifier."))
        if known is not None:
            own[name] = torch.tensor(known)
        elif name.startswith("bert.") and "position_ids" not in name:
            raise ValueError(f"{folder} has no weights for {name}")
    # An unhappy author is where the search for complaints begins.
    network.of_feelings_only = "complaint.bias" not in told
    if network.of_feelings_only:
        own["complaint.weight"] = own["feeling.weight"][:1] - own["feeling.weight"][1:].mean(0)
        own["complaint.bias"] = own["feeling.bias"][:1] - own["feeling.bias"][1:].mean(0)
    network.load_state_dict(own)
    return network


def weights(file: Path) -> dict[str, Any]:
    """Every weight of an int8 ONNX file in float32, by the name torch gives it."""
    graph = onnx.load(str(file)).graph
    raw = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    found: dict[str, Any] = {}
    for name, values in raw.items():
        plain = name.removeprefix("m.")
        if plain.startswith(HEADS) and plain.endswith((".weight", ".bias")):
            found[plain] = values
        elif "embeddings" in plain and plain.endswith(QUANTIZED):
            stem = name.removesuffix(QUANTIZED)
            found[stem.removeprefix("m.")] = _multiplied(raw, stem)
    made = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "MatMul" and (head := node.input[1].removeprefix("m.")) in found:
            found[head] = found[head].T.copy()  # ONNX multiplies from the other side
        if (stem := numbers_of(node, made, raw)) is None:
            continue
        name = stem.removeprefix("m.")
        if not name.endswith(".weight"):  # a nameless constant: the node says whose it is
            name = f"{whose(node)}.weight"
        found[name] = _multiplied(raw, stem).T.copy()
        if (factor := evened(node, made)) is not None:
            found[name] *= raw[factor]
    return found


def numbers_of(node: Any, made: Mapping[str, Any], stored: Container[str]) -> str | None:
    """The stem of the names of the int8 numbers that a state is multiplied with, where it is."""
    name = ""
    if node.op_type.startswith("MatMulInteger"):  # with its scales or without
        name = node.input[1]
    elif node.op_type == "MatMul" and node.input[1] in made:  # it is fixed
        name = made[node.input[1]].input[0]
    return name.removesuffix(QUANTIZED) if name in stored and name.endswith(QUANTIZED) else None


def whose(node: Any) -> str:
    """The part of the network that a node belongs to, by the name torch gives it."""
    return ".".join(part for part in node.name.split("/")[:-1] if part not in {"", "m"})


def evened(node: Any, made: Mapping[str, Any]) -> str | None:
    """The name of what the channels of a state were multiplied by before, where they were."""
    before = made.get(node.input[0])
    while before is not None and before.op_type in MADE_SMALL:
        before = made.get(before.input[0])
    if before is None or before.op_type != "Mul" or not before.name.startswith(EVENED):
        return None
    return str(before.input[1])


def _multiplied(raw: dict[str, Any], stem: str) -> Any:
    """Whole numbers times their scale; scales run along the last axis when there are several."""
    whole = raw[f"{stem}{QUANTIZED}"].astype(np.float32)
    zero = raw[f"{stem}_zero_point"].astype(np.float32)
    scale = raw[f"{stem}_scale"].astype(np.float32)
    if scale.size > 1 and whole.shape[-1] != scale.size:
        scale, zero = scale[:, None], zero.reshape(-1)[:, None]
    return (whole - zero) * scale
