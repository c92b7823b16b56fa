"""Routing: cases that nobody has go to a team, and to somebody of it who is here."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from listener.domain.case import Case, Status
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.hours import Calendar, is_open, opens
from listener.domain.mention import Mention
from listener.domain.notice import Outlet
from listener.domain.rights import Act, may
from listener.domain.routing import (
    Choice,
    Colleague,
    Decision,
    Facts,
    Membership,
    Route,
    choose,
    first,
)
from listener.domain.severity import Severity
from listener.domain.staff import Staff
from listener.domain.team import Team
from listener.store import deadlines, handing, history, routing, teams
from listener.store.session import AsyncSession, Store, now

log = structlog.get_logger(__name__)

AGAIN: Final = timedelta(minutes=1)  # while nobody is free
NOWHERE: Final = "No rule is about it, so it waits where everybody sees it."


@dataclass
class Office:
    """What decisions are made from: rules, teams and who is there, at one moment."""

    now: datetime
    routes: Sequence[Route]
    teams: Mapping[int, Team]
    calendars: Mapping[int, Calendar]
    policies: Policies
    members: Mapping[int, list[tuple[Membership, Staff]]]
    loads: dict[int, int]
    before: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def colleagues(self, team_id: int, brand_id: int, *, at_night: bool = False) -> list[Colleague]:
        """Who could have a case of this brand; out of hours those on call, where there are any."""
        members = self.members.get(team_id, [])
        if at_night:
            members = [one for one in members if one[0].on_call] or members
        return [
            Colleague(
                staff_id=person.key,
                name=person.name,
                languages=frozenset(one.casefold() for one in member.languages),
                skills=frozenset(one.casefold() for one in member.skills),
                capacity=member.capacity,
                load=self.loads.get(person.key, 0),
                given_at=member.given_at,
                away=f"is away until {person.away_until:%d %b %H:%M} UTC"
                if person.away(self.now)
                else None,
                sees=may(person, Act.WORK_CASES, brand_id),
            )
            for member, person in members
        ]

    def give(self, team_id: int, staff_id: int) -> None:
        """Somebody has one more, and had their turn."""
        self.loads[staff_id] = self.loads.get(staff_id, 0) + 1
        for member, person in self.members.get(team_id, ()):
            if person.key == staff_id:
                member.given_at = self.now


@dataclass(frozen=True, slots=True)
class Direction:
    """Where a case goes, to whom, why, and when to look again if to nobody yet."""

    route: Route | None
    choice: Choice
    look_at: datetime | None = None


@dataclass
class Routing:
    """Decides case by case, each in the transaction that writes down why."""

    store: Store
    wake_notify: asyncio.Event

    async def step(self) -> int:
        """Route one batch; say how many cases were given back or decided."""
        async with self.store.reading() as session:
            moment = await now(session)
            away = await routing.anybody_away_owns(session, moment)
            waits = await routing.any_route(session) and await routing.is_due(session, moment)
        if not away and not waits:
            return 0  # nearly always, and without a write
        async with self.store.transaction() as session:
            moment = await now(session)
            back = await give_back(session, moment) if away else 0
            decided = await route_due(session, moment) if waits else 0
        if back or decided:
            self.wake_notify.set()
            log.info("routed", cases=decided, given_back=back)
        return back + decided


async def give_back(session: AsyncSession, moment: datetime) -> int:
    """Cases that came back to somebody who is not here: reopened, woken, given meanwhile."""
    back = 0
    for case, person in await routing.owned_by_the_away(session, moment):
        why = handing.reason(person)
        back += await handing.hand_back(session, [case], person, why, now=moment)
    return back


async def route_due(session: AsyncSession, moment: datetime) -> int:
    """Decide about a batch of cases; return of how many something new was decided."""
    await routing.settle_what_others_did(session, moment)
    cases = await routing.due(session, moment)
    if not cases:
        return 0
    known = await routing.facts(session, cases)
    office = await open_office(session, moment, [mention for _, mention in known.values()])
    before = await routing.latest(session, [case.key for case in cases])
    told = await history.channels(session)
    news = 0
    for case in cases:
        if case.key in known:
            facts, mention = known[case.key]
            direction = decide(office, facts, mention)
            news += await keep(session, office, case, direction, before.get(case.key), told)
    return news


async def open_office(
    session: AsyncSession, moment: datetime, mentions: Sequence[Mention]
) -> Office:
    """Everything decisions need, read once a batch."""
    members: dict[int, list[tuple[Membership, Staff]]] = {}
    for member, person in await routing.members(session):
        members.setdefault(member.team_id, []).append((member, person))
    return Office(
        now=moment,
        routes=await routing.routes(session),
        teams={team.key: team for team in await teams.every(session)},
        calendars=await teams.calendars(session),
        policies=await deadlines.in_force(session),
        members=members,
        loads=await routing.loads(session, moment),
        before=await routing.answered_before(session, mentions),
    )


def decide(office: Office, facts: Facts, mention: Mention) -> Direction:
    """Where a case goes, and to whom; for the urgent somebody is found at any hour."""
    route = first(office.routes, facts)
    if route is None:
        return Direction(None, Choice(None, (NOWHERE,)))
    calendar = office.calendars[route.team_id]
    at_night = not is_open(calendar, office.now)
    if at_night and facts.severity is Severity.NORMAL:
        opening = opens(calendar, office.now)
        when = f"is at work again {opening:%a %d %b %H:%M} UTC" if opening else "has no hours"
        closed = Choice(None, (f"The team {when}.",), again=True)
        return Direction(route, closed, opening)
    team = office.colleagues(route.team_id, facts.brand_id, at_night=at_night)
    before = office.before.get((mention.connector, mention.author_id))
    choice = choose(team, route, facts, before=before)
    return Direction(route, choice, office.now + AGAIN if choice.again else None)


async def keep(
    session: AsyncSession,
    office: Office,
    case: Case,
    direction: Direction,
    before: Decision | None,
    told: Sequence[Outlet],
) -> int:
    """Write a decision down, and why; that there is still nobody is not said twice."""
    route, choice = direction.route, direction.choice
    team_id = None if route is None else route.team_id
    decision = before or Decision(case_id=case.key, at=office.now)
    said = decision.event_id is not None and decision.team_id == team_id
    decision.route = None if route is None else route.name
    decision.team_id, decision.look_at = team_id, direction.look_at
    session.add(decision)
    if team_id is not None and case.team_id != team_id:
        case.belong_to(team_id, office.policies)
        if case.counts_from is not None:
            case.look_at = office.now  # what it missed may be none in that team's hours
    if said and choice.staff_id is None:
        return 0
    decision.why = sentences(office, direction)
    decision.at = office.now
    if choice.staff_id is not None and team_id is not None:
        case.owner_id, case.status = choice.staff_id, Status.OWNED
        decision.staff_id, decision.look_at = choice.staff_id, None
        office.give(team_id, choice.staff_id)
    event = await history.record(
        session,
        case.key,
        What.ROUTED,
        now=office.now,
        channels=told,
        details={"team": team_id, "to": choice.staff_id, "says": decision.why},
    )
    decision.event_id = event.key
    return 1


def sentences(office: Office, direction: Direction) -> list[str]:
    """A decision as colleagues read it."""
    route, choice = direction.route, direction.choice
    if route is None:
        return list(choice.why)
    team = office.teams[route.team_id].name
    names = {person.key: person.name for _, person in office.members.get(route.team_id, ())}
    to = "" if choice.staff_id is None else f", to {names[choice.staff_id]}"
    return [f"Goes to {team}{to}, by the rule “{route.name}”.", *choice.why]
