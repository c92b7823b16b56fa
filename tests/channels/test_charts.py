"""Pictures: their figures are those of the digest, they need no colour, and obey nobody's words."""

from datetime import UTC, date, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from listener.channels import charts
from listener.domain.digest import First, Gap
from listener.domain.picture import Quarter, Slice, slices
from listener.domain.span import Of, Stretch
from tests.hostile import HOSTILE

START = datetime(2026, 11, 25, tzinfo=UTC)
HOURS = [
    Slice(START, "00:00", complaints=2, praise=1, others=3),
    Slice(START, "01:00"),
    Slice(START, "02:00", complaints=0, praise=0, others=3, alarms=("Many complaints.",)),
]


def shapes(markup: str, kind: str) -> list[Element]:
    """What is drawn of one kind."""
    return [one for one in fromstring(markup).iter() if one.get("class") == kind]


def test_bars_are_as_high_as_what_was_said() -> None:
    drawn = charts.volume(HOURS)

    [complaints, _] = shapes(drawn, "complaint")  # and one in the legend
    [praise, _] = shapes(drawn, "praise")
    others = shapes(drawn, "other")
    assert float(complaints.get("height", "")) == 2 / 6 * charts.TALL
    assert float(praise.get("height", "")) == 1 / 6 * charts.TALL
    assert [float(one.get("height", "")) for one in others[:2]] == [60, 60]
    assert len(shapes(drawn, "alarm-mark")) == 2  # one above its hour, one in the legend
    assert "9 mentions over time, 2 of them complaints" in fromstring(drawn).get("aria-label", "")


def test_without_colour_each_kind_is_told_by_its_pattern_and_its_word() -> None:
    drawn = charts.volume(HOURS)

    assert all(one.get("fill") == "url(#hatch-volume)" for one in shapes(drawn, "praise"))
    words = [one.text for one in fromstring(drawn).iter("text")]
    assert {"Complaints", "Praise", "Everything else", "Alarm"} <= set(words)


def test_first_answers_stand_where_they_belong() -> None:
    firsts = [
        First(case_id=1, author="ada", waited=timedelta(minutes=15), late=False),
        First(case_id=2, author="ben", waited=timedelta(minutes=16), late=False),
        First(case_id=3, author="cy", waited=timedelta(days=9), late=True),
    ]

    assert charts.waits(firsts) == [
        ("15 min", 1, 0), ("1 h", 1, 0), ("4 h", 0, 0), ("12 h", 0, 0), ("1 day", 0, 0),
        ("3 days", 0, 0), ("longer", 0, 1),
    ]  # fmt: skip
    assert len(shapes(charts.answers(firsts), "complaint")) == 2


def test_a_gap_is_as_long_as_what_was_not_read() -> None:
    ends = START + timedelta(days=1)
    gap = Gap(source="Feed", start=START + timedelta(hours=6), end=START + timedelta(hours=12))

    drawn = charts.coverage(["Feed", "Forum"], [gap], START, ends)

    [left, _] = shapes(drawn, "gap")
    [whole, *_] = shapes(drawn, "read")
    share = float(left.get("width", "")) / float(whole.get("width", ""))
    assert share == pytest.approx(0.25, abs=0.005)


def test_a_day_is_cut_into_its_hours_also_when_the_clocks_change() -> None:
    autumn = Stretch(Of.DAY, date(2026, 10, 25), "Europe/Berlin")
    told = [Quarter(autumn.starts + timedelta(hours=n), 1, 0, 0) for n in range(25)]

    found = slices(autumn, told, [])

    assert len(found) == 24
    assert sum(one.complaints for one in found) == 25
    assert found[2].complaints == 2


def test_days_are_those_of_the_reader_s_own_clocks() -> None:
    week = Stretch(Of.WEEK, date(2026, 11, 23), "Asia/Kathmandu")  # a quarter of an hour beside all
    told = [
        Quarter(week.starts - timedelta(0), 1, 0, 0),
        Quarter(week.ends - timedelta(minutes=15), 0, 1, 0),
    ]

    found = slices(week, told, [(week.ends - timedelta(minutes=1), "It rings.")])

    assert [one.label for one in found][::6] == ["23 Nov", "29 Nov"]
    assert (found[0].complaints, found[6].praise, found[6].alarms) == (1, 1, ("It rings.",))


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_strangers_are_text(words: str) -> None:
    drawn = charts.coverage(
        [words], [Gap(source=words, start=START, end=START)], START, START + timedelta(1)
    )

    assert {one.tag for one in fromstring(drawn).iter()} <= {"svg", "rect", "text"}


def test_nothing_needs_a_style_or_a_script() -> None:
    for drawn in (
        charts.volume(HOURS),
        charts.volume([]),
        charts.rise([(3, 1.0), (0, 0.5)]),
        charts.answers([]),
    ):
        assert "style" not in drawn
        assert "<script" not in drawn


def test_a_bar_a_day_is_as_high_as_the_people_who_said_it() -> None:
    days = [(date(2026, 11, 1), 2), (date(2026, 11, 2), 0), (date(2026, 11, 3), 4)]

    drawn = charts.spread(days)

    bars = shapes(drawn, "bar")
    assert [float(one.get("height", "")) for one in bars] == [charts.TALL / 2, charts.TALL]
    assert "At most 4 people in one of 3 days." in fromstring(drawn).get("aria-label", "")
    assert {"01 Nov", "03 Nov"} <= {one.text for one in fromstring(drawn).iter("text")}
    assert shapes(charts.spread([]), "bar") == []
