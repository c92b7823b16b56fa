"""Lets the real program listen to a torrent of posts, and watches its memory, files and delays.

report = await soak(ground, Load(rate=255, share=0.01, seconds=1200))
print(report)          # figures, one a line
report.faults()        # what must not be, in sentences; every lost post by its name
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression, quantiles

from sqlmodel import col, select
from typing_extensions import override

from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.secret import Seal
from listener.store import schema
from listener.store.session import Store
from tests.journeys import history
from tests.journeys.process import KEY, Ground, Program, started
from tests.load.torrent import BRAND, Torrent

LOOK = 0.1  # seconds between two looks for new cases
BREATH = 1.0  # seconds between two looks at the process
WARM = 20.0  # posts in the second before anything is measured
AFTERWARDS = 120.0  # seconds to finish what is left when the torrent ends
PROMPT = 5.0  # seconds within which 99 of 100 cases are to be seen
SLOPE = 1.0  # megabytes a minute
MORE_FILES = 5
LONG_ENOUGH = 300.0  # seconds from which on a slope says something
MEGA = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Load:
    """How many posts a second, which share of them names the brand, and for how long."""

    rate: float
    share: float
    seconds: float


@dataclass(slots=True)
class Report:
    """What was seen while it ran, and what was left in the end."""

    load: Load
    sent: int = 0
    wanted: int = 0
    delays: list[float] = field(default_factory=list)  # seconds from published to visible
    moments: list[float] = field(default_factory=list)  # when the process was looked at
    memory: list[float] = field(default_factory=list)  # megabytes
    files: list[int] = field(default_factory=list)
    processor: float = 0.0  # seconds that the process computed
    wrong: Sequence[str] = ()  # what the history says

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 cases needed at most."""
        return quantiles(self.delays, n=100)[98] if len(self.delays) > 1 else float("inf")

    @property
    def slope(self) -> float:
        """Megabytes a minute, after the first quarter, in which caches fill."""
        calm = len(self.moments) // 4
        return 60 * linear_regression(self.moments[calm:], self.memory[calm:]).slope

    @property
    def more_files(self) -> int:
        """How many more files were open in the last quarter than in the one after the first."""
        quarter = max(1, len(self.files) // 4)
        return max(self.files[-quarter:]) - max(self.files[quarter : 2 * quarter])

    def faults(self) -> list[str]:
        """What must not be."""
        faults = [*self.wrong]
        if self.p99 >= PROMPT:
            faults.append(f"99 of 100 cases were visible after {self.p99:.1f} s, not {PROMPT:.0f}")
        if self.load.seconds >= LONG_ENOUGH and self.slope >= SLOPE:
            faults.append(f"memory grows by {self.slope:.2f} MB a minute")
        if self.more_files > MORE_FILES:
            faults.append(f"{self.more_files} more files are open")
        return faults

    @override
    def __str__(self) -> str:
        middle = quantiles(self.delays, n=100)[49] if len(self.delays) > 1 else float("inf")
        short = "" if self.load.seconds >= LONG_ENOUGH else " (too short a run to judge)"
        figures = {
            "posts sent": f"{self.sent:,} in {self.load.seconds:,.0f} s",
            "naming us": f"{self.wanted:,}",
            "cases seen": f"{len(self.delays):,}",
            "published to seen": f"p50 {middle:.2f} s, p99 {self.p99:.2f} s",
            "memory": f"{self.memory[0]:.0f} MB first, {max(self.memory):.0f} MB most",
            "its growth": f"{self.slope:+.2f} MB a minute{short}",
            "processor": f"{self.processor:.1f} s",
            "open files": f"{self.files[0]} first, {max(self.files)} most",
            "history": f"{len(self.wrong)} faults",
        }
        return "\n".join(f"{name:18} {figure}" for name, figure in figures.items())


async def soak(ground: Ground, load: Load) -> Report:
    """Run it all; the torrent's own process is this one."""
    report = Report(load)
    async with Torrent() as torrent, history.kept_in(ground.database) as store:
        await set_up(store, torrent)
        told = Ground(ground.folder, ground.database, [torrent.host_port], ground.model)
        async with started(told, "run") as program:
            await asyncio.wait_for(torrent.heard.wait(), AFTERWARDS)
            await torrent.flow(WARM, 1, share=1)  # loads the model and fills the first caches
            await history.until_finished(store, lambda: torrent.said, AFTERWARDS)
            eyes = Eyes(store, report, newest=len((await history.of(store)).cases))
            before = eyes.newest
            async with asyncio.TaskGroup() as tasks:
                flowing = tasks.create_task(torrent.flow(load.rate, load.seconds, load.share))
                tasks.create_task(eyes.on_cases(flowing))
                tasks.create_task(eyes.on_process(program, flowing))
            report.sent, report.wanted = torrent.sent, len(torrent.said)
            try:
                found = await history.until_finished(store, lambda: torrent.said, AFTERWARDS)
                await eyes.look()
            except AssertionError:  # time is up: every fault is named below
                found = await history.of(store)
            report.wrong = [*found.broken(torrent.said), *found.unfinished(torrent.said)]
            if (seen := len(report.delays)) != (cases := len(found.cases) - before):
                report.wrong += [f"{seen} of {cases} cases were seen"]
    return report


async def set_up(store: Store, torrent: Torrent) -> None:
    """One brand, and one source that is heard."""
    await schema.ensure(store)
    options = {"api": torrent.url, "stream": "jetstream"}
    plan = Plan.model_validate(
        {
            "brand": [{"name": BRAND, "query": BRAND}],
            "source": [{"name": "Torrent", "connector": "bluesky", "options": options}],
        }
    )
    await apply(store, plan, Seal(KEY))


class Eyes:
    """Sees new cases as a page would see them, and the process as its operator would."""

    def __init__(self, store: Store, report: Report, newest: int) -> None:
        self.store = store
        self.report = report
        self.newest = newest  # the number of the last case that was seen

    async def on_cases(self, until: "asyncio.Task[None]") -> None:
        """Look for new cases as long as posts come."""
        while not until.done():
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """How long after its post was published each new case is seen."""
        query = (
            select(Case.id, Mention.published_at)
            .join(Mention, col(Mention.case_id) == col(Case.id))
            .where(col(Case.id) > self.newest)
        )
        async with self.store.reading() as session:
            fresh = (await session.exec(query)).all()
        now = datetime.now(UTC)
        for number, published in fresh:
            self.newest = max(self.newest, number or 0)
            self.report.delays.append((now - published).total_seconds())

    async def on_process(self, program: Program, until: "asyncio.Task[None]") -> None:
        """Look at the memory and the open files of the process; it has to live."""
        before = computed(program.pid)
        while not until.done():
            assert program.code() is None, f"It ended with {program.code()}:\n{program.said}"
            self.report.moments.append(time.monotonic())
            self.report.memory.append(program.memory / MEGA)
            self.report.files.append(open_files(program.pid))
            self.report.processor = computed(program.pid) - before
            await asyncio.sleep(BREATH)


def open_files(pid: int) -> int:
    """How many files, sockets and pipes a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def computed(pid: int) -> float:
    """Seconds that a process has computed so far, in the kernel and outside."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
