"""Missed deadlines stand on a page by name, within the walls of whoever looks."""

import csv
import io
from datetime import UTC, datetime, timedelta

from listener.desk import closing, taking
from listener.domain.case import Outcome
from listener.domain.deadline import Clock
from listener.domain.miss import Miss
from listener.domain.staff import Role
from tests.given import COMPLAINTS, INBOX, complained, settled
from tests.stages.test_due import due_all
from tests.web.visiting import Seen, hired, street
from tests.world import World

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


async def asked(world: World, path: str, name: str = "Lea") -> Seen:
    async with street(world) as place:
        return await (await place.signed_in(name)).get(path)


async def two_missed(world: World) -> None:
    """Acme's case, which is Ana's and still waits; Bolt's, which was closed too late."""
    world.now = MONDAY
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await world.hire("Ana")
    await hired(world, "Lea", Role.LEAD)
    await hired(world, "Mia", Role.MANAGER, brands=[1])
    nuts = "The nuts you sold me were old, and the bag was torn open at the bottom."
    await complained(world, COMPLAINTS[0], nuts)
    await taking.take(world.store, 1, "Ana")
    world.now = MONDAY + timedelta(hours=5)
    await due_all(world)
    await closing.close(world.store, 2, "Lea", Outcome.NO_REPLY_NEEDED)
    world.now = MONDAY + timedelta(hours=6)
    await due_all(world)


async def test_each_has_its_case_its_clock_by_how_much_and_whose_it_was(world: World) -> None:
    await two_missed(world)

    seen = (await asked(world, "/breaches")).text

    assert "2 deadlines" in seen
    assert '<a href="/cases/1">Case 1</a>' in seen
    assert "First reply" in seen
    assert (MONDAY + timedelta(hours=4)).isoformat() in seen
    assert "<td>2 h</td>" in seen  # Acme's, which still waits
    assert "<td>1 h</td>" in seen  # Bolt's, which was closed after five
    assert seen.count("Still waits") == 1
    assert '<a href="/breaches?owner=Ana">Ana</a>' in seen
    assert "nobody’s" in seen


async def test_nobody_reads_what_other_brands_missed(world: World) -> None:
    await two_missed(world)

    seen = (await asked(world, "/breaches", "Mia")).text
    table = (await asked(world, "/breaches.csv", "Mia")).text

    assert "Case 1" in seen
    assert "Case 2" not in seen
    assert "Bolt" not in seen + table
    assert (await asked(world, "/breaches?brand=Bolt", "Mia")).status == 404


async def test_the_filters_find_and_say_when_there_is_none(world: World) -> None:
    await two_missed(world)

    for query, cases in (
        ("which=open", {1}),
        ("which=late", {2}),
        ("brand=Bolt", {2}),
        ("owner=Ana", {1}),
        ("clock=first+reply", {1, 2}),
        ("clock=resolution", set()),
        ("since=2026-11-02&until=2026-11-02", {1, 2}),
        ("since=2026-11-03", set()),
        ("until=2026-11-01", set()),
        ("which=withdrawn", set()),
        ("since=nonsense&clock=none&after=x_1", {1, 2}),
    ):
        seen = (await asked(world, f"/breaches?{query}")).text
        assert {number for number in (1, 2) if f"/cases/{number}" in seen} == cases, query
        assert ("None of these was missed." in seen) == (not cases), query


async def test_what_was_withdrawn_stays_with_the_reason(world: World) -> None:
    await two_missed(world)
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)
    await due_all(world)

    assert "Case 1" not in (await asked(world, "/breaches")).text
    seen = (await asked(world, "/breaches?which=withdrawn")).text
    assert "it was no complaint: not us" in seen


async def test_the_table_is_safe_and_has_all_of_them(world: World) -> None:
    await two_missed(world)
    async with world.store.transaction() as session:
        for miss in await world.all_of(Miss):
            kept = await session.get_one(Miss, miss.key)
            kept.policy = "=1+1"

    answer = await asked(world, "/breaches.csv")

    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(one["case"], one["minutes late"], one["state"]) for one in rows] == [
        ("2", "60", "too late"),
        ("1", "120", "still waits"),
    ]
    assert all(not one["policy"].startswith("=") for one in rows)


async def test_a_long_list_goes_on_and_repeats_nothing(world: World) -> None:
    await two_missed(world)
    async with world.store.transaction() as session:
        for number in range(60):
            due = MONDAY - timedelta(days=1 + number // 2)
            session.add(
                Miss(
                    case_id=1, brand_id=1, clock=Clock.FIRST, since=due - timedelta(hours=number),
                    policy="old", due_at=due, first_due_at=due, found_at=due, ended_at=due,
                )
            )  # fmt: skip

    first = (await asked(world, "/breaches")).text
    more = first.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await asked(world, more)).text

    assert "62 deadlines" in first
    assert first.count('<th scope="row">') + second.count('<th scope="row">') == 62
    assert 'class="more"' not in second


async def test_where_nothing_was_missed_the_page_says_so(world: World) -> None:
    await settled(world)
    await hired(world, "Lea", Role.LEAD)

    assert "No deadline was missed." in (await asked(world, "/breaches")).text


async def test_the_digest_leads_there(world: World) -> None:
    await two_missed(world)

    seen = (await asked(world, "/digest?brand=Acme&of=day&on=2026-11-02")).text

    assert 'href="/breaches?brand=Acme&amp;since=2026-11-02&amp;until=2026-11-02"' in seen
