"""A theme's people are told together: each looked at, each once, each as any other reply."""

import asyncio
from datetime import timedelta

import pytest

from connectors.webhook import Webhook
from listener.desk import announcing, replies, taking, theming
from listener.domain.case import Status
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.reply import State
from listener.domain.staff import Role
from listener.domain.theme import Theme
from tests.given import settled
from tests.replying import Answering, Square, outbox, seen, sent
from tests.stages.test_theme import COUPON, complain, look
from tests.web.visiting import hired, street
from tests.world import World

FIXED = "The code works again, {author}. We are sorry."
ASKED = "FRESH20 refused for my fish, once more and louder than before, and it was not cheap"


async def one_theme(world: World) -> Square:
    """Three people in three cases, and a place that takes replies."""
    await settled(world)
    await complain(world, *COUPON, by="ada")
    await look(world)
    return Square()


async def chosen(world: World, square: Square, staff: str = "Ana") -> dict[int, str]:
    """Everybody who can be told, as somebody sees them."""
    people, _ = await announcing.whom(world.store, square.rule, 1, staff, FIXED)
    return {one.case_id: one.seen for one in people if not one.why_not}


async def test_everybody_gets_their_own_reply_in_their_own_case(world: World) -> None:
    square = await one_theme(world)

    people, left = await announcing.whom(world.store, square.rule, 1, "Ana", FIXED)
    told = await announcing.tell(
        world.store, square.rule, 1, "Ana", FIXED, {one.case_id: one.seen for one in people}
    )

    assert ([one.author for one in people], left) == (["Ada0", "Ada1", "Ada2"], 0)
    assert {one.limit for one in people} == {500}
    assert all(one.done for one in told)
    assert square.standing == {}  # they can be taken back
    world.now += timedelta(seconds=31)
    while await outbox(world, square).step():
        pass
    assert sorted(square.standing.values()) == [
        f"The code works again, Ada{number}. We are sorry." for number in range(3)
    ]
    assert {case.status for case in await world.cases()} == {Status.ANSWERED}


async def test_nobody_is_told_twice_until_they_say_it_again(world: World) -> None:
    square = await one_theme(world)
    looked = await chosen(world, square)
    await announcing.tell(world.store, square.rule, 1, "Ana", FIXED, looked)

    again = await announcing.tell(world.store, square.rule, 1, "Ana", "Really!", looked)
    world.now += timedelta(minutes=1)
    while await outbox(world, square).step():
        pass
    people, _ = await announcing.whom(world.store, square.rule, 1, "Ana", FIXED)

    assert [(one.done, one.said[:12]) for one in again] == [(False, "Told already")] * 3
    assert len(square.standing) == 3
    assert {one.why_not[:12] for one in people} == {"Told already"}

    world.now += timedelta(hours=1)
    await complain(world, ASKED, by="ada")  # the first of them, in a case of its own
    await look(world)
    people, _ = await announcing.whom(world.store, square.rule, 1, "Ana", FIXED)
    assert len(people) == 3  # each once, by the case that is due first


async def test_one_person_with_two_cases_is_told_in_one(world: World) -> None:
    square = await one_theme(world)
    await complain(world, ASKED, by="ada")
    await look(world)
    assert len(await world.cases()) == 4

    people, _ = await announcing.whom(world.store, square.rule, 1, "Ana", FIXED)
    [first] = [one for one in people if one.author == "Ada0"]
    other = next(
        case.key for case in await world.cases() if case.key not in {one.case_id for one in people}
    )
    await announcing.tell(world.store, square.rule, 1, "Ana", FIXED, {first.case_id: first.seen})

    # Not even by who looked at the other case before.
    await taking.take(world.store, other, "Ana")
    with pytest.raises(replies.Changed, match="They have been told of this already"):
        await replies.send(
            world.store, square.rule, other, "Ana", "Fixed!", await seen(world, square, other),
            cause=replies.Cause(theme=1),
        )  # fmt: skip
    assert len(await sent(world)) == 1


async def test_a_reply_that_was_taken_back_has_told_nobody(world: World) -> None:
    square = await one_theme(world)
    await announcing.tell(world.store, square.rule, 1, "Ana", FIXED, await chosen(world, square))
    [reply, *_] = await sent(world)

    await replies.withdraw(world.store, reply.key, "Ana")

    assert list(await chosen(world, square)) == [reply.case_id]


async def test_what_stands_in_the_way_of_one_does_not_keep_the_others_waiting(
    world: World,
) -> None:
    square = await one_theme(world)
    looked = await chosen(world, square)
    await taking.take(world.store, 1, "Ben")

    told = await announcing.tell(world.store, square.rule, 1, "Ana", FIXED, looked)

    assert [(one.case_id, one.done) for one in told] == [(1, False), (2, True), (3, True)]
    assert told[0].said == "Ben is working on it."
    assert [reply.state for reply in await sent(world)] == [State.WAITING] * 2


async def test_each_length_is_checked_as_its_place_counts(world: World) -> None:
    square = await one_theme(world)
    await announcing.whom(world.store, square.rule, 1, "Ana", "")  # before anything is written

    long, _ = await announcing.whom(world.store, square.rule, 1, "Ana", "x" * 501)
    told = await announcing.tell(
        world.store, square.rule, 1, "Ana", "x" * 501, {one.case_id: one.seen for one in long}
    )

    assert {one.why_not for one in long} == {"Too long: 501 of 500 characters."}
    assert not any(one.done for one in told)
    assert [case.owner_id for case in await world.cases()] == [None] * 3  # nor taken


async def test_nothing_nobody_and_unknown_places_are_refused(world: World) -> None:
    square = await one_theme(world)
    await hired(world, "Eve", Role.AGENT, brands=[99])
    await hired(world, "Mia", Role.MANAGER)

    with pytest.raises(NotAllowed, match="write a text first"):
        await announcing.tell(world.store, square.rule, 1, "Ana", " ", {1: "x"})
    with pytest.raises(NotAllowed, match="at least one person"):
        await announcing.tell(world.store, square.rule, 1, "Ana", FIXED, {})
    with pytest.raises(NotAllowed, match=r"\{who\} at character 4 is not known"):
        await announcing.whom(world.store, square.rule, 1, "Ana", "Hi {who}")
    with pytest.raises(NotThere):
        await announcing.whom(world.store, square.rule, 1, "Eve", FIXED)
    with pytest.raises(NoRight):
        await announcing.tell(world.store, square.rule, 1, "Mia", FIXED, {1: "x"})
    assert await sent(world) == []


async def test_on_the_page_each_is_approved_by_a_tick_without_scripts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_theme(world)
    await hired(world, "Ada", Role.AGENT, brands=[1])
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        by_hand = (await browser.get("/themes/1/tell")).text
        assert by_hand.count("Only by hand: ") == 3
        assert 'name="case"' not in by_hand

        for act in ("can_reply", "reply", "find_reply"):
            monkeypatch.setattr(Webhook, act, getattr(Answering, act), raising=False)
        looked = (await browser.post("/themes/1/tell", {"text": FIXED, "act": "look"})).text
        assert looked.count('name="case"') == 3
        assert "checked" not in looked
        assert "The code works again, Ada1. We are sorry." in looked
        assert "<b>Your" not in looked
        token = looked.split('name="seen-2" value="')[1].split('"')[0]

        done = await browser.post(
            "/themes/1/tell", {"text": FIXED, "act": "send", "case": "2", "seen-2": token}
        )

        assert "1 person will be told in 30 s." in done.text
        [reply] = await sent(world)
        assert (reply.case_id, reply.text) == (2, "The code works again, Ada1. We are sorry.")
        nobody = await browser.post("/themes/1/tell", {"text": FIXED, "act": "send"})
        assert nobody.status == 409
        assert "Choose at least one person to tell." in nobody.text


async def test_where_no_case_is_open_there_is_nobody_to_tell(world: World) -> None:
    await settled(world)
    async with world.store.transaction() as session:
        session.add(Theme(brand_id=1, name="Old", began_at=world.now, last_at=world.now))
    async with street(world) as place:
        page = (await (await place.signed_in("Ana")).get("/themes/1/tell")).text
        assert "No case of it is open, so there is nobody to tell." in page
    assert await theming.rename(world.store, 1, "Ana", "Older") == "Theme 1 is called Older now."


async def test_of_two_who_tell_the_same_person_at_once_one_comes_second(world: World) -> None:
    square = await one_theme(world)
    await complain(world, ASKED, by="ada")
    await look(world)
    [mine] = [
        one
        for one in (await announcing.whom(world.store, square.rule, 1, "Ana", FIXED))[0]
        if one.author == "Ada0"
    ]
    other = max(case.key for case in await world.cases())
    await taking.take(world.store, mine.case_id, "Ana")
    await taking.take(world.store, other, "Ben")
    looked = {
        mine.case_id: ("Ana", await seen(world, square, mine.case_id)),
        other: ("Ben", await seen(world, square, other, "Ben")),
    }

    done = await asyncio.gather(
        *(
            replies.send(
                world.store, square.rule, case, who, "Fixed!", token, cause=replies.Cause(theme=1)
            )
            for case, (who, token) in looked.items()
        ),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in done) == ["Changed", "Written"]
    assert len(await sent(world)) == 1
