"""What a classifier is asked about a post, and what it says."""

from dataclasses import dataclass, field
from enum import StrEnum


class Feeling(StrEnum):
    """The author's mood."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Question:
    """A text together with what the same words depend on."""

    text: str
    brand: str = ""
    stars: float | None = None  # one to five, whatever the place's own scale
    kind: str = "post"
    language: str | None = None  # BCP 47, where the place says it
    connector: str = ""
    answers: str | None = None  # the text that it replies to, where one has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One classifier's opinion of one question, with the model that holds it.

    `complaint` is the probability (0 to 1) that this author complains about this brand;
    `confidence` how sure the model is of `feeling` (0 to 1). `unsure` says that the model
    does not trust itself: a language it does not know, or a probability near its threshold.
    `embedding` is where the text lies among others, a direction of length one: near ones mean
    alike, if they are of the same model. Little-endian float16; empty where a model gives none.
    `grey` are the probabilities between which the model does not trust itself about this text;
    None where it knows too little of it for its answer to be moved. `learnt` is the version of
    what a brand has taught that moved it, `alone` what the model had said before.
    """

    complaint: float
    feeling: Feeling
    confidence: float
    unsure: bool
    model: str
    language: str | None = None
    why: str = ""  # for an unsure verdict, a short reason a person can read
    embedding: bytes = field(default=b"", repr=False)
    grey: tuple[float, float] | None = None
    learnt: int | None = None
    alone: float | None = None
