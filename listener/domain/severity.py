"""Severity: how bad a case is, the one word that policies, routes and ladders ask for."""

from enum import StrEnum
from typing import Final

GRAVE: Final = 85  # points of priority from which what is urgent is a crisis
CRISIS_TAG: Final = "crisis"  # what people have tagged so is one


class Severity(StrEnum):
    """How bad it is."""

    CRISIS = "crisis"
    URGENT = "urgent"
    NORMAL = "normal"


def severity_of(*, urgent: bool, priority: int = 0, crisis: bool = False) -> Severity:
    """How bad a case is. `crisis` says that people have tagged it so."""
    if crisis or (urgent and priority >= GRAVE):
        return Severity.CRISIS
    return Severity.URGENT if urgent else Severity.NORMAL
