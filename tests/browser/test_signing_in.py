"""Coming in through a real browser: a link, a password, and nothing that the policy forbids."""

import re

import pytest
from playwright.async_api import expect

from listener.desk import staffing
from listener.domain.staff import Role
from tests.browser.looking import Desk

pytestmark = pytest.mark.browser

GOOD = "five fish swim in a pan"


async def test_a_new_admin_comes_in_adds_somebody_and_leaves_again(desk: Desk) -> None:
    link = (await staffing.add(desk.world.store, "Root", role=Role.ADMIN)).link
    page = await desk.page(await desk.browser.new_context())

    await page.goto(f"{desk.url}/link/{link}")
    await page.get_by_label("New password").fill(GOOD)
    await page.get_by_role("button", name="Keep it and go to work").click()
    await expect(page).to_have_url(re.compile("/queue"))

    await page.get_by_role("link", name="People").click()
    await page.get_by_label("Name, with which they sign in").fill("Zoe")
    await page.get_by_role("button", name="Add, and show the link").click()
    await expect(page.get_by_text("Give Zoe this link.")).to_be_visible()

    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto(f"{desk.url}/staff")
    await page.get_by_label("Name").fill("root")
    await page.get_by_label("Password").fill("not this one, by no means")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    await page.get_by_label("Password").fill(GOOD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{desk.url}/staff")


async def test_a_form_on_another_site_that_is_sent_to_us_does_nothing(desk: Desk) -> None:
    page = await desk.page(await desk.context("Ana"))
    form = f'<form method="post" action="{desk.url}/me/sign-out"><button>Win</button></form>'
    await page.route(
        "http://evil.test/", lambda route: route.fulfill(body=form, content_type="text/html")
    )

    await page.goto("http://evil.test/")
    await page.get_by_role("button", name="Win").click()

    # The cookie came along, for this test has put it there without SameSite; it does not help.
    await expect(page.get_by_role("heading", name="Please repeat that")).to_be_visible()
    await page.goto(f"{desk.url}/me")
    await expect(page.get_by_role("heading", name="Ana")).to_be_visible()
