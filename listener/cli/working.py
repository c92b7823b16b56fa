"""What staff do from the command line: cases taken, given back, closed, corrected."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import short
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.desk import closing, taking
from listener.desk.acting import Done
from listener.domain.case import Case, Outcome, Status
from listener.domain.correction import Better
from listener.domain.deadline import Policies
from listener.store import cases as queue
from listener.store import mentions, people
from listener.store.mentions import Filters
from listener.store.session import AsyncSession

cases = typer.Typer(help="List cases, most pressing first, and work them.", no_args_is_help=False)

Number = Annotated[int, typer.Argument(help="The case's number.", min=1)]
Who = Annotated[str | None, typer.Option("--as", help="Who you are; needed when you are several.")]


@cases.callback(invoke_without_command=True)
def cases_listed(
    context: typer.Context,
    *,
    status: Annotated[Status | None, typer.Option(help="Only those in this state.")] = None,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
    closed: Annotated[bool, typer.Option("--all", help="Also closed ones.")] = False,
    as_json: Json = False,
) -> None:
    """List cases, most pressing first. Machines get closed ones too."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[dict[str, Any]]:
        async with parts() as ready, ready.store.reading() as session:
            found = await queue.found(session, status=status, brand=brand, closed=closed or as_json)
            ids = await queue.mention_ids(session, [case.key for case, _ in found])
            names = await queue.staff_names(session)
            rows = [
                case_words(case, its_brand, ids.get(case.key, []), names)
                for case, its_brand in found
            ]
            if not as_json:
                await quote(session, rows)
            return rows

    rows = act(work)
    if as_json:
        for row in rows:
            print_json(row)
        return
    for row in rows:
        due = f"answer by {row['due_at']:%a %H:%M}" if row["due_at"] else "unsure: a person decides"
        owner = f", {row['owner']}" if row["owner"] else ""
        out.print(
            f"{row['id']:>5}  {row['priority']:>3}  {row['status']}{owner}  {row['brand']}  {due}\n"
            f"            “{row['quote']}”\n"
            f"            {' '.join(row['reasons'])}",
            markup=False,
            highlight=False,
        )
    out.print(f"{len(rows)} cases. Times are UTC. Take one: listener cases take NUMBER")


async def quote(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Give every case the words of its first mention."""
    first = [row["mentions"][0] for row in rows if row["mentions"]]
    found = await mentions.found(session, Filters(ids=first))
    said = {mention.key: mention.words for mention, _ in found}
    for row in rows:
        words = said.get(row["mentions"][0], "") if row["mentions"] else ""
        row["quote"] = short(words) or "(its author deleted it)"


def case_words(
    case: Case, brand: str, mention_ids: list[int], names: dict[int, str]
) -> dict[str, Any]:
    """A case for machines."""
    holder = case.held_by(datetime.now(UTC))
    return {
        "id": case.id,
        "brand": brand,
        "status": case.status,
        "unsure": case.unsure,
        "priority": case.priority,
        "reasons": case.reasons,
        "mentions": mention_ids,
        "owner": names.get(case.owner_id) if case.owner_id else None,
        "held_by": names.get(holder) if holder else None,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
        "snoozed_until": case.snoozed_until,
        "outcome": case.outcome,
    }


@cases.command()
def take(
    case: Number,
    *,
    who: Who = None,
    over: Annotated[bool, typer.Option(help="Take it over from whoever has it.")] = False,
    note: Annotated[str, typer.Option(help="A word for colleagues about it.")] = "",
    as_json: Json = False,
) -> None:
    """Take a case: it is yours, and you hold it for ten minutes."""
    do(
        who,
        lambda ready, name: taking.take(ready.store, case, name, over=over, note=note),
        as_json=as_json,
    )


@cases.command()
def release(case: Number, *, who: Who = None, as_json: Json = False) -> None:
    """Give a case back to the queue."""
    do(who, lambda ready, name: taking.release(ready.store, case, name), as_json=as_json)


@cases.command()
def close(
    case: Number,
    *,
    outcome: Annotated[Outcome, typer.Option(help="Why it is closed.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Close a case with a reason. "not us", "not negative" and "spam" also teach the model."""
    do(who, lambda ready, name: closing.close(ready.store, case, name, outcome), as_json=as_json)


@cases.command()
def correct(
    case: Number,
    *,
    better: Annotated[Better, typer.Option("--to", help="What is true instead.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Say that a flag was wrong, or that an unsure case is a complaint."""
    do(
        who,
        lambda ready, name: closing.correct(ready.store, case, name, better, Policies()),
        as_json=as_json,
    )


def do(who: str | None, deed: Callable[[Parts, str], Awaitable[Done]], *, as_json: bool) -> None:
    """Do something in the name of a member of staff, and say what was done."""
    done, words = act(lambda: acting(who, deed))
    if as_json:
        print_json(words | {"event": done.event})
    else:
        out.print(done.said, markup=False, highlight=False)


async def acting(
    who: str | None, deed: Callable[[Parts, str], Awaitable[Done]]
) -> tuple[Done, dict[str, Any]]:
    """Do something in the name of a member of staff."""
    async with parts() as ready:
        done = await deed(ready, await name_of(ready, who))
        async with ready.store.reading() as session:
            [(found, brand)] = await queue.found(session, ids=[done.case.key])
            ids = await queue.mention_ids(session, [done.case.key])
            names = await queue.staff_names(session)
        return done, case_words(found, brand, ids.get(found.key, []), names)


async def name_of(ready: Parts, who: str | None) -> str:
    """Who acts: the one who is named, or the only one there is."""
    async with ready.store.reading() as session:
        everybody = [person.name for person in await people.every(session) if person.active]
    if who is not None:
        return who
    if len(everybody) == 1:
        return everybody[0]
    raise Refused(
        f"Say who you are with --as: {', '.join(everybody)}."
        if everybody
        else "Nobody works here yet. Add yourself: listener staff add NAME."
    )
