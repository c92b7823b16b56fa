"""The days, weeks and months that a digest tells of, each with those it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

WEEK: Final = 7
# How many spans before it say what is usual: a day is compared with the same day of the week.
COMPARED: Final = 8


class Of(StrEnum):
    """How long a digest looks back."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A whole day, week (from its Monday) or month, as the clocks of a place count it."""

    of: Of
    first: date
    zone: str = "UTC"

    @property
    def following(self) -> "Stretch":
        """The next one."""
        if self.of is Of.DAY:
            return Stretch(self.of, self.first + timedelta(days=1), self.zone)
        if self.of is Of.WEEK:
            return Stretch(self.of, self.first + timedelta(days=WEEK), self.zone)
        return Stretch(self.of, month(self.first, 1), self.zone)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.following.first - timedelta(days=1)

    @property
    def starts(self) -> datetime:
        """When it begins; a day may have 23 or 25 hours."""
        return datetime.combine(self.first, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """When it is over."""
        return self.following.starts

    @property
    def compared(self) -> Sequence["Stretch"]:
        """The like stretches before it, the nearest first."""
        step = {Of.DAY: timedelta(days=WEEK), Of.WEEK: timedelta(days=WEEK)}
        if self.of is Of.MONTH:
            return [Stretch(self.of, month(self.first, -n), self.zone) for n in compared()]
        return [Stretch(self.of, self.first - n * step[self.of], self.zone) for n in compared()]

    @property
    def name(self) -> str:
        """What people call it."""
        if self.of is Of.DAY:
            return f"{self.first:%A, %d %B %Y}"
        if self.of is Of.WEEK:
            return f"week from {self.first:%d %B} to {self.last:%d %B %Y}"
        return f"{self.first:%B %Y}"

    @property
    def kind(self) -> str:
        """What it is compared with, as in "usual for a Wednesday"."""
        return {Of.DAY: f"a {self.first:%A}", Of.WEEK: "a week", Of.MONTH: "a month"}[self.of]


def compared() -> range:
    """How many stretches back each of those lies that say what is usual."""
    return range(1, COMPARED + 1)


def month(first: date, by: int) -> date:
    """The first of the month so many months later."""
    count = first.year * 12 + first.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


def holding(of: Of, day: date, zone: str = "UTC") -> Stretch:
    """The stretch that a day belongs to."""
    if of is Of.WEEK:
        day -= timedelta(days=day.weekday())
    elif of is Of.MONTH:
        day = day.replace(day=1)
    return Stretch(of, day, zone)


def latest(of: Of, now: datetime, zone: str = "UTC") -> Stretch:
    """The last one that is over."""
    today = holding(of, now.astimezone(ZoneInfo(zone)).date(), zone)
    before = today.first - timedelta(days=1)
    return holding(of, before, zone)
