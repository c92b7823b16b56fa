"""Routes, members and ladders as a plan writes them."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from listener.desk.outlets import Name
from listener.desk.plan_words import span
from listener.desk.planned_policies import known
from listener.domain.ladder import Rank
from listener.domain.routing import CAPACITY, Share
from listener.domain.severity import Severity

MOST = 1000  # cases that somebody could have at once


class PlannedMember(BaseModel, extra="forbid"):
    """One `[[member]]`: somebody who works here, and the teams they belong to."""

    name: Name
    teams: list[str] = Field(min_length=1)
    languages: list[str] = []
    skills: list[str] = []
    capacity: int = Field(default=CAPACITY, ge=0, le=MOST)
    leads: bool = False
    on_call: bool = False


class PlannedRoute(BaseModel, extra="forbid"):
    """One `[[route]]`: which cases go to which team. They are asked as they stand in the file."""

    name: Name
    team: str
    brands: list[str] | None = None
    places: list[str] | None = None
    languages: list[str] | None = None
    severities: list[Severity] | None = None
    tags: list[str] | None = None
    authors: list[str] | None = None
    branches: list[str] | None = None
    skill: str | None = None
    share: Share = Share.LEAST_LOADED
    sticky: bool = True

    @field_validator("places")
    @classmethod
    def _are_places(cls, places: list[str] | None) -> list[str] | None:
        return None if places is None else known(places)


class PlannedStep(BaseModel, extra="forbid"):
    """One step of a ladder."""

    after: Annotated[timedelta, BeforeValidator(span)]
    call: Rank


class PlannedLadder(BaseModel, extra="forbid"):
    """One `[[ladder]]`: whom to call for as long as nobody has heard of a case."""

    name: Name
    teams: list[str] | None = None
    severities: list[Severity] | None = None
    steps: list[PlannedStep]

    @field_validator("steps")
    @classmethod
    def _each_later(cls, steps: list[PlannedStep]) -> list[PlannedStep]:
        times = [step.after for step in steps]
        if times != sorted(set(times)):
            raise ValueError("each step comes later than the one before it")
        return steps
