"""Routing: which cases need a team, what rules ask of them, and what was decided."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from listener.domain.case import Case, Status
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.domain.routing import Decision, Facts, Membership, Route
from listener.domain.staff import Staff
from listener.domain.tag import CaseTag
from listener.store.session import LOCK, AsyncSession, bulk

BATCH: Final = 50


async def routes(session: AsyncSession) -> Sequence[Route]:
    """All rules in the order in which they are asked."""
    return (await session.exec(select(Route).order_by(col(Route.place), col(Route.id)))).all()


async def any_route(session: AsyncSession) -> bool:
    """Whether this installation sends cases anywhere."""
    return bool((await session.exec(select(exists().where(col(Route.active))))).one())


async def members(
    session: AsyncSession, team_id: int | None = None
) -> Sequence[tuple[Membership, Staff]]:
    """Who belongs to a team, or to any, and works here."""
    wanted = (
        select(Membership, Staff)
        .join(Staff, col(Staff.id) == col(Membership.staff_id))
        .where(col(Staff.active))
        .order_by(col(Membership.team_id), col(Membership.id))
    )
    if team_id is not None:
        wanted = wanted.where(Membership.team_id == team_id)
    return (await session.exec(wanted)).all()


async def teams_of(session: AsyncSession, staff_id: int) -> Sequence[int]:
    """The teams that somebody belongs to."""
    wanted = select(Membership.team_id).where(Membership.staff_id == staff_id)
    return (await session.exec(wanted)).all()


async def loads(session: AsyncSession, now: datetime) -> dict[int, int]:
    """How many cases everybody owns that wait for an answer, and do not sleep."""
    rows = await bulk(
        session,
        sa.select(col(Case.owner_id), func.count().label("number"))
        .where(
            sa.literal_column("cases.status = 'owned'", sa.Boolean()),
            col(Case.owner_id).is_not(None),
            sa.or_(col(Case.snoozed_until).is_(None), col(Case.snoozed_until) <= now),
        )
        .group_by(col(Case.owner_id)),
    )
    return {row.owner_id: row.number for row in rows}


def _waiting(now: datetime) -> Any:
    """Cases that nobody has and somebody should."""
    return sa.and_(
        col(Case.status) == Status.OPEN,
        col(Case.owner_id).is_(None),
        col(Case.unsure).is_(False),
        sa.or_(col(Case.snoozed_until).is_(None), col(Case.snoozed_until) <= now),
    )


def _undecided() -> Any:
    return ~exists().where(col(Decision.case_id) == col(Case.id))


def _due(now: datetime) -> Any:
    return exists().where(col(Decision.case_id) == col(Case.id), col(Decision.look_at) <= now)


async def is_due(session: AsyncSession, now: datetime) -> bool:
    """Whether any case needs a team, or is looked at again."""
    found = select(Case.id).where(_waiting(now), sa.or_(_undecided(), _due(now))).limit(1)
    return (await session.exec(found)).first() is not None


async def due(session: AsyncSession, now: datetime) -> Sequence[Case]:
    """A batch of them, the most pressing first, locked; those of other workers are left out."""
    wanted = (
        select(Case)
        .where(_waiting(now), sa.or_(_undecided(), _due(now)))
        .order_by(col(Case.priority).desc(), col(Case.id))
        .limit(BATCH)
        .with_for_update(of=Case, skip_locked=True, **LOCK)
    )
    return (await session.exec(wanted)).all()


async def latest(session: AsyncSession, ids: Collection[int]) -> dict[int, Decision]:
    """The last decision of each of these cases."""
    found = await session.exec(_latest(), params={"cases": list(ids)})
    return {one.case_id: one for one in found}


@cache
def _latest() -> Any:
    """The question, written once: every page of a case asks it."""
    its = col(Decision.case_id).in_(sa.bindparam("cases", expanding=True))
    return select(Decision).where(its).order_by(col(Decision.number))


async def reconsider(session: AsyncSession, case_id: int, now: datetime) -> None:
    """Let a case that nobody has be routed anew; nothing where no rule is set up."""
    if not await any_route(session):
        return
    before = (await latest(session, [case_id])).get(case_id)
    if before is None:
        return  # it will be, as a new one
    await settle(session, [case_id])
    session.add(
        Decision(
            case_id=case_id,
            number=before.number + 1,
            at=now,
            team_id=before.team_id,
            look_at=now,
        )
    )
    await session.flush()


async def settle(session: AsyncSession, ids: Collection[int]) -> None:
    """Look no more for somebody for these cases."""
    await bulk(
        session,
        update(Decision)
        .where(col(Decision.case_id).in_(ids), col(Decision.look_at).is_not(None))
        .values(look_at=None),
    )


async def settle_what_others_did(session: AsyncSession, now: datetime) -> None:
    """Forget to look again for cases that somebody has taken or closed meanwhile."""
    gone = sa.select(col(Case.id)).where(
        col(Case.id) == col(Decision.case_id),
        sa.or_(col(Case.owner_id).is_not(None), col(Case.status) != Status.OPEN),
    )
    await bulk(
        session,
        update(Decision)
        .where(col(Decision.look_at) <= now, exists(gone))
        .values(look_at=None)
        .execution_options(synchronize_session=False),
    )


async def facts(session: AsyncSession, cases: Sequence[Case]) -> dict[int, tuple[Facts, Mention]]:
    """What rules ask of these cases, and the first mention of each."""
    ids = [case.key for case in cases]
    firsts = (
        select(func.min(Mention.id))
        .where(col(Mention.case_id).in_(ids))
        .group_by(col(Mention.case_id))
    )
    mentions = {
        mention.case_id: mention
        for mention in await session.exec(select(Mention).where(col(Mention.id).in_(firsts)))
    }
    tags: dict[int, set[str]] = {}
    for one in await session.exec(select(CaseTag).where(col(CaseTag.case_id).in_(ids))):
        tags.setdefault(one.case_id, set()).add(one.tag)
    found: dict[int, tuple[Facts, Mention]] = {}
    for case in cases:
        mention = mentions.get(case.key)
        if mention is None:
            continue
        marks = frozenset(tags.get(case.key, ()))
        called = (mention.author_id, mention.author_handle, mention.author_name)
        known = Facts(
            brand_id=case.brand_id,
            severity=case.sort.severity,
            place=mention.connector,
            language=mention.language,
            tags=marks,
            authors=frozenset(one for one in called if one),
            branch=mention.branch,
        )
        found[case.key] = (known, mention)
    return found


async def answered_before(
    session: AsyncSession, mentions: Collection[Mention]
) -> dict[tuple[str, str], int]:
    """Who answered each author last, by the author's place and number there."""
    authors = {(one.connector, one.author_id) for one in mentions if one.author_id}
    if not authors:
        return {}
    said = aliased(Mention, name="said")
    rows = await bulk(
        session,
        sa.select(said.connector, said.author_id, col(Reply.staff_id))  # type: ignore[call-overload]
        .join(said, said.id == Reply.mention_id)
        .where(
            sa.tuple_(said.connector, said.author_id).in_(sorted(authors)),
            col(Reply.state) == State.POSTED,
        )
        .order_by(col(Reply.id)),
    )
    return {(row.connector, row.author_id): row.staff_id for row in rows}


async def owned_by_the_away(session: AsyncSession, now: datetime) -> Sequence[tuple[Case, Staff]]:
    """Cases that wait for an owner who is not here, and that nobody works on; locked."""
    wanted = (
        select(Case, Staff)
        .join(Staff, col(Staff.id) == col(Case.owner_id))
        .where(
            col(Staff.away_until) > now,
            sa.literal_column("cases.status = 'owned'", sa.Boolean()),
            sa.or_(col(Case.held_until).is_(None), col(Case.held_until) <= now),
            sa.or_(col(Case.snoozed_until).is_(None), col(Case.snoozed_until) <= now),
        )
        .order_by(col(Case.id))
        .limit(BATCH)
    )
    locking = wanted.with_for_update(of=Case, skip_locked=True, **LOCK)
    return (await session.exec(locking)).all()


async def anybody_away_owns(session: AsyncSession, now: datetime) -> bool:
    """Whether such a case may be there."""
    wanted = (
        select(Case.id)
        .join(Staff, col(Staff.id) == col(Case.owner_id))
        .where(
            col(Staff.away_until) > now,
            sa.literal_column("cases.status = 'owned'", sa.Boolean()),
        )
    )
    return (await session.exec(wanted.limit(1))).first() is not None


async def names(session: AsyncSession, ids: Collection[int]) -> Mapping[int, str]:
    """What these people are called."""
    rows = await session.exec(select(Staff).where(col(Staff.id).in_(ids)))
    return {one.key: one.name for one in rows}
