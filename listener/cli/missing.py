"""`listener breaches`: every deadline that was missed, by name."""

import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from defusedcsv.csv import writer

from listener.channels.terminal import printable
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.desk.missing import HEAD, Missed, everything, row
from listener.domain.deadline import Clock
from listener.domain.hours import said
from listener.store import brands
from listener.store.misses import Asked, Which
from listener.store.session import now


def breaches(
    *,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
    clock: Annotated[Clock | None, typer.Option(help="Only of this clock.")] = None,
    which: Annotated[Which, typer.Option(help="Only those that stand like this.")] = Which.ALL,
    since: Annotated[str | None, typer.Option(help="Due on this day or later.")] = None,
    until: Annotated[str | None, typer.Option(help="Due on this day or before.")] = None,
    table: Annotated[bool, typer.Option("--csv", help="As a table for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """List every missed deadline: whose it was, by how much, whether it was answered since."""

    async def work() -> list[Missed]:
        first = None if since is None else midnight(since)
        last = None if until is None else midnight(until) + timedelta(days=1)
        async with parts() as ready, ready.store.reading() as session:
            chosen = None
            if brand is not None:
                found = await brands.named(session, brand)
                if found is None:
                    raise Refused(f"There is no brand called {brand!r}.")
                chosen = [found.key]
            asked = Asked(brands=chosen, clock=clock, which=which, since=first, until=last)
            return await everything(
                session, asked, now=await now(session), otherwise=ready.settings.policies
            )

    found = act(work)
    if as_json:
        for one in found:
            print_json(facts(one))
        return
    if table:
        write = writer(sys.stdout)
        write.writerow(HEAD)
        write.writerows(row(one) for one in found)
        return
    for one in found:
        out.print(printable(line(one)), markup=False, highlight=False)
    out.print(f"{len(found):,} missed deadlines. Times are UTC.", highlight=False)


def midnight(words: str) -> datetime:
    """When a day begins."""
    try:
        return datetime.combine(date.fromisoformat(words), time(), UTC)
    except ValueError:
        raise Refused("Write a day like 2026-11-25.") from None


def line(one: Missed) -> str:
    """One of them in words."""
    who = " of ".join(part for part in (one.owner or "nobody", one.team) if part)
    if one.withdrawn is not None:
        how = f"withdrawn: {one.why}"
    elif one.ended is None:
        how = f"missed by {said(one.by or timedelta())}, still waits"
    else:
        how = f"{said(one.by or timedelta())} too late, {one.ended:%d %b %H:%M}"
    return (
        f"{one.case_id:>5}  {one.brand}  {one.clock}, due {one.due:%a %d %b %H:%M}: {how}; "
        f"{who}; by “{one.policy}”"
    )


def facts(one: Missed) -> dict[str, Any]:
    """One of them for machines."""
    return {
        "case": one.case_id,
        "brand": one.brand,
        "clock": one.clock,
        "policy": one.policy,
        "due_at": one.due,
        "first_due_at": one.promised,
        "ended_at": one.ended,
        "seconds_late": None if one.by is None else one.by.total_seconds(),
        "owner": one.owner,
        "team": one.team,
        "withdrawn_at": one.withdrawn,
        "why": one.why or None,
    }
