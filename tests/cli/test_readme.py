"""The README's own blocks, run as a newcomer would: what it shows must work."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh|toml)?\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix(".venv/bin/")
    for kind, block in BLOCKS
    if kind == "sh" or "listener apply" in block
    for line in block.splitlines()
]
# These ask the outside world, run for good, or are what runs this very test.
ELSEWHERE = {"make run", "make test", "listener check", "listener run"}


def listener(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder of its own, with the quick model."""
    return subprocess.run(
        [sys.executable, "-m", "listener", *words],
        cwd=folder,
        env=os.environ
        | {
            "LISTENER_DATA": str(folder / "data"),
            "LISTENER_MODEL": "lexicon",
            "DATABASE_URL": "",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def newcomer(tmp_path: Path) -> Path:
    """A folder with a space in its name, in which the demo has been looked at."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    done = listener(folder, "run", "--demo", "--once")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_command_of_the_readme_does_what_it_should(newcomer: Path) -> None:
    [plan] = [block for kind, block in BLOCKS if kind == "toml"]
    ran = []
    for command in COMMANDS:
        if command in ELSEWHERE:
            continue
        program, *words = shlex.split(command)
        assert program == "listener", f"{command} is nothing a newcomer has"
        if words[:1] == ["apply"]:
            (newcomer / words[1]).write_text(plan)  # as the README says: filled in

        done = listener(newcomer, *words)

        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert "Traceback" not in done.stderr
        ran.append(command)
    assert ran == [
        "listener --demo cases",
        "listener --demo cases take 1 --as Ana",
        "listener init listener.toml",
        "listener apply listener.toml",
        "listener staff add Ana --role admin",
    ]
