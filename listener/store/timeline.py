"""The timeline: a case's whole story, oldest first, and what its authors changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from listener.domain.event import Event, What
from listener.domain.mention import Mention, Revision, stars_of
from listener.domain.note import Note
from listener.domain.staff import Staff
from listener.domain.story import sentence
from listener.store.session import AsyncSession, bulk

GONE = "(The note has been kept as long as the words it was about.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a case's story."""

    event: int
    at: datetime
    what: What
    who: str | None  # None: by itself
    says: str  # a sentence without a stop
    note: str | None  # the words of a note that came with it
    mention: int | None  # the one it is about
    undone: bool  # taken back later


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How an author changed a post: what one revision said and what the next says."""

    mention: int
    number: int  # of the revision that was replaced; the first is 1
    at: datetime
    title_before: str
    title_after: str
    text_before: str
    text_after: str
    stars_before: float | None
    stars_after: float | None


async def of_case(session: AsyncSession, case_id: int) -> list[Line]:
    """Everything that happened to a case, oldest first, with people's names and notes."""
    asked = {"case": case_id}
    events = (await session.exec(_events(), params=asked)).all()
    noted = any("note" in event.details for event, _ in events)
    found = await session.exec(_notes(), params=asked) if noted else ()
    notes = {note.key: note.text for note in found}
    names = await names_in(session, [event for event, _ in events])
    names |= {event.staff_id: name for event, name in events if event.staff_id is not None}
    undone = {event.details.get("undoes") for event, _ in events}
    return [
        Line(
            event=event.key,
            at=event.at,
            what=event.what,
            who=name,
            says=sentence(event, names),
            note=notes.get(event.details["note"], GONE) if "note" in event.details else None,
            mention=event.details.get("mention"),
            undone=event.id in undone,
        )
        for event, name in events
    ]


# The questions of a case's page are written once: writing them costs as much as the answers.
@cache
def _events() -> Any:
    return (
        select(Event, Staff.name)
        .outerjoin(Staff, col(Staff.id) == col(Event.staff_id))
        .where(col(Event.case_id) == sa.bindparam("case"))
        .order_by(col(Event.id))
    )


@cache
def _notes() -> Any:
    return select(Note).where(col(Note.case_id) == sa.bindparam("case"))


@cache
def _replaced() -> Any:
    return (
        sa.select(
            col(Revision.mention_id),
            col(Revision.number),
            col(Revision.title),
            col(Revision.text),
            col(Revision.rating),
            col(Revision.replaced_at),
        )
        .join(Mention, col(Mention.id) == col(Revision.mention_id))
        .where(
            col(Mention.case_id) == sa.bindparam("case"),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
        )
        .order_by(col(Revision.mention_id), col(Revision.number))
    )


async def names_in(session: AsyncSession, events: Sequence[Event]) -> dict[int, str]:
    """The names of those whom events speak of."""
    numbers = {
        number
        for event in events
        for field in ("from", "to")
        if isinstance(number := event.details.get(field), int)
    }
    if not numbers:
        return {}
    people = await session.exec(select(Staff).where(col(Staff.id).in_(numbers)))
    return {person.key: person.name for person in people}


async def changes(session: AsyncSession, case_id: int) -> list[Changed]:
    """What the authors of a case's mentions changed, oldest first, while the words are kept."""
    rows = (await bulk(session, _replaced(), {"case": case_id})).all()
    if not rows:
        return []
    found = await session.exec(
        select(Mention).where(col(Mention.id).in_({row.mention_id for row in rows}))
    )
    standing = {mention.key: mention for mention in found}
    made: list[Changed] = []
    for row, later in zip(rows, [*rows[1:], None], strict=True):
        mention = standing[row.mention_id]
        after: Any = later if later is not None and later.mention_id == row.mention_id else mention
        made.append(
            Changed(
                mention=row.mention_id,
                number=row.number,
                at=row.replaced_at,
                title_before=row.title or "",
                title_after=after.title or "",
                text_before=row.text,
                text_after=after.text,
                stars_before=stars_of(row.rating, mention.rating_lowest, mention.rating_highest),
                stars_after=stars_of(after.rating, mention.rating_lowest, mention.rating_highest),
            )
        )
    return sorted(made, key=lambda one: (one.at, one.mention, one.number))
