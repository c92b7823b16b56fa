"""Subscriptions: who gets the digest of which brand, how often, and what became of each."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Column, Index, String, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.notice import MAIL
from listener.domain.record import Instant, Record, word
from listener.domain.span import Of, Stretch, latest
from listener.domain.trying import try_later

MORNING: Final = 8


class Subscription(Record, table=True):
    """That somebody wants a brand's digest, at an hour of their own clock."""

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("staff_id", "brand_id", "of"),)

    staff_id: int = Field(foreign_key="staff.id", ondelete="CASCADE")
    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE", index=True)
    of: Of = Field(sa_type=word(Of))
    hour: int = MORNING
    way: str = Field(  # MAIL or SLACK
        default=MAIL, sa_column=Column(String, nullable=False, server_default=MAIL)
    )

    def due(self, zone: str | None, now: datetime) -> Stretch | None:
        """The stretch that must have been told by now; None before the hour has come."""
        stretch = latest(self.of, now, known(zone))
        hour = stretch.ends.astimezone(ZoneInfo(stretch.zone)).replace(hour=self.hour)
        return stretch if now >= hour else None


class Letter(Record, table=True):
    """One digest on its way to one reader: sent at least once, under the same id."""

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("subscription_id", "first"),
        Index(
            "ix_letters_waiting",
            "next_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    subscription_id: int = Field(foreign_key="subscriptions.id", ondelete="CASCADE")
    first: date  # of the stretch it tells of
    next_at: datetime = Field(sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    failed_at: datetime | None = Field(default=None, sa_type=Instant)  # given up
    failure: str | None = None

    def missed(self, why: str, now: datetime) -> None:
        """A try failed: later again, longer each time, for a day and a half."""
        try_later(self, why, now)
        self.taken_until = None


def known(zone: str | None) -> str:
    """A reader's zone, or UTC where it is none that we know."""
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return zone or "UTC"
