"""Applying the policies of a plan: a changed one is a new version, for cases that come."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from listener.desk.applying_routes import Noted, number_of, words
from listener.desk.plan_words import BadPlan
from listener.desk.planned_policies import SPANS, STANDARD, PlannedPolicy
from listener.domain.deadline import Policy
from listener.store import deadlines, teams
from listener.store.session import AsyncSession

SAYS = (
    "brands", "connectors", "kinds", "severities", "teams",
    "first_reply", "next_reply", "resolution", "always", "active",
)  # fmt: skip


async def apply_policies(
    session: AsyncSession, planned: Sequence[PlannedPolicy], brands: Mapping[str, int]
) -> Noted:
    """Make policies what the plan says, in its order; those it does not name come after them.

    A version is never rewritten: cases were promised by it, and keep what they were promised.
    """
    if not planned:
        return []
    numbers = {team.name: team.key for team in await teams.every(session)}
    standing: dict[str, Policy] = {}
    for policy in await deadlines.policies(session):
        if policy.name not in standing or policy.version > standing[policy.name].version:
            standing[policy.name] = policy
    done: Noted = []
    for place, one in enumerate(planned):
        before = standing.pop(one.name, None)
        if before is None and not one.active and one.name not in STANDARD:
            raise BadPlan([f'[[policy]] "{one.name}": there is none that could be ended.'])
        wanted = policy_of(one, brands, numbers)
        same = before is not None and said(before) == said(wanted)
        if before is not None and same:
            before.position = place
        else:
            if before is not None:
                before.active = False
                wanted.version = before.version + 1
            wanted.position = place
            session.add(wanted)
        done.append((one.name, before is None, before is not None and not same))
    for place, policy in enumerate(standing.values(), start=len(planned)):
        policy.position = place
    await session.flush()
    return done


def policy_of(one: PlannedPolicy, brands: Mapping[str, int], teams: Mapping[str, int]) -> Policy:
    """The row that a plan asks for; where it changes a standard policy, upon that one."""
    where = f'[[policy]] "{one.name}"'
    row: dict[str, Any] = {
        "brands": one.brands and [number_of(name, brands, where, "brand") for name in one.brands],
        "connectors": one.places,
        "kinds": one.kinds and [kind.value for kind in one.kinds],
        "severities": words(one.severities),
        "teams": one.teams and [number_of(name, teams, where, "team") for name in one.teams],
        "always": one.always,
    }
    row |= {name: seconds(getattr(one, name)) for name in SPANS}
    standard = STANDARD.get(one.name)
    if standard is not None:
        kept = {name: getattr(standard, name) for name in row}
        row = kept | {name: value for name, value in row.items() if value is not None}
        if row["resolution"] is not None and row["resolution"] < row["first_reply"]:
            if one.resolution is not None:
                raise BadPlan([f"{where}: `resolution` cannot be sooner than `first_reply`."])
            row["resolution"] = row["first_reply"]
    return Policy(name=one.name, **row | {"always": bool(row["always"])}, active=one.active)


def said(policy: Policy) -> dict[str, Any]:
    """What a policy says, whatever its version and place."""
    return policy.model_dump(include=set(SAYS))


def seconds(length: timedelta | None) -> int | None:
    """A stretch of time as it is kept."""
    return None if length is None else int(length.total_seconds())
