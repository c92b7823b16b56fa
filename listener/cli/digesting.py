"""`listener digest`: how a brand is doing, and why, in plain words."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer

from listener.channels import digests
from listener.channels.terminal import printable
from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.desk.digesting import digest as made
from listener.domain.digest import Digest
from listener.domain.span import Of, holding, latest
from listener.store import brands
from listener.store.session import now


def digest(
    brand: Annotated[str | None, typer.Argument(help="The brand; else each of them.")] = None,
    *,
    of: Annotated[Of, typer.Option(help="How long it looks back.")] = Of.DAY,
    on: Annotated[
        str | None, typer.Option(help="A day of it, as in 2026-11-25; else the last that is over.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Whose clocks count, as in Europe/Berlin.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Say how a brand is doing, what changed, why, and what is open."""

    async def work() -> tuple[list[Digest], str]:
        async with parts() as ready, ready.store.reading() as session:
            moment = await now(session)
            try:
                day = None if on is None else date.fromisoformat(on)
                stretch = latest(of, moment, zone) if day is None else holding(of, day, zone)
                _ = stretch.compared, stretch.ends
            except (ValueError, KeyError, OverflowError):
                raise Refused(
                    "Write a day like 2026-11-25, and a zone by its name, like Europe/Berlin."
                ) from None
            every = [
                one for one in await brands.every(session) if brand is None or one.name == brand
            ]
            if not every:
                raise Refused(
                    f"There is no brand called {brand!r}."
                    if brand
                    else "There is no brand yet: `listener init` writes a file to begin with."
                )
            found = [await made(session, one, stretch, now=moment) for one in every]
            return found, ready.settings.url

    found, url = act(work)
    if as_json:
        print_json([as_facts(one) for one in found])
        return
    for number, one in enumerate(found):
        for line in ["", *digests.plain(one, url=url).splitlines()][not number :]:
            out.print(printable(line), markup=False, highlight=False)


def as_facts(found: Digest) -> dict[str, Any]:
    """A digest for machines: its figures, and the sentences made of them."""
    return asdict(found) | {
        "stretch": {
            "of": found.stretch.of,
            "first": found.stretch.first,
            "last": found.stretch.last,
            "zone": found.stretch.zone,
        },
        "answer": found.answer,
        "changes": [one.said(found.stretch.kind) for one in found.changes],
        "causes": [
            {"words": one.words, "people": one.people, "mentions": one.mentions,
             "quote": one.quote.text, "theme": one.theme, "owner": one.owner, "link": one.link}
            for one in found.causes
        ],
        "firsts": [
            {"case_id": one.case_id, "seconds": one.waited.total_seconds(), "late": one.late}
            for one in found.firsts
        ],
    }  # fmt: skip
