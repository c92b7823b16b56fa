"""Asking again: what authors edited or deleted since we first saw it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.kit.contract import Author, Change, Connector, Rechecks, State
from connectors.kit.errors import ConnectorError
from listener.domain.mention import Mention
from listener.domain.secret import WrongKey
from listener.domain.source import Source, Way
from listener.stages.reach import Reach, usable
from listener.store import history, intake, mentions, sources
from listener.store.brands import Intake
from listener.store.newcomers import Rules
from listener.store.session import AsyncSession, Store, now

log = structlog.get_logger(__name__)

BATCH = 100
ABSENCES = 2  # merely not listed, so often in a row, means gone


@dataclass
class Recheck:
    """Takes mentions that are due, asks their place, keeps what became of them."""

    store: Store
    reach: Reach
    intake: Intake
    wake_judge: asyncio.Event
    batch: int = BATCH

    async def step(self) -> int:
        """Ask again for one batch; say how many were due."""
        due = await self.take()
        for source, asked in due:
            changes = await self.work(source, [post_id for _, post_id in asked])
            if changes is not None:
                await self.keep(source, asked, changes)
        return sum(len(asked) for _, asked in due)

    async def take(self) -> list[tuple[Source, list[tuple[int, str]]]]:
        """What is due, by the source that can ask for it."""
        able = [name for name, kind in usable().items() if issubclass(kind, Rechecks)]
        async with self.store.transaction() as session:
            due = await mentions.take_due(session, able, limit=self.batch, now=await now(session))
            found = await sources.numbered(session, list(due))
        return [(found[number], asked) for number, asked in due.items()]

    async def work(self, source: Source, ids: Sequence[str]) -> list[Change] | None:
        """Ask the place, outside any transaction; None when it cannot be asked now."""
        async with self.store.reading() as session:
            moment = await now(session)
            reading = (await sources.readings_of(session, source)).get(Way.POLL)
        if reading is None or reading.stopped:
            return None  # a person must act before it is asked anything
        if reading.not_before is not None and reading.not_before > moment:
            return None  # its place asked to be left alone
        try:
            connector, web = self.reach(source)
            if not isinstance(connector, Rechecks):
                return None
            return await connector.recheck(web, ids)
        except (ConnectorError, WrongKey) as error:
            log.info("recheck put off", source=source.name, why=str(error))
            return None

    async def keep(
        self, source: Source, asked: Sequence[tuple[int, str]], changes: Sequence[Change]
    ) -> None:
        """What became of each, in one transaction."""
        answers = {change.id: change for change in changes}
        await self.intake.matchbook.refresh()
        connector, _ = self.reach(source)
        async with self.store.transaction() as session:
            moment = await now(session)
            rules = Rules(fresh=self.intake.fresh, channels=await history.channels(session))
            standing = await mentions.locked(session, [number for number, _ in asked])
            for mention in standing.values():
                change = answers.get(mention.post_id)
                if mention.deleted_at is not None or change is None:
                    continue
                mentions.rechecked(mention)
                await self.apply(session, source, connector, mention, change, rules, moment)
        self.wake_judge.set()

    async def apply(
        self,
        session: AsyncSession,
        source: Source,
        connector: Connector,
        mention: Mention,
        change: Change,
        rules: Rules,
        moment: datetime,
    ) -> None:
        """Let a mention learn what its place says of it."""
        match change.state:
            case State.GONE:
                await intake.bury(session, mention, rules=rules, now=moment)
            case State.ABSENT:
                mention.absences += 1
                if mention.absences >= ABSENCES:
                    await intake.bury(session, mention, rules=rules, now=moment)
            case State.SAME | State.EDITED:
                mention.absences = 0
                if change.post is not None and change.post.author == Author():
                    intake.forget_author(mention)  # the account is gone, its words stayed
                if change.post is not None and change.post.revision != mention.revision:
                    named, _ = self.intake.matchbook.sort(source, connector, [change.post])
                    marks = next(
                        (one.marks for one in named if one.brand_id == mention.brand_id), ()
                    )
                    await intake.revise(
                        session, mention.key, change.post, rules=rules, now=moment, marks=marks
                    )
            case State.UNKNOWN:
                pass
