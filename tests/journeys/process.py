"""The real program in a process of its own: started, listened to, frozen, stopped, killed.

    ground = Ground(folder, database, allow=[town.host_port])
    async with started(ground, "run") as program:          # python -m listener run
        await program.until_said("Listens to")
        program.kill()
    async with forked(ground, "run", fate=Fate(dies_at=300)) as program:
        assert await program.ended() == KILLED

`forked` is for many kills: a process that has imported everything forks, and the copy runs the
same command line. A fork is killed like any other process, but is at work a second earlier,
and a `Fate` can be given to it: what befalls it on its way.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from unittest.mock import patch

from connectors.kit.contract import Pace, Page
from connectors.mastodon import Mastodon
from listener.app import slack
from listener.cli import main
from listener.domain.source import Reading
from listener.stages import leases, listen
from listener.stages.poll import Poll
from listener.store import intake, mentions, notices, sources
from listener.store.intake import advance
from models import shelf
from models.classifier import Classifier
from models.verdict import Question, Verdict
from tests.journeys import mortal

KEY = "a key for tests, long enough"
KILLED = -signal.SIGKILL
PATIENCE = 30.0  # seconds, on a busy machine
LOOK = 0.01
NO_LIMIT = Pace(requests=100_000, per=timedelta(minutes=5), at_once=8)
HOUSE = Path(__file__).parents[2]

_numbers = count(1)
_nursery = multiprocessing.get_context("forkserver")
_nursery.set_forkserver_preload(
    ["pytest", "aiosqlite", "asyncpg", "connectors.mastodon", "tests.journeys.process"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What befalls a forked program on its way."""

    lease: timedelta | None = None  # how long it owns what it takes, if not as long as usual
    dies_at: int | None = None  # kills itself when its event loop comes round for this time
    dies_after: int | None = None  # kills itself when it has taken this step of a delivery
    counts: Path | None = None  # writes there how often its event loop came round
    thinks: float = 0.0  # seconds that its classifier needs for a batch
    until: Path | None = None  # a file that its classifier waits for before the first verdict
    backlog: int | None = None  # how many mentions may wait, if not as many as usual
    skew: timedelta = timedelta()  # how far its clock is ahead
    freezes: bool = False  # freezes in the middle of a transaction, once it has read a page


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a program lives: a folder, a database, and the places that it may ask."""

    folder: Path
    database: str
    allow: Sequence[str] = ()
    model: str = "lexicon"
    port: int = field(default_factory=lambda: free_port())
    more: Mapping[str, str] = field(default_factory=dict)  # of its environment

    @property
    def environment(self) -> dict[str, str]:
        """What the program is told."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "LISTENER_DATA": str(self.folder),
            "LISTENER_KEY": KEY,
            "LISTENER_MODEL": self.model,
            "LISTENER_HTTP": f"127.0.0.1:{self.port}",
            "LISTENER_ALLOW_HOSTS": " ".join(self.allow),
            "DATABASE_URL": self.database,
            **self.more,
        }

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def paper(self) -> Path:
        """A new file for what a program says."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"said-{next(_numbers)}.txt"


@dataclass(frozen=True, slots=True)
class Program:
    """A running program: `code` is its exit code once it has ended, negative for a signal."""

    pid: int
    paper: Path
    code: Callable[[], int | None]

    @property
    def said(self) -> str:
        """Everything it has printed so far, on either stream."""
        return self.paper.read_text(errors="replace") if self.paper.exists() else ""

    async def until_said(self, *words: str, within: float = PATIENCE) -> None:
        """Wait until it has printed one of these; AssertionError when it does not, or ends."""
        until = time.monotonic() + within
        while not any(word in self.said for word in words):
            assert self.code() is None, f"It ended with {self.code()}:\n{self.said}"
            assert time.monotonic() < until, f"It does not say {words}, only:\n{self.said}"
            await asyncio.sleep(LOOK)

    async def ended(self, within: float = PATIENCE) -> int:
        """Wait for its end; its exit code."""
        until = time.monotonic() + within
        while (code := self.code()) is None:
            assert time.monotonic() < until, f"It does not end. It said:\n{self.said}"
            await asyncio.sleep(LOOK)
        return code

    def kill(self) -> None:
        """Let it die at once, as in a power cut."""
        self._send(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop."""
        self._send(number)

    def freeze(self) -> None:
        """Stop its time, as a paused virtual machine does."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        self._send(signal.SIGCONT)

    @property
    def memory(self) -> int:
        """The bytes of memory that it occupies."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _send(self, number: signal.Signals) -> None:
        if self.code() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@asynccontextmanager
async def started(ground: Ground, *arguments: str) -> AsyncIterator[Program]:
    """`python -m listener ARGUMENTS`; whatever happens, it is gone when the block ends."""
    paper = ground.paper()
    running = _start(ground, arguments, paper)
    program = Program(running.pid, paper, running.poll)
    try:
        yield program
    finally:
        program.kill()
        running.wait(PATIENCE)


@asynccontextmanager
async def forked(
    ground: Ground, *arguments: str, fate: Fate | None = None
) -> AsyncIterator[Program]:
    """The same from a process that has imported everything."""
    paper = ground.paper()
    running = _nursery.Process(
        target=_live, args=(arguments, ground.environment, paper, fate or Fate()), daemon=True
    )
    running.start()
    assert running.pid is not None
    program = Program(running.pid, paper, lambda: running.exitcode)
    try:
        yield program
    finally:
        program.kill()
        running.join(PATIENCE)
        running.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _start(ground: Ground, arguments: Sequence[str], paper: Path) -> subprocess.Popen[bytes]:
    with paper.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "listener", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=HOUSE,
            env=ground.environment,
        )


# --- in the forked process


def _live(arguments: Sequence[str], environment: dict[str, str], paper: Path, fate: Fate) -> None:
    _die_with_the_parent()
    handle = os.open(paper, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["listener", *arguments]
    Mastodon.pace = NO_LIMIT  # our town on this machine has none
    _befall(fate)
    main()


def _die_with_the_parent() -> None:
    """If the tests die without a word, so do the programs that they forked (Linux only)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _befall(fate: Fate) -> None:
    """Change this process, which is nobody else's, as its fate wants it."""
    if fate.lease is not None:
        for table in (sources, mentions, notices):
            table.LEASE = fate.lease  # type: ignore[attr-defined]
        leases.BEAT = fate.lease / 3
        slack.HOLD = fate.lease
    if fate.dies_after is not None:
        mortal.die_after(fate.dies_after)
    if fate.dies_at is not None or fate.counts is not None:
        _count(fate)
    if fate.thinks:
        opening = shelf.open
        patch.object(
            shelf,
            "open",
            lambda name, **more: Slow(opening(name, **more), fate.thinks, fate.until),
        ).start()
    if fate.backlog is not None:
        patch.object(listen, "BACKLOG", fate.backlog).start()
        patch.object(Poll, "has_room", _room_for(fate.backlog)).start()
    if fate.freezes:
        patch.object(intake, "advance", _freeze).start()
    if fate.skew:
        import time_machine

        time_machine.travel(datetime.now(UTC) + fate.skew, tick=True).start()


def _room_for(backlog: int) -> Callable[[Poll], Awaitable[bool]]:
    usual = Poll.has_room

    async def has_room(poll: Poll) -> bool:
        poll.backlog = backlog
        return await usual(poll)

    return has_room


def _freeze(reading: Reading, page: Page) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    advance(reading, page)


def _count(fate: Fate) -> None:
    """Count the rounds of the event loop: between two of them lies every await that waited."""
    rounds = 0
    once_round = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]

    def counted(loop: asyncio.BaseEventLoop) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == fate.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        once_round(loop)
        if fate.counts is not None:
            fate.counts.write_text(str(rounds))

    patch.object(asyncio.BaseEventLoop, "_run_once", counted).start()


@dataclass(frozen=True, slots=True)
class Slow:
    """A classifier that takes its time."""

    inner: Classifier
    seconds: float
    until: Path | None = None

    @property
    def name(self) -> str:
        return self.inner.name

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        time.sleep(self.seconds)
        while self.until is not None and not self.until.exists():
            time.sleep(self.seconds)
        return self.inner.judge(questions)
