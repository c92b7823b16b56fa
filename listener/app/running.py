"""The service as a command runs it: until told to stop, or once."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

import structlog

from listener.app import memory
from listener.app.parts import Parts
from listener.app.service import GRACE, Service, Stage
from listener.store import coverage, sources
from listener.web import pages
from listener.web.warming import warm
from models import shelf
from models.classifier import Classifier

log = structlog.get_logger(__name__)


async def serve(
    parts: Parts, only: Collection[Stage], begun: Callable[[], Awaitable[None]]
) -> None:
    """Run the service until SIGINT or SIGTERM; `begun` is called when nothing is in its way."""
    memory.arrange()
    classifier = await open_classifier(parts, only)
    service = Service(parts, classifier)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if only:  # a worker beside others: the pages are somebody else's
        settle()
        await begun()
        await service.run(only, stop)
    else:
        pages.prepare()
        await warm(parts.store)
        async with service.site.open(parts.settings.host, parts.settings.port):
            settle()
            await begun()
            await service.run(only, stop)
    log.info("stopped")


def settle() -> None:
    """Look for garbage only among what is made from now on.

    Code, templates and models stay for good: going through them all again takes Python a tenth
    of a second each time, in which nobody's page is answered.
    """
    gc.collect()
    gc.freeze()


async def leave() -> None:
    """Go, once everything is closed: not even a thread that hangs keeps us longer than a moment.

    A model that thinks, a name server that is silent, a database that another program has
    locked: none of them can be interrupted, and none of them holds anything that is not kept.
    """
    left: set[asyncio.Task[Any]] = asyncio.all_tasks()
    left.discard(asyncio.current_task())  # we are one
    left.add(asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor()))
    _, busy = await asyncio.wait(left, timeout=GRACE.total_seconds())
    if busy:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(0)


async def open_classifier(parts: Parts, only: Collection[Stage]) -> Classifier:
    """The classifier, where this process judges or learns at all."""
    if only and not {Stage.JUDGE, Stage.LEARN} & set(only):
        return await asyncio.to_thread(shelf.open, "lexicon")
    return await parts.judge_with()


async def run_once(parts: Parts, only: Collection[Stage] = ()) -> Mapping[str, Any]:
    """Do everything once, or some stages; report it as `listener run --once --json` prints it."""
    started = asyncio.get_running_loop().time()
    service = Service(parts, await open_classifier(parts, only))
    await service.once(only)
    poll, judge, notify = service.poll, service.judge, service.notify
    async with parts.store.reading() as session:
        everything = await sources.every(session)
        holes = {source.name: len(await coverage.gaps_of(session, source)) for source in everything}
    report = {
        source.name: {
            "read": poll.tally[source.name].posts if source.name in poll.tally else 0,
            "mentions": poll.tally[source.name].mentions if source.name in poll.tally else 0,
            "gaps": holes[source.name],
            "error": poll.errors.get(source.name),
        }
        for source in everything
        if source.active
    }
    return {
        "sources": report,
        "mentions": sum(one["mentions"] for one in report.values()),
        "judged": judge.judged,
        "cases": judge.opened,
        "notices": {"sent": notify.sent, "failed": notify.failed},
        "seconds": round(asyncio.get_running_loop().time() - started, 1),
    }
