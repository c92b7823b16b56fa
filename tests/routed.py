"""What tests of routing begin with: teams, who belongs to them, rules, and stages to step."""

import asyncio
from datetime import datetime
from typing import Any

from listener.domain.case import Case
from listener.domain.event import Event, What
from listener.domain.routing import Decision, Membership, Route
from listener.domain.team import Team
from listener.stages.escalate import Escalate
from listener.stages.route import Routing
from listener.store import people
from tests.world import World

ALWAYS = {"always": True}
OFFICE = {"hours": ["mon-fri 09:00-17:00"]}


async def team(world: World, name: str = "Support", *members: str, **more: Any) -> int:
    """A team with these members, always there unless something else is said."""
    async with world.store.transaction() as session:
        made = Team(name=name, **(more or ALWAYS))
        session.add(made)
        await session.flush()
        for member in members:
            await join(session, made.key, member)
        return made.key


async def join(session: Any, team_id: int, name: str, **more: Any) -> None:
    """Somebody belongs to a team from now on."""
    person = await people.named(session, name)
    assert person is not None
    session.add(Membership(team_id=team_id, staff_id=person.key, **more))


async def member(world: World, team_id: int, name: str, **more: Any) -> None:
    """Somebody belongs to a team from now on."""
    async with world.store.transaction() as session:
        await join(session, team_id, name, **more)


async def rule(world: World, team_id: int, name: str = "All", **more: Any) -> None:
    """A rule that sends cases to a team; all of them, unless something is asked for."""
    async with world.store.transaction() as session:
        session.add(Route(name=name, team_id=team_id, **more))


async def routed(world: World) -> None:
    """Route everything that waits, as after a restart."""
    stage = Routing(world.store, asyncio.Event())
    for _ in range(20):
        if not await stage.step():
            return
    raise AssertionError("routing does not come to an end")


async def climbed(world: World) -> None:
    """Take every step that is due, as after a restart."""
    stage = Escalate(world.store, asyncio.Event())
    for _ in range(20):
        if not await stage.step():
            return
    raise AssertionError("the ladder does not come to an end")


async def both(world: World, moment: datetime) -> None:
    """Route and climb at a moment."""
    world.now = moment
    await routed(world)
    await climbed(world)


async def owners(world: World) -> list[str | None]:
    """Who owns each case."""
    async with world.store.reading() as session:
        names = {person.key: person.name for person in await people.every(session)}
    return [names.get(case.owner_id or 0) for case in await world.cases()]


async def case(world: World, number: int = 1) -> Case:
    """A case as it stands."""
    return next(one for one in await world.cases() if one.key == number)


async def told(world: World, what: What) -> list[Event]:
    """The events of one kind."""
    return [one for one in await world.events() if one.what is what]


async def decisions(world: World) -> list[Decision]:
    """Everything that was decided."""
    found: list[Decision] = await world.all_of(Decision)
    return found
