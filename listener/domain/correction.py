"""Corrections: what a person knew better than the model."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from listener.domain.record import Instant, Record, word


class Better(StrEnum):
    """What is true instead."""

    NOT_NEGATIVE = "not negative"
    NOT_US = "not us"
    SPAM = "spam"
    COMPLAINT = "complaint"  # an unsure or a missed one


class Correction(Record, table=True):
    """A person's opinion that overrides a verdict: a reference, never a copy of the text."""

    __tablename__ = "corrections"

    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE", index=True)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    better: Better = Field(sa_type=word(Better))
    model: str | None = None  # whose verdict it corrects
    at: datetime = Field(sa_type=Instant, index=True)
