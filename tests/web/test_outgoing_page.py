"""What was told of alarms, digests and crises stands on a page too, and goes again when it failed."""

from datetime import timedelta
from typing import Any

import pytest

from listener.domain.alarm import RISE, Alarm, AlarmNotice, Sort
from listener.domain.crisis import Bulletin, Crisis, Told
from listener.domain.span import Of
from listener.domain.staff import Role
from listener.domain.subscription import Letter, Subscription
from tests.given import INBOX
from tests.web.visiting import Seen, hired, street
from tests.world import World

REFUSED = "The mail server answered <b>550</b>."


async def told(world: World) -> None:
    """Of an alarm, a digest and a crisis of Acme's: what failed; and an alarm of Bolt's, arrived."""
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    lea = await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER, brands=[2])
    failed: dict[str, Any] = {"tries": 9, "failed_at": world.now, "failure": REFUSED}
    async with world.store.transaction() as session:
        for brand in (1, 2):
            session.add(
                Alarm(
                    brand_id=brand,
                    about=RISE,
                    sort=Sort.COMPLAINTS,
                    since=world.now,
                    raised_at=world.now,
                    count=30 + brand,
                )
            )
        crisis = Crisis(
            brand_id=1,
            name="Burning chargers",
            lead_id=lea.key,
            declared_by=lea.key,
            declared_at=world.now,
            update_due_at=world.now,
        )
        wish = Subscription(staff_id=lea.key, brand_id=1, of=Of.DAY)
        session.add_all([crisis, wish])
        await session.flush()
        session.add_all(
            [
                AlarmNotice(
                    alarm_id=1,
                    channel="mail",
                    staff_id=lea.key,
                    why="You lead the team.",
                    next_at=world.now,
                    **failed,
                ),
                AlarmNotice(alarm_id=2, channel="desk", next_at=world.now, sent_at=world.now),
                Letter(
                    subscription_id=wish.key,
                    first=(world.now - timedelta(days=1)).date(),
                    next_at=world.now,
                    **failed,
                ),
                Bulletin(
                    crisis_id=crisis.key,
                    told=Told.DECLARED,
                    whom="@1",
                    channel="mail",
                    staff_id=lea.key,
                    at=world.now,
                    next_at=world.now,
                    **failed,
                ),
            ]
        )


async def asked(world: World, path: str, name: str = "Lea") -> Seen:
    async with street(world) as place:
        return await (await place.signed_in(name)).get(path)


@pytest.mark.parametrize(
    ("about", "words", "path"),
    [
        ("alarms", "31 complaints since", "/calls/1/again"),
        ("digests", "They asked for it.", "/letters/1/again"),
        ("crises", "Burning chargers: it was declared", "/bulletins/1/again"),
    ],
)
async def test_each_says_to_whom_of_what_and_why_it_did_not_arrive(
    world: World, about: str, words: str, path: str
) -> None:
    await told(world)

    page = await asked(world, f"/notices?about={about}&state=failed")

    assert words in page.text
    assert "The mail server answered &lt;b&gt;550&lt;/b&gt;." in page.text
    assert path in page.text
    assert "Lea" in page.text


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (AlarmNotice, "/calls/1/again"),
        (Letter, "/letters/1/again"),
        (Bulletin, "/bulletins/1/again"),
    ],
)
async def test_what_failed_goes_again_at_once_and_what_arrived_does_not(
    world: World, kind: type[AlarmNotice | Letter | Bulletin], path: str
) -> None:
    await told(world)
    world.now += timedelta(hours=2)

    async with street(world) as place:
        browser = await place.signed_in("Lea")
        await browser.get("/notices")
        first = await browser.post(path, {})
        twice = await browser.post(path, {})

    row = (await world.all_of(kind))[0]
    assert first.status in (200, 303)
    assert twice.status == 409
    assert (row.failed_at, row.failure, row.tries, row.next_at) == (None, None, 0, world.now)


async def test_walls_hold_here_too(world: World) -> None:
    await told(world)

    mine = await asked(world, "/notices?about=alarms", "Mia")
    digests = await asked(world, "/notices?about=digests", "Mia")
    async with street(world) as place:
        browser = await place.signed_in("Mia")
        await browser.get("/notices")
        foreign = await browser.post("/letters/1/again", {})

    assert "32 complaints" in mine.text
    assert "31 complaints" not in mine.text
    assert "Nobody was told of digests yet." in digests.text
    assert foreign.status == 404
