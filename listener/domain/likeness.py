"""Likeness: whether two posts are the same complaint said again, by a repost or a copy."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapidfuzz import fuzz
from rensa import RMinHash
from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant
from listener.domain.source import digest

WINDOW = timedelta(days=7)  # what is older starts a case of its own
ROWS, BANDS = 4, 8  # copies with Jaccard 0.8 meet in some band with probability 0.98
ENOUGH_WORDS = 6  # "Never again!" is said by many people about different things
ALIKE = 88.0  # of 100, by rapidfuzz
IN_A_ROW = 8  # words that no two people put alike by chance
LONGEST = 10_000  # characters that are compared: the time grows with their square

_NOISE = re.compile(r"\b(?:rt|via|repost)\b|https?://\S+|@[\w.@-]+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
# What another has written: "RT @ada: ...", "rt ada: ...", "Repost: ...", or "..." via @ada.
_REPOST = re.compile(
    r"\W*(?:rt|repost(?:ed)?)\b(?:\s*:|\W*(?:from|by|via)?\s*@|\s+\w+:)", re.IGNORECASE
)
_PASSED_ON = re.compile(r"[\"'”».!?…]\s*\(?via\s+@[\w.@-]+\W*$", re.IGNORECASE)


class Likeness(SQLModel, table=True):
    """That posts with this fingerprint belong to this case."""

    __tablename__ = "likenesses"

    band: int = Field(sa_type=BigInteger, primary_key=True)  # first: it is what one looks for
    brand_id: int = Field(foreign_key="brands.id", primary_key=True)
    case_id: int = Field(foreign_key="cases.id", primary_key=True, ondelete="CASCADE")
    seen_at: datetime = Field(sa_type=Instant, index=True)


@dataclass(frozen=True, slots=True)
class Words:
    """What one post says. `by` is the same for the same author."""

    mention_id: int
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """What of a post can be said again: all of its words, and every few of them in a row.

    As numbers of this process: what a fire of thousands of posts says is compared every minute.
    """

    mention_id: int
    by: str
    whole: int
    parts: frozenset[int]
    repost: bool


def fingerprints(text: str, author: str) -> list[int]:
    """Numbers of which like texts share at least one.

    Short texts are only like those of the same author, and a text without words like none.
    """
    words = plain_words(text)
    if not words:
        return []
    if len(words) < ENOUGH_WORDS:
        return [digest("short", author, *words)] if author else []
    hashes = RMinHash(num_perm=ROWS * BANDS, seed=7)
    hashes.update([" ".join(words[i : i + 2]) for i in range(len(words) - 1)])
    numbers = hashes.digest()
    return [
        digest(str(band), *map(str, numbers[band * ROWS : (band + 1) * ROWS]))
        for band in range(BANDS)
    ]


def alike(one: str, other: str) -> bool:
    """Whether two texts that share a fingerprint say the same in nearly the same words."""
    beginnings = [" ".join(plain_words(text[:LONGEST])) for text in (one, other)]
    return fuzz.ratio(*beginnings) >= ALIKE


def is_repost(text: str) -> bool:
    """Whether somebody passes on what another has written, by the marks that people set."""
    return _REPOST.match(text) is not None or _PASSED_ON.search(text) is not None


def phrases(one: Words) -> Phrases:
    """What of a post can be said again. A few words are said by many who know nothing of each other."""
    text = one.text[:LONGEST]
    words = tuple(plain_words(text))
    parts = {words} | runs(text) if len(words) >= ENOUGH_WORDS else set()
    return Phrases(
        one.mention_id, one.by, hash(words), frozenset(map(hash, parts)), is_repost(one.text)
    )


def passing_on(said: Iterable[Phrases]) -> set[int]:
    """The numbers of those who only pass on another's words; the first to be said come first.

    By the marks that people set, and where more than half of what somebody says is word for word
    what another has said before: who adds a story of their own tells it.
    """
    found: set[int] = set()
    first: dict[int, str] = {}
    for one in said:
        known = one.parts & first.keys()
        repeated = sum(first[part] != one.by for part in known)
        again = first.get(one.whole, one.by) != one.by or repeated * 2 > len(one.parts)
        if one.repost or again:
            found.add(one.mention_id)
        else:
            first.update(dict.fromkeys(one.parts - known, one.by))
    return found


def runs(text: str) -> set[tuple[str, ...]]:
    """Every few words of a text that stand in a row: who says the same ones repeats another."""
    words = plain_words(text)
    return {tuple(words[place : place + IN_A_ROW]) for place in range(len(words) - IN_A_ROW + 1)}


def plain_words(text: str) -> list[str]:
    """The words of a text without links, names and repost marks."""
    return _WORD.findall(unaddressed(text).casefold())


def unaddressed(text: str) -> str:
    """A text without links, the names of accounts and the marks of passing on."""
    return _NOISE.sub(" ", text)
