"""A crisis is declared by people, leads its cases to the front, and ends; nothing does so by itself."""

from datetime import timedelta

import pytest

from listener.desk import declaring, gathering, tagging, taking
from listener.desk.closing import close
from listener.desk.declaring import Wish
from listener.domain.alarm import RISE, Alarm, Sort, about_theme
from listener.domain.case import Outcome
from listener.domain.crisis import Crisis, CrisisCase, CrisisEvent, How, Turn
from listener.domain.event import What
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.staff import Role
from listener.stages.call import climb
from listener.store import crises, tags
from tests.given import COMPLAINTS, INBOX, complained, settled
from tests.stages.test_theme import COLD, COUPON, complain, look
from tests.web.visiting import hired
from tests.world import World


async def staffed(world: World) -> None:
    """A brand, and people of every kind."""
    await settled(world)
    await hired(world, "Lea", Role.LEAD, brands=[1], mail="lea@shop.example")
    await hired(world, "Mia", Role.MANAGER, brands=[1], mail="mia@shop.example")
    await hired(world, "Eve", Role.LEAD, brands=[99])


async def themed(world: World) -> None:
    """A theme of three people in three cases, and a case beside it."""
    await staffed(world)
    await complain(world, *COUPON, COLD, by="ada")
    await look(world)


async def members(world: World, number: int = 1) -> dict[int, How]:
    """The cases of a crisis, with how each came to it."""
    return {
        one.case_id: one.how
        for one in await world.all_of(CrisisCase)
        if one.crisis_id == number and one.left_at is None
    }


async def marks(world: World, case: int) -> list[str]:
    async with world.store.reading() as session:
        return await tags.of_case(session, case)


async def declared(world: World, **more: object) -> int:
    """A crisis called Burning chargers, declared by Lea."""
    wish = Wish(name="Burning chargers", **{"brand": "Acme", **more})  # type: ignore[arg-type]
    return (await declaring.declare(world.store, wish, "Lea")).number


async def test_a_themes_cases_belong_to_it_and_new_ones_as_they_come(world: World) -> None:
    await themed(world)

    made = await declaring.declare(
        world.store, Wish(name="  Coupon \n fire ", theme=1, every=15), "Lea"
    )

    assert made.said.startswith("Crisis 1 is declared: Coupon fire. 3 cases belong to it; Lea")
    [crisis] = await world.all_of(Crisis)
    assert (crisis.declared_by, crisis.lead_id, crisis.every) == (3, 3, 15)
    assert set((await members(world)).values()) == {How.THEME}
    first = await world.cases()
    inside = [case for case in first if case.key in await members(world)]
    assert all(case.crisis for case in inside)
    assert [await marks(world, case.key) for case in inside] == [["crisis"]] * 3
    # Fifteen minutes, round the clock, from when it was declared.
    assert {case.due_at for case in inside} == {world.now + timedelta(minutes=15)}
    told = [one for one in await world.events() if one.what is What.TAGGED]
    assert {one.details["crisis"] for one in told} == {1}

    await complain(world, "FRESH20 refused for my fish at noon", by="zoe")
    await look(world)
    assert await gathering.look(world.store, 1) == 1
    assert len(await members(world)) == 4
    assert await gathering.look(world.store, 1) == 0


async def test_an_alarms_cases_belong_to_it_until_it_is_over(world: World) -> None:
    await staffed(world)
    await complained(world, COMPLAINTS[0], author="before")
    world.now += timedelta(hours=1)
    async with world.store.transaction() as session:
        session.add(
            Alarm(
                brand_id=1,
                about=RISE,
                sort=Sort.COMPLAINTS,
                since=world.now,
                raised_at=world.now,
                over_at=world.now + timedelta(minutes=30),
            )
        )
    await complained(world, COMPLAINTS[1], author="ben")

    number = await declared(world, alarm=1)
    assert await members(world, number) == {2: How.ALARM}

    world.now += timedelta(minutes=20)
    await complained(world, COMPLAINTS[2], author="cem")
    await gathering.look(world.store, number)
    world.now += timedelta(minutes=20)
    await complained(world, COMPLAINTS[3], author="dan")
    await gathering.look(world.store, number)

    assert set(await members(world, number)) == {2, 3}


async def test_an_alarm_of_a_theme_brings_that_themes_cases(world: World) -> None:
    await themed(world)
    async with world.store.transaction() as session:
        session.add(
            Alarm(
                brand_id=1,
                about=about_theme(1),
                theme_id=1,
                sort=Sort.COMPLAINTS,
                since=world.now - timedelta(hours=1),
                raised_at=world.now,
                over_at=world.now,
            )
        )

    await declared(world, alarm=1)

    assert len(await members(world)) == 3
    assert [one.theme_id for one in await world.all_of(Crisis)] == [1]


async def test_who_declares_does_not_wait_for_many_cases(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await themed(world)
    monkeypatch.setattr(declaring, "AT_FIRST", 2)

    made = await declaring.declare(world.store, Wish(name="Fire", theme=1), "Lea")

    assert "2 cases and more belong to it" in made.said
    assert len(await members(world)) == 2
    assert await gathering.look(world.store, 1) == 1


async def test_whoever_leads_a_crisis_sees_to_its_alarm_and_nobody_else_is_called(
    world: World,
) -> None:
    await staffed(world)
    async with world.store.transaction() as session:
        session.add(
            Alarm(
                brand_id=1,
                about=RISE,
                sort=Sort.COMPLAINTS,
                since=world.now,
                raised_at=world.now,
            )
        )

    await declared(world, alarm=1)

    [alarm] = await world.all_of(Alarm)
    [crisis] = await world.all_of(Crisis)
    assert alarm.acknowledged_by == crisis.lead_id
    world.now += timedelta(hours=2)
    assert await climb(world.store) == 0


async def test_words_given_at_declaring_bring_cases_in(world: World) -> None:
    await staffed(world)
    await complained(world, *COMPLAINTS[:2])
    await (await world.service()).index.step()

    number = await declared(world, words="fifty counter")

    assert await members(world, number) == {2: How.WORDS}


async def test_by_hand_a_case_comes_in_and_goes_out_and_stays_out(world: World) -> None:
    await themed(world)
    number = await declared(world, theme=1)
    before = {case.key: case.due_at for case in await world.cases()}
    [outside] = set(before) - set(await members(world))

    assert "belongs to the crisis" in await gathering.bring(world.store, number, "Ana", outside)
    assert "already" in await gathering.bring(world.store, number, "Ana", outside)
    await gathering.leave(world.store, number, "Ana", outside)
    inside = min(await members(world))
    await gathering.leave(world.store, number, "Ana", inside)
    await gathering.look(world.store, number)

    assert inside not in await members(world)
    assert await marks(world, outside) == await marks(world, inside) == []
    assert {case.key: case.due_at for case in await world.cases()}[outside] == before[outside]
    with pytest.raises(NotAllowed, match="does not belong to the crisis"):
        await gathering.leave(world.store, number, "Ana", inside)
    assert "belongs" in await gathering.bring(world.store, number, "Ana", inside)


async def test_a_tag_that_a_person_put_stays_when_a_case_leaves(world: World) -> None:
    await staffed(world)
    await complained(world)
    await tagging.tag(world.store, 1, "Ana", "crisis")
    number = await declared(world)
    await gathering.bring(world.store, number, "Ana", 1)

    await gathering.leave(world.store, number, "Ana", 1)

    assert await marks(world, 1) == ["crisis"]


async def test_one_of_a_name_is_open_for_a_brand(world: World) -> None:
    await staffed(world)
    number = await declared(world)

    with pytest.raises(NotAllowed, match="A crisis called Burning chargers is open for Acme"):
        await declaring.declare(world.store, Wish(name="burning CHARGERS", brand="Acme"), "Mia")
    await declaring.end(world.store, number, "Mia")

    assert await declared(world) == 2


async def test_only_who_may_declares_leads_and_ends(world: World) -> None:
    await staffed(world)
    with pytest.raises(NoRight, match="declare a crisis"):
        await declaring.declare(world.store, Wish(name="Fire", brand="Acme"), "Ana")
    with pytest.raises(NotThere, match="There is no brand called 'Acme'"):
        await declaring.declare(world.store, Wish(name="Fire", brand="Acme"), "Eve")
    with pytest.raises(NotAllowed, match="Ana cannot lead it"):
        await declared(world, lead="Ana")
    assert await world.all_of(Crisis) == []

    number = await declared(world, lead="Mia")
    with pytest.raises(NoRight):
        await declaring.end(world.store, number, "Ana")
    with pytest.raises(NotThere, match=f"There is no crisis {number}"):
        await declaring.update(world.store, number, "Eve", "All is well.")
    assert await declaring.lead(world.store, number, "Mia", "Lea") == "Lea leads crisis 1 now."


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"name": " "}, "A crisis needs a name"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"every": 7}, "every 15, 30 or 60 minutes"),
        ({"words": "x" * 201}, "at most 200 characters"),
        ({"brand": ""}, "Name the brand"),
        ({"brand": "Bolt"}, "There is no brand called 'Bolt'"),
        ({"alarm": 7}, "There is no alarm 7"),
        ({"theme": 7}, "There is no theme 7"),
        ({"lead": "Nobody"}, "Nobody here is called 'Nobody'"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(
    world: World, wish: dict[str, object], why: str
) -> None:
    await staffed(world)

    asked = Wish(**{"name": "Fire", "brand": "Acme", **wish})  # type: ignore[arg-type]

    with pytest.raises(NotAllowed, match=why):
        await declaring.declare(world.store, asked, "Lea")

    assert await world.all_of(Crisis) == []


async def test_what_is_over_takes_nothing_in_and_says_when_it_ended(world: World) -> None:
    await themed(world)
    number = await declared(world)
    await declaring.end(world.store, number, "Lea")

    assert await gathering.look(world.store, number) == 0
    with pytest.raises(NotAllowed, match="is over since 02 Nov 12:06 UTC"):
        await gathering.bring(world.store, number, "Ana", 1)
    for act in (
        declaring.end(world.store, number, "Lea"),
        declaring.update(world.store, number, "Lea", "More."),
        declaring.lead(world.store, number, "Lea", "Mia"),
        declaring.word(world.store, number, "Lea", "Sorry."),
    ):
        with pytest.raises(NotAllowed, match="declare it again"):
            await act


async def test_closed_cases_and_other_brands_cases_stay_out(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await hired(world, "Lea", Role.LEAD)
    await complained(world, COMPLAINTS[0], "Your nuts were stale and bitter, all of them.")
    await taking.take(world.store, 1, "Lea")
    await close(world.store, 1, "Lea", Outcome.NO_REPLY_NEEDED)
    number = await declared(world)

    with pytest.raises(NotAllowed, match="Case 1 is closed"):
        await gathering.bring(world.store, number, "Lea", 1)
    with pytest.raises(NotAllowed, match="Case 2 is of another brand"):
        await gathering.bring(world.store, number, "Lea", 2)


async def test_everything_that_happens_is_written_down(world: World) -> None:
    await themed(world)
    number = await declared(world, theme=1, lead="Mia")
    await gathering.leave(world.store, number, "Ana", min(await members(world)))
    await declaring.word(world.store, number, "Lea", "Sorry, {author}.", "de")
    await declaring.approve(world.store, number, "Mia", "de", "Sorry, {author}.")
    await declaring.update(world.store, number, "Mia", "The till is off.")
    await declaring.end(world.store, number, "Mia")

    async with world.store.reading() as session:
        lines = [one.says for one in await crises.story(session, number)]

    assert lines == [
        "Lea declared it",
        "Lea asked Mia to lead it",
        "3 cases joined it",
        f"Ana took case {min(one.other for one in await world.all_of(CrisisEvent) if one.what is Turn.LEFT)} out",
        "Lea wrote the holding reply for de",
        "Mia approved the holding reply for de",
        "Mia wrote an update",
        "Mia ended it",
    ]
