"""What staff say to customers from the command line, and what became of it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import short
from listener.cli.arranging import cases
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.cli.working import Number, Who, name_of
from listener.desk import replies as desk
from listener.desk.replies import Written
from listener.domain.reply import Reply, State
from listener.stages.reach import rule
from listener.store import people
from listener.store import replies as outbox

__all__ = ["cases", "replies"]

replies = typer.Typer(help="List replies, newest first, and decide what only a person can.")

Which = Annotated[int, typer.Argument(help="The reply's number.", min=1)]


@cases.command()
def reply(
    case: Number,
    *,
    text: Annotated[str, typer.Option(help="What the customer is told.")],
    by_hand: Annotated[bool, typer.Option(help="You have posted it there yourself.")] = False,
    url: Annotated[str, typer.Option(help="Where it stands, if you posted it yourself.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Answer a case that you hold. It is sent after a moment in which you can take it back."""

    async def deed(ready: Parts, name: str) -> Written:
        rules = partial(rule, ready.connect)
        box = await desk.compose(ready.store, rules, case, name)
        if box is None:
            raise Refused("There is nothing there that could be answered.")
        if by_hand or url:
            return await desk.by_hand(ready.store, case, name, text, box.seen, url=url)
        window = ready.settings.undo
        return await desk.send(ready.store, rules, case, name, text, box.seen, window=window)

    do(who, deed, as_json=as_json)


@replies.callback(invoke_without_command=True)
def replies_listed(
    context: typer.Context,
    *,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 200,
    as_json: Json = False,
) -> None:
    """List replies, newest first: which wait, which were posted, which need a person."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[dict[str, Any]]:
        async with parts() as ready, ready.store.reading() as session:
            found = await outbox.found(session, state=state, limit=limit)
            return [words_of(one, staff) for one, staff in found]

    rows = act(work)
    if as_json:
        for row in rows:
            print_json(row)
        return
    for row in rows:
        trouble = f"\n       {row['failure']}" if row["failure"] else ""
        out.print(
            f"{row['id']:>5}  {row['state']}  case {row['case']}, {row['staff']}, "
            f"{row['made_at']:%d %b %H:%M}\n       “{short(row['text'])}”{trouble}",
            markup=False,
            highlight=False,
        )
    out.print(f"{len(rows)} replies. Times are UTC.")


@replies.command()
def withdraw(reply: Which, *, who: Who = None, as_json: Json = False) -> None:
    """Take a reply back while it waits."""
    do(who, lambda ready, name: desk.withdraw(ready.store, reply, name), as_json=as_json)


@replies.command()
def again(reply: Which, *, who: Who = None, as_json: Json = False) -> None:
    """Send a reply again of which you know that it does not stand there."""
    do(who, lambda ready, name: desk.again(ready.store, reply, name), as_json=as_json)


@replies.command()
def there(
    reply: Which,
    *,
    url: Annotated[str, typer.Option(help="Where it stands.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Say that a reply stands there: you have seen it."""
    do(who, lambda ready, name: desk.there(ready.store, reply, name, url=url), as_json=as_json)


def do(who: str | None, deed: Callable[[Parts, str], Awaitable[Written]], *, as_json: bool) -> None:
    """Do something in the name of a member of staff, and say what was done."""

    async def work() -> tuple[Written, str]:
        async with parts() as ready:
            made = await deed(ready, await name_of(ready, who))
            async with ready.store.reading() as session:
                return made, await people.name(session, made.reply.staff_id)

    made, writer = act(work)
    if as_json:
        print_json(words_of(made.reply, writer) | {"event": made.event})
    else:
        out.print(made.said, markup=False, highlight=False)


def words_of(reply: Reply, staff: str) -> dict[str, Any]:
    """A reply for machines."""
    return {
        "id": reply.id,
        "case": reply.case_id,
        "mention": reply.mention_id,
        "staff": staff,
        "state": reply.state,
        "by_hand": reply.by_hand,
        "text": reply.text,
        "made_at": reply.made_at,
        "sent_at": reply.sent_at,
        "url": reply.url,
        "failure": reply.failure,
    }
