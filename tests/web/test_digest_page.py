"""The digest on a page: its first line, its lists with links, and what others may not see."""

from datetime import timedelta
from email.headerregistry import Address

from listener.channels.mail import MailServer
from listener.desk import declaring
from listener.desk.declaring import Wish
from listener.domain.span import Of
from listener.domain.staff import Role
from listener.domain.subscription import Subscription
from tests.given import COMPLAINTS, Cheerful, complained, heard, judged, said, settled
from tests.hostile import HOSTILE
from tests.web.visiting import hired, street
from tests.world import World


async def test_a_manager_reads_what_is_wrong_and_why(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER)
    for number, text in enumerate(
        (
            "The coupon for fish is broken",
            "Coupon refused at your fish counter, twice",
            COMPLAINTS[0],
        )
    ):
        await complained(world, text, author=f"author{number}")
    await heard(
        world, said("The best fish that I have eaten in years", author="zoe", published=world.now)
    )
    await judged(world, Cheerful())

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        seen = await browser.get("/digest?of=day&on=2026-11-02")
        table = await browser.get("/digest.csv?of=day&on=2026-11-02")
        other = await browser.get("/digest?brand=Nobody")

    assert seen.status == 200
    assert "4 mentions, 3 complaints (75%)" in seen.text
    assert "coupon" in seen.text
    assert "2 people" in seen.text
    assert "The best fish that I have eaten in years" in seen.text
    assert 'href="/cases/1"' in seen.text
    assert "<td>3</td><td>1</td><td>0</td>" in seen.text  # the table behind the picture
    assert seen.text.count('<svg class="chart"') == 2  # what was said, and what was read
    assert "style=" not in seen.text
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "complaints,Acme,3" in table.text
    assert other.status == 404


async def test_a_crisis_leads_to_its_page_while_it_lasts_and_afterwards(world: World) -> None:
    await settled(world)
    await hired(world, "Lea", Role.LEAD, brands=[1])
    await declaring.declare(world.store, Wish(name="<b>Fire</b>", brand="Acme"), "Lea")

    async with street(world) as place:
        browser = await place.signed_in("Lea")
        world.now += timedelta(minutes=5)
        burning = await browser.get("/digest?of=day&on=2026-11-02")
        world.now += timedelta(minutes=115)
        await declaring.end(world.store, 1, "Lea")
        over = await browser.get("/digest?of=day&on=2026-11-02")
        table = await browser.get("/digest.csv?of=day&on=2026-11-02")

    named = '<a href="/crises/1">&lt;b&gt;Fire&lt;/b&gt;</a>, led by Lea: 0 cases'
    assert "<h3>Crisis</h3>" in burning.text
    assert f"{named}, for 5 min now" in burning.text
    assert "<h3>Crises that are over</h3>" in over.text
    assert f"{named}, after 2 h" in over.text
    assert (
        "crisis,<b>Fire</b>,0,2026-11-02T12:00:00+00:00,2026-11-02T14:00:00+00:00,Lea" in table.text
    )


async def test_before_there_is_a_brand_the_page_says_so(world: World) -> None:
    await hired(world, "Mia", Role.MANAGER)

    async with street(world) as place:
        seen = await (await place.signed_in("Mia")).get("/digest")

    assert seen.status == 200
    assert "There is no brand to tell of yet." in seen.text


async def test_another_brand_s_figures_stay_behind_its_wall(world: World) -> None:
    brands = ({"name": "Acme", "query": "fish"}, {"name": "Umbra", "query": "lamp"})
    await world.set_up(brands=brands)
    await hired(world, "Mia", Role.MANAGER, brands=[1])

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        own = await browser.get("/digest")
        foreign = await browser.get("/digest?brand=Umbra")

    assert own.status == 200
    assert "Umbra" not in own.text
    assert foreign.status == 404


async def test_what_makes_no_sense_is_answered_with_yesterday(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER)

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        pages = [
            await browser.get(f"/digest?of={of}&on={on}")
            for of in ("day", "week", "month", "age", "")
            for on in ("", "0001-01-01", "9999-12-31", "2026-02-31", "x")
        ]

    assert {one.status for one in pages} == {200}
    assert "Sunday, 01 November 2026" in pages[0].text
    assert (world.now - timedelta(days=1)).strftime("%d %B") in pages[0].text


async def test_hostile_words_are_only_words(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER)
    for number, text in enumerate(HOSTILE):
        await complained(world, f"fish {text} fish", author=f"author{number}")

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        seen = await browser.get("/digest?of=day&on=2026-11-02")
        table = await browser.get("/digest.csv?of=day&on=2026-11-02")

    assert seen.status == 200
    assert "<script>alert" not in seen.text
    assert not [
        cell
        for line in table.text.splitlines()
        for cell in line.split(",")
        if cell.startswith(("=", "+", "@"))
    ]


async def test_a_reader_has_it_sent_at_their_hour_and_ends_it(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.MANAGER, mail="mia@shop.example")
    server = MailServer("mail.example", 465, Address("Listener", "listener", "shop.example"))

    async with street(world, mail=server) as place:
        browser = await place.signed_in("Mia")
        form = {"brand": "Acme", "of": "week", "hour": "7"}
        kept = await browser.post("/digest", form)
        seen = await browser.get("/digest?of=week")
        [wanted] = await world.all_of(Subscription)
        await browser.post("/digest", form | {"hour": ""})
        foreign = await browser.post("/digest", form | {"brand": "Nobody"})

    assert kept.status == 303
    assert '<option value="7" selected>07:00</option>' in seen.text
    assert (wanted.of, wanted.hour) == (Of.WEEK, 7)
    assert await world.all_of(Subscription) == []
    assert foreign.status == 404
