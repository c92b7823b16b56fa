"""The same complaint said again is recognised; two people with two complaints are kept apart."""

from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.likeness import (
    BANDS,
    Words,
    alike,
    fingerprints,
    is_repost,
    passing_on,
    phrases,
    plain_words,
)

COLD = (
    "Ordered the fish and chips at Acme on Friday evening, waited fifty minutes, and what came "
    "out of the bag was cold and soggy. Nobody at the counter wanted to hear about it."
)
REPOSTS = {
    "as it is": COLD,
    "with a repost mark": f"RT @ada@town.example: {COLD}",
    "via somebody": f"{COLD} via @ben",
    "with a link": f"{COLD} https://town.example/p/123",
    "shouted": COLD.upper(),
    "with other punctuation": COLD.replace(",", " -").replace(".", "!!!"),
    "on many lines": COLD.replace(" ", "\n"),
    "with a word changed": COLD.replace("Friday", "Saturday"),
}
OTHERS = [
    "Acme charged my card twice for one delivery last week and the hotline never calls back.",
    "I have been going to Acme for years, but the new store on Mill Lane is dirty and slow.",
    "Ordered groceries at Acme on Friday evening, and half of the list was missing again.",
]

words = st.text(alphabet=ascii_lowercase + digits, min_size=2, max_size=9)
texts = st.lists(words, min_size=6, max_size=40).map(" ".join)


def same(one: str, other: str, *, author: str = "ada", other_author: str = "ben") -> bool:
    """Whether the second would join the case of the first."""
    shared = set(fingerprints(one, author)) & set(fingerprints(other, other_author))
    return bool(shared) and alike(one, other)


@pytest.mark.parametrize("how", REPOSTS)
def test_a_repost_by_somebody_else_is_the_same_complaint(how: str) -> None:
    assert same(COLD, REPOSTS[how])


@pytest.mark.parametrize("other", OTHERS)
def test_another_complaint_is_another_case_even_of_the_same_author(other: str) -> None:
    assert not same(COLD, other, other_author="ada")


def test_the_beginning_alone_does_not_make_two_complaints_one() -> None:
    opening = "Ordered at Acme on Friday evening and waited fifty minutes for it, and then "
    cold = opening + "everything in the bag was cold, soggy and half of it had been forgotten."
    rude = opening + "the driver shouted at my mother, threw it on the stairs and drove away."

    assert not same(cold, rude)


@given(texts)
def test_the_same_words_always_share_every_fingerprint(text: str) -> None:
    assert fingerprints(text, "ada") == fingerprints(text, "ben")
    assert len(fingerprints(text, "ada")) == BANDS
    assert alike(text, text)


@given(st.text(), st.text())
def test_any_text_has_fingerprints_that_a_database_can_hold(text: str, author: str) -> None:
    assert all(-(2**63) <= number < 2**63 for number in fingerprints(text, author))


def test_a_short_text_is_like_another_only_when_its_author_said_it() -> None:
    assert same("Never again!", "never again", author="ada", other_author="ada")
    assert not same("Never again!", "never again", author="ada", other_author="ben")


def test_a_short_text_of_nobody_is_like_none() -> None:
    assert fingerprints("Never again!", "") == []


@pytest.mark.parametrize("text", ["", "  ", "😡😡😡", "https://town.example/a", "RT @ada", "!!!"])
def test_a_text_without_words_is_like_none(text: str) -> None:
    assert plain_words(text) == []
    assert fingerprints(text, "ada") == []


def test_two_huge_copies_are_compared_in_no_time() -> None:
    # Compared to their last letter this would take hours, inside a transaction.
    huge = [f"word{number}" for number in range(400_000)]
    copy = [word if number % 40 else f"{word}x" for number, word in enumerate(huge)]

    assert alike(" ".join(huge), " ".join(copy))
    assert not alike(" ".join(huge), " ".join(reversed(copy)))


@pytest.mark.parametrize(
    "text",
    [
        f"RT @ada: {COLD}",
        f"rt @ada@town.example {COLD}",
        f"RT ada: {COLD}",
        f'Repost from @ada: "{COLD}"',
        f'Wow. "{COLD}" via @ada',
        f"{COLD} (via @ada)",
    ],
)
def test_who_passes_on_what_another_wrote_is_told_by_the_marks_that_people_set(text: str) -> None:
    assert is_repost(text)


@pytest.mark.parametrize(
    "text",
    [
        COLD,
        f"@ada {COLD}",
        "Ordered my fish via @deliveries and it never came",
        "The cart went by itself",
        "RTL said that the fish is cold",
        "",
    ],
)
def test_words_of_ones_own_are_no_repost(text: str) -> None:
    assert not is_repost(text)


def test_who_says_it_first_tells_it_and_who_repeats_it_passes_it_on() -> None:
    said = [
        Words(1, "ada", COLD),
        Words(2, "ada", COLD),  # whoever insists passes nothing on
        Words(3, "ben", COLD.upper()),
        Words(4, "cem", f"RT @dia: {OTHERS[0]}"),
        Words(5, "dia", OTHERS[0]),
        Words(6, "eve", "Never again!"),
        Words(7, "fay", "Never again!"),  # two people need no other to say so little
    ]

    assert passing_on(map(phrases, said)) == {3, 4}


def test_who_quotes_another_passes_it_on_unless_they_tell_more_of_their_own() -> None:
    quoted = f"Saw this elsewhere, for those who are not there: “{COLD}” Shocking!"
    own = (
        "Ordered the fish and chips at Acme on Friday evening, and ours was fine, but on Sunday my "
        "son bit on a bone as long as a finger, and the hotline told us to chew more slowly."
    )
    said = [Words(1, "ada", COLD), Words(2, "ben", quoted), Words(3, "cem", own)]

    assert passing_on(map(phrases, said)) == {2}
