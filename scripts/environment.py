"""Makes the environment .venv just as the lock says, and does nothing when it is so already.

`scripts/setup` finds a Python for it. What has been installed is remembered beside it, in
`.venv/installed-run` and `.venv/installed-dev`, so that the next start asks no network.
"""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
LOG = ENVIRONMENT / "setup.log"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
AGAIN = "then run the same command again"

NO_WAY = (
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError"
    r"|Connection refused|ConnectionResetError|RemoteDisconnected|getaddrinfo"
    r"|Network is unreachable|Temporary failure in name resolution"
)
# What pip's words mean for the person who reads them. The first that fits is said.
MEANINGS = {
    r"No space left on device": (
        "The disk is full: the environment needs 650 MB, or 1.1 GB with what tests need; "
        f"make room, {AGAIN}."
    ),
    r"DO NOT MATCH THE HASHES": (
        "A package that came is not the one that was locked, so it was not installed: run the "
        "same command again, and if that does not help tell us as SECURITY.md says."
    ),
    r"CERTIFICATE_VERIFY_FAILED|SSLError": (
        "The package index shows a certificate that this machine does not trust: give the right "
        f"one with PIP_CERT=/path/to/certificates.pem, {AGAIN}."
    ),
    NO_WAY: (
        "The package index cannot be reached from here: connect to the network, or set "
        f"HTTPS_PROXY or PIP_INDEX_URL to a way to it, {AGAIN}."
    ),
    r"No matching distribution found|is not a supported wheel": (
        f"A package has no ready-made build for Python {sys.version_info[0]}.{sys.version_info[1]} "
        "on this kind of machine: run `make clean`, then the same command with "
        "PYTHON=/path/to/python3.11 (3.12 and 3.13 will do as well)."
    ),
}


class CannotSetUp(Exception):
    """Why not, and what to do about it, in one sentence."""


def main() -> int:
    """Set up for the purpose that the command line names; 0 when all is there."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "run"
    try:
        with alone():
            if not installed(purpose):
                set_up(purpose)
    except CannotSetUp as trouble:
        tell(f"{trouble}\n", sys.stderr)
        return 1
    except PermissionError as trouble:
        tell(f"{trouble.filename} belongs to somebody else: run this as its owner.\n", sys.stderr)
        return 1
    except KeyboardInterrupt:
        tell("Stopped: the same command goes on from here.\n", sys.stderr)
        return 130
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """Let two commands that start together set up one after the other."""
    with Path(__file__).open() as this:
        try:
            fcntl.flock(this, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Another command is setting up here: waiting for it.\n")
            fcntl.flock(this, fcntl.LOCK_EX)
        yield


def installed(purpose: str) -> bool:
    """Whether the environment is the one that the lock and the project describe."""
    return laid_out() and said(ENVIRONMENT / f"installed-{purpose}") == described(purpose)


def set_up(purpose: str) -> None:
    """Make what is missing, telling how far it is."""
    started = time.monotonic()
    if not laid_out():
        lay_out()
    fetch(LOCKS[purpose])
    link_project()
    # The lock for developers holds everything that running needs, at the same versions.
    for done in ("run", "dev") if purpose == "dev" else ("run",):
        (ENVIRONMENT / f"installed-{done}").write_text(described(done))
    show(f"Listener is set up in {time.monotonic() - started:.0f} s.", last=True)


def laid_out() -> bool:
    """Whether an environment stands here, for this folder and this Python."""
    return PYTHON.exists() and said(ENVIRONMENT / "laid-out") == place()


def lay_out() -> None:
    """Make an empty environment; one from another place or Python is cleared away."""
    show("Setting up Listener: making the environment")
    # When this runs inside the old environment, the Python that it was made from makes the new.
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run(
        [python, "-I", "-m", "venv", "--clear", str(ENVIRONMENT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotSetUp(meaning(done.stdout + done.stderr))
    (ENVIRONMENT / "laid-out").write_text(place())


def fetch(lock: Path) -> None:
    """Install what the lock pins: ready-made builds with the right hashes and nothing else."""
    total = len(re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock.read_text(), re.MULTILINE))
    seen: set[str] = set()
    for line in pip("--require-hashes", "--only-binary=:all:", "--retries=2", "-r", str(lock)):
        if found := re.match(
            r"(?:Collecting|Processing|Requirement already satisfied:) (\S+)", line
        ):
            seen.add(found[1])
            show(f"Setting up Listener: {len(seen)} of {total} packages fetched", len(seen) / total)
        elif line.startswith("Installing collected packages"):
            show("Setting up Listener: putting them in place, about half a minute")


def link_project() -> None:
    """Put the project itself, as it stands here, and its command into the environment."""
    for _ in pip("--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT)):
        pass


def pip(*arguments: str) -> Iterator[str]:
    """Yield what pip says while it installs; when it fails, say why in our words."""
    settings = os.environ | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(PYTHON), "-I", "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    with (
        LOG.open("w") as log,
        subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=settings,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - it was asked for four lines above
        try:
            for line in process.stdout:
                log.write(line)
                yield line
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        raise CannotSetUp(meaning(LOG.read_text()))


def meaning(words: str) -> str:
    """What went wrong, in one sentence, out of all that a program said about it."""
    for sign, sentence in MEANINGS.items():
        if re.search(sign, words):
            return sentence
    last = next(
        (line for line in reversed(words.splitlines()) if "error" in line.lower()),
        "no reason given",
    )
    return f"The environment could not be made ({last.strip()}): all of it is in {LOG}."


def described(purpose: str) -> str:
    """All that an installation depends on: the lock, and what the project says of itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return f"{project['build-system']}\n{project['project']}\n{LOCKS[purpose].read_text()}"


def place() -> str:
    """What an environment cannot outlive: its folder and its Python."""
    return f"{ROOT}\nPython {sys.version_info[0]}.{sys.version_info[1]}\n"


def said(note: Path) -> str | None:
    """What an earlier setup noted down, if it did."""
    try:
        return note.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def show(progress: str, part: float = 0.0, *, last: bool = False) -> None:
    """Say how far it is: one line that changes on a terminal, a few lines in a log."""
    if sys.stdout.isatty():
        tell(f"\r\033[K{progress}" + ("\n" if last else ""))
    elif part in (0.0, 1.0):
        tell(f"{progress}\n")


def tell(words: str, where: TextIO = sys.stdout) -> None:
    """Write at once, without waiting for a line to end."""
    where.write(words)
    where.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopping is stopping: pip goes too
    sys.exit(main())
