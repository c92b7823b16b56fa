"""What a case looks like in a terminal: readable at a glance, and nothing in a post can drive it."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from listener.channels.contract import Telling
from listener.channels.terminal import QUOTE, Terminal, lines, printable, short
from listener.domain.event import What
from listener.domain.notice import News
from tests.given import OPENED
from tests.world import NOON


async def printed(telling: Telling) -> str:
    file = io.StringIO()
    await Terminal(Console(file=file, width=40)).send(telling)
    return file.getvalue()


async def test_a_new_case_is_told_in_three_lines() -> None:
    assert await printed(OPENED) == (
        "Case 7  Acme on mastodon  Ada Example  answer by 16:00 UTC\n"
        "  “The fish was cold. And the chips too.”\n"
        "  Reads like a complaint (95%). Reaches 9,000 people.\n"
    )


async def test_what_is_urgent_says_so_first() -> None:
    assert (await printed(replace(OPENED, urgent=True))).startswith(" URGENT  Case 7")


async def test_stars_are_shown_as_stars() -> None:
    assert "  ★★☆☆☆  Ada" in await printed(replace(OPENED, stars=2.0))


async def test_a_deadline_on_another_day_names_the_day() -> None:
    tomorrow = replace(OPENED, due_at=NOON + timedelta(hours=24))

    assert "answer by Tue 12:00 UTC" in await printed(tomorrow)


async def test_stars_without_words_have_no_empty_quote() -> None:
    assert await printed(replace(OPENED, quote="", author="", due_at=None)) == (
        "Case 7  Acme on mastodon\n  Reads like a complaint (95%). Reaches 9,000 people.\n"
    )


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (What.JOINED, "said again, now in 3 places"),
        (What.TAKEN, "taken by Ana"),
        (What.TAKEN_OVER, "taken over by Ana"),
        (What.RELEASED, "given back"),
        (What.CLOSED, "closed: not us"),
        (What.EDITED, "its author changed the post"),
        (What.DELETED, "its author deleted the post"),
        (What.REOPENED, "reopened"),
        (What.CONFIRMED, "confirmed as a complaint"),
        (What.PRIORITY, "judged again, priority 38"),
    ],
)
async def test_every_change_is_one_line_that_says_what_happened(what: What, sentence: str) -> None:
    changed = replace(
        OPENED, news=News.CHANGED, what=what, owner="Ana", mentions=3, outcome="not us"
    )

    assert await printed(changed) == f"  case 7 {sentence}\n"


@pytest.mark.parametrize("what", What)
def test_no_event_is_left_without_words(what: What) -> None:
    [line] = lines(replace(OPENED, news=News.CHANGED, what=what))

    assert line.plain.startswith("  case 7 ")
    assert line.plain != "  case 7 "


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b]0;owned\x07fish",
        "fish\r\nCase 8  Acme  answer by 12:00",
        "\u202efish\u2066",
        "fish\x9b31m",
    ],
)
async def test_nothing_in_a_post_can_drive_the_terminal(hostile: str) -> None:
    shown = await printed(replace(OPENED, author=hostile, quote=hostile))

    assert len(shown.splitlines()) == 3
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


async def test_markup_in_a_post_is_only_letters() -> None:
    marked = "[bold red]fish[/] [link=https://evil.example]x[/link]"

    assert marked in await printed(replace(OPENED, author="[b]Ada[/b]", quote=marked))


@given(st.text())
def test_a_quote_is_one_short_printable_line(text: str) -> None:
    quote = short(text)

    assert len(quote) <= QUOTE
    assert quote == printable(quote)


def test_a_long_post_is_cut_with_a_sign() -> None:
    assert short("fish " * 100).endswith("fish…")


def test_a_title_is_set_apart_from_the_text() -> None:
    assert short("Cold fish\n\nNever again") == "Cold fish. Never again"
    assert short("Cold fish!\n\nNever again") == "Cold fish! Never again"
