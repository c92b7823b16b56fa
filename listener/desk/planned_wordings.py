"""Wordings as a plan writes them."""

from pydantic import BaseModel, field_validator

from listener.desk.outlets import Name
from listener.desk.planned_policies import known
from listener.domain.record import NotAllowed
from listener.domain.wording import LONGEST_NAME, written


class PlannedWording(BaseModel, extra="forbid"):
    """One `[[wording]]`: a text to begin a reply with, and where it fits; else it fits anywhere."""

    name: Name
    text: str
    brand: str | None = None
    place: str | None = None
    language: str | None = None
    tag: str | None = None

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > LONGEST_NAME:
            raise ValueError(f"a wording's name has at most {LONGEST_NAME} characters")
        return name

    @field_validator("text")
    @classmethod
    def _fits(cls, text: str) -> str:
        try:
            return written(text)
        except NotAllowed as wrong:
            raise ValueError(str(wrong)) from wrong

    @field_validator("place")
    @classmethod
    def _is_a_place(cls, place: str | None) -> str | None:
        return None if place is None else known([place])[0]
