"""Undoing: what an act changed of a case, and how that is put back."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from listener.domain.case import Case, Outcome, Status
from listener.domain.event import Event, What

WINDOW = timedelta(seconds=60)

# What people's acts change of a case, beside its tags.
_MOMENTS: Final = (
    "held_until",
    "waiting_since",
    "unheard_since",
    "due_at",
    "snoozed_until",
    "slept_at",
    "answered_at",
    "closed_at",
    "counts_from",
    "worse_at",
    "first_answered_at",
    "paused_at",
    "resolve_at",
    "look_at",
)
_PLAIN: Final = (
    "status",
    "unsure",
    "crisis",
    "owner_id",
    "holder_id",
    "wakes_on_answer",
    "wakes_on_people",
    "outcome",
    "reopened",
    "policy",
    "policy_version",
    "pauses",
    "waits",
)
# What may happen after an act without standing in the way of undoing it: it changes nothing
# that people's acts change.
HARMLESS: Final = frozenset(
    {
        What.NOTED,
        What.JOINED,
        What.EDITED,
        What.DELETED,
        What.PRIORITY,
        What.ESCALATED,
        What.WARNED,
        What.MISSED,
        What.KEPT,
    }
)


def standing(case: Case) -> dict[str, Any]:
    """How a case stands, as an event can keep it."""
    kept: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(case, name)
        kept[name] = value.value if isinstance(value, (Status, Outcome)) else value
    for name in _MOMENTS:
        moment: datetime | None = getattr(case, name)
        kept[name] = moment and moment.isoformat()
    return kept


def changed(before: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """Of what stood before, all that stands otherwise now."""
    now = standing(case)
    return {name: value for name, value in before.items() if now[name] != value}


def restore(case: Case, before: Mapping[str, Any]) -> None:
    """Put back what stood before."""
    for name, value in before.items():
        if name in _MOMENTS:
            setattr(case, name, value and datetime.fromisoformat(value))
        elif name == "status":
            case.status = Status(value)
        elif name == "outcome":
            case.outcome = value and Outcome(value)
        elif name in _PLAIN:
            setattr(case, name, value)


def in_the_way(event: Event, later: Iterable[Event]) -> Event | None:
    """What happened since so that the act cannot be undone: also its own undoing."""
    later = sorted(later, key=lambda one: one.key)
    undone = {one.details.get("undoes"): one for one in later if one.what is What.UNDONE}
    if event.id in undone:
        return undone[event.id]
    settled = {one.id for one in undone.values()} | set(undone)
    return next((one for one in later if one.id not in settled and one.what not in HARMLESS), None)
