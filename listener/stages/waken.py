"""Waking: what was snoozed until now, or until it spread, is told to be back."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from listener.store import history, spreading, waking
from listener.store.session import Store, now

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=1)  # themes are looked through every five


@dataclass
class Waken:
    """Looks for cases whose time has come.

    They are in the queues from that moment by themselves; this writes it down, so that open
    pages and channels hear of it.
    """

    store: Store
    wake_notify: asyncio.Event
    looked_at: datetime | None = None  # whether anything has spread

    async def step(self) -> int:
        """Wake one batch, and what has spread; say how many there were."""
        async with self.store.reading() as session:
            moment = await now(session)
            due = await waking.is_due(session, now=moment)
            spread = self.looks(moment) and bool(await spreading.gained(session, now=moment))
        if not due and not spread:
            return 0  # nearly always, and without a write
        async with self.store.transaction() as session:
            moment = await now(session)
            channels = await history.channels(session)
            woken = await waking.wake_due(session, channels=channels, now=moment)
            if spread:
                woken += await spreading.wake_spread(session, channels=channels, now=moment)
        if woken:
            self.wake_notify.set()
            log.info("woken", cases=woken)
        return woken

    def looks(self, moment: datetime) -> bool:
        """Whether it is time to look for what has spread."""
        if self.looked_at is not None and timedelta() <= moment - self.looked_at < EVERY:
            return False
        self.looked_at = moment
        return True
