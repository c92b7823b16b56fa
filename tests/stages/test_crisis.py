"""While a crisis lasts its lead is reminded of updates, and everybody hears of it once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from listener.desk import declaring
from listener.domain.crisis import Bulletin, Crisis, CrisisEvent, Told, Turn
from listener.domain.staff import Role
from listener.stages.crisis import Crises
from listener.store import people
from tests.desk.test_declaring import declared, members, staffed, themed
from tests.given import INBOX
from tests.slack_double import Workspace
from tests.stages.test_theme import complain, look
from tests.web.visiting import hired, street
from tests.world import World


class Ear:
    """A channel that keeps what it is told, and may die before or after it has heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.deaf = False

    async def send(self, telling: object) -> str | None:
        raise NotImplementedError(telling)

    async def announce(self, announced: object) -> None:
        if self.deaf:
            raise KeyboardInterrupt
        self.heard.append((announced.told, announced.sentence))  # type: ignore[attr-defined]


def stage(world: World, ear: Ear) -> Crises:
    """The stage, as after a restart; whoever is told is told by one ear."""

    async def channel(_: Bulletin) -> Ear:
        return ear

    return Crises(world.store, channel)


async def told(world: World, *wanted: Told) -> list[Bulletin]:
    """The bulletins of these kinds."""
    return [one for one in await world.all_of(Bulletin) if one.told in wanted]


async def test_its_lead_is_reminded_once_when_an_update_is_due(world: World) -> None:
    await staffed(world)
    await declared(world, every=15, lead="Mia")
    ear = Ear()
    await stage(world, ear).step()
    ear.heard.clear()

    world.now += timedelta(minutes=14)
    await stage(world, ear).step()
    assert ear.heard == []

    world.now += timedelta(minutes=1)
    for _ in range(3):
        await stage(world, ear).step()

    [(kind, sentence)] = ear.heard
    assert kind is Told.DUE
    assert sentence.startswith("Burning chargers: an update is due now.")
    [one] = await told(world, Told.DUE)
    assert (one.whom, one.channel) == ("@4", "mail")


async def test_an_update_is_told_to_all_once_and_the_next_is_due_in_full_time(
    world: World,
) -> None:
    await staffed(world)
    await declared(world, every=30)
    ear = Ear()
    await stage(world, ear).step()
    ear.heard.clear()
    world.now += timedelta(minutes=31)

    said = await declaring.update(world.store, 1, "Lea", "The till is off.")
    for _ in range(3):
        await stage(world, ear).step()

    assert "The next is due 13:01 UTC." in said
    # The terminal and Mia: Ana and Ben have no way, Eve no such brand, and Lea wrote it.
    assert sorted(one.whom for one in await told(world, Told.UPDATE)) == ["@4", "terminal"]
    assert [kind for kind, _ in ear.heard] == [Told.UPDATE] * 2
    assert await told(world, Told.DUE) == []


async def test_an_update_that_nobody_writes_is_missed_by_name_and_said_to_its_lead(
    world: World,
) -> None:
    await staffed(world)
    await declared(world, every=15)
    ear = Ear()
    await stage(world, ear).step()
    ear.heard.clear()

    world.now += timedelta(minutes=16)
    await stage(world, ear).step()
    world.now += timedelta(minutes=4)
    await stage(world, ear).step()

    assert [kind for kind, _ in ear.heard] == [Told.DUE, Told.MISSED]
    assert "due 02 Nov 12:15 UTC was not written. The next is due 02 Nov 12:30" in ear.heard[1][1]
    [line] = [one for one in await world.all_of(CrisisEvent) if one.what is Turn.MISSED]
    assert line.words is not None
    assert line.words.startswith("2026-11-02T12:15")


async def test_after_a_long_stop_every_missed_one_is_written_down_and_the_lead_told_once(
    world: World,
) -> None:
    await staffed(world)
    await declared(world, every=15)
    ear = Ear()
    await stage(world, ear).step()
    ear.heard.clear()

    world.now += timedelta(hours=1, minutes=1)
    await stage(world, ear).step()

    missed = [one.words for one in await world.all_of(CrisisEvent) if one.what is Turn.MISSED]
    assert len(missed) == 3
    assert [kind for kind, _ in ear.heard] == [Told.MISSED, Told.DUE]
    [crisis] = await world.all_of(Crisis)
    assert f"{crisis.update_due_at:%H:%M}" == "13:00"


async def test_what_is_over_reminds_nobody(world: World) -> None:
    await staffed(world)
    await declared(world, every=15)
    world.now += timedelta(minutes=16)
    ear = Ear()
    ear.deaf = True
    with pytest.raises(KeyboardInterrupt):
        await stage(world, ear).step()
    ear.deaf = False
    await declaring.end(world.store, 1, "Mia")

    world.now += timedelta(hours=2)
    await stage(world, ear).step()

    assert Told.DUE not in {kind for kind, _ in ear.heard}
    assert Told.ENDED in {kind for kind, _ in ear.heard}
    assert not [one for one in await world.all_of(CrisisEvent) if one.what is Turn.MISSED]


async def test_the_cases_of_its_theme_join_while_it_lasts(world: World) -> None:
    await themed(world)
    await declared(world, theme=1)
    await complain(world, "FRESH20 refused for my fish at noon", by="zoe")
    await look(world)

    await stage(world, Ear()).step()
    await stage(world, Ear()).step()

    assert len(await members(world)) == 4
    grown = [one.words for one in await world.all_of(CrisisEvent) if one.what is Turn.GREW]
    assert grown == ["3", "1"]


async def test_two_workers_bring_in_remind_and_tell_once(world: World) -> None:
    await themed(world)
    await declared(world, theme=1, every=15, lead="Mia")
    await complain(world, "FRESH20 refused for my fish at noon", by="zoe")
    await look(world)
    world.now += timedelta(minutes=10)
    ear = Ear()

    await asyncio.gather(*(stage(world, ear).step() for _ in range(3)))
    await stage(world, ear).step()

    assert len(await members(world)) == 4
    grown = [one.words for one in await world.all_of(CrisisEvent) if one.what is Turn.GREW]
    assert sorted(grown) == ["1", "3"]
    assert sorted(kind for kind, _ in ear.heard) == ["declared", "declared", "due"]
    assert len(await world.all_of(Bulletin)) == 3


async def test_when_its_lead_has_left_all_who_could_lead_it_are_reminded(world: World) -> None:
    await staffed(world)
    await declared(world, every=15, lead="Mia")
    async with world.store.transaction() as session:
        mia = await people.named(session, "Mia")
        assert mia is not None
        mia.active = False
    world.now += timedelta(minutes=15)

    await stage(world, Ear()).step()

    assert [one.whom for one in await told(world, Told.DUE)] == ["@3"]  # Lea


async def test_whom_it_does_not_reach_is_said_on_its_page(world: World) -> None:
    await staffed(world)
    await declared(world)  # mail to Mia, and no mail leaves this house
    async with street(world) as place:
        await place.service.crisis.step()
        page = (await (await place.signed_in("Lea")).get("/crises/1")).text

    assert "Not everybody was reached (1)" in page
    assert "Declared, Mia by mail: No mail leaves this house yet." in page


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace with a channel of the brand, and Lea who has joined."""
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        await hired(world, "Lea", Role.LEAD)
        async with world.store.transaction() as session:
            lea = await people.named(session, "Lea")
            assert lea is not None
            lea.slack = "ULEA"
        yield workspace


async def told_in_slack(world: World, minutes: int = 4) -> None:
    """The stage of a service that was just started, for some minutes."""
    service = await world.service()
    for _ in range(minutes):
        await service.crisis.step()
        world.now += timedelta(minutes=1)


async def test_in_slack_each_thing_is_one_message_also_after_a_cut(
    world: World, slack: Workspace
) -> None:
    slack.trap("chat.postMessage", "cut after")
    await declared(world, every=60)

    await told_in_slack(world)
    await told_in_slack(world)

    [card] = slack.cards
    assert "Lea declared a crisis: Burning chargers." in card.shown


async def test_an_updates_words_ping_nobody_in_slack(world: World, slack: Workspace) -> None:
    await declared(world, every=60)
    await told_in_slack(world)

    await declaring.update(world.store, 1, "Lea", "<!channel> <@UANA> the till is *off*")
    await told_in_slack(world)

    card = slack.cards[-1]
    assert "<!channel>" not in card.text
    assert "the till is *off*" in card.shown
