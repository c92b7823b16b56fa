"""Calling: which alarms nobody sees to, which step of the ladder is due, and whom it calls."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, update
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from listener.domain import quiet
from listener.domain.alarm import Alarm, AlarmNotice
from listener.domain.ladder import AlarmRung
from listener.domain.mention import Mention
from listener.domain.notice import MAIL, SLACK
from listener.domain.severity import Severity
from listener.domain.staff import Staff
from listener.store import routing
from listener.store.session import LOCK, AsyncSession, bulk, locked_for_update
from listener.store.telling import NO_WAY

BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Called:
    """One step of an alarm as people read it: whom it calls, and who was not reached, and why."""

    rung: AlarmRung
    names: Sequence[str]
    missed: Sequence[tuple[str, str]]


async def is_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a ladder begins, or a step is due."""
    step = select(AlarmRung.id).where(
        col(AlarmRung.told_at).is_(None), col(AlarmRung.due_at) <= now
    )
    if (await session.exec(step.limit(1))).first() is not None:
        return True
    unheard = await session.exec(_unheard())
    return bool(await _unclimbed(session, unheard.all()))


async def beginning(session: AsyncSession) -> Sequence[Alarm]:
    """Alarms that nobody sees to and that stand before their first step, locked."""
    unheard = _unheard().with_for_update(skip_locked=True, **LOCK)
    return await _unclimbed(session, (await session.exec(unheard)).all())


def _unheard() -> SelectOfScalar[Alarm]:
    return (
        select(Alarm)
        .where(col(Alarm.over_at).is_(None), col(Alarm.acknowledged_at).is_(None))
        .order_by(col(Alarm.id))
    )


async def _unclimbed(session: AsyncSession, unheard: Sequence[Alarm]) -> Sequence[Alarm]:
    begun = await session.exec(
        select(AlarmRung.alarm_id, AlarmRung.since).where(
            col(AlarmRung.alarm_id).in_([alarm.key for alarm in unheard])
        )
    )
    known = set(begun.all())
    return [alarm for alarm in unheard if (alarm.key, alarm.unheard_since) not in known]


async def due(session: AsyncSession, now: datetime) -> Sequence[AlarmRung]:
    """Steps whose time has come, the longest due first; those of other workers are left out."""
    wanted = (
        select(AlarmRung)
        .where(col(AlarmRung.told_at).is_(None), col(AlarmRung.due_at) <= now)
        .order_by(col(AlarmRung.due_at), col(AlarmRung.id))
        .limit(BATCH)
    )
    found: Sequence[AlarmRung] = (await session.exec(locked_for_update(wanted, session))).all()
    return found


async def alarm_of(session: AsyncSession, rung: AlarmRung) -> Alarm | None:
    """The alarm of a step, locked; None when somebody sees to it, or it is put off or over."""
    alarm = await session.get(Alarm, rung.alarm_id, with_for_update=LOCK, populate_existing=True)
    return alarm if alarm is not None and alarm.unheard_since == rung.since else None


async def drop(session: AsyncSession, rung: AlarmRung) -> None:
    """A step that is not taken."""
    await bulk(session, delete(AlarmRung).where(col(AlarmRung.id) == rung.key))


async def team_of(session: AsyncSession, alarm: Alarm) -> int | None:
    """The team that has the cases of those who are quoted; None where none has."""
    cases = await session.exec(
        select(Mention.case_id).where(
            col(Mention.id).in_(alarm.mentions), col(Mention.case_id).is_not(None)
        )
    )
    decided = await routing.latest(session, [one for one in cases if one is not None])
    teams = Counter(one.team_id for one in decided.values() if one.team_id is not None)
    return min(teams, key=lambda team: (-teams[team], team)) if teams else None


async def call(
    session: AsyncSession, alarm: Alarm, people: Sequence[Staff], why: str, now: datetime
) -> None:
    """Queue it for these people, each by the way by which they are reached.

    What is no crisis waits until their quiet hours are over.
    """
    before = await session.exec(
        select(func.max(AlarmNotice.call)).where(AlarmNotice.alarm_id == alarm.key)
    )
    number = (before.one() or 0) + 1
    urgent = alarm.severity is Severity.CRISIS
    for person in people:
        reached = bool(person.slack or person.mail)
        session.add(
            AlarmNotice(
                alarm_id=alarm.key,
                channel=SLACK if person.slack else MAIL,
                staff_id=person.key,
                call=number,
                why=why,
                next_at=quiet.tell_at(person, now, urgent=urgent),
                failed_at=None if reached else now,
                failure=None if reached else NO_WAY,
            )
        )
    await session.flush()


async def take_back(session: AsyncSession, alarm_id: int, now: datetime) -> None:
    """Calls that have not gone out yet do not: somebody sees to it, or it is put off or over.

    They stay, given up without a failure: one that is on its way carries a link that must answer.
    """
    await bulk(
        session,
        update(AlarmNotice)
        .where(
            col(AlarmNotice.alarm_id) == alarm_id,
            col(AlarmNotice.staff_id).is_not(None),
            col(AlarmNotice.over).is_(False),
            col(AlarmNotice.sent_at).is_(None),
            col(AlarmNotice.failed_at).is_(None),
        )
        .values(failed_at=now, failure=None),
    )


async def reached(session: AsyncSession, alarm_id: int) -> Mapping[int, AlarmNotice]:
    """By whom an alarm has been heard of: the last call of each, by person."""
    found = await session.exec(
        select(AlarmNotice)
        .where(
            col(AlarmNotice.alarm_id) == alarm_id,
            col(AlarmNotice.staff_id).is_not(None),
            col(AlarmNotice.sent_at).is_not(None),
            col(AlarmNotice.over).is_(False),
        )
        .order_by(col(AlarmNotice.call))
    )
    return {notice.staff_id: notice for notice in found if notice.staff_id is not None}


async def of_alarms(session: AsyncSession, numbers: Collection[int]) -> dict[int, list[Called]]:
    """Every step of these alarms, in order, with the names of whom it called."""
    asked = select(AlarmRung).where(col(AlarmRung.alarm_id).in_(numbers))
    rungs = (await session.exec(asked.order_by(col(AlarmRung.since), col(AlarmRung.step)))).all()
    failing = await session.exec(
        select(AlarmNotice).where(
            col(AlarmNotice.alarm_id).in_(numbers),
            col(AlarmNotice.staff_id).is_not(None),
            col(AlarmNotice.sent_at).is_(None),
            col(AlarmNotice.failure).is_not(None),
        )
    )
    why = {(one.alarm_id, one.staff_id): one.failure or "" for one in failing}
    people = {number for rung in rungs for number in rung.called}
    names = {
        one.key: one.name
        for one in (await session.exec(select(Staff).where(col(Staff.id).in_(people)))).all()
    }
    found: dict[int, list[Called]] = {}
    for rung in rungs:
        called = [number for number in rung.called if number in names]
        missed = [
            (names[number], why[rung.alarm_id, number])
            for number in called
            if (rung.alarm_id, number) in why
        ]
        found.setdefault(rung.alarm_id, []).append(
            Called(rung, [names[number] for number in called], missed)
        )
    return found
