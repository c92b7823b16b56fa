"""The model that comes with Listener can be taught: all the way, with nothing made up."""

import pytest

from listener.domain.correction import Better, Correction
from listener.domain.learnt import Learnt
from listener.stages.learn import Learn
from models import shelf
from models.learning import ours
from tests.given import heard, judged, said, settled
from tests.world import World


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_lessons_are_learnt_beside_our_own_posts_and_the_gate_says_what_it_found(
    world: World,
) -> None:
    world.classifier = shelf.open()
    await settled(world)
    texts = [post.question.text + " fish" for post in ours.posts()[:30]]
    await heard(
        world,
        *(said(text, author=f"a{n}", published=world.now) for n, text in enumerate(texts)),
    )
    await judged(world)
    async with world.store.transaction() as session:
        for mention, post in zip(await world.mentions(), ours.posts(), strict=False):
            better = Better.COMPLAINT if post.complaint else Better.NOT_NEGATIVE
            session.add(Correction(mention_id=mention.key, staff_id=1, better=better, at=world.now))

    came = await Learn(world.store, world.classifier).brand(1)

    (made,) = await world.all_of(Learnt)
    assert made.model == world.classifier.name
    assert made.lessons > 20
    assert made.right_before > made.lessons / 2
    assert made.worse == {}
    assert (made.head is None) == bool(made.refused)
    assert came.lessons == 30
