#!/usr/bin/env python3
"""Takes a picture of every page of the demonstration: on a desk and a phone, by day and by night."""

import asyncio
import io
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from listener import app
from listener.channels.letter import Envelope, letter
from listener.config import Settings
from listener.desk import (
    closing,
    declaring,
    demo,
    noting,
    replies,
    signing_in,
    snoozing,
    tagging,
    taking,
)
from listener.desk.applying import apply
from listener.desk.declaring import Wish
from listener.desk.plan import Plan
from listener.desk.wording import Worded, keep
from listener.domain.case import Outcome
from listener.domain.staff import Role, Staff
from listener.store import sources, themes
from listener.store.session import now
from tests.browser.looking import CHROMIUM, FLAGS
from tests.given import OPENED, free_port

WHERE = Path(__file__).parents[1] / "docs" / "pictures"
SIZES = {"desk": (1366, 768), "phone": (390, 844)}
PAGES = {
    "queue": "/queue?queue=all&case={case}",
    "case": "/cases/{case}",
    "mentions": "/mentions",
    "flags": "/flags",
    "digest": "/digest?of=month&on={today}",
    "alarms": "/alarms",
    "themes": "/themes",
    "missed": "/breaches",
    "deadlines": "/deadlines",
    "notices": "/notices",
    "sources": "/status",
    "wordings": "/wordings",
    "people": "/staff",
    "me": "/me",
    "gone": "/cases/99999",
}
EMERGENCY = {
    "crisis": "/crises/1",
    "crisis-queue": "/queue?queue=crisis-1",
    "crisis-report": "/crises/1/report",
}


@asynccontextmanager
async def served(folder: Path, plan: Plan) -> AsyncIterator[tuple[app.Parts, str]]:
    """A listener that has read everything once, and stands still while its pages are open."""
    settings = Settings(data=folder, database=f"sqlite:///{folder / 'listener.db'}")
    async with app.opened(settings, Console(file=io.StringIO())) as parts:
        await apply(parts.store, plan, parts.seal)
        async with parts.store.transaction() as session:
            session.add_all([Staff(name="Ana", role=Role.ADMIN), Staff(name="Ben")])
        await app.run_once(parts)
        service, port = app.Service(parts, await parts.judge_with()), free_port()
        async with service.site.open("127.0.0.1", port):
            yield parts, f"http://127.0.0.1:{port}"


async def worked(parts: app.Parts) -> int:
    """A morning's work; the number of a case that Ana has before her."""
    store = parts.store
    for name, text in (
        ("Sorry, and how to reach us", "Dear {author}, this should not have happened. {agent}"),
        ("Refund on its way", "Hello {author}, your money goes back today. {agent}, {brand}"),
    ):
        await keep(store, Worded(name=name, text=text), "Ana")
    taken = [made.case.key for name in ("Ana", "Ana", "Ben", "Ana", "Ben") if (
        made := await taking.take_next(store, name)) is not None]  # fmt: skip
    await closing.close(store, taken[1], "Ana", Outcome.ANSWERED_ELSEWHERE)
    async with store.reading() as session:
        moment = await now(session)
    await snoozing.snooze(store, taken[2], "Ben", moment + timedelta(hours=4))
    case = taken[0]
    await tagging.tag(store, case, "Ana", "coupon")
    await noting.note(store, case, "Ben", "The shop knows; the till was updated at ten.")
    await replies.keep_draft(store, case, "Ana", "This should not have happened. Your money ")
    return case


async def signed_in(browser: Browser, parts: app.Parts, url: str, **options: object) -> Page:
    """A page of Ana's."""
    context = await browser.new_context(**options)  # type: ignore[arg-type]
    async with parts.store.transaction() as session:
        ana = await session.get(Staff, 1)
        assert ana is not None  # noqa: S101
        login = await signing_in.begin(session, ana, "127.0.0.1", await now(session))
    await context.add_cookies([{"name": "listener", "value": login.secret, "url": url}])
    return await context.new_page()


async def take(page: Page, url: str, name: str) -> None:
    """One picture of a page."""
    await page.goto(url, wait_until="domcontentloaded")
    await page.wait_for_timeout(900)
    keep_picture(await page.screenshot(), name)


def keep_picture(taken: bytes, name: str) -> None:
    """Keep it, in few colours so that it stays small."""
    picture = Image.open(io.BytesIO(taken))
    picture.convert("RGB").quantize(96).save(WHERE / f"{name}.png", optimize=True)


async def failing(parts: app.Parts) -> None:
    """One place does not answer."""
    async with parts.store.transaction() as session:
        source = (await sources.every(session))[0]
        moment = await now(session)
        for reading in (await sources.readings_of(session, source)).values():
            reading.failed("It does not answer.", now=moment, wait=None, stop=False)
            session.add(reading)


async def emergency(parts: app.Parts) -> None:
    """The cause that most people share has become a crisis."""
    store, words = parts.store, "We see it too, {author}. We are on it, and tell you here by noon."
    async with store.reading() as session:
        theme = (await themes.shown(session, brands=None, limit=1))[0].theme
    wish = Wish(name="The coupon takes nothing off", theme=theme.key, every=15)
    number = (await declaring.declare(store, wish, "Ana")).number
    await declaring.word(store, number, "Ana", words)
    await declaring.approve(store, number, "Ana", "", words)
    said = "The code was switched off last night by mistake. It works again when tills restart."
    await declaring.update(store, number, "Ana", f"{said}\nNext: who paid too much gets it back.")


async def mail(browser: Browser) -> None:
    """A mail about a case, as a mail program shows it."""
    telling = replace(OPENED, source="Town", urgent=True, stars=1.0, author="Ada Example")
    sender = Address("Listener", "listener", "example.org")
    envelope = Envelope(
        sender=sender, to=[sender], site="https://listener.example", house="house", zone=UTC
    )
    drawn = letter(telling, envelope).get_body(("html",))
    assert drawn is not None  # noqa: S101
    page = await browser.new_page(viewport={"width": 720, "height": 440}, java_script_enabled=False)
    await page.set_content(str(drawn.get_content()))
    keep_picture(await page.screenshot(), "mail")
    await page.close()


async def pictures() -> None:
    """All of them."""
    WHERE.mkdir(parents=True, exist_ok=True)
    began = datetime.now(UTC) - timedelta(minutes=3)
    today = began.date().isoformat()
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as play:
            browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            await mail(browser)
            async with served(Path(folder) / "full", demo.plan(began)) as (parts, url):
                case = await worked(parts)
                for theme in ("light", "dark"):
                    for size, (width, height) in SIZES.items():
                        view = {"width": width, "height": height}
                        page = await signed_in(
                            browser, parts, url, viewport=view, color_scheme=theme
                        )
                        for name, path in PAGES.items():
                            shown = f"{name}-{size}-{theme}"
                            await take(page, url + path.format(case=case, today=today), shown)
                        stranger = await browser.new_page(
                            viewport={"width": width, "height": height}
                        )
                        await stranger.emulate_media(
                            color_scheme="dark" if theme == "dark" else "light"
                        )
                        await take(stranger, url + "/login", f"login-{size}-{theme}")
                await emergency(parts)
                for name, path in EMERGENCY.items():
                    for theme, size in (("light", "desk"), ("dark", "desk"), ("light", "phone")):
                        width, height = SIZES[size]
                        view = {"width": width, "height": height}
                        page = await signed_in(
                            browser, parts, url, viewport=view, color_scheme=theme
                        )
                        await take(page, url + path, f"{name}-{size}-{theme}")
                await failing(parts)
                page = await signed_in(browser, parts, url, viewport={"width": 1366, "height": 768})
                await take(page, url + "/queue?queue=all", "queue-failing")
                await take(page, url + "/status", "sources-failing")
            async with served(Path(folder) / "empty", Plan()) as (parts, url):
                page = await signed_in(browser, parts, url, viewport={"width": 1366, "height": 768})
                for name, path in PAGES.items():
                    if "{case}" not in path:
                        await take(page, url + path.format(today=today), f"{name}-empty")
                await take(page, url + "/queue", "queue-empty")
            await browser.close()


if CHROMIUM is None:
    sys.exit("There is no Chromium here: install Debian's `chromium`, or name one in CHROMIUM.")
asyncio.run(pictures())
sys.stdout.write(f"The pictures are in {WHERE.relative_to(Path.cwd())}.\n")
