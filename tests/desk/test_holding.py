"""All who wait in a crisis are told the same together: approved by name, each once, in their place."""

import asyncio
from datetime import timedelta

import pytest

from listener.desk import declaring, gathering, holding, replies, taking
from listener.domain.case import Status
from listener.domain.crisis import CrisisEvent, Turn
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.reply import State
from tests.desk.test_declaring import declared, members, staffed, themed
from tests.given import heard, judged, said
from tests.replying import Square, outbox, seen, sent
from tests.stages.test_theme import COUPON
from tests.world import World

SORRY = "We see it too, {author}, and tell you by noon."
ENTSCHULDIGUNG = "Wir sehen es auch, {author}, und melden uns bis Mittag."
AGAIN = "FRESH20 refused for my fish, once more and louder than before, and it was not cheap"


async def one_crisis(world: World) -> Square:
    """Three people who wait in three cases of a crisis, and an approved holding reply."""
    await themed(world)
    await declared(world, theme=1)
    await approved(world, SORRY)
    return Square()


async def approved(world: World, text: str, language: str = "") -> None:
    """Lea writes a holding reply, Mia approves it."""
    await declaring.word(world.store, 1, "Lea", text, language)
    await declaring.approve(world.store, 1, "Mia", language, text)


async def whom(world: World, square: Square, staff: str = "Ana") -> tuple[dict[int, str], str]:
    """Everybody who can be told, as somebody sees them, and the texts as they read them."""
    people, _, mark = await holding.whom(world.store, square.rule, 1, staff)
    return {one.case_id: one.seen for one in people if not one.why_not}, mark


async def test_all_who_wait_are_told_each_in_their_own_case(world: World) -> None:
    square = await one_crisis(world)
    chosen, mark = await whom(world, square)

    told = await holding.tell(world.store, square.rule, 1, "Ana", chosen, mark)

    assert [one.done for one in told] == [True] * 3
    assert square.standing == {}  # they can be taken back
    world.now += timedelta(seconds=31)
    while await outbox(world, square).step():
        pass
    assert sorted(square.standing.values()) == [
        f"We see it too, Ada{number}, and tell you by noon." for number in range(3)
    ]
    inside = await members(world)
    assert {case.status for case in await world.cases() if case.key in inside} == {Status.ANSWERED}
    [line] = [one for one in await world.all_of(CrisisEvent) if one.what is Turn.TOLD]
    assert line.words == "3"
    assert (await whom(world, square))[0] == {}  # nobody waits any more


async def test_nothing_is_sent_that_nobody_has_approved(world: World) -> None:
    await themed(world)
    await declared(world, theme=1)
    square = Square()
    await declaring.word(world.store, 1, "Lea", SORRY)

    chosen, mark = await whom(world, square)
    assert chosen == {}
    with pytest.raises(NotAllowed, match="There is no approved holding reply"):
        await holding.tell(world.store, square.rule, 1, "Ana", {1: "x"}, mark)
    await declaring.approve(world.store, 1, "Mia", "", SORRY)
    chosen, mark = await whom(world, square)
    await declaring.word(world.store, 1, "Lea", "Something else.")
    with pytest.raises(NotAllowed, match="There is no approved holding reply"):
        await holding.tell(world.store, square.rule, 1, "Ana", chosen, mark)
    await declaring.approve(world.store, 1, "Lea", "", "Something else.")
    with pytest.raises(NotAllowed, match="was changed meanwhile"):
        await holding.tell(world.store, square.rule, 1, "Ana", chosen, mark)

    assert await sent(world) == []


async def test_what_is_approved_is_what_was_read(world: World) -> None:
    await staffed(world)
    await declared(world)
    await declaring.word(world.store, 1, "Lea", SORRY)
    await declaring.word(world.store, 1, "Lea", "Something else.")

    with pytest.raises(NotAllowed, match="changed meanwhile"):
        await declaring.approve(world.store, 1, "Mia", "", SORRY)
    with pytest.raises(NotThere, match="Write it first"):
        await declaring.approve(world.store, 1, "Mia", "de", SORRY)
    with pytest.raises(NoRight):
        await declaring.approve(world.store, 1, "Ana", "", "Something else.")
    with pytest.raises(NotAllowed, match="A language is two or three letters"):
        await declaring.word(world.store, 1, "Lea", SORRY, "German")
    with pytest.raises(NotAllowed, match=r"\{who\} at character 4 is not known"):
        await declaring.word(world.store, 1, "Lea", "Hi {who}")


async def test_each_hears_it_in_their_language_or_in_the_one_for_all(world: World) -> None:
    square = await one_crisis(world)
    await approved(world, ENTSCHULDIGUNG, "de")
    german = "Der Gutschein FRESH20 tut bei meinem fish nichts, voller Preis"
    await heard(world, said(german, published=world.now, author="uwe", language="de"))
    await judged(world)
    await gathering.bring(world.store, 1, "Ana", max(case.key for case in await world.cases()))

    people, _, _ = await holding.whom(world.store, square.rule, 1, "Ana")

    texts = {one.author: one.text for one in people}
    assert texts["Uwe"] == "Wir sehen es auch, Uwe, und melden uns bis Mittag."
    assert texts["Ada0"] == "We see it too, Ada0, and tell you by noon."


async def test_who_has_no_text_in_their_language_is_left_for_a_person(world: World) -> None:
    await themed(world)
    await declared(world, theme=1)
    await approved(world, ENTSCHULDIGUNG, "de")
    square = Square()

    people, _, mark = await holding.whom(world.store, square.rule, 1, "Ana")

    assert all(one.why_not.startswith("There is no text in ") for one in people)
    told = await holding.tell(
        world.store, square.rule, 1, "Ana", {one.case_id: one.seen for one in people}, mark
    )
    assert not any(one.done for one in told)
    assert await sent(world) == []


async def test_who_was_answered_in_another_case_is_not_told_again(world: World) -> None:
    square = await one_crisis(world)
    world.now += timedelta(minutes=1)
    await heard(world, said(AGAIN, published=world.now - timedelta(minutes=1), author="ada0"))
    await judged(world)
    second = max(case.key for case in await world.cases())
    await gathering.bring(world.store, 1, "Ana", second)
    people, _, mark = await holding.whom(world.store, square.rule, 1, "Ana")
    assert len(people) == 3  # each person once
    await taking.take(world.store, second, "Ana")
    await replies.send(
        world.store, square.rule, second, "Ana", "Sorry!", await seen(world, square, second)
    )

    people, _, mark = await holding.whom(world.store, square.rule, 1, "Ana")
    [ada] = [one for one in people if one.author == "Ada0"]
    told = await holding.tell(
        world.store, square.rule, 1, "Ana", {one.case_id: one.seen for one in people}, mark
    )

    assert ada.why_not.startswith("Told already")
    assert sum(one.done for one in told) == 2
    assert len(await sent(world)) == 3


async def test_of_two_who_tell_at_once_nobody_is_told_twice(world: World) -> None:
    square = await one_crisis(world)
    chosen, mark = await whom(world, square)

    await asyncio.gather(
        *(holding.tell(world.store, square.rule, 1, who, chosen, mark) for who in ("Ana", "Ben"))
    )

    told = [reply.case_id for reply in await sent(world)]
    assert sorted(told) == sorted(set(told))
    assert len(told) == 3


async def test_a_reply_that_was_taken_back_has_told_nobody(world: World) -> None:
    square = await one_crisis(world)
    chosen, mark = await whom(world, square)
    await holding.tell(world.store, square.rule, 1, "Ana", chosen, mark)
    [reply, *_] = await sent(world)

    await replies.withdraw(world.store, reply.key, "Ana")

    assert reply.case_id in (await whom(world, square))[0]
    assert [one.state for one in await sent(world)].count(State.WITHDRAWN) == 1


async def test_when_it_is_over_nobody_is_told_any_more(world: World) -> None:
    square = await one_crisis(world)
    chosen, mark = await whom(world, square)
    await declaring.end(world.store, 1, "Lea")

    with pytest.raises(NotAllowed, match="is over since"):
        await holding.tell(world.store, square.rule, 1, "Ana", chosen, mark)
    [case, *_] = chosen
    await taking.take(world.store, case, "Ana")
    with pytest.raises(NotAllowed, match="is over since"):
        await replies.send(
            world.store, square.rule, case, "Ana", "Sorry!", chosen[case],
            cause=replies.Cause(crisis=1),
        )  # fmt: skip
    assert await sent(world) == []


async def test_managers_and_strangers_send_nothing(world: World) -> None:
    square = await one_crisis(world)
    chosen, mark = await whom(world, square)
    assert len(COUPON) == len(chosen)

    with pytest.raises(NoRight):
        await holding.tell(world.store, square.rule, 1, "Mia", chosen, mark)
    with pytest.raises(NotThere):
        await holding.tell(world.store, square.rule, 1, "Eve", chosen, mark)
    with pytest.raises(NotAllowed, match="at least one person"):
        await holding.tell(world.store, square.rule, 1, "Ana", {}, mark)
    assert await sent(world) == []
