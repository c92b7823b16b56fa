"""Presence: who looks at a case right now, and who writes."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from listener.domain.record import Instant

LASTS = timedelta(seconds=40)  # after the last sign; pages give one every fifteen


class Presence(SQLModel, table=True):
    """That somebody has a case before their eyes, until a moment that is never far away."""

    __tablename__ = "presences"

    case_id: int = Field(foreign_key="cases.id", primary_key=True, ondelete="CASCADE")
    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    writing: bool = False
    until: datetime = Field(sa_type=Instant, index=True)
