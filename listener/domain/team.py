"""Teams: who works together, and in which hours."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import JSON, Column
from sqlmodel import Field

from listener.domain.hours import Calendar, Hours, periods
from listener.domain.record import Record


class Team(Record, table=True):
    """People who share cases, with the hours in which their time is counted."""

    __tablename__ = "teams"

    name: str = Field(unique=True)
    zone: str = "UTC"  # by its name, as in Europe/Berlin
    hours: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    holidays: str | None = None  # a country, or a region of it: DE, DE-BY
    closed: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    always: bool = False  # somebody is there round the clock
    follows: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))

    @property
    def own_hours(self) -> Hours:
        """Its hours as they are counted, without those of teams it works with."""
        return Hours(
            zone=self.zone,
            periods=periods(self.hours),
            holidays=self.holidays,
            closed=frozenset(date.fromisoformat(day) for day in self.closed),
        )

    def calendar(self, others: Iterable["Team"]) -> Calendar:
        """When it is open: in its own hours, and in those of the teams that work on for it."""
        together = [self, *(team for team in others if team.key in self.follows)]
        return Calendar(
            tuple(team.own_hours for team in together if team.hours),
            always=any(team.always for team in together),
        )
