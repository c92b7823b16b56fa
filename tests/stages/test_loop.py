"""A stage outlives whatever a step meets, and says a failure once and its end once."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from listener.stages.loop import fault, forever, rest
from listener.store.session import DatabaseTrouble

MOMENT = timedelta(milliseconds=1)
LONG = timedelta(seconds=60)


async def lived(*steps: int | Exception, idle: timedelta = MOMENT) -> list[dict[str, object]]:
    """What a stage logs while its steps end like this, one after the other."""
    stop = asyncio.Event()
    script: Iterator[int | Exception] = iter(steps)

    async def step() -> int:
        what = next(script, None)
        if what is None:
            stop.set()
            return 0
        if isinstance(what, Exception):
            raise what
        return what

    with capture_logs() as logged:
        async with asyncio.timeout(60):
            await forever("judge", step, wake=asyncio.Event(), idle=idle, stop=stop)
    return [dict(line) for line in logged]


async def test_a_failure_is_said_once_and_its_end_once() -> None:
    down = DatabaseTrouble("The database is away.")

    logged = await lived(0, down, down, down, 1, 0, down, 0)

    assert logged == [
        {"event": "stage fails", "stage": "judge", "why": "The database is away.",
         "log_level": "error"},
        {"event": "stage works again", "stage": "judge", "log_level": "info"},
        {"event": "stage fails", "stage": "judge", "why": "The database is away.",
         "log_level": "error"},
        {"event": "stage works again", "stage": "judge", "log_level": "info"},
    ]  # fmt: skip


async def test_a_stage_that_is_well_says_nothing() -> None:
    assert await lived(0, 5, 0, 0, 3) == []


async def test_a_fault_of_any_kind_is_survived_and_never_quoted() -> None:
    [line, _] = await lived(ValueError("the post said: a canary"), 0)

    assert "canary" not in str(line)
    assert str(line["why"]).startswith("ValueError in lived.<locals>.step, line ")


async def test_while_there_is_work_nobody_rests() -> None:
    await lived(*[1] * 1000, idle=timedelta(seconds=0))


async def test_a_step_that_fails_does_not_spin() -> None:
    times = 0
    stop = asyncio.Event()

    async def step() -> int:
        nonlocal times
        times += 1
        raise DatabaseTrouble("The database is away.")

    stage = asyncio.create_task(forever("judge", step, wake=asyncio.Event(), idle=LONG, stop=stop))
    await asyncio.sleep(0.1)
    stage.cancel()
    await asyncio.gather(stage, return_exceptions=True)

    assert times == 1


async def test_who_is_woken_works_at_once() -> None:
    wake, stop = asyncio.Event(), asyncio.Event()
    worked = asyncio.Semaphore(0)

    async def step() -> int:
        worked.release()
        return 0

    stage = asyncio.create_task(forever("judge", step, wake=wake, idle=LONG, stop=stop))
    async with asyncio.timeout(60):
        await worked.acquire()
        wake.set()
        await worked.acquire()
        stop.set()
        wake.set()
        await stage


async def test_a_nudge_that_is_lost_is_made_up_for() -> None:
    times = 0
    stop = asyncio.Event()

    async def step() -> int:
        nonlocal times
        times += 1
        if times == 3:
            stop.set()
        return 0

    async with asyncio.timeout(60):
        await forever("judge", step, wake=asyncio.Event(), idle=MOMENT, stop=stop)


async def test_cancelling_passes_through() -> None:
    async def step() -> int:
        await asyncio.sleep(60)
        return 0

    stage = asyncio.create_task(
        forever("judge", step, wake=asyncio.Event(), idle=MOMENT, stop=asyncio.Event())
    )
    await asyncio.sleep(0)
    stage.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stage


async def test_resting_ends_when_somebody_wakes_us() -> None:
    wake = asyncio.Event()
    wake.set()

    async with asyncio.timeout(60):
        await rest(wake, LONG)


def test_a_fault_is_named_by_its_kind_and_place_alone() -> None:
    def read(text: str) -> None:
        raise KeyError(text)

    def caught(deed: Callable[[str], None]) -> BaseException:
        try:
            deed("a canary")
        except KeyError as error:
            return error
        raise AssertionError

    said = fault(caught(read))

    assert "canary" not in said
    assert said.startswith("KeyError in ")
    assert ".read, line " in said
    assert fault(ValueError("a canary")) == "ValueError"
