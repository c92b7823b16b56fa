"""Deadlines: which policies are in force, which clocks have news, and what was said of them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, or_, update
from sqlmodel import col, select

from listener.domain.case import Case, Status
from listener.domain.deadline import Clock, Policies, Policy, Warned
from listener.domain.miss import Miss
from listener.store import teams
from listener.store.kept import kept
from listener.store.session import AsyncSession, bulk, locked_for_update

BATCH = 100  # others wait while one is written: a third of a second
REPAIRED = timedelta(days=62)  # how far back hours that are corrected are counted again


async def in_force(session: AsyncSession, otherwise: Policies | None = None) -> Policies:
    """The policies as they stand, with the hours of all teams."""
    found = await kept(session, _in_force, of=("teams", "policies"), key="policies")
    return found if found is not None else otherwise or Policies()


async def _in_force(session: AsyncSession) -> Policies | None:
    together = await teams.every(session)
    written = await policies(session)
    if not together and not written:
        return None
    return Policies(
        written,
        {team.key: team.calendar(together) for team in together},
        {team.key: team.name for team in together},
    )


async def policies(session: AsyncSession) -> Sequence[Policy]:
    """All versions of all policies, in their order."""
    ordered = select(Policy).order_by(col(Policy.position), col(Policy.id))
    return (await session.exec(ordered)).all()


async def promised(session: AsyncSession, brands: Collection[int] | None) -> dict[str, int]:
    """How many cases that are not closed were promised by each policy, whatever its version."""
    wanted: Any = select(col(Case.policy), func.count()).where(
        col(Case.status) != Status.CLOSED, col(Case.policy).is_not(None)
    )
    if brands is not None:
        wanted = wanted.where(col(Case.brand_id).in_(brands))
    rows: Any = await bulk(session, wanted.group_by(col(Case.policy)))
    return {row[0]: row[1] for row in rows}


async def reckon_again(session: AsyncSession, *, now: datetime) -> None:
    """Have every clock looked at anew, because teams, hours or policies have changed.

    That repairs the past too: of what is closed, the last weeks, and all that was missed.
    """
    missed = exists().where(col(Miss.case_id) == col(Case.id))
    await session.exec(
        update(Case)
        .where(
            col(Case.counts_from).is_not(None),
            or_(
                col(Case.status) != Status.CLOSED,
                col(Case.closed_at) > now - REPAIRED,
                missed,
            ),
        )
        .values(look_at=now)
        .execution_options(synchronize_session=False)
    )


async def any_news(session: AsyncSession, *, now: datetime) -> bool:
    """Whether any clock is to be looked at."""
    waiting = select(Case.id).where(col(Case.look_at) <= now).limit(1)
    return (await session.exec(waiting)).first() is not None


async def with_news(session: AsyncSession, *, now: datetime) -> Sequence[Case]:
    """Cases with a clock to be looked at, locked; those that are closed when nothing else waits."""
    for which in (col(Case.status) != Status.CLOSED, col(Case.status) == Status.CLOSED):
        waiting = (
            select(Case)
            .where(col(Case.look_at) <= now, which)
            .order_by(col(Case.look_at), col(Case.id))
            .limit(BATCH)
        )
        found: Sequence[Case] = (await session.exec(locked_for_update(waiting, session))).all()
        if found:
            return found
    return []


async def given(session: AsyncSession, ids: Sequence[int]) -> dict[tuple[int, Clock, int], int]:
    """The highest level that was spoken of, by case, clock and round."""
    rows = await session.exec(select(Warned).where(col(Warned.case_id).in_(ids)))
    found: dict[tuple[int, Clock, int], int] = {}
    for row in rows:
        key = (row.case_id, row.clock, row.round)
        found[key] = max(row.level, found.get(key, 0))
    return found


async def give(
    session: AsyncSession,
    case_id: int,
    of: tuple[Clock, int],
    level: int,
    *,
    at: datetime,
    due: datetime,
) -> None:
    """Write down that a level of a clock, in its round, was spoken of."""
    clock, round_ = of
    session.add(Warned(case_id=case_id, clock=clock, round=round_, level=level, at=at, due_at=due))


async def take_back(
    session: AsyncSession, case_id: int, of: tuple[Clock, int], *, above: int
) -> None:
    """Forget that levels were spoken of which have not been reached after all."""
    clock, round_ = of
    await session.exec(
        delete(Warned)
        .where(
            col(Warned.case_id) == case_id,
            col(Warned.clock) == clock,
            col(Warned.round) == round_,
            col(Warned.level) > above,
        )
        .execution_options(synchronize_session=False)
    )
