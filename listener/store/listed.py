"""Cases as lists show them: each with its names, its tags and the mention that speaks for it.

Twenty agents look at much the same rows again and again. What the database says of a row is asked
each time; making a row of it, which costs more than the asking, is done anew only when it says
something else than a moment ago.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from json import loads
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, case, select
from sqlalchemy.engine import Dialect
from sqlmodel import col

from listener.domain import score
from listener.domain.brand import Brand
from listener.domain.case import Case, Outcome, Status
from listener.domain.mention import Mention
from listener.domain.score import Pressing
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.tag import CaseTag
from listener.store.dossier import BETWEEN
from listener.store.rows import COLUMNS, Lead, as_lead, speaking
from listener.store.session import AsyncSession, bulk

MOST: Final = 4_000  # rows that are remembered at once

_staff: Final[sa.Table] = Staff.__table__  # type: ignore[attr-defined]
_OWNERS, _HOLDERS = _staff.alias("owners"), _staff.alias("holders")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """A case as a list shows it. Two that show the same are one and the same, for a minute."""

    id: int
    brand_id: int
    brand: str
    status: Status
    urgent: bool
    unsure: bool
    priority: int
    reasons: Sequence[str]
    score: int  # the larger, the sooner
    why: str  # the score in words
    owner: str | None
    holder: str | None  # who works on it at this moment
    opened_at: datetime
    waiting_since: datetime | None
    due_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    outcome: Outcome | None
    reopened: int
    mentions: int
    tags: Sequence[str] = ()
    lead: Lead | None = None  # the first mention that still has its words, else the first


@dataclass(slots=True)
class Made:
    """A row as it was made last, and what of it goes with the time."""

    row: Row
    pressing: Pressing
    rank: int
    left: tuple[bool, int]  # of its deadline: whether it is over, and the minutes

    def at(self, now: datetime) -> Row:
        """The row at this moment."""
        points, minutes = score.points(self.pressing, self.rank, now), left(self.row.due_at, now)
        if points != self.row.score or minutes != self.left:
            self.left = minutes
            self.row = replace(self.row, score=points, why=score.why(self.pressing, now))
        return self.row


@dataclass(slots=True)
class Lately:
    """The rows of this minute, by what the database said. No words are kept for longer."""

    minute: datetime | None = None
    made: dict[tuple[Any, ...], Made] = field(default_factory=dict)

    def row(self, raw: "sa.Row[Any]", now: datetime, dialect: Dialect) -> Row:
        """The row that this says, at this moment."""
        said = tuple(raw)
        found = self.made.get(said)
        if found is None:
            found = self.made[said] = _made(said, now, dialect)
        return found.at(now)

    def begin(self, now: datetime) -> None:
        """Forget what is older than a minute."""
        minute = now.replace(second=0, microsecond=0)
        if minute != self.minute or len(self.made) > MOST:
            self.minute, self.made = minute, {}


async def rows(
    session: AsyncSession, ids: Sequence[int], *, now: datetime, lately: Lately | None = None
) -> list[Row]:
    """These cases as a list shows them, in the order that was asked for."""
    if not ids:
        return []
    lately = lately or Lately()
    lately.begin(now)
    dialect = session.get_bind().dialect
    asked = {"cases": list(ids), "now": now}
    found = {
        one[0]: lately.row(one, now, dialect)
        for one in (await bulk(session, _shown(), asked)).all()
    }
    return [found[number] for number in ids if number in found]


# --- what is asked


def _of_case() -> list[Any]:
    table = Case.__table__  # type: ignore[attr-defined]
    names = (
        "id", "brand_id", "status", "urgent", "unsure", "priority", "reasons", "opened_at",
        "waiting_since", "due_at", "snoozed_until", "closed_at", "outcome", "reopened", "mentions",
    )  # fmt: skip
    return [table.c[name] for name in names]


@cache
def _columns() -> tuple[Any, ...]:
    """First those of the case, then names and tags, then those of the mention."""
    tagged = (
        select(sa.func.aggregate_strings(col(CaseTag.tag), BETWEEN))
        .where(col(CaseTag.case_id) == col(Case.id))
        .correlate(Case)
        .scalar_subquery()
    )
    holder = case((col(Case.held_until) > bindparam("now"), _HOLDERS.c.name))
    names: Sequence[Any] = (
        col(Brand.name).label("brand"),
        _OWNERS.c.name.label("owner"),
        holder.label("holder"),
        tagged.label("tags"),
    )
    return (*_of_case(), *names, *COLUMNS)


@cache
def _shown() -> sa.Select[*tuple[Any, ...]]:
    """The question, written once: every list asks it. Its answers come as the driver gives them."""
    plain = [as_given(one).label(f"c{number}") for number, one in enumerate(_columns())]
    wanted: sa.Select[*tuple[Any, ...]] = (
        select(*plain)
        .select_from(Case)
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        .outerjoin(_OWNERS, _OWNERS.c.id == col(Case.owner_id))
        .outerjoin(_HOLDERS, _HOLDERS.c.id == col(Case.holder_id))
        .outerjoin(Mention, col(Mention.id) == speaking())
        .outerjoin(Source, col(Source.id) == col(Mention.source_id))
        .where(col(Case.id).in_(bindparam("cases", expanding=True)))
    )
    return wanted


def as_given(column: Any) -> sa.ColumnElement[Any]:
    """A column whose values nothing is made of. Drivers make lists of JSON, which no key may be."""
    if isinstance(column.type, sa.JSON):
        return sa.type_coerce(sa.cast(column, sa.Text), sa.types.NULLTYPE)
    return sa.type_coerce(column, sa.types.NULLTYPE)


# --- what is made of it


class Reading(NamedTuple):
    """How to read what the database says of a row: names, and what turns plain values into ours."""

    case: type[Any]
    mention: type[Any]
    opens: Sequence[Callable[[Any], Any] | None]
    of_case: int  # so many columns


@lru_cache(maxsize=8)
def _reading(dialect: Dialect) -> Reading:
    columns = _columns()
    of_case = len(columns) - len(COLUMNS)
    names = [one.key for one in columns]
    return Reading(
        namedtuple("OfCase", names[:of_case]),
        namedtuple("OfMention", names[of_case:]),
        [opener(one.type, dialect) for one in columns],
        of_case,
    )


def opener(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of this type of what the driver gives; None when it is one."""
    if isinstance(kind, sa.JSON):
        return lambda plain: None if plain is None else loads(plain)
    if isinstance(kind, sa.Boolean):
        return lambda plain: None if plain is None else bool(plain)
    if isinstance(kind, sa.types.TypeDecorator):
        return kind.dialect_impl(dialect).result_processor(dialect, None)
    return None


def _made(said: tuple[Any, ...], now: datetime, dialect: Dialect) -> Made:
    how = _reading(dialect)
    values = [open_(one) if open_ else one for open_, one in zip(how.opens, said, strict=True)]
    one, mention = how.case(*values[: how.of_case]), how.mention(*values[how.of_case :])
    pressing = Pressing(
        urgent=one.urgent,
        unsure=one.unsure,
        priority=one.priority,
        due_at=one.due_at,
        opened_at=one.opened_at,
        reasons=tuple(one.reasons),
    )
    row = Row(
        id=one.id,
        brand_id=one.brand_id,
        brand=one.brand,
        status=one.status,
        urgent=one.urgent,
        unsure=one.unsure,
        priority=one.priority,
        reasons=pressing.reasons,
        score=score.score(pressing, now),
        why=score.why(pressing, now),
        owner=one.owner,
        holder=one.holder,
        opened_at=one.opened_at,
        waiting_since=one.waiting_since,
        due_at=one.due_at,
        snoozed_until=one.snoozed_until,
        closed_at=one.closed_at,
        outcome=one.outcome,
        reopened=one.reopened,
        mentions=one.mentions,
        tags=tuple(sorted(one.tags.split(BETWEEN))) if one.tags else (),
        lead=None if mention.id is None else as_lead(mention),
    )
    return Made(row, pressing, score.rank(pressing), left(row.due_at, now))


def left(due_at: datetime | None, now: datetime) -> tuple[bool, int]:
    """What of a deadline a row says: whether it is over, and for or since how many minutes."""
    if due_at is None:
        return False, 0
    seconds = (due_at - now).total_seconds()
    return seconds < 0, int(abs(seconds)) // 60
