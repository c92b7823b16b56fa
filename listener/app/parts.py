"""The parts that every command works with, opened and closed together."""

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from yarl import URL

from connectors.kit import catalog
from connectors.kit.contract import Connector, secrets
from connectors.kit.errors import AccessDenied, ConnectorError, TryLater
from connectors.kit.web import Network
from connectors.kit.web.waits import asked_to_wait
from listener import __version__
from listener.config import Settings
from listener.desk.plan import option_faults
from listener.domain.secret import ENV, FILE, Seal, is_reference, is_sealed
from listener.domain.source import Source
from listener.stages import reach
from listener.stages.reach import PacedWeb
from listener.store import schema
from listener.store.session import Store
from models import remote, shelf
from models.classifier import Classifier
from models.errors import BrokenModel, Unavailable
from models.remote import Post


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
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)  # of the classifier

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

    def teaching(self) -> frozenset[str]:
        """The connectors of places from which may be learnt."""
        return reach.teaching(self.settings.learn_from, self.settings.learn_without)

    async def judge_with(self) -> Classifier:
        """The classifier, opened when it is first needed."""
        async with self.opening:
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
        async with joined(settings, store, console) as parts:
            yield parts
    finally:
        await store.close()


@asynccontextmanager
async def reading(settings: Settings, console: Console) -> AsyncIterator[Parts]:
    """All parts, with a database that is only read, and that must be there."""
    if settings.sqlite is not None and not settings.sqlite.is_file():
        raise CannotRun(
            f"There is no database at {settings.sqlite}. Set LISTENER_DATA or DATABASE_URL as for "
            "the service."
        )
    store = Store(settings.database, read_only=True)
    try:
        await store.check()
        await schema.require(store)
        async with joined(settings, store, console) as parts:
            yield parts
    finally:
        await store.close()


@asynccontextmanager
async def joined(settings: Settings, store: Store, console: Console) -> AsyncIterator[Parts]:
    """The other parts beside a database that is open."""
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
