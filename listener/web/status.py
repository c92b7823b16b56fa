"""The page that says whether everything is heard, without a word of any post."""

from dataclasses import dataclass

from aiohttp import web

from listener.domain.case import Status
from listener.store import cases, mentions, sources
from listener.store.session import Store, now
from listener.web import pages
from listener.web.notices import blocked


@dataclass(frozen=True)
class StatusPage:
    """GET /status: counts of what waits, and how every source is doing."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """Show the page."""
        async with self.store.reading() as session:
            moment = await now(session)
            how = await sources.readings(session)
            everything = await sources.every(session)
            waiting = await mentions.waiting(session)
            counts = await cases.counts(session)
            troubles = await blocked(session, pages.person(request))
        rows = [
            {
                "name": source.name,
                "connector": source.connector,
                "read": pages.ago(reading.read_at, moment) if reading and reading.read_at else None,
                "posts": reading.posts if reading else 0,
                "failing": reading.failing_since if reading else None,
                "why": reading.failure if reading else None,
            }
            for source in everything
            for reading in [how.get(source.key)]
        ]
        return pages.render(
            request,
            "status.html",
            sources=rows,
            troubles=troubles,
            waiting=waiting,
            open=counts.get(Status.OPEN, 0),
            owned=counts.get(Status.OWNED, 0),
            closed=counts.get(Status.CLOSED, 0),
            failing=sum(row["failing"] is not None for row in rows),
        )
