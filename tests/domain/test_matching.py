"""A post is a mention of exactly the brands it names, in whatever script and spelling."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.kit.contract import Attachment, Author, Kind, Post, Rating
from listener.domain.matching import Match, Matcher, TextSpan, is_own
from listener.domain.query import parse

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
BRAND = 7


def post(text: str, **more: object) -> Post:
    plain = Post(
        id="1", url="https://example.org/1", text=text, published=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def names(query: str, text: str | Post) -> bool:
    found = Matcher({BRAND: parse(query)}).match(post(text) if isinstance(text, str) else text)
    return bool(found)


def marked(query: str, text: str, **more: object) -> list[str]:
    """The words of the post that are marked, titles first."""
    seen = post(text, **more)
    (match,) = Matcher({BRAND: parse(query)}).match(seen)
    return [(getattr(seen, span.field))[span.start : span.end] for span in match.spans]


# Words and their borders.


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("acme", "ACME"),
        ("acme", "so, Acme: why?"),
        ("acme", "Acme's fault"),
        ("acme", "Acme’s fault"),
        ("acme", "“Acme”"),
        ("acme", "#acme and @acme"),
        ("acme", "Acme™"),
        ("acme", "Acme® shops"),
        ("acme", "Ac\u00adme"),
        ("acme", "ＡＣＭＥ"),
        ("acme", "\u200facme\u200f"),
        ("acme", "私のacmeは"),
        ("acme", "love☕acme☕"),
        ("acme", "acme\u200d"),
        ("McDonald's", "McDonald’s"),
        ("coca-cola", "Coca‑Cola and Coca–Cola"),
        ("straße", "STRASSE"),
        ("strasse", "Straße"),
        ("istanbul", "İSTANBUL"),
        ("İstanbul", "istanbul"),
        ("yapı", "YAPI KREDİ"),
        ("café", "CAFE\u0301"),
        ("cafe\u0301", "Café"),
        ("ﬁnn", "FINN"),
        ("AT&T", "the at&t store"),
        ("C++", "modern C++."),
        ("yahoo!", "Yahoo! mail"),
        ("h&m", "(H&M)"),
        (".net", "in .NET"),
        ("Inc.", "Acme Inc"),
        ("אקמה", "קניתי (אקמה) אתמול"),
        ("أكمي", "شكرا أكمي!"),
        ("東京", "新東京駅"),
        ("アクメ", "xアクメy"),
        ("กาแฟ", "ร้านกาแฟดี"),
        ("삼성", "삼성은 느리다"),
        ("☕", "more☕please"),
        ("☕", "☕️"),
        ("👍", "👍🏽"),
        ("👍🏽", "👍🏽acme"),
        ("👩‍🍳", "the 👩‍🍳!"),
        ('"acme coffee"', "acme -- coffee"),
        ('"acme coffee"', "Acme®Coffee"),
        ('"acme, coffee"', "acme coffee"),
        ('"東京 コーヒー"', "東京コーヒー"),
        ('"acme ☕"', "acme☕"),
        ('"acme 👩"', "acme 👩‍🍳 👩"),
    ],
)
def test_a_word_is_found_however_it_is_written(query: str, text: str) -> None:
    assert names(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("acme", "pacme acmes acme2 acme_ _acme"),
        ("acme", "acm\u00e9 acme\u0301"),
        ("acme", "acme\u0335"),
        ("\u0335x", "京\u0335x"),
        ("acme", "acme\u200d☕"),
        ("acme", "macmeß"),
        ("אקמה", "באקמה"),
        ("أكمي", "وأكمي"),
        ("C++", "C++x"),
        (".net", "asp.net"),
        ("yahoo!", "yahoo answers"),
        ("ก", "กิ"),
        ("☕", "☕\u200d🍳"),
        ("👩", "👩‍🍳 👩🏽‍🍳"),
        ("🍳", "👩‍🍳 👩🏽‍🍳"),
        ('"acme coffee"', "acmecoffee"),
        ('"acme coffee"', "acme x coffee"),
        ('"acme coffee"', "acme coffees"),
        ('"acme coffee"', "coffee acme"),
        ('"acme coffee"', "acme" + "." * 100 + "coffee"),
    ],
)
def test_a_part_of_a_longer_word_is_another_word(query: str, text: str) -> None:
    assert not names(query, text)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("@acme", "hi @ACME!", True),
        ("@acme", "hi @acme.", True),
        ("@acme", "hi @acme...what", True),
        ("@acme", "hi @acme's shop", True),
        ("@acme", "hi @acmeさん", True),
        ("@acme", "hi @acme.さん", True),
        ("@acme", "問い@acme", True),
        ("@acme", "@acme@example.social", True),
        ("@acme@example.social", "@Acme@example.social", True),
        ("@acme@example.social", "@acme@example.social.evil.example", False),
        ("@acme", "acme", False),
        ("@acme", "@acme_de", False),
        ("@acme", "@acme-de", False),
        ("@acme", "@acme.de", False),
        ("@acme", "x@acme", False),
        ("#acme", "no #Acme.", True),
        ("#acme", "no #acme-fail", True),
        ("#acme", "＃acme", True),
        ("#acme", "acme", False),
        ("#acme", "#acmefail", False),
        ("#acme", "#acme最高", False),
        ("#アクメ", "#アクメ 最高", True),
        ("#アクメ", "#アクメ最高", False),
        ("#acme", "https://example.org/x#acme", False),
    ],
)
def test_a_handle_and_a_tag_are_found_whole(query: str, text: str, *, found: bool) -> None:
    assert names(query, text) is found


# Boolean, near, filters, links.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a x y z b", True),
        ("b x y z a", True),
        ("a w x y z b", False),
        ("a w x y z b x a", True),
        ("a, it's don't o'clock b", True),
        ("a b", True),
        ("a", False),
        ("a 東京駅 b", True),
        ("a 東京駅前 b", False),
        ("a 東x京y b", False),
    ],
)
def test_near_counts_the_words_between(text: str, *, found: bool) -> None:
    assert names("a NEAR/3 b", text) is found


def test_a_post_may_match_by_what_it_lacks_beside_a_name() -> None:
    assert names("a (zenith OR lang:en)", post("a", language="en"))
    assert names("a (zenith OR -jobs)", "a")
    assert not names("a (zenith OR -jobs)", "a jobs")


def test_near_needs_two_different_places() -> None:
    assert not names("acme NEAR/5 acme", "acme")
    assert names("acme NEAR/5 acme", "acme acme")
    assert not names('acme NEAR/5 "acme coffee"', "acme coffee")


def test_the_title_and_the_text_are_one_post_but_not_one_sentence() -> None:
    seen = post("coffee is cold", title="Acme")

    assert names("acme coffee", seen)
    assert not names('"acme coffee"', seen)
    assert not names("acme NEAR/5 coffee", seen)


@pytest.mark.parametrize(
    ("filters", "more", "found"),
    [
        ("lang:en", {"language": "en-US"}, True),
        ("lang:en", {"language": "EN_us"}, True),
        ("lang:en", {"language": "enm"}, False),
        ("lang:pt-BR", {"language": "pt"}, False),
        ("lang:en", {}, False),
        ("-lang:en", {}, True),
        ("rating<=2", {"rating": Rating(3, 0, 10)}, False),
        ("rating<=2.2", {"rating": Rating(3, 0, 10)}, True),
        ("rating=5", {"rating": Rating(1, 0, 1)}, True),
        ("rating<2", {"rating": Rating(2)}, False),
        ("rating>=2", {"rating": Rating(2)}, True),
        ("rating>2", {"rating": Rating(2)}, False),
        ("rating>=1", {}, False),
        ("kind:review", {"kind": Kind.REVIEW}, True),
        ("kind:review", {}, False),
        ("source:reddit", {}, True),
        ('source:"MY SHOP"', {}, True),
        ("source:bluesky", {}, False),
        ("author:jane", {"author": Author(handle="Jane")}, True),
        ("author:@jane", {"author": Author(handle="jane")}, True),
        ('author:"jane doe"', {"author": Author(name="Jane Doe")}, True),
        ("author:u-77", {"author": Author(id="u-77")}, True),
        ("author:jan", {"author": Author(handle="jane")}, False),
        ("author:jane", {}, False),
    ],
)
def test_a_filter_looks_at_what_the_place_says(
    filters: str, more: dict[str, object], *, found: bool
) -> None:
    matcher = Matcher({BRAND: parse(f"acme {filters}")})

    matches = matcher.match(post("acme", **more), source="My shop", connector="reddit")

    assert bool(matches) is found


def test_a_domain_is_that_of_a_link_and_never_words() -> None:
    assert names("acme.com", post("look", links=("https://shop.acme.com/",)))
    assert names("acme.com", post("look", attachments=(Attachment("https://acme.com/card"),)))
    assert not names(
        "acme.com", post("look", attachments=(Attachment("https://acme.com/x.png", "image"),))
    )
    assert not names("acme.com", post("acme.com https://acme.com"))
    assert not names("acme.com", post("look", links=("https://acme.com.evil.example/", "http://[")))
    assert names("-acme.com acme", post("acme", links=("https://zenith.com",)))
    assert not names("-acme.com acme", post("acme", links=("https://acme.com",)))


def test_half_characters_from_bad_json_break_nothing() -> None:
    assert names("acme", "\ud83d acme \udc00")
    assert marked("acme", "\ud83d acme") == ["acme"]


# What is marked, and for whom.


def test_the_words_that_name_the_brand_are_marked_in_the_original() -> None:
    assert marked('acme OR "money back" -jobs', "ﬃ İ ACME’s money--back", title="On Acme") == [
        "Acme",
        "ACME",
        "money--back",
    ]
    assert marked("straße", "die STRASSE, die Straße") == ["STRASSE", "Straße"]
    assert marked("café", "㌀ cafe\u0301!") == ["cafe\u0301"]
    assert marked("가", "ᄀ\u1161") == ["ᄀ\u1161"]
    assert marked('acme OR "acme coffee"', "acme coffee") == ["acme coffee"]
    assert marked("apple NEAR/1 (pie OR phone)", "apple pie; a long way off an apple") == [
        "apple",
        "pie",
    ]


def test_a_link_names_a_brand_without_words_to_mark() -> None:
    found = Matcher({BRAND: parse("acme.com")}).match(post("look", links=("https://acme.com",)))

    assert found == [Match(BRAND, ())]


def test_each_brand_is_found_for_itself_in_the_order_given() -> None:
    matcher = Matcher({3: parse("zenith"), 1: parse("acme"), 2: parse("acme -zenith")})

    found = matcher.match(post("Acme beats Zenith"))

    assert found == [
        Match(3, (TextSpan("text", 11, 17),)),
        Match(1, (TextSpan("text", 0, 4),)),
    ]


def test_many_posts_are_matched_at_once_and_only_mentions_remain() -> None:
    matcher = Matcher({BRAND: parse("acme source:reddit")})
    posts = [post("acme"), post("nothing"), post("Ω acme")]

    found = matcher.matches(posts, connector="reddit")

    assert [(seen.text, [match.brand for match in matches]) for seen, matches in found] == [
        ("acme", [BRAND]),
        ("Ω acme", [BRAND]),
    ]
    assert matcher.matches(posts, connector="bluesky") == []


def test_without_brands_nothing_is_a_mention() -> None:
    assert Matcher({}).match(post("acme", links=("https://acme.com",))) == []


@pytest.mark.timeout(20)  # each of these would take minutes where a step is not linear
@pytest.mark.parametrize(
    "text",
    [
        "acme " * 20_000,
        "☕" * 50_000,
        "a" + "\u0301\u0316" * 150_000 + " acme",
        "acme" + "\u200d" * 50_000,
        "👍" + "🏽" * 50_000,
        "acme" + " \u0301" * 50_000,
        "é" * 100_000,
    ],
)
def test_a_hostile_post_costs_no_more_than_its_length(text: str) -> None:
    queries = ["acme NEAR/3 acme", '"☕ acme ☕"', '"acme acme acme"', "👍 OR é OR (a NEAR/1 acme)"]
    matcher = Matcher({number: parse(query) for number, query in enumerate(queries)})

    matcher.match(post(text))


# Own accounts.


@pytest.mark.parametrize(
    ("handle", "author", "own"),
    [
        ("acme", Author(handle="Acme"), True),
        ("@acme", Author(handle="acme"), True),
        (" @ACME ", Author(handle="acme"), True),
        ("acme@example.social", Author(handle="acme@example.social"), True),
        ("@acme@example.social", Author(handle="acme", url="https://example.social/@acme"), True),
        ("acme", Author(handle="acme@evil.example"), False),
        ("acme@example.social", Author(handle="acme", url="https://evil.example/@acme"), False),
        ("https://example.social/@acme", Author(url="http://www.example.social/@acme/"), True),
        ("https://example.social/@acme", Author(url="https://example.social/@acme2"), False),
        ("https://[acme", Author(url="https://[acme"), False),
        ("did:plc:abc", Author(id="did:plc:abc", handle="x"), True),
        ("acme", Author(name="Acme"), False),
        ("zenith", Author(ours=True), True),
        ("", Author(), False),
        ("@", Author(), False),
    ],
)
def test_a_post_is_our_own_when_our_account_wrote_it(
    handle: str, author: Author, *, own: bool
) -> None:
    assert is_own(post("acme", author=author), [handle]) is own


def test_without_own_accounts_only_the_connector_knows() -> None:
    assert not is_own(post("acme", author=Author(id="1", handle="acme")), [])


# The page for admins.


def examples(column: str) -> list[Post]:
    return [on_the_page(words) for words in re.findall(r"`([^`]+)`", column)]


def on_the_page(words: str) -> Post:
    """A post as the page writes it: what the place says in brackets, then title or text."""
    says, text = re.fullmatch(r"(?:\[(.+)\] )?(.*)", words, re.DOTALL).groups()  # type: ignore[union-attr]
    read: dict[str, Callable[[str], dict[str, object]]] = {
        r"([a-z]{2}(?:-[A-Z]{2})?)": lambda code: {"language": code},
        r"(\d) stars": lambda stars: {"rating": Rating(float(stars))},
        r"by (.+)": lambda name: {"author": Author(name=name, handle=name)},
        r"(review|comment)": lambda kind: {"kind": Kind(kind)},
    }
    more: dict[str, object] = {}
    for pattern, shape in read.items():
        if found := re.fullmatch(pattern, says or ""):
            more = shape(found[1])
    return post(text, links=tuple(re.findall(r"<(http[^>]+)>", text)), **more)


def rows() -> list[tuple[str, str, str]]:
    table = re.compile(r"^\| `([^`]+)` \| (`.+`) \| (`.+`) \|$", re.MULTILINE)
    return table.findall(PAGE.read_text())


def test_the_page_for_admins_has_its_examples() -> None:
    assert len(rows()) >= 30


@pytest.mark.parametrize(("query", "finds", "leaves"), rows())
def test_the_page_for_admins_is_true(query: str, finds: str, leaves: str) -> None:
    matcher = Matcher({BRAND: parse(query)})

    def found(column: str) -> list[bool]:
        sources = re.findall(r"`(?:\[from (.+?)\] )?[^`]*`", column)
        return [
            bool(matcher.match(seen, source=source))
            for seen, source in zip(examples(column), sources, strict=True)
        ]

    assert all(found(finds))
    assert not any(found(leaves))


def test_the_query_on_top_of_the_page_is_one() -> None:
    (query,) = re.findall(r"```\n(.+)\n```", PAGE.read_text())

    assert names(query, "the Acme Coffee on Main Street")
    assert not names(query, "Acme Coffee jobs")
