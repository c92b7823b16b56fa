"""Alarms: that something about a brand rises, or falls silent, beyond what is usual."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.record import Instant, NotAllowed, Record, word
from listener.domain.severity import Severity
from listener.domain.trying import try_later

SOON: Final = timedelta(hours=1)  # reports within such a time belong together
REPORTS: Final = 3
CALM: Final = timedelta(hours=6)  # without another report: then it is over
LONGEST: Final = timedelta(days=7)  # an alarm may be put off
GRAVE: Final = {"safety": "safety", "health": "safety", "fraud": "fraud", "outage": "outage"}
TRIES: Final = 8
RISE: Final = "rise"
THEME: Final = "theme "


class Sort(StrEnum):
    """What an alarm is about."""

    COMPLAINTS = "complaints"  # more of them than usual
    MENTIONS = "mentions"
    SILENCE = "silence"  # of a source that should speak
    SAFETY = "safety"  # reports of it; one is too many, three are a fire
    FRAUD = "fraud"
    OUTAGE = "outage"

    @property
    def is_rise(self) -> bool:
        """Whether it is told by numbers that are higher than usual."""
        return self in (Sort.COMPLAINTS, Sort.MENTIONS)

    @property
    def is_report(self) -> bool:
        """Whether it is told by what people report."""
        return not self.is_rise and self is not Sort.SILENCE


class Alarm(Record, table=True):
    """Raised once, until it is over.

    `about` says what may be raised only once at a time for a brand: a rise, the rise of one theme,
    the silence of one source, one kind of report. A rise of the brand may have a theme as well:
    then that explains most of it. `count` is of posts where it is a rise, of people who tell it
    themselves where they are reports; who only passes on another's words is among the first, and
    beside the second. `mentions` are what is quoted. `chart` has a pair for every quarter of an hour of the day before:
    how many there were, how many are usual.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index(
            "uq_alarms_open",
            "brand_id",
            "about",
            unique=True,
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
        Index("ix_alarms_raised", "raised_at"),
    )

    brand_id: int = Field(foreign_key="brands.id")
    about: str
    sort: Sort = Field(sa_type=word(Sort))
    source_id: int | None = Field(default=None, foreign_key="sources.id")  # None: all together
    theme_id: int | None = Field(default=None, foreign_key="themes.id")
    since: datetime = Field(sa_type=Instant)
    raised_at: datetime = Field(sa_type=Instant)
    count: int = 0  # since then
    passed_on: int = 0  # posts, or people, that only pass on what others wrote
    expected: float = 0.0  # in as long a time
    low: int = 0  # nineteen of twenty such times bring no less
    high: int = 0  # and no more
    mentions: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    chart: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    acknowledged_by: int | None = Field(default=None, foreign_key="staff.id")
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    snoozed_until: datetime | None = Field(default=None, sa_type=Instant)
    over_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def is_of_theme(self) -> bool:
        """Whether one theme rises, not the brand."""
        return self.about.startswith(THEME)

    @property
    def severity(self) -> Severity:
        """How bad it is: what people report harms somebody now, whatever the hour."""
        return Severity.CRISIS if self.sort.is_report else Severity.URGENT

    @property
    def unheard_since(self) -> datetime | None:
        """From when it has waited for somebody to see to it; None where nobody need.

        Put off, it begins to wait anew when that ends.
        """
        if self.acknowledged_at is not None or self.over_at is not None:
            return None
        return max(self.raised_at, self.snoozed_until or self.raised_at)

    def acknowledge(self, staff_id: int, now: datetime) -> bool:
        """Note who sees to it; False where somebody does already."""
        if self.acknowledged_at is not None:
            return False
        self.acknowledged_by, self.acknowledged_at = staff_id, now
        return True

    def snooze(self, until: datetime, now: datetime) -> None:
        """Put it off; always with an end."""
        if self.over_at is not None:
            raise NotAllowed("This alarm is over; there is nothing to put off.")
        if not now < until <= now + LONGEST:
            raise NotAllowed("An alarm is put off until a moment within the next seven days.")
        self.snoozed_until = until

    def rings(self, now: datetime) -> bool:
        """Whether it is to be seen now."""
        return self.over_at is None and (self.snoozed_until is None or self.snoozed_until <= now)


class AlarmNotice(Record, table=True):
    """That a channel, or a person, is to be told of an alarm, or that it is over; kept until told.

    Of a person `channel` is the way to them, `why` says why they are called, and `call` counts
    what they were called for, from 1 on: the end of an alarm is told where the last call was.
    """

    __tablename__ = "alarm_notices"
    __table_args__ = (
        UniqueConstraint("alarm_id", "staff_id", "call", "over", name="uq_alarm_notices_person"),
        Index(  # where nobody is named, the database would take two for different
            "uq_alarm_notices_channel",
            "alarm_id",
            "channel",
            "over",
            unique=True,
            sqlite_where=text("staff_id IS NULL"),
            postgresql_where=text("staff_id IS NULL"),
        ),
        Index(
            "ix_alarm_notices_waiting",
            "next_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    alarm_id: int = Field(foreign_key="alarms.id", ondelete="CASCADE")
    channel: str
    over: bool = False
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    call: int = 0
    why: str | None = None
    next_at: datetime = Field(sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    failed_at: datetime | None = Field(default=None, sa_type=Instant)
    failure: str | None = None

    def missed(self, why: str, now: datetime) -> None:
        """A try failed: later again, longer each time, for about a day."""
        try_later(self, why, now, most=TRIES, longer=4)


def about_theme(number: int) -> str:
    """What the rise of one theme is about."""
    return f"{THEME}{number}"


def sentence(alarm: Alarm, source: str | None, theme: str | None = None) -> str:
    """What an alarm says, in one sentence; with the names of its source and its theme."""
    where = f" from {source}" if source else ""
    since = f"since {alarm.since:%d %b %H:%M} UTC"
    if alarm.sort is Sort.SILENCE:
        return (
            f"{source or 'A source'} has brought nothing {since}; "
            f"about {alarm.expected:.0f} mentions were to be expected."
        )
    if alarm.sort.is_report:
        reports = "1 report" if alarm.count == 1 else f"{alarm.count} reports"
        people = "1 person" if alarm.passed_on == 1 else f"{alarm.passed_on} people"
        more = f", and {people} passed it on" if alarm.passed_on else ""
        return f"{reports} of {alarm.sort}{where} {since}{more}."
    usual = f"{alarm.low} to {alarm.high}" if alarm.low < alarm.high else str(alarm.high)
    how = f"where {usual} are usual{times(alarm)}{passing(alarm)}"
    if theme and alarm.is_of_theme:
        return f"{alarm.count} {alarm.sort} about “{theme}” {since}, {how}."
    why = f" Most of the complaints are about “{theme}”." if theme else ""
    return f"{alarm.count} {alarm.sort}{where} {since}, {how}.{why}"


def times(alarm: Alarm) -> str:
    """How many times the usual it is, where that says something."""
    fold = alarm.count / alarm.expected if alarm.expected >= 0.5 else 0.0
    return f" ({fold:.0f} times as many)" if fold >= 2 else ""


def passing(alarm: Alarm) -> str:
    """How many of a rise only pass on what others wrote, where there are such."""
    match alarm.passed_on:
        case 0:
            return ""
        case 1:
            return "; 1 of them only passes on what another wrote"
        case many:
            return f"; {many} of them only pass on what others wrote"
