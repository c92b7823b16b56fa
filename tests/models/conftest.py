"""Every model we ship, opened once: the suite is run against each of them."""

import pytest

from models import shelf
from models.classifier import Classifier


@pytest.fixture(scope="session", params=shelf.names())
def classifier(request: pytest.FixtureRequest) -> Classifier:
    name: str = request.param
    return shelf.open(name, threads=2)


@pytest.fixture(scope="session")
def minilm() -> Classifier:
    return shelf.open("minilm-l6-en", threads=2)
