"""`listener policies`: what is promised, in its order, and when the teams are at work."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from listener.channels.terminal import printable
from listener.cli.ground import Json, act, out, parts, print_json
from listener.desk.promising import Promise, Promises, Shift, promises
from listener.domain.hours import said
from listener.store.session import now


def policies(*, as_json: Json = False) -> None:
    """List the policies that are in force; the first that fits a case speaks."""

    async def work() -> Promises:
        async with parts() as ready, ready.store.reading() as session:
            return await promises(
                session, now=await now(session), otherwise=ready.settings.policies
            )

    found = act(work)
    if as_json:
        for one in found.policies:
            print_json(facts(one))
        return
    for number, one in enumerate(found.policies, start=1):
        out.print(printable(line(number, one)), markup=False, highlight=False)
    for team in found.shifts:
        out.print(printable(hours(team)), markup=False, highlight=False)
    out.print("The first that fits speaks. Times are UTC.", highlight=False)


def line(number: int, one: Promise) -> str:
    """One policy in words."""
    version = f", version {one.version}" if one.version else ""
    spans = ", ".join(
        f"{what} {said(span)}"
        for what, span in (
            ("first reply", one.first),
            ("next reply", one.next),
            ("resolution", one.resolution),
        )
        if span
    )
    counted = "round the clock" if one.always else "in the team's hours"
    fits = ", ".join(one.fits) or "everything no other is for"
    return f"{number:>3}  {one.name}{version}: {fits}\n     {spans}; {counted}; {one.cases:,} open"


def hours(one: Shift) -> str:
    """A team's hours in words."""
    until = f" until {one.until:%a %d %b %H:%M}" if one.until else ""
    closed = ", ".join(f"{day:%a %d %b} ({why})" for day, why in one.closed)
    said_closed = f"; closed {closed}" if closed else ""
    return f"     Team {one.name}: {'at work' if one.open else 'closed'}{until}{said_closed}"


def facts(one: Promise) -> dict[str, Any]:
    """One policy for machines."""
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in asdict(one).items()
    }
