"""People who work here, each with a role, the brands they look after, and a way in."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import JSON, Boolean, Column, text
from sqlmodel import Field

from listener.domain.record import Instant, Record, word


class Role(StrEnum):
    """What somebody is here to do."""

    AGENT = "agent"  # works cases
    LEAD = "lead"  # assigns, sets policies
    MANAGER = "manager"  # reads brands
    ADMIN = "admin"  # configures


class Staff(Record, table=True):
    """One person.

    Of the password only a hash is kept, and of a link by which they choose one only a hash.
    """

    __tablename__ = "staff"

    name: str = Field(unique=True)
    role: Role = Field(default=Role.AGENT, sa_type=word(Role))
    mail: str | None = None
    active: bool = True
    brands: list[int] | None = Field(default=None, sa_column=Column(JSON))  # None means all
    zone: str | None = None  # by its name, as in Europe/Berlin; None is their browser's
    password: str | None = Field(default=None, repr=False)
    link: str | None = Field(default=None, repr=False, unique=True, index=True)
    link_until: datetime | None = Field(default=None, sa_type=Instant)
    slack: str | None = Field(
        default=None, unique=True, index=True
    )  # who they are in Slack, once joined
    quiet_from: time | None = None  # by their own clock; what is not urgent waits
    quiet_until: time | None = None
    quieter: bool = Field(  # told of what is not urgent once an hour, together
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    away_until: datetime | None = Field(default=None, sa_type=Instant)  # what is past is over
    away_why: str | None = None

    def away(self, now: datetime) -> bool:
        """Whether they are not here at this moment, and get no new cases."""
        return self.away_until is not None and self.away_until > now

    def sees(self, brand_id: int) -> bool:
        """Whether a brand is this person's business; an admin, who could change that, sees all."""
        return self.role is Role.ADMIN or self.brands is None or brand_id in self.brands

    @property
    def walls(self) -> list[int] | None:
        """The brands to which what they are shown is limited; None where it is not."""
        return None if self.role is Role.ADMIN else self.brands
