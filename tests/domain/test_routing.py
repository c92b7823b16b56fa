"""What a rule asks of a case, and whom of a team it is given to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from listener.domain.routing import Choice, Colleague, Facts, Route, Share, choose, first, fits
from listener.domain.severity import Severity, severity_of

FACTS = Facts(
    brand_id=1,
    severity=Severity.URGENT,
    place="reddit",
    language="de-AT",
    tags=frozenset({"billing"}),
    authors=frozenset({"u/ada", "Ada"}),
    branch="Mill Lane",
)
ASKED: Sequence[tuple[str, list[Any], list[Any]]] = [
    ("brands", [1, 2], [2]),
    ("places", ["Reddit"], ["bluesky"]),
    ("languages", ["de"], ["fr"]),
    ("severities", ["urgent", "crisis"], ["normal"]),
    ("tags", ["Billing"], ["late"]),
    ("authors", ["ADA"], ["bob"]),
    ("branches", ["mill lane"], ["High Street"]),
]
ROUTE = Route(name="All", team_id=1)


def asking(**more: Any) -> Route:
    """A rule that asks for this."""
    return Route(name="It", team_id=1, **more)


def of(name: str = "Ana", number: int = 1, **more: Any) -> Colleague:
    """Somebody of the team, who is here and has nothing."""
    return Colleague(staff_id=number, name=name, **more)


@pytest.mark.parametrize(("what", "fitting", "other"), ASKED)
def test_a_rule_asks_for_each_of_them(what: str, fitting: list[Any], other: list[Any]) -> None:
    assert fits(asking(**{what: fitting}), FACTS)
    assert not fits(asking(**{what: other}), FACTS)


@pytest.mark.parametrize(
    "what", [what for what, _, _ in ASKED if what not in ("brands", "severities")]
)
def test_what_is_not_known_of_a_case_fits_no_rule_that_asks_for_it(what: str) -> None:
    assert not fits(asking(**{what: ["x"]}), Facts(brand_id=1))


def test_all_that_a_rule_asks_for_must_be_so() -> None:
    rule = Route(name="It", team_id=1, brands=[1], languages=["de"], tags=["late"])

    assert not fits(rule, FACTS)


def test_the_first_that_fits_decides_and_one_that_has_ended_is_not_asked() -> None:
    ended = Route(name="Ended", team_id=1, active=False)
    narrow = Route(name="Narrow", team_id=1, languages=["fr"])
    wide = Route(name="Wide", team_id=2)

    assert first([ended, narrow, wide, ROUTE], FACTS) is wide


def test_who_answered_before_is_asked_first_unless_the_rule_says_no() -> None:
    team = [of(), of("Ben", 2, load=5)]

    assert choose(team, ROUTE, FACTS, before=2) == Choice(2, ("Ben answered this author before.",))
    loose = Route(name="Loose", team_id=1, sticky=False)
    assert choose(team, loose, FACTS, before=2).staff_id == 1


def test_who_answered_before_but_is_away_or_full_is_named_and_another_gets_it() -> None:
    for ben in (of("Ben", 2, away="is away until noon"), of("Ben", 2, load=3, capacity=3)):
        found = choose([of(), ben], ROUTE, FACTS, before=2)
        assert found.staff_id == 1
        assert found.why[0].startswith("Ben answered this author before, but they ")


def test_language_and_skill_come_before_load() -> None:
    team = [
        of("Ana", 1, languages=frozenset({"en"})),
        of("Ben", 2, languages=frozenset({"de"}), load=9),
        of("Cem", 3, languages=frozenset({"de"}), skills=frozenset({"billing"}), load=10),
    ]

    assert choose(team, ROUTE, FACTS).staff_id == 2
    assert choose(team, Route(name="It", team_id=1, skill="Billing"), FACTS).staff_id == 3


def test_where_nobody_speaks_it_everybody_is_asked_and_it_says_so() -> None:
    found = choose([of(languages=frozenset({"en"})), of("Ben", 2)], ROUTE, FACTS)

    assert found.staff_id is not None
    assert found.why[0] == "Nobody of the team speaks de-AT."


def test_nobody_free_is_looked_at_again_and_says_why_of_each() -> None:
    found = choose([of(away="is away until noon"), of("Ben", 2, capacity=0)], ROUTE, FACTS)

    assert (found.staff_id, found.again) == (None, True)
    assert found.why == (
        "Ana is away until noon.",
        "Ben has 0 cases, and can have no more.",
    )


def test_whose_turn_it_is_gets_it_however_much_they_have() -> None:
    turns = Route(name="It", team_id=1, share=Share.ROUND_ROBIN)
    lately = datetime(2026, 11, 2, tzinfo=UTC)

    assert choose([of(given_at=lately), of("Ben", 2, load=9)], turns, FACTS).staff_id == 2


def test_whoever_has_no_business_with_the_brand_is_given_nothing() -> None:
    assert choose([of(sees=False)], ROUTE, FACTS).why == (
        "Nobody of the team works cases of this brand.",
    )


@pytest.mark.parametrize(
    ("urgent", "priority", "crisis", "found"),
    [
        (False, 100, False, Severity.NORMAL),
        (True, 84, False, Severity.URGENT),
        (True, 85, False, Severity.CRISIS),
        (False, 0, True, Severity.CRISIS),
    ],
)
def test_how_bad_it_is(urgent: bool, priority: int, crisis: bool, found: Severity) -> None:
    assert severity_of(urgent=urgent, priority=priority, crisis=crisis) is found
