"""How a stage runs: step while there is work, sleep when there is none, survive."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from listener.store.session import DatabaseTrouble
from models.errors import ModelError

log = structlog.get_logger(__name__)


async def forever(
    name: str,
    step: Callable[[], Awaitable[int]],
    *,
    wake: asyncio.Event,
    idle: timedelta,
    stop: asyncio.Event,
) -> None:
    """Run `step` until told to stop; say once that it fails and once that it works again."""
    failing = False
    while not stop.is_set():
        wake.clear()
        try:
            busy = await step() > 0
        except (DatabaseTrouble, ModelError) as error:
            busy = False
            if not failing:
                log.error("stage fails", stage=name, why=str(error))
            failing = True
        except Exception as error:  # noqa: BLE001  (a stage outlives whatever one step meets)
            busy = False
            if not failing:
                log.error("stage fails", stage=name, why=fault(error))
            failing = True
        else:
            if failing:
                log.info("stage works again", stage=name)
            failing = False
        if not busy and not stop.is_set():
            await rest(wake, idle)


async def rest(wake: asyncio.Event, idle: timedelta) -> None:
    """Wait until woken, but not longer than `idle`."""
    try:
        async with asyncio.timeout(idle.total_seconds()):
            await wake.wait()
    except TimeoutError:
        pass


def fault(error: BaseException) -> str:
    """What kind of fault it was and where, without its message: that may quote a post."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = (
        "" if trace is None else f" in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}"
    )
    return f"{type(error).__name__}{where}"
