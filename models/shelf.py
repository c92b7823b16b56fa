"""Finds models by name."""

from pathlib import Path

from models import onnx
from models.classifier import Classifier
from models.errors import UnknownModel
from models.lexicon import Lexicon

WEIGHTS = Path(__file__).parent / "weights"
SHIPPED = ("minilm-l6-en",)  # folders of weights
DEFAULT = "minilm-l6-en"


def names() -> tuple[str, ...]:
    """The models that can be opened; `onnx` is another word for the default one."""
    return (*SHIPPED, "lexicon")


def open(name: str = DEFAULT, *, threads: int | None = None) -> Classifier:  # noqa: A001 - read as `shelf.open`
    """Open a model; it may block for some seconds.

    UnknownModel when there is none of that name, BrokenModel when its weights are not whole.
    `threads` is how many posts it judges side by side: one on each core unless told.
    """
    if name == "lexicon":
        return Lexicon()
    if name == "onnx":
        name = DEFAULT
    if name in SHIPPED:
        return onnx.load(WEIGHTS / name, threads=threads)
    raise UnknownModel(f"There is no model called {name!r}. Choose one of: {', '.join(names())}.")
