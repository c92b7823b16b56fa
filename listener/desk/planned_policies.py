"""Policies as a plan writes them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, field_validator, model_validator

from connectors.kit import catalog
from connectors.kit.contract import Kind
from listener.desk.outlets import Name
from listener.desk.plan_words import span
from listener.domain.deadline import DEFAULTS
from listener.domain.severity import Severity

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)
SPANS: Final = ("first_reply", "next_reply", "resolution")
ASKED: Final = ("brands", "places", "kinds", "severities", "teams")
STANDARD: Final = {policy.name: policy for policy in DEFAULTS}

Span = Annotated[timedelta | None, BeforeValidator(span)]


class PlannedPolicy(BaseModel, extra="forbid"):
    """One `[[policy]]`: until when which cases are answered. They are asked as they stand.

    One that is called like a standard policy changes that one, in its place: what it does not
    say stays as it is there.
    """

    name: Name
    brands: list[str] | None = None
    places: list[str] | None = None
    kinds: list[Kind] | None = None
    severities: list[Severity] | None = None
    teams: list[str] | None = None
    first_reply: Span = None
    next_reply: Span = None
    resolution: Span = None
    always: bool | None = None
    active: bool = True

    @field_validator(*SPANS)
    @classmethod
    def _bearable(cls, found: timedelta | None) -> timedelta | None:
        if found is not None and not SHORTEST <= found <= LONGEST:
            raise ValueError("a deadline is a minute at least and a year at most")
        return found

    @field_validator(*ASKED)
    @classmethod
    def _asks_for_something(cls, words: list[str] | None) -> list[str] | None:
        if words == []:
            raise ValueError("an empty list fits no case; leave it out to mean all")
        return words

    @field_validator("places")
    @classmethod
    def _are_places(cls, places: list[str] | None) -> list[str] | None:
        return None if places is None else known(places)

    @model_validator(mode="after")
    def _in_order(self) -> "PlannedPolicy":
        first, last = self.first_reply, self.resolution
        if first is not None and last is not None and last < first:
            raise ValueError("`resolution` cannot be sooner than `first_reply`")
        return self


def known(places: list[str]) -> list[str]:
    """Places as connectors are called; ValueError for one that nobody can read."""
    names = {name.casefold(): name for name in catalog.names()}
    for place in places:
        if place.casefold() not in names:
            raise ValueError(
                f'there is no connector called "{place}"; `listener connectors` lists them'
            )
    return [names[place.casefold()] for place in places]


def faults_of_policies(policies: Sequence[PlannedPolicy]) -> list[str]:
    """What is wrong with policies by themselves, and one after the other."""
    faults = []
    own = [one for one in policies if one.active and one.name not in STANDARD]
    for number, one in enumerate(own):
        where = f'[[policy]] "{one.name}"'
        if all(getattr(one, name) is None for name in SPANS):
            faults.append(f'{where}: say until when: first_reply = "4h", next_reply or resolution.')
        before = next((other for other in own[:number] if covers(other, one)), None)
        if before is not None:
            faults.append(
                f'{where}: it never speaks, because "{before.name}" stands before it and fits '
                "every case that it fits; write it first."
            )
    return faults


def covers(wide: PlannedPolicy, narrow: PlannedPolicy) -> bool:
    """Whether one policy fits every case that the other fits."""
    return all(
        (whole := getattr(wide, name)) is None
        or ((part := getattr(narrow, name)) is not None and set(part) <= set(whole))
        for name in ASKED
    )
