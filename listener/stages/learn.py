"""Once a night what staff said of each brand's mentions is learnt, if the gate lets it through."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final

import structlog

from listener.domain.learnt import AT, Learnt, last_night, lessons_of, mark, sentence
from listener.domain.likeness import plain_words
from listener.domain.source import digest
from listener.stages.reach import teaching as may_teach
from listener.store import brands, cases, learnt, mentions, teaching
from listener.store.session import Store, now
from listener.store.teaching import Lesson
from models.classifier import Classifier
from models.learning import gate, ours
from models.learning.answers import example
from models.learning.gate import FEWEST, Findings
from models.learning.head import Example
from models.verdict import Question, Verdict

log = structlog.get_logger(__name__)

MOST: Final = 2_000  # lessons of a brand, the latest
PORTION: Final = 32  # texts that are asked about at once, so that judging goes on beside it
BRANDS: Final = 20  # a step
PLACELESS: Final = (
    "Nothing was learnt. The model {model} does not say where texts lie among others, which "
    "learning needs; `listener model list` shows which models there are."
)
ROLLED_BACK: Final = (
    f"What was learnt last was rolled back. Of {FEWEST} lessons more, after which it is tried again, "
    "there are {more}."
)
BUSY: Final = 256  # mentions that wait for a verdict; while there are more, learning waits


@dataclass(frozen=True, slots=True)
class Came:
    """What came of learning: a sentence, and the version that was made, refused ones too."""

    brand: str
    says: str
    lessons: int = 0
    made: Learnt | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A brand that this process has, with all that learn with it."""

    under: int
    together: Sequence[int]
    at: datetime


@dataclass
class Learn:
    """Looks through the lessons of each brand once a night, in one of all processes."""

    store: Store
    classifier: Classifier
    at: time | None = AT  # by UTC; None: never by itself
    allowed: Callable[[], Collection[str]] = may_teach
    replay: dict[str, list[Example]] = field(default_factory=dict)  # by model

    async def step(self) -> int:
        """Look through the lessons of some brands; say how many."""
        if self.at is None:
            return 0
        async with self.store.reading() as session:
            moment = await now(session)
            if await mentions.waiting(session) > BUSY:
                return 0  # who complains now comes first
            waiting = await learnt.due(
                session, since=last_night(moment, self.at), now=moment, limit=BRANDS
            )
        for brand_id in waiting:
            came = await self.brand(brand_id, asked=False)
            if came.made is not None:
                log.info(
                    "learnt",
                    brand=brand_id,
                    version=came.made.number,
                    lessons=came.lessons,
                    in_force=came.made.in_force_since is not None,
                )
        return len(waiting)

    async def brand(self, brand_id: int, *, asked: bool = True) -> Came:
        """Learn what one brand has taught, and all that learn with it; say what came of it.

        Unless somebody has `asked`, what was rolled back is tried again only with many lessons more.
        """
        taken = await self.take(brand_id)
        if taken is None:
            return Came("", "Another process is learning from it just now; ask again in a while.")
        try:
            came = await self.look(taken, asked=asked)
        except BaseException:
            async with self.store.transaction() as session:
                await learnt.done(session, taken.under, taken=taken.at, looked=None)
            raise
        return await self.keep(taken, came)

    async def take(self, brand_id: int) -> Taken | None:
        """Take a brand and those that learn with it; None where another process has them."""
        async with self.store.transaction() as session:
            moment = await now(session)
            under, together = await learnt.together(session, brand_id)
            if not await learnt.take(session, under, now=moment):
                return None
            return Taken(under, together, moment)

    async def look(self, taken: Taken, *, asked: bool) -> Came:
        """Learn from what staff have said by now, unless there is nothing to learn, or nothing new."""
        async with self.store.reading() as session:
            name = (await brands.numbered(session, taken.under)).name
            before = await learnt.versions(session, taken.under)
            names = await cases.staff_names(session)
            told = await teaching.lessons(
                session, taken.together, only_from=self.allowed(), most=MOST
            )
        model, count = self.classifier.name, len(told)
        goes_on = still(next((one for one in before if one.in_force_since), None), model)
        if count < FEWEST:
            return Came(name, f"{gate.nothing(count, gate.too_few(count)).words} {goes_on}", count)
        told_now = mark({one.mention_id: one.complaint for one in told}, model)
        if before and before[-1].told == told_now:
            return Came(name, f"{nothing_new(before[-1], names)} {goes_on}", count)
        more = since_rolled_back(before, told, model)
        if more is not None and more < FEWEST and not asked:
            return Came(name, f"{ROLLED_BACK.format(more=lessons_of(more))} {goes_on}", count)
        posts = await self.ours()
        if not posts:
            return Came(name, PLACELESS.format(model=model), count)
        seen = await self.asked(told)
        head, found = await asyncio.to_thread(gate.learn, [one for _, one in seen], posts)
        if len(seen) < FEWEST:
            return Came(name, f"{found.words}{left_out(count - len(seen))} {goes_on}", count)
        made = version(found, taken, model, [number for number, _ in seen], told_now)
        made.head = None if head is None else head.packed()
        says = f"{sentence(made, names)}{left_out(count - len(seen))}"
        return Came(name, says if head is not None else f"{says} {goes_on}", count, made)

    async def keep(self, taken: Taken, came: Came) -> Came:
        """Keep what came of it, unless it took so long that another has taken it over."""
        async with self.store.transaction() as session:
            moment = await now(session)
            if not await learnt.done(session, taken.under, taken=taken.at, looked=moment):
                return Came(came.brand, "It took too long: another process has taken it over.")
            made = came.made
            if made is None:
                return came
            made.made_at = moment
            await learnt.keep(session, made, now=moment)
        if made.head is None:
            return came
        says = f"Learnt {made.number} judges from now on. {came.says}"
        return Came(came.brand, says, came.lessons, made)

    async def ours(self) -> list[Example]:
        """Posts of our own as the model sees them; none where it does not say where texts lie."""
        model = self.classifier.name
        if model not in self.replay:
            posts = await asyncio.to_thread(ours.posts)
            (first,) = await self.verdicts([posts[0].question])
            if not first.embedding:
                return []
            verdicts = await self.verdicts([post.question for post in posts])
            seen = (
                example(verdict, post.complaint, post.group, slices=post.slices)
                for post, verdict in zip(posts, verdicts, strict=True)
            )
            self.replay = {model: [one for one in seen if one is not None]}
        return self.replay[model]

    async def asked(self, told: Sequence[Lesson]) -> list[tuple[int, Example]]:
        """Lessons as the model sees them now, by their mention's number, as far as it knows them."""
        verdicts = await self.verdicts([one.question for one in told])
        groups = grouped(told)
        seen = (
            (one.mention_id, example(verdict, one.complaint, group, staff=one.staff_id))
            for one, group, verdict in zip(told, groups, verdicts, strict=True)
        )
        return [(number, one) for number, one in seen if one is not None]

    async def verdicts(self, questions: Sequence[Question]) -> list[Verdict]:
        """What the model alone says of these, some at a time, off the event loop."""
        found: list[Verdict] = []
        for start in range(0, len(questions), PORTION):
            portion = questions[start : start + PORTION]
            found += await asyncio.to_thread(self.classifier.judge, portion)
        return found


def grouped(told: Sequence[Lesson]) -> list[str]:
    """For each lesson what it has in common with those that say the same: words, or a case."""
    by_case: dict[int, str] = {}
    by_words: dict[int, str] = {}
    groups = []
    for one in told:
        words = digest("said", *plain_words(one.question.text))
        group = by_words.get(words) or by_case.get(one.case_id or 0) or f"mention {one.mention_id}"
        by_words[words] = group
        if one.case_id is not None:
            by_case[one.case_id] = group
        groups.append(group)
    return groups


def version(found: Findings, taken: Taken, model: str, numbers: Sequence[int], told: str) -> Learnt:
    """What the gate found, as it is kept; the store gives it its number."""
    return Learnt(
        brand_id=taken.under,
        number=0,
        model=model,
        mentions=sorted(numbers),
        told=told,
        right_before=found.right_before,
        right_now=found.right_now,
        gained=found.gained,
        lost=found.lost,
        against=found.against,
        sure=found.sure,
        worse=dict(found.worse),
        refused=found.refused,
        doubted_id=found.doubted,
        made_at=taken.at,
    )


def still(stands: Learnt | None, model: str) -> str:
    """What judges while nothing new does."""
    if stands is None:
        return "The model judges alone."
    if stands.model != model:
        return (
            f"Learnt {stands.number} stands on {stands.model} and is not used: "
            f"{model} judges alone."
        )
    return f"Learnt {stands.number} goes on judging."


def since_rolled_back(before: Sequence[Learnt], told: Sequence[Lesson], model: str) -> int | None:
    """How many lessons have come since the version learnt last was rolled back; None if it was not."""
    last = next((one for one in reversed(before) if one.head is not None), None)
    if last is None or last.withdrawn_at is None or last.model != model:
        return None
    return len({one.mention_id for one in told} - set(last.mentions))


def nothing_new(last: Learnt, names: Mapping[int, str]) -> str:
    """That staff have said no more than what the last version knows, and what came of that."""
    back = " It was rolled back." if last.withdrawn_at is not None else ""
    return (
        f"Staff have taught nothing new since learnt {last.number} was made.{back} "
        f"{sentence(last, names)}"
    )


def left_out(count: int) -> str:
    """That some lessons could not be learnt from."""
    if not count:
        return ""
    return f" Left out: {lessons_of(count)} in a language that the model has not learnt."
