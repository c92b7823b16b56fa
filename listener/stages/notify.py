"""Last stage: notices leave through their channels, each until it has arrived."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog

from connectors.kit.errors import AccessDenied, ConnectorError
from listener.channels.contract import Channel, Gathering, NotNow, Telling, Undelivered
from listener.domain.event import What
from listener.domain.mention import Mention
from listener.domain.notice import TERMINAL, News, Notice
from listener.domain.secret import WrongKey
from listener.stages import detour
from listener.stages.loop import fault
from listener.stages.telling import GONE
from listener.store import notices
from listener.store.notices import Due
from listener.store.rows import spans
from listener.store.session import Store, now

log = structlog.get_logger(__name__)

Group = tuple[Due, list[Due]]  # a notice, and those that it makes needless

BATCH = 50
GATHER = timedelta(milliseconds=250)


@dataclass
class Notify:
    """Takes due notices, sends them, keeps what became of each."""

    store: Store
    channel: Callable[[Notice], Awaitable[Channel | None]]  # as set up now
    mails: bool = False  # whether mail leaves this house, when Slack does not take something
    batch: int = BATCH
    patience: timedelta = notices.LEASE / 2  # then what is left is another batch's
    sent: int = 0
    failed: int = 0
    taken: Sequence[Due] = ()  # and neither told nor given back
    told: list[tuple[Due, str | None]] = field(default_factory=list)  # and not yet kept
    lasting: set[int] = field(default_factory=set)  # what no waiting mends
    partly: dict[int, str] = field(default_factory=dict)  # who did not get what others got
    opened: dict[str, Channel | None] = field(default_factory=dict)  # named ones, for one batch

    async def step(self) -> int:
        """Send one batch; say how many were due."""
        await self.settle()  # what the last step left, when the database was away
        self.opened = {}
        due = self.taken = await self.take()
        taken_at = kept_at = monotonic()
        try:
            apart, together = await self.sorted(folded(due))
            for number, (one, others) in enumerate(apart):
                if number and monotonic() - taken_at > self.patience.total_seconds():
                    await self.let_go(
                        [*apart[number:], *(each for _, rest in together for each in rest)]
                    )
                    together = []
                    break
                why = await self.work(one)
                self.told += [(notice, why) for notice in (*others, one)]
                leaves = one.notice.channel != TERMINAL
                if leaves or monotonic() - kept_at > GATHER.total_seconds():
                    await self.keep(self.told)
                    self.told, kept_at = [], monotonic()
            await self.keep(self.told)
            self.told = []
            for channel, group in together:
                await self.gather(channel, group)
        except asyncio.CancelledError:
            await self.settle()
            raise
        self.told, self.taken = [], ()
        return len(due)

    async def opening(self, notice: Notice) -> Channel | None:
        """The channel of a notice; a named one is set up once for a batch, a person's each time."""
        if notice.staff_id is not None:
            return await self.channel(notice)
        if notice.channel not in self.opened:
            self.opened[notice.channel] = await self.channel(notice)
        return self.opened[notice.channel]

    async def let_go(self, groups: Sequence[Group]) -> None:
        """Leave these to whoever comes next: our lease on them may end before we come to them."""
        numbers = [due.notice.key for one, others in groups for due in (one, *others)]
        async with self.store.transaction() as session:
            await notices.give_back(session, numbers)

    async def take(self) -> list[Due]:
        """The notices whose time has come, leased to this worker."""
        async with self.store.transaction() as session:
            return list(await notices.take(session, limit=self.batch, now=await now(session)))

    async def sorted(
        self, groups: Sequence[Group]
    ) -> tuple[list[Group], list[tuple[Gathering, list[Group]]]]:
        """What is told one by one, and what goes together to a channel that wants it so."""
        apart: list[Group] = []
        together: dict[tuple[str, int | None], tuple[Gathering, list[Group]]] = {}
        for group in groups:
            notice = group[0].notice
            whose = (notice.channel, notice.staff_id)
            if whose not in together:
                try:
                    channel = await self.opening(notice)
                except Exception:  # noqa: BLE001  (`work` meets it again, and says it)
                    channel = None
                if not isinstance(channel, Gathering):
                    apart.append(group)
                    continue
                together[whose] = (channel, [])
            together[whose][1].append(group)
        return apart, list(together.values())

    async def gather(self, channel: Gathering, groups: Sequence[Group]) -> None:
        """Tell one channel as much as it wants to hear now; the rest has to wait a moment."""
        by_id = {f"notice_{one.notice.key}": (one, others) for one, others in groups}
        wait = NotNow().wait
        told: frozenset[str] = frozenset()
        failed: Mapping[str, str] = {}
        try:
            outcome = await channel.gather([telling(one) for one, _ in groups])
            told, failed, wait = outcome.told, outcome.failed, outcome.wait
        except NotNow as later:
            wait = later.wait
        except (Undelivered, ConnectorError, WrongKey) as error:
            failed = dict.fromkeys(by_id, str(error))
            if lasts(error):
                self.lasting |= {one.notice.key for one, _ in groups}
        except Exception as error:  # noqa: BLE001  (a fault in one channel stops only its notices)
            failed = dict.fromkeys(by_id, fault(error))
        for name, (one, others) in by_id.items():
            if name in told or name in failed:
                self.told += [(notice, failed.get(name)) for notice in (*others, one)]
        await self.keep(self.told)
        self.told = []
        rest = [
            due.notice.key
            for name, (one, others) in by_id.items()
            if name not in told and name not in failed
            for due in (one, *others)
        ]
        if rest:
            async with self.store.transaction() as session:
                until = await now(session) + wait
                await notices.give_back(session, rest, until=until)

    async def work(self, due: Due) -> str | None:
        """Send one, outside any transaction; None when it arrived, else why not."""
        try:
            channel = await self.opening(due.notice)
            if channel is None:
                self.lasting.add(due.notice.key)
                return GONE
            partly = await channel.send(telling(due))
        except (Undelivered, ConnectorError, WrongKey) as error:
            if lasts(error):
                self.lasting.add(due.notice.key)
            return str(error)
        except Exception as error:  # noqa: BLE001  (a fault in one channel stops only its notices)
            return fault(error)
        if partly is not None:
            self.partly[due.notice.key] = partly
        return None

    async def keep(self, told: Sequence[tuple[Due, str | None]]) -> None:
        """That they were told, or when they are tried again.

        What is printed within a moment is kept together. What leaves the house is kept at once: a
        process that dies repeats one message at most, under the same id.
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
            if self.mails:
                await detour.by_mail(session, missed, self.lasting, moment)
            sent = await notices.told(session, arrived, now=moment)
            for number in self.partly.keys() & set(arrived):
                await notices.partly(session, number, self.partly[number])
        self.lasting -= reasons.keys()
        for number in arrived:
            self.partly.pop(number, None)
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


def lasts(error: Exception) -> bool:
    """Whether somebody has to do something before it can work again."""
    return isinstance(error, WrongKey | AccessDenied) or getattr(error, "lasting", False)


def folded(due: Sequence[Due]) -> list[Group]:
    """The notices to send, each with those that it makes needless.

    Changes of one case, for one channel or person, that wait together are told once, by the last: a
    notice tells how the case stands now, so the earlier ones would say the same.
    """
    groups: dict[tuple[str, int | None, int, bool], list[Due]] = {}
    for one in due:
        changed = one.notice.news is News.CHANGED
        about = one.case.key if changed else one.notice.key
        key = (one.notice.channel, one.notice.staff_id, about, changed)
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
        marks=() if mention is None else marks(mention),
        reach=None if mention is None else mention.reach or mention.author_reach,
        gone=mention is not None and mention.deleted_at is not None,
        opened_at=case.opened_at,
        taken_at=due.event.at if due.event.what in (What.TAKEN, What.TAKEN_OVER) else None,
        answered_at=case.answered_at,
        closed_at=case.closed_at,
        snoozed_until=case.snoozed_until,
        why=due.notice.why or "",
    )


def marks(mention: Mention) -> tuple[tuple[int, int], ...]:
    """Where its words name the brand, its title and its text being told as one."""
    if mention.deleted_at is not None:
        return ()
    before = len(mention.title) + len("\n\n") if mention.title else 0
    title = spans(mention.marks, "title")
    text = spans(mention.marks, "text")
    return (*title, *((start + before, end + before) for start, end in text))
