"""What pages are drawn with: marks, stars and times that never let a text become anything else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from listener.web import pages
from listener.web.case import difference, link

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(1)>'


def test_a_marked_text_stays_text() -> None:
    shown = pages.marked(HOSTILE, [(0, 8)])

    assert shown.startswith("<mark>&lt;script&gt;</mark>alert(1)")
    assert "<script>" not in shown
    assert "<img" not in shown


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90))))
def test_marking_loses_nothing_of_a_text(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(max(0, a), min(len(text), b)) for a, b in spans]

    shown = pages.marked(text, inside)

    plain = shown.replace(Markup("<mark>"), Markup()).replace(Markup("</mark>"), Markup())
    assert plain.unescape() == text


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1.0, 'aria-label="1 star">★<span class="empty">★★★★'),
        (3.4, 'aria-label="3 stars">★★★<span class="empty">★★<'),
        (5.0, 'aria-label="5 stars">★★★★★<span class="empty"><'),
    ],
)
def test_stars_are_seen_and_heard(number: float, said: str) -> None:
    assert said in pages.stars(number)


def test_no_stars_show_nothing() -> None:
    assert pages.stars(None) == ""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (None, ""), (0, "0"), (999, "999"), (1000, "1k"), (1400, "1.4k"), (12_400, "12k"),
        (1_000_000, "1M"), (1_250_000, "1.2M"),
    ],
)  # fmt: skip
def test_reach_is_short(number: int | None, said: str) -> None:
    assert pages.reach(number) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-3), "0 s"), (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=3), "3 min"), (timedelta(hours=26), "1 d"),
    ],
)  # fmt: skip
def test_a_span_is_said_in_its_largest_unit(length: timedelta, said: str) -> None:
    assert pages.span(length) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Larder Reviews", "LR"),
        ("Bluesky", "Bl"),
        ("stack-exchange", "SE"),
        ("", "?"),
        ("— —", "—"),
    ],
)
def test_a_place_has_two_letters(words: str, said: str) -> None:
    assert pages.letters(words) == said


def test_a_time_is_exact_for_machines() -> None:
    shown = pages.when(NOON)

    assert 'datetime="2026-11-02T12:00:00+00:00"' in shown
    assert "02 Nov 12:00 UTC" in shown


def test_a_file_of_ours_has_another_address_when_it_changes() -> None:
    assert pages.asset("desk.css").startswith("/static/desk.css?")
    assert len(pages.asset("desk.css").partition("?")[2]) == 12


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", " https://x", "//x", "ftp://x", ""]
)
def test_only_web_pages_are_linked(address: str) -> None:
    assert link(address) == ""


def test_a_web_page_is_linked() -> None:
    assert link("https://place.example/p?a=1") == "https://place.example/p?a=1"


def test_a_change_is_shown_word_by_word() -> None:
    pieces = difference("The fish was good.", "The fish was cold and late.")

    assert ("-", "good") in pieces
    assert ("+", "cold and late") in pieces


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_change_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = difference(before, after)

    assert "".join(words for op, words in pieces if op in "=-") == before
    assert "".join(words for op, words in pieces if op in "=+") == after
