"""Climbing: which cases nobody has heard, which step of the ladder is due, and whom it calls."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, delete, exists, update
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from listener.domain.case import Case
from listener.domain.event import Event
from listener.domain.ladder import AlarmRung, Ladder, Rank, Rung
from listener.domain.routing import Decision, Membership
from listener.domain.staff import Role, Staff
from listener.store.session import LOCK, AsyncSession, bulk, locked_for_update

BATCH: Final = 100


async def ladders(session: AsyncSession) -> Sequence[Ladder]:
    """All ladders in the order in which they are asked."""
    return (await session.exec(select(Ladder).order_by(col(Ladder.place), col(Ladder.id)))).all()


def _unclimbed(*, everywhere: bool) -> SelectOfScalar[Case]:
    begun = exists().where(
        col(Rung.case_id) == col(Case.id), col(Rung.since) == col(Case.unheard_since)
    )
    wanted = select(Case).where(col(Case.unheard_since).is_not(None), ~begun)
    if not everywhere:
        sent = exists().where(col(Decision.case_id) == col(Case.id), col(Decision.team_id) > 0)
        wanted = wanted.where(sent)
    return wanted.order_by(col(Case.id)).limit(BATCH)


async def for_all(session: AsyncSession) -> bool:
    """Whether a ladder is for cases without a team too."""
    wanted = select(Ladder).where(col(Ladder.active))
    return any(one.teams is None for one in await session.exec(wanted))


async def is_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a ladder begins, or a step is due."""
    step = select(Rung.id).where(col(Rung.told_at).is_(None), col(Rung.due_at) <= now).limit(1)
    if (await session.exec(step)).first() is not None:
        return True
    beginning = _unclimbed(everywhere=await for_all(session)).limit(1)
    return (await session.exec(beginning)).first() is not None


async def beginning(session: AsyncSession, *, everywhere: bool) -> Sequence[Case]:
    """Unheard cases that stand before their first step, locked."""
    wanted = _unclimbed(everywhere=everywhere).with_for_update(of=Case, skip_locked=True, **LOCK)
    return (await session.exec(wanted)).all()


async def due(session: AsyncSession, now: datetime) -> Sequence[Rung]:
    """Steps whose time has come, the longest due first; those of other workers are left out."""
    wanted = (
        select(Rung)
        .where(col(Rung.told_at).is_(None), col(Rung.due_at) <= now)
        .order_by(col(Rung.due_at), col(Rung.id))
        .limit(BATCH)
    )
    found: Sequence[Rung] = (await session.exec(locked_for_update(wanted, session))).all()
    return found


async def case_of(session: AsyncSession, rung: Rung) -> Case | None:
    """The case of a step, locked; None when somebody has heard it since."""
    case = await session.get(Case, rung.case_id, with_for_update=LOCK, populate_existing=True)
    return case if case is not None and case.unheard_since == rung.since else None


async def of_case(session: AsyncSession, case_id: int) -> list[tuple[Rung, list[str]]]:
    """Every step of a case, in order, with the names of whom it called."""
    rungs = (await session.exec(_of_case(), params={"case": case_id})).all()
    if not rungs:
        return []
    told = [rung.event_id for rung in rungs if rung.event_id is not None]
    events = await session.exec(select(Event).where(col(Event.id).in_(told)))
    called = {event.key: event.details.get("called", ()) for event in events}
    people = {number for numbers in called.values() for number in numbers}
    names: dict[int, str] = {}
    if people:
        found = await session.exec(select(Staff).where(col(Staff.id).in_(people)))
        names = {one.key: one.name for one in found}
    return [
        (rung, [names[one] for one in called.get(rung.event_id or 0, ()) if one in names])
        for rung in rungs
    ]


@cache
def _of_case() -> Any:
    """The question, written once: every page of a case asks it."""
    its = col(Rung.case_id) == bindparam("case")
    return select(Rung).where(its).order_by(col(Rung.since), col(Rung.step))


async def drop(session: AsyncSession, rung: Rung) -> None:
    """A step that is not taken: it was heard in time."""
    await bulk(session, delete(Rung).where(col(Rung.id) == rung.key))


async def look_again(session: AsyncSession, now: datetime) -> None:
    """Let every step be counted anew, by ladders or hours that have changed."""
    for table in (Rung, AlarmRung):
        await bulk(session, update(table).where(col(table.told_at).is_(None)).values(due_at=now))


async def hurry(session: AsyncSession, case_id: int, now: datetime) -> None:
    """Let the next step of a case be counted anew."""
    waiting = update(Rung).where(col(Rung.case_id) == case_id, col(Rung.told_at).is_(None))
    await bulk(session, waiting.values(due_at=now))


async def called(
    session: AsyncSession,
    rank: Rank,
    brand_id: int,
    team_id: int | None,
    now: datetime,
    *,
    owner_id: int | None = None,
) -> Sequence[Staff]:
    """Whom a step calls, by number. Of leads and managers those who are here, else all of them.

    A team without a lead of its own has those who lead the brand, one without anybody on call
    has the admins.
    """
    if rank is Rank.OWNER:
        found = await _people(session, col(Staff.id) == (owner_id or 0))
    elif rank is Rank.LEAD:
        found = await _of_team(session, team_id, col(Membership.leads))
        found = found or await _people(session, col(Staff.role) == Role.LEAD)
    elif rank is Rank.MANAGER:
        found = await _people(session, col(Staff.role) == Role.MANAGER)
    else:
        found = await _of_team(session, team_id, col(Membership.on_call))
        found = found or await _people(session, col(Staff.role) == Role.ADMIN)
    found = [one for one in found if one.sees(brand_id)]
    if rank in (Rank.LEAD, Rank.MANAGER):
        return [one for one in found if not one.away(now)] or found
    return found


async def _people(session: AsyncSession, which: Any) -> list[Staff]:
    wanted = select(Staff).where(col(Staff.active), which).order_by(col(Staff.id))
    return list((await session.exec(wanted)).all())


async def _of_team(session: AsyncSession, team_id: int | None, which: Any) -> list[Staff]:
    of_team = exists().where(
        col(Membership.staff_id) == col(Staff.id), col(Membership.team_id) == team_id, which
    )
    return await _people(session, of_team)
