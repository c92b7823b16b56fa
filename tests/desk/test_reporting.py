"""The report on a crisis: every figure recomputed by a query of its own, nothing deleted quoted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.kit.contract import Kind
from listener.desk import closing, declaring, gathering, holding, replies, reporting, taking
from listener.domain.aftermath import peak, within
from listener.domain.case import Outcome
from listener.domain.crisis import Crisis
from listener.domain.mention import Mention
from listener.domain.miss import Miss
from listener.domain.record import NoRight, NotThere
from listener.store import crises, search
from tests.desk.test_declaring import declared, members, staffed
from tests.desk.test_holding import SORRY, approved, one_crisis, whom
from tests.given import INBOX, heard, judged, said
from tests.replying import Square, outbox, seen
from tests.web.visiting import hired
from tests.world import NOON, World

LATE = "FRESH20 refused for my fish at the till, and the queue behind me laughed"
DELETED = "A zebra ate my FRESH20 fish coupon and the cashier refused"


async def lived_through(world: World) -> Square:
    """A crisis with all that there is: told together, answered by hand, missed, deleted, closed."""
    square = await one_crisis(world)
    world.now += timedelta(minutes=3)
    chosen, mark = await whom(world, square)
    first, second, third = sorted(chosen)
    await holding.tell(
        world.store, square.rule, 1, "Ana", {case: chosen[case] for case in (first, second)}, mark
    )
    world.now += timedelta(minutes=1)
    while await outbox(world, square).step():
        pass
    world.now += timedelta(minutes=10)
    await taking.take(world.store, third, "Ben")
    await replies.send(
        world.store, square.rule, third, "Ben", "Come to the till, please.",
        await seen(world, square, third, "Ben"),
    )  # fmt: skip
    world.now += timedelta(minutes=1)
    while await outbox(world, square).step():
        pass
    await declaring.update(world.store, 1, "Lea", "The till is off.")
    for text, author in ((LATE, "zoe"), (DELETED, "yan")):
        await heard(world, said(text, published=world.now, author=author))
        await judged(world)
        number = max(case.key for case in await world.cases())
        await gathering.bring(world.store, 1, "Ana", number)
    async with world.store.transaction() as session:
        gone = (
            await session.exec(sa.select(Mention).where(sa.text("text LIKE '%zebra%'")))  # type: ignore[call-overload]
        ).scalar_one()
        gone.deleted_at, gone.title, gone.text = world.now, "", ""
    world.now += timedelta(minutes=40)
    service = await world.service()
    while await service.due.step():
        pass
    await service.crisis.step()
    await closing.close(world.store, second, "Ana", Outcome.ANSWERED)
    await declaring.end(world.store, 1, "Lea")
    return square


async def asked(world: World, query: str) -> Any:
    """What the database says of itself."""
    async with world.store.reading() as session:
        return (await session.exec(sa.text(query))).all()  # type: ignore[call-overload]


OF_IT = "SELECT case_id FROM crisis_cases WHERE crisis_id = 1 AND left_at IS NULL"


async def test_every_figure_is_what_a_query_of_its_own_finds(world: World) -> None:
    await lived_through(world)

    found = await reporting.report(world.store, 1, "Mia")

    [[cases]] = await asked(world, f"SELECT COUNT(*) FROM ({OF_IT}) t")
    [[posts, deleted]] = await asked(
        world, f"SELECT COUNT(*), COUNT(deleted_at) FROM mentions WHERE case_id IN ({OF_IT})"
    )
    people = await asked(
        world,
        f"SELECT connector, author_id FROM mentions WHERE case_id IN ({OF_IT}) "
        "GROUP BY connector, author_id",
    )
    assert (len(found.cases), found.posts, found.deleted) == (cases, posts, deleted) == (5, 5, 1)
    assert found.people == len(people) == 5
    assert found.places == [("webhook", 5)]
    waits = sorted(
        case.first_answered_at - case.opened_at
        for case in await world.cases()
        if case.first_answered_at is not None and case.key in {one.case for one in found.cases}
    )
    assert list(found.waits) == waits
    assert len(waits) == 3
    assert (found.median, found.ninetieth) == (waits[1], waits[2])
    assert [one.case for one in found.unanswered] == [4 + 1, 4 + 2]
    missed = [one for one in await world.all_of(Miss) if one.withdrawn_at is None]
    assert [one.case for one in found.late] == sorted(one.case_id for one in missed)
    assert {one.case for one in found.late} == {5, 6}
    assert len(found.missed_updates) == 1
    assert found.updates == 1


async def test_it_tells_when_what_happened_and_what_we_said(world: World) -> None:
    await lived_through(world)

    found = await reporting.report(world.store, 1, "Lea")

    says = [one.says for one in found.moments]
    for line in ("The first post", "Lea declared it", "The first answer", "Lea wrote an update",
                 "Lea ended it", "Ana sent the holding reply to 2 people"):  # fmt: skip
        assert line in says
    assert says.index("The first post") < says.index("Lea declared it")
    assert says.index("The first answer") < says.index("Lea wrote an update")
    assert [one.at for one in found.moments] == sorted(one.at for one in found.moments)
    [update] = [one for one in found.moments if one.says == "Lea wrote an update"]
    assert update.note == "The till is off."
    together, alone = found.texts
    assert (together.text, together.holding, len(together.cases)) == (SORRY, True, 2)
    assert (alone.text, alone.holding) == ("Come to the till, please.", False)
    assert found.ended_by == "Lea"


async def test_what_is_deleted_is_counted_and_not_quoted(world: World) -> None:
    await lived_through(world)

    found = await reporting.report(world.store, 1, "Lea")

    assert len(found.quotes) == 3
    assert not any("zebra" in quote.words for quote in found.quotes)
    [gone] = [one for one in found.cases if one.deleted]
    assert (gone.posts, gone.author) == (1, "")
    lines = list(reporting.rows(found))
    assert len(lines) == 6
    assert {len(line) for line in lines} == {len(reporting.HEAD)}
    assert "Yan" not in str(lines)


async def test_what_was_no_complaint_of_ours_is_counted_nowhere(world: World) -> None:
    await one_crisis(world)
    [first, *_] = sorted(await members(world))
    await taking.take(world.store, first, "Ana")
    await closing.close(world.store, first, "Ana", Outcome.SPAM)

    found = await reporting.report(world.store, 1, "Lea")

    assert (len(found.cases), found.people, found.posts, found.none_of_it) == (2, 2, 2, 1)
    async with world.store.reading() as session:
        [shown] = await crises.shown(session, brands=None)
        listed = await search.search(session, search.Search(crisis_id=1))
    assert shown.numbers.cases == 2
    assert len(listed.mentions) == 2


async def test_a_crisis_without_cases_has_a_report_too(world: World) -> None:
    await staffed(world)
    await declared(world)

    found = await reporting.report(world.store, 1, "Lea")

    assert (len(found.cases), found.people, found.median, found.quotes) == (0, 0, None, [])
    assert [one.says for one in found.moments] == ["Lea declared it", "Lea leads it"]


async def test_it_is_for_those_who_may_read_of_the_brand(world: World) -> None:
    await one_crisis(world)
    await approved(world, "Else.", "fr")

    with pytest.raises(NoRight):
        await reporting.report(world.store, 1, "Ana")
    with pytest.raises(NotThere):
        await reporting.report(world.store, 1, "Eve")
    with pytest.raises(NotThere):
        await reporting.report(world.store, 2, "Lea")


async def test_a_report_takes_in_thousands_of_cases(world: World) -> None:
    await hired(world, "Lea")
    await world.set_up(sources=[INBOX])
    async with world.store.transaction() as session:
        crisis = Crisis(
            brand_id=1, name="Big", lead_id=1, declared_by=1, declared_at=NOON, update_due_at=NOON
        )
        session.add(crisis)
        await session.flush()
        number = crisis.key
        await session.exec(  # type: ignore[call-overload]
            sa.text(
                "INSERT INTO cases (brand_id, status, kind, urgent, unsure, priority, crisis, "
                "reasons, opened_at, wakes_on_answer, reopened, mentions, policy_version, pauses, "
                "waits) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                "6000) SELECT 1, 'open', :kind, :no, :no, 10, :no, '[]', :at, :no, 0, 1, 0, '[]', "
                "'[]' FROM n"
            ).bindparams(
                sa.bindparam("at", NOON, sa.DateTime(timezone=True)), kind=Kind.POST.value, no=False
            )
        )
        await session.exec(  # type: ignore[call-overload]
            sa.text(
                "INSERT INTO crisis_cases (crisis_id, case_id, how, since, tagged) "
                "SELECT :number, id, 'hand', opened_at, :no FROM cases"
            ).bindparams(number=number, no=False)
        )
    async with world.store.reading() as session:
        found = await reporting.made(session, crisis, now=NOON)

    assert len(found.cases) == 6_000
    assert await members(world, number)


@pytest.mark.parametrize(
    ("waits", "half", "most"),
    [([], None, None), ([5], 5, 5), ([1, 9], 1, 9), (list(range(1, 11)), 5, 9)],
)
def test_half_and_nine_of_ten(waits: list[int], half: int | None, most: int | None) -> None:
    spans = [timedelta(minutes=one) for one in waits]

    assert within(spans, 50) == (None if half is None else timedelta(minutes=half))
    assert within(spans, 90) == (None if most is None else timedelta(minutes=most))


def test_the_peak_is_the_first_of_the_fullest_quarters() -> None:
    def at(*minutes: int) -> list[datetime]:
        return [NOON + timedelta(minutes=one) for one in minutes]

    assert peak([]) is None
    assert peak(at(14, 1, 15, 29, 50)) == (NOON + timedelta(minutes=1), 2)
