"""Every page as eyes, screen readers and attackers meet it."""

from pathlib import Path
from typing import Literal

import axe_playwright_python  # type: ignore[import-untyped]
import pytest
from playwright.async_api import Page, expect

from listener.domain.crisis import Crisis, CrisisCase, CrisisUpdate, HoldingText, How
from listener.domain.staff import Role
from listener.domain.theme import Belonging, Theme
from listener.store import people
from tests.browser.looking import Desk
from tests.given import COMPLAINTS, complained
from tests.hostile import hostile
from tests.world import World

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PAGES = ("/queue", "/queue?queue=all&case=1", "/cases/1", "/mentions", "/flags", "/status",
         "/digest", "/digest?of=month&on=2026-11-02", "/breaches", "/deadlines", "/alarms", "/notices",
         "/themes", "/themes/1", "/themes/1/tell", "/crises", "/crises?theme=1", "/crises/1",
         "/crises/1/tell", "/crises/1/report", "/queue?queue=crisis-1", "/wordings", "/staff", "/me", "/nowhere")  # fmt: skip


async def promoted(world: World, name: str = "Ana") -> None:
    """This person may see every page."""
    async with world.store.transaction() as session:
        person = await people.named(session, name)
        assert person is not None
        person.role = Role.ADMIN
        session.add(person)


async def themed(world: World) -> None:
    """Everything that was said is one theme."""
    async with world.store.transaction() as session:
        theme = Theme(
            brand_id=1,
            name="Cold, late and never answered: <b>all of it</b>",
            people=3,
            began_at=world.now,
            last_at=world.now,
            link="https://tickets.example/" + "7" * 400,
        )
        session.add(theme)
        await session.flush()
        for mention in await world.mentions():
            session.add(Belonging(mention_id=mention.key, theme_id=theme.key))


async def in_crisis(world: World) -> None:
    """Everything that was said is of one crisis, for which there is something to say."""
    async with world.store.transaction() as session:
        session.add(
            Crisis(
                brand_id=1,
                name="Cold, late and <b>never</b> answered: " + "x" * 40,
                theme_id=1,
                words="cold <i>late</i>",
                lead_id=1,
                declared_by=1,
                declared_at=world.now,
                update_due_at=world.now,
            )
        )
        await session.flush()
        for language, text in (("", "Sorry, {author}. <b>Really</b>."), ("de", "W" * 300)):
            session.add(
                HoldingText(
                    crisis_id=1,
                    language=language,
                    text=text,
                    written_by=1,
                    written_at=world.now,
                    approved_by=1 if language else None,
                    approved_at=world.now if language else None,
                )
            )
        session.add(CrisisUpdate(crisis_id=1, text="<b>" + "W" * 300, staff_id=1, at=world.now))
        for case in await world.cases():
            session.add(CrisisCase(crisis_id=1, case_id=case.key, how=How.HAND, since=world.now))


async def findings(page: Page) -> list[str]:
    """What axe finds that is serious or critical."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_keeps_anybody_out(desk: Desk, theme: Literal["light", "dark"]) -> None:
    await promoted(desk.world)
    empty = await desk.go(await desk.sit_down(color_scheme=theme))
    wrong = await findings(empty)
    await complained(desk.world, *COMPLAINTS)
    await themed(desk.world)
    await in_crisis(desk.world)
    page = await desk.sit_down(color_scheme=theme)

    for path in PAGES:
        await page.goto(desk.url + path, wait_until="domcontentloaded")
        wrong += await findings(page)
    stranger = await desk.browser.new_page(color_scheme=theme)
    await stranger.goto(desk.url + "/login")
    wrong += await findings(stranger)

    assert wrong == []


async def test_hostile_posts_are_only_text_on_every_page(desk: Desk) -> None:
    await promoted(desk.world)
    await hostile(desk.world)
    await themed(desk.world)
    await in_crisis(desk.world)
    page = await desk.sit_down(viewport={"width": 1366, "height": 768})
    asked: list[str] = []
    page.on("dialog", lambda box: desk.faults.append(box.message))
    page.on("request", lambda request: asked.append(request.url))

    numbers = [case.key for case in await desk.world.cases()]
    for path in (*PAGES, *(f"/cases/{number}" for number in numbers)):
        await page.goto(desk.url + path, wait_until="domcontentloaded")
        await expect(page.locator("main")).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 1366, path

    assert [url for url in asked if not url.startswith(desk.url)] == []
    metrics = await (await page.context.request.get(desk.url + "/metrics")).text()
    assert [line for line in metrics.splitlines() if "csp" in line and line.endswith(" 0.0")]


@pytest.mark.parametrize("width", [390, 1366])
async def test_what_is_not_there_says_so(desk: Desk, width: int) -> None:
    page = await desk.sit_down(viewport={"width": width, "height": 800})

    await page.goto(desk.url + "/cases/999")

    await expect(page.locator("h1")).to_contain_text("There is no such case")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
