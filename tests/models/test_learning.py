"""What people correct is learnt by one brand, and only what a gate lets through."""

import numpy as np
import pytest

from models.learning import gate
from models.learning.head import Example, fit, probability

SIZE = 16
PLACE = np.eye(SIZE)


def example(
    logit: float, where: int, complaint: bool, number: int, *, staff: int | None = 1
) -> Example:
    """A text near one of some places that texts lie at; each a little elsewhere."""
    chance = np.random.default_rng(number)
    vector = PLACE[where] + chance.normal(0, 0.05, SIZE)
    slices = ("en" if where % 2 else "de",)
    return Example(logit, vector, complaint, f"group {number}", staff, slices)


def replay(count: int = 400) -> list[Example]:
    """Our own posts, which the network judges well; they lie at all places but the last two."""
    return [
        example(2.0 if number % 2 else -2.0, number % (SIZE - 2), bool(number % 2), 10_000 + number)
        for number in range(count)
    ]


def mistaken(count: int, *, first: int = 0) -> list[Example]:
    """Texts of one kind that the network takes for complaints, unsurely, and staff for none."""
    return [example(0.7, SIZE - 1, complaint=False, number=first + n) for n in range(count)]


def confirmed(count: int, *, first: int = 500) -> list[Example]:
    """Texts that the network judges rightly, and staff says so."""
    return [
        example(1.5 if n % 2 else -1.5, n % (SIZE - 2), bool(n % 2), number=first + n)
        for n in range(count)
    ]


def test_the_same_kind_of_mistake_is_not_made_again_and_what_was_right_stays() -> None:
    head, found = gate.learn([*mistaken(40), *confirmed(60)], replay())

    assert found.passed, found.refused
    assert head is not None
    again, right = mistaken(20, first=3_000), confirmed(60, first=4_000)
    for one in (*again, *right):
        (moved,) = head.moved(np.array([one.logit]), one.vector[None, :])
        assert (moved > 0) == one.complaint
    assert found.words.startswith("Learnt from 100 lessons")
    assert found.right_now > found.right_before


def test_few_lessons_teach_nothing_and_say_how_many_are_wanted() -> None:
    head, found = gate.learn(mistaken(19), replay())

    assert head is None
    assert found.words == "Nothing was learnt. There are 19 lessons; 20 are needed to begin."


def test_lessons_that_only_confirm_teach_nothing() -> None:
    head, found = gate.learn(confirmed(100), replay())

    assert head is None
    assert "It waits for more." in found.words


def test_a_batch_of_which_a_fifth_is_wrong_is_stopped() -> None:
    lessons = [
        example(
            3.0 if n % 2 else -3.0, n % SIZE, complaint=bool(n % 2) is not (n % 5 == 0), number=n
        )
        for n in range(200)
    ]

    head, found = gate.learn([*lessons, *mistaken(40, first=600)], replay())

    assert head is None
    assert "contradict verdicts that are seldom wrong" in found.words
    assert (found.against, found.sure) == (40, 200)


def test_somebody_who_calls_everything_a_complaint_is_stopped_and_named() -> None:
    theirs = [
        example(3.0 if n % 2 else -3.0, n % SIZE, complaint=True, number=700 + n, staff=7)
        for n in range(40)
    ]

    head, found = gate.learn([*mistaken(80), *confirmed(200), *theirs], replay())

    assert head is None
    assert "What person 7 said is not believed" in found.words
    assert "All of them say the same." in found.words


def test_what_makes_our_own_posts_worse_is_stopped_and_the_slice_is_named() -> None:
    # Staff call complaints harmless wherever the network is not sure: here it would spread.
    lessons = [example(0.5, n % SIZE, complaint=False, number=n) for n in range(1_500)]
    own = [example(0.6 if n % 2 else -2.0, n % SIZE, bool(n % 2), 10_000 + n) for n in range(400)]

    head, found = gate.learn(lessons, own)

    assert head is None
    assert "would judge these worse than before" in found.words
    assert "all" in found.worse


def test_what_says_the_same_is_never_on_both_sides_of_a_test() -> None:
    assert {gate.fold("the same words") for _ in range(3)} == {gate.fold("the same words")}
    assert {gate.fold(f"group {number}") for number in range(99)} == set(range(gate.FOLDS))


def test_the_same_lessons_teach_the_same_whatever_their_order() -> None:
    lessons = [*mistaken(40), *confirmed(60)]

    one, other = fit(lessons, replay()), fit(lessons[::-1], replay()[::-1])

    assert one.weights == pytest.approx(other.weights, abs=1e-8)
    assert one.constant == pytest.approx(other.constant, abs=1e-8)
    assert probability(np.array([-1e9, 0.0, 1e9])) == pytest.approx([0, 0.5, 1])
