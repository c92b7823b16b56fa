"""Teams as a plan writes them."""

from datetime import date

from pydantic import BaseModel, field_validator

from listener.desk.outlets import Name
from listener.domain.hours import holidays_of, periods, zone_of


class PlannedTeam(BaseModel, extra="forbid"):
    """One `[[team]]`: whose hours time is counted in."""

    name: Name
    zone: str = "UTC"
    hours: list[str] = []
    holidays: str | None = None
    closed: list[date] = []
    always: bool = False
    follows: list[str] = []

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        zone_of(zone)
        return zone

    @field_validator("hours")
    @classmethod
    def _are_periods(cls, hours: list[str]) -> list[str]:
        periods(hours)
        return hours

    @field_validator("holidays")
    @classmethod
    def _are_known(cls, place: str | None) -> str | None:
        if place is not None:
            holidays_of(place)
        return place


def faults_of_teams(teams: list[PlannedTeam]) -> list[str]:
    """What is wrong with teams beside each other."""
    return [
        f'[[team]] "{team.name}": say when it is at work: hours = ["mon-fri 09:00-17:00"], '
        'always = true, or follows = ["…"], the teams that work on for it.'
        for team in teams
        if not (team.hours or team.always or team.follows)
    ] + [
        f'[[team]] "{team.name}": it cannot follow itself.'
        for team in teams
        if team.name in team.follows
    ]
