"""A crisis as a person meets it: pinned above the queue, and counting by itself."""

import pytest
from playwright.async_api import expect

from listener.desk import declaring, gathering, taking
from listener.desk.declaring import Wish
from listener.domain.staff import Role
from tests.browser.looking import Desk
from tests.given import COMPLAINTS, complained
from tests.web.visiting import hired

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1366])
async def test_its_count_moves_while_one_looks(desk: Desk, width: int) -> None:
    world = desk.world
    await hired(world, "Lea", Role.LEAD)
    await complained(world, *COMPLAINTS[:3])
    await declaring.declare(world.store, Wish(name="Cold fish", brand="Acme"), "Lea")
    await gathering.bring(world.store, 1, "Ana", 1)
    page = await desk.sit_down(viewport={"width": width, "height": 844})
    await desk.go(page, "/queue?queue=crisis-1")
    counts = page.locator('[data-count="crisis-1"]:visible')
    await expect(counts).to_have_text(["1", "1", "1"])  # above, beside, and at its head
    await expect(page.locator(".row")).to_have_count(1)

    await gathering.bring(world.store, 1, "Ana", 2)

    await expect(counts).to_have_text(["2", "2", "2"])
    await expect(page.locator(".row")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_without_scripts_it_is_declared_led_and_ended(desk: Desk) -> None:
    await hired(desk.world, "Lea", Role.LEAD)
    await complained(desk.world, *COMPLAINTS[:1])
    page = await desk.sit_down("Lea", java_script_enabled=False)

    await page.goto(desk.url + "/crises")
    await page.get_by_label("Name, as colleagues will read it").fill("Cold fish")
    await page.get_by_role("button", name="Declare the crisis").click()
    await expect(page.locator("h1")).to_have_text("Acme: Cold fish")
    await page.get_by_label("Case number").fill("1")
    await page.get_by_role("button", name="Bring it in").click()
    await page.get_by_label("What they are told").fill("We see it, {author}.")
    await page.get_by_role("button", name="Keep it, to be approved").click()
    await page.get_by_role("button", name="Approve it as it stands").click()
    await page.get_by_label("An update for colleagues").fill("The fryer is off.")
    await page.get_by_role("button", name="Tell everybody").click()
    await expect(page.locator(".note")).to_have_text("The fryer is off.")
    await page.get_by_role("link", name="The report so far").click()
    await expect(page.locator("h1")).to_have_text("Acme: Cold fish")
    await page.go_back()
    await page.get_by_label("Case number").fill("1")
    await page.get_by_role("button", name="Take it out").click()
    await page.get_by_role("button", name="End the crisis").click()

    await expect(page.locator("main")).to_contain_text("ended by Lea")


async def test_its_holding_reply_is_put_into_the_box_by_a_press(desk: Desk) -> None:
    world = desk.world
    await hired(world, "Lea", Role.LEAD)
    await complained(world, *COMPLAINTS[:1])
    await declaring.declare(world.store, Wish(name="Cold fish", brand="Acme"), "Lea")
    await gathering.bring(world.store, 1, "Ana", 1)
    await declaring.word(world.store, 1, "Lea", "We see it too, {author}.")
    await declaring.approve(world.store, 1, "Lea", "", "We see it too, {author}.")
    await taking.take(world.store, 1, "Ana")
    page = await desk.go(await desk.sit_down(), "/queue?queue=crisis-1")

    await page.locator(".row-words").first.click()
    await page.get_by_role("button", name="Use it").click()

    await expect(page.locator("#reply-text")).to_have_value("We see it too, Ada.")
    await expect(page.locator("#draft-line")).to_have_text("Draft kept")
