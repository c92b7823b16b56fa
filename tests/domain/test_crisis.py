"""The clock of a crisis: when an update is due, which were missed, and what makes no sense."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from listener.domain.crisis import EVERY, GRACE, Crisis, minutes_of, name_of, said, words_of
from listener.domain.record import NotAllowed
from tests.world import NOON


def crisis(every: int = 30) -> Crisis:
    """One that was declared at noon."""
    return Crisis(
        id=1,
        brand_id=1,
        name="Fire",
        lead_id=1,
        declared_by=1,
        declared_at=NOON,
        every=every,
        update_due_at=NOON + timedelta(minutes=every),
    )


@given(every=some.sampled_from(EVERY), later=some.integers(0, 3_000))
def test_each_update_that_was_due_long_enough_ago_was_missed_once(every: int, later: int) -> None:
    one, now = crisis(every), NOON + timedelta(minutes=later)

    missed = list(one.missed(now))

    step = timedelta(minutes=every)
    assert missed == [NOON + step * (number + 1) for number in range(len(missed))]
    assert all(due + GRACE <= now for due in missed)
    assert one.update_due_at + GRACE > now
    assert one.update_due_at == NOON + step * (len(missed) + 1)
    assert list(one.missed(now)) == []


@given(every=some.sampled_from(EVERY), later=some.integers(0, 3_000))
def test_an_update_sets_the_clock_anew(every: int, later: int) -> None:
    one, now = crisis(every), NOON + timedelta(minutes=later)
    one.reminded = True

    one.updated(now)

    assert one.update_due_at == now + timedelta(minutes=every)
    assert not one.reminded
    assert list(one.missed(now)) == []


def test_what_is_over_is_over() -> None:
    one = crisis()
    one.end(2, NOON)

    assert (one.ended_by, one.ended_at) == (2, NOON)
    with pytest.raises(NotAllowed, match="declare it again"):
        one.end(2, NOON)
    with pytest.raises(NotAllowed):
        one.updated(NOON)
    with pytest.raises(NotAllowed):
        list(one.missed(NOON))


def test_names_words_and_updates_are_kept_tidy() -> None:
    assert name_of("  Burning \n\0chargers ") == "Burning chargers"
    assert words_of(' charger   "smoke and fire" ') == 'charger "smoke and fire"'
    assert said(" Off.\nMore soon.\0 ") == "Off.\nMore soon."
    assert [minutes_of(one) for one in EVERY] == list(EVERY)
    with pytest.raises(NotAllowed, match="2,001 characters; 2,000 are the most"):
        said("x" * 2_001)
