"""Mentions found by meaning on their page: what is searched is said, and what is missing too."""

import re

from listener.domain.staff import Role
from tests.desk.test_meaning import COUPONS, PARCELS, busy, told
from tests.given import INBOX, heard, said
from tests.meant import Meaning
from tests.web.visiting import hired, street
from tests.world import World

HOSTILE = "<script>alert(1)</script> fish coupon <img src=x onerror=alert(1)>"


def often(page: str, *texts: str) -> list[int]:
    """How often each text stands on a page."""
    return [page.count(text) for text in texts]


async def test_what_means_the_same_is_found_and_it_says_where_it_looked(world: World) -> None:
    await busy(world)
    await told(world, HOSTILE)
    await heard(world, said("One more fish coupon", published=world.now))
    world.classifier = Meaning()
    async with street(world) as place:
        await hired(world, "Ada")
        browser = await place.signed_in("Ada")

        page = await browser.get("/mentions?by=meaning&words=promo+code+broken")

        shown = page.text.replace("<mark>fish</mark>", "fish")
        assert page.status == 200
        assert often(shown, *COUPONS, PARCELS[0]) == [1, 1, 1, 0]
        assert "Looked through 10 mentions of Acme from the last 90 days. 1 not yet" in shown
        assert '<span class="word">Nearly the same</span>' in shown
        assert '<input type="checkbox" name="by" value="meaning" checked>' in shown
        assert "<script>alert" not in shown
        assert "<img" not in shown


async def test_a_case_leads_to_what_is_like_it(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        await hired(world, "Ada")
        browser = await place.signed_in("Ada")
        assert "/mentions?by=meaning&amp;like=4" in (await browser.get("/cases/4")).text

        page = await browser.get("/mentions?by=meaning&like=4")

        shown = page.text.replace("<mark>fish</mark>", "fish")
        assert "Like this one, by P" in shown
        assert often(shown, *PARCELS, COUPONS[0]) == [1, 1, 1, 0]


async def test_pages_follow_each_other_under_the_same_question(world: World) -> None:
    await busy(world)
    await told(world, *(f"Fish coupon number {number} fails" for number in range(60)))
    world.classifier = Meaning()
    async with street(world) as place:
        await hired(world, "Ada")
        browser = await place.signed_in("Ada")

        first = await browser.get("/mentions?by=meaning&words=coupon")
        (further,) = re.findall(r'class="more" href="([^"]+)"', first.text)
        second = await browser.get(further.replace("&amp;", "&"))

        numbers = [re.findall(r'id="mention-(\d+)"', page.text) for page in (first, second)]
        assert [len(page) for page in numbers] == [50, 13]
        assert len({*numbers[0], *numbers[1]}) == 63
        assert 'class="more"' not in second.text


async def test_of_several_brands_one_is_chosen(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await told(world, *COUPONS, "A nuts coupon that fails")
    world.classifier = Meaning()
    async with street(world) as place:
        await hired(world, "Ada")
        await hired(world, "Mia", Role.MANAGER, brands=[2])
        ada, mia = await place.signed_in("Ada"), await place.signed_in("Mia")

        asked = await ada.get("/mentions?by=meaning&words=coupon")
        chosen = await ada.get("/mentions?by=meaning&words=coupon&brand=Bolt")
        own = await mia.get("/mentions?by=meaning&words=coupon")
        foreign = await mia.get("/mentions?by=meaning&words=coupon&brand=Acme")
        like = await mia.get("/mentions?by=meaning&like=1")

        assert "Meaning is looked for in one brand at a time" in asked.text
        assert "/mentions?words=coupon&amp;by=meaning&amp;brand=Bolt" in asked.text
        for page in (chosen, own):
            assert "coupon that fails" in page.text
            assert "of Bolt from the last 90 days" in page.text
        assert "There is no brand called &#39;Acme&#39;." in foreign.text
        assert "There is no mention 1, or its words are gone." in like.text
        assert not any(COUPONS[2] in page.text for page in (chosen, own, foreign, like))


async def test_what_is_missing_is_said(world: World) -> None:
    await busy(world)
    async with street(world) as place:
        await hired(world, "Ada")
        browser = await place.signed_in("Ada")

        placeless = await browser.get("/mentions?by=meaning&words=coupon")
        nothing = await browser.get("/mentions?by=meaning")
        wrong = await browser.get("/mentions?by=meaning&like=x&after=y")

        assert "The model gloomy 1 does not say where texts lie" in placeless.text
        assert "What means the same as your words" in nothing.text
        assert "There is no mention 0" in wrong.text
