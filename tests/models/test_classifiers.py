"""What every model promises, whatever runs it, and what the ones we ship know besides."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.classifier import Classifier
from models.verdict import Feeling, Question, Verdict

COMPLAINTS = (
    "My parcel never arrived and nobody answers my emails. Terrible service!",
    "Worst airline ever. Three hours on hold and then they hung up on me.",
    "The app keeps crashing since the update, it is completely useless now.",
    "I want my money back, this phone broke after two days.",
    "Still no refund after six weeks. This is unacceptable.",
    "Rude staff, cold food and a dirty table. Awful, we will never come back.",
)
PRAISE = (
    "I love this phone, the camera is fantastic!",
    "Great service, very friendly staff, thank you so much!",
    "Best coffee in town, highly recommended.",
    "The delivery was quick and everything works perfectly.",
    "Amazing support, they solved my problem within minutes. Thanks!",
)
NEUTRAL = (
    "The shop opens at nine on Monday.",
    "Flight 402 to Vienna leaves from gate B12.",
    "ok",
    "https://example.org/a",
)
ODD = {
    "nothing": "",
    "only spaces": " \n\t\u00a0",
    "NUL": "broken \0 again",
    "only NUL": "\0",
    "a lone surrogate": "half an emoji \ud83d here",
    "emoji only": "😡🤬👎",
    "a keycap and a flag": "1️⃣ 🇦🇹",
    "one endless word": "a" * 100_000,
    "endless words": "late again " * 9_100,
    "endless emoji": "😡" * 25_000,
    "endless escapes": "&amp;" * 20_000,
    "endless names": "@a" * 50_000,
    "marks only": "?!?!?!",
    "special pieces": "[CLS] [SEP] [PAD] [MASK] [UNK]",
}
ALL = tuple(Question(text) for text in (*COMPLAINTS, *PRAISE, *NEUTRAL, *ODD.values()))


def same(one: Verdict, other: Verdict) -> bool:
    """Whether two verdicts say the same, but for the last digits."""
    return (one.feeling, one.unsure, one.language, one.why, one.model) == (
        other.feeling,
        other.unsure,
        other.language,
        other.why,
        other.model,
    ) and max(abs(one.complaint - other.complaint), abs(one.confidence - other.confidence)) < 1e-4


def test_asked_nothing_it_says_nothing(classifier: Classifier) -> None:
    assert classifier.judge([]) == []


def test_a_verdict_does_not_depend_on_the_company_it_is_asked_in(classifier: Classifier) -> None:
    alone = {question: classifier.judge([question])[0] for question in ALL}

    for crowd in (ALL, ALL[::-1], (*ALL[7:], *ALL, *ALL[3::4])):
        verdicts = classifier.judge(crowd)

        assert len(verdicts) == len(crowd)
        for question, verdict in zip(crowd, verdicts, strict=True):
            assert same(verdict, alone[question])


def test_different_texts_get_different_verdicts(classifier: Classifier) -> None:
    """Or the promise above would be cheap to keep."""
    verdicts = classifier.judge([Question(text) for text in (*COMPLAINTS, *PRAISE)])

    assert len({round(verdict.complaint, 3) for verdict in verdicts}) > 5


def test_several_threads_may_ask_at_once(classifier: Classifier) -> None:
    questions = ALL[:15]
    expected = classifier.judge(questions)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: classifier.judge(questions), range(8)))

    assert all(
        same(verdict, before)
        for verdicts in answers
        for verdict, before in zip(verdicts, expected, strict=True)
    )


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_text_gets_a_verdict_like_any_other(classifier: Classifier, kind: str) -> None:
    (verdict,) = classifier.judge([Question(ODD[kind])])

    assert 0 <= verdict.complaint <= 1
    assert 0 <= verdict.confidence <= 1
    assert verdict.model == classifier.name
    assert bool(verdict.why) == verdict.unsure


@pytest.mark.parametrize("kind", ["nothing", "only spaces", "only NUL"])
def test_where_there_is_no_text_nothing_is_claimed(classifier: Classifier, kind: str) -> None:
    (verdict,) = classifier.judge([Question(ODD[kind], language="en")])

    assert verdict.unsure
    assert verdict.complaint == 0.5
    assert verdict.confidence == 0
    assert verdict.why == "there is no text to judge"


@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_plain_complaint_is_found(shipped: Classifier, text: str) -> None:
    (verdict,) = shipped.judge([Question(text)])

    assert verdict.complaint > 0.65
    assert verdict.feeling is Feeling.NEGATIVE
    assert not verdict.unsure


@pytest.mark.parametrize("text", PRAISE)
def test_plain_praise_is_no_complaint(shipped: Classifier, text: str) -> None:
    (verdict,) = shipped.judge([Question(text)])

    assert verdict.complaint < 0.35
    assert verdict.feeling is Feeling.POSITIVE
    assert not verdict.unsure


@pytest.mark.parametrize(
    "question",
    [
        Question("Поезд снова опоздал, отвратительный сервис"),
        Question("配送が遅すぎる。二度と買わない。"),
        Question("Palvelu oli aivan kamalaa, en suosittele kenellekään", language="fi"),
    ],
)
def test_a_language_it_does_not_know_is_never_judged_with_confidence(
    classifier: Classifier, question: Question
) -> None:
    (verdict,) = classifier.judge([question])

    assert verdict.unsure
    assert verdict.why.startswith("written in ")
    assert 0.35 <= verdict.complaint <= 0.65
    assert verdict.confidence <= 0.31
