"""Every mention gets its verdict once, also when a classifier, a worker or an author interferes."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from connectors.kit.contract import Author, Kind, Rating
from listener.domain.deadline import Policies
from listener.stages.judge import Judge
from models.classifier import Classifier
from models.verdict import Feeling, Question, Verdict
from tests.given import COMPLAINTS, Cheerful, Doubting, heard, judged, said, settled
from tests.world import Gloomy, World

COLD = COMPLAINTS[0]


def a_judge(world: World, classifier: Classifier, batch: int = 256) -> Judge:
    return Judge(world.store, classifier, Policies(), asyncio.Event(), batch=batch)


async def test_a_verdict_is_written_on_its_mention_with_the_model_that_holds_it(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))

    judge = a_judge(world, Gloomy())
    assert await judge.step() == 1

    [mention] = await world.mentions()
    assert (mention.flagged, mention.unsure, mention.urgent) == (True, False, False)
    assert (mention.complaint, mention.feeling, mention.confidence) == (
        0.95,
        Feeling.NEGATIVE,
        0.95,
    )
    assert (mention.model, mention.judged_at, mention.waits) == ("gloomy 1", world.now, False)
    assert mention.language == "en"
    assert judge.wake_notify.is_set()
    assert await judge.step() == 0


async def test_a_classifier_is_asked_with_everything_that_the_words_depend_on(
    world: World,
) -> None:
    await settled(world)
    asked = Asked()
    await heard(
        world,
        said(
            "Cold fish.",
            title="Friday",
            kind=Kind.REVIEW,
            rating=Rating(4, 0, 10),
            language="de",
            published=world.now,
        ),
    )

    await judged(world, asked)

    assert asked.questions == [
        Question(
            text="Friday\n\nCold fish.",
            brand="Acme",
            stars=2.6,
            kind="review",
            language="de",
            connector="webhook",
        )
    ]


async def test_a_reply_is_judged_together_with_what_it_answers(world: World) -> None:
    await settled(world)
    asked = Asked()
    await heard(world, said("Cold fish again.", id="1", published=world.now))
    await judged(world, asked)

    await heard(world, said("Same fish here.", in_reply_to="1", published=world.now))
    await heard(world, said("No fish here.", in_reply_to="unknown", published=world.now))
    await judged(world, asked)

    assert [(one.text, one.answers) for one in asked.questions] == [
        ("Cold fish again.", None),
        ("Same fish here.", "Cold fish again."),
        ("No fish here.", None),
    ]


async def test_what_its_author_deleted_is_not_read_again_under_a_reply(world: World) -> None:
    await settled(world)
    asked = Asked()
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world, asked)
    await heard(world, gone=["1"])

    await heard(world, said("Same fish here.", in_reply_to="1", published=world.now))
    await judged(world, asked)

    assert asked.questions[-1] == Question("Same fish here.", brand="Acme", connector="webhook")


async def test_what_the_place_says_of_the_language_counts_more_than_our_guess(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said(COLD, language="de", published=world.now))

    await judged(world, Gloomy())  # who thinks that everything is English

    assert (await world.mentions())[0].language == "de"


async def test_praise_is_judged_and_calls_nobody(world: World) -> None:
    await settled(world)
    await heard(world, said("Lovely fish.", published=world.now))

    await judged(world, Cheerful())

    assert (await world.mentions())[0].flagged is False
    assert await world.cases() == []


async def test_doubt_is_a_verdict_too(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))

    await judged(world, Doubting())

    [mention] = await world.mentions()
    [case] = await world.cases()
    assert (mention.flagged, mention.unsure) == (False, True)
    assert (case.unsure, case.due_at) == (True, None)
    assert case.reasons == ["The model is not sure: too close to call."]


async def test_reach_is_the_larger_of_what_the_post_and_its_author_have(world: World) -> None:
    await settled(world)
    post = said(COLD, published=world.now, reach=1200)
    await heard(world, replace(post, author=Author(id="ada", reach=90_000)))

    await judged(world)

    assert "Reaches 90,000 people." in (await world.mentions())[0].reasons


async def test_one_text_that_a_classifier_cannot_judge_keeps_no_other_waiting(
    world: World,
) -> None:
    await settled(world)
    texts = [COLD, "fish POISON fish", COMPLAINTS[1]]
    await heard(world, *(said(text, published=world.now) for text in texts))

    with capture_logs() as logged:
        await judged(world, Choking())

    first, second, third = await world.mentions()
    assert first.flagged
    assert third.flagged
    assert second.unsure
    assert "The model is not sure: the model failed on this text." in second.reasons
    assert [case.unsure for case in await world.cases()] == [False, True, False]
    [line] = [one for one in logged if one["event"] == "classifier fails"]
    assert line["model"] == "choking 1"
    assert "POISON" not in str(logged)


async def test_an_author_who_edits_while_the_model_thinks_is_judged_by_the_new_words(
    world: World,
) -> None:
    await settled(world)
    post = said(COLD, id="1", published=world.now)
    await heard(world, post)
    slow = Slow()
    judge = a_judge(world, slow)

    thinking = asyncio.create_task(judge.step())
    await asyncio.to_thread(slow.began.wait, 10)
    await heard(world, replace(post, text="The fish is lovely now.", edited=world.now))
    slow.go.set()
    await thinking

    [mention] = await world.mentions()
    assert (mention.waits, mention.flagged) == (True, None)  # the old verdict did not count
    assert await world.cases() == []

    await judged(world, Cheerful())
    assert (await world.mentions())[0].flagged is False


async def test_a_post_that_is_deleted_while_the_model_thinks_opens_no_case(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    slow = Slow()

    thinking = asyncio.create_task(a_judge(world, slow).step())
    await asyncio.to_thread(slow.began.wait, 10)
    await heard(world, gone=["1"])
    slow.go.set()
    await thinking

    assert await world.cases() == []
    assert (await world.mentions())[0].text == ""


async def test_what_a_dead_judge_had_taken_is_judged_when_its_lease_ends(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    await a_judge(world, Gloomy()).take()  # and dies

    assert await a_judge(world, Gloomy()).step() == 0
    world.now += timedelta(seconds=31)
    assert await a_judge(world, Gloomy()).step() == 1


async def test_a_judge_that_is_stopped_gives_back_what_it_had(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    slow = Slow()

    thinking = asyncio.create_task(a_judge(world, slow).step())
    await asyncio.to_thread(slow.began.wait, 10)
    thinking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await thinking
    slow.go.set()

    assert await a_judge(world, Gloomy()).step() == 1  # at once, by another


async def test_the_event_loop_goes_on_while_the_model_thinks(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, published=world.now))
    slow = Slow()

    thinking = asyncio.create_task(a_judge(world, slow).step())
    async with asyncio.timeout(60):
        while not slow.began.is_set():
            await asyncio.sleep(0.01)
        assert len(await world.mentions()) == 1  # pages are answered meanwhile
        slow.go.set()
        assert await thinking == 1


async def test_batches_are_as_large_as_asked_and_nothing_is_left(world: World) -> None:
    await settled(world)
    await heard(world, *(said(f"fish {number}", published=world.now) for number in range(25)))
    judge = a_judge(world, Cheerful(), batch=10)

    assert [await judge.step() for _ in range(4)] == [10, 10, 5, 0]
    assert judge.judged == 25


@dataclass
class Asked(Gloomy):
    """Remembers what it was asked."""

    questions: list[Question] = field(default_factory=list)

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        self.questions += questions
        return super().judge(questions)


class Choking(Gloomy):
    """Cannot judge a text with POISON in it, nor a batch that holds one."""

    name = "choking 1"

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        for question in questions:
            if "POISON" in question.text:
                raise ValueError(question.text)
        return super().judge(questions)


class Slow(Gloomy):
    """Thinks until it is told to go on."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        self.began.set()
        self.go.wait(20)
        return super().judge(questions)
