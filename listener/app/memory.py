"""Gives memory that nobody uses any more back to the system."""

import asyncio
import ctypes
from collections.abc import Callable
from datetime import timedelta


def trim() -> Callable[[int], int]:
    """What gives it back, in the C library of Linux; elsewhere what does nothing.

    Several threads judge, read and write, and each frees small pieces between others that are
    still used. The C library keeps what it has got so for itself; asked, it gives back some of it
    (24 MB of 407, after minutes of load). It is not all that grows under load (#3).
    """
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _kept: 0
    return found


async def give_back(every: timedelta) -> None:
    """Give it back again and again, until cancelled."""
    asked = trim()
    while True:
        await asyncio.sleep(every.total_seconds())
        await asyncio.to_thread(asked, 0)
