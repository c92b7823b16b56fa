"""The matcher finds what a slow and simple one finds, which was written independently of it.

The simple one cuts a text into units (a word, a character of an unspaced script, an emoji, a
sign, a space) and compares lists of them.
"""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Post
from listener.domain.folding import fold
from listener.domain.matching import Matcher
from listener.domain.query import And, Near, Not, Or, Phrase, Query, Term

BRAND = 7


def post(text: str, title: str | None = None) -> Post:
    published = datetime(2026, 1, 1, tzinfo=UTC)
    return Post(id="1", url="https://example.org/1", text=text, title=title, published=published)


UNSPACED = ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL", "THAI")

SKINS = "🏻🏼🏽🏾🏿"


def is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LN" or sign == "_"


def runs_on(sign: str) -> bool:
    return is_letter(sign) and not unicodedata.name(sign, "").startswith(UNSPACED)


def units(folded: str) -> list[str]:
    """The text, cut up."""
    cut = [""]
    for position, sign in enumerate(folded):
        last = cut[-1]
        if last and belongs(last, sign, folded[position + 1 : position + 2]):
            cut[-1] += sign
        else:
            cut.append(sign)
    return cut[1:]


def belongs(last: str, sign: str, following: str) -> bool:
    """Whether a sign goes on with the unit before it."""
    if last.isspace() or sign.isspace():
        return False
    end = "".join(one for one in last if unicodedata.category(one)[0] != "M")[-1:] or "."
    if unicodedata.category(sign)[0] == "M":
        return last[-1] != "\u200d"
    if sign == "\u200d":
        return joins(end) and joins(following)
    if last[-1] == "\u200d":
        return len(last) > 1 and joins(sign)
    if sign in SKINS:
        return joins(end)
    return runs_on(end) and runs_on(sign)


def joins(sign: str) -> bool:
    return bool(sign) and (is_letter(sign) or sign in SKINS or unicodedata.category(sign) == "So")


def stands(phrase: list[list[str]], text: list[str], at: int) -> bool:
    """Whether these words begin at this unit, with nothing but signs between them."""
    first, *others = phrase
    if text[at : at + len(first)] != first:
        return False
    if not others:
        return True
    at += len(first)
    while not stands(others, text, at):
        if at >= len(text) or any(map(is_letter, text[at])):
            return False
        at += 1
    return True


def spots(query: Query, text: list[str]) -> Iterator[tuple[int, int]]:
    match query:
        case Term(words) | Phrase(words):
            phrase = [units(word) for word in fold(words).split()]
            for at in range(len(text)):
                if stands(phrase, text, at):
                    yield at, at + len(phrase[0])
        case Or(parts):
            for part in parts:
                yield from spots(part, text)
        case _:
            raise AssertionError(query)


def slowly(query: Query, texts: list[list[str]]) -> bool:
    match query:
        case And(parts):
            return all(slowly(part, texts) for part in parts)
        case Or(parts):
            return any(slowly(part, texts) for part in parts)
        case Not(part):
            return not slowly(part, texts)
        case Near(left, right, words):
            return any(
                sum(any(map(is_letter, unit)) for unit in text[min(e, f) : max(s, t)]) <= words
                for text in texts
                for s, e in spots(left, text)
                for t, f in spots(right, text)
                if e <= t or f <= s
            )
        case _:
            return any(True for text in texts for _ in spots(query, text))


WORDS = ["acme", "ACME", "ß", "ss", "Straße", "strasse", "İi", "ii", "ı", "é", "e\u0301", "e", "x2"]
WORDS += [
    "שלום",
    "אקמה",
    "أكمي",
    "東京",
    "京",
    "あ",
    "アクメ",
    "กาแฟ",
    "กิ",
    "ก",
    "한국",
    "각",
    "한",
    "_",
]
EMOJI = ["☕", "👩‍🍳", "👩", "🍳", "👩🏽‍🍳", "👍🏽"]
SIGNS = [" ", " ", " ", ".", "-", "'", "#", "@", "™", "\n", "\u200f", "。"]
STRAYS = ["\u0301", "\u0307", "\u200d", "\ufe0f", "\u00ad", "\u3099"]

texts = st.lists(st.sampled_from(WORDS + EMOJI + SIGNS + STRAYS), max_size=12).map("".join)
terms = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map("".join)
signed = st.builds("{}{}{}".format, terms, st.sampled_from(["&", "-", "'", "."]), terms)
literals: st.SearchStrategy[Query] = st.one_of(
    terms.map(Term),
    signed.map(Term),
    st.sampled_from(EMOJI).map(Term),
    st.lists(terms | st.sampled_from(EMOJI), min_size=2, max_size=3).map(" ".join).map(Phrase),
)


def booleans(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(And), parts.map(Or), inner.map(Not))


def agrees(query: Query, title: str, text: str) -> None:
    found = Matcher({1: query}).match(post(text, title=title or None))

    assert bool(found) is slowly(query, [units(fold(title)), units(fold(text))])


@given(literals, texts, texts)
def test_words_are_found_where_a_simple_matcher_finds_them(
    query: Query, title: str, text: str
) -> None:
    agrees(query, title, text)


@given(st.data())
def test_words_are_found_when_they_are_there(data: st.DataObject) -> None:
    query = data.draw(literals)
    assert isinstance(query, Term | Phrase)
    text = data.draw(texts) + data.draw(st.sampled_from(SIGNS)) + query.text + data.draw(texts)

    agrees(query, "", text)


@given(terms, st.recursive(terms.map(Term), booleans, max_leaves=6), texts, texts)
def test_and_or_not_mean_what_they_say(name: str, tree: Query, title: str, text: str) -> None:
    agrees(And((Term(name), tree)), title, text)


plain = st.sampled_from(["a", "b", "c", "Straße", "שלום", "京"])
near = st.one_of(
    plain.map(Term),
    st.tuples(plain.map(Term), plain.map(Term)).map(Or),
)


@given(
    near, near, st.integers(0, 4), st.lists(plain | st.sampled_from(["x", "y", "."]), max_size=10)
)
def test_near_means_what_it_says(left: Query, right: Query, words: int, text: list[str]) -> None:
    agrees(Near(left, right, words), "a x", " ".join(text))


@given(st.lists(literals, min_size=1, max_size=6), texts, texts)
def test_brands_do_not_disturb_each_other(queries: list[Query], title: str, text: str) -> None:
    seen = post(text, title=title)

    together = Matcher(dict(enumerate(queries))).match(seen)

    alone = [Matcher({number: query}).match(seen) for number, query in enumerate(queries)]
    assert together == [match for matches in alone for match in matches]


@given(terms, texts, texts)
def test_what_is_marked_says_the_word(word: str, title: str, text: str) -> None:
    seen = post(f"{text} {word}", title=title)

    for match in Matcher({BRAND: Term(word)}).match(seen):
        ends: dict[str, int] = {}
        for span in match.spans:
            original = getattr(seen, span.field)
            assert ends.get(span.field, 0) <= span.start < span.end <= len(original)
            assert fold(word) in fold(original[span.start : span.end])
            ends[span.field] = span.end
