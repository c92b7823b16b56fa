"""A brand's query is read as its admin meant it, or refused with a sentence that helps."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.query import (
    And,
    Domain,
    Field,
    Filter,
    Handle,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    QueryError,
    Stars,
    Tag,
    Term,
    parse,
    registered,
)

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
A, B, C = Term("a"), Term("b"), Term("c")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("acme", Term("acme")),
        ('"acme coffee"', Phrase("acme coffee")),
        ("“acme coffee”", Phrase("acme coffee")),
        ("@acme", Handle("acme")),
        ("@acme@example.social", Handle("acme@example.social")),
        ("@acme.bsky.social", Handle("acme.bsky.social")),
        ("#acme", Tag("acme")),
        ("#アクメ", Tag("アクメ")),
        ("acme.com", Domain("acme.com")),
        ("ACME.com", Domain("acme.com")),
        ("domain:acme.co.uk", Domain("acme.co.uk")),
        ("site:acme.com", Domain("acme.com")),
        ("xn--mller-kva.de", Domain("müller.de")),
        ("acme.github.io", Domain("acme.github.io")),
        ("node.js", Term("node.js")),
        ("AT&T", Term("AT&T")),
        ("C++", Term("C++")),
        ("h&m", Term("h&m")),
        ("yahoo!", Term("yahoo!")),
        ("E*TRADE", Term("E*TRADE")),
        ("coca-cola", Term("coca-cola")),
        ("11:30", Term("11:30")),
        ("<3", Term("<3")),
        ("☕", Term("☕")),
        ("rating", Term("rating")),
    ],
)
def test_a_word_is_what_it_looks_like(written: str, read: Query) -> None:
    assert parse(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a\n\tb", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a -b", And((A, Not(B)))),
        ("a –b", And((A, Not(B)))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND NOT b", And((A, Not(B)))),
        ("a -(b OR c)", And((A, Not(Or((B, C)))))),
        ('a -"b c"', And((A, Not(Phrase("b c"))))),
        ("NOT b a", And((Not(B), A))),
        ("a NEAR/3 b c", And((Near(A, B, 3), C))),
        ("a b NEAR/0 c", And((A, Near(B, C, 0)))),
        ("a NEAR/2 (b OR c)", Near(A, Or((B, C)), 2)),
        ("a -(b NEAR/2 c)", And((A, Not(Near(B, C, 2))))),
        ("((a))", A),
        ("a (b c)", And((A, And((B, C))))),
    ],
)
def test_not_binds_tighter_than_near_than_and_than_or(written: str, read: Query) -> None:
    assert parse(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("lang:en", Filter(Field.LANGUAGE, "en")),
        ("LANG:pt_BR", Filter(Field.LANGUAGE, "pt-br")),
        ("source:reddit", Filter(Field.SOURCE, "reddit")),
        ('source:"My shop"', Filter(Field.SOURCE, "My shop")),
        ("author:@jane", Filter(Field.AUTHOR, "@jane")),
        ("kind:Review", Filter(Field.KIND, "review")),
        ("rating<=2", Stars("<=", 2.0)),
        ("rating ≤ 2", Stars("<=", 2.0)),
        ("Rating > 4.5", Stars(">", 4.5)),
        ("rating=1", Stars("=", 1.0)),
    ],
)
def test_a_filter_stands_beside_a_word(written: str, read: Query) -> None:
    assert parse(f"acme {written}") == And((Term("acme"), read))


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            "  ",
            (
                'At character 1: write what to look for: a word, a "phrase", an @handle, a #tag or a'
                " domain."
            ),
        ),
        ("a OR", "At character 3: something is missing after OR: add it, or take OR away."),
        ("OR a", "At character 1: something is missing before OR: add it, or take OR away."),
        ("a AND OR b", "At character 7: something is missing before OR: add it, or take OR away."),
        ("(a AND )", "At character 4: something is missing after AND: add it, or take AND away."),
        ("a NEAR/3", "At character 3: something is missing after NEAR: add it, or take NEAR away."),
        ("a NOT", "At character 3: something is missing after NOT: add it, or take NOT away."),
        (
            "a (",
            "At character 3: this parenthesis is never closed: add a closing one after it.",
        ),
        (
            "a)",
            "At character 2: this parenthesis closes nothing: take it away, or open one before it.",
        ),
        (
            ")a",
            "At character 1: this parenthesis closes nothing: take it away, or open one before it.",
        ),
        (
            "a ()",
            (
                "At character 3: there is nothing between these parentheses: fill them or take them"
                " away."
            ),
        ),
        (
            'a "b',
            "At character 3: this quotation mark is never closed: add another after it.",
        ),
        (
            "acme, zenith",
            "At character 5: write OR instead of , for any of the words, or a space for all.",
        ),
        ("a || b", "At character 3: write OR instead of ||."),
        ("a & b", "At character 3: write AND instead of &."),
        ("a Or b", 'At character 3: write OR in capitals, or "Or" in quotes to look for the word.'),
        (
            "a near/2 b",
            'At character 3: write NEAR/2 in capitals, or "near/2" in quotes to look for the word.',
        ),
        (
            "a NEAR b",
            "At character 3: say how many words may stand between, from NEAR/0 to NEAR/100.",
        ),
        (
            "a NEAR/101 b",
            "At character 3: say how many words may stand between, from NEAR/0 to NEAR/100.",
        ),
        (
            "a NEAR/1 b NEAR/1 c",
            (
                "At character 12: NEAR joins two places only: write a NEAR/5 b AND b NEAR/5 c for"
                " three."
            ),
        ),
        (
            "a NEAR/2 (b c)",
            (
                "At character 10: NEAR/2 needs words, phrases, @handles or #tags on both sides, or"
                " some of these joined by OR in parentheses."
            ),
        ),
        (
            "-a NEAR/2 b",
            (
                "At character 1: NEAR/2 needs words, phrases, @handles or #tags on both sides, or"
                " some of these joined by OR in parentheses."
            ),
        ),
        (
            "a - b",
            "At character 3: a minus stands directly before what it excludes, as in -jobs.",
        ),
        (
            "...",
            (
                "At character 1: there is no letter, digit or emoji to look for here: add one, or take"
                " this away."
            ),
        ),
        (
            'a ""',
            (
                "At character 3: there is no letter, digit or emoji to look for here: add one, or take"
                " this away."
            ),
        ),
        (
            "a @b.",
            (
                "At character 3: a handle is written @acme or @acme@example.social, with letters,"
                " digits, _, - and dots only."
            ),
        ),
        ("a #b-c", "At character 3: a tag is written #acme, with letters, digits and _ only."),
        (
            "a domain:b",
            (
                "At character 3: this is no domain that somebody can register: write it with its"
                " ending, as in domain:acme.com."
            ),
        ),
        (
            "site:https://www.acme.com/shop",
            "At character 1: links are compared by their registered domain: write acme.com.",
        ),
        (
            "https://acme.com",
            (
                "At character 1: write domain:acme.com for links to a site, or put the address in"
                " quotes."
            ),
        ),
        ("a lang: en", "At character 3: write the value directly after lang:"),
        (
            "a lang:english",
            "At character 3: write a language by its code, as in lang:en or lang:pt-BR.",
        ),
        (
            "a kind:tweet",
            (
                "At character 3: there is no such kind of post: choose review, post, comment, reply,"
                " article or message."
            ),
        ),
        ("a rating:2", "At character 3: compare stars, as in rating<=2."),
        ("a rating=<2", "At character 9: compare with <, <=, =, >= or >."),
        ("a rating<=6", "At character 3: stars go from 1 to 5, as in rating<=2."),
        ("a rating<=", "At character 3: stars go from 1 to 5, as in rating<=2."),
        (
            "a stars<3",
            (
                "At character 3: there is no number called stars: compare rating, as in rating<=2, or"
                " put the words in quotes."
            ),
        ),
    ],
)
def test_a_mistake_is_explained_where_it_stands(written: str, sentence: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(written)

    assert str(refusal.value) == sentence
    assert refusal.value.position + 1 == int(sentence.split(":")[0].removeprefix("At character "))


@pytest.mark.parametrize(
    ("written", "position"),
    [
        ("-jobs", 0),
        ("lang:en", 0),
        ("rating<=2 kind:review", 0),
        ("NOT NOT a", 0),
        ("acme OR lang:en", 8),
        ("acme OR (zenith OR (-b))", 19),
        ("acme OR -b OR c", 8),
    ],
)
def test_a_query_that_would_match_everything_is_refused(written: str, position: int) -> None:
    with pytest.raises(QueryError, match="would match nearly every post") as refusal:
        parse(written)

    assert refusal.value.position == position


def test_what_would_match_everything_is_fine_beside_a_name() -> None:
    query = parse("acme (zenith OR -jobs)")

    assert query == And((Term("acme"), Or((Term("zenith"), Not(Term("jobs"))))))


def test_the_pointer_shows_the_line_and_the_place() -> None:
    with pytest.raises(QueryError) as refusal:
        parse("アクメ coffee\n珈琲 (b OR\n) c")

    assert refusal.value.pointer() == "珈琲 (b OR\n        ^"


def test_the_pointer_of_a_long_query_shows_what_is_around() -> None:
    with pytest.raises(QueryError) as refusal:
        parse("acme " * 100 + "#" + " acme" * 100)

    shown, caret = refusal.value.pointer().split("\n")
    assert len(shown) == 60
    assert shown[caret.index("^")] == "#"


# S7: no rule can exhaust us, however it is built.


@pytest.mark.timeout(20)  # a bomb that goes off takes minutes
@pytest.mark.parametrize(
    ("bomb", "says"),
    [
        ("(" * 10_000 + "a" + ")" * 10_000, "at most 10,000 characters"),
        ("(" * 4_000 + "a" + ")" * 4_000, "at most 64 deep"),
        ("(" * 10_000, "at most 64 deep"),
        ("NOT " * 2_000 + "a", "at most 64 deep"),
        ("-" * 9_000 + "a", "at most 64 deep"),
        ("a" * 1_000_000, "at most 10,000 characters"),
        ("a " * 1_000_000, "at most 10,000 characters"),
        ("a " * 5_000, "at most 500 terms"),
        ("a OR " * 1_900 + "a", "at most 500 terms"),
        ("rating=1 " * 1_000 + "a", "at most 500 terms"),
        ('"' + "a " * 4_000 + '"', "at most 30 words"),
        ("a NEAR/1 " * 1_000, "joins two places only"),
        ("." * 10_000, "no letter, digit or emoji"),
        ("a." * 4_999 + "a", None),
        ("a" + "\u0301\u0316" * 4_999, None),
    ],
)
def test_a_rule_bomb_is_answered_at_once(bomb: str, says: str | None) -> None:
    if says is None:
        parse(bomb)
    else:
        with pytest.raises(QueryError, match=says) as refusal:
            parse(bomb)
        assert len(str(refusal.value)) < 200
        assert len(refusal.value.pointer()) < 200


def test_the_limits_themselves_are_allowed() -> None:
    assert parse("(" * 64 + "a" + ")" * 64) == A
    assert parse(str(parse("NOT " * 64 + "a b"))) == parse("NOT " * 64 + "a b")
    assert parse("a " * 500) == And((A,) * 500)
    assert parse("a" * 10_000) == Term("a" * 10_000)


# A query writes itself as it was read.

words = st.sampled_from(["acme", "h&m", "C++", "straße", "東京", "☕", "e\u0301", "don't", "AND1"])
leaves: st.SearchStrategy[Query] = st.one_of(
    words.map(Term),
    st.lists(words | st.sampled_from(["OR", "-", "(x)"]), min_size=1, max_size=3)
    .map(lambda several: f"acme {' '.join(several)}")
    .map(Phrase),
    st.sampled_from(["acme", "acme@example.social", "a.b-c_d"]).map(Handle),
    st.sampled_from(["acme", "アクメ", "a_1"]).map(Tag),
    st.sampled_from(["acme.com", "müller.de", "acme.co.uk", "acme.github.io"]).map(Domain),
)
filters: st.SearchStrategy[Query] = st.one_of(
    st.sampled_from(["en", "pt-br"]).map(lambda code: Filter(Field.LANGUAGE, code)),
    st.sampled_from(["reddit", "My (own) shop"]).map(lambda s: Filter(Field.SOURCE, s)),
    st.sampled_from(["@jane", "Jane Doe"]).map(lambda name: Filter(Field.AUTHOR, name)),
    st.builds(
        Stars,
        st.sampled_from(["<", "<=", "=", ">=", ">"]),
        st.integers(100, 500).map(lambda hundredths: hundredths / 100),
    ),
)
places = st.one_of(
    words.map(Term),
    st.lists(words.map(Term), min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
)
trees: st.SearchStrategy[Query] = st.recursive(
    leaves | filters | st.builds(Near, places, places, st.integers(0, 100)),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=12,
)


@given(trees)
def test_a_query_writes_itself_as_it_was_read(tree: Query) -> None:
    query = And((Term("acme"), tree))

    assert parse(str(query)) == query


fragments = st.sampled_from(
    [
        "acme",
        "b",
        "(",
        ")",
        '"',
        "“",
        " ",
        " ",
        " OR ",
        " AND ",
        "NOT ",
        "-",
        "@",
        "#",
        ",",
        "*",
        " NEAR/2 ",
        "lang:",
        "en",
        "rating",
        "<",
        "=",
        "2",
        ":",
        ".",
        "com",
        "\n",
        "'",
        "☕",
        "́",
    ]
)


def answer(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as refusal:
        return refusal


@given(st.lists(fragments, max_size=25).map("".join) | st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    said = answer(text)

    if isinstance(said, QueryError):
        assert 0 <= said.position <= len(text)
        assert str(said).startswith(f"At character {said.position + 1}: ")
        assert said.pointer().endswith("^")
    else:
        assert parse(str(said)) == said


@pytest.mark.parametrize(
    ("address", "domains"),
    [
        ("https://shop.acme.com/x?y=z", {"acme.com"}),
        ("HTTPS://USER@ACME.COM:8443", {"acme.com"}),
        ("acme.co.uk", {"acme.co.uk"}),
        ("https://acme.github.io", {"acme.github.io", "github.io"}),
        ("https://xn--mller-kva.de/", {"müller.de"}),
        ("https://127.0.0.1/", set()),
        ("http://localhost", set()),
        ("http://[acme", set()),
        ("https://xn--\udcff.example/", set()),
        ("", set()),
    ],
)
def test_a_link_belongs_to_whoever_registered_its_domain(address: str, domains: set[str]) -> None:
    assert registered(address) == domains


def test_the_page_for_admins_tells_what_is_refused() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (At character .+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) >= 5

    for written, sentence in rows:
        with pytest.raises(QueryError) as refusal:
            parse(written)
        assert str(refusal.value) == sentence
