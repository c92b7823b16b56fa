"""Lets requests of one key through one after the other, no faster than their place allows."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic

from asyncio_throttle.throttler import Throttler

from connectors.kit.contract import Pace
from connectors.kit.errors import TryLater
from connectors.kit.web.waits import asked_to_wait

FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=15)


class Lane:
    """All requests of one key: a credential and a group of endpoints.

    At most `pace.requests` within `pace.per` and `pace.at_once` under way, first come first
    served. Who would have to wait longer than `patience` is sent away with `TryLater`, so that
    no worker sleeps; a place that wants to be left alone closes the lane for everybody.
    """

    def __init__(self, pace: Pace, *, now: Callable[[], datetime], patience: timedelta) -> None:
        self.not_before: datetime | None = None
        self._now = now
        self._patience = patience.total_seconds()
        self._window = Window(pace)
        self._at_once = asyncio.Semaphore(pace.at_once)
        self._door = asyncio.Lock()
        self._waiting = 0
        self._refusals = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the right to make one request, and hold it until the answer is there."""
        stamp = await self._wait()
        try:
            yield
        finally:
            self._at_once.release()
            self._window.answered(stamp)

    def learn(self, status: int, headers: Mapping[str, str]) -> timedelta | None:
        """Close the lane as the place asks; how long it has to stay closed, if at all."""
        now = self._now()
        wait = asked_to_wait(status, headers, now)
        if status == 429:
            self._refusals += 1
            wait = wait or self._backoff()
        elif status < 400:
            self._refusals = 0
        if wait is not None:
            self.not_before = max(self.not_before or now, now + wait)
        return wait

    async def _wait(self) -> float:
        self._turn_away_if_too_long(self._window.opens_in(self._waiting))
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience * 1.5):
                await self._at_once.acquire()
                try:
                    return await self._pass_the_door()
                except BaseException:
                    self._at_once.release()
                    raise
        except TimeoutError:
            raise TryLater(
                "The place is slow and others are before us in the line.",
                wait=timedelta(seconds=self._patience),
            ) from None
        finally:
            self._waiting -= 1

    async def _pass_the_door(self) -> float:
        # The throttler polls and is not fair; behind a lock only one task polls, in order.
        async with self._door:
            while (closed := self.closed_for) > 0:
                self._turn_away_if_too_long(closed)
                await asyncio.sleep(closed)
            return await self._window.take()

    def _turn_away_if_too_long(self, seconds: float) -> None:
        seconds = max(seconds, self.closed_for)
        if seconds > self._patience:
            wait = timedelta(seconds=seconds)
            raise TryLater(
                f"The place allows the next request in {seconds:.0f} seconds.", wait=wait
            )

    @property
    def closed_for(self) -> float:
        """For how many seconds from now the place wants to be left alone; 0 or less when not."""
        if self.not_before is None:
            return 0
        return (self.not_before - self._now()).total_seconds()

    def _backoff(self) -> timedelta:
        """A refusal without a time: twice as long after each, and not all keys at once."""
        doubled: int = 2 ** min(self._refusals - 1, 10)
        longest = min(FIRST_BACKOFF * doubled, LONGEST_BACKOFF)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing


class Window(Throttler):
    """The requests of the last `per`, counted from their answers.

    Counted from the moment they were sent, two could reach the place closer together than
    they left here, and a strict place would see one too many.
    """

    def __init__(self, pace: Pace) -> None:
        seconds = pace.per.total_seconds()
        super().__init__(pace.requests, seconds, min(0.05, seconds / 100))

    async def take(self) -> float:
        """Wait for a free place in the window; the mark to hand back with the answer."""
        await self.acquire()  # type: ignore[no-untyped-call]  # the library has no types
        return self._task_logs[-1]

    def answered(self, stamp: float) -> None:
        """Count a request from now on."""
        with suppress(ValueError):
            self._task_logs.remove(stamp)
        self._task_logs.append(monotonic())

    def opens_in(self, ahead: int) -> float:
        """In how many seconds there is room for one more after `ahead` others."""
        self.flush()  # type: ignore[no-untyped-call]  # the library has no types
        late = ahead - (self.rate_limit - len(self._task_logs))
        if late < 0:
            return 0
        rounds, place = divmod(late, self.rate_limit)
        marks = self._task_logs
        first = marks[place] if place < len(marks) else monotonic()
        opens: float = first + (rounds + 1) * self.period
        return opens - monotonic()
