"""What an admin does once: begin, apply a file, check that everything answers, migrate."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.kit import catalog
from connectors.kit.errors import ConnectorError
from listener.app import Channels, Parts
from listener.channels.contract import Undelivered
from listener.channels.mail import WANTED
from listener.cli import ground
from listener.cli.ground import Json, Refused, act, err, in_sentences, out, parts, print_json
from listener.desk import applying, exporting, plan
from listener.domain.secret import WrongKey
from listener.domain.source import Source
from listener.store import notices, people, schema, sources
from listener.store.session import Store
from models.errors import ModelError
from models.verdict import Question

STARTER = """# What Listener listens to. Change it, then: listener apply {file}
# Every option of every place: listener connectors

[[brand]]
name = "Acme"
query = '(acme OR "acme coffee" OR @acmecoffee) NOT "acme tools"'
handles = ["acmecoffee"]            # your own accounts: context, never a case

[[source]]
name = "Hacker News"
connector = "hackernews"
every = "5m"
[source.options]
query = "acme coffee"

# [[source]]
# name = "App Store US"
# connector = "appstore"
# brands = ["Acme"]                 # every review of your app is about you
# every = "15m"
# [source.options]
# app = "123456789"
# country = "us"

# [[source]]
# name = "Mastodon"
# connector = "mastodon"
# [source.options]
# api = "https://mastodon.social"
# tag = "acme"
# token = {{ env = "MASTODON_TOKEN" }}  # or {{ file = "path" }}

# [[channel]]                       # signed webhooks to your own systems
# name = "ops"
# url = "https://ops.example/hooks/listener"
# secret = {{ env = "OPS_WEBHOOK_SECRET" }}
"""


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("listener.toml"),
) -> None:
    """Begin: make the data folder and the database, and write a file to fill in."""

    async def work() -> None:
        async with parts() as ready:
            out.print(f"Data is kept in {ready.settings.data}.", markup=False)

    act(work)
    if file.exists():
        out.print(f"{file} is there already and stays as it is.", markup=False)
    else:
        with in_sentences():
            write(file, STARTER.format(file=file))
        out.print(f"Wrote {file}.", markup=False)
    out.print(
        f"Next: put your brand and places into {file}, then\n"
        f"  listener apply {file}\n  listener check\n  listener run",
        markup=False,
    )


def write(file: Path, text: str) -> None:
    """Write a file, or say why it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written ({error.strerror}).") from error


def apply(
    file: Annotated[Path, typer.Argument(help="A TOML file with brands and sources.")],
    *,
    as_json: Json = False,
) -> None:
    """Make brands, sources and channels what a file says. A running service takes it up."""

    async def work() -> applying.Applied:
        try:
            text = await asyncio.to_thread(file.read_text, encoding="utf-8")
        except OSError as error:
            raise Refused(f"{file} cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise Refused(f"{file} is not UTF-8 text (byte {error.start}).") from error
        planned = plan.read(text)
        async with parts() as ready:
            return await applying.apply(ready.store, planned, ready.seal)

    done = act(work)
    if as_json:
        print_json({"added": done.added, "changed": done.changed, "same": done.same})
        return
    for word, names in (("added", done.added), ("changed", done.changed), ("as before", done.same)):
        for name in names:
            out.print(f"{word}: {name}", markup=False)
    if not (done.added or done.changed or done.same):
        out.print(f"{file} names no brand, source or channel; nothing was changed.", markup=False)


def export_config() -> None:
    """Print brands, sources and channels as a file that `listener apply` takes; no secrets."""

    async def work() -> str:
        async with parts() as ready:
            return await exporting.export(ready.store)

    sys.stdout.write(act(work))


def check(
    source: Annotated[
        str | None, typer.Argument(help="Check only this source, and let it be asked again.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Ask each source, channel, model and the database once, and say what is missing."""

    async def work() -> list[tuple[str, bool, str]]:
        async with parts() as ready:
            return [row async for row in checks(ready, source)]

    rows = act(work)
    for name, well, says in rows:
        if as_json:
            print_json({"what": name, "well": well, "says": says})
        else:
            out.print(
                f"{'well   ' if well else 'PROBLEM'}  {name}: {says}",
                markup=False,
                style=None if well else "red",
            )
    if not all(well for _, well, _ in rows):
        raise typer.Exit(1)


async def checks(ready: Parts, only: str | None) -> AsyncIterator[tuple[str, bool, str]]:
    """What each part answers: its name, whether it is well, a sentence."""
    async with ready.store.reading() as session:
        everything = await sources.every(session)
        channels = await notices.channels(session)
    if only is not None:
        everything = [one for one in everything if one.name == only]
        if not everything:
            raise Refused(f"There is no source called {only!r}. `listener check` lists them all.")
    else:
        yield "database", True, f"{ready.store.shown} answers."
        try:
            model = await ready.judge_with()
            await asyncio.to_thread(model.judge, [Question("ready")])
            yield "model", True, f"{model.name} is ready."
        except ModelError as error:
            yield "model", False, str(error)
        if (mail := await check_mail(ready)) is not None:
            yield mail
    for one in everything:
        yield await check_source(ready, one)
    for channel in channels if only is None else ():
        try:
            yield f"channel {channel.name}", *await Channels(ready).check(channel)
        except (ConnectorError, WrongKey, Undelivered) as error:
            yield f"channel {channel.name}", False, str(error)


async def check_mail(ready: Parts) -> tuple[str, bool, str] | None:
    """Whether the mail server lets us in; None where none is set and nobody has an address."""
    server = ready.settings.mail
    if server is None:
        async with ready.store.reading() as session:
            addresses = [one for one in await people.every(session) if one.active and one.mail]
        if not addresses:
            return None
        return "mail", False, f"Somebody has a mail address here, but no mail leaves. {WANTED}"
    try:
        return "mail", True, await server.check()
    except Undelivered as error:
        return "mail", False, str(error)


async def check_source(ready: Parts, source: Source) -> tuple[str, bool, str]:
    """One cheap call; a source that had been stopped is asked again when it is well."""
    name = f"source {source.name}"
    try:
        connector, web = ready.reach(source)
        health = await connector.check(web)
    except (ConnectorError, WrongKey) as error:
        return name, False, str(error)
    if health.well:
        async with ready.store.transaction() as session:
            await sources.let_go_on(session, source)
    return name, health.well, health.says


def connectors(
    name: Annotated[str | None, typer.Argument(help="Show this one's options.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the places that can be listened to, or the options of one."""
    with in_sentences():
        names = [name] if name else catalog.names()
        found = {one: catalog.load(one) for one in names}
    if as_json:
        for one, kind in found.items():
            options = [option_words(option) for option in catalog.describe(kind)]
            print_json({"name": one, "title": kind.title, "docs": kind.docs, "options": options})
        return
    table = Table(box=None, pad_edge=False)
    if name is None:
        table.add_column("connector")
        table.add_column("place")
        for one, kind in found.items():
            table.add_row(one, kind.title)
        out.print(table)
        out.print("Its options: listener connectors NAME")
        return
    kind = found[name]
    out.print(f"{kind.title}: {(kind.__doc__ or '').splitlines()[0]}\n{kind.docs}", markup=False)
    for column in ("option", "type", "", "what it says"):
        table.add_column(column)
    for option in catalog.describe(kind):
        must = "required" if option.required else f"default {option.default!r}"
        table.add_row(
            option.name,
            option.type,
            "secret, " + must if option.secret else must,
            option.description,
        )
    out.print(table)


def option_words(option: catalog.Option) -> dict[str, object]:
    """An option for machines."""
    return {
        "name": option.name,
        "type": option.type,
        "required": option.required,
        "secret": option.secret,
        "default": option.default,
        "description": option.description,
    }


def migrate(
    to: Annotated[
        str, typer.Option(help="The revision to go to; an older one goes back.")
    ] = "head",
) -> None:
    """Bring the database's tables to the shape that this version needs."""

    async def work() -> tuple[str | None, str | None]:
        steps = ["base", *schema.revisions()]
        if to not in (*steps, "head"):
            raise Refused(f"There is no revision {to!r}; there are: {', '.join(steps)} and head.")
        wanted = steps[-1] if to == "head" else to
        settings = ground.settings()
        settings.prepare()
        store = Store(settings.database)
        try:
            await store.check()
            before, _ = await schema.state(store)
            standing = before or "base"
            if standing not in steps or steps.index(standing) < steps.index(wanted):
                await schema.upgrade(store, wanted)
            elif standing != wanted:
                await schema.downgrade(store, wanted)
            after, _ = await schema.state(store)
            return before, after
        finally:
            await store.close()

    before, after = act(work)
    if before == after:
        err.print(f"The database is at revision {after or 'base'} already.")
    else:
        err.print(
            f"The database went from revision {before or 'base'} to revision {after or 'base'}."
        )
