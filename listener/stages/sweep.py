"""Housekeeping: words that have been kept long enough are forgotten."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from listener.stages.reach import usable
from listener.store import logins, sweeping
from listener.store.session import Store, now
from listener.store.sweeping import Keeping

log = structlog.get_logger(__name__)


@dataclass
class Sweep:
    """Forgets in small batches, so that nobody waits for the broom."""

    store: Store
    keeping: Keeping

    async def step(self) -> int:
        """Forget one batch; say how many there were."""
        async with self.store.transaction() as session:
            moment = await now(session)
            forgotten = await sweeping.forget_words(
                session, self.keeping, by_connector=limits(), now=moment
            )
            await sweeping.drop_leftovers(session, now=moment)
            await logins.sweep(session, now=moment)
        if forgotten:
            log.info("forgotten", mentions=forgotten)
        return forgotten


def limits() -> dict[str, timedelta]:
    """How long each place's terms let its words be kept, where they say so."""
    return {name: kept for name, kind in usable().items() if (kept := kind.keeps.text) is not None}
