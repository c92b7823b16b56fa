"""How pages are drawn: one set of templates, and the few words and marks they all share."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from connectors.kit import catalog
from listener.domain.score import people
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, Store, now

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
# What the guard has found out about a request.
PERSON: Final = web.RequestKey("person", Staff)  # who is signed in
CSRF: Final = web.RequestKey("csrf", str)  # what their forms carry
DEMO: Final = web.RequestKey("demo", bool)  # whether they are because this is a demo
READING: Final = web.RequestKey("reading", AsyncSession)  # in which the guard has looked
MOMENT: Final = web.RequestKey("moment", datetime)  # when it did
UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


def render(request: web.Request, name: str, *, status: int = 200, **context: Any) -> web.Response:
    """A page, or a part of one, drawn for whoever is signed in."""
    page = (
        _templates()
        .get_template(name)
        .render(
            person=request.get(PERSON),
            path=request.path,
            csrf=request.get(CSRF, ""),
            csrf_field=lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(
                request.get(CSRF, "")
            ),
            demo=request.get(DEMO, False),
            **context,
        )
    )
    return web.Response(text=page, status=status, content_type="text/html")


def piece(name: str, **context: Any) -> Markup:
    """A piece of a page that is the same for everybody who is shown it."""
    return Markup(_templates().get_template(name).render(**context))  # noqa: S704  (our own)


def prepare() -> None:
    """Read every template, so that nobody's first page waits for it."""
    for name in _templates().list_templates():
        _templates().get_template(name)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        ago=ago,
        stars=stars,
        reach=reach,
        letters=letters,
        place=place,
        when=when,
        initials=initials,
        marked=marked,
    )
    made.globals.update(asset=asset)
    return made


@cache
def asset(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that it may be kept for good."""
    return f"/static/{name}?{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def ago(then: datetime, moment: datetime) -> str:
    """How long ago something was, in the largest unit that says it."""
    return f"{span(moment - then)} ago"


def span(length: timedelta) -> str:
    """A length of time in the largest unit that says it."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def stars(number: float | None) -> Markup:
    """Stars as a reader sees them, and as one who listens hears them."""
    if number is None:
        return Markup()
    full = max(0, min(5, round(number)))
    said = "1 star" if full == 1 else f"{full} stars"
    return Markup(
        '<span class="stars" role="img" aria-label="{said}">{full}'
        '<span class="empty">{empty}</span></span>'
    ).format(said=said, full="★" * full, empty="★" * (5 - full))


def reach(number: int | None) -> str:
    """How many people something reaches, short: 12k."""
    return "" if number is None else people(number)


@cache
def place(connector: str) -> str:
    """A place as people know it."""
    try:
        return catalog.load(connector).title
    except (catalog.UnknownConnector, catalog.BrokenConnector):
        return connector


def letters(words: str) -> str:
    """Two letters that stand for a place."""
    parts = [part for part in words.replace("-", " ").split() if part[0].isalnum()]
    if len(parts) > 1:
        return (parts[0][0] + parts[1][0]).upper()
    return (words[:1].upper() + words[1:2].lower()).strip() or "?"


def initials(name: str) -> str:
    """Two letters that stand for a person."""
    return "".join(part[0] for part in name.split()[:2]).upper() or "?"


def when(moment: datetime, *, title: str = "") -> Markup:
    """A moment, exact for machines; scripts show it in the viewer's own zone."""
    return Markup('<time datetime="{exact}" title="{title}">{shown}</time>').format(
        exact=moment.isoformat(),
        title=title or f"{moment:%d %B %Y, %H:%M:%S} UTC",
        shown=f"{moment:%d %b %H:%M} UTC",
    )


def midnight(words: str, zone: str | None, *, days: int = 0) -> datetime | None:
    """When a day begins for whoever looks, or so many days later; None when it is no day."""
    try:
        first = date.fromisoformat(words) + timedelta(days=days)
        return datetime.combine(first, time(), ZoneInfo(zone or "UTC")).astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        return None


def marked(words: str, spans: list[tuple[int, int]]) -> Markup:
    """A text with some of it marked; everything in it is only text."""
    made, end = Markup(), 0
    for start, stop in sorted(spans):
        if start < end or stop <= start:
            continue
        made += Markup("{}<mark>{}</mark>").format(words[end:start], words[start:stop])
        end = stop
    return made + words[end:]


def number(words: str) -> int | None:
    """A number as databases number things; None for anything else."""
    return int(words) if re.fullmatch("[0-9]{1,9}", words) else None


def asked(request: web.Request, name: str) -> str:
    """What the address says of something, as every database takes it."""
    return request.query.get(name, "").replace("\0", "").strip()


def wants_json(request: web.Request) -> bool:
    """Whether a script asks, not a person's browser."""
    return "application/json" in request.headers.get("Accept", "")


@asynccontextmanager
async def reading(request: web.Request, store: Store) -> AsyncIterator[AsyncSession]:
    """The session in which the guard has looked, where the page shares it; else one of its own.

    A session costs a page as much as a question or two, of PostgreSQL more.
    """
    shared = request.get(READING)
    if shared is not None:
        yield shared
        return
    async with store.reading() as session:
        yield session


async def moment(request: web.Request, session: AsyncSession) -> datetime:
    """The present, as the guard has asked for it already, or asked now."""
    return request.get(MOMENT) or await now(session)


def person(request: web.Request) -> Staff:
    """Who is signed in; the guard lets nobody else come here."""
    found: Staff = request[PERSON]
    return found


def said(status: int, sentence: str, **more: Any) -> web.Response:
    """An answer for a script: what happened, in a sentence."""
    word = "said" if status < 400 else "error"
    answer: Mapping[str, Any] = {"ok": status < 400, word: sentence, **more}
    return web.json_response(answer, status=status)
