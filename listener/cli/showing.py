"""`listener cases show`: one case with its clocks, where it went, who was called, its history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from listener.channels.terminal import printable, short
from listener.cli.answering import cases
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.desk.clocking import Face, Standing, standing
from listener.store import dossier, routing, timeline
from listener.store.dossier import Dossier
from listener.store.session import now
from listener.store.timeline import Line

__all__ = ["cases"]

Number = Annotated[int, typer.Argument(help="The case's number.", min=1)]


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is told of a case."""

    found: Dossier
    standing: Standing
    went: list[str]
    tags: list[str]
    story: list[Line]


@cases.command()
def show(case: Number, *, as_json: Json = False) -> None:
    """Show one case: until when it is due and why, where it went, and what happened."""

    async def work() -> Shown:
        async with parts() as ready, ready.store.reading() as session:
            moment = await now(session)
            found = await dossier.read(session, case, now=moment)
            if found is None:
                raise Refused(f"There is no case {case}. `listener cases` lists them.")
            decided = (await routing.latest(session, [case])).get(case)
            return Shown(
                found,
                await standing(
                    session,
                    found.case,
                    brand=found.brand,
                    now=moment,
                    otherwise=ready.settings.policies,
                ),
                [] if decided is None else list(decided.why),
                list(found.has.tags),
                await timeline.of_case(session, case),
            )

    shown = act(work)
    if as_json:
        print_json(as_facts(shown))
        return
    for line in lines(shown):
        out.print(printable(line), markup=False, highlight=False)


def lines(shown: Shown) -> Iterator[str]:
    """A case in words."""
    case = shown.found.case
    marks = "".join(f" #{tag}" for tag in shown.tags)
    owner = f", {shown.found.owner}" if shown.found.owner else ""
    yield f"Case {case.key}: {case.status}{owner}, {shown.found.brand}, {case.sort.severity}{marks}"
    if shown.found.mentions:
        words = shown.found.mentions[0][0].words
        yield f"  “{short(words) or '(its author deleted it)'}”"
    yield "Until when"
    if not shown.standing.faces:
        yield (
            "  No clock runs until somebody says that it is a complaint."
            if case.unsure
            else "  It came before there were clocks."
        )
    for face in shown.standing.faces:
        yield f"  {face.clock.capitalize()}: {face.says}{moments(face)}; {face.hours}"
    if shown.standing.why:
        yield f"  {shown.standing.why}"
    if shown.went:
        yield "Where it went"
        yield from (f"  {sentence}" for sentence in shown.went)
    if shown.standing.calls:
        yield "Who was called"
        for call in shown.standing.calls:
            who = " and ".join(call.called) or "nobody there"
            said = f"next is the {call.rank}" if call.next else f"the {call.rank}: {who}"
            yield f"  {at(call.at)}  {said}"
    yield "What happened"
    for line in shown.story:
        yield f"  {at(line.at)}  {line.says}{' (taken back)' if line.undone else ''}"
    yield "Times are UTC."


def moments(face: Face) -> str:
    """When a clock is due, and when it was stopped."""
    due = f", due {at(face.due)}" if face.due else ""
    ended = f", ended {at(face.ended)}" if face.ended else ""
    return f"{due}{ended}"


def at(moment: datetime) -> str:
    """A moment, short."""
    return f"{moment:%a %d %b %H:%M}"


def as_facts(shown: Shown) -> dict[str, Any]:
    """A case for machines."""
    case = shown.found.case
    return {
        "id": case.id,
        "brand": shown.found.brand,
        "status": case.status,
        "severity": case.sort.severity,
        "owner": shown.found.owner,
        "tags": shown.tags,
        "policy": case.policy,
        "policy_version": case.policy_version,
        "why_this_policy": shown.standing.why,
        "clocks": [
            {
                "clock": face.clock,
                "state": face.state,
                "since": face.since,
                "due_at": face.due,
                "ended_at": face.ended,
                "paused_at": face.paused,
                "seconds": face.allowed.total_seconds(),
                "seconds_left": face.left.total_seconds(),
                "hours": face.hours,
                "policy": face.promise,
            }
            for face in shown.standing.faces
        ],
        "went": shown.went,
        "heard": shown.standing.heard,
        "calls": [
            {"rank": call.rank, "at": call.at, "called": list(call.called), "next": call.next}
            for call in shown.standing.calls
        ],
        "story": [{"at": line.at, "says": line.says} for line in shown.story],
    }
