"""Mentions are found, flags judged and views kept on their pages, by whoever may see them."""

from datetime import timedelta

import pytest

from listener.desk import closing
from listener.domain.case import Outcome
from listener.domain.staff import Role
from listener.stages.index import Index
from tests.given import COMPLAINTS, Cheerful, complained, heard, judged, said, settled
from tests.web.visiting import hired, street
from tests.world import World

HOSTILE = "<script>alert(1)</script> fish <img src=x onerror=alert(1)> \u202e"


async def busy(world: World) -> None:
    """Two complaints, one praise that is none, and words that would like to be a page."""
    await settled(world)
    await complained(world, *COMPLAINTS[:2])
    await heard(
        world,
        said("Thanks for nothing, fish people", author="cem", published=world.now),
        said(HOSTILE, author="eve", published=world.now),
    )
    await judged(world, Cheerful())
    stage = Index(world.store)
    while await stage.step():
        pass
    await hired(world, "Mia", Role.MANAGER)
    await hired(world, "Ada", Role.AGENT)


async def test_mentions_are_found_by_their_words(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        page = await browser.get("/mentions?words=nothing+peop")

        assert page.status == 200
        assert "Thanks for nothing, <mark>fish</mark> people" in page.text
        assert "batter" not in page.text
        assert "Nothing that we have heard fits." in (await browser.get("/mentions?words=zz")).text
        assert "Case 1" in (await browser.get("/mentions?case=1")).text


async def test_what_a_post_says_stays_text(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        page = await browser.get("/mentions")

        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "words=%00&brand=%00&source=%00&language=%00",
        "words=%22&after=x&since=2026-99-99&until=9999-12-31&flagged=maybe",
        "case=99999999999999999999&after=99999999999999999999",
        "after=-1&case=-1&words=" + "a+" * 500,
        "words=%ff%fe&brand='%20OR%201=1",
    ],
)
async def test_no_address_can_be_a_mistake(world: World, query: str) -> None:
    await busy(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        assert (await browser.get(f"/mentions?{query}")).status == 200
        assert (await browser.get(f"/queue?{query}")).status == 200


async def test_who_only_reads_is_not_offered_to_act(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        manager, agent = await place.signed_in("Mia"), await place.signed_in("Ada")

        assert "Missed one" not in (await manager.get("/mentions")).text
        assert "/mentions/3/missed" in (await agent.get("/mentions")).text


async def test_a_missed_one_becomes_a_case_and_counts_against_the_flags(world: World) -> None:
    await busy(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        await browser.get("/mentions")

        assert (await browser.post("/mentions/3/missed")).status == 303

        page = await browser.get("/flags")
        assert page.status == 200
        assert "0 of 1 were right: too few to say how good they are." in page.text
        assert "<td>2</td><td>1</td><td>0</td><td>0</td><td>1</td><td>0</td><td>1</td>" in page.text


async def test_a_page_of_flags_without_any_says_so(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    world.now += timedelta(days=1)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        assert "Nothing has been flagged yet." in (await browser.get("/flags")).text


async def test_a_view_is_kept_shown_and_let_go(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        await browser.get("/queue")

        kept = await browser.post(
            "/views", {"name": "<b>One star", "query": "?queue=all&stars=1&words=a\r\nX-Evil: 1"}
        )

        assert kept.status == 303
        assert kept.headers["Location"] == "/queue?queue=all&stars=1&words=a%0D%0AX-Evil%3A+1"
        page = await browser.get("/queue")
        assert "&lt;b&gt;One star" in page.text
        assert "/views/1/forget" in page.text
        other = await place.signed_in("Mia")
        assert "One star" not in (await other.get("/queue")).text
        assert (await other.post("/views/1/forget")).status == 404
        assert (await browser.post("/views/1/forget")).status == 303
        assert "One star" not in (await browser.get("/queue")).text
        assert (await browser.post("/views", {"name": " ", "query": ""})).status == 409
