"""Lessons: which texts a correction speaks of, by fingerprints; never a copy of their words."""

from collections.abc import Sequence

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from listener.domain.likeness import ENOUGH_WORDS, plain_words
from listener.domain.source import digest
from listener.domain.triage import FEW_STARS


class Lesson(SQLModel, table=True):
    """That a correction holds for every text with this fingerprint.

    It goes with the correction, and with the words it was made from.
    """

    __tablename__ = "lessons"

    band: int = Field(sa_type=BigInteger, primary_key=True)  # first: it is what one looks for
    brand_id: int = Field(foreign_key="brands.id", primary_key=True, index=True)
    correction_id: int = Field(
        foreign_key="corrections.id", primary_key=True, ondelete="CASCADE", index=True
    )
    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE", index=True)


def same_words(text: str, authors: Sequence[str], stars: float | None) -> list[int]:
    """Numbers of which texts share one that say the same, word for word.

    What is short is the same only from the same author, by any name that a place gives them
    ("Never again!" is said by many about many things); and few stars make it another thing.
    """
    words = plain_words(text)
    if not words:
        return []
    few = "few" if stars is not None and stars <= FEW_STARS else ""
    if len(words) >= ENOUGH_WORDS:
        return [digest("said", few, *words)]
    names = {name.casefold().lstrip("@") for name in authors} - {""}
    return [digest("said by", name, few, *words) for name in sorted(names)]
