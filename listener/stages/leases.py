"""Leases: what this worker has taken stays its own for as long as it is alive."""

import asyncio
from dataclasses import dataclass, field

import structlog

from listener.store import sources
from listener.store.session import DatabaseTrouble, Store, now
from listener.store.sources import Turn

log = structlog.get_logger(__name__)

BEAT = sources.LEASE / 3


@dataclass
class Leases:
    """The readings this worker is walking at this moment."""

    store: Store
    worker: str
    held: dict[int, int] = field(default_factory=dict)  # the fence of each

    def hold(self, turn: Turn) -> None:
        """Keep a turn's reading from now on."""
        self.held[turn.reading_id] = turn.fence

    def let_go(self, turn: Turn) -> None:
        """Keep it no longer, unless this worker has taken it again since."""
        if self.held.get(turn.reading_id) == turn.fence:
            del self.held[turn.reading_id]

    async def beat(self) -> None:
        """Renew them until cancelled. A worker that cannot reach the database loses them."""
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            if not self.held:
                continue
            try:
                async with self.store.transaction() as session:
                    await sources.renew(
                        session, self.held, worker=self.worker, now=await now(session)
                    )
            except DatabaseTrouble as error:
                log.warning("leases were not renewed", why=str(error))

    async def give_back(self) -> None:
        """Let others have at once what this worker had."""
        async with self.store.transaction() as session:
            await sources.give_back(session, worker=self.worker)
