"""A mail's link lets the one it was sent to say that they see to a case, and nothing else."""

from datetime import timedelta

import pytest
from sqlmodel import select

from listener.desk import heard
from listener.domain.alarm import RISE, Alarm, AlarmNotice, Sort
from listener.domain.event import Event, What
from listener.domain.secret import Seal
from listener.domain.staff import Staff
from listener.store.telling import tell
from tests.given import complained, settled
from tests.web.visiting import street
from tests.world import World

SEAL = Seal("a key for tests, long enough")


async def told(world: World) -> str:
    """Ana was told of case 1 by mail; the link in it."""
    await settled(world, "Ana")
    await complained(world)
    async with world.store.transaction() as session:
        ana = await session.get_one(Staff, 1)
        ana.mail = "ana@example.org"
        event = (await session.exec(select(Event))).first()
        assert event is not None
        [notice] = await tell(session, 1, event, [1], world.now)
    return heard.address("", SEAL, f"notice_{notice.key}")


async def acknowledged(world: World) -> int:
    """How often somebody said that they had heard."""
    return sum(one.what is What.ACKNOWLEDGED for one in await world.events())


async def test_opening_the_link_changes_nothing_and_the_button_is_the_one_click(
    world: World,
) -> None:
    link = await told(world)
    async with street(world) as here:
        browser = here.browser()

        seen = await browser.get(link)
        assert seen.status == 200
        assert "Ana, say that you see to it" in seen.text
        assert await acknowledged(world) == 0

        assert (await browser.post(link)).status == 200
        assert (await browser.post(link)).status == 200

    assert await acknowledged(world) == 1


async def test_another_number_or_mark_opens_nothing(world: World) -> None:
    link = await told(world)
    number, mark = link.removeprefix("/heard/").split("-")
    async with street(world) as here:
        browser = here.browser()
        for wrong in (
            f"{number}-{'0' * 32}",
            f"{int(number) + 1}-{mark}",
            f"1-{SEAL.mark('heard 1')}",
        ):
            assert (await browser.get(f"/heard/{wrong}")).status == 404


@pytest.mark.parametrize("left", [True, False])
async def test_a_link_ends_with_its_week_and_with_its_person(world: World, left: bool) -> None:
    link = await told(world)
    if left:
        async with world.store.transaction() as session:
            (await session.get_one(Staff, 1)).active = False
    else:
        world.now += heard.GOOD_FOR + timedelta(minutes=1)
    async with street(world) as here:
        assert (await here.browser().get(link)).status == 404


async def test_a_call_about_an_alarm_is_heard_by_its_own_link(world: World) -> None:
    await settled(world, "Ana")
    async with world.store.transaction() as session:
        alarm = Alarm(
            brand_id=1, about=RISE, sort=Sort.MENTIONS, since=world.now, raised_at=world.now
        )
        session.add(alarm)
        await session.flush()
        call = AlarmNotice(
            alarm_id=alarm.key, channel="mail", staff_id=1, call=1, next_at=world.now
        )
        session.add(call)
        await session.flush()
    link = heard.address("", SEAL, f"alarm_{call.key}")
    async with street(world) as here:
        browser = here.browser()

        seen = await browser.get(link)
        assert "Ana, say that you see to it" in seen.text
        assert 'href="/alarms#alarm-1"' in seen.text
        assert "Acme: 0 mentions since" in seen.text
        [alarm] = await world.all_of(Alarm)
        assert alarm.acknowledged_at is None, "opening it changes nothing"

        assert "You see to alarm 1; nobody else is called." in (await browser.post(link)).text
        assert "already" in (await browser.post(link)).text
        wrong = heard.address("", SEAL, f"notice_{call.key}")
        assert (await browser.get(wrong)).status == 404, "a case's link is no alarm's"

    [alarm] = await world.all_of(Alarm)
    assert alarm.acknowledged_by == 1
