"""How pressing a case is: one number that orders the queue, and the words that explain it.

A case is as pressing as its deadline is near. What is important counts as if it were due
sooner: a point of priority is worth two minutes, and whatever is urgent seven days. So the
order of two cases never changes merely because time goes by, and a list that is read page by
page stays in step with itself. An unsure case has no deadline: it comes behind all others.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

POINT: Final = timedelta(minutes=2)
URGENT: Final = timedelta(days=7)
LAST: Final = 10**11  # seconds: behind every deadline
ROUND: Final = timedelta(minutes=20)  # what one point of the shown number is worth
DAY: Final = timedelta(days=1)

_HARM = re.compile(r"Speaks of harm: ([\w ]+)\.")
_REACH = re.compile(r"Reaches ([\d,]+) people\.")
_STARS = re.compile(r"(One star|\d+ stars)\b")
_READS = re.compile(r"Reads like a complaint \((\d+)%\)\.")
_PLACES = re.compile(r"Said in (\d+) places\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressing:
    """What of a case makes it pressing."""

    urgent: bool
    unsure: bool
    priority: int
    due_at: datetime | None
    opened_at: datetime
    reasons: Sequence[str] = ()


def rank(case: Pressing) -> int:
    """Where a case stands in the queue: the smaller, the sooner; seconds of the epoch."""
    since = case.due_at or case.opened_at
    sooner = case.priority * POINT + (URGENT if case.urgent else timedelta())
    behind = LAST if case.unsure else 0
    return behind + int(since.timestamp()) - int(sooner.total_seconds())


def score(case: Pressing, now: datetime) -> int:
    """The same as a number for people: the larger, the sooner; never below nothing."""
    return points(case, rank(case), now)


def points(case: Pressing, place: int, now: datetime) -> int:
    """The same, where its rank is known already."""
    if case.unsure:
        return case.priority // 10
    left = place - int((now + DAY).timestamp())
    return max(0, -left // int(ROUND.total_seconds()))


def why(case: Pressing, now: datetime) -> str:
    """What makes it so pressing, in a line: "urgent: safety word, 12k reach, 22 min to breach"."""
    said = list(map(shortly, case.reasons))
    reasons = [word for word in said if word]
    if case.due_at is not None:
        reasons.append(left(case.due_at - now))
    head = "urgent" if case.urgent else "unsure" if case.unsure else f"priority {case.priority}"
    return f"{head}: {', '.join(reasons)}" if reasons else head


def shortly(reason: str) -> str:
    """A reason in a word or two; nothing where the row shows it anyway."""
    if found := _HARM.fullmatch(reason):
        return f"{found[1]} word"
    if found := _REACH.fullmatch(reason):
        return f"{people(int(found[1].replace(',', '')))} reach"
    if found := _STARS.match(reason):
        return found[1].lower()
    if found := _READS.fullmatch(reason):
        return f"{found[1]} % complaint"
    if found := _PLACES.fullmatch(reason):
        return f"said in {found[1]} places"
    return "an article" if reason.startswith("An article") else ""


def people(number: int) -> str:
    """How many people, short: 12k, 1.4k."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            short = number / size
            return (
                f"{short:.1f}{unit}" if short < 10 and short % 1 >= 0.05 else f"{short:.0f}{unit}"
            )
    return str(number)


def left(time: timedelta) -> str:
    """What is left of a deadline, or how long it has been over."""
    length = lasting(abs(time))
    return f"overdue by {length}" if time < timedelta() else f"{length} to breach"


def lasting(time: timedelta) -> str:
    """A length of time in the unit that people would say it in."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
