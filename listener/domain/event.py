"""Events: the numbered lines of a case's history, never rewritten."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from listener.domain.record import Instant, Record, word


class What(StrEnum):
    """What happened."""

    OPENED = "opened"
    JOINED = "joined"  # a like mention joined the case
    CONFIRMED = "confirmed"  # a person said that an unsure one is a complaint
    TAKEN = "taken"
    TAKEN_OVER = "taken over"
    ASSIGNED = "assigned"  # somebody made another, or themselves, its owner
    RELEASED = "released"
    ROUTED = "routed"  # rules sent it to a team, or gave it to somebody of it
    ESCALATED = "escalated"  # nobody had heard it, so the next of the ladder was called
    ACKNOWLEDGED = "acknowledged"  # somebody says that they heard it and see to it
    WRITTEN = "reply written"
    WITHDRAWN = "reply withdrawn"
    FAILED = "reply failed"  # or nobody knows whether it stands there
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    EDITED = "edited"  # by its author
    DELETED = "deleted"  # by its author
    FOLLOWED = "followed"  # its author wrote again in the same thread
    CORRECTED = "corrected"  # a mention that the model let pass was a complaint
    PRIORITY = "priority changed"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    NOTED = "noted"  # a note for colleagues was written
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    WARNED = "deadline near"
    MISSED = "deadline missed"
    KEPT = "deadline kept after all"  # corrected hours, or that it was no complaint, say so
    RESENT = "notice sent again"  # somebody asked for it, because it had failed
    UNDONE = "undone"  # an act of a moment ago was taken back


class Event(Record, table=True):
    """One thing that happened to a case. Details never hold a post's text or its author.

    Of an act that can be undone they hold what stood `before`.
    """

    __tablename__ = "events"

    case_id: int = Field(foreign_key="cases.id", index=True)
    what: What = Field(sa_type=word(What))
    at: datetime = Field(sa_type=Instant)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")  # None: by itself
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
