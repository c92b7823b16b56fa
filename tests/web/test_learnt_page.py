"""What was learnt stands on the page of flags, for whom it concerns, and an admin rolls it back."""

from datetime import timedelta

from listener.domain.learnt import Learnt
from listener.domain.staff import Role, Staff
from listener.store import flags
from listener.web.flags import FlagsPage
from tests.given import Cheerful, heard, judged, said, settled
from tests.web.visiting import hired, street
from tests.world import Gloomy, World

DOUBT = "What person 1 said is not believed: 9 of 30 contradict verdicts that are seldom wrong."


def version(world: World, number: int, *, head: bool = True, **more: object) -> Learnt:
    figures = {
        "right_before": 70, "right_now": 81, "gained": 13, "lost": 2, "against": 1, "sure": 60,
    }  # fmt: skip
    return Learnt.model_validate(
        {
            "brand_id": 1,
            "number": number,
            "model": "pair 2",
            "mentions": list(range(90)),
            "told": str(number),
            "worse": {},
            "head": b"\0" * 8 if head else None,
            "made_at": world.now,
        }
        | figures
        | more
    )


async def learnt(world: World) -> None:
    """Two versions that the gate let through, and one that it stopped."""
    await settled(world)
    async with world.store.transaction() as session:
        session.add(version(world, 1))
        session.add(version(world, 2, in_force_since=world.now))
        session.add(version(world, 3, head=False, refused=DOUBT, doubted_id=1))
    await hired(world, "Root", Role.ADMIN)
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Ada", Role.AGENT, brands=[1])
    await hired(world, "Eve", Role.AGENT, brands=[99])


async def test_a_page_without_any_says_so(world: World) -> None:
    await settled(world)
    await hired(world, "Ada")
    async with street(world) as place:
        page = await (await place.signed_in("Ada")).get("/flags")

    assert "Nothing has been learnt yet." in page.text


async def test_it_says_what_judges_since_when_and_what_the_gate_said(world: World) -> None:
    await learnt(world)
    async with street(world) as place:
        page = (await (await place.signed_in("Lea")).get("/flags")).text

    assert "<strong>Learnt 2</strong> judges since" in page
    assert "70 were right before and 81 are now." in page
    assert "What Ana said is not believed" in page
    assert "Roll back" not in page


async def test_whom_the_gate_does_not_believe_is_not_for_colleagues_to_read(world: World) -> None:
    await learnt(world)
    async with street(world) as place:
        page = (await (await place.signed_in("Ada")).get("/flags")).text
        foreign = (await (await place.signed_in("Eve")).get("/flags")).text

    assert "What one person said is not believed" in page
    assert "Ana" not in page
    assert "Learnt" not in foreign


async def test_an_admin_rolls_back_what_they_have_seen_and_not_what_came_since(
    world: World,
) -> None:
    await learnt(world)
    async with street(world) as place:
        admin = await place.signed_in("Root")
        assert "Roll back learnt 2" in (await admin.get("/flags")).text

        done = await admin.post("/brands/1/roll-back", {"seen": "2"})
        page = (await admin.get("/flags")).text
        twice = await admin.post("/brands/1/roll-back", {"seen": "2"})

        assert done.status == 303
        assert "<strong>Learnt 1</strong> judges since" in page
        assert twice.status == 409
        assert "is judged by learnt 1 by now" in twice.text
        await admin.post("/brands/1/roll-back", {"seen": "1"})
        page = (await admin.get("/flags")).text
        assert "The model judges alone." in page
        assert "Roll back learnt" not in page


async def test_whether_the_model_drifts_is_found_anew_after_some_minutes(world: World) -> None:
    await settled(world)
    page, few, many = FlagsPage(world.store), "too few verdicts", "lie elsewhere than before"

    async def said_of_drift() -> str:
        async with world.store.reading() as session:
            found = await flags.goodness(session, now=world.now)
            return await page.drift(session, found, Staff(name="Root", role=Role.ADMIN), world.now)

    assert few in await said_of_drift()
    for ago, classifier in ((10, Cheerful()), (2, Gloomy())):
        published = world.now - timedelta(days=ago)
        posts = [said(f"fish {ago} {n}", author=f"a{n}", published=published) for n in range(250)]
        await heard(world, *posts)
        await judged(world, classifier)

    assert few in await said_of_drift()
    world.now += timedelta(minutes=11)
    assert many in await said_of_drift()
