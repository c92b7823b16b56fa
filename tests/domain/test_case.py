"""A case moves only along the drawn lines, and never has two people working on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.kit.contract import Kind
from listener.domain.case import HOLD, Case, Outcome, Status
from listener.domain.deadline import Policies
from listener.domain.record import NotAllowed

MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
ANA, BEN, CEM = 1, 2, 3
POLICIES = Policies()
OPEN, OWNED, ANSWERED, CLOSED = Status

# What the drawing at the head of the module allows, and nothing else.
DRAWN = {
    "take": {(OPEN, OWNED), (OWNED, OWNED), (ANSWERED, ANSWERED)},
    "release": {(OWNED, OPEN)},
    "close": {(OPEN, CLOSED), (OWNED, CLOSED), (ANSWERED, CLOSED)},
    "reopen": {(CLOSED, OPEN), (CLOSED, OWNED), (ANSWERED, OWNED), (ANSWERED, OPEN)},
    "confirm": {(status, status) for status in Status},
    "touch": {(status, status) for status in Status},
}

people = st.sampled_from((ANA, BEN, CEM))


class Queue(RuleBasedStateMachine):
    """Three people and one case, while time passes in steps about as long as a hold."""

    @initialize(kind=st.sampled_from(Kind), urgent=st.booleans(), unsure=st.booleans())
    def a_case_is_opened(self, kind: Kind, urgent: bool, unsure: bool) -> None:
        self.now = MONDAY
        self.case = Case(
            id=7, brand_id=1, kind=kind, urgent=urgent, unsure=unsure, opened_at=MONDAY
        )
        self.working: tuple[int, datetime] | None = None  # who, and since when

    @rule(minutes=st.integers(1, 11))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(who=people, over=st.booleans())
    def somebody_takes_it(self, who: int, over: bool) -> None:
        others = {ANA, BEN, CEM} - {who}
        may = self.case.status is not CLOSED and (
            over or (self.holder not in others and self.case.owner_id not in others)
        )
        if self.done("take", lambda: self.case.take(who, self.now, over=over), allowed=may):
            self.working = (who, self.now)
            assert self.case.owner_id == who

    @rule(who=people)
    def somebody_keeps_at_it(self, who: int) -> None:
        may = self.holder == who
        if self.done("touch", lambda: self.case.touch(who, self.now), allowed=may):
            self.working = (who, self.now)

    @rule(who=people)
    def somebody_gives_it_back(self, who: int) -> None:
        may = self.case.status is OWNED and self.case.owner_id == who
        if self.done("release", lambda: self.case.release(who, self.now), allowed=may):
            self.working = None

    @rule(who=people, outcome=st.sampled_from(Outcome))
    def somebody_closes_it(self, who: int, outcome: Outcome) -> None:
        may = self.case.status is not CLOSED and self.holder in (None, who)
        if self.done("close", lambda: self.case.close(outcome, who, self.now), allowed=may):
            self.working = None
            assert (self.case.outcome, self.case.closed_at) == (outcome, self.now)

    @rule()
    def the_customer_comes_back(self) -> None:
        owner, times = self.case.owner_id, self.case.reopened
        may = self.case.status in (CLOSED, ANSWERED)
        if self.done("reopen", lambda: self.case.reopen(POLICIES, self.now), allowed=may):
            assert self.case.owner_id == owner
            assert self.case.status is (OPEN if owner is None else OWNED)
            assert self.case.reopened == times + 1

    @rule()
    def a_person_says_it_is_a_complaint(self) -> None:
        may = self.case.unsure
        if self.done("confirm", lambda: self.case.confirm(POLICIES, self.now), allowed=may):
            assert self.case.due_at is not None
            assert self.case.due_at > self.now

    @precondition(lambda self: self.case.status is OWNED and self.holder is not None)
    @rule()
    def it_is_answered(self) -> None:
        self.case.status = ANSWERED  # what publishing a reply does

    @invariant()
    def exactly_the_one_who_works_on_it_holds_it(self) -> None:
        assert self.case.held_by(self.now) == self.holder

    @invariant()
    def what_is_open_belongs_to_nobody_and_what_is_owned_to_somebody(self) -> None:
        assert (self.case.status is OPEN) <= (self.case.owner_id is None)
        assert (self.case.status is OWNED) <= (self.case.owner_id is not None)

    @invariant()
    def only_what_is_closed_has_an_outcome_and_nobody_holds_it(self) -> None:
        closed = self.case.status is CLOSED
        assert closed == (self.case.outcome is not None) == (self.case.closed_at is not None)
        assert not closed or self.case.held_by(self.now) is None

    @invariant()
    def what_is_unsure_has_no_deadline(self) -> None:
        assert not self.case.unsure or self.case.due_at is None

    @property
    def holder(self) -> int | None:
        """Who works on it, by our own counting."""
        if self.working is None or self.now >= self.working[1] + HOLD:
            return None
        return self.working[0]

    def done(self, act: str, deed: Any, *, allowed: bool) -> bool:
        """Whether it was done: only when allowed, only along a line; a refusal changes nothing."""
        before = self.case.model_dump()
        if not allowed:
            with pytest.raises(NotAllowed, match=r"(?i)case 7 .*\.$"):
                deed()
            assert self.case.model_dump() == before
            return False
        deed()
        assert (before["status"], self.case.status) in DRAWN[act]
        return True


Queue.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestACase = Queue.TestCase


def test_a_hold_lapses_after_ten_idle_minutes() -> None:
    case = a_case()
    case.take(ANA, MONDAY)

    almost = MONDAY + timedelta(minutes=10) - timedelta(microseconds=1)
    assert case.held_by(almost) == ANA
    assert case.held_by(MONDAY + timedelta(minutes=10)) is None
    assert case.owner_id == ANA  # it still belongs to her


def test_who_works_on_keeps_the_hold() -> None:
    case = a_case()
    case.take(ANA, MONDAY)

    case.touch(ANA, MONDAY + timedelta(minutes=9))

    assert case.held_by(MONDAY + timedelta(minutes=18)) == ANA


def test_who_lost_the_hold_is_told_to_take_it_again() -> None:
    case = a_case()
    case.take(ANA, MONDAY)
    case.take(BEN, MONDAY, over=True)

    with pytest.raises(NotAllowed, match="You do not hold case 7 any more; take it again"):
        case.require_holder(ANA, MONDAY)


def test_taking_over_makes_the_other_owner_and_holder() -> None:
    case = a_case()
    case.take(ANA, MONDAY)

    case.take(BEN, MONDAY, over=True)

    assert case.owner_id == case.held_by(MONDAY) == BEN


def test_a_closed_case_says_how_it_was_closed_when_somebody_wants_it() -> None:
    case = a_case()
    case.close(Outcome.NOT_US, ANA, MONDAY)

    with pytest.raises(NotAllowed) as refusal:
        case.take(BEN, MONDAY, over=True)

    assert str(refusal.value) == "Case 7 is closed (not us); reopen it first."


def test_a_reopened_case_starts_waiting_anew() -> None:
    case = a_case()
    case.take(ANA, MONDAY)
    case.close(Outcome.NO_REPLY_NEEDED, ANA, MONDAY)

    case.reopen(POLICIES, MONDAY + timedelta(days=2))

    assert case.waiting_since == MONDAY + timedelta(days=2)
    assert case.due_at == MONDAY + timedelta(days=2, hours=4)
    assert case.held_by(MONDAY + timedelta(days=2)) is None


def a_case() -> Case:
    """A plain complaint."""
    return Case(id=7, brand_id=1, kind=Kind.POST, opened_at=MONDAY)
