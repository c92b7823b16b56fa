"""Misses: deadlines that were not kept, by name, for as long as the calendars of today say so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from listener.domain.case import FINAL, Case
from listener.domain.deadline import Clock, Policies, Running
from listener.domain.record import Instant, Record, word

IN_TIME: Final = "by the hours of today it was in time"
NO_PROMISE: Final = "another promise holds now"


class Miss(Record, table=True):
    """A deadline of a case that was missed.

    `since` is from when its clock counted: with the case and the clock it says which one is
    meant. Hours that are corrected move `due_at`, or withdraw it; `first_due_at` stays.
    """

    __tablename__ = "misses"
    __table_args__ = (
        UniqueConstraint("case_id", "clock", "since"),
        Index("ix_misses_brand", "brand_id", "due_at"),
        Index("ix_misses_due", "due_at"),
    )

    case_id: int = Field(foreign_key="cases.id")
    brand_id: int = Field(foreign_key="brands.id")
    clock: Clock = Field(sa_type=word(Clock))
    since: datetime = Field(sa_type=Instant)
    policy: str
    policy_version: int = 0
    due_at: datetime = Field(sa_type=Instant)
    first_due_at: datetime = Field(sa_type=Instant)
    found_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)  # None: still not answered
    team_id: int | None = Field(default=None, foreign_key="teams.id")
    owner_id: int | None = Field(default=None, foreign_key="staff.id")  # whose it was then
    told: bool = False  # the case's history says so
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)
    why: str | None = None  # it was withdrawn


@dataclass(frozen=True, slots=True)
class Late:
    """A clock that ran out before it was stopped, or while nobody has stopped it yet."""

    clock: Clock
    since: datetime
    policy: str
    version: int
    due: datetime
    ended: datetime | None

    @property
    def key(self) -> tuple[Clock, datetime]:
        """Which one of a case it is."""
        return self.clock, self.since


def late(case: Case, policies: Policies, now: datetime) -> dict[tuple[Clock, datetime], Late]:
    """What a case has missed by the calendars of today; nothing, if it was no complaint."""
    if case.outcome in FINAL:
        return {}
    return {one.key: one for one in _late(case.clocks(policies), now)}


def _late(clocks: Iterable[Running], now: datetime) -> Iterator[Late]:
    for one in clocks:
        due = one.at(100)
        if due is None:
            continue
        ended = one.stopped
        in_time = due >= ended if ended else due > (one.paused_at or now)
        if not in_time:
            name, version = one.policy.name, one.policy.version
            yield Late(one.clock, one.since, name, version, due, ended)


def excuse(case: Case, miss: Miss, policies: Policies) -> str:
    """Why a miss is none any more."""
    if case.outcome in FINAL:
        return f"it was no complaint: {case.outcome}"
    keys = {(one.clock, one.since) for one in case.clocks(policies)}
    return IN_TIME if (miss.clock, miss.since) in keys else NO_PROMISE
