"""People who work here, each with a role."""

from enum import StrEnum

from sqlmodel import Field

from listener.domain.record import Record, word


class Role(StrEnum):
    """What somebody is here to do."""

    AGENT = "agent"  # works cases
    LEAD = "lead"  # assigns, sets policies
    MANAGER = "manager"  # reads brands
    ADMIN = "admin"  # configures


class Staff(Record, table=True):
    """One person."""

    __tablename__ = "staff"

    name: str = Field(unique=True)
    role: Role = Field(default=Role.AGENT, sa_type=word(Role))
    mail: str | None = None
    active: bool = True
