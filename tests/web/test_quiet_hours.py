"""Quiet hours are one's own to choose, and what is urgent comes through them."""

from datetime import UTC, datetime, time

import pytest

from listener.domain.quiet import tell_at
from listener.domain.staff import Staff
from tests.web.visiting import hired, street
from tests.world import World

NIGHT = datetime(2026, 11, 2, 22, 30, tzinfo=UTC)


async def ana(world: World) -> Staff:
    """Ana, as she is kept."""
    [person] = await world.all_of(Staff)
    assert isinstance(person, Staff)
    return person


async def test_they_are_kept_and_shown_and_hold(world: World) -> None:
    await hired(world, "Ana")
    async with street(world) as place:
        browser = await place.signed_in("Ana")
        page = (await browser.get("/me")).text
        assert "every crisis, still comes through" in page
        form = {"from": "20:00", "until": "8:00", "quieter": "yes"}
        assert (await browser.post("/me/quiet", form)).status == 303
        page = (await browser.get("/me")).text

    assert 'name="from" value="20:00"' in page
    assert 'name="until" value="08:00"' in page
    assert " checked>" in page
    person = await ana(world)
    assert (person.quiet_from, person.quiet_until, person.quieter) == (time(20), time(8), True)
    assert tell_at(person, NIGHT, urgent=False) == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert tell_at(person, NIGHT, urgent=True) == NIGHT


async def test_they_are_given_up_by_leaving_them_empty(world: World) -> None:
    await hired(world, "Ana")
    async with street(world) as place:
        browser = await place.signed_in("Ana")
        await browser.get("/me")
        await browser.post("/me/quiet", {"from": "20:00", "until": "08:00", "quieter": "yes"})
        await browser.post("/me/quiet", {"from": "", "until": ""})

    person = await ana(world)
    assert (person.quiet_from, person.quiet_until, person.quieter) == (None, None, False)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("20:00", "", "from when and until when"),
        ("20:00", "20:00", "are none"),
        ("late", "08:00", "is no time of day"),
        ("25:00", "08:00", "is no time of day"),
    ],
)
async def test_what_makes_no_sense_is_said_and_changes_nothing(
    world: World, start: str, end: str, why: str
) -> None:
    await hired(world, "Ana")
    async with street(world) as place:
        browser = await place.signed_in("Ana")
        await browser.get("/me")
        seen = await browser.post("/me/quiet", {"from": start, "until": end})

    assert seen.status == 400
    assert why in seen.text
    assert (await ana(world)).quiet_from is None
