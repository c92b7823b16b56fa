"""What every command stands on: settings, an open database, and errors said in a sentence."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console

from connectors.kit.catalog import BrokenConnector, UnknownConnector
from connectors.kit.errors import ConnectorError
from listener.app import CannotRun, Parts, opened
from listener.cli import facts
from listener.config import BadSettings, Settings, read
from listener.desk.plan_words import BadPlan
from listener.domain.record import NotAllowed
from listener.domain.secret import WrongKey
from listener.stages.loop import fault
from listener.store.archive import BadBackup
from listener.store.session import DatabaseTrouble
from listener.web.site import PortTaken
from models.errors import ModelError
from models.evaluation.labelled import BadRows

Result = TypeVar("Result")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True, highlight=False)
demo = False  # set by `listener --demo`


class Refused(Exception):
    """A command cannot be done; the message says why and what to do."""


SAID = (
    BadBackup,
    BadPlan,
    BadRows,
    BadSettings,
    BrokenConnector,
    CannotRun,
    ConnectorError,
    DatabaseTrouble,
    ModelError,
    NotAllowed,
    PortTaken,
    Refused,
    UnknownConnector,
    WrongKey,
)


def settings() -> Settings:
    """The settings, of the demo when that was asked for."""
    found = read(os.environ)
    return found.for_demo() if demo else found


@asynccontextmanager
async def parts(console: Console = out) -> AsyncIterator[Parts]:
    """Everything a command may need, open."""
    async with opened(settings(), console) as found:
        yield found


def act(work: Callable[[], Awaitable[Result]], *, quiet: bool = True) -> Result:
    """Run a command's work; whatever goes wrong is said in a sentence, with exit code 1."""
    facts.set_up(quiet=quiet)
    with in_sentences():
        return asyncio.run(as_coroutine(work))


async def as_coroutine(work: Callable[[], Awaitable[Result]]) -> Result:
    """An awaitable as a coroutine, for asyncio.run."""
    return await work()


@contextmanager
def in_sentences() -> Iterator[None]:
    """Say errors in sentences, never in tracebacks: those may quote a post or a secret."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:  # noqa: BLE001  (all of them)
        found = list(leaves(error))
        if any(isinstance(one, KeyboardInterrupt) for one in found):
            raise typer.Exit(130) from None
        for one in found:
            err.print(sentence(one), style="red", markup=False)
        raise typer.Exit(1) from None


def leaves(error: BaseException) -> Iterator[BaseException]:
    """An error, or the errors in a group, whatever nests them."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


def sentence(error: BaseException) -> str:
    """What a person is told of an error."""
    if isinstance(error, SAID):
        return str(error)
    return (
        f"A fault in Listener itself, and nothing that you did: {fault(error)}. "
        "Please report it with these words."
    )


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_UTC_Z).decode() + "\n")
