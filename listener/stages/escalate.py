"""Escalating: while nobody has heard of a case, one after the other is called, each once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from listener.domain.case import Case
from listener.domain.event import What
from listener.domain.hours import ALWAYS, Calendar, said
from listener.domain.ladder import CALLED, Ladder, Rank, Rung, Step, steps_for
from listener.domain.ladder import due as due_at
from listener.domain.routing import Decision
from listener.domain.severity import Severity
from listener.domain.staff import Staff
from listener.store import climbing, history, routing, teams
from listener.store.session import AsyncSession, Store, now
from listener.store.telling import tell

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Climb:
    """What a case climbs: its steps, counted in these hours."""

    team_id: int | None
    severity: Severity
    steps: Sequence[Step]
    calendar: Calendar

    def due(self, step: int, since: datetime) -> datetime | None:
        """When a step is due; None when there is no such step, or it never is."""
        if step >= len(self.steps):
            return None
        return due_at(self.steps[step], self.severity, self.calendar, since)


@dataclass
class Escalate:
    """Takes each step at its minute, in the transaction that writes it down."""

    store: Store
    wake_notify: asyncio.Event

    async def step(self) -> int:
        """Take one batch of steps; say how many were begun or taken."""
        async with self.store.reading() as session:
            if not await climbing.is_due(session, await now(session)):
                return 0  # nearly always, and without a write
        async with self.store.transaction() as session:
            moment = await now(session)
            ladders = await climbing.ladders(session)
            calendars = await teams.calendars(session)
            begun = await begin(session, ladders, calendars)
            taken = await climb(session, ladders, calendars, moment)
        if taken:
            self.wake_notify.set()
            log.info("escalated", steps=taken)
        return begun + taken


async def begin(
    session: AsyncSession, ladders: Sequence[Ladder], calendars: Mapping[int, Calendar]
) -> int:
    """Put cases that nobody has heard before their first step; return how many."""
    everywhere = any(one.active and one.teams is None for one in ladders)
    cases = await climbing.beginning(session, everywhere=everywhere)
    climbs = await climbs_of(session, cases, ladders, calendars)
    begun = 0
    for case in cases:
        if case.unheard_since is not None:
            begun += put_before(session, climbs[case.key], case.key, case.unheard_since, 0)
    return begun


def put_before(
    session: AsyncSession, climb: Climb, case_id: int, since: datetime, step: int
) -> bool:
    """Put a case before a step; False where there is none."""
    due = climb.due(step, since)
    if due is None:
        return False
    rank = climb.steps[step].rank
    session.add(Rung(case_id=case_id, since=since, step=step, rank=rank, due_at=due))
    return True


async def climb(
    session: AsyncSession,
    ladders: Sequence[Ladder],
    calendars: Mapping[int, Calendar],
    moment: datetime,
) -> int:
    """Take the steps that are due; return how many."""
    taken = 0
    for rung in await climbing.due(session, moment):
        case = await climbing.case_of(session, rung)
        if case is None:
            await climbing.drop(session, rung)
            continue
        found = (await climbs_of(session, [case], ladders, calendars))[case.key]
        due = found.due(rung.step, rung.since)
        if due is None:
            await climbing.drop(session, rung)
        elif due > moment:  # its hours, its ladder or how bad it is have changed
            rung.due_at = due
        else:
            rung.rank = found.steps[rung.step].rank
            await call(session, case, rung, found, moment)
            put_before(session, found, case.key, rung.since, rung.step + 1)
            taken += 1
    return taken


async def call(
    session: AsyncSession, case: Case, rung: Rung, climb: Climb, moment: datetime
) -> None:
    """Call whom a step calls, and write down who that was."""
    people = await climbing.called(
        session, rung.rank, case.brand_id, climb.team_id, moment, owner_id=case.owner_id
    )
    says = sentences(rung, climb.steps[rung.step], people)
    event = await history.record(
        session,
        case.key,
        What.ESCALATED,
        now=moment,
        channels=await history.channels(session),
        details={
            "step": rung.step + 1,
            "rank": rung.rank.value,
            "called": [one.key for one in people],
            "says": says,
        },
    )
    rung.told_at, rung.event_id = moment, event.key
    await tell(
        session,
        case.key,
        event,
        [one.key for one in people],
        moment,
        urgent=climb.severity is not Severity.NORMAL,
        why=says[0],
    )


def sentences(rung: Rung, step: Step, people: Sequence[Staff]) -> list[str]:
    """What happened at a step, as colleagues read it."""
    waited = f"Nobody had heard it after {said(step.after)}"
    if not people:
        nobody = "Nobody owns it yet" if rung.rank is Rank.OWNER else f"There is no {rung.rank}"
        return [f"{waited}.", f"{nobody}, so the next step is waited for."]
    names = " and ".join(one.name for one in people[:3])
    more = f" and {len(people) - 3} more" if len(people) > 3 else ""
    return [f"{waited}: {CALLED[rung.rank]} is called, {names}{more}."]


async def climbs_of(
    session: AsyncSession,
    cases: Sequence[Case],
    ladders: Sequence[Ladder],
    calendars: Mapping[int, Calendar],
) -> dict[int, Climb]:
    """What each of these cases climbs, as things stand now."""
    ids = [case.key for case in cases]
    decided: Mapping[int, Decision] = await routing.latest(session, ids)
    found = {}
    for case in cases:
        decision = decided.get(case.key)
        team_id = None if decision is None else decision.team_id
        severity = case.sort.severity
        found[case.key] = Climb(
            team_id,
            severity,
            steps_for(ladders, team_id, severity),
            calendars.get(team_id or 0, ALWAYS),
        )
    return found
