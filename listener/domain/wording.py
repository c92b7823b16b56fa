"""Wordings: what staff often say, with places for what differs from case to case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rapidfuzz import fuzz
from sqlmodel import Field

from listener.domain.record import NotAllowed, Record

VARIABLES: Final[Mapping[str, str]] = {
    "author": "the author's name",
    "brand": "the brand's name",
    "place": "the place's name",
    "agent": "your name",
    "case": "the case's number",
}
LATELY: Final = timedelta(days=30)
SAME: Final = 90.0  # percent of likeness from which two replies are the same words
LONGEST: Final = 5_000
LONGEST_NAME: Final = 60

_PLACE = re.compile(r"\{([^{}\n]*)\}")


class Wording(Record, table=True):
    """A text to begin a reply with. Empty conditions fit everywhere."""

    __tablename__ = "wordings"

    name: str = Field(unique=True)
    text: str
    brand_id: int | None = Field(default=None, foreign_key="brands.id")
    connector: str | None = None
    language: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a reply is written for."""

    brand_id: int
    connector: str
    language: str | None
    tags: frozenset[str]


def fits(wording: Wording, occasion: Occasion) -> int | None:
    """How many of its conditions an occasion meets; None when one is not met."""
    conditions = (
        (wording.brand_id, wording.brand_id == occasion.brand_id),
        (wording.connector, wording.connector == occasion.connector),
        (wording.language, (occasion.language or "").split("-")[0] == wording.language),
        (wording.tag, wording.tag in occasion.tags),
    )
    asked = [met for condition, met in conditions if condition]
    return len(asked) if all(asked) else None


def written(text: str) -> str:
    """A wording as it is kept; NotAllowed says which variable is unknown, and where."""
    text = text.strip()
    if not text:
        raise NotAllowed("The wording is empty; write what is to be said.")
    if len(text) > LONGEST:
        raise NotAllowed(f"The wording has {len(text):,} characters; {LONGEST:,} are the most.")
    for place in _PLACE.finditer(text):
        if place[1] not in VARIABLES:
            raise NotAllowed(
                f"{{{place[1]}}} at character {place.start() + 1} is not known. "
                f"There is: {', '.join('{' + name + '}' for name in VARIABLES)}."
            )
    return text


def plain_language(language: str) -> str | None:
    """A language as a wording asks for it: its code, small."""
    return language.strip().lower() or None


def plain_tag(tag: str) -> str | None:
    """A tag as a wording asks for it: small, without its mark."""
    return tag.strip().lower().lstrip("#") or None


def filled(text: str, values: Mapping[str, str]) -> str:
    """A wording with its places filled; what is not known is left empty, tidily."""
    said = _PLACE.sub(lambda place: values.get(place[1], ""), text)
    return re.sub(r" +([,.!?])", r"\1", re.sub(r" {2,}", " ", said)).strip()


def same_words(text: str, other: str) -> bool:
    """Whether two replies say the same in nearly the same words."""
    return bool(text.strip()) and fuzz.ratio(text.casefold(), other.casefold()) >= SAME
