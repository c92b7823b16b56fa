"""Spreading: a case that sleeps until its cause spreads wakes when enough more people say it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.notice import Outlet
from listener.domain.theme import Belonging
from listener.store import waking
from listener.store.session import LOCK, AsyncSession, bulk


async def gained(session: AsyncSession, *, now: datetime) -> dict[int, tuple[int, int]]:
    """Which sleeping cases have waited long enough: the theme of each, and how many more say it.

    More is who was in no theme when the case fell asleep and is in the case's theme now, however
    themes have met and parted since.
    """
    own, of_case = aliased(Mention), aliased(Belonging)
    asleep = (
        sa.select(col(own.case_id).label("case_id"), col(of_case.theme_id).label("theme_id"))
        .join(Case, col(Case.id) == col(own.case_id))
        .join(of_case, col(of_case.mention_id) == col(own.id))
        .where(col(Case.snoozed_until) > now, col(Case.wakes_on_people).is_not(None))
        .distinct()
        .subquery()
    )
    who = sa.case(
        (col(Mention.author_id) == "", sa.cast(col(Mention.id), sa.String)),
        else_=col(Mention.author_id),
    )
    said = (
        sa.select(
            asleep.c.case_id, asleep.c.theme_id, sa.func.min(col(Belonging.since)).label("first")
        )
        .join(Belonging, col(Belonging.theme_id) == asleep.c.theme_id)
        .join(Mention, col(Mention.id) == col(Belonging.mention_id))
        .where(col(Mention.deleted_at).is_(None))
        .group_by(asleep.c.case_id, asleep.c.theme_id, col(Mention.connector), who)
        .subquery()
    )
    more = sa.func.count().label("more")
    enough: Any = (
        sa.select(said.c.case_id, said.c.theme_id, more)
        .join(Case, col(Case.id) == said.c.case_id)
        .where(said.c.first > col(Case.slept_at))
        .group_by(said.c.case_id, said.c.theme_id, col(Case.wakes_on_people))
        .having(more >= col(Case.wakes_on_people))
        .order_by(said.c.case_id, more)
    )
    rows = (await bulk(session, enough)).all()
    return {row.case_id: (row.theme_id, row.more) for row in rows}


async def wake_spread(session: AsyncSession, *, channels: Sequence[Outlet], now: datetime) -> int:
    """Wake the cases whose cause has spread as far as they wait for; return how many."""
    found = await gained(session, now=now)
    for number, (theme, more) in found.items():
        case = await session.get_one(Case, number, with_for_update=LOCK, populate_existing=True)
        if case.wakes_on_people is not None and more >= case.wakes_on_people:
            people = "1 more person says" if more == 1 else f"{more} more people say"
            why = f"{people} the same (theme {theme})"
            await waking.wake(session, case, why, channels=channels, now=now)
    return len(found)
