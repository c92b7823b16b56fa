"""The only place where the parts meet: opened in order, run together, stopped in order."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from rich.console import Console
from yarl import URL

from connectors.kit import catalog
from connectors.kit.contract import Connector, secrets
from connectors.kit.errors import AccessDenied, ConnectorError, TryLater
from connectors.kit.web import Network
from connectors.kit.web.waits import asked_to_wait
from listener import __version__
from listener.channels.contract import Channel
from listener.channels.terminal import Terminal
from listener.channels.webhook import OutgoingWebhook
from listener.config import Settings
from listener.desk.plan import option_faults
from listener.domain.secret import ENV, FILE, Seal, is_reference, is_sealed
from listener.domain.source import Source
from listener.stages.answer import Answer
from listener.stages.index import Index
from listener.stages.judge import Judge
from listener.stages.leases import Leases
from listener.stages.listen import Listen
from listener.stages.loop import forever
from listener.stages.notify import Notify
from listener.stages.poll import Poll
from listener.stages.reach import PacedWeb, rule
from listener.stages.recheck import Recheck
from listener.stages.sweep import Sweep
from listener.stages.waken import Waken
from listener.store import coverage, mentions, notices, replies, schema, sources
from listener.store.brands import Intake, Matchbook
from listener.store.history import TERMINAL
from listener.store.session import DatabaseTrouble, Store
from listener.web import routes
from listener.web.guard import Guard
from listener.web.hooks import Doors
from listener.web.live import Live
from listener.web.routes import Rooms
from listener.web.site import Site
from models import remote, shelf
from models.classifier import Classifier
from models.errors import BrokenModel, Unavailable
from models.remote import Post

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=2)  # every stage also looks by itself this often
HOUSEWORK = timedelta(minutes=10)
GRACE = timedelta(seconds=0.5)  # for a step that is under way when we stop
STOP = timedelta(seconds=2)
MOMENT = timedelta(milliseconds=200)


class Stage(StrEnum):
    """What happens by itself."""

    POLL = "poll"
    LISTEN = "listen"
    RECHECK = "recheck"
    JUDGE = "judge"
    NOTIFY = "notify"
    WAKEN = "waken"
    ANSWER = "answer"
    INDEX = "index"
    SWEEP = "sweep"


class CannotRun(Exception):
    """The service cannot start; the message says why and what to do."""


@dataclass
class Parts:
    """Everything that a command may need, opened and closed together."""

    settings: Settings
    store: Store
    seal: Seal
    network: Network
    console: Console
    classifier: Classifier | None = None
    post: Post | None = None  # to an inference server, where the model lives on one
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")

    def reach(self, source: Source) -> tuple[Connector, PacedWeb]:
        """A source's connector with its secrets in the clear, and its lane to the network."""
        connector = self.connect(source)
        key = lane(source, connector)
        return connector, self.network.web(connector.pace, key)

    def connect(self, source: Source) -> Connector:
        """A source's connector with its secrets in the clear; AccessDenied when a person must act."""
        try:
            kind = catalog.load(source.connector)
        except (catalog.UnknownConnector, catalog.BrokenConnector) as error:
            raise AccessDenied(str(error)) from error
        except Exception as error:
            raise AccessDenied(
                f"The connector {source.connector} cannot be loaded ({type(error).__name__})."
            ) from error
        try:
            return kind.model_validate(self.in_the_clear(source, kind))
        except ValidationError as error:  # its own message would repeat a secret
            faults = " ".join(option_faults(error, kind))
            raise AccessDenied(f"Its options do not fit: {faults}") from None

    def in_the_clear(self, source: Source, kind: type[Connector]) -> dict[str, Any]:
        """A source's options with its secrets opened or fetched from where they are kept."""
        hidden = secrets(kind)
        return {
            name: self.reveal(value, name) if name in hidden else value
            for name, value in source.options.items()
        }

    def reveal(self, value: Any, name: str) -> Any:
        """One secret in the clear."""
        if is_sealed(value):
            return self.seal.open(value)
        if not is_reference(value):
            return value
        if ENV in value:
            found = os.environ.get(value[ENV])
            if not found:
                raise AccessDenied(
                    f"The secret `{name}` is kept in the environment variable {value[ENV]}, "
                    "which is not set here."
                )
            return found
        try:
            return Path(value[FILE]).expanduser().read_text(encoding="utf-8").strip()
        except OSError as error:
            raise AccessDenied(
                f"The secret `{name}` is kept in the file {value[FILE]}, "
                f"which cannot be read ({error.strerror})."
            ) from error
        except UnicodeDecodeError:
            raise AccessDenied(
                f"The secret `{name}` is kept in the file {value[FILE]}, which is not text."
            ) from None

    async def judge_with(self) -> Classifier:
        """The classifier, opened when it is first needed."""
        if self.classifier is None:
            self.classifier = await asyncio.to_thread(
                shelf.open,
                self.settings.model,
                post=self.post,
                mapping=self.settings.labels,
                languages=self.settings.languages,
            )
        return self.classifier


def lane(source: Source, connector: Connector) -> str:
    """What shares one rate limit: a place's host and the account we ask it with."""
    secret = sorted(
        value.get_secret_value()
        for name in secrets(type(connector))
        if (value := getattr(connector, name)) is not None
    )
    return "\0".join((source.connector, connector.home, *secret))


@asynccontextmanager
async def opened(settings: Settings, console: Console) -> AsyncIterator[Parts]:
    """All parts, with the database brought up to date."""
    settings.prepare()
    if settings.sqlite is not None:
        with suppress(OSError):  # that it cannot be opened is said below, in a sentence
            settings.sqlite.parent.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    try:
        await store.check()
        await schema.ensure(store)
        async with (
            Network(
                settings.contact,
                version=__version__,
                allow=settings.allow_hosts,
                proxy=settings.proxies,
            ) as network,
            inference(settings) as post,
        ):
            yield Parts(settings, store, settings.seal(), network, console, post=post)
    finally:
        await store.close()


@asynccontextmanager
async def inference(settings: Settings) -> AsyncIterator[Post | None]:
    """How bytes get to the inference server, where the model lives on one.

    By a network of its own: that the operator's server may be asked opens nothing to sources.
    """
    address = shelf.address(settings.model)
    if address is None:
        yield None
        return
    place = URL(address)
    host = f"[{place.host}]" if ":" in (place.host or "") else place.host
    headers = {"Content-Type": "application/json"}
    if settings.model_key:
        headers["Authorization"] = f"Bearer {settings.model_key}"
    pair = f"{host}:{place.port}"
    async with Network(settings.contact, version=__version__, allow={pair}) as own:
        loop = asyncio.get_running_loop()

        async def send(body: bytes) -> bytes:
            try:
                answer = await own.ask(address, body, headers)
            except TryLater as error:
                raise Unavailable(str(error), wait=error.wait) from None
            except ConnectorError as error:
                raise BrokenModel(str(error)) from None
            if answer.status != 200:
                wait = asked_to_wait(answer.status, answer.headers, datetime.now(UTC))
                raise remote.refusal(
                    address.removesuffix(remote.PATH), answer.status, answer.body, wait=wait
                )
            return answer.body

        yield lambda body: asyncio.run_coroutine_threadsafe(send(body), loop).result()


@contextmanager
def alone(settings: Settings) -> Any:
    """Hold the lock that keeps a second service away from the embedded database."""
    if settings.sqlite is None:
        yield
        return
    path = settings.sqlite.with_name(settings.sqlite.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise CannotRun(
            f"{path} cannot be written ({error.strerror}). Set DATABASE_URL or LISTENER_DATA to a "
            "folder you may write to."
        ) from error
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotRun(
                f"Another Listener (process {file.read().strip() or 'unknown'}) already runs on "
                f"{settings.sqlite}. Stop it first; to run several, use PostgreSQL (DATABASE_URL)."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


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
        self.notify = Notify(store, Channels(parts).named)
        self.waken = Waken(store, self.wake[Stage.NOTIFY])
        self.answer = Answer(store, parts.reach, self.wake[Stage.NOTIFY])
        self.index = Index(store)
        self.sweep = Sweep(store, settings.keeping)
        doors = Doors(store, intake, parts.connect, self.wake[Stage.JUDGE])
        entrance = settings.entrance()
        rules, live = partial(rule, parts.connect), Live(store)
        rooms = Rooms(store, doors, entrance, live, rules, settings.policies, settings.undo)
        self.site = Site(Guard(store, entrance), routes.every(rooms), ending=live.stop)

    async def take_over(self) -> None:
        """On the embedded database nobody else lives: what a dead process had taken is free."""
        if self.parts.settings.sqlite is None:
            return
        async with self.parts.store.transaction() as session:
            for taken in (sources, mentions, notices, replies):
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

    async def run(self, only: Collection[Stage], stop: asyncio.Event) -> None:
        """Run stages until told to stop; then let go of everything that was taken."""
        if not await self.begin(stop):
            return
        wanted = set(only) or set(Stage)
        steps = {
            Stage.POLL: (self.poll.step, LOOK / 2),
            Stage.LISTEN: (self.listen.step, LOOK),
            Stage.RECHECK: (self.recheck.step, LOOK * 15),
            Stage.JUDGE: (self.judge.step, LOOK / 2),
            Stage.NOTIFY: (self.notify.step, LOOK / 2),
            Stage.WAKEN: (self.waken.step, LOOK),
            Stage.ANSWER: (self.answer.step, LOOK / 2),
            Stage.INDEX: (self.index.step, LOOK),
            Stage.SWEEP: (self.sweep.step, HOUSEWORK),
        }
        tasks = [
            asyncio.create_task(
                forever(stage.value, step, wake=self.wake[stage], idle=idle, stop=stop),
                name=stage.value,
            )
            for stage, (step, idle) in steps.items()
            if stage in wanted
        ]
        beating = asyncio.create_task(self.leases.beat(), name="leases")
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
            for ending in (*tasks, beating, stopping):
                ending.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
            letting_go = asyncio.create_task(self.let_go((*tasks, beating)), name="letting go")
            # Not a timeout: what waits for a locked database cannot be cancelled, only left.
            await asyncio.wait({letting_go}, timeout=STOP.total_seconds())

    async def let_go(self, ending: Collection[asyncio.Task[None]]) -> None:
        """Wait for what has been told to end, end what it has begun, and give back what it had."""
        await asyncio.gather(*ending, return_exceptions=True)
        await self.poll.stop()
        await self.listen.stop()
        with suppress(DatabaseTrouble):
            await self.leases.give_back()

    async def once(self) -> None:
        """Every source to its end, then everything that follows from it, then stop."""
        await self.take_over()
        beating = asyncio.create_task(self.leases.beat(), name="leases")
        polling = asyncio.create_task(self.poll.once(), name="poll")
        try:
            while not polling.done():
                await asyncio.wait({polling}, timeout=MOMENT.total_seconds())
                # Walks pause while too many mentions wait for a verdict: nobody else judges here.
                while not await self.poll.has_room() and await self.judge.step():
                    pass
            await polling
            stages = (self.recheck, self.judge, self.waken, self.answer, self.notify)
            for step in [stage.step for stage in (*stages, self.index, self.sweep)]:
                while await step():
                    pass
        finally:
            for task in (beating, polling):
                task.cancel()
            await asyncio.gather(beating, polling, return_exceptions=True)
            with suppress(DatabaseTrouble):
                await self.leases.give_back()


@dataclass
class Channels:
    """Opens channels by name, as they are set up now."""

    parts: Parts

    async def named(self, name: str) -> Channel | None:
        """The channel of this name."""
        if name == TERMINAL:
            return Terminal(self.parts.console)
        async with self.parts.store.reading() as session:
            channel = await notices.channel(session, name)
        if channel is None or not channel.active:
            return None
        return OutgoingWebhook(
            url=channel.options["url"],
            secret=self.parts.reveal(channel.options["secret"], "secret"),
            post=self.parts.network.send,
        )


async def serve(
    parts: Parts, only: Collection[Stage], begun: Callable[[], Awaitable[None]]
) -> None:
    """Run the service until SIGINT or SIGTERM; `begun` is called when nothing is in its way."""
    classifier = await open_classifier(parts, only)
    service = Service(parts, classifier)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if only:  # a worker beside others: the pages are somebody else's
        await begun()
        await service.run(only, stop)
    else:
        async with service.site.open(parts.settings.host, parts.settings.port):
            await begun()
            await service.run(only, stop)
    log.info("stopped")


async def leave() -> None:
    """Go, once everything is closed: not even a thread that hangs keeps us longer than a moment.

    A model that thinks, a name server that is silent, a database that another program has
    locked: none of them can be interrupted, and none of them holds anything that is not kept.
    """
    left: set[asyncio.Task[Any]] = asyncio.all_tasks()
    left.discard(asyncio.current_task())  # we are one
    left.add(asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor()))
    _, busy = await asyncio.wait(left, timeout=GRACE.total_seconds())
    if busy:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(0)


async def open_classifier(parts: Parts, only: Collection[Stage]) -> Classifier:
    """The classifier, where this process judges at all."""
    if only and Stage.JUDGE not in only:
        return await asyncio.to_thread(shelf.open, "lexicon")
    return await parts.judge_with()


async def run_once(parts: Parts) -> Mapping[str, Any]:
    """Do everything once; report it as `listener run --once --json` prints it."""
    started = asyncio.get_running_loop().time()
    service = Service(parts, await parts.judge_with())
    await service.once()
    poll, judge, notify = service.poll, service.judge, service.notify
    async with parts.store.reading() as session:
        everything = await sources.every(session)
        holes = {source.name: len(await coverage.gaps_of(session, source)) for source in everything}
    report = {
        source.name: {
            "read": poll.tally[source.name].posts if source.name in poll.tally else 0,
            "mentions": poll.tally[source.name].mentions if source.name in poll.tally else 0,
            "gaps": holes[source.name],
            "error": poll.errors.get(source.name),
        }
        for source in everything
        if source.active
    }
    return {
        "sources": report,
        "mentions": sum(one["mentions"] for one in report.values()),
        "judged": judge.judged,
        "cases": judge.opened,
        "notices": {"sent": notify.sent, "failed": notify.failed},
        "seconds": round(asyncio.get_running_loop().time() - started, 1),
    }
