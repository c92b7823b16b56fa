"""The probabilities of somebody else's model become a verdict in our words."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import weighing
from models.errors import BrokenModel
from models.labels import Meaning
from models.verdict import Feeling, Question, Verdict
from models.weighing import Shares

COMPLAINT, NEGATIVE, NEUTRAL, POSITIVE = Meaning


PARCEL = Question("a parcel", language="en")


def verdict(
    shares: Shares,
    question: Question = PARCEL,
    languages: frozenset[str] | None = None,
) -> Verdict:
    (found,) = weighing.judge([question], lambda _: [shares], name="m 1", languages=languages)
    return found


def test_a_negative_feeling_counts_as_a_complaint_where_a_model_knows_none() -> None:
    found = verdict({NEGATIVE: 0.8, NEUTRAL: 0.15, POSITIVE: 0.05})

    assert (found.complaint, found.feeling, found.confidence) == (0.8, Feeling.NEGATIVE, 0.8)
    assert not found.unsure
    assert found.model == "m 1"


def test_a_model_that_knows_complaints_may_find_sadness_without_one() -> None:
    found = verdict({COMPLAINT: 0.1, NEGATIVE: 0.7, NEUTRAL: 0.2})

    assert found.complaint == 0.1
    assert found.feeling is Feeling.NEGATIVE
    assert found.confidence == pytest.approx(0.8)


def test_a_model_may_know_nothing_but_complaints() -> None:
    assert verdict({COMPLAINT: 0.9, NEUTRAL: 0.1}).feeling is Feeling.NEGATIVE
    assert verdict({COMPLAINT: 0.1, NEUTRAL: 0.9}).feeling is Feeling.NEUTRAL


def test_labels_that_mean_the_same_are_added_up() -> None:
    mapped = {"1": NEGATIVE, "2": NEGATIVE, "3": NEUTRAL, "4": POSITIVE, "5": POSITIVE}

    found = weighing.shares("'m'", {"5": 0.5, "1": 0.1, "2": 0.2, "3": 0.15, "4": 0.05}, mapped)

    assert found == pytest.approx({NEGATIVE: 0.3, NEUTRAL: 0.15, POSITIVE: 0.55})


@pytest.mark.parametrize("complaint", [0.35, 0.5, 0.65])
def test_what_is_too_close_to_call_is_left_to_people(complaint: float) -> None:
    found = verdict({NEGATIVE: complaint, NEUTRAL: 1 - complaint})

    assert found.unsure
    assert found.why == "too close to call"


def test_a_language_that_was_not_declared_is_left_to_people() -> None:
    dutch = Question("verschrikkelijk", language="nl")
    sure = {NEGATIVE: 0.99, NEUTRAL: 0.01}

    assert not verdict(sure, dutch).unsure
    assert not verdict(sure, dutch, frozenset({"nl", "en"})).unsure
    found = verdict(sure, dutch, frozenset({"en"}))
    assert found.unsure
    assert found.why == "written in Dutch, which this model has not learnt"
    assert found.complaint == pytest.approx(0.647)


def test_a_model_is_asked_once_about_texts_that_read_the_same() -> None:
    asked: list[str] = []

    def ask(texts: Sequence[str]) -> list[Shares]:
        asked.extend(texts)
        return [{NEGATIVE: 0.1 if text == "fine" else 0.9, NEUTRAL: 0.1} for text in texts]

    found = weighing.judge(
        [Question(text) for text in ("see https://a.example", "fine", "", "see https://b.example")],
        ask,
        name="m",
        languages=None,
    )

    assert asked == ["see http", "fine"]
    assert [one.complaint for one in found] == [0.9, 0.1, 0.5, 0.9]


def test_a_model_is_not_asked_when_there_is_nothing_to_ask() -> None:
    def ask(texts: Sequence[str]) -> list[Shares]:
        raise AssertionError(texts)

    assert weighing.judge([], ask, name="m", languages=None) == []
    (found,) = weighing.judge([Question(" ")], ask, name="m", languages=None)
    assert found.why == "there is no text to judge"


@pytest.mark.parametrize(
    ("one", "other", "sum"),
    [(0.9, 0.8, "1.70"), (0.4, 0.4, "0.80"), (1.5, -0.5, "1.00"), (math.nan, 0.5, "nan")],
)
def test_scores_that_are_no_probabilities_are_not_believed(
    one: float,
    other: float,
    sum: str,  # noqa: A002 - what stands in the sentence
) -> None:
    with pytest.raises(BrokenModel) as refused:
        weighing.shares("'m'", {"bad": one, "fine": other}, {"bad": NEGATIVE, "fine": NEUTRAL})

    assert str(refused.value) == (
        "The model 'm' gives its labels scores that are not probabilities (they add up to "
        f"{sum} instead of 1). Listener needs a model that chooses one label for each text: "
        "choose another."
    )


@given(
    st.dictionaries(st.sampled_from(Meaning), st.floats(0.01, 1), min_size=2),
    st.sampled_from([None, frozenset({"en"}), frozenset({"de"})]),
)
def test_whatever_a_model_says_the_verdict_is_whole(
    raw: dict[Meaning, float], languages: frozenset[str] | None
) -> None:
    total = sum(raw.values())
    scores = {meaning.value: share / total for meaning, share in raw.items()}
    shares = weighing.shares("'m'", scores, {meaning.value: meaning for meaning in Meaning})

    found = verdict(shares, languages=languages)

    assert 0 <= found.complaint <= 1
    assert 0 <= found.confidence <= 1
    assert bool(found.why) == found.unsure
