"""Deadlines: until when somebody must have answered, by which policy, in whose hours.

Three clocks run on a case. The first reply runs from its opening (from a person's word, where
the model was unsure) until we answer. The next reply runs afresh each time the customer is
back. The resolution runs from the opening, stands still while it is the customer's turn or the
case is closed, and is never started again. An automatic answer stops none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from connectors.kit.contract import Kind
from listener.domain.hours import (
    ALWAYS,
    FARTHEST,
    OFFICE,
    Calendar,
    Stretch,
    after,
    between,
    is_open,
    opens,
)
from listener.domain.record import Instant, Record, word
from listener.domain.severity import Severity, severity_of

LEVELS: Final = (50, 80, 100)  # per cent of its time at which a clock is spoken of


class Clock(StrEnum):
    """What time is counted for."""

    FIRST = "first reply"
    NEXT = "next reply"
    RESOLUTION = "resolution"


class Policy(Record, table=True):
    """Which deadlines a case gets. A changed policy is a new version of it; none is rewritten."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("name", "version"),)

    name: str
    version: int = 1
    position: int = 0  # the first that matches speaks
    brands: list[int] | None = Field(default=None, sa_column=Column(JSON))  # None means all
    connectors: list[str] | None = Field(default=None, sa_column=Column(JSON))
    kinds: list[str] | None = Field(default=None, sa_column=Column(JSON))
    severities: list[str] | None = Field(default=None, sa_column=Column(JSON))
    teams: list[int] | None = Field(default=None, sa_column=Column(JSON))
    first_reply: int | None = None  # seconds, as all of them
    next_reply: int | None = None  # None: as the first
    resolution: int | None = None
    always: bool = False  # counted round the clock, whoever is at work
    active: bool = True  # False: kept for cases that were promised by it

    def span(self, clock: Clock) -> timedelta | None:
        """How long it allows."""
        seconds = {
            Clock.FIRST: self.first_reply,
            Clock.NEXT: self.first_reply if self.next_reply is None else self.next_reply,
            Clock.RESOLUTION: self.resolution,
        }[clock]
        return None if seconds is None else timedelta(seconds=seconds)

    def matches(self, sort: "Sort") -> bool:
        """Whether it speaks of such a case."""
        return all(
            allowed is None or (found is not None and found in allowed)
            for allowed, found in (
                (self.brands, sort.brand_id),
                (self.connectors, sort.connector),
                (self.kinds, sort.kind.value),
                (self.severities, sort.severity.value),
                (self.teams, sort.team_id),
            )
        )


class Warned(Record, table=True):
    """That somebody was told how much of a clock had run: given once."""

    __tablename__ = "warnings"
    __table_args__ = (
        UniqueConstraint("case_id", "clock", "round", "level"),
        Index("ix_warnings_level", "level", "at"),
    )

    case_id: int = Field(foreign_key="cases.id")
    clock: Clock = Field(sa_type=word(Clock))
    round: int = 0  # how often the case had been reopened
    level: int  # 50, 80 or 100 per cent
    at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Sort:
    """What a deadline depends on."""

    kind: Kind
    urgent: bool
    unsure: bool
    brand_id: int | None = None
    connector: str | None = None
    priority: int = 0
    team_id: int | None = None
    crisis: bool = False  # people have tagged it so

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return severity_of(urgent=self.urgent, priority=self.priority, crisis=self.crisis)


_HOUR: Final = 3_600
# What holds where the table says nothing; a policy of the same name takes its place.
DEFAULTS: Final = (
    Policy(
        name="crisis",
        version=0,
        severities=[Severity.CRISIS.value],
        first_reply=_HOUR // 4,
        resolution=24 * _HOUR,
        always=True,
    ),
    Policy(
        name="urgent",
        version=0,
        severities=[Severity.URGENT.value],
        first_reply=_HOUR,
        resolution=72 * _HOUR,
        always=True,
    ),
    Policy(
        name="review",
        version=0,
        kinds=[Kind.REVIEW.value],
        first_reply=24 * _HOUR,
        resolution=72 * _HOUR,
        always=True,
    ),
    Policy(name="complaint", version=0, first_reply=4 * _HOUR, resolution=24 * _HOUR),
)


@dataclass(frozen=True, slots=True)
class Running:
    """One clock of a case, reckoned by the calendar as it stands today."""

    clock: Clock
    since: datetime
    calendar: Calendar
    policy: Policy
    pauses: tuple[Stretch, ...] = ()
    paused_at: datetime | None = None  # it stands still: nobody knows when it will be due
    stopped: datetime | None = None

    @property
    def span(self) -> timedelta | None:
        """How long the policy allows; None is for ever."""
        return self.policy.span(self.clock)

    @property
    def due(self) -> datetime | None:
        """When its time will be over."""
        return None if self.paused_at is not None and self.stopped is None else self.at(100)

    def at(self, level: int) -> datetime | None:
        """When so many per cent of its time will be over."""
        if self.span is None:
            return None
        return after(self.calendar, self.since, self.span * level / 100, self.stood_still)

    @property
    def stood_still(self) -> tuple[Stretch, ...]:
        """All its pauses, the one that has not ended too."""
        if self.paused_at is None:
            return self.pauses
        return (*self.pauses, (self.paused_at, self.stopped or self.paused_at + FARTHEST))

    def left(self, now: datetime) -> timedelta:
        """How much of its time is left; less than nothing when it is over."""
        until = self.stopped or self.paused_at or now
        span = self.span or timedelta()
        return span - between(self.calendar, self.since, until, self.stood_still)

    def level(self, now: datetime) -> int:
        """The highest level it has reached; 0 is none."""
        until = min(now, self.paused_at or now)
        reached = (level for level in LEVELS if (at := self.at(level)) is not None and at <= until)
        return max(reached, default=0)

    def after_level(self, level: int) -> datetime | None:
        """When it reaches the level after this one."""
        further = next((one for one in LEVELS if one > level), None)
        stands = self.stopped is not None or self.paused_at is not None
        return None if stands or further is None else self.at(further)


@dataclass(frozen=True)
class Policies:
    """All policies in force, in order, with the hours of the teams that keep them."""

    written: Sequence[Policy] = ()  # in their order; also those kept for their cases alone
    calendars: Mapping[int, Calendar] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)  # of teams

    def speaking(self, sort: Sort) -> Policy | None:
        """The first policy that matches."""
        return next((policy for policy in self.in_force if policy.matches(sort)), None)

    @property
    def in_force(self) -> list[Policy]:
        """Those that are asked: one's own, then the standard ones or what stands for them."""
        active = {policy.name: policy for policy in self.written if policy.active}
        standard = {policy.name: active.pop(policy.name, policy) for policy in DEFAULTS}
        return [*active.values(), *standard.values()]

    def stamped(self, name: str | None, version: int) -> Policy | None:
        """The version of a policy that a case was promised by."""
        return next(
            (
                policy
                for policy in (*self.written, *DEFAULTS)
                if (policy.name, policy.version) == (name, version)
            ),
            None,
        )

    def at_work(self, team_id: int | None) -> Calendar:
        """The hours of a team; of the first team where there is none; else of an office."""
        if team_id is not None and team_id in self.calendars:
            return self.calendars[team_id]
        return next(iter(self.calendars.values()), OFFICE)

    def counting(self, policy: Policy, team_id: int | None) -> Calendar:
        """In which hours a policy's time is counted for a team."""
        return ALWAYS if policy.always else self.at_work(team_id)

    def speakable(self, moment: datetime, severity: Severity, team_id: int | None) -> datetime:
        """From when on a warning of this moment may be given: a crisis waits for nobody."""
        hours = self.at_work(team_id)
        if severity is Severity.CRISIS or is_open(hours, moment):
            return moment
        return opens(hours, moment) or moment


def due(sort: Sort, policies: Policies, now: datetime) -> datetime | None:
    """When a case that starts waiting now must be answered; never, while it is unsure."""
    policy = None if sort.unsure else policies.speaking(sort)
    span = policy.span(Clock.FIRST) if policy else None
    if policy is None or span is None:
        return None
    return after(policies.counting(policy, sort.team_id), now, span)
