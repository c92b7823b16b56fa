"""Staff who correct what a made-up model says, so that a brand has taught something."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from listener.domain.correction import Better
from listener.domain.learnt import Learnt
from listener.domain.mention import Mention
from listener.stages.learn import Came, Learn
from listener.store import corrections
from models.learning import ours
from models.verdict import Feeling, Question, Verdict
from tests.given import heard, judged, said, settled
from tests.world import World

SIZE = 16
WORDS = [f"w{number}" for number in range(400)]
OURS = {post.question.text: post.complaint for post in ours.posts()}


@dataclass
class Placing:
    """Judges our own posts rightly; takes samples for complaints, unsurely, and knows delays."""

    version: int = 1
    asked: int = 0

    @property
    def name(self) -> str:
        return f"placing {self.version}"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        self.asked += len(questions)
        return [self.verdict(one.text) for one in questions]

    def verdict(self, text: str) -> Verdict:
        chance = random.Random(text)  # noqa: S311  (nothing is kept secret by it)
        if text in OURS:
            logit, where = (2.0 if OURS[text] else -2.0), chance.randrange(SIZE - 2)
        elif "sample" in text:
            logit, where = 0.8, SIZE - 1
        else:
            logit, where = (3.0 if "late" in text else -3.0), SIZE - 2
        vector = np.eye(SIZE)[where] + np.random.default_rng(chance.randrange(2**32)).normal(
            0, 0.05, SIZE
        )
        return Verdict(
            complaint=float(1 / (1 + np.exp(-logit))),
            feeling=Feeling.NEGATIVE,
            confidence=0.8,
            unsure=False,
            model=self.name,
            language="en",
            embedding=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
            grey=(0.45, 0.55),
        )


def text(kind: str, number: int) -> str:
    """A post of a kind; no two share enough words to be the same."""
    chance = random.Random(f"{kind} {number}")  # noqa: S311  (nothing is kept secret by it)
    return " ".join(["fish", kind, *chance.sample(WORDS, 9)])


async def posted(world: World, kind: str, *numbers: int) -> list[Mention]:
    """Posts of a kind, judged as the service does; what became of them."""
    before = {mention.key for mention in await world.mentions()}
    await heard(
        world, *(said(text(kind, n), author=f"a{kind}{n}", published=world.now) for n in numbers)
    )
    await judged(world)
    return [mention for mention in await world.mentions() if mention.key not in before]


async def corrected(
    world: World, mentions: Sequence[Mention], better: Better, *, by: int = 1
) -> None:
    async with world.store.transaction() as session:
        await corrections.keep(session, mentions, better, staff_id=by, now=world.now)


async def taught(world: World, samples: int = 40) -> None:
    """Samples were no complaints, delays were."""
    await settled(world)
    world.classifier = Placing()
    await corrected(world, await posted(world, "sample", *range(samples)), Better.NOT_NEGATIVE)
    await corrected(world, await posted(world, "late", *range(20)), Better.COMPLAINT)


async def learn(world: World, brand: int = 1) -> Came:
    return await Learn(world.store, world.classifier).brand(brand)


async def versions(world: World) -> list[Learnt]:
    return await world.all_of(Learnt)
