"""The digest on a page: what changed, why, and what to do, for a manager with five minutes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import hdrs, web

from listener.channels import charts
from listener.desk.digesting import digest, glance
from listener.desk.digesting import pictures as drawn_from
from listener.domain import table
from listener.domain.brand import Brand
from listener.domain.cause import Cause
from listener.domain.digest import SHOWN, Digest, shortened
from listener.domain.notice import MAIL, SLACK
from listener.domain.picture import Pictures
from listener.domain.span import Of, Stretch, holding, latest
from listener.domain.staff import Staff
from listener.store import brands, notices, subscriptions
from listener.store.session import Store, now
from listener.web import pages
from listener.web.case import link

WORDS: Final = {Of.DAY: "Day", Of.WEEK: "Week", Of.MONTH: "Month"}
FIRST: Final = date(2000, 1, 1)


@dataclass(frozen=True)
class DigestPage:
    """GET /digest, and the same as a table for spreadsheets: GET /digest.csv."""

    store: Store
    mails: bool = False  # whether mail leaves this house

    async def show(self, request: web.Request) -> web.Response:
        """The digest of one brand; of the others that one may see, the first line."""
        found, others, moment = await self.read(request)
        if found is None:
            return pages.render(request, "digest.html", digest=None)
        stretch, person = found.stretch, pages.person(request)
        async with self.store.reading() as session:
            brand = await brands.named(session, found.brand)
            every = () if brand is None else await subscriptions.of(session, person.key, brand.key)
            pictures = None if brand is None else await drawn_from(session, brand, stretch)
            slack = any(one.kind == SLACK and one.active for one in await notices.channels(session))
        wanted = {one.of.value: one for one in every}
        return pages.render(
            request,
            "digest.html",
            digest=found,
            others=others,
            lengths=[(of.value, word) for of, word in WORDS.items()],
            before=address(found.brand, holding(stretch.of, stretch.first - timedelta(days=1))),
            after=address(found.brand, stretch.following)
            if stretch.following.ends <= moment
            else None,
            running=stretch.ends > moment,
            shown=SHOWN,
            asked=address(found.brand, stretch),
            causes=[
                {
                    "name": one.name,
                    "people": one.people,
                    "posts": len(one.mentions),
                    "quote": shortened(one.quote.text),
                    "case": one.quote.case_id,
                    "theme": one.theme,
                    "owner": one.owner,
                    "link": one.link,
                    "list": mentions(found, flagged="yes", **naming(one)),
                }
                for one in found.causes
            ],
            mentions=mentions,
            charts=None if pictures is None else charted(found, pictures),
            wanted=wanted,
            mornings=range(24),
            ways=ways_to(person, mails=self.mails, slack=slack),
            link=link,
            span=pages.span,
        )

    async def table(self, request: web.Request) -> web.Response:
        """The same figures for a spreadsheet."""
        found, _, _ = await self.read(request)
        if found is None:
            raise web.HTTPNotFound
        names = ["what", "name", "count", "usual from", "usual to", "note"]
        name = f"digest-{found.stretch.of}-{found.stretch.first}.csv"
        return web.Response(
            text=table.lines([names, *lines(found)]),
            content_type="text/csv",
            headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'},
        )

    async def subscribe(self, request: web.Request) -> web.Response:
        """POST /digest: have it sent at an hour, or no more."""
        person, form = pages.person(request), await request.post()
        words = {name: str(form.get(name, "")) for name in ("brand", "of", "hour")}
        hour = pages.number(words["hour"])
        async with self.store.transaction() as session:
            brand = await brands.named(session, words["brand"].replace("\0", ""))
            if brand is None or not person.sees(brand.key) or words["of"] not in list(Of):
                raise web.HTTPNotFound
            of = Of(words["of"])
            if hour is not None and hour < 24:
                way = SLACK if str(form.get("way", "")) == SLACK else MAIL
                await subscriptions.keep(session, person.key, brand.key, of, hour, way)
            else:
                await subscriptions.forget(session, person.key, brand.key, of)
        back = "/digest?" + urlencode({"brand": brand.name, "of": of.value})
        return web.Response(status=303, headers={hdrs.LOCATION: back})

    async def read(
        self, request: web.Request
    ) -> tuple[Digest | None, Sequence[dict[str, Any]], Any]:
        """The digest that the address asks for, and the answers of the other brands."""
        person = pages.person(request)
        async with self.store.reading() as session:
            moment = await now(session)
            every = [one for one in await brands.every(session) if person.sees(one.key)]
            if not every:
                return None, (), moment
            wanted = pages.asked(request, "brand")
            brand = next((one for one in every if one.name == wanted), None)
            if brand is None and wanted:
                raise web.HTTPNotFound
            chosen = brand or every[0]
            stretch = asked(request, person, moment)
            found = await digest(session, chosen, stretch, now=moment)
            others = [
                {
                    "name": one.name,
                    "answer": (await glance(session, one, stretch, now=moment)).answer,
                    "address": address(one.name, stretch),
                }
                for one in others_of(every, chosen)
            ]
        return found, others, moment


def charted(found: Digest, pictures: Pictures) -> SimpleNamespace:
    """The pictures, each with the figures that it shows; None where there is nothing to see."""
    drawn = charts.of_digest(found, pictures)
    return SimpleNamespace(
        volume=drawn.get("volume"),
        slices=[one for one in pictures.slices if one.total or one.alarms],
        themes=drawn.get("themes"),
        lanes=pictures.lanes,
        labels=[one.label for one in pictures.slices],
        answers=drawn.get("answers"),
        waits=charts.waits(found.firsts),
        coverage=drawn.get("coverage"),
    )


def ways_to(person: Staff, *, mails: bool, slack: bool) -> list[tuple[str, str]]:
    """By which ways a digest can go to somebody, with what each is called."""
    found = [(MAIL, "mail")] if mails and person.mail else []
    return [*found, (SLACK, "Slack")] if slack and person.slack else found


def others_of(every: Sequence[Brand], chosen: Brand) -> list[Brand]:
    """The brands beside the chosen one; a page can compare so many, not hundreds."""
    return [one for one in every if one is not chosen][:SHOWN]


def asked(request: web.Request, person: Staff, moment: Any) -> Stretch:
    """The stretch that an address asks for, by its reader's clocks; else yesterday."""
    zone = person.zone or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = "UTC"
    word = pages.asked(request, "of")
    of = Of(word) if word in list(Of) else Of.DAY
    try:
        on = date.fromisoformat(pages.asked(request, "on"))
    except ValueError:
        return latest(of, moment, zone)
    if not FIRST <= on <= moment.date() + timedelta(days=1):
        return latest(of, moment, zone)
    return holding(of, on, zone)


def address(brand: str, stretch: Stretch) -> str:
    """Where the digest of a brand and a stretch stands."""
    return urlencode({"brand": brand, "of": stretch.of.value, "on": stretch.first.isoformat()})


def mentions(found: Digest, **more: str) -> str:
    """The address of the mentions behind a figure."""
    days = {"since": found.stretch.first.isoformat(), "until": found.stretch.last.isoformat()}
    return "/mentions?" + urlencode({"brand": found.brand, **days, **more})


def naming(cause: Cause) -> dict[str, str]:
    """How a search finds those who say it."""
    if cause.theme is not None:
        return {"theme": str(cause.theme)}
    first = cause.words[0]
    return {"words": f'"{first}"' if " " in first else first}


def lines(found: Digest) -> Iterator[list[Any]]:
    """Every figure of a digest, a line each."""
    bound = found.complaints
    yield ["mentions", found.brand, found.now.mentions, "", "", found.stretch.name]
    yield [
        "complaints", found.brand, found.now.complaints,
        bound.low if bound else "", bound.high if bound else "", "",
    ]  # fmt: skip
    for source, (count, _) in found.by_source.items():
        yield ["complaints by source", source, count, "", "", ""]
    for one in found.causes:
        yield ["cause", one.name, one.people, "", "", shortened(one.quote.text)]
        if one.seen_to:
            yield ["cause seen to", one.name, "", "", "", one.seen_to.removeprefix(", ")]
    for crisis in found.crises:
        ended = crisis.ended.isoformat() if crisis.ended else "not over"
        yield ["crisis", crisis.name, crisis.cases, crisis.since.isoformat(), ended, crisis.lead]
    for risk in found.overdue:
        yield ["overdue", f"case {risk.case_id}", risk.mentions, "", "", risk.author]
    for answer in found.firsts:
        minutes = round(answer.waited.total_seconds() / 60)
        note = "late" if answer.late else ""
        yield ["first answer, minutes", f"case {answer.case_id}", minutes, "", "", note]
    for gap in found.gaps:
        yield ["not read", gap.source, "", gap.start.isoformat(), gap.end.isoformat(), ""]
