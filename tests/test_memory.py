"""Memory that nobody uses any more goes back to the system, while the program runs."""

import asyncio
import ctypes
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from listener.app import memory

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


def test_where_nothing_gives_it_back_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: sys)

    assert memory.trim()(0) == 0
