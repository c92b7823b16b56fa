"""One person is told of one event once, by the way they are reached, when they want to hear."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from listener.domain import quiet
from listener.domain.event import Event
from listener.domain.notice import MAIL, SLACK, News, Notice, Outlet
from listener.domain.staff import Role, Staff
from listener.store import history
from listener.store.session import DatabaseTrouble
from listener.store.telling import NO_WAY, tell
from tests.given import complained, settled
from tests.world import NOON, World


async def at_night(world: World, **who: Any) -> list[Notice]:
    """Ana, as she is described, is told that she has a case."""
    await settled(world, "Ana")
    await complained(world)
    return await told(world, [1], **who)


async def told(world: World, staff: list[int], *, urgent: bool = False, **who: Any) -> list[Notice]:
    """Tell people of the first event; all are as described."""
    async with world.store.transaction() as session:
        for person in await session.exec(select(Staff).where(col(Staff.id).in_(staff))):
            person.sqlmodel_update(who)
        event = (await session.exec(select(Event).order_by(col(Event.id)))).first()
        assert event is not None
        return await tell(
            session, 1, event, staff, world.now, urgent=urgent, why="It waits for you."
        )


async def test_somebody_with_a_mail_address_is_told_by_mail(world: World) -> None:
    [notice] = await at_night(world, mail="ana@example.org")

    assert (notice.channel, notice.staff_id, notice.why) == (MAIL, 1, "It waits for you.")
    assert (notice.next_at, notice.failed_at) == (NOON, None)


async def test_who_has_joined_slack_is_told_there(world: World) -> None:
    [notice] = await at_night(world, mail="ana@example.org", slack="U123")

    assert notice.channel == SLACK


async def test_who_cannot_be_reached_is_not_forgotten_in_silence(world: World) -> None:
    [notice] = await at_night(world)

    assert (notice.failed_at, notice.failure) == (NOON, NO_WAY)


async def test_of_one_event_nobody_is_told_twice(world: World) -> None:
    await at_night(world, mail="ana@example.org")

    assert await told(world, [1], slack="U123") == []
    assert len([one for one in await world.notices() if one.staff_id == 1]) == 1


async def test_the_database_itself_refuses_a_second_notice(world: World) -> None:
    [notice] = await at_night(world, mail="ana@example.org")
    for twin in (notice, (await world.notices())[0]):
        with pytest.raises((IntegrityError, DatabaseTrouble)):
            async with world.store.transaction() as session:
                session.add(Notice(**twin.model_dump(exclude={"id"})))


async def test_who_may_not_see_a_case_or_has_left_is_not_told(world: World) -> None:
    assert await at_night(world, mail="ana@example.org", brands=[99]) == []
    assert await told(world, [1], brands=None, active=False) == []


async def test_quiet_hours_hold_back_what_is_not_urgent(world: World) -> None:
    hours: dict[str, Any] = {
        "mail": "ana@example.org",
        "zone": "Europe/Berlin",
        "quiet_from": time(12),
        "quiet_until": time(14),
    }

    [notice] = await at_night(world, **hours)

    assert notice.next_at == datetime(2026, 11, 2, 13, tzinfo=UTC)


async def test_what_is_urgent_is_told_in_quiet_hours_too(world: World) -> None:
    await settled(world, "Ana")
    await complained(world)
    night: dict[str, Any] = {
        "mail": "ana@example.org",
        "quiet_from": time(0),
        "quiet_until": time(23, 59),
    }

    [notice] = await told(world, [1], urgent=True, quieter=True, **night)

    assert notice.next_at == NOON


@pytest.mark.parametrize(
    ("hour", "until"),
    [
        ((2, 21, 59), (2, 21, 59)),  # before
        ((2, 22, 0), (3, 6, 30)),  # in the evening
        ((3, 3, 0), (3, 6, 30)),  # after midnight
        ((3, 6, 30), (3, 6, 30)),  # over
    ],
)
def test_a_night_goes_over_midnight(
    hour: tuple[int, int, int], until: tuple[int, int, int]
) -> None:
    ana = Staff(name="Ana", quiet_from=time(22), quiet_until=time(6, 30))
    at, end = (datetime(2026, 11, *when, tzinfo=UTC) for when in (hour, until))

    assert quiet.tell_at(ana, at, urgent=False) == end


def test_who_wants_fewer_hears_at_the_full_hour() -> None:
    ana = Staff(name="Ana", quieter=True)

    assert quiet.tell_at(ana, NOON + timedelta(minutes=7), urgent=False) == NOON + quiet.HOUR
    assert quiet.tell_at(ana, NOON, urgent=True) == NOON


# --- channels of brands, and of urgent cases


def test_a_channel_hears_of_its_brands_only() -> None:
    assert Outlet("desk", frozenset({1})).hears(1, urgent=False)
    assert not Outlet("desk", frozenset({2})).hears(1, urgent=True)
    assert not Outlet("desk", only_urgent=True).hears(1, urgent=False)


async def test_a_channel_of_urgent_cases_hears_one_to_its_end(world: World) -> None:
    await settled(world, "Ana")
    await complained(world)
    crisis = [Outlet("crisis", only_urgent=True)]
    async with world.store.transaction() as session:
        case = (await world.cases())[0]
        assert await history.hearing(session, case, crisis) == []
        session.add(Notice(channel="crisis", news=News.OPENED, case_id=1, event_id=1, next_at=NOON))
        await session.flush()

        assert await history.hearing(session, case, crisis) == crisis


async def test_a_lead_is_told_like_anybody(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await complained(world)

    assert len(await told(world, [1, 2], mail="both@example.org", role=Role.LEAD)) == 2
