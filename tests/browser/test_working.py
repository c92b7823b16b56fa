"""An agent's day at the desk, by keys alone, beside a colleague, with a connection that breaks."""

import asyncio
import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Route, expect

from listener.desk import taking
from listener.domain.case import Status
from listener.domain.reply import State
from tests.browser.looking import Desk, opened
from tests.given import COMPLAINTS, complained, heard, said
from tests.replying import outbox, sent
from tests.world import World

pytestmark = pytest.mark.browser

WORDS = "We are sorry, Ada. A new one is on its way to you."
FEDI = {
    "name": "Fedi",
    "connector": "mastodon",
    "options": {"api": "https://fedi.example", "token": "a token", "tag": "fish"},
}


async def test_taking_answering_and_taking_back_need_only_keys(
    world: World, browser: Browser
) -> None:
    async with opened(world, browser, sources=[FEDI]) as desk:
        await complained(world, *COMPLAINTS[:2], source="Fedi")
        page = await desk.go(await desk.sit_down())

        await page.keyboard.press("g")
        await expect(page.locator("#case")).to_contain_text("Yours, held until")
        await page.keyboard.press("r")
        await page.keyboard.type(WORDS)
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".outbox")).to_contain_text("Waiting to be sent")
        await page.keyboard.press("Escape")
        await page.keyboard.press("z")
        await expect(page.locator(".outbox")).to_contain_text("Taken back")
        await expect(page.locator("#reply-text")).to_have_value(WORDS)

        await page.keyboard.press("r")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".outbox").last).to_contain_text("Waiting to be sent")
        world.now += timedelta(minutes=1)
        await outbox(world, desk.square).step()

        await expect(page.locator(".outbox").last).to_contain_text("Posted")
        await expect(page.locator("#case")).to_contain_text("waiting for the customer")
        assert list(desk.square.standing.values()) == [WORDS]
        assert [reply.state for reply in await sent(world)] == [State.WITHDRAWN, State.POSTED]
        assert desk.faults == []


async def test_a_wrong_flag_is_one_key_and_undo_another(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:3])
    page = await desk.go(await desk.sit_down())

    await page.keyboard.press("j")
    await expect(page.locator(".words")).to_be_visible()
    first = await page.locator("#case").get_attribute("data-case")
    await page.keyboard.press("x")
    await expect(page.locator(f'.row[data-case="{first}"]')).to_have_count(0)
    await expect(page.locator('[data-count="unowned"]').first).to_have_text("2")
    await page.keyboard.press("u")
    await expect(page.locator(f'.row[data-case="{first}"]')).to_have_count(1)

    assert {case.status for case in await desk.world.cases()} == {Status.OPEN}


async def test_the_next_case_comes_also_when_the_list_hears_of_the_act_before_its_answer(
    desk: Desk,
) -> None:
    await complained(desk.world, *COMPLAINTS[:3])
    page = await desk.go(await desk.sit_down())
    await page.keyboard.press("j")
    await expect(page.locator(".words")).to_be_visible()
    first = await page.locator("#case").get_attribute("data-case")
    row = page.locator(f'.row[data-case="{first}"]')

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await expect(row).to_have_count(0)  # told by the live line
        await route.fulfill(response=answer)

    await page.route("**/close", late)
    await page.keyboard.press("x")

    await expect(page.locator("#case")).not_to_have_attribute("data-case", first or "")
    await expect(page.locator(".row.chosen")).to_have_count(1)


async def test_snoozing_is_two_keys(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:2])
    page = await desk.go(await desk.sit_down())

    await page.keyboard.press("j")
    await expect(page.locator(".words")).to_be_visible()
    await page.keyboard.press("s")
    await page.keyboard.press("2")

    await expect(page.locator('[data-count="snoozed"]').first).to_have_text("1")
    await expect(page.locator(".row")).to_have_count(1)


async def test_notes_and_tags_are_kept(desk: Desk) -> None:
    await complained(desk.world)
    page = await desk.go(await desk.sit_down())

    await page.keyboard.press("j")
    await expect(page.locator(".words")).to_be_visible()
    await page.keyboard.press("n")
    await page.keyboard.type("Same batch as last week, @Ben please look.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".story")).to_contain_text("Same batch as last week")
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await page.locator("#tag-box").fill("Cold Fish")
    await page.keyboard.press("Enter")
    await expect(page.locator("#case")).to_contain_text("#cold-fish")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_of_two_who_claim_one_case_one_wins_and_the_other_learns_who(desk: Desk) -> None:
    await complained(desk.world)
    ana, ben = await desk.sit_down("Ana"), await desk.sit_down("Ben")
    for page in (ana, ben):
        await desk.go(page, "/queue?case=1")
        await expect(page.locator(".words")).to_be_visible()

    await ana.locator("[data-key=c]").first.click(no_wait_after=True)
    await ben.locator("[data-key=c]").first.click(no_wait_after=True)

    [case] = [await settled_case(desk)]
    owner = {1: "Ana", 2: "Ben"}[case]
    winner, other = (ana, ben) if owner == "Ana" else (ben, ana)
    await expect(winner.locator("#case")).to_contain_text("Yours")
    await expect(other.locator("#case")).to_contain_text(f"{owner} is working on it")


async def settled_case(desk: Desk) -> int:
    """Whose the case is, once it is somebody's."""
    for _ in range(200):
        [case] = await desk.world.cases()
        if case.owner_id is not None:
            return case.owner_id
        await asyncio.sleep(0.1)
    raise AssertionError("nobody took it")


async def test_a_reply_is_refused_when_the_post_has_changed_and_the_draft_is_kept(
    desk: Desk,
) -> None:
    world = desk.world
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    page = await desk.go(await desk.sit_down(), "/queue?queue=mine&case=1")
    await page.locator("#reply-text").fill(WORDS)
    seen = await page.locator("input[name=seen]").get_attribute("value")
    [mention] = await world.mentions()
    await heard(world, said("It has come, and it was lovely fish.", id=mention.post_id,
                            published=mention.published_at))  # fmt: skip
    # The page hears of it within a second; whoever was faster is refused.
    await page.evaluate(
        "([seen]) => { document.querySelector('input[name=seen]').value = seen }", [seen]
    )

    await page.locator("#reply-form button.go").click()

    await expect(page.locator("#toasts")).to_contain_text("Something changed")
    await expect(page.locator("#case")).to_contain_text("The author changed this post")
    await expect(page.locator("#reply-text")).to_have_value(WORDS)
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value(WORDS)
    assert await sent(world) == []


async def test_what_is_done_without_a_connection_is_done_when_it_is_back(desk: Desk) -> None:
    await complained(desk.world)
    page = await desk.go(await desk.sit_down(), "/queue?case=1")
    await expect(page.locator(".words")).to_be_visible()

    await page.context.set_offline(True)
    await expect(page.locator("#live")).to_contain_text("Connection lost")
    await page.keyboard.press("c")
    await expect(page.locator("#toasts")).to_contain_text("No connection")
    await page.context.set_offline(False)

    await expect(page.locator("#case")).to_contain_text("Yours")
    await expect(page.locator("#live")).to_have_text("Live")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_a_colleagues_act_is_seen_without_a_reload(desk: Desk) -> None:
    await complained(desk.world)
    page = await desk.go(await desk.sit_down(), "/queue?queue=all&case=1")

    await taking.take(desk.world.store, 1, "Ben")

    await expect(page.locator(".row-foot").first).to_contain_text("Ben")
    await expect(page.locator("#case")).to_contain_text("Ben is working on it")


async def test_a_new_complaint_appears_by_itself(desk: Desk) -> None:
    page = await desk.go(await desk.sit_down())
    await expect(page.locator(".nothing").first).to_contain_text("Nothing waits")

    await complained(desk.world)

    await expect(page.locator(".row")).to_have_count(1)


async def test_it_works_on_a_phone(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:2])
    page = await desk.sit_down(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    await desk.go(page)

    await page.locator(".row").first.tap()
    await expect(page.locator(".words")).to_be_visible()
    await expect(page.locator(".list")).to_be_hidden()
    await page.locator("#snooze-menu > summary").tap()
    await expect(page.locator("#snooze-menu > .menu-body")).to_be_in_viewport(ratio=1)
    await page.locator("#snooze-menu > summary").tap()
    await page.get_by_role("button", name="Claim").tap()
    await expect(page.locator("#case")).to_contain_text("Yours")
    await page.get_by_role("link", name="Back").tap()
    await expect(page.locator(".list")).to_be_visible()

    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


async def test_on_a_phone_the_room_one_is_in_stands_in_sight(desk: Desk) -> None:
    page = await desk.sit_down(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    await page.goto(desk.url + "/status")

    await expect(page.get_by_role("link", name="Sources")).to_be_in_viewport(ratio=1)


async def test_a_day_is_shown_as_a_day_in_every_zone(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:2])
    page = await desk.sit_down(timezone_id="America/New_York")
    await page.goto(desk.url + "/flags")
    await page.wait_for_load_state("networkidle")

    shown = await page.locator('time:not([datetime*="T"])').all_inner_texts()

    assert shown
    assert not any(":" in one for one in shown)


async def test_reading_and_the_main_acts_need_no_script(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:2])
    page = await desk.sit_down(java_script_enabled=False)
    await page.goto(desk.url + "/queue")

    await page.get_by_role("button", name="Take next").click()
    await expect(page.locator("#case")).to_contain_text("Yours")
    await page.locator("#close-menu summary").click()
    await page.get_by_role("button", name="No reply needed").click()

    statuses = sorted(case.status for case in await desk.world.cases())
    assert statuses == [Status.CLOSED, Status.OPEN]


async def test_many_cases_are_closed_at_once_and_come_back_with_one_key(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:3])
    page = await desk.go(await desk.sit_down())

    for number in (1, 2):
        await page.locator(f'.row[data-case="{number}"] .pick').check()
    await expect(page.locator("#bulk")).to_contain_text("2 cases")
    await page.get_by_role("button", name="No reply needed").first.click()
    await expect(page.locator(".row")).to_have_count(1)
    await page.keyboard.press("u")
    await expect(page.locator(".row")).to_have_count(3)


async def test_a_view_is_kept_under_a_name_and_led_to(desk: Desk) -> None:
    await complained(desk.world, *COMPLAINTS[:2])
    while await desk.service.index.step():
        pass
    page = await desk.go(await desk.sit_down(), "/queue?queue=unowned&words=batter")
    await expect(page.locator(".row")).to_have_count(1)

    await page.get_by_label("Name of this view").fill("Batter")
    await page.get_by_role("button", name="Keep view").click()
    await desk.go(page)
    await page.get_by_role("link", name="Batter", exact=True).click()

    await expect(page).to_have_url(re.compile("words=batter"))
    await expect(page.locator(".row")).to_have_count(1)
