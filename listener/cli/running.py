"""`listener run`: the service itself, once, for good, or as a demo."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from listener import app
from listener.app import Parts, Stage, alone
from listener.cli import ground
from listener.cli.ground import Json, act, err, out, parts, print_json
from listener.desk import demo
from listener.desk.applying import apply
from listener.domain.staff import Role, Staff
from listener.store import people, sources
from listener.web.entrance import loopback


def run(
    *,
    only: Annotated[
        list[Stage] | None,
        typer.Option(help="Run only this stage (repeat for more); others run elsewhere."),
    ] = None,
    once: Annotated[bool, typer.Option(help="Do everything once and stop.")] = False,
    demo: Annotated[bool, typer.Option(help="Listen to an invented brand for a look.")] = False,
    as_json: Json = False,
) -> None:
    """Listen: read every source, judge, open cases, tell staff. Ctrl-C stops it."""
    ground.demo = ground.demo or demo
    if once:
        act(lambda: run_once(only or [], as_json=as_json))
    elif as_json:
        err.print("--json goes with --once; the running service writes readable lines.")
        raise typer.Exit(2)
    else:
        act(lambda: run_for_good(only or []), quiet=False)


async def run_for_good(only: list[Stage]) -> None:
    """The service until it is stopped. Workers of one stage may run beside each other."""
    settings = ground.settings()
    settings.prepare()
    with alone(settings):
        async with parts() as ready:
            if ground.demo:
                await begin_demo(ready)
            await app.serve(ready, only, lambda: greet(ready, only))
    await app.leave()


async def run_once(only: list[Stage], *, as_json: bool) -> None:
    """Every source to its end; exit code 1 when there are sources and none could be read."""
    settings = ground.settings()
    settings.prepare()
    with alone(settings):
        async with parts(err if as_json else out) as ready:
            if ground.demo:
                await begin_demo(ready)
            report = await app.run_once(ready, only)
    if as_json:
        print_json(report)
    else:
        for name, one in report["sources"].items():
            out.print(
                f"{name}: {one['error']}"
                if one["error"]
                else f"{name}: {one['read']} posts read, {one['mentions']} new mentions",
                markup=False,
            )
        out.print(
            f"{report['judged']} judged, {report['cases']} new cases, "
            f"{report['notices']['sent']} notices sent, {report['seconds']} s"
        )
    failed = [one["error"] is not None for one in report["sources"].values()]
    if failed and all(failed):
        raise typer.Exit(1)


async def begin_demo(ready: Parts) -> None:
    """Set the demo up the first time; later it goes on with what it has."""
    async with ready.store.reading() as session:
        before = await sources.every(session)
    if before:
        return
    began = datetime.now(UTC)
    await apply(ready.store, demo.plan(began), ready.seal)
    async with ready.store.transaction() as session:
        for name in demo.STAFF:
            if await people.named(session, name) is None:
                # Who looks around is a lead: agents do not read how brands are doing.
                role = Role.LEAD if name == demo.STAFF[0] else Role.AGENT
                session.add(Staff(name=name, role=role))


async def greet(ready: Parts, only: list[Stage]) -> None:
    """Say what runs, on what, and how to stop it."""
    async with ready.store.reading() as session:
        everything = await sources.every(session)
    where = ready.store.shown
    if ground.demo:
        began = datetime.fromisoformat(str(everything[0].options["began"]))
        out.print(
            f"The demo: {demo.BRAND}, an invented grocer, with four weeks of posts and two live "
            "minutes.",
            style="bold",
        )
        out.print(f"Its data is in {ready.settings.data}; nothing of it enters your own.")
        if datetime.now(UTC) - began > demo.LIVE:
            out.print(
                f"Its live minutes were on {began:%d %B at %H:%M} UTC and are kept. To see them "
                "come in again: make demo-reset, then make run."
            )
    elif only:
        out.print(f"Runs {', '.join(only)} on {where}.")
    else:
        out.print(f"Listens to {len(everything)} sources, on {where}.")
        if not everything:
            out.print(
                "There is nothing to listen to yet: listener init writes a file to begin with."
            )
    if not only:
        out.print(
            f"The desk: {ready.settings.url}   Cases: listener {'--demo ' if ground.demo else ''}cases   Stop: Ctrl-C"
        )
        for sentence in await before_anybody_comes(ready):
            out.print(sentence, style="yellow", markup=False)


async def before_anybody_comes(ready: Parts) -> list[str]:
    """What the operator should know about who can sign in, and how."""
    if ground.demo:
        return []
    entrance, sentences = ready.settings.entrance(), []
    async with ready.store.reading() as session:
        if not await people.anybody_can_sign_in(session):
            sentences.append(
                "Nobody can sign in yet. Add yourself: listener staff add NAME --role admin"
            )
    if entrance.plain_http and not entrance.secure:
        sentences.append(
            "LISTENER_PLAIN_HTTP lets passwords and posts travel readable for everybody on the "
            "way. Put https in front, and set LISTENER_URL."
        )
    elif not entrance.secure and not loopback(ready.settings.host):
        sentences.append(
            "On plain http only this machine may sign in. For others put https in front, and set "
            "LISTENER_URL."
        )
    return sentences
