"""The page of one theme: all about it, for whom it is, and what can be done from there."""

import re
from datetime import timedelta
from html import unescape

import pytest

from listener.desk import taking, theming
from listener.domain.staff import Role
from listener.domain.theme import Theme
from listener.store import portraits
from tests.given import settled
from tests.stages.test_theme import COLD, COUPON, complain, look
from tests.web.visiting import hired, street
from tests.world import World

TICKET = "https://tickets.example/browse/SHOP-7"


async def opened(world: World) -> None:
    """A theme of three, a case beside it, and people of every kind."""
    await settled(world)
    await hired(world, "Ada", Role.AGENT, brands=[1])
    await hired(world, "Lea", Role.LEAD, brands=[1])
    await hired(world, "Mia", Role.MANAGER, brands=[1])
    await hired(world, "Eve", Role.LEAD, brands=[99])
    await complain(world, *COUPON, COLD, by="ada")
    await look(world)


async def test_a_theme_is_told_on_one_page(world: World) -> None:
    await opened(world)
    await taking.take(world.store, 1, "Ada")
    await theming.rename(world.store, 1, "Ada", "The <i>broken</i> coupon")
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        page = (await browser.get("/themes/1")).text

        assert "The &lt;i&gt;broken&lt;/i&gt; coupon" in page
        assert '<span class="word strong">3 people</span>' in page
        assert page.count("<blockquote") == 3
        assert "<b>Your" not in page
        assert COLD not in page
        assert "Case 1</a>, with Ada" in page
        assert "Case 2</a>, nobody has it" in page
        assert page.count('<svg class="chart"') == 1
        assert '02 Nov 2026</th><td class="number">3</td>' in page  # the table behind it
        assert "27 Oct 2026</th>" in page  # a week at least
        assert "Ada called it" in page
        assert "It began: 3 people said it" in page
        assert "style=" not in page
        for source in ("/themes", "/cases/1", "/mentions?theme=1"):
            assert 'href="/themes/1"' in (await browser.get(source)).text, source
        lead = await place.signed_in("Lea")
        digest = await lead.get(f"/digest?of=day&on={world.now.date()}")
        assert 'href="/themes/1"' in digest.text


async def test_figures_of_the_latest_posts_alone_say_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        assert "its latest" not in (await browser.get("/themes/1")).text

        monkeypatch.setattr(portraits, "MOST", 2)

        page = (await browser.get("/themes/1")).text
    assert "are those of its latest 2." in page


async def test_another_brands_theme_and_none_at_all_are_the_same_sentence(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        stranger = await place.signed_in("Eve")
        for number in (1, 77):
            seen = await stranger.get(f"/themes/{number}")
            assert seen.status == 404
            assert (
                f"There is no theme {number}, or it belongs to a brand that is not yours."
                in unescape(seen.text)
            )
        seen = await stranger.post("/themes/1/own", {"to": "Eve"})
        assert seen.status == 404
    [theme] = await world.all_of(Theme)
    assert theme.owner_id is None


async def test_who_only_reads_sees_no_form_that_they_may_not_send(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        forms = {}
        for name in ("Ada", "Lea", "Mia"):
            page = (await (await place.signed_in(name)).get("/themes/1")).text
            forms[name] = set(re.findall(r'action="/themes/1/(\w+)"', page))
        work = {"rename", "mute", "merge", "split"}
        assert forms == {"Ada": work, "Lea": work | {"own", "link"}, "Mia": set()}


async def test_a_lead_gives_it_away_and_says_where_it_is_put_right(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        given = await lead.post("/themes/1/own", {"to": "Ada", "back": "/themes/1"})
        linked = await lead.post("/themes/1/link", {"link": TICKET, "back": "/themes/1"})
        refused = await lead.post("/themes/1/link", {"link": "SHOP-7"})

        assert (given.status, given.headers["Location"]) == (303, "/themes/1")
        assert linked.status == 303
        assert refused.status == 409
        assert "That is no link. It begins with https://" in refused.text
        for path in ("/themes/1", "/themes", "/cases/1", f"/digest?of=day&on={world.now.date()}"):
            page = (await lead.get(path)).text
            assert f'href="{TICKET}"' in page, path
            assert "Ada" in page, path
        assert "Lea gave it to Ada" in (await lead.get("/themes/1")).text


async def test_posts_are_put_apart_without_scripts(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        page = (await browser.get("/themes/1")).text
        [first, *_] = re.findall(r'name="mention" value="(\d+)"', page)

        nothing = await browser.post("/themes/1/split", {"name": "Apart"})
        made = await browser.post("/themes/1/split", {"name": "Apart", "mention": first})
        page = (await browser.get("/themes/2")).text

        assert nothing.status == 409
        assert "Choose the posts that are to be a theme of their own." in nothing.text
        assert (made.status, made.headers["Location"]) == (303, "/themes/2")
        assert '<span class="word strong">1 person</span>' in page
        assert "Ada put it apart from theme 1" in page
        assert "Ada put theme 2 (Apart) apart from it" in (await browser.get("/themes/1")).text


async def test_what_has_become_a_part_of_another_leads_there(world: World) -> None:
    await opened(world)
    first = (await world.mentions())[0].key
    await theming.split(world.store, 1, "Ada", [first], "Apart")
    await theming.merge(world.store, 2, "Ada", 1)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        page = (await browser.get("/themes/2")).text

        assert 'It is a part of <a href="/themes/1">theme 1 (' in page
        assert "<form" not in page.split("<main", 1)[1]
        assert "Ada made theme 2 (Apart) a part of it" in (await browser.get("/themes/1")).text


async def test_what_nobody_says_any_more_is_over_and_says_so(world: World) -> None:
    await opened(world)
    world.now += timedelta(days=29)
    await complain(world, COLD, by="zoe")
    await look(world)
    async with street(world) as place:
        page = (await (await place.signed_in("Ada")).get("/themes/1")).text

        assert "Nobody has said it for four weeks, so it is over." in page
        assert "It ended: nobody had said it for four weeks" in page


async def test_a_case_is_snoozed_until_its_theme_spreads_from_its_page(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        page = (await browser.get("/cases/1")).text
        assert 'data-key="0"' in page
        [without] = [
            case.key
            for case in await world.cases()
            if "Until it spreads" not in (await browser.get(f"/cases/{case.key}")).text
        ]

        wrong = await browser.post("/cases/1/snooze", {"for": "spreads", "people": "many"})
        seen = await browser.post("/cases/1/snooze", {"for": "spreads", "people": "2"})
        refused = await browser.post(f"/cases/{without}/snooze", {"for": "spreads"})

        assert wrong.status == 409
        assert "Say how many more people must say it: 1 to 1,000." in wrong.text
        assert seen.status == 303
        assert refused.status == 409
        page = (await browser.get("/cases/1")).text
        assert "Snoozed until 2 more people say the same, at the latest" in page
        assert "Ada snoozed it until 2 more people say the same (theme 1)" in page
