"""The queue shows each case in its lists, most pressing first, and never looks at every mention."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from connectors.kit.contract import Kind, Rating
from listener.desk import closing, noting, taking
from listener.domain.case import Case, Outcome, Status
from listener.domain.mention import Mention
from listener.store import mentions, people, queue, tags
from listener.store.queue import Filters, Page, Queue, Viewer
from listener.store.session import AsyncSession
from tests.given import (
    COMPLAINTS,
    INBOX,
    Cheerful,
    Doubting,
    complained,
    heard,
    judged,
    said,
    settled,
)
from tests.world import World

COLD, SLOW, MONEY, HAIR, FILTHY = COMPLAINTS
DAY = timedelta(days=1)


def ana(world: World, **more: Any) -> Viewer:
    """Ana, who is the first of the staff, at this moment."""
    today = world.now.replace(hour=0, minute=0)
    return replace(Viewer(staff_id=1, now=world.now, today=today), **more)


async def page(world: World, which: Queue = Queue.ALL, **more: Any) -> Page:
    async with world.store.reading() as session:
        return await queue.page(session, which, more.pop("viewer", ana(world)), **more)


async def ids(world: World, which: Queue = Queue.ALL, **filters: Any) -> list[int]:
    return [row.id for row in (await page(world, which, filters=Filters(**filters))).rows]


async def counts(world: World, **viewer: Any) -> dict[str, int]:
    async with world.store.reading() as session:
        found = await queue.counts(session, ana(world, **viewer))
    return {one.value: number for one, number in found.items() if number}


async def change(world: World, case_id: int, **values: Any) -> None:
    async with world.store.transaction() as session:
        case = await session.get_one(Case, case_id)
        for name, value in values.items():
            setattr(case, name, value)


async def test_a_case_is_in_the_lists_that_it_belongs_to(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW, MONEY, HAIR, FILTHY)
    await taking.take(world.store, 1, "Ana")
    await taking.take(world.store, 2, "Ben")
    await change(world, 3, snoozed_until=world.now + DAY)
    await change(world, 4, status=Status.ANSWERED, owner_id=2)
    await closing.close(world.store, 5, "Ana", Outcome.NO_REPLY_NEEDED)
    await heard(world, said("Is this fish?", author="zoe", published=world.now))
    await judged(world, Doubting())

    assert await ids(world, Queue.MINE) == [1]
    assert await ids(world, Queue.UNOWNED) == []
    assert await ids(world, Queue.UNSURE) == [6]
    assert await ids(world, Queue.WAITING) == [4]
    assert await ids(world, Queue.SNOOZED) == [3]
    assert await ids(world, Queue.DONE) == [5]
    assert set(await ids(world)) == {1, 2, 3, 4, 6}
    assert await counts(world) == {
        "mine": 1, "unsure": 1, "waiting": 1, "snoozed": 1, "done": 1, "all": 5
    }  # fmt: skip


async def test_every_count_is_the_length_of_its_list(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS)
    await taking.take(world.store, 2, "Ana")
    await change(world, 3, snoozed_until=world.now + timedelta(minutes=30))

    for hours in (0, 2, 4, 30):
        world.now += timedelta(hours=hours)
        lengths = {one.value: len(await ids(world, one)) for one in Queue}
        assert await counts(world) == {name: n for name, n in lengths.items() if n}


async def test_a_snoozed_case_comes_back_when_its_time_has_come(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    await change(world, 1, snoozed_until=world.now + timedelta(hours=1))
    assert await ids(world, Queue.UNOWNED) == []

    world.now += timedelta(hours=1)

    assert await ids(world, Queue.UNOWNED) == [1]
    assert await ids(world, Queue.SNOOZED) == []


async def test_due_soon_is_what_breaches_within_the_hour_or_has(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW, MONEY)
    await change(world, 1, due_at=world.now + timedelta(minutes=59))
    await change(world, 2, due_at=world.now - timedelta(days=1))

    assert await ids(world, Queue.DUE) == [2, 1]


async def test_most_pressing_first_and_unsure_last(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW, MONEY, HAIR)
    await change(world, 1, unsure=True, due_at=None, priority=99)
    await change(world, 2, due_at=world.now + timedelta(minutes=5))
    await change(world, 3, urgent=True)
    await change(world, 4, due_at=world.now + timedelta(hours=3))

    rows = (await page(world)).rows

    assert [row.id for row in rows] == [3, 2, 4, 1]
    assert rows[1].why == "priority 38: 95 % complaint, 5 min to breach"
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)


async def test_a_long_list_is_read_page_by_page_without_gap_or_repeat(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS)
    whole = await ids(world)

    read, after = [], None
    while True:
        part = await page(world, after=after, limit=2)
        read += [row.id for row in part.rows]
        if part.after is None:
            break
        after = part.after
        await closing.close(world.store, read[-1], "Ana", Outcome.SPAM)  # what is read may leave

    assert read == whole
    assert len(whole) == len(COMPLAINTS)


@pytest.mark.parametrize("after", ["", ".", "1", "x.y", "1.5.7", "9" * 40 + ".1", "'; DROP", "٣.٣"])
async def test_a_page_mark_that_is_none_of_ours_harms_nothing(world: World, after: str) -> None:
    await settled(world)
    await complained(world, COLD)

    assert {row.id for row in (await page(world, after=after)).rows} <= {1}


async def test_a_row_has_all_that_a_list_shows(world: World) -> None:
    await settled(world)
    post = said(
        COLD, published=world.now, language="en", kind=Kind.REVIEW, reach=1200, title="Never again",
        rating=Rating(value=1, lowest=1, highest=5),
    )  # fmt: skip
    await heard(world, post)
    await judged(world)
    await taking.take(world.store, 1, "Ben")

    [row] = (await page(world)).rows

    assert (row.brand, row.owner, row.holder) == ("Acme", "Ben", "Ben")
    assert (row.status, row.mentions) == (Status.OWNED, 1)
    assert row.lead is not None
    lead = row.lead
    assert (lead.source, lead.connector) == ("Inbox", "webhook")
    assert (lead.title, lead.text, lead.cut) == ("Never again", COLD, False)
    assert [lead.text[start:end] for start, end in lead.marks] == ["fish"]
    assert (lead.stars, lead.reach, lead.author, lead.language) == (1.0, 1200, "Ada", "en")
    assert not lead.edited
    assert not lead.deleted

    world.now += timedelta(minutes=11)  # Ben has gone for lunch
    assert (await page(world)).rows[0].holder is None


async def test_of_a_long_text_a_row_shows_what_stands_around_the_brands_name(world: World) -> None:
    await settled(world)
    await heard(
        world, said("So. " * 500 + "The fish was cold. " + "Bah! " * 500, published=world.now)
    )
    await judged(world)

    [row] = (await page(world)).rows

    assert row.lead is not None
    assert len(row.lead.text) == 400
    assert row.lead.cut
    assert [row.lead.text[start:end] for start, end in row.lead.marks] == ["fish"]


async def test_a_case_whose_first_post_was_deleted_is_shown_by_the_next(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="one", author="ada", published=world.now))
    await heard(world, said(COLD, id="two", author="ben", published=world.now))
    await judged(world)

    await heard(world, gone=["one"])
    [row] = (await page(world)).rows
    assert row.lead is not None
    assert (row.lead.author, row.lead.deleted, row.mentions) == ("Ben", False, 2)

    await heard(world, gone=["two"])
    [row] = (await page(world)).rows
    assert row.lead is not None
    assert (row.lead.text, row.lead.deleted) == ("", True)


async def test_filters_ask_for_what_a_mention_of_the_case_is(world: World) -> None:
    await settled(world)
    poor = Rating(value=2, lowest=0, highest=10)  # 1.8 stars
    fair = Rating(value=3, lowest=1, highest=5)
    await heard(
        world,
        said(COLD, published=world.now, language="en", rating=poor),
        said(SLOW, published=world.now, language="de", rating=fair, reach=20_000),
        said(MONEY, published=world.now),
    )
    await judged(world)

    assert await ids(world, stars=2) == [1]
    assert set(await ids(world, stars=3)) == {1, 2}
    assert await ids(world, language="de") == [2]
    assert await ids(world, reach=10_000) == [2]
    assert set(await ids(world, place="webhook")) == {1, 2, 3}
    assert await ids(world, place="mastodon") == []
    assert set(await ids(world, source="Inbox")) == {1, 2, 3}
    assert await ids(world, source="Nowhere") == []
    assert set(await ids(world, brand="Acme", stars=3)) == {1, 2}
    assert await ids(world, brand="Nobody") == []


async def test_filters_ask_for_an_owner_and_an_age(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    world.now += timedelta(hours=3)
    await complained(world, SLOW)
    await taking.take(world.store, 2, "Ben")

    assert await ids(world, owner="Ben") == [2]
    assert await ids(world, owner="Ana") == []
    assert await ids(world, age=timedelta(hours=3)) == [1]


async def test_a_row_has_its_tags_and_is_found_by_them(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW)
    async with world.store.transaction() as session:
        await tags.put(session, 2, ["late", "counter"])

    assert [list(row.tags) for row in (await page(world)).rows] == [[], ["counter", "late"]]
    assert await ids(world, tag="late") == [2]
    assert await ids(world, tag="lat") == []


async def two_brands(world: World) -> None:
    """Acme is found by fish, Bits by bread; each has one case."""
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bits", "query": "bread"}],
        sources=[INBOX],
    )
    await world.hire("Ana")
    await complained(world, COLD, "The bread was as hard as a brick this morning, again and again.")


async def test_nobody_sees_or_counts_cases_of_a_brand_behind_a_wall(world: World) -> None:
    await two_brands(world)

    for which in (Queue.ALL, Queue.UNOWNED):
        assert [r.id for r in (await page(world, which, viewer=ana(world, brands=[2]))).rows] == [2]
        assert not (await page(world, which, viewer=ana(world, brands=[]))).rows
    assert await counts(world, brands=[2]) == {"unowned": 1, "all": 1}
    assert await counts(world, brands=[]) == {}
    async with world.store.reading() as session:
        assert await queue.free(session, ana(world, brands=[2]), limit=9) == [2]


async def test_the_next_to_take_is_the_most_pressing_that_nobody_has(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW, MONEY)
    await change(world, 3, urgent=True)
    await change(world, 1, due_at=world.now + timedelta(minutes=1))

    async with world.store.reading() as session:
        assert await queue.free(session, ana(world), limit=9) == [3, 1, 2]
    await taking.take(world.store, 3, "Ben")
    async with world.store.reading() as session:
        assert await queue.free(session, ana(world)) == [1]


# --- what it costs


async def crowded(world: World) -> None:
    """Enough praise and enough closed cases that looking through all of them would be unwise."""
    await settled(world)
    await heard(world, *(said(f"Lovely fish {n}", published=world.now) for n in range(1500)))
    await judged(world, Cheerful())
    await complained(world, *COMPLAINTS)
    async with world.store.transaction() as session:
        connection = await session.connection()
        first = (await connection.execute(sa.select(Case))).mappings().first()
        assert first is not None
        old = dict(first) | {"status": Status.CLOSED, "closed_at": world.now - 9 * DAY}
        await connection.execute(
            sa.insert(Case), [old | {"id": number} for number in range(100, 1600)]
        )
        await connection.execute(sa.text("ANALYZE"))


async def plans(world: World, ask: Any) -> list[str]:
    """How the database would answer what is asked of it."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            said.append((statement, parameters))

    async with world.store.reading() as session:
        connection = await session.connection()
        engine = connection.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            await ask(session)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        word = "EXPLAIN QUERY PLAN" if world.store.is_sqlite else "EXPLAIN"
        lines = []
        for statement, parameters in said:
            answer = await connection.exec_driver_sql(f"{word} {statement}", parameters)
            lines += [str(row[-1]) for row in answer]
        return lines


FULL = (f"SCAN {Mention.__tablename__}", f"Seq Scan on {Mention.__tablename__}")


async def test_no_list_looks_at_every_mention(world: World) -> None:
    await crowded(world)

    for which in Queue:
        for filters in (None, Filters(place="webhook", stars=2.0, language="en", reach=9)):

            async def ask(
                session: AsyncSession, which: Queue = which, filters: Filters | None = filters
            ) -> None:
                await queue.page(session, which, ana(world), filters)

            told = await plans(world, ask)

            assert told
            assert not [line for line in told if any(full in line for full in FULL)]


async def test_what_waits_for_a_verdict_is_found_without_looking_at_the_rest(world: World) -> None:
    await crowded(world)

    for ask in (
        mentions.waiting,
        lambda session: mentions.waiting(session, 1),
        mentions.oldest_waiting,
        lambda session: mentions.take_unjudged(session, limit=9, now=world.now),
    ):
        told = await plans(world, ask)

        assert [line for line in told if "ix_mentions_waiting" in line], told


async def test_counting_looks_only_at_what_is_not_closed(world: World) -> None:
    await crowded(world)

    told = await plans(world, lambda session: queue.counts(session, ana(world)))

    assert not [line for line in told if "mentions" in line]
    assert [line for line in told if "ix_cases_desk" in line]
    assert not [line for line in told if line.startswith("SCAN cases") and "ix_cases_" not in line]


async def test_a_note_that_calls_somebody_puts_the_case_among_theirs_until_they_have_seen_it(
    world: World,
) -> None:
    await settled(world)
    await complained(world)
    await taking.take(world.store, 1, "Ana")
    await noting.note(world.store, 1, "Ana", "@Ben, is this your van?")
    async with world.store.reading() as session:
        ben = await people.named(session, "Ben")
    assert ben is not None
    viewer = Viewer(staff_id=ben.key, now=world.now, today=world.now)

    async with world.store.reading() as session:
        called = await queue.page(session, Queue.MINE, viewer)
        counted = await queue.counts(session, viewer)
    await noting.seen(world.store, 1, "Ben")
    async with world.store.reading() as session:
        seen = await queue.page(session, Queue.MINE, viewer)

    assert ([row.id for row in called.rows], counted[Queue.MINE]) == ([1], 1)
    assert list(seen.rows) == []
