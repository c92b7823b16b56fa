"""`listener mcp`: answers an assistant on standard input and output until it hangs up."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final

import typer

from listener.app import Parts, reading
from listener.cli.assisting.questions import Questions
from listener.cli.ground import act, err, settings
from listener.cli.working import name_of
from listener.desk import tokens
from listener.desk.acting import somebody
from listener.desk.meaning import Meanings
from listener.domain.staff import Staff

TOKEN: Final = "LISTENER_TOKEN"  # noqa: S105  (the name of a setting)
INSTALL: Final = (
    "An assistant is spoken with by the package mcp. Install the listener with it: "
    ".venv/bin/pip install -e '.[mcp]' in its folder."
)


def mcp(
    *,
    who: Annotated[
        str | None,
        typer.Option("--as", help=f"In whose name; else whose token {TOKEN} is."),
    ] = None,
) -> None:
    """Let an assistant that speaks MCP read what somebody may read. It changes nothing."""
    if find_spec("mcp") is None:
        err.print(INSTALL)
        raise typer.Exit(1)
    act(lambda: answer(who))


async def answer(who: str | None) -> None:
    """Speak until the assistant hangs up. Standard output is the assistant's alone."""
    async with reading(settings(), err) as ready:
        person = await acting_for(ready, who)
        questions = Questions(
            ready.store, Meanings(ready.store, ready.judge_with), person.key, ready.settings.url
        )
        # Late, because it takes a second and only this command needs it.
        server: Any = import_module("listener.cli.assisting.server").made(questions)
        await server.run_stdio_async()


async def acting_for(ready: Parts, who: str | None) -> Staff:
    """The person in whose name is asked."""
    token = os.environ.get(TOKEN)
    if token and who is None:
        return await tokens.holder(ready.store, ready.seal, token)
    async with ready.store.reading() as session:
        return await somebody(session, await name_of(ready, who))
