"""Waking: what was snoozed until now is told to be back."""

import asyncio
from dataclasses import dataclass

import structlog

from listener.store import history, waking
from listener.store.session import Store, now

log = structlog.get_logger(__name__)


@dataclass
class Waken:
    """Looks for cases whose time has come.

    They are in the queues from that moment by themselves; this writes it down, so that open
    pages and channels hear of it.
    """

    store: Store
    wake_notify: asyncio.Event

    async def step(self) -> int:
        """Wake one batch; say how many there were."""
        async with self.store.reading() as session:
            if not await waking.is_due(session, now=await now(session)):
                return 0  # nearly always, and without a write
        async with self.store.transaction() as session:
            moment = await now(session)
            woken = await waking.wake_due(
                session, channels=await history.channels(session), now=moment
            )
        if woken:
            self.wake_notify.set()
            log.info("woken", cases=woken)
        return woken
