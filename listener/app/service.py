"""The stages, wired to each other, run together and stopped in order."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from functools import partial

import structlog

from listener.app import memory, readers, slack
from listener.app.parts import Parts
from listener.app.slack_socket import SocketMode
from listener.app.ways_out import Channels
from listener.desk.meaning import Meanings
from listener.stages.answer import Answer
from listener.stages.crisis import Crises
from listener.stages.digest import Digests
from listener.stages.due import Due
from listener.stages.escalate import Escalate
from listener.stages.index import Index
from listener.stages.judge import Judge
from listener.stages.learn import Learn
from listener.stages.leases import Leases
from listener.stages.listen import Listen
from listener.stages.loop import forever
from listener.stages.notify import Notify
from listener.stages.poll import Poll
from listener.stages.reach import rule
from listener.stages.recheck import Recheck
from listener.stages.route import Routing
from listener.stages.sweep import Sweep
from listener.stages.theme import Themes
from listener.stages.waken import Waken
from listener.stages.watch import Watch
from listener.store import cards, learnt, mentions, notices, replies, sources, subscriptions
from listener.store.brands import Intake, Matchbook
from listener.store.session import DatabaseTrouble, now
from listener.web import routes
from listener.web.guard import Guard
from listener.web.hooks import Doors
from listener.web.live import Live
from listener.web.routes import Rooms
from listener.web.site import Site
from models.classifier import Classifier

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=2)  # every stage also looks by itself this often
MINUTE = timedelta(minutes=1)
HOUSEWORK = timedelta(minutes=10)
GRACE = timedelta(seconds=0.5)  # for a step that is under way when we stop
STOP = timedelta(seconds=2)
MOMENT = timedelta(milliseconds=200)
PACED = 300  # moments, for channels that take one message a second
Step = Callable[[], Awaitable[int]]


class Stage(StrEnum):
    """What happens by itself."""

    POLL = "poll"
    LISTEN = "listen"
    RECHECK = "recheck"
    JUDGE = "judge"
    NOTIFY = "notify"
    WAKEN = "waken"
    DUE = "due"
    ROUTE = "route"
    ESCALATE = "escalate"
    ANSWER = "answer"
    INDEX = "index"
    WATCH = "watch"
    CRISIS = "crisis"
    THEME = "theme"
    DIGEST = "digest"
    LEARN = "learn"
    SWEEP = "sweep"
    SLACK = "slack"  # hears by Socket Mode; what it tells is `notify`'s


# What follows from what was read, in this order, where all is done once.
FOLLOWS = (
    Stage.RECHECK,
    Stage.JUDGE,
    Stage.WAKEN,
    Stage.ROUTE,
    Stage.DUE,
    Stage.ESCALATE,
    Stage.ANSWER,
    Stage.NOTIFY,
    Stage.INDEX,
    Stage.WATCH,
    Stage.THEME,
    Stage.CRISIS,
    Stage.SWEEP,
)


class Service:
    """The stages, wired to each other."""

    def __init__(self, parts: Parts, classifier: Classifier) -> None:
        settings, store = parts.settings, parts.store
        self.parts = parts
        self.wake = {stage: asyncio.Event() for stage in Stage}
        self.leases = Leases(store, parts.worker)
        intake = Intake(Matchbook(store), settings.fresh)
        self.poll = Poll(store, parts.reach, intake, self.leases, self.wake[Stage.JUDGE])
        self.poll.ended = self.wake[Stage.POLL]
        self.listen = Listen(
            store,
            parts.reach,
            intake,
            self.leases,
            wake_judge=self.wake[Stage.JUDGE],
            wake_poll=self.wake[Stage.POLL],
        )
        self.recheck = Recheck(store, parts.reach, intake, wake_judge=self.wake[Stage.JUDGE])
        self.judge = Judge(store, classifier, settings.policies, self.wake[Stage.NOTIFY])
        self.notify = Notify(store, Channels(parts).of, mails=settings.mail is not None)
        self.waken = Waken(store, self.wake[Stage.NOTIFY])
        self.due = Due(store, settings.policies, self.wake[Stage.NOTIFY])
        self.route = Routing(store, self.wake[Stage.NOTIFY])
        self.escalate = Escalate(store, self.wake[Stage.NOTIFY])
        self.answer = Answer(store, parts.reach, self.wake[Stage.NOTIFY])
        self.index = Index(store)
        self.watch = Watch(store, Channels(parts).of, mails=settings.mail is not None)
        self.crisis = Crises(store, Channels(parts).telling, mails=settings.mail is not None)
        self.theme = Themes(store)
        self.digest = Digests(store, partial(readers.send, parts))
        self.learn = Learn(store, classifier, settings.learn_at, parts.teaching)
        self.sweep = Sweep(store, settings.keeping)
        doors = Doors(store, intake, parts.connect, self.wake[Stage.JUDGE])
        entrance = settings.entrance()
        rules, live = partial(rule, parts.connect), Live(store)
        self.slack = slack.door(parts, rules, self.wake[Stage.NOTIFY].set)
        self.socket = SocketMode(parts, self.slack)
        rooms = Rooms(
            store,
            doors,
            entrance,
            live,
            rules,
            settings.policies,
            parts.seal,
            settings.undo,
            self.slack,
            Meanings(store, parts.judge_with),
            mails=settings.mail is not None,
            nudge=self.wake[Stage.NOTIFY].set,
        )
        self.site = Site(Guard(store, entrance), routes.every(rooms), ending=live.stop)

    async def take_over(self) -> None:
        """On the embedded database nobody else lives: what a dead process had taken is free."""
        if self.parts.settings.sqlite is None:
            return
        async with self.parts.store.transaction() as session:
            for taken in (sources, mentions, notices, replies, cards, subscriptions, learnt):
                await taken.give_back(session)

    async def begin(self, stop: asyncio.Event) -> bool:
        """Take over, however long another program holds the database; False when told to stop."""
        waits = False
        while not stop.is_set():
            taking = asyncio.create_task(self.take_over(), name="take over")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not taking.done():
                return False  # what waits for a locked database cannot be cancelled, only left
            try:
                await taking
            except DatabaseTrouble as error:
                if not waits:
                    log.warning("start waits", why=str(error))
                waits = True
                await asyncio.sleep(LOOK.total_seconds())
            else:
                return True
        return False

    @property
    def steps(self) -> dict[Stage, tuple[Step, timedelta]]:
        """A step of each stage, and how long it rests where nobody wakes it."""
        return {
            Stage.POLL: (self.poll.step, LOOK / 2),
            Stage.LISTEN: (self.listen.step, LOOK),
            Stage.RECHECK: (self.recheck.step, LOOK * 15),
            Stage.JUDGE: (self.judge.step, LOOK / 2),
            Stage.NOTIFY: (self.notify.step, LOOK / 2),
            Stage.WAKEN: (self.waken.step, LOOK),
            Stage.DUE: (self.due.step, LOOK),
            Stage.ROUTE: (self.route.step, LOOK / 2),
            Stage.ESCALATE: (self.escalate.step, LOOK),
            Stage.ANSWER: (self.answer.step, LOOK / 2),
            Stage.INDEX: (self.index.step, LOOK),
            Stage.WATCH: (self.watch.step, MINUTE),
            Stage.CRISIS: (self.crisis.step, LOOK),
            Stage.THEME: (self.theme.step, LOOK * 15),
            Stage.DIGEST: (self.digest.step, LOOK * 15),
            Stage.LEARN: (self.learn.step, HOUSEWORK),
            Stage.SWEEP: (self.sweep.step, HOUSEWORK),
            Stage.SLACK: (self.socket.step, LOOK * 5),
        }

    async def run(self, only: Collection[Stage], stop: asyncio.Event) -> None:
        """Run stages until told to stop; then let go of everything that was taken."""
        if not await self.begin(stop):
            return
        wanted = set(only) or set(Stage)
        tasks = [
            asyncio.create_task(
                forever(stage.value, step, wake=self.wake[stage], idle=idle, stop=stop),
                name=stage.value,
            )
            for stage, (step, idle) in self.steps.items()
            if stage in wanted
        ]
        beating = asyncio.create_task(self.leases.beat(), name="leases")
        breathing = asyncio.create_task(memory.give_back(LOOK * 5), name="memory")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({*tasks, beating, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, beating):
                if task.done() and not stop.is_set():
                    task.result()  # nothing here ends by itself: this raises what ended it
        finally:
            stop.set()
            for wake in self.wake.values():
                wake.set()
            await asyncio.wait(tasks, timeout=GRACE.total_seconds())
            for ending in (*tasks, beating, breathing, stopping):
                ending.cancel()
            await asyncio.gather(breathing, stopping, return_exceptions=True)
            letting_go = asyncio.create_task(self.let_go((*tasks, beating)), name="letting go")
            # Not a timeout: what waits for a locked database cannot be cancelled, only left.
            await asyncio.wait({letting_go}, timeout=STOP.total_seconds())

    async def let_go(self, ending: Collection[asyncio.Task[None]]) -> None:
        """Wait for what has been told to end, end what it has begun, and give back what it had."""
        await asyncio.gather(*ending, return_exceptions=True)
        await self.socket.stop()
        await self.slack.stop()
        await self.poll.stop()
        await self.listen.stop()
        with suppress(DatabaseTrouble):
            await self.leases.give_back()

    async def paced(self) -> bool:
        """Whether a channel only waits for its next second, to be told the rest."""
        async with self.parts.store.reading() as session:
            return await notices.waiting(session, until=await now(session) + LOOK)

    async def once(self, only: Collection[Stage] = ()) -> None:
        """Every source to its end, then everything that follows from it, then stop."""
        wanted = set(only) or set(Stage)
        await self.take_over()
        beating = asyncio.create_task(self.leases.beat(), name="leases")
        try:
            if Stage.POLL in wanted:
                await self.read(judging=Stage.JUDGE in wanted)
            for stage in FOLLOWS:
                step, _ = self.steps[stage]
                while stage in wanted and await step():
                    pass
            for _ in range(PACED if Stage.NOTIFY in wanted else 0):
                if not await self.paced():
                    break
                await asyncio.sleep(MOMENT.total_seconds())
                await self.notify.step()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            with suppress(DatabaseTrouble):
                await self.leases.give_back()

    async def read(self, *, judging: bool) -> None:
        """Every source to its end."""
        if not judging and self.parts.settings.sqlite is not None:
            self.poll.backlog = sys.maxsize  # nobody else lives there who would make room
        polling = asyncio.create_task(self.poll.once(), name="poll")
        try:
            while not polling.done():
                await asyncio.wait({polling}, timeout=MOMENT.total_seconds())
                # Walks pause while too many mentions wait for a verdict: nobody else judges here.
                while judging and not await self.poll.has_room() and await self.judge.step():
                    pass
            await polling
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
