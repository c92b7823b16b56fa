"""Finds models by name."""

from pathlib import Path

from models import hub, onnx, openvino, remote
from models import lens as lenses
from models.classifier import Classifier
from models.errors import BadDeclaration, UnknownModel
from models.labels import SETTING as LABELS_SETTING
from models.labels import Mapped
from models.languages import SETTING as LANGUAGES_SETTING
from models.lens import Lens
from models.lexicon import Lexicon
from models.remote import Post

WEIGHTS = Path(__file__).parent / "weights"
SHIPPED = ("me5-small-pair", "minilm-l6-en")  # folders of weights
ONNX = "onnx"  # alone the default weights, with `:` and a folder those that lie there
OPENED: dict[str, Path] = {}  # folders of weights that did not come with the product, by name
CARDS = Path(__file__).parent / "cards"
DEFAULT = "me5-small-pair"
SUMMARIES = {
    "me5-small-pair": "reads brand and text, in seven languages, and knows complaints",
    "minilm-l6-en": "knows only the mood of an English text; takes two thirds of the time",
    "lexicon": "listed words of four languages; a yardstick",
}


def names() -> tuple[str, ...]:
    """The models that come with the product; `onnx` is another word for the default one."""
    return (*SHIPPED, "lexicon")


def summary(name: str) -> str:
    """What one of these models is, in a few words."""
    return SUMMARIES[name]


def card(name: str) -> str | None:
    """What is known of a model that comes with the product; None where nobody wrote it down.

    UnknownModel when there is none of that name.
    """
    if name.startswith((hub.PREFIX, remote.PREFIX)):
        return None
    if name.startswith((f"{openvino.PREFIX}:", f"{ONNX}:")):
        return None
    if name in (ONNX, openvino.PREFIX):
        name = DEFAULT
    if name not in names():
        raise UnknownModel(
            f"There is no model called {name!r}. Choose one of: {', '.join(names())}."
        )
    file = CARDS / f"{name}.md"
    return file.read_text("utf-8") if file.exists() else None


def address(name: str) -> str | None:
    """Where a `remote:` model must be asked, None for models that run here.

    UnknownModel when the address cannot be one.
    """
    if not name.startswith(remote.PREFIX):
        return None
    return remote.address(name.removeprefix(remote.PREFIX))


def open(  # noqa: A001 - read as `shelf.open`
    name: str = DEFAULT,
    *,
    threads: int | None = None,
    post: Post | None = None,
    mapping: Mapped | None = None,
    languages: frozenset[str] | None = None,
) -> Classifier:
    """Open a model; it may block for some seconds, and for minutes while one is fetched.

    A name is one of `names()`, `onnx` or `openvino` alone (the default weights) or with `:` and a
    folder of weights of our kind, `hub:` with a folder or a name on the Hugging Face hub, or `remote:` with
    the address of an inference server, which is asked by `post`. `mapping` says
    what the labels of such a model mean and `languages` which ones (ISO 639) it has learnt;
    models of our own know both. `threads` is how many cores it may use, all unless told, or
    how many requests it may make at once.

    UnknownModel when there is none of that name, BrokenModel when it cannot be used, BadDeclaration
    when the mapping does not fit it.
    """
    if name.startswith(hub.PREFIX):
        what = name.removeprefix(hub.PREFIX)
        if not what:
            raise UnknownModel(
                f"{name!r} does not say which model. Add the folder it was saved to, or its name "
                f"on the Hugging Face hub, for example {hub.PREFIX}organisation/model."
            )
        return hub.load(what, threads=threads, mapping=mapping, languages=languages)
    if name.startswith(remote.PREFIX):
        where = name.removeprefix(remote.PREFIX)
        return remote.load(where, post, threads=threads, mapping=mapping, languages=languages)
    runs, _, folder = name.partition(":")
    if runs not in (ONNX, openvino.PREFIX) and name not in names():
        raise UnknownModel(
            f"There is no model called {name!r}. Choose one of: {', '.join(names())}, "
            f"{ONNX}:FOLDER, {openvino.PREFIX}, {openvino.PREFIX}:FOLDER, {hub.PREFIX}FOLDER-OR-NAME, "
            f"{remote.PREFIX}ADDRESS."
        )
    if mapping or languages:
        raise BadDeclaration(
            f"The model {name!r} knows what its labels mean and which languages it has learnt. "
            f"Take {LABELS_SETTING} and {LANGUAGES_SETTING} away, or choose another model."
        )
    if name == "lexicon":
        return Lexicon()
    shipped = WEIGHTS / (name if name in names() else DEFAULT)
    load = openvino.load if runs == openvino.PREFIX else onnx.load
    model = load(Path(folder) if folder else shipped, threads=threads)
    if folder:
        OPENED[f"{model.card.name} {model.card.version}"] = Path(folder)
    return model


def lens(model: str) -> Lens | None:
    """The lens for embeddings of a model, by the name and version that verdicts carry.

    None where it has none, as models have that are not of our kind.
    """
    model = model.removesuffix(openvino.MARK)
    if model in OPENED:
        return lenses.read(OPENED[model])
    for name in SHIPPED:
        card = onnx.carded(WEIGHTS / name)
        if model == f"{card.name} {card.version}":
            return lenses.read(WEIGHTS / name)
    return None
