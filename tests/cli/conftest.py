"""A command line in a data folder of its own, and the demo's data once for all who look at it."""

import shutil
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Said, clean


@pytest.fixture
def listener(tmp_path: Path) -> CommandLine:
    """A command line whose database is empty."""
    return CommandLine(tmp_path / "data", clean(tmp_path / "data"))


@pytest.fixture(scope="session")
def told_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """The demo's data after one run, and what that run said; to be copied."""
    data = tmp_path_factory.mktemp("demo") / "data"
    line = CommandLine(data, clean(data, DATABASE_URL="postgresql://127.0.0.1:1/real"))
    return data, line("run", "--demo", "--once", "--json")


@pytest.fixture
def demo(told_demo: tuple[Path, Said], tmp_path: Path) -> CommandLine:
    """A command line on a copy of the demo, whose own database is out of reach."""
    data = tmp_path / "data"
    shutil.copytree(told_demo[0], data)
    return CommandLine(data, clean(data, DATABASE_URL="postgresql://127.0.0.1:1/real"))
