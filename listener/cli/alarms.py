"""Alarms on the command line: list them, say that one is seen to, put one off."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import short
from listener.cli.ground import Json, act, out, parts, print_json
from listener.cli.working import Who, name_of
from listener.desk import alarming, snoozing
from listener.domain.alarm import sentence
from listener.domain.ladder import CALLED
from listener.store import alarms as found_alarms
from listener.store import calling
from listener.store.alarms import Shown
from listener.store.calling import Called

alarms = typer.Typer(help="List what rises or is silent, and see to it.", no_args_is_help=False)

MANY = 100_000
Number = Annotated[int, typer.Argument(help="The alarm's number.", min=1)]


@alarms.callback(invoke_without_command=True)
def alarms_listed(
    context: typer.Context,
    *,
    over: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Json = False,
) -> None:
    """List alarms, the latest first. Machines get those that are over too."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> tuple[list[Shown], dict[int, list[Called]]]:
        async with parts() as ready, ready.store.reading() as session:
            everything = await found_alarms.shown(session, brands=None, limit=MANY)
            some = [one for one in everything if over or as_json or one.alarm.over_at is None]
            return some, await calling.of_alarms(session, [one.alarm.key for one in some])

    found, called = act(work)
    if as_json:
        for one in found:
            print_json(words(one, called.get(one.alarm.key, ())))
        return
    for one in found:
        alarm = one.alarm
        state = (
            f"over since {alarm.over_at:%d %b %H:%M}"
            if alarm.over_at
            else f"put off until {alarm.snoozed_until:%d %b %H:%M}"
            if alarm.snoozed_until and alarm.snoozed_until > datetime.now(UTC)
            else "ringing"
        )
        who = f", {one.who} sees to it" if one.who else ""
        out.print(
            f"{alarm.key:>5}  {state}{who}  {one.brand}: {sentence(alarm, one.source, one.theme)}",
            markup=False,
            highlight=False,
        )
        for step in called.get(alarm.key, ()):
            out.print(f"       {says(step)}", markup=False, highlight=False)
        for mention in one.said:
            out.print(f"       “{short(mention.words)}”", markup=False, highlight=False)
    out.print(f"{len(found)} alarms. Times are UTC.", highlight=False)


@alarms.command()
def acknowledge(number: Number, *, who: Who = None) -> None:
    """Say that you see to an alarm."""

    async def deed(ready: Parts, name: str) -> str:
        return (await alarming.acknowledge(ready.store, number, name)).said

    do(who, deed)


@alarms.command()
def snooze(
    number: Number,
    *,
    until: Annotated[str, typer.Option("--for", help="For how long: 30m, 4h, 1d.")] = "4h",
    who: Who = None,
) -> None:
    """Put an alarm off."""
    moment = datetime.now(UTC)

    async def deed(ready: Parts, name: str) -> str:
        return await alarming.snooze(
            ready.store, number, name, snoozing.moment_of(until, moment, "")
        )

    do(who, deed)


def do(who: str | None, deed: Callable[[Parts, str], Awaitable[str]]) -> None:
    """Do it as somebody, and say what was done."""

    async def work() -> str:
        async with parts() as ready:
            return await deed(ready, await name_of(ready, who))

    out.print(act(work), markup=False, highlight=False)


def says(step: Called) -> str:
    """Whom a step called, or when it will."""
    who = CALLED[step.rung.rank]
    if step.rung.told_at is None:
        return f"{who} is called {step.rung.due_at:%d %b %H:%M}, unless somebody sees to it"
    names = ", ".join(step.names) or "nobody is there"
    missed = "".join(f"; {name} was not reached: {why}" for name, why in step.missed)
    return f"{who} was called {step.rung.told_at:%d %b %H:%M}: {names}{missed}"


def words(one: Shown, called: Sequence[Called] = ()) -> dict[str, Any]:
    """An alarm for machines."""
    alarm = one.alarm
    return {
        "id": alarm.id,
        "brand": one.brand,
        "source": one.source,
        "about": alarm.sort,
        "theme": one.theme,
        "theme_id": alarm.theme_id,
        "sentence": sentence(alarm, one.source, one.theme),
        "since": alarm.since,
        "raised_at": alarm.raised_at,
        "count": alarm.count,
        "passed_on": alarm.passed_on,
        "usual": [alarm.low, alarm.high] if alarm.sort.is_rise else None,
        "expected": round(alarm.expected, 2),
        "mentions": alarm.mentions,
        "acknowledged_by": one.who,
        "acknowledged_at": alarm.acknowledged_at,
        "snoozed_until": alarm.snoozed_until,
        "over_at": alarm.over_at,
        "called": [
            {"rank": step.rung.rank, "at": step.rung.told_at, "names": list(step.names)}
            for step in called
            if step.rung.told_at is not None
        ],
    }
