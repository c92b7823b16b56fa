"""Gives memory that nobody uses any more back to the system.

The C library of Linux keeps what it has got once, and the more of it the larger the pieces were that
it has seen: after a search for themes, whose tables take tens of megabytes for a second, it serves
the next ones from what it shares with the small pieces of all threads, and never gives them back.
Elsewhere nothing of this does anything.
"""

import asyncio
import ctypes
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

LARGE: Final = 512 * 1024  # bytes; a piece so large is the system's again when it is free
POOLS: Final = 2  # that threads get their small pieces from; each keeps its own holes

# From the C library's own malloc.h.
THRESHOLD: Final = -3
MOST_POOLS: Final = -8


def arrange() -> None:
    """Keep large pieces apart from small ones. To be done before anything large is there."""
    asked = library("mallopt")
    asked(THRESHOLD, LARGE)
    asked(MOST_POOLS, POOLS)


def trim() -> Callable[[int], int]:
    """What gives back pages that have become free between small pieces."""
    return library("malloc_trim")


def library(name: str) -> Callable[..., int]:
    """A function of the C library, where that is the one of Linux; else what does nothing."""
    try:
        found: Any = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError, TypeError):
        return lambda *_: 0
    return found  # type: ignore[no-any-return]


async def give_back(every: timedelta) -> None:
    """Give it back again and again, until cancelled."""
    asked = trim()
    while True:
        await asyncio.sleep(every.total_seconds())
        await asyncio.to_thread(asked, 0)
