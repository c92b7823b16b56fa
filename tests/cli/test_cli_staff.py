"""`listener staff`: people come with a link, get roles and brands, and leave."""

import re
from pathlib import Path

import pytest

from tests.command_line import CommandLine

GOOD = "five fish swim in a pan"
TWO_BRANDS = """
[[brand]]
name = "Acme"
query = "fish"

[[brand]]
name = "Bolt"
query = "nuts"
"""


def test_nobody_is_added_twice_or_without_a_name(listener: CommandLine) -> None:
    listener("staff", "add", "Ana", "--role", "lead")

    twice = listener("staff", "add", " Ana ")
    assert (twice.code, twice.err) == (1, "Somebody called 'Ana' works here already.\n")
    nameless = listener("staff", "add", "  ")
    assert (nameless.code, nameless.err) == (1, "A person needs a name.\n")
    assert listener("staff", "list").out == "Ana, lead\n"


def test_whoever_is_added_gets_a_link_to_choose_a_password(listener: CommandLine) -> None:
    listener.environment["LISTENER_URL"] = "https://desk.example"

    said = listener("staff", "add", "Ana", "--role", "admin")

    assert re.fullmatch(
        r"Ana works here now, as admin\.\n"
        r"Ana chooses a password here, once, within 1 h, while Listener runs:\n"
        r"https://desk\.example/link/[\w-]{43}\n",
        said.out,
    )
    [row] = listener("staff", "add", "Ben", "--json").rows
    assert row.pop("link").startswith("https://desk.example/link/")
    assert row == {"id": 2, "name": "Ben", "role": "agent", "brands": None, "active": True}


def test_a_lost_password_gets_a_new_link_each_time(listener: CommandLine) -> None:
    listener("staff", "add", "Ana")

    [one], [other] = (listener("staff", "password", "Ana", "--json").rows for _ in range(2))

    assert one["link"] != other["link"]
    assert listener("staff", "password", "Ben").err == (
        "Nobody here is called 'Ben'. `listener staff list` lists them.\n"
    )


def test_a_password_can_come_from_a_file_from_a_pipe_or_from_the_keyboard(
    listener: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(GOOD + "\n")

    assert listener("staff", "add", "Ana", "--password-file", file).out == (
        "Ana works here now, as agent.\n"
    )
    piped = listener("staff", "password", "Ana", "--password-file", "-", given=GOOD + "\n")
    assert piped.out == "The password of Ana is set; they are signed out everywhere.\n"
    asked = listener("staff", "add", "Ben", "--ask", given=f"{GOOD}\n{GOOD}\n")
    assert asked.code == 0
    assert GOOD not in asked.out + asked.err
    short = listener("staff", "password", "Ana", "--password-file", "-", given="short\n")
    assert (short.code, short.err) == (
        1,
        "A password needs at least 12 characters; four or five words are easy to keep in mind.\n",
    )
    assert listener("staff", "add", "Cem", "--ask", "--password-file", file).code == 2
    assert listener("staff", "add", "Cem", "--password-file", tmp_path / "no").code == 2
    assert listener("staff", "list").out == "Ana, agent\nBen, agent\n"


def test_role_and_brands_change(listener: CommandLine) -> None:
    listener.applied(TWO_BRANDS)
    listener("staff", "add", "Ada", "--role", "admin")
    listener("staff", "add", "Ana", "--brand", "Acme")

    assert listener("staff", "list").out == "Ada, admin\nAna, agent, Acme\n"
    assert listener("staff", "role", "Ana", "lead").out == "Ana is here as lead.\n"
    assert listener("staff", "brands", "Ana", "Acme", "Bolt").out == (
        "Ana looks after Acme, Bolt.\n"
    )
    assert listener("staff", "list").out == "Ada, admin\nAna, lead, Acme and Bolt\n"
    assert listener("staff", "brands", "Ana").out == "Ana looks after all brands.\n"
    assert listener("staff", "list").out == "Ada, admin\nAna, lead\n"
    assert listener("staff", "brands", "Ana", "Zap").err == (
        "There is no brand 'Zap'. There are: Acme, Bolt.\n"
    )
    assert listener("staff", "brands", "Ada", "Acme").err == (
        "Ada is an admin, and an admin sees all brands.\n"
    )


def test_whoever_leaves_can_come_back(listener: CommandLine) -> None:
    listener("staff", "add", "Ana")

    assert listener("staff", "leave", "Ana").out == "Ana works here no more.\n"
    assert listener("staff", "list").out == "Ana, agent, left\n"
    assert listener("staff", "leave", "Ana").code == 1
    assert listener("staff", "sign-out", "Ana").code == 1
    [back] = listener("staff", "add", "Ana", "--json").rows
    assert (back["id"], back["active"]) == (1, True)
    assert listener("staff", "sign-out", "Ana").out == "Ana is signed out everywhere.\n"


@pytest.mark.parametrize("words", [["leave", "Ana"], ["role", "Ana", "agent"]])
def test_the_only_admin_stays(listener: CommandLine, words: list[str]) -> None:
    listener("staff", "add", "Ana", "--role", "admin")

    assert listener("staff", *words).err == (
        "Ana is the only admin; make somebody else one first.\n"
    )

    listener("staff", "add", "Ben", "--role", "admin")
    assert listener("staff", *words).code == 0
