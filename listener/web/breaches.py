"""The page of missed deadlines, by name, and the same as a table for spreadsheets."""

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import hdrs, web
from defusedcsv.csv import writer

from listener.desk.missing import HEAD, Missed, everything, missing, row
from listener.domain.deadline import Clock, Policies
from listener.domain.hours import said
from listener.domain.staff import Staff
from listener.store import brands, misses
from listener.store.misses import PAGE, Asked, Which
from listener.store.session import AsyncSession, Store, now
from listener.web import pages

NAMES: Final = ("brand", "clock", "which", "since", "until", "owner", "team")
WORDS: Final = {
    Which.ALL: "all that stand",
    Which.OPEN: "still waiting",
    Which.LATE: "answered too late",
    Which.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class BreachesPage:
    """GET /breaches, and GET /breaches.csv."""

    store: Store
    policies: Policies = field(default_factory=Policies)

    async def show(self, request: web.Request) -> web.Response:
        """What was missed, the latest due first."""
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in NAMES}
        async with self.store.reading() as session:
            moment = await now(session)
            seen = await visible(session, person)
            wanted = wish(asked, seen, person)
            found = await missing(
                session,
                wanted,
                now=moment,
                after=place(pages.asked(request, "after")),
                otherwise=self.policies,
            )
            number = await misses.count(session, wanted)
        same = {name: value for name, value in asked.items() if value}
        return pages.render(
            request,
            "breaches.html",
            asked=asked,
            filtered=len(same),
            here=urlencode(same),
            brands=list(seen),
            clocks=[clock.value for clock in Clock],
            sorts=[(which.value, words) for which, words in WORDS.items()],
            number=number,
            missed=[shown(one) for one in found],
            more=urlencode(same | {"after": mark(found[-1])}) if len(found) == PAGE else None,
        )

    async def table(self, request: web.Request) -> web.Response:
        """All of it for a spreadsheet."""
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in NAMES}
        async with self.store.reading() as session:
            wanted = wish(asked, await visible(session, person), person)
            found = await everything(
                session, wanted, now=await now(session), otherwise=self.policies
            )
        file = io.StringIO()
        write = writer(file, quoting=csv.QUOTE_MINIMAL)
        write.writerow(HEAD)
        write.writerows(row(one) for one in found)
        return web.Response(
            text=file.getvalue(),
            content_type="text/csv",
            headers={hdrs.CONTENT_DISPOSITION: 'attachment; filename="missed-deadlines.csv"'},
        )


async def visible(session: AsyncSession, person: Staff) -> dict[str, int]:
    """The brands that are this person's business."""
    return {one.name: one.key for one in await brands.every(session) if person.sees(one.key)}


def wish(asked: dict[str, str], seen: dict[str, int], person: Staff) -> Asked:
    """What the form asks for; a brand that is not theirs is not there."""
    if asked["brand"] and asked["brand"] not in seen:
        raise web.HTTPNotFound
    chosen = [seen[asked["brand"]]] if asked["brand"] else list(seen.values())
    return Asked(
        brands=chosen,
        clock=Clock(asked["clock"]) if asked["clock"] in list(Clock) else None,
        which=Which(asked["which"]) if asked["which"] in list(Which) else Which.ALL,
        since=pages.midnight(asked["since"], person.zone),
        until=pages.midnight(asked["until"], person.zone, days=1),
        owner=asked["owner"] or None,
        team=asked["team"] or None,
    )


def shown(one: Missed) -> dict[str, Any]:
    """A missed deadline as the template shows it."""
    moved = one.promised != one.due and one.withdrawn is None
    return {
        "case": one.case_id,
        "brand": one.brand,
        "clock": one.clock.value,
        "policy": one.policy,
        "due": one.due,
        "promised": one.promised if moved else None,
        "ended": one.ended,
        "by": "" if one.by is None else said(one.by),
        "stands": one.stands,
        "waits": one.ended is None and one.withdrawn is None,
        "owner": one.owner,
        "team": one.team,
        "withdrawn": one.withdrawn,
        "why": one.why,
    }


def mark(one: Missed) -> str:
    """Where the next page begins."""
    return f"{one.due.isoformat()}_{one.number}"


def place(words: str) -> tuple[datetime, int] | None:
    """Where a page begins; the first one, when it is no place."""
    moment, _, number = words.rpartition("_")
    found = pages.number(number)
    try:
        due = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return None if found is None or due.tzinfo is None else (due.astimezone(UTC), found)
