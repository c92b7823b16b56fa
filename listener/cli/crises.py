"""Crises on the command line: declared, led, told about, ended, and what was learnt of each."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import printable, short
from listener.cli.alarms import do
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.cli.working import Who, name_of
from listener.desk import declaring, gathering, holding, reporting
from listener.desk.declaring import Wish
from listener.domain import table
from listener.domain.aftermath import Aftermath
from listener.domain.crisis import OTHERWISE
from listener.domain.crisis_story import clock
from listener.domain.hours import said
from listener.stages.reach import rule
from listener.store import bulletins, crises
from listener.store.bulletins import Trouble
from listener.store.crises import Line, Shown, Worded

crisis = typer.Typer(help="Declare a crisis, lead it, and end it.", no_args_is_help=False)

MANY = 100_000
Number = Annotated[int, typer.Argument(help="The crisis's number.", min=1)]
CaseNumber = Annotated[int, typer.Argument(help="The case's number.", min=1)]


@crisis.callback(invoke_without_command=True)
def crises_listed(
    context: typer.Context,
    *,
    over: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Json = False,
) -> None:
    """List crises, the latest first. Machines get those that are over too."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[Shown]:
        async with parts() as ready, ready.store.reading() as session:
            return await crises.shown(session, brands=None, ended=over or as_json, limit=MANY)

    found = act(work)
    for one in found:
        if as_json:
            print_json(words(one))
        else:
            say(line_of(one))
    if not as_json:
        say(f"{len(found)} {'crisis' if len(found) == 1 else 'crises'}. Times are UTC.")


@crisis.command()
def declare(
    name: Annotated[
        str, typer.Argument(help="What colleagues will read, as in: Burning chargers.")
    ],
    *,
    brand: Annotated[str, typer.Option(help="The brand it is about.")] = "",
    alarm: Annotated[int | None, typer.Option(help="Its cases belong to it.", min=1)] = None,
    theme: Annotated[
        int | None, typer.Option(help="Its cases belong to it, as they come.", min=1)
    ] = None,
    having: Annotated[str, typer.Option("--words", help="So do cases that say all of these.")] = "",
    lead: Annotated[str, typer.Option(help="Who leads it; you, without.")] = "",
    every: Annotated[int, typer.Option(help="Minutes between updates: 15, 30, 60.")] = OTHERWISE,
    who: Who = None,
) -> None:
    """Declare a crisis of a brand, or of an alarm's or a theme's brand."""
    wish = Wish(
        name=name, brand=brand, alarm=alarm, theme=theme, words=having, lead=lead, every=every
    )

    async def deed(ready: Parts, person: str) -> str:
        return (await declaring.declare(ready.store, wish, person)).said

    do(who, deed)


@crisis.command()
def show(number: Number, *, as_json: Json = False) -> None:
    """Show how a crisis stands, its holding replies, and what became of it."""

    async def work() -> tuple[Shown, list[Worded], list[Line], list[Trouble]]:
        async with parts() as ready, ready.store.reading() as session:
            found = await crises.shown(session, brands=None, numbers=[number], ended=True)
            if not found:
                raise Refused(f"There is no crisis {number}. `listener crisis --all` lists them.")
            texts, story = await crises.texts(session, number), await crises.story(session, number)
            return found[0], texts, story, await bulletins.troubles(session, number)

    one, texts, story, troubles = act(work)
    if as_json:
        print_json(
            words(one)
            | {
                "holding_replies": [
                    {"language": each.text.language or None, "text": each.text.text, "by": each.by,
                     "approved_by": each.approved}
                    for each in texts
                ],
                "history": [asdict(line) for line in story],
                "not_reached": [asdict(each) for each in troubles],
            }
        )  # fmt: skip
        return
    say(line_of(one))
    for each in texts:
        state = f"approved by {each.approved}" if each.approved else "not approved yet"
        say(f"  Holding reply, {each.text.language or 'all languages'}, {state}:")
        say(f"    “{short(each.text.text)}”")
    for trouble in troubles:
        say(f"  Not reached: {trouble.whom} by {trouble.way} ({trouble.told}): {trouble.why}")
    for line in story:
        say(f"  {line.at:%d %b %H:%M}  {line.says}")
        for note in line.note.splitlines():
            say(f"                {printable(note)}")
    say("Times are UTC.")


@crisis.command()
def update(
    number: Number,
    text: Annotated[str, typer.Argument(help="What is known, what is done, what comes next.")],
    *,
    who: Who = None,
) -> None:
    """Tell everybody whose business the brand is how it goes on."""
    do(who, lambda ready, person: declaring.update(ready.store, number, person, text))


@crisis.command()
def lead(
    number: Number,
    to: Annotated[str, typer.Argument(help="Who leads it from now on.")],
    *,
    who: Who = None,
) -> None:
    """Hand a crisis over."""
    do(who, lambda ready, person: declaring.lead(ready.store, number, person, to))


@crisis.command()
def text(
    number: Number,
    words: Annotated[str, typer.Argument(help="What everybody is told until more is known.")],
    *,
    language: Annotated[
        str, typer.Option(help="For posts of this language, as de; else all.")
    ] = "",
    who: Who = None,
) -> None:
    """Write the holding reply; it is offered once it is approved."""
    do(who, lambda ready, person: declaring.word(ready.store, number, person, words, language))


@crisis.command()
def approve(
    number: Number,
    words: Annotated[str, typer.Argument(help="The text that you have read and approve.")],
    *,
    language: Annotated[str, typer.Option(help="Its language; all languages without.")] = "",
    who: Who = None,
) -> None:
    """Approve a holding reply as it stands."""
    do(who, lambda ready, person: declaring.approve(ready.store, number, person, language, words))


@crisis.command()
def bring(number: Number, case: CaseNumber, *, who: Who = None) -> None:
    """Bring a case into a crisis."""
    do(who, lambda ready, person: gathering.bring(ready.store, number, person, case))


@crisis.command()
def leave(number: Number, case: CaseNumber, *, who: Who = None) -> None:
    """Take a case out of a crisis; it does not come back by itself."""
    do(who, lambda ready, person: gathering.leave(ready.store, number, person, case))


@crisis.command()
def tell(
    number: Number,
    cases: Annotated[
        list[int] | None, typer.Argument(help="Whom to tell, by case; without, all are listed.")
    ] = None,
    *,
    who: Who = None,
) -> None:
    """Send the approved holding reply to those who wait, each in their own case."""

    async def work() -> list[str]:
        async with parts() as ready:
            person, rules = await name_of(ready, who), partial(rule, ready.connect)
            found, left, mark = await holding.whom(ready.store, rules, number, person)
            if not cases:
                return [
                    *(
                        f"  case {one.case_id}  {printable(one.author)} on {one.place}: "
                        f"{one.why_not or '“' + short(one.text) + '”'}"
                        for one in found
                    ),
                    f"{len(found)} people wait.{f' {left} cases were not looked at.' if left else ''}",
                    "Name the cases whose people are told.",
                ]
            chosen = {one.case_id: one.seen for one in found if one.case_id in cases}
            missing = [f"Case {case}: nobody waits in it." for case in cases if case not in chosen]
            if not chosen:
                raise Refused(" ".join(missing))
            told = await holding.tell(
                ready.store, rules, number, person, chosen, mark, window=ready.settings.undo
            )
            return [*missing, *(f"Case {one.case_id}: {one.said}" for one in told)]

    for line in act(work):
        say(line)


@crisis.command()
def end(number: Number, *, who: Who = None) -> None:
    """End a crisis."""
    do(who, lambda ready, person: declaring.end(ready.store, number, person))


@crisis.command()
def report(
    number: Number,
    *,
    csv: Annotated[Path | None, typer.Option(help="Write its cases to this file instead.")] = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Say what a crisis was: when, how many, how soon answered, what was missed, what was said."""

    async def work() -> tuple[Aftermath, str]:
        async with parts() as ready:
            found = await reporting.report(ready.store, number, await name_of(ready, who))
            return found, ready.settings.url

    found, url = act(work)
    if csv is not None:
        try:
            csv.write_text(table.lines(reporting.rows(found)), encoding="utf-8", newline="")
        except OSError as error:
            act(partial(refuse, f"{csv} cannot be written ({error.strerror}). Name another file."))
        say(f"{csv} has {counted(len(found.cases))}.")
    elif as_json:
        print_json(facts(found))
    else:
        for line in plain(found, url):
            say(line)


async def refuse(why: str) -> None:
    """Say why a command cannot be done."""
    raise Refused(why)


def say(line: str) -> None:
    """One line, as it stands."""
    out.print(line, markup=False, highlight=False)


def line_of(one: Shown) -> str:
    """A crisis in one line."""
    here, numbers = one.crisis, one.numbers
    if here.ended_at is not None:
        state = f"over since {clock(here.ended_at)}"
    elif one.missed_at is not None:
        state = f"open, no update since the one due {clock(one.missed_at)}"
    else:
        state = f"open, next update {clock(here.update_due_at)}"
    return (
        f"{here.key:>5}  {one.brand}: {here.name}, {one.lead} leads it, {state}; "
        f"{counted(numbers.cases)}, {numbers.unclosed} open, {numbers.waiting} without an answer"
    )


def counted(cases: int) -> str:
    """So many cases."""
    return "1 case" if cases == 1 else f"{cases:,} cases"


def words(one: Shown) -> dict[str, Any]:
    """A crisis for machines."""
    here = one.crisis
    return {
        "id": here.key,
        "brand": one.brand,
        "name": here.name,
        "lead": one.lead,
        "alarm": here.alarm_id,
        "theme": here.theme_id,
        "words": here.words or None,
        "declared_at": here.declared_at,
        "every": here.every,
        "update_due_at": None if here.ended_at else here.update_due_at,
        "missed_at": one.missed_at,
        "ended_at": here.ended_at,
        "cases": one.numbers.cases,
        "open_cases": one.numbers.unclosed,
        "waiting": one.numbers.waiting,
    }


def facts(found: Aftermath) -> dict[str, Any]:
    """A report for machines."""
    seconds = {
        name: None if span is None else span.total_seconds()
        for name, span in (("median", found.median), ("ninetieth", found.ninetieth))
    }
    plain = {
        name: value for name, value in asdict(found).items() if name not in ("crisis", "cases")
    }
    return plain | {
        "crisis": found.crisis.key,
        "name": found.crisis.name,
        "declared_at": found.crisis.declared_at,
        "ended_at": found.crisis.ended_at,
        "first_reply_seconds": seconds,
        "cases": [asdict(one) for one in found.cases],
    }


def plain(found: Aftermath, url: str) -> Iterator[str]:
    """A report for those who read text."""
    here = found.crisis
    until = f"until {clock(here.ended_at)}" if here.ended_at else "and goes on"
    yield f"{printable(found.brand)}: {printable(here.name)}"
    yield (
        f"Declared by {found.declared_by} {clock(here.declared_at)}, led by {found.lead}, {until}."
    )
    yield (
        f"{counted(len(found.cases))}, {found.people} people, {len(found.places)} places, "
        f"{found.posts} posts, {found.deleted} of them deleted since."
    )
    if found.none_of_it:
        yield f"{counted(found.none_of_it)} more turned out to be not us, not negative or spam."
    if found.median is not None and found.ninetieth is not None:
        yield (
            f"First reply: half within {said(found.median)}, nine of ten within "
            f"{said(found.ninetieth)}."
        )
    if found.unanswered:
        numbers = ", ".join(str(one.case) for one in found.unanswered)
        yield f"Without an answer: cases {numbers}."
    yield ""
    yield "What happened when (UTC)"
    for one in found.moments:
        yield f"  {one.at:%d %b %H:%M}  {one.says}{f', case {one.case}' if one.case else ''}"
        yield from (f"                {printable(note)}" for note in one.note.splitlines())
    yield ""
    yield "What was missed"
    for late in found.late:
        there = f"there {clock(late.ended_at)}" if late.ended_at else "still not there"
        yield (
            f"  case {late.case}: {late.clock} due {clock(late.due_at)}, {there}; "
            f"{late.owner or 'nobody’s'}"
        )
    yield from (f"  the update due {clock(due)}" for due in found.missed_updates)
    if not found.late and not found.missed_updates:
        yield "  Nothing."
    yield ""
    yield "What we said"
    for text in found.texts:
        what = "holding reply, " if text.holding else ""
        yield f"  “{short(text.text)}” ({what}cases {', '.join(map(str, text.cases))})"
    yield ""
    yield "In their words"
    yield from (f"  “{short(quote.words)}” (case {quote.case})" for quote in found.quotes)
    yield ""
    yield f"{url.rstrip('/')}/crises/{here.key}/report"
