"""Handing back: cases of somebody who is not here are everybody's again, and are routed anew."""

from collections.abc import Sequence
from datetime import datetime

from listener.domain.case import Case
from listener.domain.event import What
from listener.domain.staff import Staff
from listener.store import history, routing
from listener.store.session import AsyncSession


async def hand_back(
    session: AsyncSession,
    cases: Sequence[Case],
    person: Staff,
    why: str,
    *,
    now: datetime,
    by: int | None = None,
) -> int:
    """Give back these cases of somebody; they must be locked. Return how many."""
    if not cases:
        return 0
    told = await history.channels(session)
    for case in cases:
        case.unassign(case.held_by(now) or person.key, now)
        await history.record(
            session,
            case.key,
            What.RELEASED,
            now=now,
            channels=told,
            staff_id=by,
            details={"from": person.key, "why": why},
        )
        await routing.reconsider(session, case.key, now)
    return len(cases)


def reason(person: Staff) -> str:
    """Why somebody's cases go back, in words."""
    until = f" until {person.away_until:%d %b %H:%M} UTC" if person.away_until else ""
    because = f" ({person.away_why})" if person.away_why else ""
    return f"{person.name} is away{until}{because}."
