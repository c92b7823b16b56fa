"""What staff said may be learnt from, where the place allows it and the words are there."""

from collections.abc import Collection
from datetime import timedelta

import pytest

from connectors.kit import catalog
from connectors.kit.contract import Connector
from listener.desk import closing
from listener.domain.case import Outcome
from listener.domain.correction import Better, Correction
from listener.domain.mention import Mention
from listener.stages.reach import teaching as teaching_places
from listener.store import intake, teaching
from listener.store.teaching import Lesson
from tests.given import COMPLAINTS, complained, settled
from tests.world import World


async def taught(
    world: World, *, only_from: Collection[str] = ("webhook",), brand: int = 1
) -> list[Lesson]:
    async with world.store.reading() as session:
        return await teaching.lessons(session, [brand], only_from=only_from, most=100)


async def judged_by_staff(world: World) -> None:
    """Four cases: two were answered, one was not us, and of one nothing can be said."""
    await settled(world)
    await complained(world, *COMPLAINTS[:4])
    for case, outcome in enumerate(
        (
            Outcome.ANSWERED_ELSEWHERE,
            Outcome.NOT_US,
            Outcome.NO_REPLY_NEEDED,
            Outcome.ANSWERED_ELSEWHERE,
        ),
        1,
    ):
        await closing.close(world.store, case, "Ana", outcome)


async def test_what_was_answered_is_a_complaint_and_what_was_corrected_is_what_staff_said(
    world: World,
) -> None:
    await judged_by_staff(world)

    found = await taught(world)

    assert [(one.question.text, one.complaint) for one in found] == [
        (COMPLAINTS[3], True),
        (COMPLAINTS[1], False),
        (COMPLAINTS[0], True),
    ]
    assert {one.question.brand for one in found} == {"Acme"}


async def test_one_brand_is_not_taught_by_another(world: World) -> None:
    await judged_by_staff(world)

    assert await taught(world, brand=2) == []


async def test_what_a_place_forbids_to_learn_from_is_left_out(world: World) -> None:
    await judged_by_staff(world)

    assert await taught(world, only_from=["reddit"]) == []
    assert len(await taught(world, only_from=["reddit", "webhook"])) == 3


def test_reddit_forbids_it_and_the_places_that_do_not_are_learnt_from() -> None:
    forbidden = set(catalog.names()) - teaching_places()

    assert forbidden == {"reddit"}


def test_nothing_is_learnt_from_a_place_whose_connector_cannot_say_what_it_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = catalog.load

    def broken(name: str) -> type[Connector]:
        if name == "mastodon":
            raise catalog.BrokenConnector("it needs a package that is not there")
        return load(name)

    monkeypatch.setattr(catalog, "load", broken)

    assert "mastodon" not in teaching_places()
    assert "lemmy" in teaching_places()


async def test_lessons_vanish_with_the_words_that_they_were_about(world: World) -> None:
    await judged_by_staff(world)
    async with world.store.transaction() as session:
        await intake.forget(session, [2])
        mention = await session.get_one(Mention, 2)
        mention.purged_at = world.now

    assert [one.mention_id for one in await taught(world)] == [4, 1]


async def test_what_its_author_edited_since_is_not_what_staff_judged(world: World) -> None:
    await judged_by_staff(world)
    async with world.store.transaction() as session:
        mention = await session.get_one(Mention, 2)
        mention.edited_at = world.now + timedelta(minutes=1)

    assert [one.mention_id for one in await taught(world)] == [4, 1]


async def test_what_was_edited_since_it_was_answered_is_not_what_was_answered(
    world: World,
) -> None:
    await judged_by_staff(world)
    async with world.store.transaction() as session:
        mention = await session.get_one(Mention, 4)
        mention.edited_at = world.now + timedelta(minutes=1)

    assert [one.mention_id for one in await taught(world)] == [2, 1]


async def test_the_last_word_counts(world: World) -> None:
    await judged_by_staff(world)
    async with world.store.transaction() as session:
        session.add(Correction(mention_id=2, staff_id=1, better=Better.COMPLAINT, at=world.now))

    assert {one.mention_id: one.complaint for one in await taught(world)}[2]
