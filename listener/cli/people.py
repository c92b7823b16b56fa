"""`listener staff`: who works here, as what, for which brands, and how they sign in."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.cli.ground import Json, Refused, Result, act, err, out, parts, print_json
from listener.desk import staffing, tokens
from listener.desk.away import come_back, go_away
from listener.desk.plan_words import span as stretch
from listener.desk.snoozing import moment_of
from listener.desk.staffing import Welcome
from listener.domain.login import LINK
from listener.domain.staff import Role, Staff
from listener.store import brands as all_brands
from listener.store import people
from listener.store.session import Store, now
from listener.web.pages import span

staff = typer.Typer(help="The people who work here, and how they sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What they are called.")]
Brands = Annotated[
    list[str] | None,
    typer.Option("--brand", help="A brand they look after (repeat for more); without: all."),
]
Ask = Annotated[
    bool, typer.Option("--ask", help="Ask for a password here, instead of printing a link.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="Take the password from the first line of this file; - is standard input."),
]


@staff.command()
def add(
    name: Name,
    *,
    role: Annotated[Role, typer.Option(help="What they are here to do.")] = Role.AGENT,
    mail: Annotated[str | None, typer.Option(help="Their address.")] = None,
    brand: Brands = None,
    ask: Ask = False,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Add somebody, or take somebody back who left. Prints a link to choose a password."""
    words = given(ask=ask, file=password_file)

    async def work(ready: Parts) -> Welcome:
        return await staffing.add(
            ready.store,
            name,
            role=role,
            mail=mail,
            brands=await numbers(ready.store, brand),
            words=words,
        )

    welcome, url = done(work)
    said = f"{welcome.person.name} works here now, as {welcome.person.role}."
    show(welcome.person, said, link=link(url, welcome), as_json=as_json)


@staff.command()
def password(
    name: Name,
    *,
    ask: Ask = False,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Print a link to choose a new password, or set one; the old one is good until then."""
    words = given(ask=ask, file=password_file)

    async def work(ready: Parts) -> Welcome:
        if words is None:
            return await staffing.new_link(ready.store, name)
        return Welcome(await staffing.give_password(ready.store, name, words), "")

    welcome, url = done(work)
    said = f"The password of {welcome.person.name} is set; they are signed out everywhere."
    show(welcome.person, "" if welcome.link else said, link=link(url, welcome), as_json=as_json)


@staff.command()
def role(name: Name, role: Annotated[Role, typer.Argument()], *, as_json: Json = False) -> None:
    """Give somebody another role. They sign in again."""

    async def work(ready: Parts) -> Staff:
        person = await known(ready.store, name)
        return await staffing.change(ready.store, name, role=role, brands=person.brands)

    person, _ = done(work)
    show(person, f"{person.name} is here as {person.role}.", as_json=as_json)


@staff.command()
def brands(
    name: Name,
    brand: Annotated[list[str] | None, typer.Argument(help="The brands; none means all.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say which brands somebody looks after; the others they do not see. They sign in again."""

    async def work(ready: Parts) -> Staff:
        person = await known(ready.store, name)
        chosen = await numbers(ready.store, brand)
        if chosen is not None and person.role is Role.ADMIN:
            raise Refused(f"{name} is an admin, and an admin sees all brands.")
        return await staffing.change(ready.store, name, role=person.role, brands=chosen)

    person, _ = done(work)
    show(
        person,
        f"{person.name} looks after {', '.join(brand) if brand else 'all brands'}.",
        as_json=as_json,
    )


@staff.command()
def away(
    name: Name,
    until: Annotated[
        str, typer.Argument(help="How long (4h, 3d), or until when (2026-05-04T09:00).")
    ],
    *,
    why: Annotated[str, typer.Option(help="A word for colleagues: holidays, ill.")] = "",
    as_json: Json = False,
) -> None:
    """Somebody is away: they get no new cases, and give back those that wait for them."""

    async def work(ready: Parts) -> tuple[Staff, int]:
        person = await known(ready.store, name)
        async with ready.store.reading() as session:
            moment = moment_of(until, await now(session), person.zone)
        return await go_away(ready.store, name, moment, why)

    (person, cases), _ = done(work)
    said = f"{person.name} is away until {person.away_until:%d %b %H:%M} UTC."
    back = f" {cases} of their cases went back." if cases else ""
    show(person, f"{said}{back}", as_json=as_json)


@staff.command()
def back(name: Name, *, as_json: Json = False) -> None:
    """Somebody is here again, before the time they had named."""
    person, _ = done(lambda ready: come_back(ready.store, name))
    show(person, f"{person.name} is here again.", as_json=as_json)


@staff.command()
def leave(name: Name, *, as_json: Json = False) -> None:
    """Somebody works here no more: signed out at once, their cases back in the queue."""

    async def work(ready: Parts) -> tuple[Staff, int]:
        return await staffing.leave(ready.store, name)

    (person, cases), _ = done(work)
    back = f" {cases} of their cases went back to the queue." if cases else ""
    show(person, f"{person.name} works here no more.{back}", as_json=as_json)


@staff.command(name="sign-out")
def sign_out(name: Name, *, as_json: Json = False) -> None:
    """Sign somebody out everywhere."""

    async def work(ready: Parts) -> Staff:
        return await staffing.sign_out(ready.store, name)

    person, _ = done(work)
    show(person, f"{person.name} is signed out everywhere.", as_json=as_json)


@staff.command()
def token(
    name: Name,
    *,
    length: Annotated[
        str, typer.Option("--for", help="How long it is good: 30d, 90d.")
    ] = f"{tokens.USUAL.days}d",
    as_json: Json = False,
) -> None:
    """Print a token by which somebody's own assistant reads in their name (`listener mcp`)."""

    async def work(ready: Parts) -> tuple[str, datetime]:
        try:
            lasts = stretch(length)
        except ValueError as error:
            raise Refused(f"--for is {length!r}; {error}.") from None
        return await tokens.give(ready.store, ready.seal, name, lasts)

    (made, until), _ = done(work)
    if as_json:
        print_json({"token": made, "until": until})
        return
    out.print(made, markup=False, highlight=False)
    err.print(
        f"Good until {until:%d %b %Y}, or until {name} gets another password or leaves. Whoever has "
        "it reads what they may read: keep it like a password."
    )


@staff.command(name="list")
def everybody(*, as_json: Json = False) -> None:
    """List everybody."""

    async def work(ready: Parts) -> tuple[Sequence[Staff], dict[int, str], datetime]:
        async with ready.store.reading() as session:
            names = {brand.key: brand.name for brand in await all_brands.every(session)}
            return await people.every(session), names, await now(session)

    (found, names, moment), _ = done(work)
    for person in found:
        if as_json:
            print_json(facts(person))
            continue
        words = [person.name, person.role.value]
        if person.walls is not None:
            words.append(" and ".join(names.get(key, "?") for key in person.walls) or "no brand")
        if not person.active:
            words.append("left")
        elif person.away(moment):
            words.append(f"away until {person.away_until:%d %b %H:%M} UTC")
        out.print(", ".join(words), markup=False)


def done(work: Callable[[Parts], Awaitable[Result]]) -> tuple[Result, str]:
    """Do something with everything open; say also at which address people reach us."""

    async def all_of_it() -> tuple[Result, str]:
        async with parts() as ready:
            return await work(ready), ready.settings.url

    return act(all_of_it)


def given(*, ask: bool, file: Path | None) -> str | None:
    """A password that is given here; None where a link is wanted."""
    if ask and file is not None:
        raise typer.BadParameter("--ask and --password-file exclude each other.")
    if ask:
        words: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return words
    if file is None:
        return None
    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read.") from error
    return text.partition("\n")[0].rstrip("\r")


def link(url: str, welcome: Welcome) -> str | None:
    """The address at which a password is chosen."""
    return f"{url}/link/{welcome.link}" if welcome.link else None


def show(person: Staff, sentence: str, *, as_json: bool, link: str | None = None) -> None:
    """Say what was done."""
    if as_json:
        print_json(facts(person) | ({"link": link} if link else {}))
        return
    if sentence:
        out.print(sentence, markup=False, highlight=False)
    if link:
        out.print(
            f"{person.name} chooses a password here, once, within {span(LINK)}, while Listener "
            f"runs:\n{link}",
            markup=False,
            highlight=False,
        )


def facts(person: Staff) -> dict[str, Any]:
    """A person as machines are told of them."""
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "brands": person.walls,
        "active": person.active,
    }


async def known(store: Store, name: str) -> Staff:
    """Somebody who works here."""
    async with store.reading() as session:
        person = await people.named(session, name)
    if person is None:
        raise Refused(f"Nobody here is called {name!r}. `listener staff list` lists them.")
    return person


async def numbers(store: Store, names: Sequence[str] | None) -> list[int] | None:
    """Brands by their numbers; None where none is named, which means all."""
    if not names:
        return None
    async with store.reading() as session:
        known = {brand.name: brand.key for brand in await all_brands.every(session)}
    for name in names:
        if name not in known:
            raise Refused(f"There is no brand {name!r}. There are: {', '.join(known) or 'none'}.")
    return [known[name] for name in names]
