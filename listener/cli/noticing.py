"""`listener notices`: what was sent to whom, what waits, what failed; and sending one again."""

from typing import Annotated, Any

import typer

from listener.app import Parts
from listener.channels.terminal import printable
from listener.cli.ground import Json, act, out, parts, print_json
from listener.cli.working import Who, name_of
from listener.desk import resending
from listener.domain.notice import Notice
from listener.store import dispatches, outgoing
from listener.store.dispatches import Asked, Dispatch, State
from listener.store.outgoing import About, Row, Sent

notices = typer.Typer(help="List what was sent, and send it again.", no_args_is_help=False)


@notices.callback(invoke_without_command=True)
def notices_listed(
    context: typer.Context,
    *,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only those by this channel.")] = None,
    most: Annotated[int, typer.Option("--most", help="So many at most.", min=1)] = 200,
    as_json: Json = False,
) -> None:
    """List notices, the newest first: to whom, about which case, and what became of each."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> list[Dispatch]:
        async with parts() as ready, ready.store.reading() as session:
            return await dispatches.listed(session, Asked(None, state, channel), limit=most)

    found = act(work)
    for one in found:
        if as_json:
            print_json(facts(one))
        else:
            out.print(printable(line(one)), markup=False, highlight=False)
    if not as_json:
        out.print(f"{len(found):,} notices. Times are UTC.", highlight=False)


@notices.command("of")
def beside(
    about: Annotated[About, typer.Argument(help="What was told of.")],
    *,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    most: Annotated[int, typer.Option("--most", help="So many at most.", min=1)] = 200,
    as_json: Json = False,
) -> None:
    """List what was told of alarms, digests or crises, the newest first."""

    async def work() -> list[Sent]:
        async with parts() as ready, ready.store.reading() as session:
            return await outgoing.listed(session, about, state=state, limit=most)

    found = act(work)
    for one in found:
        if as_json:
            print_json(told(one))
        else:
            to = f"{one.to} by {one.way}" if one.way else one.to
            said = f"{one.row.key:>5}  {to}: {one.brand}, {one.says}; {fate(one.row)}"
            out.print(printable(said), markup=False, highlight=False)
    if not as_json:
        out.print(f"{len(found):,} notices of {about}. Times are UTC.", highlight=False)


@notices.command()
def again(
    number: Annotated[int, typer.Argument(help="The notice's number.", min=1)],
    *,
    about: Annotated[
        About | None, typer.Option(help="What it tells of, where that is no case.")
    ] = None,
    who: Who = None,
) -> None:
    """Send one that failed again."""

    async def work() -> str:
        async with parts() as ready:
            if about is not None:
                name = await name_of(ready, who)
                return await resending.once_more(ready.store, about, number, name)
            return await sent_again(ready, number, who)

    out.print(act(work), markup=False, highlight=False)


async def sent_again(ready: Parts, number: int, who: str | None) -> str:
    """Send it, as the person who asks."""
    return await resending.again(ready.store, number, await name_of(ready, who))


def line(one: Dispatch) -> str:
    """One of them in words."""
    notice = one.notice
    to = f"{one.person} by {notice.channel}" if one.person else notice.channel
    how = f"arrived in part: {notice.failure}" if notice.partly else fate(notice)
    detour = " (by mail, because Slack did not take it)" if notice.detour else ""
    return f"{notice.key:>5}  {to}: case {notice.case_id}, {one.what}; {how}{detour}"


def fate(row: Notice | Row) -> str:
    """What has become of one, in words."""
    if row.failed_at is not None:
        return f"failed {row.failed_at:%d %b %H:%M}: {row.failure}"
    if row.sent_at is not None:
        return f"arrived {row.sent_at:%d %b %H:%M}"
    return f"waits until {row.next_at:%d %b %H:%M}" + (f"; {row.failure}" if row.failure else "")


def told(one: Sent) -> dict[str, Any]:
    """One of what was told of alarms, digests and crises, for machines."""
    row = one.row
    return {
        "notice": row.key,
        "about": one.about,
        "brand": one.brand,
        "to": one.to,
        "way": one.way or None,
        "says": one.says,
        "state": one.state,
        "tries": row.tries,
        "sent_at": row.sent_at,
        "failed_at": row.failed_at,
        "next_at": row.next_at,
        "why": one.why or None,
        "failure": row.failure,
    }


def facts(one: Dispatch) -> dict[str, Any]:
    """One of them for machines."""
    notice = one.notice
    return {
        "notice": notice.key,
        "case": notice.case_id,
        "brand": one.brand,
        "event": one.what,
        "channel": notice.channel,
        "person": one.person,
        "state": one.state,
        "tries": notice.tries,
        "sent_at": notice.sent_at,
        "failed_at": notice.failed_at,
        "next_at": notice.next_at,
        "why": notice.why,
        "failure": notice.failure,
        "detour": notice.detour,
    }
