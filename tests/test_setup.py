"""Holds the promise of the two commands: a fresh clone runs, or says in one sentence why not."""

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.environment import meaning

ROOT = Path(__file__).resolve().parent.parent
SHELL = "/bin/sh"

# A Python that answers what scripts/setup asks before it trusts one with the work.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
    *sys.exit*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    *stdout.write*) printf '{version}' ;;
    *) printf '%s made it: %s\\n' "${{0##*/}}" "$*" ;;
esac
"""

# The smallest build backend that there can be: it needs nothing from anywhere.
BACKEND = """
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    about = "listener-0.1.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder, "listener-0.1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("listener.pth", str(pathlib.Path.cwd()))
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: listener\\nVersion: 0.1\\n")
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "entry_points.txt", "[console_scripts]\\nlistener = program:main\\n")
        wheel.writestr(about + "RECORD", "")
    return "listener-0.1-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "listener"
version = "0.1"
"""
PROGRAM = """
import sys, time, politeness

def main():
    print("Listener runs with", *sys.argv[1:], flush=True)
    time.sleep(float("{sleep}"))
"""


def test_a_python_that_is_too_old_is_told_apart_in_one_sentence(fresh: Path) -> None:
    has_python(fresh, "python3", version="3.9")

    done = sh_setup(fresh)

    assert done.returncode == 1
    assert done.stderr == (
        "Listener needs Python 3.11 or newer and this is Python 3.9: install a newer one (on Debian "
        "and Ubuntu: apt install python3 python3-venv) or name one with PYTHON=/path/to/python3.11, "
        "then run the same command again.\n"
    )
    assert not done.stdout


def test_a_python_without_its_venv_module_says_what_to_install(fresh: Path) -> None:
    has_python(fresh, "python3", no_venv=True)

    done = sh_setup(fresh)

    assert done.returncode == 1
    assert done.stderr == (
        "python3 cannot make environments, its venv module is missing: install it (on Debian and "
        "Ubuntu: apt install python3-venv), then run the same command again.\n"
    )


def test_a_machine_without_python_says_so(fresh: Path) -> None:
    done = sh_setup(fresh)

    assert done.returncode == 1
    assert done.stderr.startswith("Listener needs Python 3.11 or newer and found none: install it")
    assert done.stderr.count("\n") == 1


def test_a_python_that_cannot_be_run_is_named(fresh: Path) -> None:
    has_python(fresh, "python3")

    done = sh_setup(fresh, PYTHON="/nowhere/python3.12")

    assert done.returncode == 1
    assert done.stderr == (
        "PYTHON=/nowhere/python3.12 cannot be run: give the path of a Python 3.11 or newer, then "
        "run the same command again.\n"
    )


def test_a_named_python_that_is_too_old_is_not_replaced_by_another(fresh: Path) -> None:
    has_python(fresh, "python3")
    has_python(fresh, "python3.8", version="3.8")

    done = sh_setup(fresh, PYTHON="python3.8")

    assert done.returncode == 1
    assert "this is Python 3.8" in done.stderr


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["python3", "python3.11", "python3.12", "python3.13"], "python3.13"),
        (["python3", "python3.11", "python3.12"], "python3.12"),
        (["python3", "python3.11"], "python3.11"),
        (["python3"], "python3"),
    ],
)
def test_the_newest_python_is_chosen(fresh: Path, there: list[str], chosen: str) -> None:
    for name in there:
        has_python(fresh, name)

    done = sh_setup(fresh, "dev")

    assert done.stdout == f"{chosen} made it: -I scripts/environment.py dev\n"


def test_a_newer_python_without_venv_gives_way_to_an_older_one_with_it(fresh: Path) -> None:
    has_python(fresh, "python3.13", no_venv=True)
    has_python(fresh, "python3.11")

    assert sh_setup(fresh).stdout.startswith("python3.11 made it")


def test_the_python_of_a_path_with_a_space_can_be_named(fresh: Path) -> None:
    python = has_python(fresh, "my python")

    done = sh_setup(fresh, PYTHON=str(python))

    assert done.stdout.startswith("my python made it")


def test_an_environment_that_is_there_is_asked_before_any_other_python(fresh: Path) -> None:
    has_python(fresh, "python3.8", version="3.8")
    inside = fresh / ".venv" / "bin"
    inside.mkdir(parents=True)
    shutil.copy(has_python(fresh, "python"), inside)

    assert sh_setup(fresh).stdout.startswith("python made it")


def test_make_run_makes_the_environment_once_and_then_needs_no_network(project: Path) -> None:
    first = make(project, "run")

    second = make(project, "run", PIP_FIND_LINKS="/nowhere")

    assert first.returncode == 0, first.stdout + first.stderr
    assert "1 of 1 packages" in first.stdout
    assert first.stdout.endswith("Listener runs with run --demo\n")
    assert second.stdout == "Listener runs with run --demo\n"
    assert not second.stderr


@pytest.mark.slow
def test_a_changed_lock_is_installed_and_a_moved_folder_starts_afresh(project: Path) -> None:
    make(project, "run")
    lock = project / "requirements.lock"
    lock.write_text(lock.read_text() + "# newer\n")

    changed = make(project, "run")
    moved_to = project.rename(project.with_name("another place"))
    moved = make(moved_to, "run", PIP_FIND_LINKS=(moved_to / "wheels").as_uri())

    assert "1 of 1 packages" in changed.stdout
    assert "making the environment" not in changed.stdout
    assert "making the environment" in moved.stdout
    assert moved.stdout.endswith("Listener runs with run --demo\n")


def test_without_a_network_the_first_setup_says_so_in_one_sentence(project: Path) -> None:
    no_way = {
        "PIP_NO_INDEX": "0",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
    }

    done = make(project, "run", **no_way)

    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "The package index cannot be reached from here: connect to the network, or set HTTPS_PROXY "
        "or PIP_INDEX_URL to a way to it, then run the same command again."
    )
    assert "Listener runs" not in done.stdout


def test_a_package_that_was_tampered_with_is_refused(project: Path) -> None:
    wheel = next((project / "wheels").iterdir())
    with zipfile.ZipFile(wheel, "a") as tampered:
        tampered.writestr("surprise.py", "")

    done = make(project, "run")

    assert done.returncode != 0
    assert done.stderr.startswith("A package that came is not the one that was locked")


# Tests that a shell has put in the background are deaf to Ctrl-C, and hand that on.
HEARING_CTRL_C = (
    "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp('make', ['make', 'run'])"
)


def test_ctrl_c_leaves_nothing_running(project: Path) -> None:
    make(project, "run")
    (project / "program.py").write_text(PROGRAM.format(sleep=600))
    with subprocess.Popen(
        [sys.executable, "-c", HEARING_CTRL_C], cwd=project, env=surroundings(project),
        start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdout.readline() == "Listener runs with run --demo\n"

        os.killpg(running.pid, signal.SIGINT)  # what a terminal does
        running.wait(120)  # a busy machine takes its time

    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("SSLError(... CERTIFICATE_VERIFY_FAILED ...)", "The package index shows a certificate"),
        (
            "Temporary failure in name resolution\nNo matching distribution found",
            "The package index",
        ),
        ("ERROR: No matching distribution found for numpy==9", "A package has no ready-made build"),
        ("ERROR: Something unheard of\nbye", "The environment could not be made (ERROR: Something"),
        ("", "The environment could not be made (no reason given)"),
    ],
)
def test_what_pip_says_is_put_into_one_sentence(words: str, begins: str) -> None:
    said = meaning(words)

    assert said.startswith(begins)
    assert said.count("\n") == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_fresh_clone_in_a_path_with_a_space_gets_a_slim_environment(tmp_path: Path) -> None:
    clone = tmp_path / "a fresh clone"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listing, cwd=ROOT, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)

    done = subprocess.run(
        ["sh", "scripts/setup", "run"], cwd=clone, capture_output=True, text=True, check=False
    )

    if "index cannot be reached" in done.stderr:
        pytest.skip("no way to the package index from here")
    assert done.returncode == 0, done.stderr
    helped = subprocess.run(
        [clone / ".venv" / "bin" / "listener", "--help"], capture_output=True, text=True, check=True
    )
    assert "run" in helped.stdout
    assert megabytes(clone / ".venv") < 650
    assert not list(clone.glob(".venv/lib/*/site-packages/torch"))
    assert not list(clone.glob(".venv/lib/*/site-packages/nvidia*"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout with nothing but the scripts, in a path with a space, and no Python at all."""
    checkout = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    (checkout / "bin").mkdir()
    return checkout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of a tiny program with one pinned package, which lies beside it."""
    checkout = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    shutil.copy(ROOT / "Makefile", checkout)
    (checkout / "backend.py").write_text(BACKEND)
    (checkout / "pyproject.toml").write_text(PYPROJECT)
    (checkout / "program.py").write_text(PROGRAM.format(sleep=0))
    wheel = checkout / "wheels" / "politeness-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        about = "politeness-1.0.dist-info/"
        archive.writestr("politeness.py", "")
        archive.writestr(
            about + "METADATA", "Metadata-Version: 2.1\nName: politeness\nVersion: 1.0\n"
        )
        archive.writestr(
            about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(about + "RECORD", "")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (checkout / "requirements.lock").write_text(f"politeness==1.0 \\\n    --hash=sha256:{digest}\n")
    return checkout


def has_python(checkout: Path, name: str, *, version: str = "3.12", no_venv: bool = False) -> Path:
    """Put a Python on the path of a checkout."""
    python = checkout / "bin" / name
    too_old = int(tuple(map(int, version.split("."))) < (3, 11))
    python.write_text(FAKE_PYTHON.format(too_old=too_old, no_venv=int(no_venv), version=version))
    python.chmod(0o755)
    return python


def sh_setup(
    checkout: Path, purpose: str = "run", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run scripts/setup where the only programs are the Pythons that were put there."""
    return subprocess.run(
        [SHELL, "scripts/setup", purpose], cwd=checkout, capture_output=True, text=True,
        env={"PATH": str(checkout / "bin"), **environment}, check=False,
    )  # fmt: skip


def make(checkout: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make as a newcomer would, with the packages in a folder instead of the network."""
    return subprocess.run(
        ["make", command], cwd=checkout, capture_output=True, text=True,
        env=surroundings(checkout) | environment, check=False,
    )  # fmt: skip


def surroundings(checkout: Path) -> dict[str, str]:
    """The environment variables of a newcomer whose pip looks into one folder only."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout),
        "PYTHON": sys.executable,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": (checkout / "wheels").as_uri(),  # a path with a space would be two
    }


def megabytes(folder: Path) -> float:
    """What a folder takes on the disk."""
    shown = subprocess.check_output(["du", "-sk", str(folder)], text=True)
    match = re.match(r"\d+", shown)
    assert match is not None
    return int(match[0]) / 1024
