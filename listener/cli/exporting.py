"""`listener export`: all mentions, cases or events, to read on in other programs."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from listener.cli.ground import Refused, act, parts, print_json
from listener.domain import table
from listener.store import brands, exports
from listener.store.exports import COLUMNS, Exported, Wanted


class Form(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSONL = "jsonl"


def export(
    what: Annotated[Exported, typer.Argument(help="What to take out.")],
    *,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day on, as in 2026-11-25.")] = None,
    until: Annotated[str | None, typer.Option(help="Until this day, and with it.")] = None,
    form: Annotated[
        Form, typer.Option("--as", help="A table for spreadsheets, or a line of JSON a row.")
    ] = Form.CSV,
) -> None:
    """Print all mentions, cases or events, the oldest first. Days are counted by UTC."""

    async def work() -> None:
        first, last = day(since), day(until)
        async with parts() as ready:
            numbers = None
            if brand is not None:
                async with ready.store.reading() as session:
                    found = await brands.named(session, brand)
                if found is None:
                    raise Refused(f"There is no brand called {brand!r}.")
                numbers = [found.key]
            until_then = None if last is None else last + timedelta(days=1)
            wanted = Wanted(what, numbers, since=first, until=until_then)
            columns = COLUMNS[what]
            if form is Form.CSV:
                sys.stdout.write(table.line(columns))
            write = as_table(columns) if form is Form.CSV else print_json
            async for rows in exports.portions(ready.store, wanted):
                for row in rows:
                    write(row)

    act(work)


def as_table(columns: tuple[str, ...]) -> Callable[[dict[str, Any]], None]:
    """What writes a row as a line of a table."""

    def write(row: dict[str, Any]) -> None:
        sys.stdout.write(table.line([row[name] for name in columns]))

    return write


def day(words: str | None) -> datetime | None:
    """The beginning of a day, by UTC."""
    if words is None:
        return None
    try:
        found = datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC)
        _ = found + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Refused(f"{words!r} is no day; write one like 2026-11-25.") from None
    return found
