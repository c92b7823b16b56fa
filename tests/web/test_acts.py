"""Every act is a form that is sent: it works without scripts, and says what happened to them."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from listener.domain import login
from listener.domain.case import Outcome, Status
from listener.domain.correction import Correction
from listener.domain.event import What
from listener.domain.staff import Role
from listener.store import notes, presences, tags
from tests.given import COMPLAINTS, Cheerful, Doubting, complained, heard, judged, said, settled
from tests.web.visiting import JSON, Browser, Street, hired, street
from tests.world import World


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Street]:
    await settled(world)
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Max", Role.MANAGER)
    await complained(world, *COMPLAINTS[:3])
    async with street(world) as opened:
        yield opened


async def signed_in(desk: Street, name: str) -> Browser:
    """A browser in which somebody is signed in, with the token that its forms carry."""
    browser = await desk.signed_in(name)
    [cookie] = browser.cookies.values()
    browser.csrf = login.csrf(cookie)
    return browser


async def told(browser: Browser, path: str, **form: str) -> dict[str, Any]:
    """What a script is answered when an act succeeds."""
    seen = await browser.post(path, form, Accept=JSON)
    assert seen.status == 200, seen.text
    answer: dict[str, Any] = json.loads(seen.text)
    assert answer["ok"] is True
    return answer


async def refused(browser: Browser, path: str, status: int, **form: str) -> str:
    """Why a script is refused an act."""
    seen = await browser.post(path, form, Accept=JSON)
    assert seen.status == status, seen.text
    why: str = json.loads(seen.text)["error"]
    return why


async def test_a_case_is_taken_and_the_second_is_told_by_whom(desk: Street) -> None:
    ana, ben = await signed_in(desk, "Ana"), await signed_in(desk, "Ben")

    answer = await told(ana, "/cases/1/take")

    assert answer["said"] == "Case 1 is yours; you hold it until 12:10 UTC."
    assert answer["undo"] == answer["event"]
    assert await refused(ben, "/cases/1/take", 409) == (
        "Ana holds case 1 until 12:10 UTC. Take it over if you must."
    )
    over = await told(ben, "/cases/1/over", note="Ana is at lunch")
    assert over["about"] == 1
    assert (await desk.world.cases())[0].owner_id == 2


async def test_take_next_leads_to_the_case_and_says_when_there_is_none(desk: Street) -> None:
    ana = await signed_in(desk, "Ana")

    first = await told(ana, "/cases/next")
    assert first["case"] == 1
    page = await ana.post("/cases/next", {"back": "/queue"})
    assert (page.status, page.headers["Location"]) == (303, "/cases/2")
    await told(ana, "/cases/next")

    last = await told(ana, "/cases/next")
    assert (last["case"], last["said"]) == (None, "No case waits that nobody has.")
    page = await ana.post("/cases/next", {"back": "/queue?queue=unowned"})
    assert (page.status, page.headers["Location"]) == (303, "/queue?queue=unowned")


async def test_without_scripts_one_is_sent_back_within_our_site(desk: Street) -> None:
    ana = await signed_in(desk, "Ana")

    for back, to in (
        ("/queue?queue=mine", "/queue?queue=mine"),
        ("", "/cases/1"),
        ("https://elsewhere.example/", "/cases/1"),
        ("//elsewhere.example/", "/cases/1"),
        ("/\\elsewhere.example/", "/cases/1"),
    ):
        page = await ana.post("/cases/1/take", {"back": back})
        assert (page.status, page.headers["Location"]) == (303, to)


async def test_a_refusal_is_a_page_to_people(desk: Street) -> None:
    ana, ben = await signed_in(desk, "Ana"), await signed_in(desk, "Ben")
    await told(ana, "/cases/1/take")

    page = await ben.post("/cases/1/close", {"outcome": "spam"})

    assert page.status == 409
    assert "Ana holds case 1" in page.text


async def test_snoozed_noted_tagged_assigned_closed_reopened(desk: Street) -> None:
    world, ana, lea = desk.world, await signed_in(desk, "Ana"), await signed_in(desk, "Lea")

    await told(ana, "/cases/1/snooze", **{"for": "4h"})
    assert (await world.cases())[0].snoozed_until == world.now + timedelta(hours=4)
    await told(ana, "/cases/1/wake")
    await told(ana, "/cases/1/snooze", **{"for": "author"})
    assert (await world.cases())[0].wakes_on_answer
    await told(ana, "/cases/1/snooze", **{"for": "tomorrow", "zone": "Europe/Berlin"})
    assert (await world.cases())[0].snoozed_until == world.now + timedelta(hours=20)
    assert "is no time" in await refused(ana, "/cases/1/snooze", 409, **{"for": "soon"})

    noted = await told(ana, "/cases/1/note", text="Ask @Ben <b>now</b>")
    assert (noted["said"], noted["undo"]) == ("The note is kept. Ben will see it.", None)
    await told(ana, "/cases/1/tag", tag="#Late delivery")
    await told(ana, "/cases/1/tag", tag="refund")
    await told(ana, "/cases/1/untag", tag="refund")
    async with world.store.reading() as session:
        assert await tags.of_case(session, 1) == ["late-delivery"]

    assert await refused(ana, "/cases/1/assign", 403, to="Ben") == (
        "Only a lead may give a case to somebody else."
    )
    await told(lea, "/cases/1/assign", to="Ben", note="Yours, @Ben")
    assert (await world.cases())[0].owner_id == 2
    assert "does not work cases" in await refused(lea, "/cases/1/assign", 409, to="Max")
    await told(lea, "/cases/1/assign", to="")
    assert (await world.cases())[0].owner_id is None

    await told(ana, "/cases/1/close", outcome="answered elsewhere")
    assert (await world.cases())[0].outcome is Outcome.ANSWERED_ELSEWHERE
    assert "closes nothing" in await refused(ana, "/cases/2/close", 409, outcome="won")
    await told(ana, "/cases/1/reopen")
    assert (await world.cases())[0].status is Status.OPEN


async def test_corrections_and_what_was_missed(desk: Street) -> None:
    world, ana = desk.world, await signed_in(desk, "Ana")
    await heard(world, said("We waited an hour for fish and left.", published=world.now))
    await judged(world, Cheerful())
    await heard(world, said(COMPLAINTS[3], published=world.now))
    await judged(world, Doubting())

    missed = await told(ana, "/mentions/4/missed")
    assert (missed["case"], missed["said"]) == (5, "Case 5 opened: this was a complaint.")
    await told(ana, "/cases/4/correct", better="complaint")
    await told(ana, "/cases/1/correct", better="not negative")

    assert [one.better.value for one in await world.all_of(Correction)] == [
        "complaint",
        "complaint",
        "not negative",
    ]
    assert "corrects nothing" in await refused(ana, "/cases/2/correct", 409, better="perhaps")
    assert "belongs to case 5" in await refused(ana, "/mentions/4/missed", 409)


async def test_many_at_once_with_one_undo(desk: Street) -> None:
    world, ana, ben = desk.world, await signed_in(desk, "Ana"), await signed_in(desk, "Ben")
    await told(ben, "/cases/2/take")

    seen = await ana.ask(
        "POST",
        "/cases/bulk",
        headers={"Accept": JSON, "Origin": desk.origin, "X-CSRF": ana.csrf},
        data=[("ids", "1"), ("ids", "2"), ("ids", "3"), ("ids", "x"), ("act", "not us")],
    )
    answer = json.loads(seen.text)
    assert (answer["done"], list(answer["refused"])) == ([1, 3], ["2"])
    assert [case.status.value for case in await world.cases()] == ["closed", "owned", "closed"]

    undone = await told(ana, f"/events/{answer['undo']}/undo")

    assert (undone["said"], undone["undo"]) == ("Undone for 2 cases.", None)
    assert [case.status.value for case in await world.cases()] == ["open", "owned", "open"]
    assert await world.all_of(Correction) == []
    assert await refused(ana, "/cases/bulk", 409, act="take") == "No case is ticked."
    await told(ana, "/cases/bulk", ids="1", act="snooze")
    assert (await world.cases())[0].sleeps(world.now)


async def test_an_act_is_taken_back(desk: Street) -> None:
    ana, ben = await signed_in(desk, "Ana"), await signed_in(desk, "Ben")
    answer = await told(ana, "/cases/1/close", outcome="spam")

    assert "only who did it" in await refused(ben, f"/events/{answer['undo']}/undo", 409)
    await told(ana, f"/events/{answer['undo']}/undo")

    assert (await desk.world.cases())[0].status is Status.OPEN


async def test_who_is_there_is_seen_and_keeps_what_they_hold(desk: Street) -> None:
    world, ana = desk.world, await signed_in(desk, "Ana")
    await told(ana, "/cases/1/take")
    ben = await signed_in(desk, "Ben")
    await told(ben, "/cases/1/note", text="@Ana they called")
    world.now += timedelta(minutes=9)

    await told(ana, "/cases/1/here", writing="yes")

    async with world.store.reading() as session:
        [mark] = (await presences.marks(session, [1], now=world.now))[1]
        assert await notes.calling(session, 1) == set()
    assert (mark.name, mark.writing) == ("Ana", True)
    assert (await world.cases())[0].held_until == world.now + timedelta(minutes=10)
    held = await told(ana, "/cases/1/touch")
    assert held["held_until"].startswith("2026-11-02T12:19")


async def test_what_is_of_another_brand_is_not_there_whatever_one_tries(desk: Street) -> None:
    world = desk.world
    await hired(world, "Far", brands=[99])
    far = await signed_in(desk, "Far")

    for path in ("take", "over", "snooze", "note", "tag", "close", "here", "assign"):
        assert "There is no case 1" in await refused(far, f"/cases/1/{path}", 404)
    assert "There is no mention 1" in await refused(far, "/mentions/1/missed", 404)
    assert "There is no event 1" in await refused(far, "/events/1/undo", 404)
    assert (await told(far, "/cases/next"))["case"] is None
    assert "There is no case 1" in await refused(far, "/cases/bulk", 409, ids="1", act="take")
    assert [one.what for one in await world.events()] == [What.OPENED] * 3


async def test_a_manager_looks_and_does_nothing(desk: Street) -> None:
    max_ = await signed_in(desk, "Max")

    for path in ("/cases/1/take", "/cases/next", "/cases/bulk", "/mentions/1/missed"):
        assert "Your role, manager," in await refused(max_, path, 403)
    await told(max_, "/cases/1/here")
