"""Cases: opened once for what is said many times, by however many judges, and never unasked."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from connectors.kit.contract import Kind, Rating
from listener.desk import closing, taking
from listener.domain.case import Case, Outcome, Status
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.notice import News
from listener.stages.judge import Judge
from listener.store import cases
from listener.store.session import Store
from models.verdict import Question, Verdict
from tests.given import (
    COMPLAINTS,
    Cheerful,
    Doubting,
    complained,
    heard,
    judged,
    said,
    settled,
)
from tests.world import Gloomy, World

COLD = COMPLAINTS[0]


async def test_reposts_on_one_page_are_one_case(world: World) -> None:
    await settled(world)

    await heard(
        world,
        *(
            said(text, author=name, published=world.now)
            for name, text in (
                ("ada", COLD),
                ("ben", f"RT @ada: {COLD}"),
                ("cem", f"{COLD.upper()} https://x.example"),
            )
        ),
    )
    judge = await judged(world)

    [case] = await world.cases()
    assert judge.opened == 1
    assert case.mentions == 3
    assert "Said in 3 places." in case.reasons
    assert {mention.case_id for mention in await world.mentions()} == {case.id}
    assert [notice.news for notice in await world.notices()] == [News.OPENED]  # one ring


async def test_a_repost_that_comes_later_joins_and_is_told_as_a_change(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    before = (await world.cases())[0].priority

    world.now += timedelta(days=2)
    await complained(world, f"RT @ada: {COLD}", author="ben")

    [case] = await world.cases()
    assert case.mentions == 2
    assert case.priority > before
    assert [event.what for event in await world.events()] == [What.OPENED, What.JOINED]
    assert [notice.news for notice in await world.notices()] == [News.OPENED, News.CHANGED]


async def test_after_a_week_the_same_words_are_a_new_case(world: World) -> None:
    await settled(world)
    await complained(world, COLD)

    world.now += timedelta(days=7, seconds=1)
    await complained(world, COLD, author="ben")

    assert [case.mentions for case in await world.cases()] == [1, 1]


async def test_other_complaints_are_cases_of_their_own(world: World) -> None:
    await settled(world)

    await complained(world, *COMPLAINTS)

    assert len(await world.cases()) == len(COMPLAINTS)


async def test_the_same_words_about_two_brands_are_two_cases(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "batter"}],
        sources=[
            {
                "name": "Inbox",
                "connector": "webhook",
                "options": {"secret": "whsec_QSBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="},
            }
        ],
    )

    await complained(world, COLD)  # names both

    assert [case.brand_id for case in await world.cases()] == [1, 2]
    assert len(await world.mentions()) == 2


async def test_repeats_raise_the_priority_only_so_far(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    alone = (await world.cases())[0].priority

    for number in range(12):
        await complained(world, COLD, author=f"copy{number}")

    [case] = await world.cases()
    assert case.mentions == 13
    assert case.priority == alone + cases.MOST_REPEATS
    assert [reason for reason in case.reasons if reason.startswith("Said in")] == [
        "Said in 13 places."
    ]


async def test_an_author_who_comes_back_reopens_the_case_for_its_owner(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)

    world.now += timedelta(days=1)
    await complained(world, f"{COLD} Still!")

    [case] = await world.cases()
    assert (case.status, case.owner_id, case.reopened) == (Status.OWNED, 1, 1)
    assert case.due_at == world.now + timedelta(hours=4)
    assert [event.what for event in await world.events()][-2:] == [What.JOINED, What.REOPENED]


@pytest.mark.parametrize("outcome", [Outcome.NOT_US, Outcome.NOT_NEGATIVE, Outcome.SPAM])
async def test_what_was_no_complaint_stays_closed_when_it_is_said_again(
    world: World, outcome: Outcome
) -> None:
    await settled(world)
    await complained(world, COLD)
    await closing.close(world.store, 1, "Ana", outcome)

    await complained(world, f"{COLD} Still!")

    [case] = await world.cases()
    assert (case.status, case.outcome, case.mentions) == (Status.CLOSED, outcome, 2)


async def test_an_edit_that_makes_it_worse_brings_the_deadline_forward(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world)

    world.now += timedelta(minutes=30)
    worse = f"{COLD} And I found glass in it, we are in hospital."
    await heard(world, said(worse, id="1", published=world.now, edited=world.now))
    await judged(world)

    [case] = await world.cases()
    assert case.urgent
    assert case.due_at == world.now + timedelta(hours=1)
    assert "Speaks of harm: safety." in case.reasons
    assert [event.what for event in await world.events()] == [
        What.OPENED,
        What.EDITED,
        What.PRIORITY,
    ]


async def test_an_edit_into_praise_keeps_the_case_and_says_so(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world)

    await heard(
        world, said("All is well, lovely fish.", id="1", published=world.now, edited=world.now)
    )
    await judged(world, Cheerful())

    [case] = await world.cases()
    assert (case.status, case.priority) == (Status.OPEN, 0)
    assert case.reasons == ["Its author has changed it: it no longer reads like a complaint."]


async def test_an_edit_that_ends_the_doubt_gives_the_case_its_deadline(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="1", published=world.now))
    await judged(world, Doubting())
    assert (await world.cases())[0].due_at is None

    await heard(world, said(f"{COLD} Awful.", id="1", published=world.now, edited=world.now))
    await judged(world)

    [case] = await world.cases()
    assert not case.unsure
    assert case.due_at == world.now + timedelta(hours=4)
    assert [event.what for event in await world.events()][-1] is What.CONFIRMED


async def test_what_was_published_long_before_it_was_seen_rings_nobody(world: World) -> None:
    await settled(world)

    await heard(world, said(COLD, published=world.now - timedelta(days=3)))
    await judged(world)

    [mention] = await world.mentions()
    assert (mention.late, mention.flagged) == (True, True)
    assert await world.cases() == []
    assert await world.notices() == []


async def test_our_own_posts_are_never_judged_and_never_a_case(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish", "handles": ["acme"]}],
        sources=[
            {
                "name": "Inbox",
                "connector": "webhook",
                "options": {"secret": "whsec_QSBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="},
            }
        ],
    )
    post = said(COLD, author="acme", published=world.now)

    await heard(world, replace(post, author=replace(post.author, handle="acme")))
    judge = await judged(world)

    [mention] = await world.mentions()
    assert (mention.ours, mention.flagged, judge.judged) == (True, None, 0)
    assert await world.cases() == []


async def test_a_review_with_one_star_is_due_within_a_day(world: World) -> None:
    await settled(world)

    await heard(
        world, said("fish", id="1", published=world.now, kind=Kind.REVIEW, rating=Rating(1))
    )
    await judged(world, Cheerful())

    [case] = await world.cases()
    assert case.due_at == world.now + timedelta(hours=24)
    assert case.reasons[0] == "One star: a complaint whatever the words say."


async def test_two_judges_at_once_open_one_case_for_two_copies(world: World) -> None:
    """Each has one of the copies; whoever is second finds the first's case."""
    await settled(world)
    await heard(world, *(said(COLD, author=name, published=world.now) for name in ("ada", "ben")))
    other = Store(world.store.url.render_as_string(hide_password=False), clock=lambda: world.now)
    both = Meeting(2)
    judges = [
        Judge(store, Punctual(both), Policies(), asyncio.Event(), batch=1)
        for store in (world.store, other)
    ]

    async with asyncio.timeout(60):
        await asyncio.gather(*(judge.step() for judge in judges))
    await other.close()

    assert sum(judge.judged for judge in judges) == 2
    [case] = await world.cases()
    assert case.mentions == 2
    assert sum(judge.opened for judge in judges) == 1


async def test_many_judges_at_once_judge_everything_once(world: World) -> None:
    await settled(world)
    await heard(
        world,
        *(
            said(
                f"{COMPLAINTS[number % 5]} It was on day {number}.",
                author=f"a{number}",
                published=world.now,
            )
            for number in range(60)
        ),
    )
    stores = [
        Store(world.store.url.render_as_string(hide_password=False), clock=lambda: world.now)
        for _ in range(3)
    ]
    judges = [Judge(store, Gloomy(), Policies(), asyncio.Event(), batch=7) for store in stores]

    async def work(judge: Judge) -> None:
        while await judge.step():
            pass

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(judge) for judge in judges))
    for store in stores:
        await store.close()

    mentions = await world.mentions()
    assert sum(judge.judged for judge in judges) == 60
    assert all(mention.case_id is not None for mention in mentions)
    found: Sequence[Case] = await world.cases()
    assert sum(case.mentions for case in found) == 60
    assert len(found) == sum(judge.opened for judge in judges) == 5


async def test_huge_copies_do_not_hold_the_house_up(world: World) -> None:
    await settled(world)
    huge = "fish " + " ".join(f"word{number}" for number in range(100_000))
    copy = huge.replace("word7 ", "words7 ")

    await heard(world, said(huge, author="ada", published=world.now))
    async with asyncio.timeout(60):
        await judged(world)
        await heard(world, said(copy, author="ben", published=world.now))
        await judged(world)

    [case] = await world.cases()
    assert case.mentions == 2


async def test_the_queue_shows_what_presses_most_first_and_the_unsure_last(world: World) -> None:
    await settled(world)
    await heard(world, said(COMPLAINTS[3], author="ada", published=world.now))
    await judged(world, Doubting())
    await complained(world, COMPLAINTS[0], "There was glass in my fish, this is dangerous, glass!")

    async with world.store.reading() as session:
        queue = [case.id for case, _ in await cases.found(session)]

    assert queue == [3, 2, 1]


async def test_cases_are_found_by_state_and_brand(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:3])
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 2, "Ana", Outcome.SPAM)

    async with world.store.reading() as session:
        assert [case.id for case, _ in await cases.found(session, status=Status.OWNED)] == [1]
        assert [case.id for case, _ in await cases.found(session, closed=False)] == [1, 3]
        assert await cases.found(session, brand="Nobody") == []
        assert await cases.counts(session) == {
            Status.OPEN: 1,
            Status.OWNED: 1,
            Status.CLOSED: 1,
        }
        assert await cases.mention_ids(session, [1, 2, 3]) == {1: [1], 2: [2], 3: [3]}


class Meeting:
    """Lets nobody go on before everybody is there; used by threads."""

    def __init__(self, guests: int) -> None:
        self.barrier = threading.Barrier(guests, timeout=60)


class Punctual(Gloomy):
    """Judges when the other judge has mentions in hand too."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        self.meeting.barrier.wait()
        return super().judge(questions)
