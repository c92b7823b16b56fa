"""What was learnt is readable on a phone and by night, and rolled back also without scripts."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.browser.looking import Desk
from tests.browser.test_pages_seen import findings, promoted
from tests.web.test_learnt_page import DOUBT, version

pytestmark = pytest.mark.browser


async def learnt(desk: Desk) -> None:
    await promoted(desk.world)
    async with desk.world.store.transaction() as session:
        session.add(version(desk.world, 1))
        session.add(version(desk.world, 2, in_force_since=desk.world.now))
        session.add(version(desk.world, 3, head=False, refused=DOUBT, doubted_id=1))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_keeps_nobody_out_and_fits_a_phone(
    desk: Desk, theme: Literal["light", "dark"]
) -> None:
    await learnt(desk)
    page = await desk.sit_down(color_scheme=theme, viewport={"width": 360, "height": 740})

    await desk.go(page, "/flags")

    assert await findings(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_a_version_is_rolled_back_without_scripts(desk: Desk) -> None:
    await learnt(desk)
    page = await desk.sit_down(java_script_enabled=False)
    await desk.go(page, "/flags")

    await page.get_by_role("button", name="Roll back learnt 2").click()

    await expect(page.get_by_role("button", name="Roll back learnt 1")).to_be_visible()
    assert page.url.endswith("/flags")
