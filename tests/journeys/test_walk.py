"""One complaint's way from its place to a closed case."""

from datetime import timedelta

import pytest

from listener.desk import closing, taking
from listener.domain.case import Outcome, Status
from listener.domain.event import What
from listener.domain.record import NotAllowed
from tests.connectors.fediverse import TOKEN, Town
from tests.world import World


async def test_a_complaint_is_read_flagged_queued_taken_and_closed(world: World) -> None:
    async with Town() as town:
        world.now = town.now
        town.insert(3)
        await world.set_up(
            sources=[
                {
                    "name": "Town",
                    "connector": "mastodon",
                    "options": {"api": town.url, "tag": "acme", "token": TOKEN},
                }
            ],
            allow=[town.host_port],
        )
        await world.hire("Ana", "Ben")

        await world.once()
        world.now += timedelta(minutes=1)
        await world.once()

        assert len(await world.mentions()) == 3
        [case, *_] = await world.cases()
        assert case.status is Status.OPEN
        assert case.due_at is not None
        assert "Case 1" in world.printed

        await taking.take(world.store, case.key, "Ana")
        with pytest.raises(NotAllowed, match="Ana holds case 1 until"):
            await taking.take(world.store, case.key, "Ben")
        await closing.close(world.store, case.key, "Ana", Outcome.NO_REPLY_NEEDED)

        [case, *_] = await world.cases()
        assert case.status is Status.CLOSED
        assert case.mentions == 3  # the same words three times are one complaint
        assert [event.what for event in await world.events()] == [
            What.OPENED,
            What.TAKEN,
            What.CLOSED,
        ]
