"""How good the flags are is said with counts, by place and week, and honestly when few."""

from datetime import date, timedelta

import pytest

from listener.desk import closing
from listener.domain.case import Outcome
from listener.domain.correction import Better, Correction
from listener.domain.precision import Flags
from listener.store import flags
from listener.store.flags import Goodness
from models.evaluation.intervals import wilson
from tests.given import COMPLAINTS, Cheerful, Doubting, complained, heard, judged, said, settled
from tests.world import Gloomy, World


async def good(world: World, **more: list[int] | None) -> Goodness:
    async with world.store.reading() as session:
        return await flags.goodness(session, now=world.now, brands=more.get("brands"))


async def missed(world: World, mention_id: int) -> None:
    async with world.store.transaction() as session:
        session.add(
            Correction(mention_id=mention_id, staff_id=1, better=Better.COMPLAINT, at=world.now)
        )


async def test_flags_are_counted_by_what_people_said_of_them(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS)
    for case, outcome in enumerate(
        (Outcome.NOT_US, Outcome.NOT_NEGATIVE, Outcome.SPAM, Outcome.NO_REPLY_NEEDED), 1
    ):
        await closing.close(world.store, case, "Ana", outcome)
    await heard(world, said("Great, my fish was a brick", published=world.now))
    await judged(world, Cheerful())
    await missed(world, 6)
    await heard(world, said("Is it fish?", author="zoe", published=world.now))
    await judged(world, Doubting())  # opens an unsure case, which is no flag

    found = await good(world)

    counted = Flags(shown=5, checked=4, not_negative=1, not_us=1, spam=1, missed=1)
    assert found.all == counted
    assert found.by_place == {("Acme", "webhook"): counted}
    assert list(found.by_week)[-1] == date(2026, 11, 2)
    assert found.by_week[date(2026, 11, 2)] == counted
    assert len(found.by_week) == 8
    assert (await good(world, brands=[])).all == Flags()


async def test_every_week_counts_its_own(world: World) -> None:
    await settled(world)
    await complained(world, COMPLAINTS[0])
    world.now += timedelta(days=7)
    await complained(world, *COMPLAINTS[1:3])

    found = await good(world)

    assert [week.shown for week in found.by_week.values()][-2:] == [1, 2]
    world.now += timedelta(days=60)
    assert (await good(world)).all == Flags()


def test_few_are_told_as_few_and_many_with_what_they_may_mean() -> None:
    assert Flags(shown=9).words == "Nobody has looked at any yet."
    assert Flags(checked=3, not_us=1).words == (
        "2 of 3 were right: too few to say how good they are."
    )
    assert Flags(checked=100, not_negative=10).words == (
        "90 of 100 were right: 90%, and most likely between 83 and 94 %."
    )


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1)]
)
def test_the_interval_is_wilsons(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=0.001)


async def drift(world: World, brands: list[int] | None = None) -> str:
    async with world.store.reading() as session:
        found = await flags.goodness(session, brands=brands, now=world.now)
        return await flags.drift(session, found, brands=brands, now=world.now)


async def test_a_model_that_begins_to_flag_everything_is_noticed_within_the_week(
    world: World,
) -> None:
    await settled(world)
    for ago, classifier in ((20, Cheerful()), (10, Cheerful()), (2, Gloomy())):
        published = world.now - timedelta(days=ago)
        posts = [said(f"fish {ago} {n}", author=f"a{n}", published=published) for n in range(250)]
        await heard(world, *posts)
        await judged(world, classifier)

    assert await drift(world) == (
        "The verdicts of the last seven days lie elsewhere than before: 100% read like "
        "complaints, in the four weeks before 0%. gloomy 1 has begun to judge since. Look at some "
        "of them."
    )
    assert await drift(world, brands=[99]) == (
        "There are too few verdicts yet to say whether the model drifts."
    )
