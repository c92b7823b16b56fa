"""Misses: which deadlines were missed, whose they were, and whether they were answered since."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.deadline import Clock
from listener.domain.miss import Miss
from listener.domain.staff import Staff
from listener.domain.team import Team
from listener.store import teams
from listener.store.session import AsyncSession, bulk

PAGE = 50


class Which(StrEnum):
    """Which misses are asked for."""

    ALL = "all"
    OPEN = "open"  # nobody has answered since
    LATE = "late"  # answered, too late
    WITHDRAWN = "withdrawn"  # they were none


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list of misses is about; None is all. `brands` are those that the reader may see."""

    brands: Collection[int] | None = None
    clock: Clock | None = None
    which: Which = Which.ALL
    since: datetime | None = None
    until: datetime | None = None
    owner: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A miss, by name."""

    miss: Miss
    case: Case
    brand: str
    owner: str | None
    team: str | None


async def of_cases(session: AsyncSession, ids: Collection[int]) -> dict[int, list[Miss]]:
    """What each of these cases has missed, withdrawn ones too."""
    found: dict[int, list[Miss]] = {}
    if ids:
        wanted = select(Miss).where(col(Miss.case_id).in_(ids)).order_by(col(Miss.id))
        for one in await session.exec(wanted):
            found.setdefault(one.case_id, []).append(one)
    return found


async def listed(
    session: AsyncSession,
    asked: Asked,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int | None = PAGE,
) -> list[Named]:
    """What was missed, the latest due first, beginning after one of the list."""
    wanted: Any = (
        select(Miss, Case, Brand.name, Staff.name)
        .join(Case, col(Case.id) == col(Miss.case_id))
        .join(Brand, col(Brand.id) == col(Miss.brand_id))
        .outerjoin(Staff, col(Staff.id) == col(Miss.owner_id))
        .outerjoin(Team, col(Team.id) == col(Miss.team_id))
        .where(*fitting(asked))
        .order_by(col(Miss.due_at).desc(), col(Miss.id).desc())
        .limit(limit)
    )
    if after is not None:
        due, number = after
        wanted = wanted.where(
            or_(col(Miss.due_at) < due, and_(col(Miss.due_at) == due, col(Miss.id) < number))
        )
    names = {team.key: team.name for team in await teams.every(session)}
    return [
        Named(miss, case, brand, owner, names.get(miss.team_id or 0))
        for miss, case, brand, owner in await session.exec(wanted)
    ]


async def count(session: AsyncSession, asked: Asked) -> int:
    """How many there are."""
    wanted: Any = (
        select(func.count())
        .select_from(Miss)
        .outerjoin(Staff, col(Staff.id) == col(Miss.owner_id))
        .outerjoin(Team, col(Team.id) == col(Miss.team_id))
        .where(*fitting(asked))
    )
    return int((await bulk(session, wanted)).scalar_one())


def fitting(asked: Asked) -> Sequence[Any]:
    """What a row must be to be in the list."""
    found: list[Any] = []
    if asked.brands is not None:
        found.append(col(Miss.brand_id).in_(asked.brands))
    if asked.clock is not None:
        found.append(col(Miss.clock) == asked.clock)
    if asked.since is not None:
        found.append(col(Miss.due_at) >= asked.since)
    if asked.until is not None:
        found.append(col(Miss.due_at) < asked.until)
    if asked.owner is not None:
        found.append(col(Staff.name) == asked.owner)
    if asked.team is not None:
        found.append(col(Team.name) == asked.team)
    stands = col(Miss.withdrawn_at)
    found.append(stands.is_not(None) if asked.which is Which.WITHDRAWN else stands.is_(None))
    if asked.which is Which.OPEN:
        found.append(col(Miss.ended_at).is_(None))
    if asked.which is Which.LATE:
        found.append(col(Miss.ended_at).is_not(None))
    return found
