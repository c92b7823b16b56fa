"""Brands: names whose reputation we look after."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field

from listener.domain.record import Instant, Record


class Brand(Record, table=True):
    """A name, the query that finds it, and its own accounts."""

    __tablename__ = "brands"

    name: str = Field(unique=True)
    query: str
    handles: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_type=Instant)
