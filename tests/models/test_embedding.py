"""The shipped model says in one pass where a text lies: near what means the same."""

import numpy as np
import pytest

from listener.domain.embedding import vectors
from models import shelf
from models.classifier import Classifier
from models.verdict import Question


@pytest.fixture(scope="module")
def pair() -> Classifier:
    return shelf.open("me5-small-pair", threads=1)


def test_an_embedding_is_a_direction_of_length_one(pair: Classifier) -> None:
    (verdict,) = pair.judge([Question("The coupon does not work", brand="Acme")])

    (vector,) = vectors([verdict.embedding])
    assert vector.shape == (384,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)


def test_what_means_alike_lies_nearer_than_what_is_about_something_else(pair: Classifier) -> None:
    texts = (
        "My discount code was refused at the checkout",
        "The coupon gives an error when I pay",
        "The driver threw my parcel over the fence",
    )

    one, alike, other = vectors(
        [verdict.embedding for verdict in pair.judge([Question(text, "Acme") for text in texts])]
    )

    assert one @ alike > one @ other


def test_whom_it_is_about_is_not_what_it_means(pair: Classifier) -> None:
    same, other = (
        Question("My parcel never came", brand="Swiftling"),
        Question("Someone charged me twice", brand="Swiftling"),
    )
    again = Question("My parcel never came", brand="Ochre Hotels")

    near, far, renamed = vectors([one.embedding for one in pair.judge([same, other, again])])

    assert near @ renamed > near @ far


def test_a_model_that_gives_none_says_so(minilm: Classifier) -> None:
    (verdict,) = minilm.judge([Question("Terrible service, never again")])

    assert verdict.embedding == b""
