"""Spellings that people take for the same are the same, and their places are not lost."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from listener.domain.folding import fold, origins


@given(st.text(max_size=30))
@example("a\u0345\u0301")
@example("i\u034f\u0307\u0307\u0301")
@example("ㄱㅏ각")
@example("ｶﾞ™ŉ")
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    starts, ends = origins(text)

    assert len(starts) == len(ends) == len(fold(text))
    for start, end in set(zip(starts, ends, strict=True)):
        first, last = starts.index(start), len(ends) - ends[::-1].index(end)
        assert fold(text[start:end]) == fold(text)[first:last]


@given(st.text(st.characters(codec="ascii"), max_size=9), st.text(max_size=9))
@example("Zoe", "\u0308 I\u0307")
@example("I", "\u0307\u0307")
def test_a_stretch_of_ascii_is_folded_as_any_other(before: str, text: str) -> None:
    far = "☕\n"  # behind such a sign nothing goes the short way

    assert fold(far + before + text) == far + fold(before + text)


@given(st.text(max_size=30))
def test_capitals_and_composition_change_nothing(text: str) -> None:
    for other in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
        assert fold(other) == fold(text)
    assert fold(fold(text)) == fold(text)
