"""Crises: new cases join them, their leads are reminded of updates, and what there is to say is told."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from listener.channels.contract import Announced, Announcing, Channel, NotNow, Undelivered
from listener.desk import gathering
from listener.domain.crisis import Bulletin, Crisis, Told, Turn
from listener.domain.crisis_story import bulletin
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.stages.telling import GONE, hindered
from listener.store import bulletins, crises, people
from listener.store.bulletins import Due
from listener.store.session import AsyncSession, Store, now

log = structlog.get_logger(__name__)

TELLINGS: Final = 50
EVERY: Final = timedelta(seconds=10)  # looks for what joins: words are looked for in all mentions


@dataclass
class Crises:
    """Looks at every open crisis, and tells what there is to tell of any."""

    store: Store
    channel: Callable[[Bulletin], Awaitable[Channel | None]]  # as set up now
    mails: bool = False  # whether mail leaves this house, when Slack does not take something
    looked_at: datetime | None = None

    async def step(self) -> int:
        """Look at all once; say how many cases joined and how many things were told."""
        async with self.store.reading() as session:
            open_ones, moment = await crises.going_on(session), await now(session)
        done = 0
        if self.looked_at is None or not timedelta() <= moment - self.looked_at < EVERY:
            for number in open_ones:
                done += await gathering.look(self.store, number)
            self.looked_at = moment
        await self.remind(open_ones)
        return done + await self.tell()

    async def remind(self, numbers: Collection[int]) -> None:
        """Tell leads that an update is due, or was not written; each once."""
        for number in numbers:
            async with self.store.reading() as session:
                crisis = await crises.one(session, number, lock=False)
                moment = await now(session)
            if crisis is None or crisis.update_due_at > moment:
                continue
            async with self.store.transaction() as session:
                crisis = await crises.one(session, number)
                if crisis is not None and crisis.ended_at is None:
                    await watch(session, crisis, await now(session))

    async def tell(self) -> int:
        """Tell what is to be told; each thing until it has arrived."""
        async with self.store.reading() as session:
            if not await bulletins.is_due(session, now=await now(session)):
                return 0
        async with self.store.transaction() as session:
            due = await bulletins.take(session, limit=TELLINGS, now=await now(session))
        told = 0
        for one in due:
            wait, why = None, None
            try:
                why = await hindered(self.tell_one(one))
            except NotNow as soon:
                wait = soon.wait
            async with self.store.transaction() as session:
                moment, number = await now(session), one.bulletin.key
                if wait is not None:
                    await bulletins.put_off(session, number, until=moment + wait)
                else:
                    await bulletins.keep(session, number, why, now=moment, mails=self.mails)
                    told += why is None
            if why is not None and one.bulletin.tries == 0:  # said once, not at every try
                log.warning("bulletin not told", channel=one.bulletin.channel, why=why)
        return told

    async def tell_one(self, one: Due) -> None:
        """Tell it, outside any transaction."""
        channel = await self.channel(one.bulletin)
        if channel is None:
            raise Undelivered(GONE)
        if not isinstance(channel, Announcing):
            raise Undelivered("This kind of channel cannot tell of crises yet.")
        await channel.announce(announced(one))


async def watch(session: AsyncSession, crisis: Crisis, moment: datetime) -> None:
    """Note which updates were missed, and remind its lead of the one that is due."""
    missed = list(crisis.missed(moment))
    for due in missed:
        await crises.record(session, crisis.key, Turn.MISSED, now=moment, words=due.isoformat())
    if missed:
        await bulletins.withdraw(session, crisis.key)
        await remind(session, crisis, Told.MISSED, missed[-1], moment)
    if crisis.update_due_at <= moment and not crisis.reminded:
        crisis.reminded = True
        await remind(session, crisis, Told.DUE, crisis.update_due_at, moment)


async def remind(
    session: AsyncSession, crisis: Crisis, told: Told, due: datetime, moment: datetime
) -> None:
    """Queue one thing for the lead of a crisis; for all who could lead it, if they have left."""
    lead = await people.numbered(session, crisis.lead_id)
    whom = [lead] if lead is not None and lead.active else await leaders(session, crisis)
    await bulletins.publish(
        session, crisis, told, what=due.isoformat(), people=whom, at=due, now=moment
    )


async def leaders(session: AsyncSession, crisis: Crisis) -> list[Staff]:
    """Everybody who could lead it."""
    every = await people.every(session)
    return [one for one in every if may(one, Act.DECLARE, crisis.brand_id)]


def announced(one: Due) -> Announced:
    """What a channel is told of a crisis."""
    told, crisis = one.bulletin.told, one.crisis
    return Announced(
        id=f"bulletin_{one.bulletin.key}",
        crisis_id=crisis.key,
        told=told,
        brand=one.brand,
        name=crisis.name,
        at=one.bulletin.at,
        sentence=bulletin(
            crisis,
            told,
            who=one.who,
            lead=one.lead,
            at=one.bulletin.at,
            unclosed=one.unclosed,
        ),
        text=one.text,
        who=one.who,
        lead=one.lead,
        unclosed=one.unclosed,
    )
