"""The ladder: whom to call, one after the other, for as long as nobody has heard of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.hours import ALWAYS, Calendar, after
from listener.domain.record import Instant, Record, word
from listener.domain.severity import Severity


class Rank(StrEnum):
    """Who is called."""

    OWNER = "owner"
    LEAD = "lead"
    MANAGER = "manager"
    ON_CALL = "on-call"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: whom to call, so long after a case began to wait for somebody to hear it."""

    after: timedelta
    rank: Rank


class Ladder(Record, table=True):
    """The steps for some cases. Ladders are asked in order; the first that fits is climbed."""

    __tablename__ = "ladders"

    name: str = Field(unique=True)
    place: int = 0  # in the order
    teams: list[int] | None = Field(default=None, sa_column=Column(JSON))  # None means all
    severities: list[str] | None = Field(default=None, sa_column=Column(JSON))
    steps: list[list[str | int]] = Field(  # seconds and rank
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    active: bool = True

    @property
    def climbed(self) -> tuple[Step, ...]:
        """Its steps, in the order of their time."""
        steps = (Step(timedelta(seconds=int(after)), Rank(str(rank))) for after, rank in self.steps)
        return tuple(sorted(steps, key=lambda step: step.after))


class Rung(Record, table=True):
    """One step of one case, before it is taken and after.

    `since` is from when the case was unheard: heard and unheard again, it begins anew.
    """

    __tablename__ = "rungs"
    __table_args__ = (
        UniqueConstraint("case_id", "since", "step"),
        Index(
            "ix_rungs_due",
            "due_at",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    case_id: int = Field(foreign_key="cases.id")
    since: datetime = Field(sa_type=Instant)
    step: int  # the first is 0
    rank: Rank = Field(sa_type=word(Rank))
    due_at: datetime = Field(sa_type=Instant)
    told_at: datetime | None = Field(default=None, sa_type=Instant)
    event_id: int | None = Field(default=None, foreign_key="events.id")


class AlarmRung(Record, table=True):
    """One step of one alarm, before it is taken and after; as a case's."""

    __tablename__ = "alarm_rungs"
    __table_args__ = (
        UniqueConstraint("alarm_id", "since", "step"),
        Index(
            "ix_alarm_rungs_due",
            "due_at",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    alarm_id: int = Field(foreign_key="alarms.id", ondelete="CASCADE")
    since: datetime = Field(sa_type=Instant)
    step: int  # the first is 0
    rank: Rank = Field(sa_type=word(Rank))
    due_at: datetime = Field(sa_type=Instant)
    told_at: datetime | None = Field(default=None, sa_type=Instant)
    called: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


def _steps(*minutes: int) -> tuple[Step, ...]:
    return tuple(
        Step(timedelta(minutes=after), rank) for after, rank in zip(minutes, Rank, strict=True)
    )


# Within the deadlines that hold where nothing is set up: 15 minutes, an hour, four business hours.
DEFAULTS: Final[Mapping[Severity, tuple[Step, ...]]] = MappingProxyType(
    {
        Severity.CRISIS: _steps(1, 5, 10, 12),
        Severity.URGENT: _steps(10, 20, 40, 50),
        Severity.NORMAL: _steps(60, 120, 180, 230),
    }
)


# How whoever is called is spoken of.
CALLED: Final[Mapping[Rank, str]] = MappingProxyType(
    {
        Rank.OWNER: "its owner",
        Rank.LEAD: "the lead",
        Rank.MANAGER: "the manager",
        Rank.ON_CALL: "whoever is on call",
    }
)


def steps_for(
    ladders: Sequence[Ladder], team_id: int | None, severity: Severity
) -> tuple[Step, ...]:
    """The steps of a case. One without a team has none, unless a ladder is for all teams."""
    ladder = _ladder_for(ladders, team_id, severity)
    if ladder is not None:
        return ladder.climbed
    return DEFAULTS[severity] if team_id is not None else ()


def alarm_steps(
    ladders: Sequence[Ladder], team_id: int | None, severity: Severity
) -> tuple[Step, ...]:
    """The steps of an alarm, which has no owner; one without a team has them too."""
    ladder = _ladder_for(ladders, team_id, severity)
    steps = DEFAULTS[severity] if ladder is None else ladder.climbed
    return tuple(step for step in steps if step.rank is not Rank.OWNER)


def _ladder_for(
    ladders: Sequence[Ladder], team_id: int | None, severity: Severity
) -> Ladder | None:
    for ladder in ladders:
        if not ladder.active:
            continue
        if ladder.teams is not None and team_id not in ladder.teams:
            continue
        if ladder.severities is None or severity.value in ladder.severities:
            return ladder
    return None


def due(step: Step, severity: Severity, calendar: Calendar, since: datetime) -> datetime | None:
    """When a step is due: in business hours, unless it is urgent or a crisis; None is never."""
    counted = calendar if severity is Severity.NORMAL else ALWAYS
    return after(counted, since, step.after)


def alarm_due(
    step: Step, severity: Severity, calendar: Calendar, since: datetime
) -> datetime | None:
    """When a step of an alarm is due: in business hours, unless it is a crisis; None is never."""
    return after(ALWAYS if severity is Severity.CRISIS else calendar, since, step.after)
