"""Missing: every deadline that was missed, by name, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from listener.domain.case import Case
from listener.domain.deadline import Clock, Policies
from listener.domain.miss import Miss
from listener.store import deadlines, misses
from listener.store.misses import Asked, Named
from listener.store.session import AsyncSession

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """One missed deadline, as people read it."""

    number: int
    case_id: int
    brand: str
    clock: Clock
    policy: str
    due: datetime
    promised: datetime  # when it was first said to be due, if hours were corrected since
    ended: datetime | None  # None: nobody has answered yet
    by: timedelta | None  # counted in the hours it was promised in; None where it was withdrawn
    owner: str | None
    team: str | None
    withdrawn: datetime | None
    why: str

    @property
    def stands(self) -> str:
        """How it stands, in a word or two."""
        if self.withdrawn is not None:
            return "withdrawn"
        return "still waits" if self.ended is None else "too late"


async def missing(
    session: AsyncSession,
    asked: Asked,
    *,
    now: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int = misses.PAGE,
    otherwise: Policies | None = None,
) -> list[Missed]:
    """What was missed, the latest due first."""
    found = await misses.listed(session, asked, after=after, limit=limit)
    policies = await deadlines.in_force(session, otherwise)
    return [missed(one, policies, now) for one in found]


async def everything(
    session: AsyncSession, asked: Asked, *, now: datetime, otherwise: Policies | None = None
) -> list[Missed]:
    """The whole list, read some hundreds at a time."""
    found: list[Missed] = []
    while True:
        after = (found[-1].due, found[-1].number) if found else None
        part = await missing(
            session, asked, now=now, after=after, limit=AT_ONCE, otherwise=otherwise
        )
        found += part
        if len(part) < AT_ONCE:
            return found


def missed(one: Named, policies: Policies, now: datetime) -> Missed:
    """One of them, reckoned by the calendars of today."""
    miss = one.miss
    version = f", version {miss.policy_version}" if miss.policy_version else ""
    return Missed(
        number=miss.key,
        case_id=miss.case_id,
        brand=one.brand,
        clock=miss.clock,
        policy=miss.policy + version,
        due=miss.due_at,
        promised=miss.first_due_at,
        ended=miss.ended_at,
        by=None if miss.withdrawn_at else by(miss, one.case, policies, now),
        owner=one.owner,
        team=one.team,
        withdrawn=miss.withdrawn_at,
        why=miss.why or "",
    )


def by(miss: Miss, case: Case, policies: Policies, now: datetime) -> timedelta:
    """By how much time it was missed, in the hours it was promised in."""
    clocks = case.clocks(policies)
    for one in clocks:
        if (one.clock, one.since) == (miss.clock, miss.since):
            return max(-one.left(now), timedelta())
    return (miss.ended_at or now) - miss.due_at


HEAD: Sequence[str] = (
    "case", "brand", "deadline", "policy", "due (UTC)", "first due (UTC)", "answered (UTC)",
    "minutes late", "state", "owner", "team", "withdrawn (UTC)", "why",
)  # fmt: skip


def row(one: Missed) -> list[object]:
    """One of them for a spreadsheet."""
    return [
        one.case_id, one.brand, one.clock.value, one.policy, moment(one.due),
        moment(one.promised), moment(one.ended),
        "" if one.by is None else round(one.by.total_seconds() / 60),
        one.stands, one.owner or "", one.team or "", moment(one.withdrawn), one.why,
    ]  # fmt: skip


def moment(one: datetime | None) -> str:
    """A moment as spreadsheets read it."""
    return f"{one:%Y-%m-%d %H:%M}" if one else ""
