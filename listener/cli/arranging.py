"""What staff arrange from the command line: cases handed out, snoozed, noted, tagged, undone."""

from typing import Annotated

import typer

from listener.app import Parts
from listener.cli.ground import Json, Refused
from listener.cli.working import Number, Who, cases, do, name_of
from listener.desk import (
    acknowledging,
    assigning,
    closing,
    noting,
    snoozing,
    tagging,
    taking,
    undoing,
)
from listener.desk.acting import Done
from listener.domain.deadline import Policies
from listener.store import history
from listener.store.queue import Filters
from listener.store.session import now

__all__ = ["cases"]

Tag = Annotated[str, typer.Argument(help="A word to sort cases by, such as late-delivery.")]
Note = Annotated[str, typer.Option(help="A word for colleagues about it; @NAME calls them.")]


@cases.command(name="next")
def take_next(
    *,
    who: Who = None,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    as_json: Json = False,
) -> None:
    """Take the most urgent case that nobody has."""

    async def deed(ready: Parts, name: str) -> Done:
        done = await taking.take_next(ready.store, name, filters=Filters(brand=brand), tag=tag)
        if done is None:
            raise Refused("No case waits that nobody has.")
        return done

    do(who, deed, as_json=as_json)


@cases.command()
def snooze(
    case: Number,
    *,
    until: Annotated[
        str | None,
        typer.Option("--for", help="How long (90m, 4h, 3d), or until when (2026-05-04T09:00)."),
    ] = None,
    author: Annotated[bool, typer.Option(help="Until its author answers.")] = False,
    spreads: Annotated[
        bool, typer.Option(help="Until more people say the same, two weeks at most.")
    ] = False,
    people: Annotated[
        int, typer.Option(help="How many more, with --spreads.", min=1, max=snoozing.MOST_PEOPLE)
    ] = snoozing.PEOPLE,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take a case out of the queues for a while. Its deadline stays where it is."""
    if sum((until is not None, author, spreads)) > 1:
        raise typer.BadParameter("Say one of --for, --author and --spreads.")

    async def deed(ready: Parts, name: str) -> Done:
        if spreads:
            return await snoozing.until_spread(ready.store, case, name, people)
        async with ready.store.reading() as session:
            moment = None if until is None else snoozing.moment_of(until, await now(session))
        return await snoozing.snooze(ready.store, case, name, moment, on_answer=author)

    do(who, deed, as_json=as_json)


@cases.command()
def acknowledge(case: Number, *, who: Who = None, as_json: Json = False) -> None:
    """Say that you have heard of a case and see to it, so that nobody else is called."""
    do(
        who,
        lambda ready, name: acknowledging.acknowledge(ready.store, case, name),
        as_json=as_json,
    )


@cases.command()
def wake(case: Number, *, who: Who = None, as_json: Json = False) -> None:
    """Put a snoozed case back into the queues."""
    do(who, lambda ready, name: snoozing.wake(ready.store, case, name), as_json=as_json)


@cases.command()
def note(
    case: Number,
    words: Annotated[str, typer.Argument(help="What colleagues should know; @NAME calls them.")],
    *,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Keep a note for colleagues on a case. Customers never see it."""
    do(who, lambda ready, name: noting.note(ready.store, case, name, words), as_json=as_json)


@cases.command()
def tag(case: Number, tag: Tag, *, who: Who = None, as_json: Json = False) -> None:
    """Put a tag on a case."""
    do(who, lambda ready, name: tagging.tag(ready.store, case, name, tag), as_json=as_json)


@cases.command()
def untag(case: Number, tag: Tag, *, who: Who = None, as_json: Json = False) -> None:
    """Take a tag off a case."""
    do(who, lambda ready, name: tagging.untag(ready.store, case, name, tag), as_json=as_json)


@cases.command()
def assign(
    case: Number,
    to: Annotated[str | None, typer.Argument(help="Whose it becomes; nobody's without.")] = None,
    *,
    note: Note = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Give a case to somebody, or, without a name, back to the queue."""

    async def deed(ready: Parts, name: str) -> Done:
        if to is None:
            return await assigning.unassign(ready.store, case, name, note=note)
        return await assigning.assign(ready.store, case, name, to, note=note)

    do(who, deed, as_json=as_json)


@cases.command()
def reopen(case: Number, *, who: Who = None, as_json: Json = False) -> None:
    """Open a closed or answered case again."""
    do(
        who,
        lambda ready, name: closing.reopen(ready.store, case, name, Policies()),
        as_json=as_json,
    )


@cases.command()
def undo(
    event: Annotated[
        int | None, typer.Argument(help="The event of the act, as --json tells it.", min=1)
    ] = None,
    *,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take back what you did a moment ago; without a number, the last thing you did."""

    async def deed(ready: Parts, name: str) -> Done:
        number = event
        if number is None:
            async with ready.store.reading() as session:
                number = await history.last_by(session, await name_of(ready, name))
            if number is None:
                raise Refused("You have done nothing yet that could be taken back.")
        return await undoing.undo(ready.store, number, name)

    do(who, deed, as_json=as_json)
