"""The most pressing case that nobody has, handed to one worker at a time."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, or_
from sqlmodel import col, select

from listener.domain.case import Case, Status
from listener.domain.tag import CaseTag
from listener.store.queue import UNCLOSED, Filters, asleep, fitting, on_sqlite, ranking, within
from listener.store.session import LOCK, AsyncSession


async def next_one(
    session: AsyncSession,
    *,
    now: datetime,
    brands: Collection[int] | None = None,
    filters: Filters | None = None,
    tag: str | None = None,
    teams: Collection[int] = (),
) -> Case | None:
    """The first case of the queue that nobody owns and nobody is just taking; locked.

    Of what is equally grave those of one's own teams come first, then those of no team. What
    another transaction has locked is skipped, so that two who ask at once get two cases.
    """
    query = select(Case).where(
        UNCLOSED,
        Case.status == Status.OPEN,
        ~asleep(now),
        or_(col(Case.held_until).is_(None), col(Case.held_until) <= now),
        *within(brands),
        *fitting(session, filters, now),
    )
    if tag is not None:
        query = query.where(
            exists().where(col(CaseTag.case_id) == col(Case.id), col(CaseTag.tag) == tag)
        )
    return (
        await session.exec(
            query.order_by(
                grave(), nearness(teams), ranking(sqlite=on_sqlite(session)), col(Case.id)
            )
            .limit(1)
            .with_for_update(of=Case, skip_locked=True, **LOCK)
        )
    ).one_or_none()


def grave() -> ColumnElement[int]:
    """What is urgent before the rest, and last what nobody is sure of."""
    return case((col(Case.unsure), 2), (col(Case.urgent) | col(Case.crisis), 0), else_=1)


def nearness(teams: Collection[int]) -> ColumnElement[int]:
    """Cases of these teams before those of none, and those before what is others' business."""
    return case((col(Case.team_id).in_(teams), 0), (col(Case.team_id).is_(None), 1), else_=2)
