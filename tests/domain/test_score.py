"""What is pressing comes first, in an order that time alone never changes, and says why."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from listener.domain.score import Pressing, rank, score, why
from tests.world import NOON

MINUTE = timedelta(minutes=1)


def a_case(
    *,
    left: timedelta | None = timedelta(hours=4),
    priority: int = 40,
    urgent: bool = False,
    unsure: bool = False,
    reasons: tuple[str, ...] = (),
) -> Pressing:
    return Pressing(
        urgent=urgent,
        unsure=unsure,
        priority=priority,
        due_at=None if left is None else NOON + left,
        opened_at=NOON,
        reasons=reasons,
    )


CASES = st.builds(
    a_case,
    left=st.timedeltas(min_value=-timedelta(days=5), max_value=timedelta(days=5)),
    priority=st.integers(0, 100),
    urgent=st.booleans(),
)


def test_what_is_due_sooner_comes_first() -> None:
    assert rank(a_case(left=5 * MINUTE)) < rank(a_case(left=60 * MINUTE))


def test_of_two_with_the_same_deadline_the_more_important_comes_first() -> None:
    assert rank(a_case(priority=70)) < rank(a_case(priority=20))


def test_an_urgent_one_comes_before_what_has_been_overdue_for_days() -> None:
    assert rank(a_case(urgent=True, left=60 * MINUTE)) < rank(a_case(left=-timedelta(days=3)))


def test_an_unsure_one_comes_behind_everything() -> None:
    assert rank(a_case(unsure=True, left=None, priority=100)) > rank(
        a_case(left=timedelta(days=365), priority=0)
    )


@given(CASES, CASES, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=30)))
def test_the_number_shown_and_the_order_never_disagree(
    one: Pressing, other: Pressing, later: timedelta
) -> None:
    if rank(one) <= rank(other):
        assert score(one, NOON + later) >= score(other, NOON + later)


def test_an_urgent_one_says_why_in_a_line() -> None:
    pressing = a_case(
        urgent=True,
        left=22 * MINUTE,
        reasons=("Speaks of harm: safety.", "Reaches 12,400 people."),
    )

    assert why(pressing, NOON) == "urgent: safety word, 12k reach, 22 min to breach"


def test_one_that_waits_too_long_says_so() -> None:
    pressing = a_case(left=-90 * MINUTE, reasons=("One star: a complaint whatever the words say.",))

    assert why(pressing, NOON) == "priority 40: one star, overdue by 1 h"


def test_an_unsure_one_needs_no_deadline_to_explain_itself() -> None:
    pressing = a_case(unsure=True, left=None, reasons=("The model is not sure: irony.",))

    assert why(pressing, NOON) == "unsure"
