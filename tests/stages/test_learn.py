"""What staff correct moves the verdicts on one brand, by versions that one can go back from."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta

import pytest
from typing_extensions import override

from listener.app import Stage
from listener.app.running import open_classifier
from listener.desk import learning
from listener.domain.brand import Brand
from listener.domain.correction import Better
from listener.domain.embedding import Embedding
from listener.domain.learnt import LearningLook
from listener.domain.mention import Mention
from listener.domain.record import NotAllowed
from listener.stages.learn import BUSY, Learn, grouped
from listener.store import learnt, sweeping, teaching
from listener.store.sweeping import Keeping
from models.learning import ours
from models.verdict import Question, Verdict
from tests.given import INBOX, Cheerful, heard, judged, said, settled
from tests.taught import SIZE, Placing, corrected, learn, posted, taught, text, versions
from tests.web.visiting import hired, street
from tests.world import World


async def test_the_same_mistake_is_not_made_again_and_the_verdict_says_by_whom(
    world: World,
) -> None:
    await taught(world)
    (before,) = await posted(world, "sample", 100)

    came = await learn(world)
    (after,) = await posted(world, "sample", 101)
    (complaint,) = await posted(world, "late", 102)

    assert came.says.startswith("Learnt 1 judges from now on. Learnt from 60 lessons: of those ")
    assert "20 were right before and 60 are now." in came.says
    assert (before.flagged, before.judge) == (True, "placing 1")
    assert (after.flagged, after.judge) == (False, "placing 1, learnt 1")
    assert after.reasons == ["What staff corrected moved this from 69%."]
    assert (complaint.flagged, complaint.learnt) == (True, 1)


async def test_a_version_keeps_figures_and_references_and_nobodys_words(world: World) -> None:
    await taught(world)

    await learn(world)

    (one,) = await versions(world)
    assert (one.number, one.brand_id, one.model, one.lessons) == (1, 1, "placing 1", 60)
    assert (one.right_before, one.right_now, one.gained, one.lost) == (20, 60, 40, 0)
    assert (one.in_force_since, one.refused) == (world.now, "")
    kept = one.model_dump()
    assert "fish" not in str(kept | {"head": b""})
    assert len(one.head or b"") == (SIZE + 1) * 4


async def test_the_case_shows_by_which_version_it_was_judged(world: World) -> None:
    await taught(world)
    await hired(world, "Ada")
    await learn(world)
    (complaint,) = await posted(world, "late", 102)

    async with street(world) as place:
        page = (await (await place.signed_in("Ada")).get(f"/cases/{complaint.case_id}")).text

    assert "model placing 1, learnt 1" in page


async def test_few_lessons_teach_nothing_and_leave_nothing(world: World) -> None:
    await settled(world)
    world.classifier = Placing()
    await corrected(world, await posted(world, "sample", *range(19)), Better.NOT_NEGATIVE)

    came = await learn(world)

    assert came.says == (
        "Nothing was learnt. There are 19 lessons; 20 are needed to begin. The model judges alone."
    )
    assert (came.lessons, await versions(world)) == (19, [])


async def test_what_the_gate_stops_is_kept_with_the_reason_and_judges_nothing(
    world: World,
) -> None:
    await taught(world)
    await corrected(world, await posted(world, "late", *range(200, 240)), Better.NOT_NEGATIVE, by=2)

    came = await learn(world)

    (one,) = await versions(world)
    assert (one.head, one.in_force_since, one.doubted_id) == (None, None, 2)
    assert "What person 2 said is not believed" in one.refused
    assert came.says.startswith("The gate stopped what 100 lessons taught. What Ben said is not ")
    assert came.says.endswith("The model judges alone.")
    (late,) = await posted(world, "late", 300)
    assert (late.flagged, late.learnt) == (True, None)


async def test_one_brand_does_not_move_another_unless_they_learn_together(world: World) -> None:
    await taught(world)
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "bread"}],
        sources=[INBOX],
    )
    await learn(world)
    bread = "bread sample of a quite different kind"
    await heard(world, said(bread, published=world.now))
    await judged(world)
    alone = (await world.mentions())[-1]

    told = await learning.join(world.store, "Bolt", "Acme")
    await heard(world, said(f"{bread} again today", author="b", published=world.now))
    await judged(world)
    together = (await world.mentions())[-1]
    parted = await learning.part(world.store, "Bolt")
    await heard(world, said("bread sample once more", author="c", published=world.now))
    await judged(world)

    assert (alone.flagged, alone.learnt) == (True, None)
    assert told.startswith("Bolt learns with Acme from now on")
    assert (together.flagged, together.learnt) == (False, 1)
    assert parted.startswith("Bolt learns by itself from now on")
    assert (await world.mentions())[-1].learnt is None


async def test_brands_that_learn_together_are_taught_by_what_staff_say_of_either(
    world: World,
) -> None:
    await taught(world)
    async with world.store.transaction() as session:
        session.add(Brand(name="Bolt", query="bread", changed_at=world.now))
    await learning.join(world.store, "Acme", "Bolt")

    came = await learn(world)

    assert (came.brand, came.lessons) == ("Bolt", 60)
    assert [one.brand_id for one in await versions(world)] == [2]
    (after,) = await posted(world, "sample", 101)
    assert (after.flagged, after.learnt) == (False, 1)
    with pytest.raises(NotAllowed, match=r"^Acme learns with Bolt already\.$"):
        await learning.join(world.store, "Bolt", "Acme")


async def test_what_stands_on_another_version_of_the_model_is_not_used(world: World) -> None:
    await taught(world)
    await learn(world)

    world.classifier = Placing(version=2)
    (after,) = await posted(world, "sample", 101)
    came = await learn(world)
    (again,) = await posted(world, "sample", 102)

    assert (after.flagged, after.judge) == (True, "placing 2")
    assert came.says.startswith("Learnt 2 judges from now on.")
    assert (again.flagged, again.judge) == (False, "placing 2, learnt 2")


async def test_without_new_lessons_nothing_is_learnt_anew_and_with_some_it_is(
    world: World,
) -> None:
    await taught(world)
    await learn(world)

    same = await learn(world)
    await corrected(world, await posted(world, "late", 500), Better.COMPLAINT)
    more = await learn(world)

    assert same.says.startswith("Staff have taught nothing new since learnt 1 was made.")
    assert same.says.endswith("Learnt 1 goes on judging.")
    assert more.says.startswith("Learnt 2 judges from now on. Learnt from 61 lessons")
    assert [one.in_force_since is not None for one in await versions(world)] == [False, True]


async def test_one_goes_back_to_the_version_before_and_then_to_the_model_alone(
    world: World,
) -> None:
    await taught(world)
    await learn(world)
    await corrected(world, await posted(world, "late", 500), Better.COMPLAINT)
    await learn(world)

    first = await learning.roll_back(world.store, 1)
    (by_one,) = await posted(world, "sample", 101)
    second = await learning.roll_back(world.store, 1)
    (alone,) = await posted(world, "sample", 102)

    assert first == (
        "Acme is judged by learnt 1 again (of 02 Nov 2026), from the next post on; learnt 2 is "
        "rolled back. What has been judged stays as it is."
    )
    assert (by_one.flagged, by_one.learnt) == (False, 1)
    assert second.startswith("Acme is judged by the model alone again")
    assert (alone.flagged, alone.learnt) == (True, None)
    with pytest.raises(NotAllowed, match="there is nothing to roll back"):
        await learning.roll_back(world.store, 1)
    assert "It was rolled back." in (await learn(world)).says
    assert len(await versions(world)) == 2


async def test_one_goes_to_the_model_alone_at_once_if_one_says_so(world: World) -> None:
    await taught(world)
    await learn(world)
    await corrected(world, await posted(world, "late", 500), Better.COMPLAINT)
    await learn(world)

    told = await learning.roll_back(world.store, 1, to_none=True)

    assert told.startswith("Acme is judged by the model alone again")
    assert all(one.in_force_since is None for one in await versions(world))


async def test_of_two_processes_one_learns(world: World) -> None:
    await taught(world)

    came = await asyncio.gather(learn(world), learn(world))

    assert len(await versions(world)) == 1
    assert sorted(one.made is None for one in came) == [False, True]
    assert any("Another process is learning" in one.says for one in came)


async def test_a_process_that_dies_over_it_keeps_nobody_else_from_it_for_long(
    world: World,
) -> None:
    await taught(world)
    await Learn(world.store, Placing()).take(1)

    meanwhile = await learn(world)
    world.now += learnt.LEASE
    later = await learn(world)

    assert meanwhile.made is None
    assert later.made is not None


async def test_a_fault_lets_go_of_the_brand_at_once(world: World) -> None:
    class Broken(Placing):
        @override
        def judge(self, questions: Sequence[Question]) -> list[Verdict]:
            raise OSError(len(questions))

    await taught(world)

    with pytest.raises(OSError, match="1"):
        await Learn(world.store, Broken()).brand(1)

    assert (await learn(world)).made is not None


async def test_it_is_done_once_a_night(world: World) -> None:
    await taught(world)
    stage = Learn(world.store, world.classifier, at=time(3))
    assert await stage.step() == 1  # it was never done, so it is not put off

    await corrected(world, await posted(world, "late", 500), Better.COMPLAINT)
    world.now = world.now.replace(hour=23)
    assert await stage.step() == 0
    world.now += timedelta(hours=4)  # three at night
    assert await stage.step() == 1
    assert await stage.step() == 0

    assert [one.made_at.hour for one in await versions(world)] == [12, 3]


async def test_who_wants_no_nights_has_none(world: World) -> None:
    await taught(world)

    assert await Learn(world.store, world.classifier, at=None).step() == 0
    assert await versions(world) == []


async def test_learning_waits_while_posts_wait_for_their_verdict(world: World) -> None:
    await taught(world)
    many = [
        said(text("late", 1_000 + n), author=f"m{n}", published=world.now) for n in range(BUSY + 1)
    ]
    await heard(world, *many)
    stage = Learn(world.store, world.classifier)

    assert await stage.step() == 0
    await judged(world)
    assert await stage.step() == 1


async def test_brands_of_which_nobody_has_said_anything_are_not_looked_at(world: World) -> None:
    await settled(world)

    assert await Learn(world.store, Placing()).step() == 0
    assert await world.all_of(LearningLook) == []


async def test_what_a_place_forbids_to_learn_from_teaches_nothing(world: World) -> None:
    await taught(world)

    came = await Learn(world.store, world.classifier, allowed=lambda: {"bluesky"}).brand(1)

    assert came.says.startswith("Nothing was learnt. There are 0 lessons")


async def test_posts_of_reddit_are_left_out_of_what_is_learnt(world: World) -> None:
    await taught(world)
    async with world.store.transaction() as session:
        for number in range(1, 11):
            (await session.get_one(Mention, number)).connector = "reddit"

    await learn(world)

    (one,) = await versions(world)
    assert one.mentions == list(range(11, 61))


async def test_what_was_forgotten_is_in_no_later_fit(world: World) -> None:
    await taught(world)
    await learn(world)
    world.now += timedelta(days=31)
    await corrected(world, await posted(world, "late", *range(500, 530)), Better.COMPLAINT)
    await corrected(world, await posted(world, "sample", *range(500, 530)), Better.NOT_NEGATIVE)
    short = Keeping(without_case=timedelta(days=30), with_case=timedelta(days=30))
    async with world.store.transaction() as session:
        await sweeping.forget_words(session, short, by_connector={}, now=world.now)

    await learn(world)

    first, second = await versions(world)
    assert first.mentions == list(range(1, 61))
    assert second.mentions == list(range(61, 121))
    embedded = {one.mention_id for one in await world.all_of(Embedding)}
    assert embedded == set(range(61, 121))


async def test_a_model_that_says_nothing_of_meaning_cannot_be_taught_and_says_so(
    world: World,
) -> None:
    await taught(world)

    came = await Learn(world.store, Cheerful()).brand(1)

    assert came.says.startswith("Nothing was learnt. The model cheerful 1 does not say where ")
    assert await versions(world) == []


async def test_what_says_the_same_is_of_one_group(world: World) -> None:
    await settled(world)
    world.classifier = Placing()
    await heard(
        world,
        *(said(f"fish late {w}", author=w, published=world.now) for w in ("one", "one", "two")),
    )
    await judged(world)
    await corrected(world, await world.mentions(), Better.COMPLAINT)

    async with world.store.reading() as session:
        told = await teaching.lessons(session, [1], only_from=["webhook"], most=10)

    newest, middle, oldest = grouped(told)
    assert middle == oldest
    assert newest != oldest


async def test_our_own_posts_are_asked_about_once(world: World) -> None:
    await taught(world)
    asked = Placing()
    stage = Learn(world.store, asked)

    await stage.brand(1)
    first = asked.asked
    await corrected(world, await posted(world, "late", 500), Better.COMPLAINT)
    await stage.brand(1)

    assert first == ours.COUNT + 1 + 60
    assert asked.asked == first + 61


async def test_what_its_author_deleted_is_in_no_later_fit(world: World) -> None:
    await taught(world)
    gone = [mention.post_id for mention in (await world.mentions())[:5]]
    await heard(world, gone=gone)

    await learn(world)

    (one,) = await versions(world)
    assert one.mentions == list(range(6, 61))
    assert {each.mention_id for each in await world.all_of(Embedding)} == set(range(6, 61))


async def test_a_process_that_only_learns_has_the_model_that_judges(world: World) -> None:
    world.classifier = Placing()
    parts = (await world.service()).parts

    assert await open_classifier(parts, [Stage.LEARN]) is world.classifier
    assert (await open_classifier(parts, [Stage.POLL])).name.startswith("lexicon")


async def test_the_service_learns_from_what_the_operator_allows(world: World) -> None:
    await taught(world)
    world.settings = replace(world.settings, learn_without=frozenset({"webhook"}))

    came = await (await world.service()).learn.brand(1)

    assert came.lessons == 0


async def test_what_was_rolled_back_does_not_come_again_the_next_night(world: World) -> None:
    await taught(world)
    stage = Learn(world.store, world.classifier)
    await stage.step()
    await learning.roll_back(world.store, 1)

    await corrected(world, await posted(world, "late", *range(500, 519)), Better.COMPLAINT)
    world.now += timedelta(days=1)
    await stage.step()
    few = len(await versions(world))
    asked = await stage.brand(1)
    await learning.roll_back(world.store, 1)
    await corrected(world, await posted(world, "late", *range(600, 620)), Better.COMPLAINT)
    world.now += timedelta(days=1)
    await stage.step()

    assert few == 1
    assert asked.says.startswith("Learnt 2 judges from now on.")
    assert [one.in_force_since is not None for one in await versions(world)] == [False, False, True]
