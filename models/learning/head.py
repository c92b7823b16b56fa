"""Fits, for one brand, how far the network's answer is moved by where a text lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

TIGHT: Final = 100.0  # how dear it is to move far: of 10, 30, 100 and 300 the safest (docs)
REPLAYED: Final = 0.3  # how much a post of our own counts beside one that staff judged
STEPS: Final = 30
STILL: Final = 1e-6
STORED: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Example:
    """A text as the network saw it, and whether it is a complaint.

    `logit` is the network's own calibrated answer, `vector` where the text lies. `group` is the
    same for texts that say the same: they are never on both sides of a test. `staff` is who said
    so, None for posts of our own; `slices` what its mistakes are counted by.
    """

    logit: float
    vector: Numbers
    complaint: bool
    group: str
    staff: int | None = None
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What is added to the network's answer: a weight for each number of a vector, and a constant."""

    weights: Numbers
    constant: float
    middle: Numbers  # of the posts of our own: what is usual moves nothing
    width: float

    def moved(self, logits: Numbers, vectors: Numbers) -> Numbers:
        """The answers as this brand reads them, as logits; one text a row."""
        turned: Numbers = (vectors - self.middle) / self.width @ self.weights
        return logits + turned + self.constant

    def packed(self) -> bytes:
        """As it is stored: a constant and a weight for each number of a vector."""
        weights = self.weights / self.width
        constant = self.constant - float(self.middle @ weights)
        return np.append(constant, weights).astype(STORED).tobytes()

    @classmethod
    def unpacked(cls, stored: bytes) -> "Head":
        """One that was stored; it moves as it did, to six digits."""
        numbers = np.frombuffer(stored, dtype=STORED).astype(np.float64)
        return cls(numbers[1:], float(numbers[0]), np.zeros(len(numbers) - 1), 1.0)


def fit(lessons: Sequence[Example], replay: Sequence[Example]) -> Head:
    """The head under which what staff said, and our own posts, are the most probable.

    The network's answer is what it begins with; moving away from it costs, so that few lessons
    move little (logistic regression with an offset and a ridge, by Newton's method).
    """
    vectors, logits, true = arrays([*lessons, *replay])
    its_own = arrays(replay)[0] if replay else vectors
    middle = its_own.mean(axis=0)
    width = float((its_own - middle).std()) or 1.0
    design = np.column_stack([(vectors - middle) / width, np.ones(len(vectors))])
    counts = np.concatenate([np.ones(len(lessons)), np.full(len(replay), REPLAYED)])
    dear = np.append(np.full(design.shape[1] - 1, TIGHT), 1.0)
    moved = np.zeros(design.shape[1])
    for _ in range(STEPS):
        probable = probability(logits + design @ moved)
        slope = design.T @ (counts * (probable - true)) + dear * moved
        bend = (design.T * (counts * probable * (1 - probable))) @ design + np.diag(dear)
        step = np.linalg.solve(bend, slope)
        moved -= step
        if np.abs(step).max() < STILL:
            break
    return Head(moved[:-1], float(moved[-1]), middle, width)


def arrays(examples: Sequence[Example]) -> tuple[Numbers, Numbers, Numbers]:
    """Vectors (one a row), logits and truths (0 or 1)."""
    return (
        np.array([one.vector for one in examples], dtype=np.float64),
        np.array([one.logit for one in examples], dtype=np.float64),
        np.array([one.complaint for one in examples], dtype=np.float64),
    )


def probability(logits: Numbers) -> Numbers:
    """Logits as probabilities."""
    found: Numbers = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return found
