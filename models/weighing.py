"""Turns the probabilities that somebody else's model gives its labels into verdicts."""

import math
from collections.abc import Callable, Mapping, Sequence

from models.errors import BrokenModel
from models.labels import Mapped, Meaning
from models.text import Language, language, language_name, normalise
from models.verdict import Feeling, Question, Verdict

MOST_CHARACTERS = 4_000  # far beyond what fits into the tokens a model reads
# Between these a model does not trust itself. Ours were measured; other people's models say
# nothing about how far they may be believed, so they get the same.
LOW, HIGH = 0.35, 0.65
SLACK = 0.02  # how far probabilities may miss one in all: half precision, rounding

Shares = Mapping[Meaning, float]
"""How probable each meaning is, 0 to 1, one in all. What no label means is not in it."""


def judge(
    questions: Sequence[Question],
    ask: Callable[[Sequence[str]], Sequence[Shares]],
    *,
    name: str,
    languages: frozenset[str] | None,
) -> list[Verdict]:
    """Judge questions by what a model answers about their texts, as the verdicts of `name`.

    `ask` gets normalised texts, no two the same and none empty. `languages` are those that the
    model has learnt, None when it is to be believed in all.
    """
    texts = [normalise(question.text[:MOST_CHARACTERS]) for question in questions]
    tongues = [language(question.text, question.language) for question in questions]
    different = [text for text in dict.fromkeys(texts) if text]
    shares = dict(zip(different, ask(different), strict=True)) if different else {}
    return [
        verdict(shares[text], tongue, name, languages) if text else wordless(tongue, name)
        for text, tongue in zip(texts, tongues, strict=True)
    ]


def shares(model: str, scores: Mapping[str, float], mapped: Mapped) -> Shares:
    """Add up the scores of labels by what they mean; BrokenModel when they are no probabilities."""
    total = math.fsum(scores.values())
    # A number that is none fails every comparison, so the question is whether all is well.
    if not (all(0 <= score <= 1 for score in scores.values()) and abs(total - 1) <= SLACK):
        raise BrokenModel(
            f"The model {model} gives its labels scores that are not probabilities (they add up "
            f"to {total:.2f} instead of 1). Listener needs a model that chooses one label for "
            "each text: choose another."
        )
    found: dict[Meaning, float] = {}
    for label, score in scores.items():
        found[mapped[label]] = found.get(mapped[label], 0.0) + score / total
    return found


def verdict(
    found: Shares, tongue: Language | None, name: str, languages: frozenset[str] | None
) -> Verdict:
    """Weigh the probabilities by what the model can know."""
    feelings = {
        Feeling.NEGATIVE: found.get(Meaning.COMPLAINT, 0.0) + found.get(Meaning.NEGATIVE, 0.0),
        Feeling.NEUTRAL: found.get(Meaning.NEUTRAL, 0.0),
        Feeling.POSITIVE: found.get(Meaning.POSITIVE, 0.0),
    }
    feeling = max(feelings, key=feelings.__getitem__)
    # A model that knows complaints may call a post negative without meaning one.
    complaint = min(found.get(Meaning.COMPLAINT, feelings[Feeling.NEGATIVE]), 1.0)
    confidence = min(feelings[feeling], 1.0)
    why = ""
    if tongue is not None and languages is not None and tongue.code not in languages:
        # A name or an emoji still says something: enough to sort by, not to act on.
        complaint = LOW + (HIGH - LOW) * complaint
        confidence *= HIGH - LOW
        why = f"written in {language_name(tongue.code)}, which this model has not learnt"
    elif LOW <= complaint <= HIGH:
        why = "too close to call"
    return Verdict(
        complaint=complaint,
        feeling=feeling,
        confidence=confidence,
        unsure=bool(why),
        model=name,
        language=tongue.code if tongue else None,
        why=why,
    )


def wordless(tongue: Language | None, name: str) -> Verdict:
    """Say that there is nothing to judge."""
    return Verdict(
        complaint=0.5,
        feeling=Feeling.NEUTRAL,
        confidence=0.0,
        unsure=True,
        model=name,
        language=tongue.code if tongue else None,
        why="there is no text to judge",
    )
