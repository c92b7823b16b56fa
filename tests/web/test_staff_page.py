"""People on their page: added with a link, changed, signed out, gone."""

import asyncio
import re

import pytest

from listener.desk import staffing, taking
from listener.domain.case import Status
from listener.domain.event import What
from listener.domain.login import Login
from listener.domain.record import NotAllowed
from listener.domain.staff import Role, Staff
from tests.given import complained, settled
from tests.web.visiting import Browser, Street, hired, street
from tests.world import World

GOOD = "five fish swim in a pan"


async def admin(world: World, place: Street) -> Browser:
    """Somebody who may do all of it."""
    await hired(world, "Root", Role.ADMIN)
    return await place.signed_in("Root")


async def named(world: World, name: str) -> Staff:
    """Somebody as the database knows them."""
    [found] = [one for one in await world.all_of(Staff) if one.name == name]
    assert isinstance(found, Staff)
    return found


async def test_somebody_is_added_and_their_link_is_shown_once(world: World) -> None:
    async with street(world) as place:
        browser = await admin(world, place)

        page = await browser.post("/staff", {"name": "Ana <b>", "role": "lead", "all": "yes"})

        assert page.status == 200
        assert "Give Ana &lt;b&gt; this link." in page.text
        [link] = re.findall(r"<code>http://127\.0\.0\.1:8080(/link/[\w-]{43})</code>", page.text)
        assert link not in (await browser.get("/staff")).text
        new = place.browser()
        await new.get(link)
        assert (await new.post(link, {"password": GOOD})).status == 303
        assert "You are here as lead." in (await new.get("/me")).text

        twice = await browser.post("/staff", {"name": "ana <B>", "role": "lead", "all": "yes"})
        assert twice.status == 409
        assert "works here already" in twice.text


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "role": "agent", "all": "yes"},
        {"name": "Ana", "role": "king", "all": "yes"},
        {"name": "Ana", "all": "yes"},
        {"name": "Ana", "role": "agent", "brand": "99"},
        {"name": "Ana", "role": "agent", "brand": "x"},
        {"name": "x" * 61, "role": "agent", "all": "yes"},
    ],
    ids=str,
)
async def test_a_form_that_makes_no_sense_adds_nobody(world: World, form: dict[str, str]) -> None:
    async with street(world) as place:
        browser = await admin(world, place)

        assert (await browser.post("/staff", form)).status == 409
        assert len(await world.all_of(Staff)) == 1


async def test_whose_role_or_brands_change_signs_in_again(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}]
    )
    ana = await hired(world, "Ana")
    async with street(world) as place:
        browser = await admin(world, place)
        hers = await place.signed_in("Ana")

        same = await browser.post(f"/staff/{ana.id}/change", {"role": "agent", "all": "yes"})
        assert same.status == 303
        assert (await hers.get("/me")).status == 200
        seen = await browser.post(f"/staff/{ana.id}/change", {"role": "agent", "brand": "1"})
        page = (await browser.get(seen.headers["Location"])).text
        assert "Ana has role and brands as you said." in page
        assert (await hers.get("/me")).status == 303
        assert (await named(world, "Ana")).brands == [1]

        hers = await place.signed_in("Ana")
        await browser.post(f"/staff/{ana.id}/change", {"role": "admin", "brand": "1"})
        assert (await hers.get("/me")).status == 303
        found = await named(world, "Ana")
        assert (found.role, found.brands) == (Role.ADMIN, None)


async def test_whoever_leaves_is_out_at_once_and_their_cases_are_everybodys(world: World) -> None:
    await settled(world, "Ana", "Ben")
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    ana = await named(world, "Ana")
    async with street(world) as place:
        browser = await admin(world, place)
        hers = await place.signed_in("Ana")
        unused = (await staffing.new_link(world.store, "Ana")).link

        seen = await browser.post(f"/staff/{ana.id}/leave")

        assert "Ana works here no more" in (await browser.get(seen.headers["Location"])).text
        assert (await hers.get("/me")).status == 303
        assert (await place.browser().get(f"/link/{unused}")).status == 404
        [case] = await world.cases()
        assert (case.status, case.owner_id) == (Status.OPEN, None)
        event = (await world.events())[-1]
        root = await named(world, "Root")
        assert (event.what, event.staff_id, event.details) == (
            What.RELEASED,
            root.id,
            {"from": ana.id},
        )
        await taking.take(world.store, 1, "Ben")


async def test_somebody_can_be_signed_out_everywhere(world: World) -> None:
    ana = await hired(world, "Ana")
    async with street(world) as place:
        browser = await admin(world, place)
        hers = await place.signed_in("Ana")

        await browser.post(f"/staff/{ana.id}/sign-out")

        assert (await hers.get("/me")).status == 303
        assert (await browser.get("/me")).status == 200
        assert sum(one.ended_at is None for one in await world.all_of(Login)) == 1


async def test_a_lost_password_gets_a_link_and_is_good_until_it_is_used(world: World) -> None:
    welcome = await staffing.add(world.store, "Ana", words=GOOD)
    async with street(world) as place:
        browser = await admin(world, place)

        page = await browser.post(f"/staff/{welcome.person.id}/link")

        assert "Give Ana this link." in page.text
        assert (await place.browser().sign_in("Ana", GOOD)).status == 303


async def test_the_only_admin_stays_admin_and_stays(world: World) -> None:
    async with street(world) as place:
        browser = await admin(world, place)
        for path, form in (("/staff/1/leave", {}), ("/staff/1/change", {"role": "agent"})):
            seen = await browser.post(path, form)
            assert seen.status == 409
            assert "Root is the only admin" in seen.text
        assert (await browser.get("/staff")).status == 200
        assert (await browser.post("/staff/99/leave")).status == 404


async def test_two_admins_who_dismiss_each_other_at_once_leave_one(world: World) -> None:
    await hired(world, "Ana", Role.ADMIN)
    await hired(world, "Ben", Role.ADMIN)

    done = await asyncio.gather(
        staffing.leave(world.store, "Ana", by="Ben"),
        staffing.leave(world.store, "Ben", by="Ana"),
        return_exceptions=True,
    )

    assert sum(isinstance(one, NotAllowed) for one in done) == 1
    assert sum(one.active for one in await world.all_of(Staff)) == 1


async def test_what_the_address_says_was_done_is_only_ever_one_of_our_own_sentences(
    world: World,
) -> None:
    async with street(world) as place:
        browser = await admin(world, place)

        page = await browser.get("/staff?done=Call+0900+123&to=1&said=Call+0900+123")

        assert "0900" not in page.text
