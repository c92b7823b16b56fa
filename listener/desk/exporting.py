"""Exporting: the plan that would make another database like this one, without its secrets."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import tomli_w

from connectors.kit import catalog
from connectors.kit.contract import secrets
from listener.desk.exporting_policies import policy_words
from listener.desk.exporting_routes import routing_words
from listener.desk.exporting_wordings import wording_words
from listener.desk.outlets import KINDS
from listener.desk.plan_words import span_words
from listener.domain.brand import Brand
from listener.domain.notice import Channel
from listener.domain.secret import SECRET, is_sealed
from listener.domain.source import Source
from listener.domain.team import Team
from listener.store import brands, deadlines, notices, sources, teams, wordings
from listener.store.session import Store


async def export(store: Store) -> str:
    """All that is set up, but no people, as a TOML file that `listener apply` takes."""
    async with store.reading() as session:
        everything = await brands.every(session)
        names = {brand.key: brand.name for brand in everything}
        together = await teams.every(session)
        plan = {
            "brand": [brand_words(brand) for brand in everything],
            "team": [team_words(team, together) for team in together],
            "policy": policy_words(
                await deadlines.policies(session), names, {team.key: team.name for team in together}
            ),
            **await routing_words(session, names),
            "wording": wording_words(await wordings.every(session), names),
            "source": [
                source_words(source, names)
                for source in await sources.every(session)
                if source.active
            ],
            "channel": [
                channel_words(channel, names) for channel in await notices.channels(session)
            ],
        }
    return tomli_w.dumps({kind: rows for kind, rows in plan.items() if rows})


def brand_words(brand: Brand) -> dict[str, Any]:
    """A brand as it stands in a plan."""
    return {"name": brand.name, "query": brand.query, "handles": brand.handles}


def source_words(source: Source, names: dict[int, str]) -> dict[str, Any]:
    """A source as it stands in a plan."""
    hidden = secrets(catalog.load(source.connector))
    words: dict[str, Any] = {
        "name": source.name,
        "connector": source.connector,
        "every": span_words(timedelta(seconds=source.every)),
        "since": source.since,
    }
    if source.brands is not None:
        words["brands"] = [names[number] for number in source.brands if number in names]
    if source.about_us:
        words["about_us"] = True
    words["options"] = {
        name: hide(value) if name in hidden else value
        for name, value in source.options.items()
        if value is not None
    }
    return words


def team_words(team: Team, others: Sequence[Team]) -> dict[str, Any]:
    """A team as it stands in a plan."""
    names = {other.key: other.name for other in others}
    words: dict[str, Any] = {
        "name": team.name,
        "zone": team.zone,
        "hours": team.hours,
        "holidays": team.holidays,
        "closed": [date.fromisoformat(day) for day in team.closed],
        "always": team.always,
        "follows": [names[number] for number in team.follows],
    }
    return {name: value for name, value in words.items() if value}


def channel_words(channel: Channel, names: dict[int, str]) -> dict[str, Any]:
    """A channel as it stands in a plan."""
    hidden = KINDS[channel.kind].hidden
    words: dict[str, Any] = {"name": channel.name, "kind": channel.kind}
    if channel.brands is not None:
        words["brands"] = [names[number] for number in channel.brands if number in names]
    if channel.only_urgent:
        words["only_urgent"] = True
    return words | {
        name: hide(value) if name in hidden else value
        for name, value in channel.options.items()
        if value is not None
    }


def hide(value: Any) -> Any:
    """A sealed secret as a sign that there is one; a reference as it is."""
    return {SECRET: True} if is_sealed(value) else value
