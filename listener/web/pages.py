"""The first page: whether everything is heard, without a word of any post."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from listener.domain.case import Status
from listener.store import cases, mentions, sources
from listener.store.session import Store, now

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Front:
    """GET /: counts of what waits, and how every source is doing."""

    store: Store
    templates: Environment = field(
        default_factory=lambda: Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), enable_async=True
        )
    )

    async def show(self, request: web.Request) -> web.Response:
        """Show the page."""
        del request
        async with self.store.reading() as session:
            moment = await now(session)
            how = await sources.readings(session)
            everything = await sources.every(session)
            waiting = await mentions.waiting(session)
            counts = await cases.counts(session)
        rows = [
            {
                "name": source.name,
                "connector": source.connector,
                "read": ago(reading.read_at, moment) if reading and reading.read_at else None,
                "posts": reading.posts if reading else 0,
                "failing": reading.failing_since if reading else None,
                "why": reading.failure if reading else None,
            }
            for source in everything
            for reading in [how.get(source.key)]
        ]
        page = await self.templates.get_template("front.html").render_async(
            sources=rows,
            waiting=waiting,
            open=counts.get(Status.OPEN, 0),
            owned=counts.get(Status.OWNED, 0),
            closed=counts.get(Status.CLOSED, 0),
            failing=sum(row["failing"] is not None for row in rows),
        )
        return web.Response(text=page, content_type="text/html")


def ago(then: datetime, moment: datetime) -> str:
    """How long ago something was, in the largest unit that says it."""
    seconds = max(0, int((moment - then).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
