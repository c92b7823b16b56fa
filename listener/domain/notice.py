"""Notices: what must be told to someone, kept until it is told, and where it is told."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.record import Instant, Record, word

TRIES = 12


class News(StrEnum):
    """What a notice tells."""

    OPENED = "case opened"
    CHANGED = "case changed"
    CLOSED = "case closed"


class Channel(Record, table=True):
    """A way out of the house: a kind with its options. Secrets among them are sealed."""

    __tablename__ = "channels"

    name: str = Field(unique=True)
    kind: str
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    active: bool = True


class Notice(Record, table=True):
    """One thing to tell through one channel; told at least once, under the same id."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("event_id", "channel"),
        Index(
            "ix_notices_waiting",
            "next_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    channel: str
    news: News = Field(sa_type=word(News))
    case_id: int = Field(foreign_key="cases.id", index=True)
    event_id: int = Field(foreign_key="events.id")
    next_at: datetime = Field(sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    failed_at: datetime | None = Field(default=None, sa_type=Instant)  # given up
    failure: str | None = None

    def missed(self, why: str, now: datetime) -> None:
        """A try failed: later again, longer each time, for a day and a half."""
        self.tries += 1
        self.failure = why
        self.taken_until = None
        if self.tries >= TRIES:
            self.failed_at = now
        else:
            self.next_at = now + min(timedelta(seconds=10 * 3**self.tries), timedelta(hours=6))
