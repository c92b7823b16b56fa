"""A backup is the whole database, whatever goes on meanwhile, and it comes back on either kind."""

import asyncio
import gzip
import stat
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from listener.desk import closing, replies, taking
from listener.domain.case import Outcome
from listener.domain.event import What
from listener.domain.reply import Reply, State
from listener.store import backups, schema
from listener.store.archive import BadBackup
from listener.store.session import Store
from tests.given import COMPLAINTS, complained, heard, said, settled
from tests.postgres import Postgres
from tests.replying import Square, held, outbox, seen
from tests.world import World

LOCK = {"lock": "the mark of a key", "made_by": "0.1.0"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[Store]:
    """A database of either kind in which there is nothing at all, not even a table."""
    on_server = request.param == "postgresql"
    url = postgres.create() if on_server else f"sqlite:///{tmp_path / 'restored.db'}"
    store = Store(url)
    yield store
    await store.close()
    if on_server:
        postgres.drop(url)


@pytest.fixture
async def another(tmp_path: Path) -> AsyncIterator[Store]:
    """An embedded database in which there is nothing at all."""
    store = Store(f"sqlite:///{tmp_path / 'another.db'}")
    yield store
    await store.close()


async def filled(world: World) -> None:
    """Something in many tables: text of all kinds, times, yes and no, lists, and nothing."""
    await settled(world)
    await complained(world, *COMPLAINTS)
    await heard(world, said("The fish is cold.", id="1", published=world.now))
    await heard(world, said("Der Fisch ist kalt 🐟 \\ \"'\n\t€", id="1", published=world.now))
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.NOT_US)
    await taking.take(world.store, 2, "Ben")


async def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that is not made anew."""
    async with store.reading() as session:
        connection = await session.connection()
        return {
            table.name: sorted(
                (tuple(row) for row in await connection.execute(sa.select(table))), key=repr
            )
            for table in schema.METADATA.sorted_tables
            if table.name not in backups.MADE_ANEW
        }


async def test_everything_comes_back_in_a_database_of_either_kind(
    world: World, empty: Store, tmp_path: Path
) -> None:
    await filled(world)
    before = await contents(world.store)

    kept = await backups.write(world.store, tmp_path / "backup", **LOCK)
    done = await backups.restore(empty, tmp_path / "backup")

    assert await contents(empty) == before
    assert sum(bool(rows) for rows in before.values()) >= 10  # it was filled indeed
    assert kept == done.kept
    assert kept.rows == sum(len(rows) for rows in before.values())
    assert done.head.lock == "the mark of a key"
    assert await schema.state(empty) == (schema.newest(), schema.newest())


async def test_nothing_stays_nothing_and_is_not_the_word_null(
    world: World, empty: Store, tmp_path: Path
) -> None:
    await settled(world)
    asked = sa.text("SELECT CAST(options AS TEXT), brands IS NULL FROM sources")

    await backups.write(world.store, tmp_path / "backup", **LOCK)
    await backups.restore(empty, tmp_path / "backup")

    found = []
    for store in (world.store, empty):
        async with store.reading() as session:
            row = (await (await session.connection()).execute(asked)).one()
            found.append((orjson.loads(row[0]), bool(row[1])))
    assert found[0] == found[1]


async def test_what_comes_back_works_on_and_its_words_are_found_again(
    world: World, another: Store, tmp_path: Path
) -> None:
    await filled(world)
    await backups.write(world.store, tmp_path / "backup", **LOCK)
    await backups.restore(another, tmp_path / "backup")
    before = await world.cases()

    world.store, former = another, world.store
    another._clock = lambda: world.now
    await complained(world, "A new complaint about the fish, long after the move to here.")

    after = await world.cases()
    assert [one.id for one in after[: len(before)]] == [one.id for one in before]
    assert len(after) == len(before) + 2  # one mention had not been judged yet
    async with another.reading() as session:
        waiting = sa.text("SELECT count(*) FROM unindexed")
        waits = (await (await session.connection()).execute(waiting)).scalar_one()
    assert waits == len(await world.mentions())
    world.store = former


async def test_a_backup_while_others_write_is_one_picture(
    world: World, another: Store, tmp_path: Path
) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS)
    enough = asyncio.Event()

    async def people_complain() -> int:
        number = 0
        while not enough.is_set():
            number += 1
            await complained(world, f"Fish number {number} was {chr(97 + number % 26) * 9}.")
        return number

    writing = asyncio.create_task(people_complain())
    try:
        for _ in range(4):  # the last of them is looked at
            (tmp_path / "backup").unlink(missing_ok=True)
            before = len(await world.events())
            while len(await world.events()) == before:  # others are at it
                await asyncio.sleep(0)
            await backups.write(world.store, tmp_path / "backup", **LOCK)
    finally:
        enough.set()
        assert await writing > 0
    await backups.restore(another, tmp_path / "backup")

    async with another.reading() as session:
        connection = await session.connection()
        cases, opened, spoken = [
            sorted((await connection.execute(sa.text(asked))).scalars())
            for asked in (
                "SELECT id FROM cases",
                "SELECT case_id FROM events WHERE what = 'opened'",
                "SELECT DISTINCT case_id FROM mentions WHERE case_id IS NOT NULL",
            )
        ]
    assert opened == cases == spoken


async def test_a_backup_of_an_older_version_is_brought_up_to_date(
    world: World, empty: Store, tmp_path: Path
) -> None:
    await filled(world)
    before = await contents(world.store)
    await schema.downgrade(world.store, "0015")

    await backups.write(world.store, tmp_path / "backup", **LOCK)
    done = await backups.restore(empty, tmp_path / "backup")

    assert done.head.revision == "0015"
    assert await schema.state(empty) == (schema.newest(), schema.newest())
    after = await contents(empty)
    assert after["events"] == before["events"]
    assert after["mentions"] == before["mentions"]


async def test_a_reply_that_was_on_its_way_is_not_sent_a_second_time(
    world: World, another: Store, tmp_path: Path
) -> None:
    case, square = await held(world), Square()
    look = await seen(world, square, case)
    await replies.send(world.store, square.rule, case, "Ana", "We are sorry, Ada.", look)
    await backups.write(world.store, tmp_path / "backup", **LOCK)
    world.now += timedelta(minutes=1)
    await outbox(world, square).step()
    assert len(square.standing) == 1

    done = await backups.restore(another, tmp_path / "backup")
    world.store, former = another, world.store
    another._clock = lambda: world.now
    world.now += timedelta(days=1)
    await outbox(world, square).step()

    assert done.unclear == 1
    assert square.asked == 1
    [reply] = await world.all_of(Reply)
    assert reply.state is State.UNCLEAR
    assert reply.failure == backups.ON_ITS_WAY
    assert (await world.events())[-1].what is What.FAILED
    world.store = former


async def test_no_number_is_given_a_second_time(
    postgres_url: str, postgres: Postgres, tmp_path: Path
) -> None:
    async with World(postgres_url, tmp_path) as world:
        await settled(world)
        await complained(world, *COMPLAINTS)
        [*_, last] = await world.notices()
        async with world.store.transaction() as session:
            await session.delete(last)
        await backups.write(world.store, tmp_path / "backup", **LOCK)
    url = postgres.create()
    async with World(url, tmp_path) as other:
        await backups.restore(other.store, tmp_path / "backup")
        await complained(other, "One more complaint about a fish that nobody had ordered.")

        assert min(one.key for one in (await other.notices())[-1:]) > last.key
    postgres.drop(url)


async def test_only_an_empty_database_is_filled(world: World, tmp_path: Path) -> None:
    await filled(world)
    await backups.write(world.store, tmp_path / "backup", **LOCK)
    before = await contents(world.store)

    with pytest.raises(BadBackup, match=r"is not empty .* restored into an empty database only"):
        await backups.restore(world.store, tmp_path / "backup")

    assert await contents(world.store) == before


async def test_tables_that_hold_nothing_count_as_empty(
    world: World, empty: Store, tmp_path: Path
) -> None:
    await filled(world)
    await backups.write(world.store, tmp_path / "backup", **LOCK)
    await schema.upgrade(empty)  # as `listener init` does

    await backups.restore(empty, tmp_path / "backup")

    assert await contents(empty) == await contents(world.store)


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: raw[: len(raw) * 2 // 3],
        lambda raw: gzip.compress(gzip.decompress(raw).replace(b"cold", b"warm")),
        lambda raw: gzip.compress(b"\n".join(gzip.decompress(raw).split(b"\n")[:-2])),
        lambda raw: gzip.compress(b"\n".join(gzip.decompress(raw).split(b"\n")[5:])),
        lambda raw: b"not a backup " + raw,
        lambda _raw: b"",
        lambda _raw: gzip.compress(b'"listener"\n'),
    ],
    ids=["cut off", "changed", "no proof", "no head", "something else", "nothing", "no backup"],
)
async def test_what_is_not_whole_is_refused_and_nothing_restored(
    sqlite_url: str,
    another: Store,
    tmp_path: Path,
    harm: Callable[[bytes], bytes],
) -> None:
    file = tmp_path / "backup"
    async with World(sqlite_url, tmp_path) as world:
        await filled(world)
        await backups.write(world.store, file, **LOCK)
    file.write_bytes(harm(file.read_bytes()))

    with pytest.raises(BadBackup, match="is not a whole backup of Listener"):
        await backups.restore(another, file)

    assert (await schema.state(another))[0] is None


async def test_a_backup_of_a_newer_version_is_refused_in_a_sentence(
    world: World, another: Store, tmp_path: Path
) -> None:
    async with world.store.transaction() as session:
        newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
        await (await session.connection()).execute(newer)
    await backups.write(world.store, tmp_path / "backup", lock="", made_by="7.0")

    with pytest.raises(BadBackup, match=r"was made by a newer Listener \(7.0\)"):
        await backups.restore(another, tmp_path / "backup")


async def test_a_backup_is_for_its_owner_alone_and_never_written_over(
    world: World, tmp_path: Path
) -> None:
    await filled(world)
    file = tmp_path / "backup"
    await backups.write(world.store, file, **LOCK)
    first = file.read_bytes()

    with pytest.raises(BadBackup, match="is there already and stays as it is"):
        await backups.write(world.store, file, **LOCK)

    assert file.read_bytes() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await asyncio.to_thread(lambda: list(tmp_path.glob(".*.part"))) == []


async def test_secrets_stay_sealed_in_a_backup(world: World, tmp_path: Path) -> None:
    await filled(world)
    await backups.write(world.store, tmp_path / "backup", **LOCK)

    words = gzip.decompress((tmp_path / "backup").read_bytes())

    assert b"sealed" in words
    assert b"whsec_" not in words
