"""Last stage: notices leave through their channels, each until it has arrived."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog

from connectors.kit.errors import ConnectorError
from listener.channels.contract import Channel, Telling, Undelivered
from listener.domain.notice import News, Notice
from listener.domain.secret import WrongKey
from listener.stages.loop import fault
from listener.store import notices
from listener.store.notices import Due
from listener.store.session import Store, now

log = structlog.get_logger(__name__)

BATCH = 50
GATHER = timedelta(milliseconds=250)


@dataclass
class Notify:
    """Takes due notices, sends them, keeps what became of each."""

    store: Store
    channel: Callable[[str], Awaitable[Channel | None]]  # by name, as set up now
    batch: int = BATCH
    sent: int = 0
    failed: int = 0
    taken: Sequence[Due] = ()  # and neither told nor given back
    told: list[tuple[Due, str | None]] = field(default_factory=list)  # and not yet kept

    async def step(self) -> int:
        """Send one batch; say how many were due."""
        await self.settle()  # what the last step left, when the database was away
        due = self.taken = await self.take()
        kept_at = monotonic()
        try:
            for one, others in folded(due):
                why = await self.work(one)
                self.told += [(notice, why) for notice in (*others, one)]
                if monotonic() - kept_at > GATHER.total_seconds():
                    await self.keep(self.told)
                    self.told, kept_at = [], monotonic()
            await self.keep(self.told)
        except asyncio.CancelledError:
            await self.settle()
            raise
        self.told, self.taken = [], ()
        return len(due)

    async def take(self) -> list[Due]:
        """The notices whose time has come, leased to this worker."""
        async with self.store.transaction() as session:
            return list(await notices.take(session, limit=self.batch, now=await now(session)))

    async def work(self, due: Due) -> str | None:
        """Send one, outside any transaction; None when it arrived, else why not."""
        try:
            channel = await self.channel(due.notice.channel)
            if channel is None:
                return "There is no such channel any more."
            await channel.send(telling(due))
        except (Undelivered, ConnectorError, WrongKey) as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  (a fault in one channel stops only its notices)
            return fault(error)
        return None

    async def keep(self, told: Sequence[tuple[Due, str | None]]) -> None:
        """That they were told, or when they are tried again.

        What is told within a moment is kept together; a process that dies in that moment
        tells it again under the same ids.
        """
        if not told:
            return
        reasons = {due.notice.key: why for due, why in told}
        failures = {number: why for number, why in reasons.items() if why is not None}
        arrived = [number for number, why in reasons.items() if why is None]
        async with self.store.transaction() as session:
            # All of them in one order, so that two who tell the same never block each other.
            standing = await notices.locked(session, list(reasons)) if failures else []
            missed = [notice for notice in standing if notice.key in failures]
            moment = await now(session)
            for notice in missed:
                notice.missed(failures[notice.key], moment)
            sent = await notices.told(session, arrived, now=moment)
        self.sent += sent
        for notice in missed:
            self.count(notice, failures[notice.key])

    def count(self, notice: Notice, why: str) -> None:
        """Count a notice that did not arrive; say the first failure and the last."""
        self.failed += 1
        if notice.tries == 1:
            log.warning("notice not told", channel=notice.channel, why=why)
        if notice.failed_at is not None:
            log.error("notice given up", channel=notice.channel, case=notice.case_id, why=why)

    async def settle(self) -> None:
        """Keep what was told, and let another worker tell at once what was not."""
        if self.told:
            await self.keep(self.told)
            self.told = []
        if self.taken:
            async with self.store.transaction() as session:
                await notices.give_back(session, [one.notice.key for one in self.taken])
            self.taken = ()


def folded(due: Sequence[Due]) -> list[tuple[Due, list[Due]]]:
    """The notices to send, each with those that it makes needless.

    Changes of one case, for one channel, that wait together are told once, by the last: a
    notice tells how the case stands now, so the earlier ones would say the same.
    """
    groups: dict[tuple[str, int, bool], list[Due]] = {}
    for one in due:
        changed = one.notice.news is News.CHANGED
        key = (one.notice.channel, one.case.key if changed else one.notice.key, changed)
        groups.setdefault(key, []).append(one)
    return [(group[-1], group[:-1]) for group in groups.values()]


def telling(due: Due) -> Telling:
    """What a notice tells, from its case as it stands now."""
    case, mention = due.case, due.mention
    return Telling(
        id=f"notice_{due.notice.key}",
        news=due.notice.news,
        what=due.event.what,
        at=due.event.at,
        case_id=case.key,
        brand=due.brand,
        status=case.status,
        urgent=case.urgent,
        unsure=case.unsure,
        priority=case.priority,
        reasons=tuple(case.reasons),
        due_at=case.due_at,
        owner=due.owner,
        mentions=case.mentions,
        outcome=case.outcome and case.outcome.value,
        connector="" if mention is None else mention.connector,
        source=due.source,
        author="" if mention is None else mention.author_name or mention.author_handle,
        stars=None if mention is None else mention.stars,
        quote="" if mention is None else mention.words,
        url="" if mention is None else mention.url,
    )
