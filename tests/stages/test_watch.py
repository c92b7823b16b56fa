"""What rises, falls silent or is grave becomes an alarm once, is told, and is over."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.kit.contract import Kind
from listener.app import Service
from listener.desk import alarming
from listener.domain.alarm import RISE, Alarm, AlarmNotice, Sort
from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.record import NotAllowed
from tests.given import heard, judged, said, settled
from tests.world import World

A_DAY = timedelta(days=1)


async def used_to(world: World, every: timedelta, *, days: int = 30, until: datetime) -> None:
    """A brand that was spoken of every so often, for so many days; no words of it were complaints."""
    await keep(world, [until - every * number for number in range(1, int(days * A_DAY / every))])


async def keep(
    world: World,
    moments: list[datetime],
    *,
    words: str = "Fish number {number} it was.",
    **more: Any,
) -> None:
    """Mentions that were judged already, published at these moments."""
    async with world.store.transaction() as session:
        before = len((await session.exec(select(Mention.id))).all())
        session.add_all(
            mention(number, moment, text=words.format(number=number), **more)
            for number, moment in enumerate(moments, before)
        )


def mention(number: int, moment: datetime, **more: Any) -> Mention:
    """A mention of the first brand, by the first source, that was judged already."""
    values = {
        "brand_id": 1,
        "connector": "webhook",
        "post_id": f"m{number}",
        "source_id": 1,
        "url": "https://place.example/p",
        "kind": Kind.POST,
        "text": f"Fish number {number} it was.",
        "author_id": f"a{number}",
        "published_at": moment,
        "seen_at": moment,
        "revision": "1",
        "flagged": False,
        "waits": False,
    }
    return Mention(**{**values, **more})


async def looked(world: World, service: Service, minutes: int = 1) -> None:
    """The watch looks, a minute after another."""
    for _ in range(minutes):
        await service.watch.step()
        world.now += timedelta(minutes=1)


async def alarms(world: World) -> list[Alarm]:
    """All alarms, as they stand now."""
    found: list[Alarm] = await world.all_of(Alarm)
    return found


def burst(world: World, many: int) -> list[datetime]:
    """So many moments of the last minutes."""
    return [world.now - timedelta(seconds=20 * (number + 1)) for number in range(many)]


async def test_a_usual_day_raises_nothing(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    service = await world.service()

    await looked(world, service, 5)

    assert await alarms(world) == []


async def test_a_rise_is_one_alarm_that_is_told_once_and_says_when_it_is_over(
    world: World,
) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30), flagged=True)
    service = await world.service()

    await looked(world, service, 3)

    [alarm] = await alarms(world)
    assert (alarm.sort, alarm.about) == (Sort.COMPLAINTS, RISE)
    assert alarm.count == 30
    assert alarm.count > 3 * alarm.high
    assert world.now - alarm.since < timedelta(minutes=20)
    assert len(alarm.mentions) == 3
    assert world.printed.count(" ALARM ") == 1
    assert "30 complaints" in world.printed

    world.now += timedelta(hours=3)
    await looked(world, service)

    [alarm] = await alarms(world)
    assert alarm.over_at is not None
    assert "alarm 1 is over: Acme" in world.printed

    await looked(world, service, 3)
    assert len(await alarms(world)) == 1, "what was told is not told again"


@pytest.mark.parametrize("links", [True, False])
async def test_many_conversations_ring_before_they_are_answered(world: World, links: bool) -> None:
    """Where it is known what answers; where it is not, answers may be all that there is more of."""
    await settled(world)
    chance = random.Random(6)  # noqa: S311  (it guards nothing)
    minutes = [chance.uniform(90, 15 * 24 * 60) for _ in range(15 * 24 * 6)]
    opened = [world.now - timedelta(minutes=ago) for ago in minutes]
    answered = [at + timedelta(minutes=late) for at in opened[::5] for late in range(1, 6)]
    await keep(world, opened)
    await keep(world, answered, in_reply_to="https://place.example/p" if links else None)
    await keep(world, [world.now - timedelta(seconds=80 * number + 40) for number in range(45)])
    service = await world.service()

    await looked(world, service, 2)

    found = await alarms(world)
    assert [(one.sort, one.about) for one in found] == [(Sort.MENTIONS, RISE)] * links
    for alarm in found:
        assert alarm.source_id is None
        assert alarm.count > max(30, alarm.high)
        assert f"{alarm.count} mentions since" in world.printed


async def test_two_watches_raise_an_alarm_once(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30))
    first, second = await world.service(), await world.service()

    await asyncio.gather(first.watch.look(world.now), second.watch.look(world.now))

    assert len(await alarms(world)) == 1
    assert len(await world.all_of(AlarmNotice)) == 1


async def test_three_people_who_report_harm_ring_at_once(world: World) -> None:
    await settled(world)
    texts = (
        "My fish had glass in it and my mouth was bleeding.",
        "A metal splinter in the fish, how can that be allowed at all?",
        "Your fish fryer caught fire next to my daughter, never again.",
    )
    for number, words in enumerate(texts):
        await heard(world, said(words, author=f"a{number}", published=world.now))
    await judged(world)
    service = await world.service()
    world.now += timedelta(seconds=5)

    await looked(world, service)

    [alarm] = await alarms(world)
    assert (alarm.sort, alarm.count) == (Sort.SAFETY, 3)
    assert "3 reports of safety" in world.printed

    world.now += timedelta(hours=7)
    await looked(world, service)
    assert (await alarms(world))[0].over_at is not None


GLASS = "My fish from Mill Lane had glass in it and my mouth was bleeding all evening."


async def reported(world: World, *posts: tuple[str, str]) -> None:
    """Posts, each with its author, that were published one after another; the watch looks."""
    for words, author in posts:
        world.now += timedelta(seconds=5)
        await heard(world, said(words, author=author, published=world.now))
    await judged(world)
    world.now += timedelta(seconds=5)
    await looked(world, await world.service())


async def test_who_only_passes_on_a_report_reports_nothing(world: World) -> None:
    await settled(world)

    await reported(
        world,
        (GLASS, "ada"),
        (f"RT @ada: {GLASS}", "ben"),
        (f"Repost from @ada {GLASS}", "cem"),
        (f"“{GLASS}” via @ada", "dia"),
        (f"{GLASS} https://place.example/p/1", "eve"),  # word for word
    )

    assert await alarms(world) == []


async def test_three_ring_and_those_who_pass_it_on_are_told_beside_them(world: World) -> None:
    await settled(world)
    own = (
        (GLASS, "ada"),
        ("A metal splinter in the fish, how can that be allowed at all?", "ben"),
        ("Your fish fryer caught fire next to my daughter, never again.", "cem"),
    )
    passed_on = tuple((f"RT @ada: {GLASS}", f"z{number}") for number in range(9))

    await reported(world, *own[:1], *passed_on, *own[1:])

    [alarm] = await alarms(world)
    assert (alarm.count, alarm.passed_on) == (3, 9)
    assert "3 reports of safety since 02 Nov 12:00 UTC, and 9 people passed it on." in world.printed
    quoted = [one.words for one in await world.mentions() if one.key in alarm.mentions]
    assert sorted(quoted) == sorted(words for words, _ in own)

    world.now += timedelta(minutes=30)
    await reported(world, ("Glass in the fish again, my tongue is cut and bleeding.", "fay"))
    assert (await alarms(world))[0].count == 4, "it goes on as people tell more"

    world.now += timedelta(hours=5)
    await reported(world, (f"RT @ada: {GLASS}", "gus"))
    assert (await alarms(world))[0].over_at is None
    world.now += timedelta(hours=2)
    await looked(world, await world.service())
    assert (await alarms(world))[0].over_at is not None, "to pass it on is no new report"


async def test_a_rise_counts_who_passes_on_says_so_and_quotes_the_others(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    moments = burst(world, 31)
    await keep(world, moments[5:], flagged=True, words="RT @ada: {number} cold fish, and no reply")
    await keep(world, moments[:5], flagged=True)

    await looked(world, await world.service())

    [alarm] = await alarms(world)
    assert (alarm.count, alarm.passed_on) == (31, 26)
    assert "26 of them only pass on what others wrote." in world.printed
    assert len(alarm.mentions) == 3
    assert world.printed.count("“Fish number") == 3


async def test_where_all_pass_on_nobody_is_quoted(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30), flagged=True, words="RT @ada: {number} cold fish again")

    await looked(world, await world.service())

    [alarm] = await alarms(world)
    assert (alarm.passed_on, alarm.mentions) == (30, [])
    assert "cold fish" not in world.printed


async def test_whom_all_pass_on_is_quoted_also_where_the_model_was_not_sure_of_them(
    world: World,
) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    async with world.store.transaction() as session:
        session.add(Case(brand_id=1, kind=Kind.POST, opened_at=world.now))
    moments = burst(world, 31)
    glove = "So. Found a strip of blue plastic glove in my ready meal lasagne. Not on it, IN it."
    await keep(world, moments[30:], unsure=True, case_id=1, words=glove)
    more = f"For those who are not there {{number}}: {glove}"
    await keep(world, moments[:30], flagged=True, case_id=1, words=more)

    await looked(world, await world.service())

    [alarm] = await alarms(world)
    [first] = [one.key for one in await world.mentions() if one.unsure]
    assert (alarm.count, alarm.passed_on, alarm.mentions) == (30, 30, [first])


async def test_one_who_reports_three_times_is_one(world: World) -> None:
    await settled(world)
    for words in ("Glass in my fish!", "Still glass in the fish.", "There was glass in my fish"):
        await heard(world, said(words, author="ada", published=world.now))
    await judged(world)
    service = await world.service()
    world.now += timedelta(seconds=5)

    await looked(world, service)

    assert await alarms(world) == []


async def test_one_article_about_harm_is_enough(world: World) -> None:
    await settled(world)
    article = said("Fish chain: glass found, two injured", published=world.now, kind=Kind.ARTICLE)
    await heard(world, article)
    await judged(world)
    service = await world.service()
    world.now += timedelta(seconds=5)

    await looked(world, service)

    assert [alarm.sort for alarm in await alarms(world)] == [Sort.SAFETY]


async def test_a_source_that_should_speak_and_does_not(world: World) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=20), until=world.now)
    service = await world.service()
    await looked(world, service)
    world.now += timedelta(hours=30)

    await looked(world, service, 10)

    [alarm] = await alarms(world)
    assert (alarm.sort, alarm.source_id) == (Sort.SILENCE, 1)
    assert "Inbox has brought nothing since" in world.printed

    await keep(world, burst(world, 1))
    await looked(world, service)
    assert (await alarms(world))[0].over_at is not None


async def test_an_alarm_is_seen_to_by_the_first_and_put_off_with_an_end(world: World) -> None:
    await settled(world, "Ana", "Ben")
    async with world.store.transaction() as session:
        session.add(
            Alarm(brand_id=1, about=RISE, sort=Sort.MENTIONS, since=world.now, raised_at=world.now)
        )

    first = await alarming.acknowledge(world.store, 1, "Ana")
    again = await alarming.acknowledge(world.store, 1, "Ana")
    late = await alarming.acknowledge(world.store, 1, "Ben")
    assert [first.new, again.new, late.new] == [True, False, False]
    assert first.said == "You see to alarm 1; nobody else is called."
    assert again.said == "You see to alarm 1 already."
    assert late.said == "Somebody sees to alarm 1 already."
    with pytest.raises(NotAllowed, match="within the next seven days"):
        await alarming.snooze(world.store, 1, "Ana", world.now + timedelta(days=30))
    await alarming.snooze(world.store, 1, "Ana", world.now + timedelta(hours=4))

    [alarm] = await alarms(world)
    assert not alarm.rings(world.now)
    assert alarm.rings(world.now + timedelta(hours=4))


async def test_what_could_not_be_told_is_tried_again(
    world: World,
) -> None:
    await settled(world)
    await used_to(world, timedelta(minutes=40), until=world.now)
    await keep(world, burst(world, 30))
    service = await world.service()
    async with world.store.transaction() as session:
        session.add(AlarmNotice(alarm_id=await one_alarm(world), channel="gone", next_at=world.now))

    await looked(world, service)

    async with world.store.reading() as session:
        gone = (
            await session.exec(select(AlarmNotice).where(col(AlarmNotice.channel) == "gone"))
        ).one()
    assert (gone.sent_at, gone.tries) == (None, 1)
    assert gone.failure == "There is no such channel any more."


async def one_alarm(world: World) -> int:
    """An alarm that is over, by number."""
    async with world.store.transaction() as session:
        alarm = Alarm(
            brand_id=1,
            about="silence 1",
            sort=Sort.SILENCE,
            source_id=1,
            since=world.now - A_DAY,
            raised_at=world.now - A_DAY,
            over_at=world.now - A_DAY,
        )
        session.add(alarm)
        await session.flush()
        return alarm.key
