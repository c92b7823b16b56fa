"""What a person sees of the desk and does there, through a real browser."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from listener.app import Service
from listener.desk import signing_in
from listener.store import people
from listener.store.session import now
from tests.given import INBOX, free_port, settled
from tests.replying import Square
from tests.world import World

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# As root there is no sandbox of Chromium's own; the rest keeps it from calling anybody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000  # milliseconds; machines are busy
expect.set_options(timeout=PATIENCE)


@dataclass
class Desk:
    """A listener and the browser that shows it. `faults` are what no page may raise."""

    world: World
    service: Service
    browser: Browser
    url: str
    square: Square
    faults: list[str] = field(default_factory=list)

    async def sit_down(self, name: str = "Ana", **options: Any) -> Page:
        """A page of a browser of its own in which this person is signed in."""
        context = await self.context(name, **options)
        return await self.page(context)

    async def context(self, name: str, **options: Any) -> BrowserContext:
        """A browser of its own in which this person is signed in."""
        context = await self.browser.new_context(**options)
        async with self.world.store.transaction() as session:
            person = await people.named(session, name)
            assert person is not None
            login = await signing_in.begin(session, person, "127.0.0.1", await now(session))
        await context.add_cookies([{"name": "listener", "value": login.secret, "url": self.url}])
        context.set_default_timeout(PATIENCE)
        return context

    async def page(self, context: BrowserContext) -> Page:
        """A tab; what goes wrong in it is kept as a fault."""
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.faults.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        return page

    async def go(self, page: Page, path: str = "/queue") -> Page:
        """Open a page of ours and wait until it is alive."""
        await page.goto(self.url + path, wait_until="domcontentloaded")
        if path.startswith(("/queue", "/cases")):
            await expect(page.locator("#live")).to_have_text("Live")
        return page


@asynccontextmanager
async def opened(
    world: World, browser: Browser, *, sources: Sequence[dict[str, Any]] = (INBOX,)
) -> AsyncIterator[Desk]:
    """A listener on a port of its own, whose one place can be answered."""
    world.now = datetime.now(UTC)  # the browser's clock is real
    await settled(world, sources=sources)
    service, port, square = await world.service(), free_port(), Square()
    async with service.site.open("127.0.0.1", port):
        yield Desk(world, service, browser, f"http://127.0.0.1:{port}", square)
