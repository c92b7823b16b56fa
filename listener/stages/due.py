"""Clocks: whoever should hear it is told when a deadline comes near, and when it is missed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from listener.domain.case import Case, Status
from listener.domain.deadline import LEVELS, Clock, Policies, Running
from listener.domain.event import Event, What
from listener.domain.ladder import Rank
from listener.domain.miss import Late, Miss, excuse, late
from listener.domain.notice import Outlet
from listener.domain.severity import Severity
from listener.store import climbing, deadlines, history, misses
from listener.store.session import AsyncSession, Store, now
from listener.store.telling import tell

log = structlog.get_logger(__name__)

FULL = LEVELS[-1]
NEAR = LEVELS[1]  # from when on people are told in person


@dataclass
class Due:
    """Looks at the clocks that have news, and reckons them by today's calendars."""

    store: Store
    policies: Policies
    wake_notify: asyncio.Event

    async def step(self) -> int:
        """Look at one batch of cases; say how many there were."""
        async with self.store.reading() as session:
            if not await deadlines.any_news(session, now=await now(session)):
                return 0  # nearly always, and without a write
        async with self.store.transaction() as session:
            moment = await now(session)
            cases = await deadlines.with_news(session, now=moment)
            ids = [case.key for case in cases]
            known = await misses.of_cases(session, ids)
            looking = Looking(
                session,
                moment,
                await deadlines.in_force(session, self.policies),
                await history.channels(session),
                await deadlines.given(session, ids),
            )
            for case in cases:
                await looking.look(case, known.get(case.key, ()))
        if looking.told:
            self.wake_notify.set()
            log.info("deadlines", warnings=looking.told)
        return len(cases)


@dataclass
class Looking:
    """One look at a batch of cases, in one transaction."""

    session: AsyncSession
    now: datetime
    policies: Policies
    channels: Sequence[Outlet]
    given: dict[tuple[int, Clock, int], int]  # the highest level that was spoken of
    told: int = field(default=0)

    async def look(self, case: Case, known: Sequence[Miss]) -> None:
        """Reckon one case anew, and write down what was missed; give the warnings that are due.

        Of levels that were passed together, the highest is spoken of. Outside the hours of work
        a warning waits until somebody is there, unless it is a crisis.
        """
        case.reckon(self.policies)
        case.look_at = None
        written = await self.settle(case, known)
        if case.status is Status.CLOSED:
            return
        ahead = []
        for clock in case.clocks(self.policies):
            if clock.stopped is not None:
                continue
            before = self.given.get(key(case, clock), 0)
            reached = clock.level(self.now)
            following = clock.after_level(max(before, reached))
            if reached > before:
                speak = self.policies.speakable(self.now, case.sort.severity, case.team_id)
                if speak > self.now:
                    ahead.append(speak)
                else:
                    await self.warn(case, clock, reached, written.get((clock.clock, clock.since)))
            if following is not None:
                ahead.append(following)
        case.look_at = min(ahead, default=None)

    async def warn(self, case: Case, clock: Running, level: int, miss: Miss | None) -> None:
        """Write one warning down, and tell of it."""
        due = clock.at(FULL) or self.now
        await deadlines.give(
            self.session, case.key, key(case, clock)[1:], level, at=self.now, due=due
        )
        if miss is not None and level == FULL:
            miss.told = True
        what = What.MISSED if level == FULL else What.WARNED
        event = await self.write(case, what, clock.clock, due, level=level, channels=self.channels)
        await tell(
            self.session,
            case.key,
            event,
            await self.concerned(case, level),
            self.now,
            urgent=case.sort.severity is Severity.CRISIS,
            why=said(clock.clock, level, due),
        )
        self.told += 1

    async def concerned(self, case: Case, level: int) -> list[int]:
        """Who is told in person: nobody at half of the time, then the owner, at last the lead."""
        if level < NEAR:
            return []
        ranks = [Rank.OWNER] if level < FULL else [Rank.OWNER, Rank.LEAD]
        if case.owner_id is None and case.team_id is not None:
            ranks = [Rank.LEAD]
        elif case.team_id is None:
            ranks = [Rank.OWNER]
        found = {
            person.key
            for rank in ranks
            for person in await climbing.called(
                self.session, rank, case.brand_id, case.team_id, self.now, owner_id=case.owner_id
            )
        }
        return sorted(found)

    async def settle(self, case: Case, known: Sequence[Miss]) -> dict[tuple[Clock, datetime], Miss]:
        """Write down what was missed by the calendars of today, and take back what was not."""
        standing = {(one.clock, one.since): one for one in known}
        found = late(case, self.policies, self.now)
        for one in found.values():
            miss = standing.get(one.key)
            if miss is None:
                miss = standing[one.key] = first_seen(case, one, self.now)
                # Warned of before misses were kept: it is not said once more.
                miss.told = self.given.get(round_of(case, one.clock), 0) == FULL
                self.session.add(miss)
            miss.due_at, miss.ended_at = one.due, one.ended
            miss.withdrawn_at = miss.why = None
            if one.ended is not None and not miss.told:  # answered before anybody was told of it
                miss.told = True
                await self.write(case, What.MISSED, one.clock, one.due)
        for which, miss in standing.items():
            if which not in found and miss.withdrawn_at is None:
                await self.withdraw(case, miss)
        return standing

    async def withdraw(self, case: Case, miss: Miss) -> None:
        """It was none: what was said of it stays in the history, with this beside it.

        If its time comes after all, it is told again.
        """
        miss.withdrawn_at, miss.why = self.now, excuse(case, miss, self.policies)
        if miss.told:  # who was told of it hears this too, unless the case is closed anyway
            channels = () if case.status is Status.CLOSED else self.channels
            due, why = miss.due_at, miss.why
            await self.write(case, What.KEPT, miss.clock, due, channels=channels, why=why)
        miss.told = False
        running = next(
            (
                one
                for one in case.clocks(self.policies)
                if (one.clock, one.since) == (miss.clock, miss.since)
            ),
            None,
        )
        if running is not None:
            reached = running.level(self.now)
            await deadlines.take_back(self.session, case.key, key(case, running)[1:], above=reached)
            self.given[key(case, running)] = min(reached, self.given.get(key(case, running), 0))

    async def write(
        self,
        case: Case,
        what: What,
        clock: Clock,
        due: datetime,
        *,
        level: int = FULL,
        channels: Sequence[Outlet] = (),
        **more: str,
    ) -> Event:
        """Write it into the case's history; channels hear of it, if there are any."""
        return await history.record(
            self.session,
            case.key,
            what,
            now=self.now,
            channels=channels,
            details={"clock": clock.value, "level": level, "due": due.isoformat(), **more},
        )


def key(case: Case, clock: Running) -> tuple[int, Clock, int]:
    """Under which warnings are given once."""
    return round_of(case, clock.clock)


def round_of(case: Case, clock: Clock) -> tuple[int, Clock, int]:
    """The same of a clock by name. What is reopened has the same resolution as before."""
    return case.key, clock, 0 if clock is Clock.RESOLUTION else case.reopened


def said(clock: Clock, level: int, due: datetime) -> str:
    """Why somebody is told of a clock."""
    when = f"{due:%d %b %H:%M} UTC"
    if level == FULL:
        return f"The {clock} was due {when}, and is not there."
    return f"The {clock} is due {when}: {level} % of the time is over."


def first_seen(case: Case, one: Late, moment: datetime) -> Miss:
    """A miss, with whose case it is."""
    return Miss(
        case_id=case.key,
        brand_id=case.brand_id,
        clock=one.clock,
        since=one.since,
        policy=one.policy,
        policy_version=one.version,
        due_at=one.due,
        first_due_at=one.due,
        found_at=moment,
        team_id=case.team_id,
        owner_id=case.owner_id,
    )
