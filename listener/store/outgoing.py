"""Outgoing: what was sent beside the notices of cases, of alarms, digests and crises."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from listener.domain.alarm import Alarm, AlarmNotice, sentence
from listener.domain.brand import Brand
from listener.domain.crisis import Bulletin, Crisis, Told
from listener.domain.notice import TERMINAL
from listener.domain.source import Source
from listener.domain.span import Of, holding
from listener.domain.staff import Staff
from listener.domain.subscription import Letter, Subscription, known
from listener.domain.theme import Theme
from listener.store.dispatches import PAGE, State
from listener.store.session import LOCK, AsyncSession

Row = AlarmNotice | Letter | Bulletin


class About(StrEnum):
    """What was told of."""

    ALARMS = "alarms"
    DIGESTS = "digests"
    CRISES = "crises"


KINDS: Final[dict[About, type[Row]]] = {
    About.ALARMS: AlarmNotice,
    About.DIGESTS: Letter,
    About.CRISES: Bulletin,
}
SAID: Final = {
    Told.DECLARED: "It was declared",
    Told.LEADS: "Somebody is asked to lead it",
    Told.DUE: "An update is due",
    Told.MISSED: "An update was missed",
    Told.UPDATE: "An update",
    Told.ENDED: "It has ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One thing that was told, or is to be: to whom, of what, and what has become of it.

    `subject` is the alarm or the crisis; of a digest `of` and `first` say which it is.
    """

    about: About
    row: Row
    brand_id: int
    brand: str
    to: str
    way: str  # to a person; nothing where it is a channel
    says: str
    subject: int = 0
    of: Of | None = None
    first: date | None = None
    why: str = ""
    reader: int | None = None  # the person it is for

    @property
    def state(self) -> State:
        """What has become of it."""
        if self.row.failed_at is not None:
            return State.FAILED
        return State.WAITS if self.row.sent_at is None else State.ARRIVED


async def listed(
    session: AsyncSession,
    about: About,
    *,
    brands: Collection[int] | None = None,
    state: State | None = None,
    before: int | None = None,
    number: int | None = None,
    limit: int | None = PAGE,
) -> list[Sent]:
    """What was told of alarms, digests or crises, the newest first, or one of them by its number."""
    kind = KINDS[about]
    wanted: Any = _ASKED[about].where(*standing(kind, state)).order_by(col(kind.id).desc())
    if brands is not None:
        wanted = wanted.where(col(Brand.id).in_(brands))
    if before is not None:
        wanted = wanted.where(col(kind.id) < before)
    if number is not None:
        wanted = wanted.where(col(kind.id) == number)
    return [_MADE[about](*row) for row in (await session.exec(wanted.limit(limit))).all()]


async def locked(session: AsyncSession, about: About, number: int) -> Row | None:
    """One of them, locked until the transaction ends."""
    kind: Any = KINDS[about]
    found: Row | None = await session.get(
        kind, number, with_for_update=LOCK, populate_existing=True
    )
    return found


def standing(kind: type[Row], state: State | None) -> Sequence[Any]:
    """What a row must be to stand so."""
    sent, failed = col(kind.sent_at), col(kind.failed_at)
    match state:
        case State.ARRIVED:
            return [sent.is_not(None)]
        case State.WAITS:
            return [sent.is_(None), failed.is_(None)]
        case State.FAILED:
            return [failed.is_not(None)]
        case None:
            return []


def of_alarm(
    row: AlarmNotice, alarm: Alarm, brand: Brand, source: str | None, theme: str | None,
    person: str | None,
) -> Sent:  # fmt: skip
    """That somebody was told of an alarm."""
    said = sentence(alarm, source, theme)
    return Sent(
        about=About.ALARMS,
        row=row,
        brand_id=brand.key,
        brand=brand.name,
        to=person or row.channel,
        way=row.channel if person else "",
        says=f"It is over: {said}" if row.over else said,
        subject=alarm.key,
        why=row.why or "",
        reader=row.staff_id,
    )


def of_digest(row: Letter, wish: Subscription, brand: Brand, person: Staff) -> Sent:
    """That somebody was sent a digest."""
    stretch = holding(wish.of, row.first, known(person.zone))
    return Sent(
        about=About.DIGESTS,
        row=row,
        brand_id=brand.key,
        brand=brand.name,
        to=person.name,
        way=wish.way,
        says=stretch.name,
        of=wish.of,
        first=row.first,
        why="They asked for it.",
        reader=person.key,
    )


def of_crisis(row: Bulletin, crisis: Crisis, brand: Brand, person: str | None) -> Sent:
    """That somebody was told of a crisis."""
    return Sent(
        about=About.CRISES,
        row=row,
        brand_id=brand.key,
        brand=brand.name,
        to=person or row.channel,
        way=row.channel if person else "",
        says=f"{crisis.name}: {SAID[row.told].lower()}",
        subject=crisis.key,
        reader=row.staff_id,
    )


_ASKED: Final[dict[About, Any]] = {
    About.ALARMS: sa.select(
        AlarmNotice, Alarm, Brand, col(Source.name), col(Theme.name), col(Staff.name)
    )
    .join(Alarm, col(Alarm.id) == col(AlarmNotice.alarm_id))
    .join(Brand, col(Brand.id) == col(Alarm.brand_id))
    .outerjoin(Source, col(Source.id) == col(Alarm.source_id))
    .outerjoin(Theme, col(Theme.id) == col(Alarm.theme_id))
    .outerjoin(Staff, col(Staff.id) == col(AlarmNotice.staff_id))
    .where(col(AlarmNotice.channel) != TERMINAL),
    About.DIGESTS: sa.select(Letter, Subscription, Brand, Staff)
    .join(Subscription, col(Subscription.id) == col(Letter.subscription_id))
    .join(Brand, col(Brand.id) == col(Subscription.brand_id))
    .join(Staff, col(Staff.id) == col(Subscription.staff_id)),
    About.CRISES: sa.select(Bulletin, Crisis, Brand, col(Staff.name))
    .join(Crisis, col(Crisis.id) == col(Bulletin.crisis_id))
    .join(Brand, col(Brand.id) == col(Crisis.brand_id))
    .outerjoin(Staff, col(Staff.id) == col(Bulletin.staff_id))
    .where(col(Bulletin.channel) != TERMINAL),
}
_MADE: Final[dict[About, Any]] = {
    About.ALARMS: of_alarm,
    About.DIGESTS: of_digest,
    About.CRISES: of_crisis,
}
