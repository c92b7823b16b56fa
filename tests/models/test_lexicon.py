"""The listed words: a yardstick that anybody can follow with a finger."""

import pytest

from models.lexicon import LANGUAGES, Lexicon, heaviest
from models.verdict import Feeling, Question, Verdict


def verdict(text: str, language: str | None = None) -> Verdict:
    return Lexicon().judge([Question(text, language=language)])[0]


@pytest.mark.parametrize(
    "text",
    [
        "Still no reply to my three emails",
        "waiting since Tuesday for my order, it never arrived",
        "charged twice, I want a refund",
        "Nobody answers the phone, stay away",
        "the login doesn't work on my tablet and support never replied",
    ],
)
def test_a_complaint_without_a_word_of_feeling_is_found_by_its_pattern(text: str) -> None:
    assert verdict(text).complaint > 0.65


def test_a_negation_turns_the_word_that_follows() -> None:
    assert verdict("The food was good").feeling is Feeling.POSITIVE
    assert verdict("The food was not good").feeling is Feeling.NEGATIVE
    assert verdict("Not a single problem so far").complaint < 0.35


def test_an_intensifier_makes_a_word_weigh_more() -> None:
    assert verdict("very slow").complaint > verdict("slow").complaint
    assert verdict("slow!!!").complaint > verdict("slow").complaint


def test_what_follows_a_but_counts_more() -> None:
    turned = verdict("The staff was friendly but the room was dirty")
    redeemed = verdict("The room was dirty but the staff was friendly")

    assert turned.complaint > redeemed.complaint
    assert turned.feeling is Feeling.NEGATIVE
    assert redeemed.feeling is Feeling.POSITIVE


@pytest.mark.parametrize(
    ("language", "complaint", "praise"),
    [
        ("de", "Schrecklicher Service, das Paket ist nie angekommen", "Tolles Essen, sehr lecker"),
        ("es", "Pésimo servicio, el pedido nunca llegó", "Excelente atención, muchas gracias"),
        ("fr", "Service déplorable, jamais reçu ma commande", "Un accueil parfait, merci"),
    ],
)
def test_it_knows_some_words_of_four_languages(language: str, complaint: str, praise: str) -> None:
    assert language in LANGUAGES
    assert verdict(complaint, language).complaint > 0.65
    assert verdict(praise, language).complaint < 0.35


def test_a_text_of_unlisted_words_is_neutral() -> None:
    plain = verdict("The shop opens at nine on Monday")

    assert plain.feeling is Feeling.NEUTRAL
    assert plain.complaint < 0.35
    assert not plain.unsure


def test_one_mild_word_is_too_little_to_decide() -> None:
    mild = verdict("It was late")

    assert mild.unsure
    assert mild.why == "too close to call"


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("Nice shop, but the fish was rotten and late. Bye.", "but the fish was rotten and late"),
        ("Lovely people; terrible queue!", "terrible queue"),
        ("Parcel came on Monday.", None),
        ("", None),
    ],
)
def test_the_clause_that_complains_most_is_found(text: str, clause: str | None) -> None:
    place = heaviest(text)

    assert (place and text[slice(*place)]) == clause
