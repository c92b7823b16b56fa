"""Judges posts with our own weights in OpenVINO, which is quick on processors with AMX."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from typing_extensions import override

from models import onnx
from models.errors import BrokenModel
from models.onnx import Card, Onnx
from models.verdict import Question

PREFIX = "openvino"
MARK = " (openvino)"  # behind the model's name and version
WHOLE = "model_float32.onnx"  # four times as large, so it does not come with the listener
INSTALL = (
    "The model 'openvino' needs OpenVINO. Install the listener with it: "
    ".venv/bin/pip install -e '.[openvino]' in its folder. Or choose another model."
)


class OpenVino(Onnx):
    """The same classifier, run by OpenVINO."""

    @property
    @override
    def name(self) -> str:
        """The model, its version, and what runs it: the last digits differ."""
        return f"{super().name}{MARK}"


class Compiled:
    """A compiled network that answers as a session of ONNX Runtime does, from several threads."""

    def __init__(self, network: Any, requests: int) -> None:
        self.names = [output.get_any_name() for output in network.outputs]
        self.free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(requests):
            self.free.put(network.create_infer_request())

    def run(self, names: Sequence[str] | None, given: Mapping[str, Any]) -> list[Any]:
        """The outputs of these names, of all where none is named, for rows of pieces."""
        request = self.free.get()
        try:
            answers = request.infer(given)
            return [answers[name].copy() for name in names or self.names]
        finally:
            self.free.put(request)


def load(folder: Path, *, threads: int | None = None) -> OpenVino:
    """Open the weights in a folder; BrokenModel when they or OpenVINO are not whole.

    Reads the float32 file where the folder has one, in bf16 where the processor has that, else
    the int8 file. Blocks for some seconds while the network is compiled.
    """
    card = onnx.checked(folder)
    file = weights(folder, card)
    if file.name == WHOLE:  # only whole numbers add up to the same in any company
        card = card.model_copy(update={"together": False})
    at_once = threads or onnx.cores()
    try:
        openvino = import_module("openvino")
    except ModuleNotFoundError as problem:
        raise BrokenModel(INSTALL) from problem
    core = openvino.Core()
    settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": at_once, "NUM_STREAMS": at_once}
    settings |= {"INFERENCE_PRECISION_HINT": precision(core) if file.name == WHOLE else "f32"}
    try:
        network = core.read_model(file)
        if card.embedding:
            network.add_outputs(card.embedding)
        network = core.compile_model(network, "CPU", settings)
    except RuntimeError as problem:
        raise BrokenModel(
            f"OpenVINO cannot open the network in {folder} as its {onnx.CARD} says. "
            f"{onnx.REINSTALL}"
        ) from problem
    model = OpenVino(card, onnx.tokenizer(folder), Compiled(network, at_once), at_once)
    model.judge([Question("ready")])
    return model


def weights(folder: Path, card: Card) -> Path:
    """The file to run; BrokenModel when the float32 file is another than the card's."""
    whole = folder / WHOLE
    if WHOLE not in card.sha256 or not whole.is_file():
        return folder / card.network
    with whole.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != card.sha256[WHOLE]:
            raise BrokenModel(
                f"The file {whole} is not the one that the model {card.name!r} was built with: "
                "it is cut short or changed. Build it again, or take it away."
            )
    return whole


def precision(core: Any) -> str:
    """`bf16` where the processor multiplies that quickly, else `f32`."""
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
