"""Routing: to which team a case goes, to whom of it, and why, in sentences."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.record import Instant, Record, word
from listener.domain.severity import Severity

CAPACITY: Final = 20  # cases somebody has at once, where nothing else is said


class Share(StrEnum):
    """How a team shares out what comes to it."""

    LEAST_LOADED = "least loaded"
    ROUND_ROBIN = "round robin"
    NOBODY = "nobody"  # it waits in the team's queue for whoever takes it


class Route(Record, table=True):
    """A rule that sends cases to a team. Rules are asked in order; the first that fits decides.

    A list that is None asks for nothing. `skill` is what whoever gets it must be good at;
    `sticky` means that who answered this author before is asked first.
    """

    __tablename__ = "routes"

    name: str = Field(unique=True)
    place: int = 0  # in the order
    team_id: int = Field(foreign_key="teams.id")
    brands: list[int] | None = Field(default=None, sa_column=Column(JSON))
    places: list[str] | None = Field(default=None, sa_column=Column(JSON))
    languages: list[str] | None = Field(default=None, sa_column=Column(JSON))
    severities: list[str] | None = Field(default=None, sa_column=Column(JSON))
    tags: list[str] | None = Field(default=None, sa_column=Column(JSON))
    authors: list[str] | None = Field(default=None, sa_column=Column(JSON))
    branches: list[str] | None = Field(default=None, sa_column=Column(JSON))
    skill: str | None = None
    share: Share = Field(default=Share.LEAST_LOADED, sa_type=word(Share))
    sticky: bool = True
    active: bool = True


class Membership(Record, table=True):
    """That somebody belongs to a team, what they are good at, and how much they can have."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("team_id", "staff_id"),)

    team_id: int = Field(foreign_key="teams.id")
    staff_id: int = Field(foreign_key="staff.id")
    languages: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    skills: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    capacity: int = CAPACITY
    leads: bool = False  # whom the ladder calls as the team's lead
    on_call: bool = False  # whom it calls last
    given_at: datetime | None = Field(default=None, sa_type=Instant)  # their last turn


class Decision(Record, table=True):
    """Where a case went, and why: one each time it needed a team, numbered from 1.

    `look_at` is when somebody is looked for again, while nobody could have it.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        Index(
            "ix_decisions_due",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    case_id: int = Field(foreign_key="cases.id")
    number: int = 1
    at: datetime = Field(sa_type=Instant)
    route: str | None = None  # its name then
    team_id: int | None = Field(default=None, foreign_key="teams.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    why: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    look_at: datetime | None = Field(default=None, sa_type=Instant)
    event_id: int | None = Field(default=None, foreign_key="events.id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules ask of a case."""

    brand_id: int
    severity: Severity = Severity.NORMAL
    place: str = ""
    language: str | None = None
    tags: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()  # all that its author is called
    branch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of a team, as they are at this moment. `away` says why not, if they are not here."""

    staff_id: int
    name: str
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    capacity: int = CAPACITY
    load: int = 0  # cases they own that wait for an answer
    given_at: datetime | None = None
    away: str | None = None
    sees: bool = True  # whether the brand is their business


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets a case, or nobody yet; and why."""

    staff_id: int | None
    why: tuple[str, ...]
    again: bool = False  # somebody may be free later


def fits(route: Route, facts: Facts) -> bool:
    """Whether a rule is about such a case."""
    return (
        (route.brands is None or facts.brand_id in route.brands)
        and _one_of(route.places, {facts.place})
        and (route.languages is None or _speaks(route.languages, facts.language))
        and _one_of(route.severities, {facts.severity.value})
        and _one_of(route.tags, facts.tags)
        and _one_of(route.authors, facts.authors)
        and _one_of(route.branches, {facts.branch} if facts.branch else set())
    )


def first(routes: Sequence[Route], facts: Facts) -> Route | None:
    """The rule that decides."""
    return next((route for route in routes if route.active and fits(route, facts)), None)


def choose(
    team: Sequence[Colleague], route: Route, facts: Facts, *, before: int | None = None
) -> Choice:
    """Whom of a team a case is given to; `before` is who answered this author before.

    Who speaks its language and has the skill is asked before others; only where nobody of the
    team does, everybody is. Of those who are here and have room: who answered this author
    before, else whoever has the least, or whose turn it is.
    """
    if route.share is Share.NOBODY:
        return Choice(None, ("The team takes its cases from its queue.",))
    asked = [one for one in team if one.sees]
    if not asked:
        return Choice(None, ("Nobody of the team works cases of this brand.",))
    why: list[str] = []
    if route.skill:
        skilled = [one for one in asked if route.skill.casefold() in one.skills]
        asked, said = _narrowed(asked, skilled, f"is good at {route.skill}")
        why += said
    if facts.language and any(one.languages for one in asked):
        fluent = [one for one in asked if _speaks(one.languages, facts.language)]
        asked, said = _narrowed(asked, fluent, f"speaks {facts.language}")
        why += said
    free = [one for one in asked if one.away is None and one.load < one.capacity]
    known = next((one for one in asked if one.staff_id == before), None) if route.sticky else None
    if not free:
        return Choice(None, (*why, *(_unfree(one) for one in asked[:3])), again=True)
    if known is not None and known in free:
        return Choice(known.staff_id, (*why, f"{known.name} answered this author before."))
    if known is not None:
        why.append(f"{known.name} answered this author before, but {_lower(_unfree(known))}")
    if len(free) == 1:
        return Choice(free[0].staff_id, (*why, f"{free[0].name} is the only one who is free."))
    if route.share is Share.ROUND_ROBIN:
        chosen = min(free, key=_turn)
        return Choice(chosen.staff_id, (*why, f"It is the turn of {chosen.name}."))
    chosen = min(free, key=lambda one: (one.load, *_turn(one)))
    return Choice(chosen.staff_id, (*why, f"{chosen.name} has the least: {_cases(chosen.load)}."))


def _turn(one: Colleague) -> tuple[float, int]:
    return (one.given_at.timestamp() if one.given_at else 0.0, one.staff_id)


def _narrowed(
    asked: list[Colleague], fitting: list[Colleague], what: str
) -> tuple[list[Colleague], list[str]]:
    if not fitting:
        return asked, [f"Nobody of the team {what}."]
    if len(fitting) == len(asked):
        return asked, []
    names = " and ".join(one.name for one in fitting[:3]) if len(fitting) <= 3 else None
    return fitting, [f"Of the team {names or f'{len(fitting)} people'} {_verb(what, fitting)}."]


def _verb(what: str, people: Sequence[Colleague]) -> str:
    if len(people) == 1:
        return what
    return what.replace("is good", "are good").replace("speaks", "speak")


def _unfree(one: Colleague) -> str:
    if one.away is not None:
        return f"{one.name} {one.away}."
    return f"{one.name} has {_cases(one.load)}, and can have no more."


def _lower(sentence: str) -> str:
    return "they " + sentence.partition(" ")[2] if " " in sentence else sentence


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number} cases"


def _one_of(wanted: Collection[str] | None, there: Collection[str]) -> bool:
    if wanted is None:
        return True
    return not {one.casefold() for one in wanted}.isdisjoint(one.casefold() for one in there)


def _speaks(languages: Collection[str], language: str | None) -> bool:
    """Whether a language is among these; de is spoken by whoever speaks de-AT, and the reverse."""
    if language is None:
        return False
    wanted = language.casefold().partition("-")[0]
    return any(one.casefold().partition("-")[0] == wanted for one in languages)
