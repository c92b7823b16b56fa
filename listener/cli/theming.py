"""Themes on the command line: list them, look at one, say what it is and who sees to it."""

from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import short
from listener.cli.alarms import do
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.cli.working import Who
from listener.desk import theming
from listener.store import portraits
from listener.store import themes as found_themes
from listener.store.portraits import Portrait
from listener.store.session import now
from listener.store.themes import Shown

themes = typer.Typer(help="List what people complain about alike.", no_args_is_help=False)

MANY = 100_000
Number = Annotated[int, typer.Argument(help="The theme's number.", min=1)]


@themes.callback(invoke_without_command=True)
def themes_listed(context: typer.Context, *, as_json: Json = False) -> None:
    """List themes that are not over, those that most people share first; quiet ones last."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[Shown]:
        async with parts() as ready, ready.store.reading() as session:
            return await found_themes.shown(session, brands=None, limit=MANY)

    found = act(work)
    if as_json:
        for one in found:
            print_json(words(one))
        return
    for one in found:
        theme = one.theme
        out.print(
            f"{theme.key:>5}  {one.brand}: {theme.name}, {theme.people} people, "
            f"{one.mentions} posts since {theme.began_at:%d %b %H:%M}, "
            f"{len(one.cases)} open cases{', quiet' if theme.muted else ''}"
            f"{seen_to(one.owner, theme.link)}",
            markup=False,
            highlight=False,
        )
        if one.quote is not None:
            out.print(f"       “{short(one.quote.words)}”", markup=False, highlight=False)
    out.print(f"{len(found)} themes. Times are UTC.", highlight=False)


@themes.command()
def show(number: Number, *, as_json: Json = False) -> None:
    """Show one theme: who says it, in what words, what is open, what became of it."""

    async def work() -> Portrait:
        async with parts() as ready, ready.store.reading() as session:
            found = await portraits.read(session, number, now=await now(session), zone="UTC")
            if found is None:
                raise Refused(f"There is no theme {number}. `listener themes` lists them.")
            return found

    one = act(work)
    if as_json:
        print_json(whole(one))
        return
    theme = one.theme
    lines = [
        f"Theme {theme.key}, {one.brand}: {theme.name}{seen_to(one.owner, theme.link)}",
        f"{theme.people} people, {'the latest ' if one.cut else ''}{one.mentions} posts",
        f"since {theme.began_at:%d %b %H:%M}, the last {theme.last_at:%d %b %H:%M}",
        *([f"It is a part of {one.part_of} now."] if one.part_of else ()),
        *(f"  {place}: {count} people" for place, count in one.places),
        *(f"  “{short(quote.words)}”" for quote in one.quotes),
        *(
            f"  case {case.number}: {case.status}, {case.owner or 'nobody has it'}"
            for case in one.cases
        ),
        *(f"  {line.at:%d %b %H:%M}  {line.says}" for line in reversed(one.story)),
        "Times are UTC.",
    ]
    for line in lines:
        out.print(line, markup=False, highlight=False)


@themes.command()
def give(
    number: Number,
    to: Annotated[str | None, typer.Argument(help="Who sees to it; nobody without.")] = None,
    *,
    who: Who = None,
) -> None:
    """Say who sees to a theme."""
    do(who, lambda ready, person: theming.own(ready.store, number, person, to or ""))


@themes.command()
def link(
    number: Number,
    address: Annotated[str | None, typer.Argument(help="Where; nowhere without.")] = None,
    *,
    who: Who = None,
) -> None:
    """Say where a theme is put right: the link of a ticket or a page."""
    do(who, lambda ready, person: theming.link(ready.store, number, person, address or ""))


@themes.command()
def split(
    number: Number,
    mentions: Annotated[list[int], typer.Argument(help="The numbers of its posts.", min=1)],
    *,
    name: Annotated[str, typer.Option(help="What the new theme is called.")],
    who: Who = None,
) -> None:
    """Put some of a theme's posts into a theme of their own, which they stay."""

    async def deed(ready: Parts, person: str) -> str:
        return (await theming.split(ready.store, number, person, mentions, name)).said

    do(who, deed)


@themes.command()
def rename(
    number: Number,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    *,
    who: Who = None,
) -> None:
    """Give a theme the name that people use."""
    do(who, lambda ready, person: theming.rename(ready.store, number, person, name))


@themes.command()
def merge(
    number: Number,
    into: Annotated[int, typer.Argument(help="The number of the theme that it is part of.")],
    *,
    who: Who = None,
) -> None:
    """Say that a theme is a part of another."""
    do(who, lambda ready, person: theming.merge(ready.store, number, person, into))


@themes.command()
def mute(number: Number, *, who: Who = None) -> None:
    """Put a theme behind all others, out of digests and cases."""
    do(who, lambda ready, person: theming.mute(ready.store, number, person, muted=True))


@themes.command()
def unmute(number: Number, *, who: Who = None) -> None:
    """Put a theme among the others again."""
    do(who, lambda ready, person: theming.mute(ready.store, number, person, muted=False))


def seen_to(owner: str | None, link: str | None) -> str:
    """Who sees to a theme and where, behind what else is said of it."""
    if owner is None and link is None:
        return ""
    return f", {owner or 'nobody'} sees to it{f' at {link}' if link else ''}"


def words(one: Shown) -> dict[str, Any]:
    """A theme for machines."""
    theme = one.theme
    return {
        "id": theme.key,
        "brand": one.brand,
        "name": theme.name,
        "people": theme.people,
        "mentions": one.mentions,
        "places": dict(one.places),
        "cases": list(one.cases),
        "quote": None if one.quote is None else one.quote.words,
        "began_at": theme.began_at,
        "last_at": theme.last_at,
        "muted": theme.muted,
        "owner": one.owner,
        "link": theme.link,
    }


def whole(one: Portrait) -> dict[str, Any]:
    """All of a theme for machines."""
    theme = one.theme
    return {
        "id": theme.key,
        "brand": one.brand,
        "name": theme.name,
        "people": theme.people,
        "people_ever": one.people,
        "places": dict(one.places),
        "days": {day.isoformat(): count for day, count in one.days if count},
        "cases": [
            {"id": case.number, "status": case.status, "owner": case.owner, "due_at": case.due_at}
            for case in one.cases
        ],
        "closed_cases": one.closed,
        "quotes": [{"mention": quote.key, "text": quote.words} for quote in one.quotes],
        "mentions": [post.key for post in one.posts],
        "began_at": theme.began_at,
        "last_at": theme.last_at,
        "ended_at": theme.ended_at,
        "merged_into": theme.merged_into,
        "muted": theme.muted,
        "owner": one.owner,
        "link": theme.link,
        "history": [{"at": line.at, "says": line.says} for line in reversed(one.story)],
    }
