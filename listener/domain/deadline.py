"""Deadlines: until when somebody must have answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.kit.contract import Kind


@dataclass(frozen=True, slots=True)
class Policies:
    """How long a customer may wait, by what sort of case it is; wall-clock time."""

    urgent: timedelta = timedelta(hours=1)
    complaint: timedelta = timedelta(hours=4)
    review: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Sort:
    """What a deadline depends on."""

    kind: Kind
    urgent: bool
    unsure: bool


def due(sort: Sort, policies: Policies, now: datetime) -> datetime | None:
    """When a case that starts waiting now must be answered; never, while it is unsure."""
    if sort.unsure:
        return None
    if sort.urgent:
        return now + policies.urgent
    return now + (policies.review if sort.kind is Kind.REVIEW else policies.complaint)
