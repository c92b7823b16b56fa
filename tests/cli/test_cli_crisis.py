"""`listener crisis`: every act of its pages as a command, and the report as plain text."""

import csv
from pathlib import Path

import pytest

from tests.command_line import CommandLine

LEA = ("--as", "Lea")
WORDS = "We see it too, {author}, and tell you by noon."


@pytest.fixture
def crisis(demo: CommandLine) -> int:
    """A crisis of the demo's first theme, which Lea leads."""
    assert demo("--demo", "staff", "add", "Lea", "--role", "lead").code == 0
    theme = demo("--demo", "themes", "--json").rows[0]
    made = demo(
        "--demo", "crisis", "declare", "Burning till", "--theme", theme["id"], "--every", 15, *LEA
    )
    assert made.out.startswith("Crisis 1 is declared: Burning till. ")
    assert made.err == ""
    return 1


def test_it_is_declared_shown_and_listed(demo: CommandLine, crisis: int) -> None:
    listed = demo("--demo", "crisis")
    [row] = demo("--demo", "crisis", "--json").rows
    shown = demo("--demo", "crisis", "show", crisis)

    assert "Tarnby: Burning till, Lea leads it, open, next update " in listed.out
    assert listed.out.splitlines()[-1] == "1 crisis. Times are UTC."
    assert (row["name"], row["lead"], row["every"]) == ("Burning till", "Lea", 15)
    assert row["cases"] == row["open_cases"] > 0
    assert "Lea declared it" in shown.out
    assert "joined it" in shown.out


def test_it_is_led_worded_told_about_and_ended(demo: CommandLine, crisis: int) -> None:
    case = demo("--demo", "cases", "--json").rows
    closed = next(one["id"] for one in case if one["status"] != "closed")

    assert demo("--demo", "crisis", "text", crisis, WORDS, *LEA).code == 0
    wrong = demo("--demo", "crisis", "approve", crisis, "Else.", *LEA)
    assert (wrong.code, wrong.err[:37]) == (1, "The holding reply was changed meanwhi")
    assert "is approved" in demo("--demo", "crisis", "approve", crisis, WORDS, *LEA).out
    who = demo("--demo", "crisis", "tell", crisis, *LEA).out
    assert who.splitlines()[-1] == "Name the cases whose people are told."
    nobody = demo("--demo", "crisis", "tell", crisis, 999_999, *LEA)
    assert (nobody.code, nobody.err) == (1, "Case 999999: nobody waits in it.\n")
    assert "on its way" in demo("--demo", "crisis", "update", crisis, "The till is off.", *LEA).out
    assert demo("--demo", "crisis", "bring", crisis, closed, *LEA).code == 0
    assert "any more" in demo("--demo", "crisis", "leave", crisis, closed, *LEA).out
    assert "leads crisis 1 already" in demo("--demo", "crisis", "lead", crisis, "Lea", *LEA).out
    assert "is over" in demo("--demo", "crisis", "end", crisis, *LEA).out

    shown = demo("--demo", "crisis", "show", crisis, "--json").rows[0]
    assert shown["ended_at"] is not None
    assert shown["holding_replies"][0]["approved_by"] == "Lea"
    assert "The till is off." in [line["note"] for line in shown["history"]]
    assert demo("--demo", "crisis").out == "0 crises. Times are UTC.\n"
    assert "over since" in demo("--demo", "crisis", "--all").out


def test_its_report_is_plain_text_facts_and_a_table(
    demo: CommandLine, crisis: int, tmp_path: Path
) -> None:
    plain = demo("--demo", "crisis", "report", crisis, *LEA)
    [facts] = demo("--demo", "crisis", "report", crisis, "--json", *LEA).rows
    table = tmp_path / "cases.csv"
    kept = demo("--demo", "crisis", "report", crisis, "--csv", table, *LEA)

    assert plain.out.startswith("Tarnby: Burning till\nDeclared by Lea ")
    for part in ("What happened when (UTC)", "What was missed", "In their words", "The first post"):
        assert part in plain.out
    assert facts["people"] >= 3
    assert facts["crisis"] == 1
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert kept.out.startswith(f"{table} has {len(rows) - 1} case")
    assert len(rows) - 1 == len(facts["cases"])
    nowhere = demo("--demo", "crisis", "report", crisis, "--csv", tmp_path / "no" / "x.csv", *LEA)
    assert nowhere.code == 1
    assert "cannot be written (No such file or directory). Name another file." in nowhere.err


def test_what_makes_no_sense_is_refused_in_a_sentence(demo: CommandLine, crisis: int) -> None:
    assert crisis == 1
    again = demo("--demo", "crisis", "declare", "BURNING till", "--brand", "Tarnby", *LEA)
    demo("--demo", "staff", "add", "Kim")
    agent = demo("--demo", "crisis", "declare", "Else", "--brand", "Tarnby", "--as", "Kim")
    missing = demo("--demo", "crisis", "show", 77)
    often = demo("--demo", "crisis", "declare", "X", "--brand", "Tarnby", "--every", 7, *LEA)

    assert again.err.startswith("A crisis called Burning till is open for Tarnby already.")
    assert (agent.code, missing.code, often.code) == (1, 1, 1)
    assert agent.err.startswith("Kim is here as agent, whose role does not include: declare a")
    assert missing.err == "There is no crisis 77. `listener crisis --all` lists them.\n"
    assert often.err == "Updates come every 15, 30 or 60 minutes; choose one of these.\n"
