"""Tags: words that staff sort cases by."""

import re
from unicodedata import normalize

from sqlmodel import Field, SQLModel

from listener.domain.record import NotAllowed

LONGEST = 40  # characters
MOST = 20  # on one case

_GAP = re.compile(r"[\s,;#]+")
_ODD = re.compile(r"[^\w.:+-]")


class CaseTag(SQLModel, table=True):
    """That a case has a tag."""

    __tablename__ = "case_tags"

    case_id: int = Field(foreign_key="cases.id", primary_key=True, ondelete="CASCADE")
    tag: str = Field(primary_key=True, index=True)


def plain(words: str) -> str:
    """A tag as it is kept: "#Late Delivery" is late-delivery; NotAllowed when nothing is left."""
    tag = _ODD.sub("", _GAP.sub("-", normalize("NFKC", words).casefold())).strip("-")
    if not tag:
        raise NotAllowed("A tag needs a letter or a digit, for example: late-delivery.")
    if len(tag) > LONGEST:
        raise NotAllowed(f"A tag has at most {LONGEST} characters; this one has {len(tag)}.")
    return tag
