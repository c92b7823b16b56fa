"""What was sent stands on a page, what failed can be sent again, within the walls of who looks."""

from datetime import timedelta

from listener.domain.event import What
from listener.domain.notice import MAIL, News, Notice
from listener.domain.staff import Role
from tests.given import COMPLAINTS, INBOX, KEY, complained
from tests.web.visiting import Seen, hired, street
from tests.world import World

NUTS = "The nuts you sold me were old, and the bag was torn open at the bottom."
OPS = {"name": "ops", "url": "https://ops.example/hook", "secret": KEY}
GIVEN_UP = "The webhook's address answered <b>500</b>."


async def two_brands(world: World) -> None:
    """A case of Acme's, whose notice was given up, and one of Bolt's, whose mail waits."""
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
        channels=[OPS],
    )
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER, brands=[1])
    await complained(world, COMPLAINTS[0])
    await complained(world, NUTS, author="bob")
    async with world.store.transaction() as session:
        for notice in await world.notices():
            mine = await session.get_one(Notice, notice.key)
            mine.sent_at = world.now
            if mine.channel == "ops" and mine.case_id == 1:
                mine.sent_at, mine.failed_at, mine.failure = None, world.now, GIVEN_UP
        session.add(
            Notice(
                channel=MAIL,
                staff_id=1,
                why="You are called.",
                news=News.CHANGED,
                case_id=2,
                event_id=2,
                next_at=world.now + timedelta(hours=1),
                detour="Slack does not know the token.",
            )
        )


async def asked(world: World, path: str, name: str = "Lea") -> Seen:
    async with street(world) as place:
        return await (await place.signed_in(name)).get(path)


async def failed(world: World) -> Notice:
    """The notice that was given up."""
    [notice] = [one for one in await world.notices() if one.failed_at is not None]
    return notice


async def test_each_says_to_whom_why_and_what_became_of_it(world: World) -> None:
    await two_brands(world)

    seen = (await asked(world, "/notices")).text

    assert seen.count("<tr>") == 4
    assert "Failed" in seen
    assert "answered &lt;b&gt;500&lt;/b&gt;" in seen
    assert "You are called." in seen
    assert "By mail, because Slack did not take it: Slack does not know the token." in seen
    assert seen.count("Send again") == 1
    assert "1 notice does not arrive by ops." in seen
    assert "1 notice went by mail instead." in seen


async def test_the_list_is_narrowed_by_state_and_channel(world: World) -> None:
    await two_brands(world)

    by_state = (await asked(world, "/notices?state=failed")).text
    by_channel = (await asked(world, "/notices?channel=mail&state=waits")).text
    nothing = (await asked(world, "/notices?channel=mail&state=failed")).text

    assert by_state.count("<tr>") == 2
    assert "Failed" in by_state
    assert by_channel.count("<tr>") == 2
    assert "You are called." in by_channel
    assert "There is no such notice." in nothing


async def test_walls_hold_for_the_list_and_for_the_banner(world: World) -> None:
    await two_brands(world)

    seen = (await asked(world, "/notices", "Mia")).text
    banner = (await asked(world, "/queue", "Mia")).text

    assert "Bolt" not in seen
    assert "You are called." not in seen
    assert "went by mail" not in seen
    assert "1 notice does not arrive by ops." in banner


async def test_who_cannot_see_to_it_is_not_bothered(world: World) -> None:
    await two_brands(world)
    await hired(world, "Ana", Role.AGENT)

    assert "does not arrive" not in (await asked(world, "/queue", "Ana")).text


async def test_before_anything_was_sent_the_page_says_what_will_stand_there(world: World) -> None:
    await hired(world, "Lea", Role.LEAD)

    assert "Nothing was sent yet." in (await asked(world, "/notices")).text


async def test_what_failed_goes_again_and_the_case_says_who_asked(world: World) -> None:
    await two_brands(world)
    notice = await failed(world)
    async with street(world) as place:
        lea = await place.signed_in("Lea")
        await lea.get("/notices")
        assert (await lea.post(f"/notices/{notice.key}/again")).status == 303
        twice = await lea.post(f"/notices/{notice.key}/again")

    [same] = [one for one in await world.notices() if one.key == notice.key]
    assert (same.failed_at, same.failure, same.tries, same.next_at) == (None, None, 0, world.now)
    assert twice.status == 409
    event = (await world.events())[-1]
    assert (event.what, event.case_id, event.staff_id) == (What.RESENT, 1, 1)
    assert event.details == {"notice": notice.key, "to": "ops"}
    assert not [one for one in await world.notices() if one.event_id == event.key]
