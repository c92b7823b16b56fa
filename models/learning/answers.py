"""Between a model's verdicts and heads: what a head is fitted to, and a verdict that it has moved."""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from models.learning.head import Example, Head, probability
from models.verdict import Verdict

EDGE: Final = 1e-6  # a probability of nothing or one would be infinitely sure
BY_LEARNING: Final = "too close to call, by what staff corrected"


def example(
    verdict: Verdict,
    complaint: bool,
    group: str,
    *,
    staff: int | None = None,
    slices: tuple[str, ...] = (),
) -> Example | None:
    """A text as the model saw it; None where its answer is none that could be moved."""
    if not movable(verdict):
        return None
    return Example(logit(verdict.complaint), place(verdict), complaint, group, staff, slices)


def moved(verdict: Verdict, head: Head, number: int) -> Verdict:
    """A verdict as a brand reads it that has taught this version; the same if it cannot be moved."""
    if verdict.grey is None or not movable(verdict):
        return verdict
    if len(head.weights) * np.dtype("<f2").itemsize != len(verdict.embedding):
        return verdict
    logits = head.moved(np.array([logit(verdict.complaint)]), place(verdict)[None, :])
    complaint = float(probability(logits)[0])
    low, high = verdict.grey
    unsure = low <= complaint <= high
    return replace(
        verdict,
        complaint=complaint,
        unsure=unsure,
        why=(verdict.why or BY_LEARNING) if unsure else "",
        learnt=number,
        alone=verdict.complaint,
    )


def movable(verdict: Verdict) -> bool:
    """Whether the model knows the language, and has said where the text lies."""
    return verdict.grey is not None and bool(verdict.embedding)


def place(verdict: Verdict) -> np.typing.NDArray[np.float64]:
    """Where the text lies."""
    return np.frombuffer(verdict.embedding, dtype="<f2").astype(np.float64)


def logit(probable: float) -> float:
    """A probability as a logit."""
    kept = min(max(probable, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))
