"""The lens of the shipped model: through it short words find what they mean."""

from pathlib import Path

import numpy as np
import pytest

from listener.domain.embedding import seen, vectors
from models import lens, shelf
from models.errors import BrokenModel
from models.verdict import Question

SAID = (
    "The courier tossed my box onto the doorstep and ran.",
    "Der Rabatt wurde nicht abgezogen.",
    "What a lovely evening, the staff sang for my grandmother and brought her a cake.",
    "The app closes by itself whenever I open the basket.",
)


def test_short_words_are_nearest_to_what_they_mean_in_any_language() -> None:
    model = shelf.open("me5-small-pair", threads=1)
    asked = ("driver threw the parcel", "discount not taken off", "kind staff", "app crashes")
    made = shelf.lens(model.name)
    assert made is not None

    said = [one.embedding for one in model.judge([Question(text, "Acme") for text in SAID])]
    wanted = [one.embedding for one in model.judge([Question(text, "Acme") for text in asked])]

    near = seen(vectors(wanted), made) @ seen(vectors(said), made).T
    assert near.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_openvino_looks_through_the_same_lens_and_others_through_none() -> None:
    ours, theirs = shelf.lens("me5-small-pair 3.1"), shelf.lens("me5-small-pair 3.1 (openvino)")
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours, theirs)
    assert shelf.lens("remote:http://127.0.0.1:1") is None
    assert shelf.lens("minilm-l6-en 1") is None


def test_a_lens_that_is_not_whole_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert lens.read(tmp_path) is None
    (tmp_path / lens.FILE).write_bytes(b"PK cut short")

    with pytest.raises(BrokenModel, match="is not whole"):
        lens.read(tmp_path)


def test_a_lens_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(500, 384)).astype(np.float32)
    made = lens.ground(rows)

    lens.write(tmp_path, made)

    read = lens.read(tmp_path)
    assert read is not None
    assert np.allclose(read, made, rtol=2e-3, atol=2e-3)
    assert read.shape == (385, lens.WIDTH)
