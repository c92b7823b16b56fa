"""Memory that nobody uses any more goes back to the system, while the program runs."""

import asyncio
import ctypes
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from listener.app import memory

HOUSE = Path(__file__).parents[1]
PIECE, MANY = 1_000, 100_000  # bytes; far below what the C library gives back by itself


def resident() -> int:
    """Megabytes of this process that are in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1_000


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim"
)
async def test_what_was_freed_between_what_is_used_is_given_back() -> None:
    pieces = [bytes(PIECE) for _ in range(MANY)]
    pieces[:-1] = []  # the last one holds all that lies before it
    before = resident()

    giving = asyncio.create_task(memory.give_back(timedelta(0)))
    async with asyncio.timeout(60):
        while resident() > before - PIECE * MANY // 2_000_000:
            await asyncio.sleep(0.01)

    giving.cancel()
    with suppress(asyncio.CancelledError):
        await giving
    assert len(pieces) == 1


def given_back(first: str) -> int:
    """Megabytes that go when a large piece is freed below small ones, in a process of its own."""
    said = f"""
from listener.app import memory
from tests.test_memory import resident
{first}
large = b"x" * 20_000_000  # frees of such a size teach the C library to keep them
del large
large = b"x" * 20_000_000
small = [b"y" * 1_000 for _ in range(1_000)]
before = resident()
del large
print(before - resident())
"""
    told = [sys.executable, "-c", said]
    return int(subprocess.run(told, check=True, capture_output=True, cwd=HOUSE).stdout)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt"
)
def test_what_is_large_is_given_back_at_once() -> None:
    assert given_back("memory.arrange()") >= 19


def test_where_nothing_gives_it_back_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: sys)

    memory.arrange()
    assert memory.trim()(0) == 0
