"""Makes the words of mentions findable, behind everything that is more pressing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from listener.store import search
from listener.store.search import Indexed, Unread
from listener.store.session import Store

BATCH = 200


@dataclass
class Index:
    """Takes mentions whose words nobody can find yet, cuts them, enters them."""

    store: Store
    batch: int = BATCH
    entered: int = 0

    async def step(self) -> int:
        """Enter one batch; say how many there were.

        Several may do the same at once: what one has entered, the other finds entered.
        """
        waiting = await self.take()
        if not waiting:
            return 0
        return await self.keep(await asyncio.to_thread(self.work, waiting))

    async def take(self) -> Sequence[Unread]:
        """The mentions that wait. They are not leased: entering words twice harms nothing."""
        async with self.store.reading() as session:
            return await search.unread(session, limit=self.batch)

    def work(self, waiting: Sequence[Unread]) -> list[Indexed]:
        """Cut their words."""
        return [search.indexed(mention) for mention in waiting]

    async def keep(self, read: Sequence[Indexed]) -> int:
        """Enter those that have not changed meanwhile."""
        async with self.store.transaction() as session:
            entered = await search.enter(session, read)
        self.entered += entered
        return entered
