"""The plane finds what lies nearest, all of it and nothing else, whatever came and went."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from listener.domain import plane as planes
from listener.domain.embedding import seen
from listener.domain.plane import Nearness, Plane
from models.lens import ground

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=365)


def spread(count: int, width: int = 16, seed: int = 3) -> NDArray[np.float32]:
    """Directions that lean to one side, as those of a real model do."""
    rows = np.random.default_rng(seed).normal(size=(count, width)) + 1.5
    made: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")
    return made


def stored(rows: NDArray[np.float32]) -> list[bytes]:
    return [row.astype("<f2").tobytes() for row in rows]


def laid(rows: NDArray[np.float32], lens: NDArray[np.float32] | None = None) -> Plane:
    plane = Plane(lens)
    plane.lay(range(1, len(rows) + 1), [NOON] * len(rows), stored(rows))
    return plane


def reckoned(
    rows: NDArray[np.float32], asked: NDArray[np.float32], lens: NDArray[np.float32] | None
) -> NDArray[np.float64]:
    """The cosines, all at once and in full precision."""
    kept, wanted = rows.astype("<f2").astype(float), asked.astype("<f2").astype(float)
    if lens is not None:
        kept, wanted = kept @ lens[1:] - lens[0], wanted @ lens[1:] - lens[0]
    cosines: NDArray[np.float64] = (kept @ wanted) / (
        np.linalg.norm(kept, axis=1) * np.linalg.norm(wanted)
    )
    return cosines


@pytest.mark.parametrize("lens", [None, ground(spread(400, seed=4))], ids=["bare", "lens"])
def test_the_nearest_are_found_in_their_order_across_all_blocks(
    monkeypatch: pytest.MonkeyPatch, lens: NDArray[np.float32] | None
) -> None:
    monkeypatch.setattr(planes, "BLOCK", 64)
    rows, asked = spread(1_000), spread(1, seed=9)[0]

    found = laid(rows, lens).nearest(*stored(asked[None]), since=LONG_AGO, most=50, least=-1.0)

    cosines = reckoned(rows, asked, lens)
    wanted = np.argsort(-cosines)[:50] + 1
    assert [one.mention_id for one in found] == wanted.tolist()
    assert [one.near for one in found] == pytest.approx(np.sort(-cosines)[:50] * -1, abs=2e-3)


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "forget"]), st.integers(1, 12), st.integers(0, 99)),
        max_size=60,
    )
)
def test_what_was_put_again_lies_once_and_what_was_forgotten_nowhere(
    acts: list[tuple[str, int, int]],
) -> None:
    rows = spread(100)
    plane, there = Plane(), {}
    for act, mention_id, row in acts:
        if act == "put":
            plane.put([mention_id], [NOON], stored(rows[row : row + 1]))
            there[mention_id] = row
        else:
            plane.forget([mention_id])
            there.pop(mention_id, None)

    found = plane.nearest(*stored(rows[:1]), since=LONG_AGO, most=100, least=-2.0)

    assert sorted(one.mention_id for one in found) == sorted(there)
    assert len(plane) == plane.count(LONG_AGO) == len(there)


def test_what_is_too_old_or_too_far_is_not_found() -> None:
    rows = spread(10)
    plane = Plane()
    plane.lay(range(1, 11), [NOON - timedelta(days=n) for n in range(10)], stored(rows))

    lately = plane.nearest(*stored(rows[:1]), since=NOON - timedelta(days=4), most=9, least=-2.0)
    near = plane.nearest(*stored(rows[:1]), since=LONG_AGO, most=9, least=0.99)

    assert {one.mention_id for one in lately} == {1, 2, 3, 4, 5}
    assert plane.count(NOON - timedelta(days=4)) == 5
    assert [one.mention_id for one in near] == [1]


def test_what_is_lifted_comes_nearer_by_so_much() -> None:
    rows = spread(10)
    plane = laid(rows)
    asked = stored(rows[:1])[0]
    before = {one.mention_id: one.near for one in plane.nearest(asked, since=LONG_AGO, most=9)}
    last = min(before, key=before.__getitem__)

    found = plane.nearest(asked, since=LONG_AGO, lifted={last: 0.5, 99: 1.0}, most=10)

    after = {one.mention_id: one.near for one in found}
    assert after[last] == pytest.approx(before[last] + 0.5)
    assert 99 not in after
    assert all(after[one] == pytest.approx(before[one]) for one in before if one != last)


def test_a_lens_takes_away_what_all_have_in_common() -> None:
    rows = spread(400)

    apart = seen(rows, ground(rows))

    assert abs(float((rows @ rows.T).mean())) > 0.5
    assert abs(float((apart @ apart.T).mean())) < 0.05


def test_nothing_lies_near_on_an_empty_plane() -> None:
    assert Plane().nearest(*stored(spread(1)), since=LONG_AGO, most=9, least=-2.0) == []


def test_nearness_is_said_in_words() -> None:
    assert Nearness.of(0.99) is Nearness.SAME
    assert Nearness.of(planes.FARTHEST) is Nearness.PERHAPS
