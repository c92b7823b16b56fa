"""Second stage: a mention gets its verdict, and what needs a person becomes a case."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from listener.domain.deadline import Policies
from listener.domain.triage import Circumstances, assess
from listener.stages.loop import fault
from listener.store import cases, heeding, history, learnt, mentions
from listener.store.mentions import Judged, Waiting
from listener.store.session import Store, now
from models.classifier import Classifier
from models.errors import Unavailable
from models.learning.answers import moved
from models.learning.head import Head
from models.verdict import Feeling, Question, Verdict

log = structlog.get_logger(__name__)

BATCH = 256
UNKNOWN = 0.49  # just not a complaint: an unsure case says that nobody judged it


@dataclass
class Judge:
    """Takes unjudged mentions, asks the classifier, keeps what it said."""

    store: Store
    classifier: Classifier
    policies: Policies
    wake_notify: asyncio.Event
    batch: int = BATCH
    judged: int = 0
    opened: int = 0
    taken: Sequence[Waiting] = ()  # and neither kept nor given back

    async def step(self) -> int:
        """Judge one batch; say how many mentions there were."""
        await self.give_back()  # what the last step could not keep, when the database was away
        waiting = self.taken = await self.take()
        if not waiting:
            return 0
        try:
            verdicts = await self.as_taught(waiting, await self.work(waiting))
            await self.keep(waiting, verdicts)
        except (asyncio.CancelledError, Unavailable):  # no text is to blame: they wait
            await self.give_back()
            raise
        self.taken = ()
        return len(waiting)

    async def take(self) -> Sequence[Waiting]:
        """The mentions that wait, leased to this worker."""
        async with self.store.transaction() as session:
            return await mentions.take_unjudged(session, limit=self.batch, now=await now(session))

    async def work(self, waiting: Sequence[Waiting]) -> list[Verdict]:
        """Ask the classifier, off the event loop and outside any transaction."""
        questions = [question(mention) for mention in waiting]
        try:
            return await asyncio.to_thread(self.classifier.judge, questions)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  (one text must not keep the others unjudged)
            log.error("classifier fails", model=self.classifier.name, why=fault(error))
            return [await asyncio.to_thread(self.alone, one) for one in questions]

    def alone(self, asked: Question) -> Verdict:
        """The verdict on one text; what the classifier cannot judge, a person must."""
        try:
            return self.classifier.judge([asked])[0]
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  (said above, once for the batch)
            return Verdict(
                complaint=UNKNOWN,
                feeling=Feeling.NEUTRAL,
                confidence=0.0,
                unsure=True,
                model=self.classifier.name,
                why="the model failed on this text",
            )

    async def as_taught(
        self, waiting: Sequence[Waiting], verdicts: Sequence[Verdict]
    ) -> Sequence[Verdict]:
        """The same verdicts, moved where staff of their brand have taught otherwise.

        Which version is in force is asked for every batch: who rolls one back is rid of it at once.
        """
        if not any(verdict.embedding for verdict in verdicts):
            return verdicts
        asked = {mention.brand_id for mention in waiting}
        async with self.store.reading() as session:
            found = await learnt.heads(session, asked, self.classifier.name)
        heads = {brand: (Head.unpacked(head), number) for brand, (number, head) in found.items()}
        return [
            moved(verdict, *heads[mention.brand_id]) if mention.brand_id in heads else verdict
            for mention, verdict in zip(waiting, verdicts, strict=True)
        ]

    async def keep(self, waiting: Sequence[Waiting], verdicts: Sequence[Verdict]) -> None:
        """Verdicts, the cases they open and the notices of them, unless another was faster."""
        judged = [
            Judged(mention, verdict, assess(verdict, circumstances(mention)))
            for mention, verdict in zip(waiting, verdicts, strict=True)
        ]
        async with self.store.transaction() as session:
            moment = await now(session)
            judged = await mentions.still_waiting(session, judged)
            judged = await heeding.heed(session, judged)
            await mentions.keep_verdicts(session, judged, now=moment)
            opened = await cases.open_or_join(
                session,
                judged,
                policies=self.policies,
                channels=await history.channels(session),
                now=moment,
            )
        self.judged += len(judged)
        self.opened += opened
        if judged:
            self.wake_notify.set()
            log.info(
                "judged",
                mentions=len(judged),
                flagged=sum(one.finding.flagged for one in judged),
                unsure=sum(one.finding.unsure for one in judged),
                cases=opened,
            )

    async def give_back(self) -> None:
        """Let another worker judge at once what this one cannot finish."""
        if self.taken:
            async with self.store.transaction() as session:
                await mentions.give_back(session, [mention.id for mention in self.taken])
            self.taken = ()


def question(mention: Waiting) -> Question:
    """What the classifier is asked about a mention."""
    return Question(
        text=mention.words,
        brand=mention.brand,
        stars=mention.stars,
        kind=mention.kind,
        language=mention.language,
        connector=mention.connector,
        answers=mention.answers,
    )


def circumstances(mention: Waiting) -> Circumstances:
    """What triage weighs beside the verdict."""
    return Circumstances(
        text=mention.words, stars=mention.stars, kind=mention.kind, reach=mention.reach
    )
