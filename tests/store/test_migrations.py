"""A database goes up and down between versions without losing what is in it, on either kind."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from listener.desk import closing, taking
from listener.domain.case import Outcome
from listener.store import schema
from listener.store.session import DatabaseTrouble, Store
from tests.given import COMPLAINTS, complained, heard, said, settled
from tests.postgres import Postgres
from tests.world import World


async def filled(world: World) -> None:
    """Something in nearly every table."""
    await settled(world)
    await complained(world, *COMPLAINTS)
    edited = said("The fish is still cold.", id="1", published=world.now)
    await heard(world, said("The fish is cold.", id="1", published=world.now))
    await heard(world, edited)
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)


async def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    async with store.reading() as session:
        connection = await session.connection()
        return {
            table.name: sorted(
                (tuple(row) for row in await connection.execute(sa.select(table))), key=repr
            )
            for table in schema.METADATA.sorted_tables
        }


async def test_the_tables_in_the_code_are_those_in_the_database(store: Store) -> None:
    async with store.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(schema.unnamed_differences) == []


async def test_a_filled_database_that_is_up_to_date_stays_as_it_is(world: World) -> None:
    await filled(world)
    before = await contents(world.store)

    assert await schema.upgrade(world.store) == schema.newest()
    await schema.ensure(world.store)

    assert await contents(world.store) == before
    assert sum(bool(rows) for rows in before.values()) >= 10  # it was filled indeed


async def test_every_version_can_be_left_and_entered_again(world: World) -> None:
    await filled(world)

    assert await schema.downgrade(world.store, "base") == schema.newest()
    assert await schema.state(world.store) == (None, schema.newest())
    assert await tables_of(world.store) <= {"alembic_version"}

    assert await schema.upgrade(world.store) is None
    assert await schema.state(world.store) == (schema.newest(), schema.newest())
    async with world.store.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(schema.unnamed_differences) == []
    await filled(world)  # and it works as a new one does


async def test_a_database_of_a_newer_version_is_refused_in_a_sentence(store: Store) -> None:
    async with store.transaction() as session:
        await (await session.connection()).execute(
            sa.text("UPDATE alembic_version SET version_num = '9999'")
        )

    for act in (schema.upgrade(store), schema.ensure(store), schema.downgrade(store, "base")):
        with pytest.raises(DatabaseTrouble) as refusal:
            await act
        assert str(refusal.value) == (
            "The database was made by a newer Listener (its revision is 9999). "
            "Install that version again, or restore the backup from before the upgrade."
        )


@pytest.mark.parametrize(
    "rewriting", ["UPDATE events SET what = 'closed'", "DELETE FROM events WHERE id = 1"]
)
async def test_the_database_itself_refuses_to_rewrite_history(world: World, rewriting: str) -> None:
    await settled(world)
    await complained(world)

    with pytest.raises((DatabaseTrouble, DBAPIError), match="events are never rewritten"):
        async with world.store.transaction() as session:
            await (await session.connection()).execute(sa.text(rewriting))

    assert len(await world.events()) == 1


async def test_history_is_final_also_after_going_down_and_up_again(world: World) -> None:
    await schema.downgrade(world.store, "base")
    await schema.upgrade(world.store)
    await settled(world)
    await complained(world)

    with pytest.raises((DatabaseTrouble, DBAPIError), match="events are never rewritten"):
        async with world.store.transaction() as session:
            await (await session.connection()).execute(sa.text("DELETE FROM events"))


async def test_two_programs_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    url = postgres.create()
    one, other = Store(url), Store(url)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(schema.ensure(one))
            both.create_task(schema.ensure(other))
        assert await schema.state(one) == (schema.newest(), schema.newest())
    finally:
        await one.close()
        await other.close()
        postgres.drop(url)


async def tables_of(store: Store) -> set[str]:
    """The names of the tables that are there."""
    async with store.reading() as session:
        connection = await session.connection()
        return set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
