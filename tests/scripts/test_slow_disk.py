"""What `scripts/slow-disk` makes slow, and what it leaves alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "slow-disk"
TIMED = """
import os, tempfile, time
with tempfile.TemporaryFile() as file:
    for durable in (os.fsync, os.fdatasync):
        began = time.perf_counter()
        durable(file.fileno())
        print(time.perf_counter() - began)
"""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)


def run(*words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_each_write_that_is_made_durable_takes_longer() -> None:
    took = run("60", sys.executable, "-c", TIMED)

    assert [float(said) >= 0.06 for said in took.stdout.split()] == [True, True]


def test_it_ends_as_its_command_does() -> None:
    assert run("1", sys.executable, "-c", "raise SystemExit(7)").returncode == 7


@pytest.mark.parametrize(
    "words", [("5",), ("soon", "true"), ("5000", "true"), ("5", "no-such-command")]
)
def test_what_it_cannot_do_is_said(words: tuple[str, ...]) -> None:
    failed = run(*words)

    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
    assert "milliseconds" in failed.stderr


def test_a_compiler_that_fails_is_told_of(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    compiler.chmod(0o755)

    failed = run("5", "true", path=str(tmp_path))

    assert failed.returncode == 2
    assert "no space left" in failed.stderr
    assert "cannot build" in failed.stderr
    assert "Traceback" not in failed.stderr
