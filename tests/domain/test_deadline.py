"""How long a customer may wait depends on what sort of complaint it is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Kind
from listener.domain.case import Case, Outcome
from listener.domain.deadline import Policies, Policy, Sort, due
from listener.domain.miss import late

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OTHERS = [kind for kind in Kind if kind is not Kind.REVIEW]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_urgent_is_due_within_the_hour_wherever_it_was_said(kind: Kind) -> None:
    assert due(Sort(kind, urgent=True, unsure=False), Policies(), NOON) == NOON + timedelta(hours=1)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_complaint_is_due_within_four_hours(kind: Kind) -> None:
    four = NOON + timedelta(hours=4)
    assert due(Sort(kind, urgent=False, unsure=False), Policies(), NOON) == four


def test_a_review_is_due_within_a_day() -> None:
    tomorrow = NOON + timedelta(hours=24)
    assert due(Sort(Kind.REVIEW, urgent=False, unsure=False), Policies(), NOON) == tomorrow


@given(st.sampled_from(Kind), st.booleans())
def test_what_nobody_is_sure_of_is_never_due(kind: Kind, urgent: bool) -> None:
    assert due(Sort(kind, urgent=urgent, unsure=True), Policies(), NOON) is None


def test_an_operator_may_give_people_more_time() -> None:
    patient = Policies([Policy(name="complaint", first_reply=48 * 3600, always=True)])

    assert due(Sort(Kind.POST, urgent=False, unsure=False), patient, NOON) == NOON + timedelta(2)


def test_what_no_person_wrote_stops_no_clock() -> None:
    case = waiting()

    case.answer(NOON + timedelta(minutes=1), automatic=True)

    assert [one.stopped for one in case.clocks(Policies())] == [None, None]
    assert case.waiting_since == NOON


def test_a_case_that_was_answered_and_closed_later_used_no_time_in_between() -> None:
    case = waiting()
    case.answer(NOON + timedelta(minutes=1))
    case.close(Outcome.ANSWERED, None, NOON + timedelta(days=30))

    first, resolution = case.clocks(Policies())

    assert late(case, Policies(), NOON + timedelta(days=31)) == {}
    assert first.left(NOON + timedelta(days=31)) == timedelta(hours=3, minutes=59)
    assert resolution.left(NOON + timedelta(days=31)) == timedelta(hours=23, minutes=59)


def waiting() -> Case:
    """A complaint that waits since Monday noon."""
    case = Case(id=1, brand_id=1, kind=Kind.POST, opened_at=NOON)
    case.wait(Policies(), NOON)
    return case
