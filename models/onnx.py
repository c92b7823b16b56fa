"""Judges posts with a small transformer in ONNX Runtime."""

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import BrokenModel
from models.pairs import about
from models.text import Language, language, language_name, normalise
from models.verdict import Feeling, Question, Verdict

MEANING = "/bert/encoder/layer.5/output/LayerNorm/LayerNormalization_output_0"
CARD = "listener.json"
MODEL = "model_int8.onnx"
STEADY = "steady.onnx"  # how the numbers of MODEL work together, with scales that no text moves
TOKENIZER = "tokenizer.json"
END = 2  # the number of the piece that ends a text, in the tokenizers of all our pairs
FILLER = 1  # the number of the piece that stands for none
AREA = 320  # pieces, fillers included, that go through at once; more would not stay at hand
# On a CPU the sum and the norm, one after the other, are seven times as quick as both in one.
SLOWER = ["SkipLayerNormFusion"]
# Where a network that was read from memory looks for numbers that are in another file.
NUMBERS_IN = "session.model_external_initializers_file_folder_path"
MOST_CHARACTERS = 4_000  # far beyond what fits into the tokens a model reads


class Zone(NamedTuple):
    """The probabilities between which a model does not trust itself."""

    low: float
    high: float


NOT_LEARNT = Zone(0.35, 0.65)  # all that an opinion may say in a language never learnt


class Scale(NamedTuple):
    """How the output for a complaint becomes a probability that holds what it says."""

    slope: float
    offset: float


class Card(BaseModel):
    """What a folder of weights says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    labels: tuple[Feeling, Feeling, Feeling]  # in the order of the model's outputs
    languages: frozenset[str]  # that it was trained on
    tokens: int = Field(gt=2)  # it reads no further
    temperature: float = Field(gt=0)  # divides the outputs, so that 0.8 is right 8 times in 10
    complaint: Scale | None = None  # of a model that reads brand and text and knows complaints
    starred: Scale | None = None  # the same for a post with stars, where that is another
    context: bool = False  # whether such a model reads what is answered, and accounts of the brand
    together: bool = False  # whether several posts may go through at once and none feels another
    embedding: str | None = None  # the inner state of such a model that tells what a text means
    grey: Zone
    grey_where_language_is_unclear: Zone
    sha256: dict[str, str]

    @property
    def network(self) -> str:
        """The file to open; `STEADY` reads its numbers from `MODEL`, which lies beside it."""
        return STEADY if STEADY in self.sha256 else MODEL


class Tokenizer(Protocol):
    """What we use of a tokenizer of transformers, whose own types take mypy a minute to read."""

    def __call__(
        self,
        text: list[str],
        text_pair: list[str] | None = None,
        *,
        truncation: bool | str,
        max_length: int,
        return_attention_mask: bool,
        return_token_type_ids: bool,
    ) -> Mapping[str, list[list[int]]]:
        """Cut texts into numbered pieces, `input_ids`."""


class Session(Protocol):
    """What we use of a session of ONNX Runtime, or of what stands in for one."""

    def run(self, names: list[str] | None, given: Mapping[str, Any], /) -> Sequence[Any]:
        """The outputs of these names, or all of them."""


class Opinion(NamedTuple):
    """What a network makes of one question."""

    complaint: float
    feelings: dict[Feeling, float]
    embedding: bytes = b""


class Onnx:
    """A classifier of the author's feeling, and of complaints where it has learnt them.

    Of a model that knows feelings only, a negative one counts as a complaint.

    Where the activations are quantised with a scale taken over all that goes through at once,
    the company a post keeps would move its probability (by up to 0.18, measured). Then posts run
    one at a time, side by side, one on each core. A network whose scales are fixed takes posts of
    like length together (`Card.together`), which is half as quick again: the weights are read
    once for all of them.
    """

    def __init__(
        self,
        card: Card,
        tokenizer: Tokenizer,
        session: Session,
        threads: int,
    ) -> None:
        self.card = card
        self.tokenizer = tokenizer
        self.session = session
        self.threads = threads

    @property
    def name(self) -> str:
        """The model and its version."""
        return f"{self.card.name} {self.card.version}"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Say for each question, in order, what the author feels and whether they complain."""
        context = self.card.context
        texts = [
            normalise(question.text[:MOST_CHARACTERS], question.brand if context else "")
            for question in questions
        ]
        tongues = [language(question.text, question.language) for question in questions]
        whom = [about(one.brand, one.stars, one.answers if context else None) for one in questions]
        opinions = self.opinions(whom, texts, [one.stars is not None for one in questions])
        return [
            self.verdict(opinion, tongue) if text else self.wordless(tongue)
            for text, tongue, opinion in zip(texts, tongues, opinions, strict=True)
        ]

    def opinions(
        self, whom: Sequence[str], texts: Sequence[str], starred: Sequence[bool]
    ) -> list[Opinion]:
        """The calibrated probabilities, text by text; `starred` are those that come with stars."""
        if not texts:
            return []
        pair = self.card.complaint is not None
        pieces = self.tokenizer(
            list(whom if pair else texts),
            list(texts) if pair else None,
            truncation="only_second" if pair else True,
            max_length=self.card.tokens,
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        groups = self.groups([len(ids) for ids in pieces])
        texts_of = [[pieces[place] for place in group] for group in groups]
        scales = [[self.scale(starred=starred[place]) for place in group] for group in groups]
        if self.threads == 1 or len(groups) == 1:
            told = list(map(self.run, texts_of, scales))
        else:
            with ThreadPoolExecutor(self.threads, "judge") as side_by_side:
                told = list(side_by_side.map(self.run, texts_of, scales))
        found = {
            place: opinion
            for group, opinions in zip(groups, told, strict=True)
            for place, opinion in zip(group, opinions, strict=True)
        }
        return [found[place] for place in range(len(pieces))]

    def groups(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which texts go through together: their places, those of like length side by side."""
        if not self.card.together:
            return [[place] for place in range(len(lengths))]
        most = -(-len(lengths) // self.threads)  # every core has something to do
        found: list[list[int]] = []
        for place in sorted(range(len(lengths)), key=lengths.__getitem__):
            several = len(found[-1]) + 1 if found else 0
            if 0 < several <= most and several * lengths[place] <= AREA:
                found[-1].append(place)
            else:
                found.append([place])
        return found

    def scale(self, *, starred: bool) -> Scale | None:
        """How the output for a complaint is read: stars make a network surer, and rightly."""
        return self.card.starred if starred and self.card.starred else self.card.complaint

    def run(self, texts: Sequence[list[int]], scales: Sequence[Scale | None]) -> list[Opinion]:
        """Run the network over some texts, the shorter ones filled up."""
        longest = max(map(len, texts))
        ids = np.full((len(texts), longest), FILLER, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, pieces in enumerate(texts):
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        given = {"input_ids": ids, "attention_mask": mask}
        if self.card.complaint is None:
            (outputs,) = self.session.run(None, given)
            felt = [self.feelings(one) for one in outputs.tolist()]
            return [Opinion(feelings[Feeling.NEGATIVE], feelings) for feelings in felt]
        wanted = ["complaint", "feeling", *([self.card.embedding] if self.card.embedding else [])]
        complaints, outputs, *states = self.session.run(wanted, given)
        return [
            Opinion(
                probability(float(complaints[row]), scale),
                self.feelings(outputs[row].tolist()),
                direction(states[0][row, : len(pieces)], pieces) if states else b"",
            )
            for row, (pieces, scale) in enumerate(zip(texts, scales, strict=True))
        ]

    def feelings(self, outputs: list[float]) -> dict[Feeling, float]:
        """The calibrated probability of each feeling."""
        scaled = [output / self.card.temperature for output in outputs]
        powers = [math.exp(output - max(scaled)) for output in scaled]
        return {
            label: power / sum(powers)
            for label, power in zip(self.card.labels, powers, strict=True)
        }

    def verdict(self, opinion: Opinion, tongue: Language | None) -> Verdict:
        """Weigh the probabilities by what the model can know."""
        complaint, feelings, embedding = opinion
        feeling = max(feelings, key=feelings.__getitem__)
        confidence = feelings[feeling]
        learnt = tongue is None or tongue.code in self.card.languages
        grey = self.card.grey if tongue else self.card.grey_where_language_is_unclear
        if not learnt:
            # A name or an emoji still says something: enough to sort by, not to act on.
            complaint = NOT_LEARNT.low + (NOT_LEARNT.high - NOT_LEARNT.low) * complaint
            confidence *= NOT_LEARNT.high - NOT_LEARNT.low
        unsure = not learnt or grey.low <= complaint <= grey.high
        return Verdict(
            complaint=complaint,
            feeling=feeling,
            confidence=confidence,
            unsure=unsure,
            model=self.name,
            language=tongue.code if tongue else None,
            why=self.why(tongue) if unsure else "",
            embedding=embedding,
            grey=(grey.low, grey.high) if learnt else None,
        )

    def why(self, tongue: Language | None) -> str:
        """The reason for an unsure verdict, for staff."""
        if tongue is None:
            return "too close to call, and the language is unclear"
        if tongue.code in self.card.languages:
            return "too close to call"
        return f"written in {language_name(tongue.code)}, which this model has not learnt"

    def wordless(self, tongue: Language | None) -> Verdict:
        """Say that there is nothing to judge."""
        return Verdict(
            complaint=0.5,
            feeling=Feeling.NEUTRAL,
            confidence=0.0,
            unsure=True,
            model=self.name,
            language=tongue.code if tongue else None,
            why="there is no text to judge",
        )


def load(folder: Path, *, threads: int | None = None) -> Onnx:
    """Open the weights in a folder; BrokenModel when they are not whole.

    Blocks for about two seconds. `threads` is how many posts run side by side, one on each
    core unless told.
    """
    card = checked(folder)
    model = Onnx(card, tokenizer(folder), session(folder, card), threads or cores())
    # The first call also tells the tokenizer where to cut, which two threads must not do at once.
    model.judge([Question("ready")])
    return model


def carded(folder: Path) -> Card:
    """Read the card."""
    try:
        return Card.model_validate_json((folder / CARD).read_bytes())
    except OSError as problem:
        raise BrokenModel(
            f"The model {folder.name!r} has no readable {CARD} in {folder}. {REINSTALL}"
        ) from problem
    except ValidationError as problem:
        where = ", ".join(
            ".".join(map(str, error["loc"])) or "the file" for error in problem.errors()
        )
        raise BrokenModel(
            f"The card {folder / CARD} cannot be understood ({where}). {REINSTALL}"
        ) from problem


def checked(folder: Path) -> Card:
    """Read the card and compare the files with it."""
    card = carded(folder)
    for name in sorted({MODEL, TOKENIZER, card.network}):
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as problem:
            raise BrokenModel(
                f"The model {card.name!r} lacks its file {folder / name}. {REINSTALL}"
            ) from problem
        if found != card.sha256.get(name):
            raise BrokenModel(
                f"The file {folder / name} is not the one that the model {card.name!r} was "
                f"published with: it is cut short or changed. {REINSTALL}"
            )
    return card


REINSTALL = "Install the listener again, or choose another model."


def tokenizer(folder: Path) -> Tokenizer:
    """Open the tokenizer, without torch and without a word about it."""
    # transformers looks at this only while it is imported; a second is spent, so not before.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    # The tokenizer's own threads would complain after a fork, and save nothing here.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers = import_module("transformers")
    opened: Tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / TOKENIZER))
    return opened


def session(folder: Path, card: Card) -> ort.InferenceSession:
    """Open the network for one thread at a time, which sleeps when it has nothing to do.

    The inner state that tells what a text means is given out beside the answers.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry(NUMBERS_IN, str(folder))
    options.log_severity_level = 3  # errors, which are also raised
    network: Path | bytes = folder / card.network
    if card.embedding:
        network = (folder / card.network).read_bytes() + output(card.embedding)
    try:
        return ort.InferenceSession(
            network, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
        )
    except RuntimeError as problem:
        raise BrokenModel(
            f"The network in {folder} cannot be opened as its {CARD} says. {REINSTALL}"
        ) from problem


def output(name: str) -> bytes:
    """What makes an inner state of a network one of its outputs, put behind its file.

    A protocol buffer that is continued is merged with what it said before: a list grows. So this
    is a model (field 7: its graph (12: an output (1: its name))), and the weights stay as shipped.
    """
    told = name.encode()
    for field in (1, 12, 7):
        told = bytes([field << 3 | 2]) + length(len(told)) + told
    return told


def length(number: int) -> bytes:
    """A number as protocol buffers write it: seven bits a byte, the lowest first."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


def probability(output: float, scale: Scale | None) -> float:
    """What an output for a complaint comes to."""
    slope, offset = scale or (1.0, 0.0)
    return 1 / (1 + math.exp(-(slope * output + offset)))


def direction(state: NDArray[np.float32], ids: Sequence[int]) -> bytes:
    """Where a text lies: the mean of its pieces' states (pieces by size), without the brand's.

    The second half of a pair begins after the first end mark, which is also the last of all.
    """
    mean = state[ids.index(END) + 1 :].mean(axis=0)
    norm = float(np.linalg.norm(mean))
    return (mean / norm).astype("<f2").tobytes() if norm > 0 else b""


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
