"""The queue on a page: lists of cases, most pressing first, beside the case one works on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from markupsafe import Markup

from listener.domain.alarm import sentence
from listener.domain.staff import Staff
from listener.store import alarms, crises, history, queue, tags, views
from listener.store.alarms import Shown
from listener.store.listed import Lately, Row
from listener.store.queue import Filters, Queue, Viewer
from listener.store.rows import Lead
from listener.store.session import Store
from listener.web import pages
from listener.web.case import CasePage, link
from listener.web.choosing import Choosing
from listener.web.notices import blocked
from models.lexicon import heaviest

NAMES: Final[Mapping[Queue, tuple[str, str]]] = {
    Queue.UNOWNED: ("Unowned", "Nothing waits for somebody to take it."),
    Queue.MINE: ("Mine", "You have no open case. Take the next one when you are ready."),
    Queue.DUE: ("Due soon", "Nothing is due within the hour."),
    Queue.UNSURE: ("Unsure", "The model is sure of everything it has read."),
    Queue.WAITING: ("Waiting", "No customer's answer is waited for."),
    Queue.SNOOZED: ("Snoozed", "Nothing is put off."),
    Queue.DONE: ("Done today", "Nothing has been closed today yet."),
    Queue.ALL: ("All open", "Nothing waits."),
}
AGES: Final = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
}
MOST_DRAWN: Final = 4_000  # rows that are kept drawn at once
ASKED: Final = ("words", "brand", "source", "language", "stars", "reach", "tag", "age")


@dataclass(frozen=True, slots=True)
class Tab:
    """One queue among all, as the page names it."""

    value: str
    name: str
    empty: str


TABS: Final = tuple(Tab(one.value, *words) for one, words in NAMES.items())
PINNED: Final = "crisis-"  # and its number: the queue of a crisis


@dataclass(slots=True)
class Drawing:
    """Rows as they were drawn this minute; the next one says other times, and begins anew.

    Twenty agents look at much the same rows again and again, and drawing one costs more than
    reading it. Nothing that a customer wrote is kept for longer than the minute.
    """

    minute: datetime | None = None
    lately: Lately = field(default_factory=Lately)
    drawn: dict[tuple[Row, bool, bool, bool], Markup] = field(default_factory=dict)

    def draw(
        self, rows: Iterable[Row], moment: datetime, person: Staff, *, snoozed: bool, chosen: int
    ) -> Markup:
        """The rows, as this person sees them."""
        minute = moment.replace(second=0, microsecond=0)
        if minute != self.minute or len(self.drawn) > MOST_DRAWN:
            self.minute, self.drawn = minute, {}
        made = []
        for row in rows:
            key = (row, row.owner == person.name, snoozed, row.id == chosen)
            if key not in self.drawn:
                self.drawn[key] = pages.piece(
                    "_row.html", row=shown(row), yours=key[1], snoozed=snoozed, chosen=key[3]
                )
            made.append(self.drawn[key])
        return Markup("").join(made)


@dataclass(frozen=True)
class QueuePage:
    """GET /queue: the list, and the chosen case beside it; scripts ask for the list alone."""

    store: Store
    case_page: CasePage
    choosing: Choosing = field(default_factory=Choosing)
    drawing: Drawing = field(default_factory=Drawing)

    async def show(self, request: web.Request) -> web.Response:
        """Show the page, or the part of it that a script asks for."""
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in ASKED}
        chosen = pages.number(request.query.get("case", ""))
        part = request.headers.get("X-Part") == "list"
        async with pages.reading(request, self.store) as session:
            moment = await pages.moment(request, session)
            viewer = viewing(person, moment)
            counts = await queue.counts(session, viewer)
            declared = await crises.open_ones(session, person.walls)
            pinned = {PINNED + str(one.crisis.key): one for one in declared}
            tab, wanted = self.chosen(request, pinned)
            page = await queue.page(
                session,
                Queue.ALL if tab.value in pinned else Queue(tab.value),
                viewer,
                replace(filters(asked), crisis=wanted),
                after=request.query.get("after"),
                lately=self.drawing.lately,
            )
            context: dict[str, Any] = {
                "queue": tab,
                "queues": TABS,
                "crises": [crisis_shown(name, one) for name, one in pinned.items()],
                "counts": {one.value: number for one, number in counts.items()}
                | {name: one.numbers.unclosed for name, one in pinned.items()},
                "rows": self.drawing.draw(
                    page.rows,
                    moment,
                    person,
                    snoozed=tab.value == Queue.SNOOZED,
                    chosen=chosen or 0,
                ),
                "more": following(request, page.after),
                "here": request.query_string,
                "filters": asked,
                "filtered": sum(bool(asked[name]) for name in ASKED if name != "words"),
                "health": await self.case_page.hearing.heard(session, moment),
                "chosen": chosen,
            }
            if not part:
                found = await alarms.ringing_now(session, person.walls, now=moment)
                context |= {
                    "views": await views.of(session, person.key),
                    "last": await history.last(session),
                    "ringing": [ringing(one) for one in found],
                    "troubles": await blocked(session, person),
                }
            choices = await self.choosing.choices(session, person.walls, moment)
            context["choices"] = {
                "brands": choices.brands,
                "sources": choices.sources,
                "languages": choices.languages,
                "tags": await tags.in_use(session),
            }
        if part:
            return pages.render(request, "_list_part.html", **context)
        about = None if chosen is None else await self.case_page.about(request, chosen)
        context |= {"case": None} | (about or {"chosen": None})
        return pages.render(request, "queue.html", **context)

    @staticmethod
    def chosen(request: web.Request, pinned: Mapping[str, crises.Shown]) -> tuple[Tab, int | None]:
        """Which queue is asked for, and of which crisis if it is one's."""
        name = request.query.get("queue", "")
        if name in pinned:
            crisis = pinned[name].crisis
            return Tab(name, crisis.name, "No case of this crisis is open."), crisis.key
        return next((one for one in TABS if one.value == name), TABS[0]), None


def viewing(person: Staff, moment: datetime) -> Viewer:
    """For whom a list is made; their day begins where they are."""
    try:
        zone = ZoneInfo(person.zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    today = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Viewer(
        staff_id=person.key,
        brands=person.walls,
        now=moment,
        today=today.astimezone(moment.tzinfo),
    )


def filters(asked: Mapping[str, str]) -> Filters:
    """What a page's form asks for; what makes no sense is not asked."""
    return Filters(
        brand=asked["brand"] or None,
        source=asked["source"] or None,
        language=asked["language"] or None,
        stars=float(asked["stars"]) if asked["stars"] in ("1", "2", "3", "4", "5") else None,
        reach=pages.number(asked["reach"]),
        age=AGES.get(asked["age"]),
        tag=asked["tag"] or None,
        words=asked["words"],
    )


def following(request: web.Request, after: str | None) -> str | None:
    """The address of the next page's list."""
    if after is None:
        return None
    same = {name: value for name, value in request.query.items() if name != "after"}
    return urlencode(same | {"after": after})


def shown(row: Row) -> SimpleNamespace:
    """A row as the template shows it; what it asks of a dictionary it finds only at second try."""
    lead = row.lead
    return SimpleNamespace(
        id=row.id,
        urgent=row.urgent,
        unsure=row.unsure,
        status=row.status,
        outcome=row.outcome,
        due_at=row.due_at,
        opened_at=row.opened_at,
        waiting_since=row.waiting_since,
        snoozed_until=row.snoozed_until,
        closed_at=row.closed_at,
        owner=row.owner,
        holder=row.holder,
        mentions=row.mentions,
        tags=row.tags,
        score=row.score,
        why=row.why,
        clock=row.why.rpartition(", ")[2],
        brand=row.brand,
        source=lead.source if lead else "",
        stars=lead.stars if lead else None,
        author=lead.author if lead else "",
        reach=lead.reach if lead else None,
        deleted=lead is None or lead.deleted or lead.purged,
        edited=lead is not None and lead.edited,
        url=link(lead.url) if lead else "",
        words=words(lead) if lead else Markup(),
    )


def ringing(one: Shown) -> SimpleNamespace:
    """An alarm as the strip above the queue says it."""
    return SimpleNamespace(
        id=one.alarm.key,
        brand=one.brand,
        sentence=sentence(one.alarm, one.source, one.theme),
        who=one.who,
    )


def crisis_shown(name: str, one: crises.Shown) -> SimpleNamespace:
    """An open crisis as the queue says it: above the lists, and as a list of its own."""
    return SimpleNamespace(
        id=one.crisis.key,
        queue=name,
        name=one.crisis.name,
        brand=one.brand,
        lead=one.lead,
        unclosed=one.numbers.unclosed,
        waiting=one.numbers.waiting,
        due_at=one.crisis.update_due_at,
        missed_at=one.missed_at,
    )


def words(lead: Lead) -> Markup:
    """Title and text as one, with the clause marked that complains most."""
    text = f"{lead.title} — {lead.text}" if lead.title else lead.text
    text = " ".join(text.split())
    place = heaviest(text)
    return pages.marked(text, [place] if place else [])
