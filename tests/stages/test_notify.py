"""Notices are told until they have arrived, under the same id, and no channel waits for another."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from connectors.kit.errors import AccessDenied
from listener.channels.contract import Channel, Telling, Undelivered
from listener.desk import closing, taking
from listener.domain.case import Outcome, Status
from listener.domain.event import What
from listener.domain.notice import News, Notice
from listener.domain.trying import TRIES
from listener.stages.notify import Notify
from listener.store.notices import Due
from tests.given import COMPLAINTS, INBOX, KEY, complained, heard, judged, said, settled
from tests.world import World

OPS = {"name": "ops", "url": "https://ops.example/hook", "secret": KEY}


@dataclass
class Ear(Channel):
    """Hears what it is told, unless it is deaf."""

    deaf: Exception | None = None
    heard: list[Telling] = field(default_factory=list)

    @override
    async def send(self, telling: Telling) -> None:
        if self.deaf is not None:
            raise self.deaf
        self.heard.append(telling)

    @property
    def ids(self) -> list[str]:
        return [telling.id for telling in self.heard]


def notify(world: World, **ears: Channel | None) -> Notify:
    """The stage, with these channels."""

    async def named(notice: Notice) -> Channel | None:
        return ears.get(notice.channel, Ear())

    return Notify(world.store, named)


async def set_up(world: World) -> None:
    """An inbox, and one channel beside the terminal."""
    await world.set_up(sources=[INBOX], channels=[OPS])
    await world.hire("Ana", "Ben")


async def test_a_case_is_told_with_all_that_staff_must_know(world: World) -> None:
    await set_up(world)
    await complained(world, COMPLAINTS[0])
    ear = Ear()

    assert await notify(world, ops=ear).step() == 2

    [telling] = ear.heard
    [case] = await world.cases()
    assert (telling.news, telling.what, telling.case_id) == (News.OPENED, What.OPENED, 1)
    assert (telling.brand, telling.connector, telling.author) == ("Acme", "webhook", "Ada")
    assert (telling.status, telling.due_at) == (Status.OPEN, case.due_at)
    assert telling.quote == COMPLAINTS[0]
    assert telling.reasons == tuple(case.reasons)
    assert all(notice.sent_at == world.now for notice in await world.notices())


async def test_what_was_told_is_not_told_again(world: World) -> None:
    await set_up(world)
    await complained(world)
    ear = Ear()
    stage = notify(world, ops=ear)

    await stage.step()
    world.now += timedelta(days=1)

    assert await stage.step() == 0
    assert len(ear.heard) == 1


async def test_a_deaf_channel_is_tried_again_ever_more_rarely_under_the_same_id(
    world: World,
) -> None:
    await set_up(world)
    await complained(world)
    ear = Ear(deaf=Undelivered("The webhook's address answered 500."))
    stage = notify(world, ops=ear)
    waits = []

    with capture_logs() as logged:
        for _ in range(TRIES - 1):
            assert await stage.step() >= 1
            [notice] = await of(world, "ops")
            waits.append((notice.next_at - world.now).total_seconds())
            assert await stage.step() == 0  # not before its time
            world.now = notice.next_at
        ear.deaf = None
        await stage.step()

    assert waits == sorted(waits)
    assert waits[:4] == [30, 90, 270, 810]
    assert waits[-1] == 6 * 3600
    [notice] = await of(world, "ops")
    assert ear.ids == [f"notice_{notice.id}"]
    assert (notice.sent_at, notice.failure) == (world.now, None)
    assert [line["event"] for line in logged] == ["notice not told"]  # once


async def test_after_twelve_tries_a_notice_is_given_up_and_that_is_said(world: World) -> None:
    await set_up(world)
    await complained(world)
    ear = Ear(deaf=Undelivered("The webhook's address answered 500."))
    stage = notify(world, ops=ear)

    with capture_logs() as logged:
        for _ in range(TRIES):
            await stage.step()
            world.now += timedelta(hours=6)
        ear.deaf = None
        assert await stage.step() == 0

    [notice] = await of(world, "ops")
    assert (notice.tries, notice.sent_at) == (TRIES, None)
    assert notice.failed_at is not None
    assert notice.failure == "The webhook's address answered 500."
    assert logged[-1]["event"] == "notice given up"
    assert (logged[-1]["channel"], logged[-1]["case"]) == ("ops", 1)


async def test_a_channel_that_fails_does_not_keep_another_waiting(world: World) -> None:
    await set_up(world)
    await complained(world, *COMPLAINTS)
    terminal = Ear()

    await notify(world, ops=Ear(deaf=ValueError("a canary")), terminal=terminal).step()

    assert [telling.case_id for telling in terminal.heard] == [1, 2, 3, 4, 5]
    [why] = {notice.failure for notice in await of(world, "ops")}
    assert re.fullmatch(r"ValueError in Ear\.send, line \d+", why or "")


async def test_a_secret_that_is_missing_is_said_in_its_own_words(world: World) -> None:
    await set_up(world)
    await complained(world)
    missing = AccessDenied("The secret `secret` is kept in the environment variable OPS.")

    await notify(world, ops=Ear(deaf=missing)).step()

    [notice] = await of(world, "ops")
    assert notice.failure == str(missing)


async def test_a_channel_that_was_taken_away_is_said_so(world: World) -> None:
    await set_up(world)
    await complained(world)

    await notify(world, ops=None).step()

    [notice] = await of(world, "ops")
    assert notice.failure == "There is no such channel any more."


async def test_a_crash_between_telling_and_writing_it_down_repeats_it_under_the_same_id(
    world: World,
) -> None:
    await set_up(world)
    await complained(world)
    ear = Ear()

    class Killed(BaseException):
        """The power went."""

    class Dying(Notify):
        @override
        async def keep(self, told: Sequence[tuple[Due, str | None]]) -> None:
            raise Killed

    with pytest.raises(Killed):
        await Dying(world.store, notify(world, ops=ear, terminal=ear).channel).step()
    before = list(ear.ids)
    assert before

    after = notify(world, ops=ear, terminal=ear)
    assert await after.step() == 0  # the dead one's lease still runs
    world.now += timedelta(seconds=61)
    assert await after.step() == 2

    assert ear.ids == [*before, "notice_1", "notice_2"]
    assert set(before) <= {"notice_1", "notice_2"}
    assert all(notice.sent_at == world.now for notice in await world.notices())


async def test_two_stages_at_once_tell_everything_once(world: World) -> None:
    await set_up(world)
    await complained(world, *COMPLAINTS)
    ear = Ear()
    stages = [notify(world, ops=ear, terminal=ear) for _ in range(4)]
    for stage in stages:
        stage.batch = 3

    async def work(stage: Notify) -> None:
        while await stage.step():
            pass

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(stage) for stage in stages))

    assert len(ear.heard) == 10
    assert len(set(ear.ids)) == 10


async def test_changes_that_wait_together_are_told_once_as_the_case_stands_now(
    world: World,
) -> None:
    await set_up(world)
    await complained(world)
    ear = Ear()
    await notify(world, ops=ear).step()

    await taking.take(world.store, 1, "Ana")
    await taking.release(world.store, 1, "Ana")
    await taking.take(world.store, 1, "Ben")
    await notify(world, ops=ear).step()

    assert len(ear.heard) == 2
    assert (ear.heard[1].news, ear.heard[1].owner) == (News.CHANGED, "Ben")
    assert all(notice.sent_at for notice in await world.notices())


async def test_an_opened_and_a_closed_case_are_told_apart(world: World) -> None:
    await set_up(world)
    await complained(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)
    ear = Ear()

    await notify(world, ops=ear).step()

    assert [telling.news for telling in ear.heard] == [News.OPENED, News.CLOSED]
    assert {telling.outcome for telling in ear.heard} == {"not us"}


async def test_a_deleted_post_is_not_quoted_to_anybody(world: World) -> None:
    await set_up(world)
    await heard(world, said("A canary and fish.", id="1", published=world.now))
    await judged(world)
    await heard(world, gone=["1"])
    ear = Ear()

    await notify(world, ops=ear).step()

    assert "canary" not in repr(ear.heard)
    assert {(telling.quote, telling.author, telling.url) for telling in ear.heard} == {("", "", "")}


async def test_of_many_like_mentions_the_first_is_quoted(world: World) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])
    await complained(world, f"RT @ada {COMPLAINTS[0]}", author="ben")
    ear = Ear()

    await notify(world, terminal=ear).step()

    assert {telling.author for telling in ear.heard} == {"Ada"}


async def of(world: World, channel: str) -> list[Notice]:
    """The notices for one channel."""
    return [notice for notice in await world.notices() if notice.channel == channel]


async def test_slow_channels_do_not_outlive_the_lease_on_what_is_told(world: World) -> None:
    await set_up(world)
    await complained(world, *COMPLAINTS[:3])
    ear = Ear()
    stage = notify(world, ops=ear)
    stage.patience = timedelta(0)  # as if each took half a lease

    await stage.step()
    left = [notice for notice in await world.notices() if notice.sent_at is None]
    while await stage.step():
        pass

    assert [notice.taken_until for notice in left] == [None] * 5  # free for any worker
    assert sorted(ear.ids) == sorted(set(ear.ids))
    assert len(ear.ids) == 3
    assert all(notice.sent_at for notice in await world.notices())
