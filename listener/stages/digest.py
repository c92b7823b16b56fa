"""Digests go out: each reader's at the hour they chose, once, however often we are restarted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import structlog

from listener.channels.contract import Undelivered
from listener.desk.digesting import digest, pictures
from listener.domain.digest import Digest
from listener.domain.picture import Pictures
from listener.domain.span import holding
from listener.domain.staff import Staff
from listener.domain.subscription import known
from listener.store import subscriptions
from listener.store.session import Store, now
from listener.store.subscriptions import Reader

log = structlog.get_logger(__name__)

TOGETHER: Final = 5

Send = Callable[[Staff, str, Digest, Pictures, str], Awaitable[None]]


@dataclass
class Digests:
    """Writes letters that are due, and sends what was written.

    `send` gets the reader, an id that is the same at every try, the digest, what its
    pictures are drawn from, and the way it goes (MAIL or SLACK); it raises Undelivered with the reason. What could not be sent is tried again, longer apart each time.
    """

    store: Store
    send: Send

    async def step(self) -> int:
        """Write and send; say how many were tried."""
        await self.write()
        async with self.store.transaction() as session:
            taken = await subscriptions.take(session, limit=TOGETHER, now=await now(session))
        if not taken:
            return 0
        async with self.store.reading() as session:
            numbers = [letter.subscription_id for letter in taken]
            found = await subscriptions.readers(session, numbers)
        readers = {one.subscription.key: one for one in found}
        for letter in taken:
            why = await self.tell(letter.key, letter.first, readers.get(letter.subscription_id))
            async with self.store.transaction() as session:
                moment, kept = await now(session), await subscriptions.numbered(session, letter.key)
                if kept is None:
                    continue  # whoever wanted it wants it no more
                if why is None:
                    kept.sent_at, kept.taken_until, kept.failure = moment, None, None
                else:
                    kept.missed(why, moment)
        return len(taken)

    async def write(self) -> None:
        """Queue what the hour asks for."""
        async with self.store.reading() as session:
            moment = await now(session)
            written = await subscriptions.written(session)
            due = [
                (one.subscription.key, stretch.first)
                for one in await subscriptions.readers(session)
                if (stretch := one.subscription.due(one.person.zone, moment)) is not None
                and written.get(one.subscription.key) != stretch.first
            ]
        if not due:
            return
        async with self.store.transaction() as session:
            for number, first in due:
                await subscriptions.write(session, number, first, moment)

    async def tell(self, number: int, first: date, reader: Reader | None) -> str | None:
        """Make one and send it; None, or why that failed."""
        if reader is None:
            return "This person may not read of this brand any more."
        stretch = holding(reader.subscription.of, first, known(reader.person.zone))
        async with self.store.reading() as session:
            made = await digest(session, reader.brand, stretch, now=await now(session))
            drawn = await pictures(session, reader.brand, stretch)
        try:
            await self.send(reader.person, f"digest_{number}", made, drawn, reader.subscription.way)
        except Undelivered as error:
            log.warning("digest waits", letter=number, why=str(error))
            return str(error)
        log.info("digest sent", letter=number)
        return None
