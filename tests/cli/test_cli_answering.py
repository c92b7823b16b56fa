"""Answering from the command line: what is sent, what was posted by hand, what became of it."""

from tests.command_line import CommandLine


def test_a_reply_that_was_posted_by_hand_answers_the_case_and_is_listed(demo: CommandLine) -> None:
    number = demo("--demo", "cases", "--json").rows[0]["id"]
    demo("--demo", "cases", "take", number, "--as", "Ana")

    refused = demo("--demo", "cases", "reply", number, "--text", "Sorry!", "--as", "Ana")
    said = demo(
        "--demo", "cases", "reply", number, "--text", "Sorry!", "--as", "Ana",
        "--url", "https://place.example/r/1", "--json",
    )  # fmt: skip

    assert refused.code == 1
    assert refused.err.startswith("We cannot send there: ")
    assert (said.code, said.err) == (0, "")
    [row] = demo("--demo", "replies", "--json").rows
    assert (row["case"], row["state"], row["staff"], row["by_hand"]) == (
        number,
        "posted",
        "Ana",
        True,
    )
    assert demo("--demo", "replies", "--state", "failed").out == "0 replies. Times are UTC.\n"
    again = demo("--demo", "replies", "again", row["id"], "--as", "Ana")
    assert again.err == "This reply is posted; there is nothing to send again.\n"
