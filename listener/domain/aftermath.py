"""Aftermath: what a crisis was, in figures and moments, for those who must learn from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from listener.domain.case import CONFIRMED, Case
from listener.domain.crisis import Crisis


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment of it. `case` is where it can be looked at; `note` what was said."""

    at: datetime
    says: str
    case: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A case of it: when it was opened, who has it, and how soon it was first answered."""

    case: int
    status: str
    outcome: str | None
    how: str
    owner: str | None
    author: str
    place: str
    opened_at: datetime
    answered_at: datetime | None
    posts: int
    deleted: int
    missed: int  # deadlines

    @property
    def waited(self) -> timedelta | None:
        """How long they waited for a first answer."""
        if self.answered_at is None:
            return None
        return max(timedelta(), self.answered_at - self.opened_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A deadline that was missed, by name."""

    case: int
    clock: str
    due_at: datetime
    ended_at: datetime | None
    owner: str | None
    team: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that went out, and to how many cases."""

    text: str
    cases: Sequence[int]
    holding: bool  # it was sent to those who waited, together

    @property
    def gone(self) -> bool:
        """Whether its words are no longer kept."""
        return not self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A post that says it clearly."""

    words: str
    author: str
    place: str
    at: datetime
    language: str | None
    url: str
    case: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """All that a report on a crisis says. Counted are people by their accounts."""

    crisis: Crisis
    brand: str
    lead: str
    declared_by: str
    ended_by: str | None
    at: datetime
    moments: Sequence[Moment]
    cases: Sequence[Answered]
    people: int
    places: Sequence[tuple[str, int]]  # by how many people
    posts: int
    deleted: int
    none_of_it: int  # cases that turned out to be no complaint of ours: counted nowhere else
    late: Sequence[Late]
    missed_updates: Sequence[datetime]
    updates: int
    texts: Sequence[Text]
    quotes: Sequence[Quote]

    @property
    def unanswered(self) -> Sequence[Answered]:
        """The cases that nobody has answered, and that still wait."""
        return [one for one in self.cases if one.answered_at is None and one.outcome is None]

    @property
    def waits(self) -> Sequence[timedelta]:
        """How long it took until each was first answered, the shortest first."""
        return sorted(one.waited for one in self.cases if one.waited is not None)

    @property
    def median(self) -> timedelta | None:
        """Half of the first answers came no later."""
        return within(self.waits, 50)

    @property
    def ninetieth(self) -> timedelta | None:
        """Nine of ten first answers came no later."""
        return within(self.waits, 90)


def within(waits: Sequence[timedelta], percent: int) -> timedelta | None:
    """The wait that so many of a hundred did not exceed; `waits` are in order."""
    return waits[max(0, ceil(len(waits) * percent / 100) - 1)] if waits else None


def first_answer(case: Case) -> datetime | None:
    """When a case was first answered, here or, as whoever closed it says, elsewhere."""
    if case.first_answered_at is not None:
        return case.first_answered_at
    return case.closed_at if case.outcome in CONFIRMED else None


def peak(posts: Sequence[datetime]) -> tuple[datetime, int] | None:
    """When the fullest quarter of an hour began to fill, the first of several; None of nothing."""
    quarters: dict[datetime, list[datetime]] = {}
    for at in posts:
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        quarters.setdefault(quarter, []).append(at)
    if not quarters:
        return None
    fullest = min(quarters, key=lambda one: (-len(quarters[one]), one))
    return min(quarters[fullest]), len(quarters[fullest])
