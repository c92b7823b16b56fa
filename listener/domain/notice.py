"""Notices: what must be told to someone, kept until it is told, and where it is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.record import Instant, Record, word
from listener.domain.trying import try_anew, try_later

TERMINAL = "terminal"  # always there: the program's own window
SLACK, MAIL = "slack", "mail"  # the ways to one person


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
    brands: list[int] | None = Field(default=None, sa_column=Column(JSON))  # None means all
    only_urgent: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )


@dataclass(frozen=True, slots=True)
class Outlet:
    """Who hears of cases through one channel: of which brands, and whether of every case."""

    channel: str
    brands: frozenset[int] | None = None
    only_urgent: bool = False

    def hears(self, brand_id: int, *, urgent: bool) -> bool:
        """Whether a case of this brand is told here when it opens."""
        return (self.brands is None or brand_id in self.brands) and (urgent or not self.only_urgent)


class Notice(Record, table=True):
    """One thing to tell; told at least once, under the same id.

    It goes to a channel, or to one person: then `channel` is the way to them, SLACK or MAIL.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("event_id", "channel", "staff_id", name="uq_notices_person"),
        Index(  # where nobody is named, the database would take two for different
            "uq_notices_channel",
            "event_id",
            "channel",
            unique=True,
            sqlite_where=text("staff_id IS NULL"),
            postgresql_where=text("staff_id IS NULL"),
        ),
        Index(
            "ix_notices_waiting",
            "next_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
        Index(
            "ix_notices_failing",
            "id",
            sqlite_where=text("failure IS NOT NULL"),
            postgresql_where=text("failure IS NOT NULL"),
        ),
        Index(
            "ix_notices_detours",
            "next_at",
            sqlite_where=text("detour IS NOT NULL"),
            postgresql_where=text("detour IS NOT NULL"),
        ),
    )

    channel: str
    staff_id: int | None = Field(default=None, foreign_key="staff.id", index=True)
    why: str | None = None  # why this person is told, in a sentence
    news: News = Field(sa_type=word(News))
    case_id: int = Field(foreign_key="cases.id", index=True)
    event_id: int = Field(foreign_key="events.id")
    next_at: datetime = Field(sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    failed_at: datetime | None = Field(default=None, sa_type=Instant)  # given up
    failure: str | None = None  # of the last try; or who did not get what others got
    detour: str | None = None  # why it goes by mail instead of by Slack

    @property
    def partly(self) -> bool:
        """Whether it arrived at some of its readers and was refused for others."""
        return self.sent_at is not None and self.failure is not None

    def go_by_mail(self, now: datetime) -> None:
        """Slack does not take it, and will not for a while: the same notice goes by mail."""
        self.channel, self.detour = MAIL, self.failure
        self.once_more(now)

    def once_more(self, now: datetime) -> None:
        """It is tried again now, as often as at first."""
        try_anew(self, now)
        self.taken_until = None

    def missed(self, why: str, now: datetime) -> None:
        """A try failed: later again, longer each time, for a day and a half."""
        try_later(self, why, now)
        self.taken_until = None
