"""Asking once, at the start, what every page of the desk asks, so that nobody's first page waits.

The questions are put into each database's words when they are first asked, and connections are
opened: a fifth of a second that whoever came first would have waited for.
"""

from contextlib import suppress

from listener.store import dossier, queue
from listener.store.queue import Queue, Viewer
from listener.store.session import DatabaseTrouble, Store, now

NOBODY = 0


async def warm(store: Store) -> None:
    """Ask as if for nobody; a database that cannot be reached is told of elsewhere."""
    with suppress(DatabaseTrouble):
        async with store.reading() as session:
            moment = await now(session)
            for brands in (None, [NOBODY]):
                viewer = Viewer(staff_id=NOBODY, brands=brands, now=moment, today=moment)
                await queue.counts(session, viewer)
                for one in Queue:
                    await queue.page(session, one, viewer)
            await dossier.read(session, NOBODY, now=moment)
