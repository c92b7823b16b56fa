"""SQLite with one errand a statement: everything SQLAlchemy asks of a driver still holds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosqlite import Connection
from sqlalchemy.exc import OperationalError

from listener.store.session import DatabaseTrouble, Store, bulk

WORDS = sa.Table(
    "words",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("word", sa.String, unique=True),
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'words.db'}")
    async with made.transaction() as session:
        await (await session.connection()).run_sync(WORDS.create)
    yield made
    await made.close()


async def test_a_statement_is_one_errand(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with store.transaction() as session:
        await bulk(session, WORDS.insert(), [{"word": "late"}, {"word": "cold"}])
    sent = 0
    usual = Connection._execute

    async def counted(there: Connection, *args: Any, **more: Any) -> Any:
        nonlocal sent
        sent += 1
        return await usual(there, *args, **more)  # type: ignore[no-untyped-call]

    async with store.reading() as session:
        _ = await session.connection()
        monkeypatch.setattr(Connection, "_execute", counted)
        found = (await bulk(session, sa.select(WORDS.c.word).order_by(WORDS.c.word))).scalars()
        assert list(found) == ["cold", "late"]
        assert sent == 1  # and it has begun the transaction, too
    assert sent == 2  # which ends


async def test_a_reader_sees_one_picture_from_its_first_statement_on(store: Store) -> None:
    async with store.transaction() as session:
        await bulk(session, WORDS.insert(), {"word": "late"})
    words = sa.select(WORDS.c.word).order_by(WORDS.c.word)
    async with store.reading() as session, store.reading() as streaming:
        assert list((await bulk(session, words)).scalars()) == ["late"]
        streamed = await streaming.stream(words)
        async with store.transaction() as writing:
            await bulk(writing, WORDS.insert(), {"word": "cold"})
        assert [row.word async for row in streamed] == ["late"]
        assert list((await bulk(session, words)).scalars()) == ["late"]
        assert list((await bulk(streaming, words)).scalars()) == ["late"]
    async with store.reading() as session:
        assert list((await bulk(session, words)).scalars()) == ["cold", "late"]


async def test_it_tells_what_a_statement_did(store: Store) -> None:
    async with store.transaction() as session:
        made = await bulk(session, WORDS.insert(), {"word": "late"})
        assert made.inserted_primary_key == (1,)  # type: ignore[attr-defined]
        await bulk(session, WORDS.insert(), [{"word": "cold"}, {"word": "lost"}])
        changed = await bulk(session, WORDS.update().values(word=WORDS.c.word + "!"))
        assert changed.rowcount == 3  # type: ignore[attr-defined]
        gone = await bulk(session, WORDS.delete().where(WORDS.c.id > 1).returning(WORDS.c.word))
        assert sorted(gone.scalars()) == ["cold!", "lost!"]
        none = await bulk(session, sa.select(WORDS).where(WORDS.c.id > 1))
        assert list(none.keys()) == ["id", "word"]
        assert none.all() == []


async def test_what_the_database_refuses_is_raised_and_undone(store: Store) -> None:
    with pytest.raises(DatabaseTrouble, match="UNIQUE constraint failed"):
        async with store.transaction() as session:
            await bulk(session, WORDS.insert(), [{"word": "late"}, {"word": "late"}])
    with pytest.raises(OperationalError, match="no such table"):
        async with store.writer.connect() as connection:
            await connection.execute(sa.text("SELECT * FROM nowhere"))
    async with store.transaction() as session:
        assert (await bulk(session, sa.select(sa.func.count()).select_from(WORDS))).scalar() == 0


async def test_rows_that_are_streamed_come_one_by_one(store: Store) -> None:
    async with store.transaction() as session:
        await bulk(session, WORDS.insert(), [{"word": f"word {number}"} for number in range(500)])
    async with store.reading() as session:
        streamed = await session.stream(sa.select(WORDS.c.id).order_by(WORDS.c.id))
        assert [row.id async for row in streamed] == list(range(1, 501))


async def test_who_is_cancelled_in_a_statement_leaves_no_lock(store: Store) -> None:
    endless = sa.select(sa.literal(1).label("n")).cte("endless", recursive=True)
    endless = endless.union_all(sa.select(endless.c.n + 1).where(endless.c.n < 3_000_000))

    async def write_for_long() -> None:
        async with store.transaction() as session:
            await bulk(session, WORDS.insert(), {"word": "lost"})
            await bulk(session, sa.select(sa.func.count()).select_from(endless))

    writing = asyncio.create_task(write_for_long())
    await asyncio.sleep(0.1)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with store.transaction() as session:
        await bulk(session, WORDS.insert(), {"word": "late"})
    async with store.reading() as session:
        assert list((await bulk(session, sa.select(WORDS.c.word))).scalars()) == ["late"]
