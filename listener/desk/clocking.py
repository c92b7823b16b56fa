"""Clocking: how the clocks of a case stand, by which promise, and who is called next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from listener.domain.case import Case
from listener.domain.deadline import Clock, Policies, Policy, Running
from listener.domain.hours import said
from listener.domain.ladder import Rank, Rung
from listener.store import climbing, deadlines
from listener.store.session import AsyncSession


class State(StrEnum):
    """How a clock stands."""

    RUNS = "runs"
    PAUSED = "paused"
    OVER = "overdue"
    KEPT = "kept"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One clock, as people read it."""

    clock: Clock
    state: State
    since: datetime
    due: datetime | None  # unknown while it is paused
    ended: datetime | None
    paused: datetime | None
    allowed: timedelta
    left: timedelta  # counted in its hours; less than nothing when it is over
    hours: str
    promise: str

    @property
    def says(self) -> str:
        """How it stands, in words, without the moments."""
        match self.state:
            case State.PAUSED:
                return f"stands still, {said(self.left)} left"
            case State.RUNS:
                return f"{said(self.left)} of {said(self.allowed)} left"
            case State.OVER:
                return f"missed by {said(-self.left)}"
            case State.LATE:
                return f"{said(-self.left)} too late"
            case State.KEPT:
                return f"in time, with {said(self.left)} of {said(self.allowed)} left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One step of the ladder: who was called when, or who is next."""

    rank: Rank
    at: datetime
    called: Sequence[str] = ()
    next: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it, for one case."""

    faces: Sequence[Face]
    why: str  # the promise speaks
    calls: Sequence[Call]
    heard: bool  # nobody is called any more


async def standing(
    session: AsyncSession,
    case: Case,
    *,
    brand: str,
    now: datetime,
    otherwise: Policies | None = None,
    climbed: bool = True,
) -> Standing:
    """How a case stands, reckoned by the calendars of this moment; `climbed`: it has a ladder."""
    policies = await deadlines.in_force(session, otherwise)
    speaking = policies.stamped(case.policy, case.policy_version)
    return Standing(
        faces=[face(one, case, policies, now) for one in latest(case.clocks(policies))],
        why="" if speaking is None else reason(speaking, case, brand, policies),
        calls=await calls(session, case) if climbed else [],
        heard=case.unheard_since is None,
    )


def latest(clocks: Sequence[Running]) -> list[Running]:
    """Each clock once: of several next replies the one that is of interest, the last."""
    found = {one.clock: one for one in clocks}
    return [found[clock] for clock in Clock if clock in found]


def face(one: Running, case: Case, policies: Policies, now: datetime) -> Face:
    """One clock in words."""
    due, left = one.due, one.left(now)
    paused = one.paused_at if one.stopped is None else None
    if one.stopped is not None:
        state = State.KEPT if left >= timedelta() else State.LATE
    elif left <= timedelta():
        state, due = State.OVER, one.at(100)
    else:
        state = State.RUNS if paused is None else State.PAUSED
    return Face(
        clock=one.clock,
        state=state,
        since=one.since,
        due=due,
        ended=one.stopped,
        paused=paused,
        allowed=one.span or timedelta(),
        left=left,
        hours=whose(one.policy, case.team_id, policies),
        promise=named(one.policy),
    )


def whose(policy: Policy, team_id: int | None, policies: Policies) -> str:
    """In whose hours its time is counted."""
    if policy.always:
        return "round the clock"
    if team_id is not None and team_id in policies.names:
        return f"in the hours of {policies.names[team_id]}"
    if policies.names:
        return f"in the hours of {next(iter(policies.names.values()))}, while no team has it"
    return "Monday to Friday, 09:00 to 17:00 UTC"


def named(policy: Policy) -> str:
    """A policy by name and version; a standard one has none."""
    version = f", version {policy.version}" if policy.version else ""
    return f"“{policy.name}”{version}"


def reason(policy: Policy, case: Case, brand: str, policies: Policies) -> str:
    """Why this policy speaks."""
    asked = {
        "brand": (policy.brands, brand),
        "place": (policy.connectors, case.connector),
        "kind": (policy.kinds, case.kind.value),
        "severity": (policy.severities, case.sort.severity.value),
        "team": (policy.teams, policies.names.get(case.team_id or 0)),
    }
    fits = [f"{what} {value}" for what, (wanted, value) in asked.items() if wanted and value]
    if not fits:
        return f"The policy {named(policy)} speaks: it is for everything no other is for."
    return f"The policy {named(policy)} is the first that fits: {', '.join(fits)}."


async def calls(session: AsyncSession, case: Case) -> list[Call]:
    """Who was called since it was last unheard, in order, and who is next."""
    found = await climbing.of_case(session, case.key)
    if not found:
        return []
    since = case.unheard_since or max(rung.since for rung, _ in found)
    return [
        called(rung, names) for rung, names in found if rung.since == since and is_shown(rung, case)
    ]


def is_shown(rung: Rung, case: Case) -> bool:
    """Whether a step is of interest: what has been heard is called for no more."""
    return rung.told_at is not None or case.unheard_since is not None


def called(rung: Rung, names: Sequence[str]) -> Call:
    """One step in words."""
    if rung.told_at is None:
        return Call(rank=rung.rank, at=rung.due_at, next=True)
    return Call(rank=rung.rank, at=rung.told_at, called=names)
