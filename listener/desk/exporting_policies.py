"""Exporting policies, as a plan writes them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from listener.desk.plan_words import span_words
from listener.desk.planned_policies import SPANS
from listener.domain.deadline import Policy


def policy_words(
    policies: Sequence[Policy], brands: Mapping[int, str], teams: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Those that are in force, in their order."""
    return [words(policy, brands, teams) for policy in policies if policy.active]


def words(policy: Policy, brands: Mapping[int, str], teams: Mapping[int, str]) -> dict[str, Any]:
    """One policy."""
    found: dict[str, Any] = {
        "name": policy.name,
        "brands": None if policy.brands is None else [brands[one] for one in policy.brands],
        "places": policy.connectors,
        "kinds": policy.kinds,
        "severities": policy.severities,
        "teams": None if policy.teams is None else [teams[one] for one in policy.teams],
    }
    found |= {
        name: span_words(timedelta(seconds=length))
        for name in SPANS
        if (length := getattr(policy, name)) is not None
    }
    return {name: value for name, value in found.items() if value is not None} | {
        "always": policy.always
    }
