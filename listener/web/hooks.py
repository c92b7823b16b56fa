"""The door for places that send us their posts: verify, keep, and only then say thank you."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from connectors.kit.contract import Accepts, Connector, Delivery, Page
from connectors.kit.errors import AccessDenied, ConnectorError
from listener.domain.secret import WrongKey
from listener.domain.source import Source, Way
from listener.store import intake, sources
from listener.store.brands import Intake
from listener.store.session import Store, now

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Doors:
    """One door for every source whose connector is sent its posts."""

    store: Store
    intake: Intake
    connect: Callable[[Source], Connector]
    wake_judge: asyncio.Event

    async def receive(self, request: web.Request) -> web.Response:
        """Take one delivery; 202 when it is kept, 200 when it was kept before."""
        name = request.match_info["source"]
        async with self.store.reading() as session:
            source = await sources.named(session, name)
            moment = await now(session)
        if source is None or not source.active:
            return said(404, "There is no source of this name here.")
        try:
            connector = self.connect(source)
        except (ConnectorError, WrongKey) as error:
            log.warning("source fails", source=name, why=str(error))
            return said(503, "This source is not ready; its admin has been told.")
        if not isinstance(connector, Accepts):
            return said(404, "This source fetches its posts itself; nothing can be sent to it.")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return said(413, "A delivery may be 1 MiB large.")
        headers = {key.lower(): value for key, value in request.headers.items()}
        delivery = Delivery(headers=headers, body=body, received=moment)
        try:
            page = connector.accept(delivery)
        except AccessDenied as error:
            log.warning("delivery refused", source=name, why=str(error))
            return said(401, str(error))
        except ConnectorError as error:
            return said(422, str(error))
        return await self.keep(source, connector, page, connector.delivery_id(delivery))

    async def keep(
        self, source: Source, connector: Connector, page: Page, delivery: str
    ) -> web.Response:
        """The delivery, its posts and that it has come: all or nothing."""
        await self.intake.matchbook.refresh()
        async with self.store.transaction() as session:
            moment = await now(session)
            if not await intake.arrived(session, source, delivery, now=moment):
                return web.json_response({"duplicate": True, "kept": 0})
            kept = await self.intake.keep(session, source, connector, page, now=moment)
            await sources.came(session, source, Way.POLL, posts=kept.posts, now=moment)
        if kept.mentions or kept.edits:
            self.wake_judge.set()
        log.info("received", source=source.name, posts=kept.posts, mentions=kept.mentions)
        return web.json_response(
            {
                "kept": kept.mentions,
                "read": kept.posts,
                "unreadable": [unread.reason for unread in page.unreadable],
            },
            status=202,
        )


def said(status: int, sentence: str) -> web.Response:
    """A refusal in a sentence."""
    return web.json_response({"error": sentence}, status=status)
