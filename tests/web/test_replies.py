"""Answering on the pages: with scripts and without, refused with the words kept, said once."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from listener.desk import replies, taking
from listener.domain import login
from listener.domain.case import Status
from listener.domain.reply import Reply, State
from listener.domain.staff import Role
from tests.given import complained, heard, said, settled
from tests.replying import Square, outbox, seen
from tests.web.visiting import JSON, Browser, Street, hired, street
from tests.world import World

WORDS = "We are sorry, Ada. Please write to us."


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Street]:
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    async with street(world) as opened:
        yield opened


async def signed_in(desk: Street, name: str) -> Browser:
    browser = await desk.signed_in(name)
    [cookie] = browser.cookies.values()
    browser.csrf = login.csrf(cookie)
    return browser


async def answer(browser: Browser, path: str, status: int, **form: str) -> dict[str, Any]:
    """What a script is answered."""
    found = await browser.post(path, form, Accept=JSON)
    assert found.status == status, found.text
    told: dict[str, Any] = json.loads(found.text)
    return told


async def test_what_was_posted_by_hand_is_confirmed_on_the_page(desk: Street) -> None:
    ana, shown = await signed_in(desk, "Ana"), await seen(desk.world, Square(), 1)

    told = await answer(
        ana, "/cases/1/reply", 200, text=WORDS, seen=shown, by="hand", url="https://place.example/r"
    )

    assert told["said"] == "Case 1 is answered, and waits for the customer."
    [reply] = await desk.world.all_of(Reply)
    assert (reply.by_hand, reply.state) == (True, State.POSTED)
    assert (await desk.world.cases())[0].status is Status.ANSWERED
    assert WORDS in (await ana.get("/cases/1")).text


async def test_without_scripts_a_reply_is_a_form_that_leads_back(desk: Street) -> None:
    ana, shown = await signed_in(desk, "Ana"), await seen(desk.world, Square(), 1)

    page = await ana.post("/cases/1/reply", {"text": WORDS, "seen": shown, "by": "hand"})

    assert (page.status, page.headers["Location"]) == (303, "/cases/1")


async def test_a_refused_reply_says_what_changed_and_its_words_are_on_the_page(
    desk: Street,
) -> None:
    ana, shown = await signed_in(desk, "Ana"), await seen(desk.world, Square(), 1)
    [mention] = await desk.world.mentions()
    changed = said("The fish was fine after all.", id=mention.post_id, published=desk.world.now)
    await heard(desk.world, changed)

    told = await answer(ana, "/cases/1/reply", 409, text=WORDS, seen=shown, by="hand")

    assert "the author changed the post" in told["error"]
    assert WORDS in (await ana.get("/cases/1")).text
    assert await desk.world.all_of(Reply) == []


async def test_a_draft_is_kept_while_it_is_written(desk: Street) -> None:
    ana = await signed_in(desk, "Ana")

    await answer(ana, "/cases/1/draft", 200, text="We are <b>so")

    assert "We are &lt;b&gt;so</textarea>" in (await ana.get("/cases/1")).text


async def test_where_we_cannot_send_the_page_says_so_and_so_does_a_refusal(desk: Street) -> None:
    ana, shown = await signed_in(desk, "Ana"), await seen(desk.world, Square(), 1)

    assert "I posted it" in (await ana.get("/cases/1")).text
    told = await answer(ana, "/cases/1/reply", 409, text=WORDS, seen=shown)

    assert told["error"].startswith("We cannot send there:")


async def test_a_reply_is_taken_back_and_a_failed_one_sent_again(desk: Street) -> None:
    world, square, ana = desk.world, Square(), await signed_in(desk, "Ana")
    shown = await seen(world, square, 1)
    written = await replies.send(world.store, square.rule, 1, "Ana", WORDS, shown)

    told = await answer(ana, f"/replies/{written.reply.key}/withdraw", 200)
    assert (told["about"], told["undo"]) == (1, None)
    assert "Taken back" in (await ana.get("/cases/1")).text

    shown = await seen(world, square, 1)
    written = await replies.send(world.store, square.rule, 1, "Ana", WORDS, shown)
    number = written.reply.key
    assert "nothing to send again" in (await answer(ana, f"/replies/{number}/again", 409))["error"]
    assert (await answer(ana, "/replies/77/again", 404))["error"].startswith("There is no reply 77")
    world.now += timedelta(minutes=1)
    await outbox(world, square).step()
    assert list(square.standing.values()) == [WORDS]


async def test_a_lead_keeps_wordings_that_are_offered_in_the_reply_box(desk: Street) -> None:
    lea, ana = await signed_in(desk, "Lea"), await signed_in(desk, "Ana")
    assert (await ana.get("/wordings")).status == 403
    form = {"name": "Sorry", "text": "Dear {author}, sorry.\n{agent}", "brand": "Acme"}

    page = await lea.post("/wordings", form)

    assert (page.status, page.headers["Location"]) == (303, "/wordings")
    assert "Dear {author}, sorry." in (await lea.get("/wordings?name=Sorry")).text
    assert "Dear Ada, sorry.\nAna" in (await ana.get("/cases/1")).text
    await lea.post("/wordings", form | {"text": "Hello {author}"})
    assert "Hello Ada" in (await ana.get("/cases/1")).text
    assert (await lea.post("/wordings/forget", {"name": "Sorry"})).status == 303
    assert "Hello Ada" not in (await ana.get("/cases/1")).text


async def test_a_wording_that_cannot_be_kept_is_shown_again_with_the_place_of_its_fault(
    desk: Street,
) -> None:
    lea = await signed_in(desk, "Lea")

    page = await lea.post("/wordings", {"name": "Sorry", "text": "Dear {autor}"})

    assert page.status == 422
    assert "{autor} at character 6 is not known" in page.text
    assert "Dear {autor}</textarea>" in page.text


async def test_a_lead_sees_and_changes_no_wording_of_a_brand_that_is_not_theirs(
    desk: Street,
) -> None:
    lea = await signed_in(desk, "Lea")
    await lea.post("/wordings", {"name": "Sorry", "text": "Dear {author}", "brand": "Acme"})
    await hired(desk.world, "Max", Role.LEAD, brands=[])
    stranger = await signed_in(desk, "Max")

    assert "Sorry" not in (await stranger.get("/wordings")).text
    page = await stranger.post("/wordings", {"name": "Sorry", "text": "Ha"})
    assert "taken by a brand that is not yours" in page.text
    page = await stranger.post("/wordings", {"name": "New", "text": "Ha", "brand": "Acme"})
    assert "There is no brand called" in page.text
    assert (await stranger.post("/wordings/forget", {"name": "Sorry"})).status == 404
    assert "Dear {author}" in (await lea.get("/wordings")).text
