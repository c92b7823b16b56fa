"""Searching by meaning is readable on a phone and by night, and works without scripts."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.browser.looking import Desk
from tests.browser.test_pages_seen import findings
from tests.desk.test_meaning import COUPONS, HAIR, PARCELS, told
from tests.meant import Meaning

pytestmark = pytest.mark.browser


async def busy(desk: Desk) -> None:
    """Complaints of three kinds, and a model that tells them apart."""
    desk.service.parts.classifier = Meaning()
    await told(desk.world, *COUPONS, *PARCELS, *HAIR)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("asked", ["words=promo+code+broken", "like=1", "words=zebra", "like=999"])
async def test_it_keeps_nobody_out_and_fits_a_phone(
    desk: Desk, theme: Literal["light", "dark"], asked: str
) -> None:
    await busy(desk)
    page = await desk.sit_down(color_scheme=theme, viewport={"width": 360, "height": 740})

    await desk.go(page, f"/mentions?by=meaning&{asked}")

    assert await findings(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_what_means_the_same_is_found_without_scripts(desk: Desk) -> None:
    await busy(desk)
    page = await desk.sit_down(java_script_enabled=False)
    await desk.go(page, "/mentions")

    await page.get_by_role("searchbox").fill("promo code broken")
    await page.get_by_label("by meaning").check()
    await page.get_by_role("button", name="Search").click()

    await expect(page.get_by_text("Looked through 9 mentions of Acme")).to_be_visible()
    await expect(page.locator("article")).to_have_count(len(COUPONS))
