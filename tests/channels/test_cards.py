"""A card holds whatever a stranger has written, and obeys none of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.channels import cards
from listener.channels.contract import Telling
from listener.domain.card import Folded
from listener.domain.case import Status
from listener.domain.event import What
from tests.given import OPENED
from tests.slack_blocks import faults, marked_up
from tests.slack_double import PING
from tests.world import NOON

HOME = "https://listener.example"
HOSTILE = [
    "<!channel> <!here> <!everyone> <!subteam^S01>",
    "<@U01ABCDEF> and <#C01ABCDEF>",
    "<https://evil.example|your bank>",
    "<mailto:a@evil.example|mail>",
    "https://evil.example/login is where to go",
    "*bold* _italic_ ~struck~ `code` ```block```",
    "&lt;!channel&gt; &amp;lt;!here&amp;gt;",
    "> quoted\n>>> all of it",
    "\u202egnihtemos\u2066 <\u200b!channel>",
    '{"type": "section"}',
    "\x00\x07\ud800",
    "&" * 3_000,
    "<" * 3_000,
    "😡" * 3_000,
]


def everywhere(words: str) -> Telling:
    """A case with these words wherever somebody outside, or an admin, could have put them."""
    return replace(
        OPENED,
        quote=words,
        author=words,
        source=words,
        connector=words,
        brand=words,
        owner=words,
        reasons=(words, words),
        url=words,
        stars=1.0,
        reach=9_000,
        mentions=3,
    )


def obeyed(telling: Telling) -> list[str]:
    """All texts of a case in which Slack obeys mark-up."""
    asked = {"text": cards.spoken(telling), "blocks": cards.card(telling, HOME)}
    asides = [line for what in What if (line := cards.aside(replace(telling, what=what)))]
    return [*marked_up(asked), *asides, *marked_up({"blocks": cards.risen(telling, HOME)})]


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("status", Status)
def test_nothing_that_a_stranger_writes_pings_links_or_breaks_the_card(
    words: str, status: Status
) -> None:
    telling = replace(
        everywhere(words), status=status, opened_at=NOON, closed_at=NOON, answered_at=NOON
    )

    assert faults(cards.card(telling, HOME)) == []
    assert faults(cards.summary([telling] * 60, Folded(60, 3, 50), HOME)) == []
    assert not [text for text in obeyed(telling) if PING.search(text)]


@given(st.text(max_size=4_000), st.sampled_from(Status), st.booleans())
def test_every_text_makes_a_card_that_slack_takes(words: str, status: Status, urgent: bool) -> None:
    telling = replace(everywhere(words), status=status, urgent=urgent)

    assert faults(cards.card(telling, HOME)) == []
    assert not [text for text in obeyed(telling) if PING.search(text)]


@given(st.text(alphabet="<>&!@#|channelhere ", max_size=200))
def test_a_name_keeps_its_signs_as_signs(words: str) -> None:
    escaped = cards.escaped(words, 1_000)

    assert "<" not in escaped
    assert ">" not in escaped
    back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert back == " ".join(words.split())


def test_a_strangers_words_stand_in_plain_text_alone() -> None:
    telling = replace(OPENED, quote="canary one", author="canary two", url="https://canary.example")

    assert "canary" not in repr(obeyed(telling))
    assert "canary.example" not in repr(cards.card(telling, HOME))


def test_meaning_comes_first() -> None:
    telling = replace(OPENED, urgent=True, stars=1.0, reach=9_000, source="Fediverse")

    [head, *_] = cards.card(telling, HOME)

    assert head["text"]["text"] == (
        "*:rotating_light: URGENT · Case 7 · Acme on Fediverse · ★☆☆☆☆ · reaches 9,000*"
    )


def test_what_named_the_brand_is_marked() -> None:
    telling = replace(OPENED, quote="The fish was cold.", marks=((4, 8),))

    assert cards.quote(telling) == "The »fish« was cold."


@pytest.mark.parametrize("marks", [((4, 99),), ((8, 4),), ((4, 8), (6, 10)), ((-1, 2),)])
def test_marks_that_fit_no_words_harm_nothing(marks: tuple[tuple[int, int], ...]) -> None:
    telling = replace(OPENED, quote="The fish was cold.", marks=marks)

    assert cards.quote(telling).replace("»", "").replace("«", "") == "The fish was cold."


def test_a_long_post_says_that_there_is_more() -> None:
    telling = replace(OPENED, quote="fish " * 2_000)

    quoted = cards.card(telling, HOME)[1]["text"]["text"]

    assert quoted.endswith("…")
    assert len(quoted) <= cards.QUOTE


def test_a_closed_case_is_struck_through_and_says_how_long_it_took() -> None:
    telling = replace(
        OPENED,
        status=Status.CLOSED,
        outcome="answered",
        owner="Ana",
        opened_at=NOON,
        closed_at=NOON + timedelta(minutes=69),
    )

    head, *_ = cards.card(telling, HOME)

    assert head["text"]["text"].startswith("~Case 7")
    assert "Closed: answered by Ana" in cards.standing(telling)
    assert cards.standing(telling).endswith("after 1 h 9 min")


def test_moments_are_shown_in_the_readers_own_zone() -> None:
    assert cards.moment(NOON) == (
        f"<!date^{int(NOON.timestamp())}^{{date_short_pretty}} {{time}}|02 Nov 12:00 UTC>"
    )
