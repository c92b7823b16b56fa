"""Notes: what colleagues tell each other about a case; customers never see them."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, NotAllowed, Record

LONGEST = 4_000  # characters

_AT = re.compile(r"(?<![\w@])@(?=\w)")


class Note(Record, table=True):
    """One note. Its words go when those of the case's last mention go."""

    __tablename__ = "notes"

    case_id: int = Field(foreign_key="cases.id", index=True)
    staff_id: int = Field(foreign_key="staff.id")
    text: str
    at: datetime = Field(sa_type=Instant)


class Call(SQLModel, table=True):
    """That a note calls somebody by @name; it stands until they have seen it."""

    __tablename__ = "calls"
    __table_args__ = (
        Index(
            "ix_calls_unseen",
            "staff_id",
            "case_id",
            sqlite_where=text("seen_at IS NULL"),
            postgresql_where=text("seen_at IS NULL"),
        ),
    )

    note_id: int = Field(foreign_key="notes.id", primary_key=True, ondelete="CASCADE")
    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True)
    seen_at: datetime | None = Field(default=None, sa_type=Instant)


def written(words: str) -> str:
    """A note as it is kept; NotAllowed when it says nothing or far too much."""
    words = words.strip()
    if not words:
        raise NotAllowed("The note is empty; write something first.")
    if len(words) > LONGEST:
        raise NotAllowed(
            f"The note has {len(words):,} characters; {LONGEST:,} are the most. Say it shorter."
        )
    return words


def called(words: str, names: Mapping[int, str]) -> list[int]:
    """Who is called by @name, in the order of their numbers.

    The longest name wins ("@Ana Lopez" is not Ana); a first name is enough when only one
    person has it.
    """
    ways: dict[str, set[int]] = {}
    for number, name in names.items():
        whole = name.casefold()
        ways.setdefault(whole, set()).add(number)
        first = whole.split()[0] if whole.split() else whole
        if first != whole:
            ways.setdefault(first, set()).add(number)
    exact = {name.casefold(): number for number, name in names.items()}
    folded = words.casefold()
    found: set[int] = set()
    for sign in _AT.finditer(folded):
        rest = folded[sign.end() :]
        way = max((way for way in ways if _begins(rest, way)), key=len, default=None)
        if way is None:
            continue
        if way in exact:
            found.add(exact[way])
        elif len(ways[way]) == 1:
            found |= ways[way]
    return sorted(found)


def _begins(rest: str, name: str) -> bool:
    after = rest[len(name) : len(name) + 1]
    return rest.startswith(name) and not (after.isalnum() or after == "_")
