"""Feeds spoilt inputs to readers in a process of its own, so that a fall or a hang has a name.

with Victim(readers.everyone()) as victim:
    victim.eats("feeds", body)     # None when it was borne, else a sentence of what went wrong
"""

import asyncio
import multiprocessing
import random
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fuzz.readers import Reader, everyone, judged
from tests.fuzz.spoiled import spoil

PATIENCE = 60.0  # seconds for one input; feeds have thirty for themselves
READY = 120.0  # seconds to start on a busy machine
BORNE = "borne: "
context = multiprocessing.get_context("spawn")


@dataclass(slots=True)
class Findings:
    """What was fed and what fell."""

    fed: Counter[str] = field(default_factory=Counter)
    became: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    fell: list[str] = field(default_factory=list)


class Victim:
    """A process that reads what it is given; when it falls or hangs, another takes its place."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def eats(self, reader: str, body: bytes) -> str:
        """What became of an input: begins with BORNE, or says what went wrong."""
        line = self._line or self._begin()
        line.send((reader, body))
        if not line.poll(self.patience):
            self._end()
            return f"it hangs: no end after {self.patience:.0f} s"
        try:
            became: str = line.recv()
        except EOFError:
            self._end()
            return "the process died"
        return became

    def _begin(self) -> Connection:
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_eat, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._line.poll(READY):
            raise TimeoutError("the process that is to be fed does not start")
        self._line.recv()
        return self._line

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def _eat(line: Connection) -> None:
    warnings.simplefilter("ignore")
    readers = {reader.name: reader for reader in everyone()}
    line.send("ready")
    while True:
        try:
            name, body = line.recv()
        except EOFError:
            return
        try:
            became = BORNE + asyncio.run(judged(readers[name], body))
        except Exception:  # noqa: BLE001  (whatever it is, it is a finding)
            became = traceback.format_exc(limit=-6)
        line.send(became)


def inputs(readers: Sequence[Reader], seed: int, heavy: float) -> Iterator[tuple[str, bytes]]:
    """Spoilt samples without an end, each reader in turn; the same for the same seed."""
    lot = random.Random(seed)  # noqa: S311  (decides what is spoilt, guards nothing)
    while True:
        for reader in readers:
            yield reader.name, spoil(lot.choice(reader.samples), lot, heavy=heavy)


def feed(
    readers: Sequence[Reader],
    seed: int,
    keep: Path,
    *,
    seconds: float = float("inf"),
    most: int | None = None,
    heavy: float = 0.02,
) -> Findings:
    """Feed until the time is up or so many were fed; what fell is kept in a folder, by name."""
    findings = Findings()
    until = time.monotonic() + seconds
    with Victim() as victim:
        for name, body in inputs(readers, seed, heavy):
            if time.monotonic() > until or (most is not None and findings.fed.total() >= most):
                break
            began = time.monotonic()
            became = victim.eats(name, body)
            took = time.monotonic() - began
            findings.fed[name] += 1
            findings.slowest = max(findings.slowest, (took, f"{name}, {len(body):,} bytes"))
            if became.startswith(BORNE):
                findings.became[became.removeprefix(BORNE)] += 1
                continue
            keep.mkdir(parents=True, exist_ok=True)
            path = keep / f"{name}-{blake2b(body, digest_size=6).hexdigest()}"
            path.write_bytes(body)
            findings.fell.append(f"{name} fell over {path}:\n{became}")
    return findings
