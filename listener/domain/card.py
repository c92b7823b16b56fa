"""Cards: which messages show a case in a channel that can be edited, and when it may be spoken to.

A card is begun before it is posted and has its `ts` afterwards. One without `ts` was being posted
when the program died, or the answer was lost: it is looked for in the channel before another is
posted, so that nobody sees two.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Boolean, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from listener.domain.record import Instant, Record

CARD: Final = "card"  # the one that is edited
RISE: Final = "rise"  # that the case is urgent now, said aloud
BURST: Final = "burst"  # many cases as one


class Card(Record, table=True):
    """One message about a case in one channel."""

    __tablename__ = "cards"
    __table_args__ = (
        UniqueConstraint("case_id", "channel", "sort"),
        Index("ix_cards_message", "channel", "ts"),
    )

    case_id: int = Field(foreign_key="cases.id")
    channel: str  # its name here, or the way to one person
    sort: str = CARD  # or RISE, BURST, or the notice that its thread was told
    begun_at: datetime = Field(sa_type=Instant)
    ts: str | None = None  # the message, by its name there
    urgent: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    folded: bool = Field(  # shown by a card of many cases
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )


class Pace(Record, table=True):
    """Until when a place outside wants silence, or somebody is speaking there."""

    __tablename__ = "paces"

    place: str = Field(unique=True)
    not_before: datetime = Field(sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Folded:
    """How many cases one card shows, and how they stand."""

    total: int = 0
    urgent: int = 0
    waiting: int = 0
