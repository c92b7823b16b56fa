"""Dispatches: what was sent to whom, what waits, what failed, and which ways are blocked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import and_, func, or_
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.event import Event, What
from listener.domain.notice import TERMINAL, Notice
from listener.domain.staff import Staff
from listener.store.session import AsyncSession

PAGE: Final = 50
A_DAY: Final = timedelta(days=1)
A_WHILE: Final = timedelta(minutes=15)


class State(StrEnum):
    """What has become of a notice."""

    ARRIVED = "arrived"
    WAITS = "waits"
    FAILED = "failed"  # given up, or refused for some of its readers


@dataclass(frozen=True, slots=True)
class Asked:
    """Which notices; None is every one."""

    brands: Collection[int] | None = None
    state: State | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A notice, by name: about which case, to which person or channel, because of what."""

    notice: Notice
    brand: str
    what: What
    person: str | None

    @property
    def state(self) -> State:
        """What has become of it."""
        if self.notice.failed_at is not None or self.notice.partly:
            return State.FAILED
        return State.WAITS if self.notice.sent_at is None else State.ARRIVED

    @property
    def may_go_again(self) -> bool:
        """Whether sending it once more makes sense: it failed, or is only tried again later."""
        return self.notice.failure is not None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A way on which notices do not arrive now."""

    channel: str
    number: int
    why: str
    by_mail: bool = False  # they went round it


async def listed(
    session: AsyncSession, asked: Asked, *, before: int | None = None, limit: int | None = PAGE
) -> list[Dispatch]:
    """Notices, the newest first; what the program's own window shows is left out."""
    wanted: Any = (
        select(Notice, Brand.name, Event.what, Staff.name)
        .join(Case, col(Case.id) == col(Notice.case_id))
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        .join(Event, col(Event.id) == col(Notice.event_id))
        .outerjoin(Staff, col(Staff.id) == col(Notice.staff_id))
        .where(*fitting(asked))
        .order_by(col(Notice.id).desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(col(Notice.id) < before)
    return [Dispatch(*row) for row in await session.exec(wanted)]


def fitting(asked: Asked) -> Sequence[Any]:
    """What a row must be to be in the list."""
    sent, failed, failure = col(Notice.sent_at), col(Notice.failed_at), col(Notice.failure)
    found: list[Any] = [col(Notice.channel) == asked.channel if asked.channel else _ELSEWHERE]
    if asked.brands is not None:
        found.append(col(Case.brand_id).in_(asked.brands))
    match asked.state:
        case State.ARRIVED:
            found.append(and_(sent.is_not(None), failure.is_(None)))
        case State.WAITS:
            found.append(and_(sent.is_(None), failed.is_(None)))
        case State.FAILED:
            found += [
                failure.is_not(None),
                or_(failed.is_not(None), sent.is_not(None)),
            ]
        case None:
            pass
    return found


_ELSEWHERE: Final = col(Notice.channel) != TERMINAL


async def channels(session: AsyncSession) -> Sequence[str]:
    """The names of all ways that a notice has gone or waits to go, in order."""
    found = await session.exec(select(Notice.channel).where(_ELSEWHERE).distinct())
    return sorted(found)


async def troubles(
    session: AsyncSession, brands: Collection[int] | None, now: datetime
) -> list[Trouble]:
    """The ways on which notices about these brands do not arrive now, or have gone round."""
    mine = [] if brands is None else [col(Case.brand_id).in_(brands)]
    number = func.count()
    blocked: Any = (
        select(Notice.channel, number, func.max(Notice.failure))
        .join(Case, col(Case.id) == col(Notice.case_id))
        .where(
            col(Notice.failure).is_not(None),
            col(Notice.sent_at).is_(None),
            or_(col(Notice.failed_at).is_(None), col(Notice.failed_at) > now - A_DAY),
            _ELSEWHERE,
            *mine,
        )
        .group_by(col(Notice.channel))
        .order_by(col(Notice.channel))
    )
    round_it: Any = (
        select(number, func.max(Notice.detour))
        .join(Case, col(Case.id) == col(Notice.case_id))
        .where(col(Notice.detour).is_not(None), col(Notice.next_at) > now - A_WHILE, *mine)
    )
    found = [Trouble(*row) for row in await session.exec(blocked)]
    went, why = (await session.exec(round_it)).one()
    if went:
        found.insert(0, Trouble("slack", went, why, by_mail=True))
    return found
