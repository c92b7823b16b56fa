"""How a source that fails is asked ever more rarely, and at once again when it is well."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from listener.domain.source import LONGEST_WAIT, Reading, Way, backoff, digest

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def a_reading() -> Reading:
    return Reading(source_id=1, way=Way.POLL, next_at=NOON)


def test_waits_double_from_five_seconds_to_fifteen_minutes() -> None:
    waits = [backoff(failures).total_seconds() for failures in range(1, 11)]

    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


@given(st.integers(1, 10**9))
def test_however_often_it_fails_it_is_asked_again_within_a_quarter_of_an_hour(
    failures: int,
) -> None:
    assert timedelta(seconds=5) <= backoff(failures) <= LONGEST_WAIT


def test_only_the_first_failure_in_a_row_is_news() -> None:
    reading = a_reading()

    assert reading.failed("It is out of order.", now=NOON, wait=None, stop=False)
    later = NOON + timedelta(minutes=1)
    assert not reading.failed("It still is.", now=later, wait=None, stop=False)
    assert (reading.failing_since, reading.failures) == (NOON, 2)
    assert reading.failure == "It still is."
    assert reading.next_at == later + timedelta(seconds=10)


def test_what_the_place_asks_for_counts_more_than_our_own_waits() -> None:
    reading = a_reading()

    reading.failed("Too often.", now=NOON, wait=timedelta(hours=3), stop=False)

    assert reading.next_at == reading.not_before == NOON + timedelta(hours=3)


def test_one_good_walk_ends_a_failure_and_says_so_once() -> None:
    reading = a_reading()
    reading.failed("Too often.", now=NOON, wait=timedelta(hours=3), stop=True)

    assert reading.caught_up(now=NOON, every=timedelta(minutes=2))
    assert not reading.caught_up(now=NOON, every=timedelta(minutes=2))
    assert (reading.failures, reading.failure, reading.failing_since) == (0, None, None)
    assert (reading.not_before, reading.stopped) == (None, False)
    assert reading.next_at == NOON + timedelta(minutes=2)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_a_fingerprint_fits_a_big_integer_and_tells_words_apart(
    one: list[str], other: list[str]
) -> None:
    assert -(2**63) <= digest(*one) < 2**63
    if "\0".join(one) != "\0".join(other):
        assert digest(*one) != digest(*other)
    else:
        assert digest(*one) == digest(*other)


def test_a_fingerprint_stays_the_same_between_versions() -> None:
    # It is stored: another number would make every known post unknown.
    assert digest("short", "ada", "never") == 9191591915865204120
    assert digest("a", "b") != digest("ab")
