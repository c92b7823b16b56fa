"""Backup and restore on the command line: what an operator reads, and what is refused."""

from pathlib import Path

from listener.app import alone
from listener.config import read
from tests.command_line import CommandLine, clean

PLAN = """
[[brand]]
name = "Acme"
query = "fish"

[[channel]]
name = "ops"
url = "http://127.0.0.1:9/hook"
secret = "whsec_QSBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="
"""


def test_a_backup_is_restored_in_another_folder(listener: CommandLine, tmp_path: Path) -> None:
    listener.applied(PLAN)
    file, other = tmp_path / "monday.backup", tmp_path / "other"
    elsewhere = CommandLine(other, clean(other))

    written = listener("backup", file)
    other.mkdir()
    (other / "key").write_text((tmp_path / "data" / "key").read_text())
    restored = elsewhere("restore", file)

    assert written.code == 0
    assert written.out.startswith(f"Wrote {file}: ")
    assert f"keep {tmp_path / 'data' / 'key'} too, in another place." in written.out
    assert restored.code == 0
    assert "another key" not in restored.out
    assert elsewhere("export-config").out == listener("export-config").out


def test_another_key_is_noticed(listener: CommandLine, tmp_path: Path) -> None:
    listener.applied(PLAN)
    file, other = tmp_path / "monday.backup", tmp_path / "other"
    [written] = listener("backup", file, "--json").rows

    [done] = CommandLine(other, clean(other))("restore", file, "--json").rows

    assert written["rows"] == done["rows"] == 2
    assert done["key_opens"] is False
    again = CommandLine(other, clean(other))("restore", file)
    assert again.code == 1
    assert "is not empty" in again.err


def test_nothing_is_restored_under_a_running_service(listener: CommandLine, tmp_path: Path) -> None:
    file, other = tmp_path / "monday.backup", tmp_path / "other"
    listener.applied(PLAN)
    listener("backup", file)
    elsewhere = CommandLine(other, clean(other))

    with alone(read(elsewhere.environment)):
        refused = elsewhere("restore", file)

    assert refused.code == 1
    assert "already runs on" in refused.err


def test_there_must_be_something_to_back_up_and_somewhere_to_put_it(
    listener: CommandLine, tmp_path: Path
) -> None:
    nothing = listener("backup", tmp_path / "a")
    listener.applied(PLAN)

    nowhere = listener("backup", tmp_path / "no" / "such" / "folder")
    missing = listener("restore", tmp_path / "missing")

    assert "has no tables yet: there is nothing to back up." in nothing.err
    assert "cannot be written (No such file or directory)" in nowhere.err
    assert missing.err == f"{tmp_path / 'missing'} cannot be read (No such file or directory).\n"
    assert nothing.code == nowhere.code == missing.code == 1
