"""Judges posts with any text classifier from Hugging Face, run here by PyTorch."""

import hashlib
import inspect
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from models import labels, weighing
from models.errors import BrokenModel
from models.labels import Mapped
from models.verdict import Question, Verdict
from models.weighing import Shares

TOKENS = 128  # a complaint says so at its beginning; more costs time and changes little
TOGETHER = 512  # tokens in one batch: more at once is slower on a processor
TOGETHER_ON_GPU = 16_384
PREFIX = "hub:"
NAME = re.compile(r"(?P<model>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?", re.ASCII)
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
KEPT = ("*.json", "*.txt", "*.model", WEIGHTS[0])  # what is fetched of a model
TRIAL = ("ready", "I have waited for my parcel for three weeks and nobody answers my letters.")


class Hub:
    """A classifier that somebody else has trained, with the meanings of its labels."""

    def __init__(
        self,
        name: str,
        machine: "Machine",
        names: Sequence[str],
        mapped: Mapped,
        languages: frozenset[str] | None,
    ) -> None:
        self.name = name
        self.machine = machine
        self.names = names  # of the labels, in the order of the network's outputs
        self.mapped = mapped
        self.languages = languages

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Say for each question, in order, what the author feels and whether they complain."""
        return weighing.judge(questions, self.ask, name=self.name, languages=self.languages)

    def ask(self, texts: Sequence[str]) -> list[Shares]:
        """The probability of each meaning, text by text."""
        return [
            weighing.shares(
                repr(self.name), dict(zip(self.names, row, strict=True)), mapped=self.mapped
            )
            for row in self.machine.run(texts)
        ]


class Machine:
    """A tokenizer and a network on the fastest device there is. Threads may share it."""

    def __init__(self, torch: Any, tokenizer: Any, network: Any, device: str) -> None:
        self.torch = torch
        self.tokenizer = tokenizer
        self.network = network
        self.device = device
        self.tokens = readable(tokenizer, network)
        self.together = TOGETHER if device == "cpu" else TOGETHER_ON_GPU
        self.one_by_one = False
        # A tokenizer keeps where to cut inside itself, which two threads must not set at once.
        self.cutting = threading.Lock()
        accepted = inspect.signature(network.forward).parameters
        self.inputs = {"input_ids", "attention_mask", "token_type_ids"} & set(accepted)

    def run(self, texts: Sequence[str]) -> list[list[float]]:
        """The probability of each label, text by text, whatever else is asked with it."""
        with self.cutting:
            cut = self.tokenizer(list(texts), truncation=True, max_length=self.tokens)
        pieces = {name: cut[name] for name in self.inputs if name in cut}
        found: dict[int, list[float]] = {}
        for batch in self.batches([len(ids) for ids in pieces["input_ids"]]):
            rows = self.pass_through(
                {name: [column[place] for place in batch] for name, column in pieces.items()}
            )
            found |= dict(zip(batch, rows, strict=True))
        return [found[place] for place in range(len(texts))]

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Texts of like length together, by their places: little padding, and not too much."""
        batch: list[int] = []
        for place in sorted(range(len(lengths)), key=lengths.__getitem__):
            full = (len(batch) + 1) * lengths[place] > self.together
            if batch and (full or self.one_by_one):
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def pass_through(self, pieces: Mapping[str, list[list[int]]]) -> list[list[float]]:
        """Run the network over one batch, padded to its longest text."""
        if len(pieces["input_ids"]) > 1:
            padded = self.tokenizer.pad(dict(pieces), padding=True, return_tensors="pt")
        else:  # some tokenizers have nothing to pad with
            padded = {name: self.torch.tensor(column) for name, column in pieces.items()}
        with self.torch.inference_mode():
            told = self.network(**{name: padded[name].to(self.device) for name in pieces})
        rows: list[list[float]] = told.logits.float().softmax(-1).tolist()
        return rows

    def settle(self) -> None:
        """Find out whether this network answers the same in company, else ask one by one.

        Some look at the padding, some have none: then a verdict would hang on its neighbours.
        """
        alone = [self.run([text])[0] for text in TRIAL]
        try:
            company = self.run(TRIAL)
        except Exception:  # noqa: BLE001  (alone it could, so company is what it cannot bear)
            self.one_by_one = True
            return
        slack = 1e-4 if self.device == "cpu" else 1e-2
        self.one_by_one = any(
            not abs(one - other) < slack
            for apart, together in zip(alone, company, strict=True)
            for one, other in zip(apart, together, strict=True)
        )


def load(
    what: str,
    *,
    threads: int | None = None,
    mapping: Mapped | None = None,
    languages: frozenset[str] | None = None,
) -> Hub:
    """Open a folder, or a name on the Hugging Face hub with or without `@revision`.

    Blocks for seconds, and for minutes when the model must be fetched first. BrokenModel when
    it cannot be used, BadDeclaration when `mapping` does not fit it. `threads` is how many cores
    PyTorch may use.
    """
    folder = local(what)
    torch, transformers = libraries(what)
    folder = folder or fetched(what)
    shown = NAME.fullmatch(what)
    name = f"{PREFIX}{shown['model'] if shown else folder.resolve().name} {version(folder)}"
    if threads:
        torch.set_num_threads(threads)
    tokenizer, network, device = opened(folder, torch, transformers)
    names = [network.config.id2label[place] for place in range(network.config.num_labels)]
    mapped = labels.meanings(repr(PREFIX + what), names, mapping)
    machine = Machine(torch, tokenizer, network.to(device).eval(), device)
    try:
        machine.settle()
    except Exception as problem:
        raise BrokenModel(
            f"The model in {folder} fails on a first text ({first_line(problem)}). Save or fetch "
            "it again, or choose another."
        ) from problem
    model = Hub(name, machine, names, mapped, languages)
    model.ask(TRIAL)
    return model


def local(what: str) -> Path | None:
    """The folder that is meant, None for a name on the hub.

    This is looked at before transformers is asked, which takes a folder that is not there for
    a name and complains about the hub.
    """
    try:
        folder = Path(what).expanduser()
    except RuntimeError:  # the home of nobody
        folder = Path(what)
    if folder.is_dir():
        if (folder / "config.json").is_file():
            return folder
        raise BrokenModel(
            f"The folder {folder} has no config.json, so it holds no model that was saved for "
            "transformers. Choose another."
        )
    if folder.exists():
        raise BrokenModel(f"{folder} is a file. Give the folder that the model was saved to.")
    if what.startswith(("/", ".", "~")) or not NAME.fullmatch(what):
        raise BrokenModel(
            f"There is no folder {folder}. Give the folder that a model was saved to, or its name "
            f"on the Hugging Face hub, for example {PREFIX}organisation/model."
        )
    return None


def libraries(what: str) -> tuple[Any, Any]:
    """PyTorch and transformers, which only this module needs and which take seconds to import."""
    be_discreet()
    try:
        torch = import_module("torch")
    except ImportError as problem:
        raise BrokenModel(
            f"The model {PREFIX + what!r} needs PyTorch, which is not installed here. Install "
            "Listener with it: .venv/bin/pip install -e '.[hub]' in its folder."
        ) from problem
    transformers = import_module("transformers")
    # It draws bars and prints tables of what it loads; what matters of them is checked below.
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return torch, transformers


def be_discreet() -> None:
    """Keep the libraries from drawing on the screen and from reporting home.

    They look at this only while they are imported.
    """
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def fetched(what: str) -> Path:
    """The folder into which a model of the hub is fetched, unless it was before."""
    be_discreet()
    hub, why = import_module("huggingface_hub"), import_module("huggingface_hub.errors")
    named = NAME.fullmatch(what)
    name, revision = (named["model"], named["revision"]) if named else (what, None)
    try:
        folder = Path(hub.snapshot_download(name, revision=revision, allow_patterns=list(KEPT)))
        if not any(folder.glob(WEIGHTS[0])):
            hub.snapshot_download(name, revision=revision, allow_patterns=[WEIGHTS[1]])
    except why.GatedRepoError as problem:
        raise BrokenModel(
            f"The Hugging Face hub gives {name!r} only to those who have accepted its terms. "
            "Accept them on its page there and set HF_TOKEN."
        ) from problem
    except why.RevisionNotFoundError as problem:
        raise BrokenModel(
            f"The model {name!r} has no revision {revision!r} on the Hugging Face hub."
        ) from problem
    except why.RepositoryNotFoundError as problem:
        raise BrokenModel(
            f"There is neither a folder {name!r} here nor a model of that name on the Hugging "
            "Face hub. Correct it; if it is private there, set HF_TOKEN."
        ) from problem
    except why.HFValidationError as problem:
        raise BrokenModel(f"{name!r} cannot be a name on the Hugging Face hub.") from problem
    except Exception as problem:
        # Whatever else happens on the way there has many types, from three libraries.
        raise BrokenModel(
            f"The model {name!r} is not on this machine, and it cannot be fetched from the "
            f"Hugging Face hub ({type(problem).__name__}). Try again with a connection, or fetch "
            f"it elsewhere and give its folder, for example {PREFIX}/models/name."
        ) from problem
    return folder


def version(folder: Path) -> str:
    """What tells this model from another of the same name: eight figures."""
    if folder.parent.name == "snapshots":  # how the hub's cache keeps a commit
        return folder.name[:8]
    digest = hashlib.sha256()
    for pattern in ("config.json", *WEIGHTS):
        for path in sorted(folder.glob(pattern)):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:8]


def opened(folder: Path, torch: Any, transformers: Any) -> tuple[Any, Any, str]:
    """The tokenizer, the network and the device for it; BrokenModel when they are not whole.

    Nothing that is written in the folder is executed.
    """
    device = fastest(torch)
    careful = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **careful)
        network, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            # Named, because else it would be the precision in which somebody saved the weights.
            dtype=torch.float32 if device == "cpu" else torch.float16,
            output_loading_info=True,
            **careful,
        )
    except Exception as problem:
        # A bad file, an unknown kind of model, a missing library: each has a type of its own.
        raise BrokenModel(
            f"The model in {folder} cannot be opened ({first_line(problem)}). Save or fetch it "
            "again, or choose another."
        ) from problem
    if report["missing_keys"]:
        # transformers would fill them with random numbers and only warn.
        raise BrokenModel(
            f"The model in {folder} is not trained to classify texts: "
            f"{labels.listed(sorted(report['missing_keys']))} are not in its weights. Choose one "
            "that is made for text classification."
        )
    check_tokenizer(folder, tokenizer, network)
    if network.config.num_labels < 2 or network.config.problem_type not in (
        None,
        "single_label_classification",
    ):
        raise BrokenModel(
            f"The model in {folder} does not choose one label for each text. Choose one that does."
        )
    return tokenizer, network, device


def check_tokenizer(folder: Path, tokenizer: Any, network: Any) -> None:
    """Refuse a tokenizer that knows no words, or more than the network."""
    words = len(tokenizer)
    if words <= len(set(tokenizer.all_special_ids)):
        # Without its files transformers makes one up that reads every word as unknown.
        raise BrokenModel(
            f"The folder {folder} holds no tokenizer. Save it there too (tokenizer.json)."
        )
    if words > network.get_input_embeddings().num_embeddings:
        raise BrokenModel(
            f"The tokenizer in {folder} belongs to another model: it knows {words} pieces, the "
            f"network {network.get_input_embeddings().num_embeddings}. Save the right one there."
        )


def fastest(torch: Any) -> str:
    """The device to run on."""
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def readable(tokenizer: Any, network: Any) -> int:
    """How many tokens of a text are read."""
    places = getattr(network.config, "max_position_embeddings", None) or 0
    # Some networks keep two of their places for themselves.
    most = places - 2 if places > 2 else TOKENS
    return int(min(TOKENS, tokenizer.model_max_length, most))


def first_line(problem: Exception) -> str:
    """What a library says first about a fault with a file: the rest is advice to programmers."""
    said = str(problem).strip().partition("\n")[0]
    return f"{type(problem).__name__}: {said[:200]}" if said else type(problem).__name__
