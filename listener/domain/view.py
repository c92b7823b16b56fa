"""Views: filters that somebody keeps under a name, for themselves."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from listener.domain.record import NotAllowed, Record

MOST = 50  # of one person
LONGEST_NAME = 40
LONGEST_QUERY = 2000


class View(Record, table=True):
    """A list as somebody likes to see it: what stands behind the question mark of its address."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    staff_id: int = Field(foreign_key="staff.id")
    name: str
    query: str
    place: int  # in the person's own order


def named(words: str) -> str:
    """A view's name as it is kept."""
    name = " ".join(words.split())
    if not name:
        raise NotAllowed("Give the view a name.")
    if len(name) > LONGEST_NAME:
        raise NotAllowed(f"A name has at most {LONGEST_NAME} characters; this has {len(name)}.")
    return name
