"""Applying the routes, members and ladders of a plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from listener.desk.plan_words import BadPlan
from listener.desk.planned_routes import PlannedLadder, PlannedMember, PlannedRoute
from listener.domain.ladder import Ladder
from listener.domain.routing import Membership, Route
from listener.domain.severity import Severity
from listener.store import climbing, people, routing, teams
from listener.store.session import AsyncSession

Noted = list[tuple[str, bool, bool]]  # a name, whether it is new, whether it changed


async def apply_members(session: AsyncSession, planned: Sequence[PlannedMember]) -> Noted:
    """Make people belong to the teams that the plan says, and to no others."""
    numbers = {team.name: team.key for team in await teams.every(session)}
    done: Noted = []
    for one in planned:
        where = f'[[member]] "{one.name}"'
        person = await people.named(session, one.name)
        if person is None or not person.active:
            raise BadPlan(
                [
                    (
                        f"{where}: nobody here is called that. Add them first: "
                        f"listener staff add {one.name!r}."
                    )
                ]
            )
        wanted = [number_of(name, numbers, where, "team") for name in one.teams]
        standing = {
            member.team_id: member
            for member, somebody in await routing.members(session)
            if somebody.key == person.key
        }
        before = {number: words_of(member) for number, member in standing.items()}
        after = {}
        for number in wanted:
            member = standing.get(number) or Membership(team_id=number, staff_id=person.key)
            member.languages, member.skills = one.languages, one.skills
            member.capacity, member.leads, member.on_call = one.capacity, one.leads, one.on_call
            session.add(member)
            after[number] = words_of(member)
        for number, member in standing.items():
            if number not in wanted:
                await session.delete(member)
        await session.flush()
        done.append((one.name, not before, bool(before) and before != after))
    return done


async def apply_routes(
    session: AsyncSession, planned: Sequence[PlannedRoute], brands: Mapping[str, int]
) -> Noted:
    """Make rules what the plan says, in its order; those it does not name come after them."""
    if not planned:
        return []
    numbers = {team.name: team.key for team in await teams.every(session)}
    standing = {route.name: route for route in await routing.routes(session)}
    done: Noted = []
    for place, one in enumerate(planned):
        where = f'[[route]] "{one.name}"'
        team_id = number_of(one.team, numbers, where, "team")
        wanted = (
            None
            if one.brands is None
            else [number_of(name, brands, where, "brand") for name in one.brands]
        )
        route = standing.pop(one.name, None)
        new = route is None
        route = route or Route(name=one.name, team_id=team_id)
        before = route.model_dump()
        route.place, route.team_id, route.brands, route.active = place, team_id, wanted, True
        route.places, route.languages, route.tags = one.places, one.languages, one.tags
        route.authors, route.branches, route.skill = one.authors, one.branches, one.skill
        route.severities = words(one.severities)
        route.share, route.sticky = one.share, one.sticky
        session.add(route)
        done.append((one.name, new, not new and route.model_dump() != before))
    for place, route in enumerate(standing.values(), start=len(planned)):
        route.place = place
    await session.flush()
    return done


async def apply_ladders(
    session: AsyncSession, planned: Sequence[PlannedLadder], *, now: datetime
) -> Noted:
    """Make ladders what the plan says, in its order; steps that wait are counted anew."""
    if not planned:
        return []
    numbers = {team.name: team.key for team in await teams.every(session)}
    standing = {ladder.name: ladder for ladder in await climbing.ladders(session)}
    done: Noted = []
    for place, one in enumerate(planned):
        where = f'[[ladder]] "{one.name}"'
        ladder = standing.pop(one.name, None)
        new = ladder is None
        ladder = ladder or Ladder(name=one.name)
        before = ladder.model_dump()
        ladder.place, ladder.active = place, True
        ladder.teams = (
            None
            if one.teams is None
            else [number_of(name, numbers, where, "team") for name in one.teams]
        )
        ladder.severities = words(one.severities)
        ladder.steps = [[int(step.after.total_seconds()), step.call.value] for step in one.steps]
        session.add(ladder)
        done.append((one.name, new, not new and ladder.model_dump() != before))
    for place, ladder in enumerate(standing.values(), start=len(planned)):
        ladder.place = place
    await session.flush()
    if any(new or changed for _, new, changed in done):
        await climbing.look_again(session, now)
    return done


def number_of(name: str, numbers: Mapping[str, int], where: str, kind: str) -> int:
    """The number of a team or a brand of this name."""
    if name not in numbers:
        raise BadPlan(
            [
                (
                    f'{where}: there is no {kind} called "{name}"; '
                    f"there is: {', '.join(sorted(numbers)) or 'none yet'}."
                )
            ]
        )
    return numbers[name]


def words_of(member: Membership) -> dict[str, object]:
    """What a plan says of a membership."""
    return member.model_dump(include={"languages", "skills", "capacity", "leads", "on_call"})


def words(severities: Sequence[Severity] | None) -> list[str] | None:
    """Severities as they are kept."""
    return None if severities is None else [severity.value for severity in severities]
