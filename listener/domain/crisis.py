"""Crises: a person declares one, leads it, says how it goes on, and ends it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, NotAllowed, Record, word
from listener.domain.trying import try_later

EVERY: Final = (15, 30, 60)  # minutes between two updates that one may choose
OTHERWISE: Final = 30
GRACE: Final = timedelta(minutes=5)  # an update that is later than this was missed
LONGEST_NAME: Final = 80  # characters
LONGEST_WORDS: Final = 200
LONGEST_UPDATE: Final = 2_000
TRIES: Final = 8


class Crisis(Record, table=True):
    """What somebody has declared to be one; open until somebody ends it.

    A brand has one of a name at a time. `words` are those that a new case must say to belong to
    it; the cases of its theme belong to it as they come.
    """

    __tablename__ = "crises"
    __table_args__ = (
        Index(
            "uq_crises_open",
            "brand_id",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_crises_brand", "brand_id", "ended_at"),
    )

    brand_id: int = Field(foreign_key="brands.id")
    name: str
    alarm_id: int | None = Field(default=None, foreign_key="alarms.id")
    theme_id: int | None = Field(default=None, foreign_key="themes.id", ondelete="SET NULL")
    words: str = ""
    lead_id: int = Field(foreign_key="staff.id")
    declared_by: int = Field(foreign_key="staff.id")
    declared_at: datetime = Field(sa_type=Instant)
    every: int = OTHERWISE  # minutes
    update_due_at: datetime = Field(sa_type=Instant)
    reminded: bool = False  # its lead was told that this update is due
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: int | None = Field(default=None, foreign_key="staff.id")

    def require_open(self) -> None:
        """Refuse what only makes sense while it lasts."""
        if self.ended_at is not None:
            raise NotAllowed(
                f"The crisis {self.name} is over since {self.ended_at:%d %b %H:%M} UTC. If it "
                "goes on, declare it again."
            )

    def updated(self, now: datetime) -> None:
        """An update is written: the next is due a full time later."""
        self.require_open()
        self.update_due_at, self.reminded = now + timedelta(minutes=self.every), False

    def missed(self, now: datetime) -> Iterator[datetime]:
        """When updates were due that nobody has written in time; the next one is due after them."""
        self.require_open()
        while self.update_due_at + GRACE <= now:
            yield self.update_due_at
            self.update_due_at += timedelta(minutes=self.every)
            self.reminded = False

    def end(self, staff_id: int, now: datetime) -> None:
        """It is over."""
        self.require_open()
        self.ended_at, self.ended_by = now, staff_id


class How(StrEnum):
    """How a case came to a crisis."""

    ALARM = "alarm"
    THEME = "theme"
    WORDS = "words"
    HAND = "hand"


class CrisisCase(SQLModel, table=True):
    """That a case belongs to a crisis; what a person has taken out does not come back by itself."""

    __tablename__ = "crisis_cases"

    crisis_id: int = Field(foreign_key="crises.id", ondelete="CASCADE", primary_key=True)
    case_id: int = Field(foreign_key="cases.id", primary_key=True, index=True)
    how: How = Field(sa_type=word(How))
    since: datetime = Field(sa_type=Instant)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")  # who brought it
    tagged: bool = False  # its tag was put there by this
    left_at: datetime | None = Field(default=None, sa_type=Instant)


class HoldingText(SQLModel, table=True):
    """What everybody in a crisis is told until more is known, in one language or, "", in all.

    It is offered only once somebody has approved it as it stands.
    """

    __tablename__ = "holding_texts"

    crisis_id: int = Field(foreign_key="crises.id", ondelete="CASCADE", primary_key=True)
    language: str = Field(default="", primary_key=True)
    text: str
    written_by: int = Field(foreign_key="staff.id")
    written_at: datetime = Field(sa_type=Instant)
    approved_by: int | None = Field(default=None, foreign_key="staff.id")
    approved_at: datetime | None = Field(default=None, sa_type=Instant)


class CrisisUpdate(Record, table=True):
    """How it goes on, as its lead tells colleagues. Customers never see it."""

    __tablename__ = "crisis_updates"

    crisis_id: int = Field(foreign_key="crises.id", ondelete="CASCADE", index=True)
    text: str
    staff_id: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=Instant)


class Turn(StrEnum):
    """What can happen in a crisis."""

    DECLARED = "declared"
    LED = "led"  # by the person whose number is `other`
    GREW = "grew"  # by so many cases as `words` says
    LEFT = "left"  # the case whose number is `other`
    WORDED = "worded"  # the holding reply, in the language that `words` says
    APPROVED = "approved"
    TOLD = "told"  # so many people as `words` says
    UPDATED = "updated"  # by the update whose number is `other`
    MISSED = "missed"  # the update that was due at the moment that `words` says
    ENDED = "ended"


class CrisisEvent(Record, table=True):
    """One line of a crisis's history, never rewritten."""

    __tablename__ = "crisis_events"

    crisis_id: int = Field(foreign_key="crises.id", ondelete="CASCADE", index=True)
    at: datetime = Field(sa_type=Instant)
    what: Turn = Field(sa_type=word(Turn))
    staff_id: int | None = Field(default=None, foreign_key="staff.id")  # None: by itself
    other: int | None = None
    words: str | None = None


class Told(StrEnum):
    """What a bulletin tells."""

    DECLARED = "declared"
    LEADS = "leads"  # to somebody who was asked to lead it
    DUE = "due"  # to its lead: an update is to be written
    MISSED = "missed"  # to its lead: one was not
    UPDATE = "update"
    ENDED = "ended"


REMINDERS: Final = frozenset({Told.DUE, Told.MISSED})


class Bulletin(Record, table=True):
    """One thing to tell one channel, or one person, of a crisis; kept until it is told.

    `what` says which one it is, so that nobody is told one thing twice: of an update its number,
    of what is due the moment.
    """

    __tablename__ = "bulletins"
    __table_args__ = (
        UniqueConstraint("crisis_id", "told", "what", "whom"),
        Index(
            "ix_bulletins_waiting",
            "next_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    crisis_id: int = Field(foreign_key="crises.id", ondelete="CASCADE")
    told: Told = Field(sa_type=word(Told))
    what: str = ""
    whom: str  # a channel by its name, or @ and the number of a person
    channel: str  # the way there
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    at: datetime = Field(sa_type=Instant)
    next_at: datetime = Field(sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    failed_at: datetime | None = Field(default=None, sa_type=Instant)
    failure: str | None = None

    def missed(self, why: str, now: datetime) -> None:
        """A try failed: later again, longer each time, for about a day."""
        try_later(self, why, now, most=TRIES, longer=4)


def name_of(words: str) -> str:
    """A crisis's name, on one line; NotAllowed says what it lacks."""
    name = " ".join(words.replace("\0", "").split())
    if not name:
        raise NotAllowed("A crisis needs a name. Say in a few words what is wrong.")
    if len(name) > LONGEST_NAME:
        raise NotAllowed(f"A crisis's name has at most {LONGEST_NAME} characters.")
    return name


def words_of(said: str) -> str:
    """The words that a new case must say, on one line."""
    words = " ".join(said.replace("\0", "").split())
    if len(words) > LONGEST_WORDS:
        raise NotAllowed(f"The words have at most {LONGEST_WORDS} characters.")
    return words


def minutes_of(every: int) -> int:
    """How often there is an update; NotAllowed says how often there can be."""
    if every not in EVERY:
        raise NotAllowed("Updates come every 15, 30 or 60 minutes; choose one of these.")
    return every


def said(update: str) -> str:
    """An update as it is kept."""
    update = update.replace("\0", "").strip()
    if not update:
        raise NotAllowed("The update is empty. Say what is known, what is done, what comes next.")
    if len(update) > LONGEST_UPDATE:
        raise NotAllowed(
            f"The update has {len(update):,} characters; {LONGEST_UPDATE:,} are the most."
        )
    return update
