"""Calling: while nobody sees to an alarm, one after the other is called, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from listener.domain.alarm import Alarm
from listener.domain.hours import ALWAYS, Calendar, after, said
from listener.domain.ladder import (
    CALLED,
    AlarmRung,
    Ladder,
    Rank,
    Step,
    alarm_due,
    alarm_steps,
)
from listener.domain.severity import Severity
from listener.domain.staff import Staff
from listener.store import calling, climbing, teams
from listener.store.session import AsyncSession, Store, now

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Climb:
    """What an alarm climbs: its steps, counted in these hours."""

    team_id: int | None
    severity: Severity
    steps: Sequence[Step]
    calendar: Calendar

    def due(self, step: int, since: datetime) -> datetime | None:
        """When a step is due; None when there is no such step, or it never is."""
        if step >= len(self.steps):
            return None
        return alarm_due(self.steps[step], self.severity, self.calendar, since)

    def following(self, step: int, since: datetime, moment: datetime) -> datetime | None:
        """When the next step is due: after its whole time, also when this one came late."""
        due = self.due(step, since)
        if due is None or due > moment:
            return due
        counted = ALWAYS if self.severity is Severity.CRISIS else self.calendar
        return after(counted, moment, self.steps[step].after - self.steps[step - 1].after)


async def climb(store: Store) -> int:
    """Take the steps that are due, in the transaction that writes them down; say how many."""
    async with store.reading() as session:
        if not await calling.is_due(session, await now(session)):
            return 0  # nearly always, and without a write
    async with store.transaction() as session:
        moment = await now(session)
        ladders = await climbing.ladders(session)
        calendars = await teams.calendars(session)
        for alarm in await calling.beginning(session):
            found = await climb_of(session, alarm, ladders, calendars)
            if alarm.unheard_since is not None:
                put_before(session, alarm, found, alarm.unheard_since, 0, moment)
        await session.flush()
        taken = 0
        for rung in await calling.due(session, moment):
            standing = await calling.alarm_of(session, rung)
            if standing is None:
                await calling.drop(session, rung)
                continue
            found = await climb_of(session, standing, ladders, calendars)
            due = found.due(rung.step, rung.since)
            if due is None:
                await calling.drop(session, rung)
            elif due > moment:  # its hours or its ladder have changed
                rung.due_at = due
            else:
                await call(session, standing, rung, found, moment)
                put_before(session, standing, found, rung.since, rung.step + 1, moment)
                taken += 1
    if taken:
        log.info("alarm climbed", steps=taken)
    return taken


def put_before(
    session: AsyncSession,
    alarm: Alarm,
    climb: Climb,
    since: datetime,
    step: int,
    moment: datetime,
) -> None:
    """Put an alarm before a step, where there is one."""
    due = climb.due(step, since) if step == 0 else climb.following(step, since, moment)
    if due is not None:
        rank = climb.steps[step].rank
        session.add(AlarmRung(alarm_id=alarm.key, since=since, step=step, rank=rank, due_at=due))


async def call(
    session: AsyncSession, alarm: Alarm, rung: AlarmRung, climb: Climb, moment: datetime
) -> None:
    """Call whom a step calls, and write down who that was."""
    rung.rank = climb.steps[rung.step].rank
    people = await climbing.called(session, rung.rank, alarm.brand_id, climb.team_id, moment)
    rung.told_at, rung.called = moment, [one.key for one in people]
    why = sentence(rung.rank, climb.steps[rung.step], people)
    await calling.call(session, alarm, people, why, moment)


def sentence(rank: Rank, step: Step, people: Sequence[Staff]) -> str:
    """Why somebody is called."""
    names = " and ".join(one.name for one in people[:3])
    more = f" and {len(people) - 3} more" if len(people) > 3 else ""
    return f"Nobody sees to it after {said(step.after)}: {CALLED[rank]} is called, {names}{more}."


async def climb_of(
    session: AsyncSession,
    alarm: Alarm,
    ladders: Sequence[Ladder],
    calendars: Mapping[int, Calendar],
) -> Climb:
    """What an alarm climbs, as things stand now."""
    team_id = await calling.team_of(session, alarm)
    steps = alarm_steps(ladders, team_id, alarm.severity)
    return Climb(team_id, alarm.severity, steps, calendars.get(team_id or 0, ALWAYS))
