"""What has been read stays proven, however its stretches overlap; what is between is a gap."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Span
from listener.domain.coverage import gaps, merged

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
LAST = 60  # minutes


def minute(number: float) -> datetime:
    return MONDAY + timedelta(minutes=number)


def span(start: int, end: int) -> Span:
    return Span(minute(start), minute(end))


@st.composite
def stretches(draw: st.DrawFn) -> list[Span]:
    ends = st.tuples(st.integers(0, LAST), st.integers(0, LAST))
    return [span(*sorted(pair)) for pair in draw(st.lists(ends, max_size=12))]


def within(moment: datetime, spans: Sequence[Span]) -> bool:
    return any(one.start <= moment <= one.end for one in spans)


@given(stretches())
def test_merging_neither_forgets_nor_invents_a_moment(spans: list[Span]) -> None:
    joined = merged(spans)

    for half_minute in range(2 * LAST + 1):
        moment = minute(half_minute / 2)
        assert within(moment, joined) == within(moment, spans)


@given(stretches())
def test_merged_stretches_are_in_order_and_apart(spans: list[Span]) -> None:
    joined = merged(spans)

    assert all(one.end < next_.start for one, next_ in pairwise(joined))
    assert merged(joined) == joined


@given(stretches(), st.randoms(use_true_random=False))
def test_the_order_in_which_stretches_were_read_does_not_matter(
    spans: list[Span], random: object
) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert merged(shuffled) == merged(spans)


@given(stretches(), st.integers(0, LAST))
def test_every_moment_since_the_beginning_is_either_read_or_in_a_gap(
    spans: list[Span], since: int
) -> None:
    holes = gaps(spans, since=minute(since))
    latest = max((one.end for one in spans), default=minute(since))

    for half_minute in range(2 * since, 2 * LAST + 1):
        moment = minute(half_minute / 2)
        if moment > latest:
            break
        inside = any(hole.start < moment < hole.end for hole in holes)
        assert within(moment, spans) or inside or moment == minute(since)
        assert not (within(moment, spans) and inside)


def test_a_source_that_was_never_read_has_no_gap_yet() -> None:
    assert gaps([], since=MONDAY) == []


def test_an_outage_between_two_walks_is_a_gap() -> None:
    read = [span(0, 10), span(30, 40)]

    assert gaps(read, since=MONDAY) == [span(10, 30)]


def test_what_was_missed_before_the_first_walk_is_a_gap() -> None:
    assert gaps([span(20, 40)], since=MONDAY) == [span(0, 20)]


def test_what_lies_before_the_beginning_is_no_gap() -> None:
    assert gaps([span(0, 5), span(20, 40)], since=minute(30)) == []
