"""Alarms on their page and above the queue: what is said, who may see it, what is done to one."""

from datetime import timedelta

from listener.domain.alarm import RISE, Alarm, Sort, about_theme
from listener.domain.staff import Role
from listener.domain.theme import Theme
from listener.stages.call import climb
from tests.given import complained, settled
from tests.web.visiting import hired, street
from tests.world import World


async def rings(world: World) -> None:
    """An alarm about a complaint whose author would like to be a page."""
    await settled(world)
    await complained(world, "<b>Glass</b> in my fish and nobody of you answers for a week now!")
    async with world.store.transaction() as session:
        session.add(
            Alarm(
                brand_id=1,
                about=RISE,
                sort=Sort.COMPLAINTS,
                since=world.now - timedelta(minutes=20),
                raised_at=world.now,
                count=31,
                expected=6.2,
                low=2,
                high=11,
                mentions=[1],
                chart=[[number % 3, 1.0] for number in range(95)] + [[31, 1.0]],
            )
        )
    await hired(world, "Ada", Role.AGENT, brands=[1])
    await hired(world, "Eve", Role.AGENT, brands=[99])
    await hired(world, "Mia", Role.MANAGER, brands=[1])


async def test_an_empty_page_says_so(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    async with street(world) as place:
        page = await (await place.signed_in("Ada")).get("/alarms")

        assert page.status == 200
        assert "No alarm." in page.text


async def test_an_alarm_says_what_how_much_since_when_and_whose_words(world: World) -> None:
    await rings(world)
    async with street(world) as place:
        browser = await place.signed_in("Ada")

        page = await browser.get("/alarms")

        assert "31 complaints since 02 Nov 11:40 UTC, where 2 to 11 are usual" in page.text
        assert "&lt;b&gt;Glass" in page.text
        assert "<b>Glass" not in page.text
        assert '<svg class="chart"' in page.text
        assert "<caption>By the hour</caption>" in page.text
        strip = (await browser.get("/queue")).text
        assert 'class="ringing"' in strip
        assert "31 complaints" in strip


async def test_it_says_how_many_pass_on_and_why_nobody_is_quoted(world: World) -> None:
    await rings(world)
    async with world.store.transaction() as session:
        alarm = await session.get_one(Alarm, 1)
        alarm.passed_on, alarm.mentions = 31, []
    async with street(world) as place:
        page = await (await place.signed_in("Ada")).get("/alarms")

        assert "31 of them only pass on what others wrote" in page.text
        assert "Nobody is quoted" in page.text


async def test_an_alarm_of_a_theme_names_it_and_leads_there(world: World) -> None:
    await rings(world)
    async with world.store.transaction() as session:
        theme = Theme(brand_id=1, name="<i>glass</i>", began_at=world.now, last_at=world.now)
        session.add(theme)
        await session.flush()
        alarm = await session.get_one(Alarm, 1)
        alarm.theme_id, alarm.about = theme.key, about_theme(theme.key)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        page = await browser.get("/alarms")

        assert "31 complaints about “&lt;i&gt;glass&lt;/i&gt;” since" in page.text
        assert '<a href="/themes/1">&lt;i&gt;glass' in page.text
        assert (await browser.get("/themes/1")).status == 200


async def test_it_says_who_was_called_who_was_not_reached_and_who_is_next(world: World) -> None:
    await rings(world)
    await hired(world, "Lea", Role.LEAD)
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        for _ in range(2):
            world.now += timedelta(minutes=21)
            await climb(world.store)

        text = " ".join((await browser.get("/alarms")).text.split())

    assert "The lead was called" in text
    assert "Lea. Lea was not reached: There is neither Slack nor a mail address" in text
    assert "The manager was called" in text
    assert "Then whoever is on call is called" in text


async def test_another_brands_alarm_is_not_there(world: World) -> None:
    await rings(world)
    async with street(world) as place:
        browser = await place.signed_in("Eve")

        assert "31 complaints" not in (await browser.get("/alarms")).text
        assert "31 complaints" not in (await browser.get("/queue")).text
        assert (await browser.post("/alarms/1/acknowledge")).status == 404


async def test_one_sees_to_it_and_another_puts_it_off(world: World) -> None:
    await rings(world)
    async with street(world) as place:
        mia, ada = await place.signed_in("Mia"), await place.signed_in("Ada")

        assert (await mia.post("/alarms/1/acknowledge")).status == 303
        assert "Mia sees to it" in (await ada.get("/alarms")).text
        assert (await mia.post("/alarms/1/snooze", {"for": "1h"})).status == 403
        assert (await ada.post("/alarms/1/snooze", {"for": "1h"})).status == 303

        assert "Put off" in (await ada.get("/alarms")).text
        assert 'class="ringing"' not in (await ada.get("/queue")).text
