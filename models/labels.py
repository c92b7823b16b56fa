"""Says what the labels of somebody else's model mean to us."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from models.errors import BadDeclaration, BrokenModel

# Errors name it, because setting it is what a person has to do about them.
SETTING = "LISTENER_MODEL_LABELS"
MOST_NAMED = 6  # labels in one sentence

STARS = re.compile(r"([1-5]) ?stars?")
NUMBERED = ("label 0", "label 1", "label 2")


class Meaning(StrEnum):
    """What a label says about the author of a post."""

    COMPLAINT = "complaint"  # complains: also a negative feeling
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


Mapped = Mapping[str, Meaning]

BY_STARS = {
    "1": Meaning.NEGATIVE,
    "2": Meaning.NEGATIVE,
    "3": Meaning.NEUTRAL,
    "4": Meaning.POSITIVE,
    "5": Meaning.POSITIVE,
}
BY_NAME = {
    "complaint": Meaning.COMPLAINT,
    "no complaint": Meaning.NEUTRAL,
    "not complaint": Meaning.NEUTRAL,
    "non complaint": Meaning.NEUTRAL,
    "not a complaint": Meaning.NEUTRAL,
    "negative": Meaning.NEGATIVE,
    "neg": Meaning.NEGATIVE,
    "very negative": Meaning.NEGATIVE,
    "extremely negative": Meaning.NEGATIVE,
    "neutral": Meaning.NEUTRAL,
    "neu": Meaning.NEUTRAL,
    "positive": Meaning.POSITIVE,
    "pos": Meaning.POSITIVE,
    "very positive": Meaning.POSITIVE,
    "extremely positive": Meaning.POSITIVE,
}


def parse(words: str) -> dict[str, Meaning]:
    """Read a mapping as an operator writes it: `bad=complaint, fine=neutral`.

    BadDeclaration says which part of it cannot be read.
    """
    declared: dict[str, Meaning] = {}
    for part in words.split(","):
        if not part.strip():
            continue
        label, told, meaning = (one.strip() for one in part.rpartition("="))
        if not told or not label:
            raise BadDeclaration(
                f"{SETTING} holds {part.strip()!r}. Write label=meaning pairs with commas "
                "between them, for example LABEL_0=negative, LABEL_1=positive."
            )
        if meaning.lower() not in Meaning.__members__.values():
            raise BadDeclaration(
                f"{SETTING} says that {label!r} means {meaning!r}. A label can mean one of: "
                f"{', '.join(Meaning)}."
            )
        if plain(label) in map(plain, declared):
            raise BadDeclaration(
                f"{SETTING} says twice what {label!r} means. Leave one of them out."
            )
        declared[label] = Meaning(meaning.lower())
    if not declared:
        raise BadDeclaration(f"{SETTING} is empty. Take it away, or say what each label means.")
    return declared


def meanings(model: str, labels: Collection[str], declared: Mapped | None = None) -> Mapped:
    """Say what each label of a model means: as declared, else as its name tells.

    BrokenModel asks for what is missing, BadDeclaration refuses what does not fit the model.
    """
    told = {plain(label): meaning for label, meaning in (declared or {}).items()}
    for label in declared or {}:
        if plain(label) not in map(plain, labels):
            raise BadDeclaration(
                f"{SETTING} says what {label!r} means, but the labels of the model {model} are "
                f"{listed(labels)}. Use those."
            )
    found = by_names(labels) | {
        label: told[plain(label)] for label in labels if plain(label) in told
    }
    if unknown := [label for label in labels if label not in found]:
        raise BrokenModel(
            f"What the model {model} means by {listed(unknown)} is not known. Say it in {SETTING}, "
            f"for example {SETTING}={example(unknown)!r}; a label can mean one of: "
            f"{', '.join(Meaning)}."
        )
    unhappy = {Meaning.COMPLAINT, Meaning.NEGATIVE} & set(found.values())
    if not unhappy or unhappy == set(found.values()):
        raise BrokenModel(
            f"The labels of the model {model} ({listed(labels)}) do not tell the unhappy from "
            "the others: at least one must mean complaint or negative, and one neutral or "
            f"positive. Say it in {SETTING}, or choose another model."
        )
    return found


def by_names(labels: Collection[str]) -> dict[str, Meaning]:
    """The meanings that need no word of explanation."""
    # Three numbered labels are sentiment in the order everybody trains it. Two are not: which of
    # them is the bad one differs from model to model.
    if sorted(map(plain, labels)) == list(NUMBERED):
        order = (Meaning.NEGATIVE, Meaning.NEUTRAL, Meaning.POSITIVE)
        return dict(zip(sorted(labels, key=plain), order, strict=True))
    found = {}
    for label in labels:
        stars = STARS.fullmatch(plain(label))
        meaning = BY_STARS[stars[1]] if stars else BY_NAME.get(plain(label))
        if meaning:
            found[label] = meaning
    return found


def plain(label: str) -> str:
    """A label without the freedoms people take: `Very_Negative` is `very negative`."""
    return " ".join(re.split(r"[\s_-]+", label.strip().lower()))


def listed(labels: Collection[str]) -> str:
    """Some labels in a sentence, the rest as a number."""
    named = ", ".join(map(repr, list(labels)[:MOST_NAMED]))
    more = len(labels) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def example(labels: Collection[str]) -> str:
    """How the setting could be written for these labels."""
    two = zip(labels, (Meaning.NEGATIVE, Meaning.POSITIVE), strict=False)
    return ",".join(f"{label}={meaning}" for label, meaning in two)
