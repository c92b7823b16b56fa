"""Every model there is, opened once: the suite is run against each of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models import shelf
from models.classifier import Classifier
from tests.models import tiny
from tests.models.inference import Inference, serving

ENGLISH = frozenset({"en"})


@pytest.fixture(scope="session", params=shelf.names())
def shipped(request: pytest.FixtureRequest) -> Classifier:
    """The models that come with the product, which know complaints."""
    name: str = request.param
    return shelf.open(name, threads=2)


@pytest.fixture(scope="session", params=[*shelf.names(), "openvino", "hub", "remote"])
def classifier(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Classifier]:
    """Every kind of model, also those that somebody else has trained."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="needs the extra `openvino`")
    if request.param == "hub":
        folder = tiny.bert(tmp_path_factory.mktemp("hub") / "tiny")
        yield shelf.open(f"hub:{folder}", threads=2, languages=ENGLISH)
    elif request.param == "remote":
        with serving(Inference()) as server:
            yield shelf.open(f"remote:{server.address}", post=server.post, languages=ENGLISH)
    else:
        yield shelf.open(request.param, threads=2)


@pytest.fixture(scope="session")
def minilm() -> Classifier:
    return shelf.open("minilm-l6-en", threads=2)


@pytest.fixture
def server() -> Iterator[Inference]:
    """An inference server, free to be upset."""
    with serving(Inference()) as running:
        yield running


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Saves a tiny network into a folder."""
    return lambda *names, **config: tiny.bert(tmp_path / "tiny", names or tiny.FEELINGS, **config)
