"""Whatever somebody types is looked for, in every script, and nothing can go wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.words import Phrase, asked, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The fish, I'd say: COLD!", ["the", "fish", "i", "d", "say", "cold"]),
        ("Café ÇA naïve Ångström", ["cafe", "ca", "naive", "angstrom"]),
        ("寿司が冷たい。Acmeの", ["寿", "司", "が", "冷", "た", "い", "acme", "の"]),
        ("치킨은", ["치", "킨", "은"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("İstanbul'da Acme™", ["istanbul", "da", "acme"]),
        ("foo_bar v2 12,50 € 🎉", ["foo", "bar", "v2", "12", "50"]),
        ("", []),
    ],
)
def test_words_are_found_in_every_script(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("typed", "phrases"),
    [
        ("cold fish ", [Phrase(("cold",)), Phrase(("fish",))]),
        ("cold fis", [Phrase(("cold",)), Phrase(("fis",), begins=True)]),
        ('"cold fish" soggy', [Phrase(("cold", "fish")), Phrase(("soggy",), begins=True)]),
        ('"never closed', [Phrase(("never", "closed"))]),
        ("„kalter Fisch“", [Phrase(("kalter", "fisch"))]),
        ("don't ", [Phrase(("don", "t"))]),
        ("a", [Phrase(("a",))]),
        ('"" ) OR * :', [Phrase(("or",))]),
        ("!!!", []),
    ],
)
def test_a_search_is_words_phrases_and_a_last_word_not_yet_ended(
    typed: str, phrases: list[Phrase]
) -> None:
    assert asked(typed) == phrases


@given(st.text())
def test_no_word_can_be_taken_for_a_sign_of_a_database(typed: str) -> None:
    for phrase in asked(typed):
        assert phrase.words
        for word in phrase.words:
            assert not set(word) & set(" '\"\\*&|!()<>:-\0\ue000")
