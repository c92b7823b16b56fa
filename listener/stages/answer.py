"""Replies leave: each is said in its place once, or it is known that it was not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connectors.kit.contract import Receipt, Replies
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from listener.domain.case import Case, Status
from listener.domain.event import What
from listener.domain.reply import Reply, State
from listener.domain.secret import WrongKey
from listener.stages.loop import fault
from listener.stages.reach import Reach
from listener.store import history, replies
from listener.store.replies import LEASE, Outgoing
from listener.store.session import Store, now

log = structlog.get_logger(__name__)

BATCH = 10
LOOK_AGAIN = timedelta(seconds=30)
NO_WAY = "This source cannot answer in its place: copy the text and post it by hand."


@dataclass(frozen=True, slots=True)
class Published:
    """It stands there."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not stand there, and will not by itself."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may stand there; the place must be looked at before anything else."""

    why: str
    wait: timedelta | None = None


Fate = Published | Refused | Unknown


@dataclass
class Answer:
    """Takes replies whose undo window is over, publishes them, keeps what became of each."""

    store: Store
    reach: Reach
    wake_notify: asyncio.Event
    batch: int = BATCH
    patience: timedelta = LEASE * 3 / 4

    async def step(self) -> int:
        """Send one batch, all at once, so that none waits out its lease behind a slow place."""
        due = await self.take()
        await asyncio.gather(*(self.settle(one) for one in due))
        return len(due)

    async def settle(self, one: Outgoing) -> None:
        """Send one reply and keep what became of it, before anybody else may look for it."""
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                fate = await self.work(one)
        except TimeoutError:
            fate = Unknown("Its place took too long to answer.")
        await self.keep(one.reply, fate)

    async def take(self) -> Sequence[Outgoing]:
        """The replies whose time has come, marked as being sent before they are."""
        async with self.store.transaction() as session:
            return await replies.take(session, limit=self.batch, now=await now(session))

    async def work(self, one: Outgoing) -> Fate:
        """Publish one reply outside any transaction, after a look whether it stands there.

        Whatever is unclear after something may have gone out is Unknown: it is looked for
        before it is said again.
        """
        if one.mention.deleted_at is not None and not one.look:
            return Refused("The author has deleted the post: there is nothing left to answer.")
        try:
            connector, web = self.reach(one.source)
        except (ConnectorError, WrongKey) as error:
            return Unknown(str(error)) if one.look else Refused(str(error))
        if not isinstance(connector, Replies):
            return Refused(NO_WAY)
        post, key = one.mention.post, one.reply.publish_key
        try:
            if one.look:
                standing = await connector.find_reply(web, post, key)
                if standing is not None and standing.id not in one.known:
                    return Published(standing)
            return Published(await connector.reply(web, post, one.reply.text, key))
        except Gone as error:
            return Refused(f"The post is not there any more: {error}")
        except AccessDenied as error:
            return Unknown(str(error)) if one.look else Refused(str(error))
        except TryLater as error:
            return Unknown(str(error), error.wait)
        except Unreadable as error:
            return Unknown(str(error))
        except ConnectorError as error:
            return Refused(str(error))
        except Exception as error:  # noqa: BLE001  (a connector's fault; it may have been sent)
            log.error("answering fails", source=one.source.name, why=fault(error))
            return Unknown("Something went wrong while it was sent; our own log says what.")

    async def keep(self, sent: Reply, fate: Fate) -> None:
        """What became of a reply, and of its case with it."""
        async with self.store.transaction() as session:
            moment = await now(session)
            case = await session.get(Case, sent.case_id, with_for_update={"key_share": True})
            reply = await replies.locked(session, sent.key)
            if case is None or reply is None or reply.state is not State.SENDING:
                return  # another worker was faster
            what = settled(reply, case, fate, moment)
            if what is None:
                return
            await history.record(
                session,
                reply.case_id,
                what,
                now=moment,
                channels=await history.channels(session),
                staff_id=reply.staff_id,
                details={"reply": reply.key},
            )
        if what is What.FAILED:
            log.warning("reply not posted", case=sent.case_id, why=reply.failure)
        self.wake_notify.set()


def settled(reply: Reply, case: Case, fate: Fate, moment: datetime) -> What | None:
    """Let a reply and its case learn what became of it; say what the history must hold of it."""
    match fate:
        case Published(receipt):
            reply.posted(moment, post_id=receipt.id, url=receipt.url)
            if case.status is not Status.CLOSED:
                case.answer(moment)
            return What.ANSWERED
        case Refused(why):
            reply.failed(why)
            return What.FAILED
        case Unknown(why, wait):
            reply.look_later(why, moment + (wait or LOOK_AGAIN))
            return What.FAILED if reply.state is State.UNCLEAR else None
