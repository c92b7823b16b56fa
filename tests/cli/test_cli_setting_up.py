"""Beginning, applying, checking, migrating: each ends in a sentence that says what to do next."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from listener.store import schema
from tests.command_line import CommandLine
from tests.given import KEY

PLAN = f"""
[[brand]]
name = "Acme"
query = "acme"

[[source]]
name = "Inbox"
connector = "webhook"
[source.options]
secret = "{KEY}"
"""


def test_init_makes_the_folder_and_a_file_that_can_be_applied_as_it_is(
    listener: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "listener.toml"

    said = listener("init", file)

    assert said.code == 0
    assert said.out.splitlines() == [
        f"Data is kept in {listener.data}.",
        f"Wrote {file}.",
        f"Next: put your brand and places into {file}, then",
        f"  listener apply {file}",
        "  listener check",
        "  listener run",
    ]
    assert listener("apply", file).code == 0


def test_init_never_overwrites_a_file(listener: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "listener.toml"
    file.write_text("# mine")

    said = listener("init", file)

    assert said.code == 0
    assert f"{file} is there already and stays as it is." in said.out
    assert file.read_text() == "# mine"


def test_init_says_when_it_cannot_write(listener: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "listener.toml"

    said = listener("init", file)

    assert said.code == 1
    assert said.err == f"{file} cannot be written (No such file or directory).\n"


def test_apply_says_what_it_did(listener: CommandLine) -> None:
    plan = listener.plan(PLAN)

    assert listener("apply", plan).out.splitlines() == [
        'added: brand "Acme"',
        'added: source "Inbox"',
    ]
    assert listener("apply", plan).out.splitlines() == [
        'as before: brand "Acme"',
        'as before: source "Inbox"',
    ]
    assert listener("apply", plan, "--json").rows == [
        {"added": [], "changed": [], "same": ['brand "Acme"', 'source "Inbox"']}
    ]


def test_apply_says_when_a_file_names_nothing(listener: CommandLine) -> None:
    plan = listener.plan("# nothing yet")

    said = listener("apply", plan)

    assert said.code == 0
    assert said.out == f"{plan} names no brand, source or channel; nothing was changed.\n"


def test_apply_says_every_fault_and_changes_nothing(listener: CommandLine) -> None:
    said = listener("apply", listener.plan(PLAN + '[[brand]]\nname = "Bolt"\nquery = "(bolt"\n'))

    assert said.code == 1
    assert said.out == ""
    assert said.err == (
        '[[brand]] "Bolt": `query`: At character 1: this parenthesis is never closed: '
        "add a closing one after it.\n(bolt\n^\n"
    )
    assert listener("coverage", "--json").rows == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory)."),
        (b"name = \xff", "is not UTF-8 text (byte 7)."),
    ],
)
def test_apply_says_when_a_file_cannot_be_read(
    listener: CommandLine, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "plan.toml"
    if content is not None:
        file.write_bytes(content)

    said = listener("apply", file)

    assert said.code == 1
    assert said.err == f"{file} {sentence}\n"


def test_check_asks_everything_once(listener: CommandLine) -> None:
    listener.applied(PLAN)

    said = listener("check")

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"well     database: sqlite:///{listener.data}/listener.db answers."
    assert lines[1].startswith("well     model: lexicon")
    assert lines[2] == (
        "well     source Inbox: Waits for signed deliveries at /hooks/NAME, "
        "NAME being this source's."
    )


def test_check_names_a_secret_that_is_not_there_and_goes_on(
    listener: CommandLine, tmp_path: Path
) -> None:
    listener.applied(
        PLAN
        + f"""
[[source]]
name = "By file"
connector = "webhook"
[source.options]
secret = {{ file = "{tmp_path}/nowhere" }}

[[source]]
name = "By environment"
connector = "webhook"
[source.options]
secret = {{ env = "NO_SUCH_SECRET" }}

[[channel]]
name = "ops"
url = "https://ops.example/hook"
secret = {{ env = "NO_SUCH_SECRET" }}
"""
    )

    said = listener("check", "--json")

    assert said.code == 1
    problems = {row["what"]: row["says"] for row in said.rows if not row["well"]}
    kept = "The secret `secret` is kept in the environment variable NO_SUCH_SECRET, which is not "
    assert problems == {
        "source By environment": f"{kept}set here.",
        "source By file": f"The secret `secret` is kept in the file {tmp_path}/nowhere, "
        "which cannot be read (No such file or directory).",
        "channel ops": f"{kept}set here.",
    }
    assert len(said.rows) == 6


def test_check_names_a_secret_of_the_wrong_form_without_repeating_it(
    listener: CommandLine,
) -> None:
    listener.applied(PLAN.replace(f'"{KEY}"', '{ env = "INBOX_SECRET" }'))
    listener.environment["INBOX_SECRET"] = "a canary"

    said = listener("check", "Inbox")

    assert said.code == 1
    assert said.out == (
        "PROBLEM  source Inbox: Its options do not fit: a key is whsec_ and at least 24 random "
        "bytes in base64; for a sender with an HMAC of its own, name the header that carries it.\n"
    )


def test_check_of_an_unknown_source_is_said(listener: CommandLine) -> None:
    said = listener("check", "Nowhere")

    assert said.code == 1
    assert said.err == "There is no source called 'Nowhere'. `listener check` lists them all.\n"


def test_another_key_is_said_by_check_and_mended_by_applying_again(listener: CommandLine) -> None:
    listener.applied(PLAN)
    listener.environment["LISTENER_KEY"] = "another key, also long enough"

    said = listener("check", "Inbox")
    assert said.code == 1
    assert said.out == (
        "PROBLEM  source Inbox: A stored secret cannot be opened: LISTENER_KEY (or the key file) "
        "is not the one it was sealed with. Set the former key, or run `listener apply` again "
        "with the secret.\n"
    )

    listener.applied(PLAN)
    assert listener("check", "Inbox").code == 0


def test_connectors_are_listed_with_their_options(listener: CommandLine) -> None:
    listed = listener("connectors").out
    assert "mastodon" in listed
    assert "webhook" in listed

    [described] = listener("connectors", "webhook", "--json").rows
    assert described["name"] == "webhook"
    secret = described["options"][0]
    assert (secret["name"], secret["required"], secret["secret"]) == ("secret", True, True)

    said = listener("connectors", "mastodn")
    assert said.code == 1
    assert said.err.startswith('There is no connector "mastodn". Did you mean mastodon')


def test_migrating_says_from_where_to_where(listener: CommandLine) -> None:
    newest = schema.newest()

    assert (
        listener("migrate").err == f"The database went from revision base to revision {newest}.\n"
    )
    assert listener("migrate").err == f"The database is at revision {newest} already.\n"
    assert listener("migrate", "--to", "base").err == (
        f"The database went from revision {newest} to revision base.\n"
    )
    assert listener("migrate", "--to", "base").err == "The database is at revision base already.\n"


def test_migrating_to_nowhere_is_said_with_where_one_can_go(listener: CommandLine) -> None:
    said = listener("migrate", "--to", "9999")

    assert said.code == 1
    assert said.err == (
        f"There is no revision '9999'; there are: base, {', '.join(schema.revisions())} and head.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "DATABASE_URL",
            "nonsense",
            ("DATABASE_URL is not an address of a database. It looks like "
            "postgresql://user:password@host/name or sqlite:///path/to/listener.db."),
        ),
        (
            "DATABASE_URL",
            "postgresql://ada:hunter2@127.0.0.1:1/x",
            ("The database postgresql://ada:***@127.0.0.1:1/x cannot be reached ([Errno 111] "
            "Connect call failed ('127.0.0.1', 1)). Check DATABASE_URL and that the server is "
            "running."),
        ),
        (
            "LISTENER_HTTP",
            "nonsense",
            "LISTENER_HTTP is 'nonsense'; it must be host:port, for example 127.0.0.1:8080.",
        ),
        (
            "LISTENER_KEY",
            "hunter2",
            ("LISTENER_KEY is too easy to guess: use at least 16 random characters, "
            "or leave it out and a key file is made."),
        ),
        (
            "LISTENER_FRESH",
            "soon",
            ("LISTENER_FRESH is 'soon'; a stretch of time looks like "
            '"30s", "5m", "1h" or "7d".'),
        ),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_said_by_every_command(
    listener: CommandLine, name: str, value: str, sentence: str
) -> None:
    listener.environment[name] = value

    for command in (["cases"], ["mentions"], ["check"], ["run", "--once"]):
        said = listener(*command)
        assert (said.code, said.out, said.err) == (1, "", f"{sentence}\n"), command


def test_a_folder_that_cannot_be_written_to_is_said(listener: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    listener.environment["LISTENER_DATA"] = str(tmp_path / "file")

    said = listener("run", "--once")

    assert said.code == 1
    assert said.err == (
        f"The data folder {tmp_path}/file cannot be made (File exists). "
        "Set LISTENER_DATA to a folder you may write to.\n"
    )


def test_a_database_in_a_folder_that_is_none_is_said(listener: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    listener.environment["DATABASE_URL"] = f"sqlite:///{tmp_path}/file/x.db"

    said = listener("run", "--once")

    assert said.code == 1
    assert said.err == (
        f"{tmp_path}/file/x.db.lock cannot be written (File exists). Set DATABASE_URL or "
        "LISTENER_DATA to a folder you may write to.\n"
    )


def test_a_fault_of_our_own_is_said_in_words_that_can_be_reported(
    listener: CommandLine,
) -> None:
    listener.applied(PLAN)
    with closing(sqlite3.connect(listener.data / "listener.db")) as meddler:
        meddler.execute("UPDATE readings SET way = 'a canary'")
        meddler.commit()

    said = listener("apply", listener.plan(PLAN))

    assert said.code == 1
    assert re.fullmatch(
        r"A fault in Listener itself, and nothing that you did: ValueError in .+, line \d+\. "
        r"Please report it with these words\.\n",
        said.err,
    )
