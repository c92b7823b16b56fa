"""What the database cannot do is said in a sentence, and nobody who reads waits for who writes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from listener.domain.brand import Brand
from listener.domain.staff import Staff
from listener.store import people, sweeping
from listener.store.session import AsyncSession, DatabaseTrouble, Store, now
from tests.given import heard, said, settled
from tests.postgres import Postgres
from tests.world import NOON, World

FORM = "It looks like postgresql://user:password@host/name or sqlite:///path/to/listener.db."
NO_FILE = (
    "DATABASE_URL names an SQLite database without a file, which would forget everything. "
    "Name one: sqlite:///path/to/listener.db."
)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", f"DATABASE_URL is not an address of a database. {FORM}"),
        ("", f"DATABASE_URL is not an address of a database. {FORM}"),
        (
            "postgresql://ada:hunter2@127.0.0.1:port/x",
            f"DATABASE_URL is not an address of a database. {FORM}",
        ),
        (
            "mysql://127.0.0.1/x",
            "DATABASE_URL names the database 'mysql'; we know sqlite and postgresql.",
        ),
        (
            "sqlite://",
            NO_FILE,
        ),
        (
            "sqlite:///:memory:",
            NO_FILE,
        ),
    ],
)
def test_an_address_that_is_none_is_refused_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(DatabaseTrouble) as refusal:
        Store(url)

    assert str(refusal.value) == sentence


async def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    store = Store("postgresql://ada:hunter2@127.0.0.1:1/shop")

    with pytest.raises(DatabaseTrouble) as refusal:
        await store.check()

    assert str(refusal.value) == (
        "The database postgresql://ada:***@127.0.0.1:1/shop cannot be reached "
        "([Errno 111] Connect call failed ('127.0.0.1', 1)). Check DATABASE_URL and that the "
        "server is running."
    )
    await store.close()


async def test_a_database_that_is_not_on_the_server_is_named(postgres: Postgres) -> None:
    store = Store(postgres.url("nowhere"))

    with pytest.raises(DatabaseTrouble, match='refused: database "nowhere" does not exist'):
        await store.check()

    await store.close()


async def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, this is a letter and not a database.\n" * 100)
    store = Store(f"sqlite:///{path}")

    with pytest.raises(DatabaseTrouble, match="refused: file is not a database"):
        async with store.reading() as session:
            await people.every(session)

    await store.close()


async def test_what_a_transaction_did_is_lost_when_it_fails(store: Store) -> None:
    async def hire_and_fail() -> None:
        async with store.transaction() as session:
            session.add(Staff(name="Ana"))
            await session.flush()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await hire_and_fail()

    async with store.reading() as session:
        assert await people.every(session) == []


async def test_reading_does_not_wait_for_a_long_write(store: Store) -> None:
    async with store.transaction() as session:
        session.add(Staff(name="Ana"))
        await session.flush()  # the write lock is taken

        async with asyncio.timeout(60), store.reading() as reader:
            assert await people.every(reader) == []  # what is not yet kept is not yet there

    async with store.reading() as reader:
        assert [person.name for person in await people.every(reader)] == ["Ana"]


async def test_many_readers_at_once_see_one_picture_each(store: Store) -> None:
    async def look() -> int:
        async with store.reading() as session:
            first = len(await people.every(session))
            await asyncio.sleep(0.01)
            return first

    async def hire(number: int) -> None:
        async with store.transaction() as session:
            session.add(Staff(name=f"Agent {number}"))

    async with asyncio.timeout(60):
        await asyncio.gather(*(look() for _ in range(40)), *(hire(n) for n in range(20)))

    async with store.reading() as session:
        assert len(await people.every(session)) == 20


async def test_a_reading_session_cannot_write_on_the_embedded_database(sqlite_url: str) -> None:
    store = Store(sqlite_url)

    async def hire() -> None:
        async with store.reading() as session:
            session.add(Staff(name="Ana"))
            await session.flush()

    with pytest.raises(DatabaseTrouble, match="readonly"):
        await hire()
    await store.close()


async def test_who_cannot_write_for_long_is_told_that_it_is_busy(sqlite_url: str) -> None:
    store, other = Store(sqlite_url), Store(sqlite_url)

    async def hire() -> None:
        async with store.transaction() as session:
            session.add(Staff(name="Ana"))

    async with store.transaction() as session:
        await now_writing(session)
        store.writer.pool._timeout = 0.1  # type: ignore[attr-defined]
        with pytest.raises(DatabaseTrouble) as refusal:
            await hire()
    assert str(refusal.value) == f"The database {store.shown} is too busy just now; we try again."

    async with other.transaction() as session:
        await now_writing(session)
        await impatient(store)
        with pytest.raises(DatabaseTrouble) as refusal:
            await hire()
    assert str(refusal.value) == f"Another program holds {store.shown} locked; we try again."
    await hire()
    await store.close()
    await other.close()


async def now_writing(session: AsyncSession) -> None:
    """Begin the transaction indeed: it has the write lock from now on."""
    _ = await session.connection()


async def impatient(store: Store) -> None:
    """Let the store's writer wait for other programs only a moment."""
    async with store.writer.connect() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute("PRAGMA busy_timeout = 100")  # type: ignore[union-attr]
        await connection.rollback()


async def test_a_full_disk_is_said_as_such_and_ends_by_itself(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    async with store.transaction() as session:
        connection = await session.connection()
        pages = (await connection.execute(sa.text("PRAGMA page_count"))).scalar_one()
        await connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))

    with pytest.raises(DatabaseTrouble) as refusal:
        async with store.transaction() as session:
            session.add(Brand(name="Acme", query="x" * 1_000_000, changed_at=NOON))

    assert str(refusal.value) == (
        f"The disk is full: nothing more can be written to {store.shown}. Make room; "
        "reading goes on by itself from where it stopped."
    )
    async with store.reading() as session:  # pages are still shown
        assert await people.every(session) == []
    async with store.transaction() as session:  # somebody makes room
        await (await session.connection()).execute(sa.text("PRAGMA max_page_count = 1000000"))
    async with store.transaction() as session:
        session.add(Brand(name="Acme", query="x" * 1_000_000, changed_at=NOON))
    await store.close()


async def test_an_error_of_the_database_never_repeats_what_was_to_be_written(
    postgres_url: str,
) -> None:
    store = Store(postgres_url)

    with pytest.raises(DatabaseTrouble) as refusal:
        async with store.transaction() as session:
            session.add(Staff(name="a canary \ud800"))  # half a pair: no codec takes it

    assert "canary" not in str(refusal.value)
    await store.close()


async def test_two_of_one_name_are_refused_without_repeating_it(store: Store) -> None:
    async with store.transaction() as session:
        session.add(Staff(name="a canary"))

    with pytest.raises(DatabaseTrouble) as refusal:
        async with store.transaction() as session:
            session.add(Staff(name="a canary"))

    assert "canary" not in str(refusal.value)


async def test_time_is_the_databases_own_and_always_aware(store: Store) -> None:
    async with store.reading() as session:
        moment = await now(session)

    assert moment.utcoffset() == timedelta(0)


async def test_dead_letters_and_marks_of_repeats_are_dropped_without_stopping_readers(
    world: World,
) -> None:
    await settled(world)
    await heard(world, said("Nothing about anybody.", published=world.now))

    async with world.store.transaction() as session:
        await sweeping.drop_leftovers(session, now=world.now + timedelta(days=15))
        async with asyncio.timeout(60), world.store.reading() as reader:
            await people.every(reader)
