"""A verdict is moved by what a brand has taught, and only as far as the model knows the text."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning import ours
from models.learning.answers import BY_LEARNING, example, moved
from models.learning.head import Head, fit
from models.training import corpus, sets
from models.verdict import Feeling, Question, Verdict

NORTH = np.array([1, 0, 0, 0], dtype="<f2").tobytes()
EAST = np.array([0, 1, 0, 0], dtype="<f2").tobytes()
DOWN_IN_THE_EAST = Head(np.array([0.0, -2.0, 0.0, 0.0]), 0.0, np.zeros(4), 1.0)
VERDICT = Verdict(
    complaint=0.7,
    feeling=Feeling.NEGATIVE,
    confidence=0.9,
    unsure=False,
    model="pair 2",
    embedding=EAST,
    grey=(0.4, 0.6),
)


def test_a_verdict_is_moved_by_where_the_text_lies_and_says_from_where() -> None:
    east = moved(VERDICT, DOWN_IN_THE_EAST, 3)
    north = moved(replace(VERDICT, embedding=NORTH), DOWN_IN_THE_EAST, 3)

    assert east.complaint == pytest.approx(0.24, abs=0.01)
    assert (east.learnt, east.alone, east.model) == (3, 0.7, "pair 2")
    assert north.complaint == pytest.approx(0.7)


def test_what_is_moved_into_the_grey_is_unsure_and_out_of_it_no_longer() -> None:
    half = Head(np.array([0.0, -0.85, 0.0, 0.0]), 0.0, np.zeros(4), 1.0)
    doubted = replace(VERDICT, complaint=0.5, unsure=True, why="too close to call")

    assert moved(VERDICT, half, 1).unsure
    assert moved(VERDICT, half, 1).why == BY_LEARNING
    assert not moved(doubted, DOWN_IN_THE_EAST, 1).unsure
    assert moved(doubted, DOWN_IN_THE_EAST, 1).why == ""


@pytest.mark.parametrize(
    "unknown",
    [
        replace(VERDICT, grey=None),  # a language that the model has not learnt
        replace(VERDICT, embedding=b""),  # nothing is known of where it lies
        replace(VERDICT, embedding=NORTH + EAST),  # it lies in another space
    ],
)
def test_what_the_model_does_not_know_is_not_moved(unknown: Verdict) -> None:
    assert moved(unknown, DOWN_IN_THE_EAST, 1) == unknown


def test_what_cannot_be_moved_teaches_nothing() -> None:
    assert example(VERDICT, complaint=True, group="a") is not None
    assert example(replace(VERDICT, grey=None), complaint=True, group="a") is None
    assert example(replace(VERDICT, embedding=b""), complaint=True, group="a") is None


def test_a_sure_verdict_is_a_finite_example() -> None:
    one = example(replace(VERDICT, complaint=1.0), complaint=True, group="a")

    assert one is not None
    assert np.isfinite(one.logit)


def test_a_stored_head_moves_as_it_did() -> None:
    chance = np.random.default_rng(1)
    examples = [
        example(
            replace(VERDICT, embedding=chance.normal(0, 1, 4).astype("<f2").tobytes()),
            complaint=number % 3 == 0,
            group=str(number),
        )
        for number in range(60)
    ]
    head = fit([one for one in examples if one is not None], [])
    stored = Head.unpacked(head.packed())
    vectors, logits = chance.normal(0, 1, (20, 4)), chance.normal(0, 1, 20)

    assert len(head.packed()) == (1 + 4) * 4
    assert stored.moved(logits, vectors) == pytest.approx(head.moved(logits, vectors), abs=1e-5)


def test_our_own_posts_beside_the_lessons_are_many_kinds_and_none_that_is_measured_on() -> None:
    posts = ours.posts()

    assert len(posts) == ours.COUNT
    assert 0.2 < sum(post.complaint for post in posts) / len(posts) < 0.8
    assert len({post.slices[0] for post in posts}) == 7
    assert len({post.slices[1] for post in posts}) > 20
    assert all(post.question.text and post.question.brand for post in posts)
    assert ours.posts(10) == posts[:10]


def test_twins_among_our_own_posts_stay_on_one_side() -> None:
    groups = {(post.text, post.thread): post.group for post in corpus.posts()}
    held = {(post.text, post.thread) for post in sets.labelled("held")}

    assert all(
        groups[post.question.text, post.question.answers] == post.group for post in ours.posts()
    )
    assert not held & {(post.question.text, post.question.answers) for post in ours.posts()}


def test_a_question_keeps_what_the_words_depend_on() -> None:
    starred = next(post for post in ours.posts() if post.question.stars is not None)

    assert isinstance(starred.question, Question)
    assert 1 <= (starred.question.stars or 0) <= 5
