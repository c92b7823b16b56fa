"""What machines read keeps its shape: these keys, these types, times in UTC with a Z."""

import re
from datetime import datetime
from typing import Any

import pytest

from tests.command_line import CommandLine

MENTION = [
    "id", "brand", "connector", "source", "sources", "post_id", "url", "kind", "author", "text",
    "rating", "language", "published_at", "seen_at", "revisions", "deleted", "flagged",
    "complaint", "feeling", "unsure", "urgent", "case",
]  # fmt: skip
CASE = [
    "id", "brand", "status", "unsure", "priority", "reasons", "mentions", "owner", "held_by",
    "opened_at", "due_at", "snoozed_until", "outcome",
]  # fmt: skip
VERDICT = [
    "text", "flagged", "complaint", "feeling", "confidence", "unsure", "urgent", "model",
]  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def times(row: dict[str, Any]) -> list[str]:
    """The values of a row that are times."""
    return [value for name, value in row.items() if name.endswith(("_at", "_until")) and value]


def test_a_mention_has_these_keys_and_no_others(demo: CommandLine) -> None:
    rows = demo("--demo", "mentions", "--json").rows

    assert len(rows) > 100
    for row in rows:
        assert list(row) == MENTION
        assert all(MOMENT.fullmatch(time) for time in times(row))
        assert row["source"] == row["sources"][0]
        assert row["feeling"] in {"negative", "neutral", "positive", None}
        assert isinstance(row["deleted"], bool)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert datetime.fromisoformat(rows[0]["seen_at"]).utcoffset() is not None


def test_mentions_can_be_chosen(demo: CommandLine) -> None:
    everything = demo("--demo", "mentions", "--json").rows

    flagged = demo("--demo", "mentions", "--flagged", "--json").rows
    others = demo("--demo", "mentions", "--no-flagged", "--json").rows
    reviews = demo("--demo", "mentions", "--source", "Larder Reviews", "--json").rows
    newest = demo("--demo", "mentions", "--limit", 3, "--json").rows

    assert {row["flagged"] for row in flagged} == {True}
    assert {row["flagged"] for row in others} == {False}
    waiting_or_ours = sum(row["flagged"] is None for row in everything)
    assert len(flagged) + len(others) + waiting_or_ours == len(everything)
    assert {row["source"] for row in reviews} == {"Larder Reviews"}
    assert newest == everything[-3:]
    assert demo("--demo", "mentions", "--brand", "Nobody", "--json").rows == []


def test_a_case_has_these_keys_and_no_others(demo: CommandLine) -> None:
    mentions = {row["id"]: row for row in demo("--demo", "mentions", "--json").rows}

    rows = demo("--demo", "cases", "--json").rows

    assert rows
    for row in rows:
        assert list(row) == CASE
        assert all(MOMENT.fullmatch(time) for time in times(row))
        assert row["status"] in {"open", "owned", "answered", "closed"}
        assert row["unsure"] == (row["due_at"] is None)
        assert all(mentions[number]["case"] == row["id"] for number in row["mentions"])
        assert all(isinstance(reason, str) for reason in row["reasons"])


def test_what_staff_do_is_told_in_the_same_shape(demo: CommandLine) -> None:
    number = demo("--demo", "cases", "--json").rows[0]["id"]

    [taken] = demo("--demo", "cases", "take", number, "--as", "Ana", "--json").rows
    [given] = demo("--demo", "cases", "release", number, "--as", "Ana", "--json").rows
    [closed] = demo(
        "--demo", "cases", "close", number, "--outcome", "not us", "--as", "Ben", "--json"
    ).rows

    assert list(taken) == list(given) == list(closed) == [*CASE, "event"]  # to undo it by
    assert (taken["status"], taken["owner"], taken["held_by"]) == ("owned", "Ana", "Ana")
    assert (given["status"], given["owner"], given["held_by"]) == ("open", None, None)
    assert (closed["status"], closed["outcome"], closed["held_by"]) == ("closed", "not us", None)


def test_a_verdict_has_these_keys_and_no_others(listener: CommandLine) -> None:
    rows = listener("judge", "--json", given="Awful, never again!\nLovely, thank you!\n").rows

    assert [list(row) for row in rows] == [VERDICT, VERDICT]
    assert [row["text"] for row in rows] == ["Awful, never again!", "Lovely, thank you!"]
    assert [row["flagged"] for row in rows] == [True, False]
    assert all(0 <= row["complaint"] <= 1 and 0 <= row["confidence"] <= 1 for row in rows)


def test_coverage_tells_spans_and_gaps(demo: CommandLine) -> None:
    rows = demo("--demo", "coverage", "--json").rows

    assert [row["source"] for row in rows] == ["Larder Reviews", "The Barrow Courier", "Towntalk"]
    for row in rows:
        assert list(row) == ["source", "since", "read", "gaps", "failing_since", "error"]
        assert row["gaps"] == []
        [span] = row["read"]
        assert MOMENT.fullmatch(span["from"])
        assert MOMENT.fullmatch(span["to"])


@pytest.mark.parametrize(
    "words", [["mentions"], ["cases"], ["coverage"], ["staff", "list"], ["cases", "--all"]]
)
def test_people_get_lines_and_not_json(demo: CommandLine, words: list[str]) -> None:
    said = demo("--demo", *words)

    assert said.code == 0
    assert not said.out.lstrip().startswith("{")
    assert "\x1b" not in said.out
