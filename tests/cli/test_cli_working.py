"""Working cases from the command line: who you are, what you did, or why not."""

import json

import pytest

from tests.command_line import CommandLine


def first(demo: CommandLine) -> int:
    """The most pressing case."""
    number: int = demo("--demo", "cases", "--json").rows[0]["id"]
    return number


def test_the_queue_is_read_at_a_glance(demo: CommandLine) -> None:
    rows = demo("--demo", "cases", "--json").rows

    said = demo("--demo", "cases")

    assert said.code == 0
    assert said.out.splitlines()[0].split()[:3] == [
        str(rows[0]["id"]),
        str(rows[0]["priority"]),
        "open",
    ]
    assert said.out.splitlines()[-1] == (
        f"{len(rows)} cases. Times are UTC. Take one: listener cases take NUMBER"
    )


def test_among_several_one_must_say_who_one_is(demo: CommandLine) -> None:
    said = demo("--demo", "cases", "take", first(demo))

    assert (said.code, said.out) == (1, "")
    assert said.err == "Say who you are with --as: Ana, Ben.\n"


def test_who_works_alone_need_not_say_so(listener: CommandLine) -> None:
    assert listener("staff", "add", "Ana").out.startswith("Ana works here now, as agent.\n")

    assert listener("cases", "take", 1).err == "There is no case 1. `listener cases` lists them.\n"


def test_where_nobody_works_yet_it_says_how_to_begin(listener: CommandLine) -> None:
    said = listener("cases", "take", 1)

    assert said.code == 1
    assert said.err == "Nobody works here yet. Add yourself: listener staff add NAME.\n"


def test_a_stranger_is_told_how_to_be_added(demo: CommandLine) -> None:
    said = demo("--demo", "cases", "take", first(demo), "--as", "Zoe")

    assert said.code == 1
    assert said.err == "Nobody here is called 'Zoe'. Add them: listener staff add 'Zoe'.\n"


def test_a_case_goes_from_hand_to_hand_with_a_sentence_each_time(demo: CommandLine) -> None:
    number = first(demo)

    taken = demo("--demo", "cases", "take", number, "--as", "Ana")
    assert taken.out.startswith(f"Case {number} is yours; you hold it until ")

    refused = demo("--demo", "cases", "take", number, "--as", "Ben")
    assert refused.code == 1
    assert refused.err.startswith(f"Ana holds case {number} until ")
    assert refused.err.endswith(" UTC. Take it over if you must.\n")

    closed = demo("--demo", "cases", "close", number, "--outcome", "spam", "--as", "Ben")
    assert closed.code == 1
    assert closed.err.startswith(f"Ana holds case {number} until ")

    over = demo("--demo", "cases", "take", number, "--as", "Ben", "--over")
    assert over.code == 0

    back = demo("--demo", "cases", "release", number, "--as", "Ben")
    assert back.out == f"Case {number} is open again.\n"

    closed = demo("--demo", "cases", "close", number, "--outcome", "not us", "--as", "Ben")
    assert closed.out == f"Case {number} is closed: not us.\n"

    again = demo("--demo", "cases", "close", number, "--outcome", "spam", "--as", "Ana")
    assert again.err == f"Case {number} is already closed (not us).\n"


def test_an_unsure_case_is_confirmed_or_put_right(demo: CommandLine) -> None:
    unsure = [row["id"] for row in demo("--demo", "cases", "--json").rows if row["unsure"]]
    if not unsure:
        pytest.skip("the lexicon is sure of everything in this story")

    said = demo("--demo", "cases", "correct", unsure[0], "--to", "complaint", "--as", "Ana")

    assert said.out == f"Case {unsure[0]} is a complaint; its time runs from now.\n"
    [case] = [row for row in demo("--demo", "cases", "--json").rows if row["id"] == unsure[0]]
    assert (case["unsure"], case["due_at"] is None) == (False, False)


@pytest.mark.parametrize("outcome", ["", "won", "Spam!"])
def test_an_outcome_that_is_none_is_refused_with_those_there_are(
    demo: CommandLine, outcome: str
) -> None:
    said = demo("--demo", "cases", "close", 1, "--outcome", outcome, "--as", "Ana")

    assert said.code == 2
    for known in ("answered elsewhere", "not us", "spam"):
        assert known in said.err


def test_an_unknown_source_is_said_wherever_one_is_named(listener: CommandLine) -> None:
    for words in (["poll", "Nowhere", "--preview"], ["coverage", "Nowhere"], ["check", "Nowhere"]):
        said = listener(*words)
        assert said.code == 1, words
        assert said.err.startswith("There is no source called 'Nowhere'."), words


def test_a_look_at_a_source_keeps_nothing(demo: CommandLine) -> None:
    before = demo("--demo", "mentions", "--json").rows

    said = demo("--demo", "poll", "Towntalk", "--preview", "--most", 5)

    assert said.code == 0
    assert said.out.splitlines()[-1].endswith("Nothing was kept.")
    assert demo("--demo", "mentions", "--json").rows == before


def test_polling_without_saying_what_for_is_explained(listener: CommandLine) -> None:
    said = listener("poll", "News")

    assert said.code == 2
    assert said.err == (
        "`listener poll NAME --preview` looks without keeping; `listener run --once` keeps.\n"
    )


def test_every_command_explains_itself(listener: CommandLine) -> None:
    overview = listener("--help").out

    for command in ("run", "init", "apply", "check", "cases", "mentions", "judge", "coverage"):
        assert f"  {command} " in overview
        assert listener(command, "--help").code == 0
    assert listener("--version").out.startswith("listener ")


def test_the_most_urgent_case_is_handed_out_and_what_was_done_is_taken_back(
    demo: CommandLine,
) -> None:
    number = first(demo)

    handed = demo("--demo", "cases", "next", "--as", "Ana", "--json").rows[0]
    assert (handed["id"], handed["owner"]) == (number, "Ana")

    tagged = demo("--demo", "cases", "tag", number, "#Late delivery", "--as", "Ana")
    assert tagged.out == f"Case {number} has the tag late-delivery.\n"
    undone = demo("--demo", "cases", "undo", "--as", "Ana")
    assert undone.out == f"Undone: case {number} is as it was before you tagged it.\n"

    back = demo("--demo", "cases", "undo", handed["event"], "--as", "Ana")
    assert back.code == 0
    assert first_row(demo)["owner"] is None


def test_a_case_is_arranged_with_a_sentence_each_time(demo: CommandLine) -> None:
    number = first(demo)

    said = demo("--demo", "cases", "note", number, "Ask @Ben.", "--as", "Ana")
    assert said.out == "The note is kept. Ben will see it.\n"
    said = demo("--demo", "cases", "snooze", number, "--for", "4h", "--as", "Ana")
    assert said.out.startswith(f"Case {number} sleeps until ")
    said = demo("--demo", "cases", "snooze", number, "--for", "soon", "--as", "Ana")
    assert said.err == "'soon' is no time; say 90m, 4h, 3d, tomorrow or 2026-05-04T09:00.\n"
    said = demo("--demo", "cases", "wake", number, "--as", "Ana")
    assert said.out == f"Case {number} is back in the queue.\n"
    said = demo("--demo", "cases", "assign", number, "Ana", "--as", "Ben")
    assert said.err == "Only a lead may give a case to somebody else.\n"
    assert demo("--demo", "cases", "assign", number, "Ben", "--as", "Ana").code == 0
    assert demo("--demo", "cases", "assign", number, "Ana", "--as", "Ana").code == 0
    assert demo("--demo", "cases", "assign", number, "--as", "Ana").code == 0
    demo("--demo", "cases", "close", number, "--outcome", "spam", "--as", "Ana")
    said = demo("--demo", "cases", "reopen", number, "--as", "Ben")
    assert said.out == f"Case {number} is open again.\n"


def first_row(demo: CommandLine) -> dict[str, object]:
    """The most pressing case, as machines read it."""
    row: dict[str, object] = demo("--demo", "cases", "--json").rows[0]
    return row


def test_a_case_is_shown_with_its_clocks_and_why(demo: CommandLine) -> None:
    number = first(demo)

    said = demo("--demo", "cases", "show", number)
    [facts] = demo("--demo", "cases", "show", number, "--json").rows

    assert said.code == 0
    assert "Until when" in said.out
    assert "First reply: " in said.out
    assert "The policy “" in said.out
    assert said.out.splitlines()[-1] == "Times are UTC."
    assert [one["clock"] for one in facts["clocks"]] == ["first reply", "resolution"]
    assert facts["policy"] in facts["why_this_policy"]


def test_a_case_that_is_not_there_cannot_be_shown(listener: CommandLine) -> None:
    said = listener("cases", "show", 7)

    assert (said.code, said.err) == (1, "There is no case 7. `listener cases` lists them.\n")


def test_what_was_sent_is_listed_and_what_has_arrived_is_not_sent_again(demo: CommandLine) -> None:
    said = demo("--demo", "notices", "--state", "failed")
    beside = demo("--demo", "notices", "of", "alarms", "--json")
    unsent = demo("--demo", "notices", "again", "1", "--about", "digests", "--as", "Ana")
    assert all("says" in json.loads(line) for line in beside.out.splitlines())
    assert unsent.code == 1
    assert (
        "There is no notice 1 of digests. `listener notices of digests` lists them." in unsent.err
    )
    lines = [json.loads(line) for line in demo("--demo", "notices", "--json").out.splitlines()]

    assert said.out.splitlines()[-1].endswith(" notices. Times are UTC.")
    assert all(one["state"] in {"arrived", "waits", "failed"} for one in lines)
    again = demo("--demo", "notices", "again", "999999", "--as", "Ana")
    assert (again.code, again.err) == (
        1,
        "There is no notice 999999. `listener notices` lists them.\n",
    )


def test_what_was_missed_is_listed_and_a_wrong_day_is_said_in_words(demo: CommandLine) -> None:
    said = demo("--demo", "breaches", "--since", "2020-01-01")
    table = demo("--demo", "breaches", "--csv")

    assert said.out.splitlines()[-1].endswith(" missed deadlines. Times are UTC.")
    assert table.out.splitlines()[0].startswith("case,brand,deadline,policy,due (UTC)")
    assert demo("--demo", "breaches", "--until", "soon").err == "Write a day like 2026-11-25.\n"
    assert demo("--demo", "breaches", "--brand", "X").err == "There is no brand called 'X'.\n"


def test_what_is_promised_is_listed_in_its_order(demo: CommandLine) -> None:
    said = demo("--demo", "policies")
    rows = demo("--demo", "policies", "--json").rows

    assert [row["name"] for row in rows] == ["crisis", "urgent", "review", "complaint"]
    assert (rows[0]["first"], rows[3]["fits"]) == (900, [])
    assert "first reply 15 min" in said.out
    assert said.out.splitlines()[-1] == "The first that fits speaks. Times are UTC."
