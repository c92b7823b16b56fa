"""Exporting routes, members and ladders, as a plan writes them."""

from typing import Any

from listener.desk.plan_words import span_words
from listener.domain.ladder import Ladder
from listener.domain.routing import Route
from listener.store import climbing, routing, teams
from listener.store.session import AsyncSession

ASKED = ("places", "languages", "severities", "tags", "authors", "branches", "skill")


async def routing_words(session: AsyncSession, brands: dict[int, str]) -> dict[str, Any]:
    """All three, each under the name of its tables."""
    names = {team.key: team.name for team in await teams.every(session)}
    return {
        "member": await member_words(session, names),
        "route": [
            route_words(route, names, brands)
            for route in await routing.routes(session)
            if route.active
        ],
        "ladder": [
            ladder_words(ladder, names)
            for ladder in await climbing.ladders(session)
            if ladder.active
        ],
    }


async def member_words(session: AsyncSession, names: dict[int, str]) -> list[dict[str, Any]]:
    """Who belongs to which teams."""
    found: dict[str, dict[str, Any]] = {}
    for member, person in await routing.members(session):
        words = found.setdefault(
            person.name,
            {
                "name": person.name,
                "teams": [],
                "languages": member.languages,
                "skills": member.skills,
                "capacity": member.capacity,
                "leads": member.leads,
                "on_call": member.on_call,
            },
        )
        words["teams"].append(names[member.team_id])
    return list(found.values())


def route_words(route: Route, names: dict[int, str], brands: dict[int, str]) -> dict[str, Any]:
    """One rule."""
    words: dict[str, Any] = {"name": route.name, "team": names[route.team_id]}
    if route.brands is not None:
        words["brands"] = [brands[number] for number in route.brands]
    words |= {name: value for name in ASKED if (value := getattr(route, name)) is not None}
    return words | {"share": route.share.value, "sticky": route.sticky}


def ladder_words(ladder: Ladder, names: dict[int, str]) -> dict[str, Any]:
    """One ladder."""
    words: dict[str, Any] = {"name": ladder.name}
    if ladder.teams is not None:
        words["teams"] = [names[number] for number in ladder.teams]
    if ladder.severities is not None:
        words["severities"] = ladder.severities
    steps = [{"after": span_words(step.after), "call": step.rank.value} for step in ladder.climbed]
    return words | {"steps": steps}
