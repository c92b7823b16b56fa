"""Backup and restore: everything the database holds, to a file and from it, whichever its kind.

A backup is one picture of the database, taken in one transaction while others go on writing. It
holds the rows as they are, in the shape they have: a database is backed up *before* it is brought
up to date. The index of words is left out, because the database makes it anew by itself.
"""

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from listener.domain.event import What
from listener.domain.reply import Reply, State
from listener.store import archive, history, schema
from listener.store.archive import BadBackup, Draft, Head
from listener.store.session import AsyncSession, Store, now

ROWS = 1_000  # read or written at a time
MADE_ANEW = ("alembic_version", "unindexed")  # and the index of words itself
ON_ITS_WAY = (
    "It was on its way when the backup was made that has been restored since: look whether it "
    "stands there."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """How much went into a backup, or came out of it."""

    tables: int
    rows: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored database holds; `unclear` replies wait for a person to look at their place."""

    head: Head
    kept: Kept
    unclear: int


async def write(store: Store, path: Path, *, lock: str, made_by: str) -> Kept:
    """Write everything the database holds to a new file, while others work on it.

    `lock` is the mark of the key that seals secrets, so that a restore can tell another key.
    """
    async with _picture(store) as connection:
        revision = await connection.run_sync(schema.revision_of)
        if revision is None:
            raise BadBackup(f"{store.shown} has no tables yet: there is nothing to back up.")
        tables = await connection.run_sync(_tables)
        rows = 0
        with archive.drafted(path) as draft:
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            draft.head(Head(revision, made_at, made_by, lock))
            for table in tables:
                rows += await _write_table(connection, draft, table)
    return Kept(len(tables), rows)


@asynccontextmanager
async def _picture(store: Store) -> AsyncIterator[AsyncConnection]:
    async with store.reading() as session:
        # SQLite's readers see one picture as it is; PostgreSQL's must ask for it.
        options = {} if store.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        yield await session.connection(execution_options=options)


async def _write_table(connection: AsyncConnection, draft: Draft, table: sa.Table) -> int:
    columns = list(table.columns)
    shown = [sa.cast(one, sa.Text) if isinstance(one.type, sa.JSON) else one for one in columns]
    packed = [at for at, one in enumerate(columns) if isinstance(one.type, sa.LargeBinary)]
    draft.line({"table": table.name, "columns": [one.name for one in columns]})
    rows = 0
    asked = sa.select(*shown).select_from(table).order_by(*table.primary_key.columns)
    async with connection.stream(asked) as result:
        async for several in result.partitions(ROWS):
            for row in several:
                draft.line(_without_bytes(row, packed) if packed else list(row))
            rows += len(several)
    draft.line({"end": table.name, "rows": rows, "last": await _last(connection, table)})
    return rows


def _without_bytes(row: Any, packed: list[int]) -> list[Any]:
    values = list(row)
    for at in packed:
        if values[at] is not None:
            values[at] = base64.b64encode(values[at]).decode()
    return values


async def _last(connection: AsyncConnection, table: sa.Table) -> int | None:
    """The highest number that was ever given to a row, where the database remembers it."""
    name = await _sequence(connection, table)
    if name is None:
        return None
    asked: sa.Select[Any] = sa.select(sa.column("last_value")).select_from(sa.text(name))
    return int((await connection.execute(asked)).scalar_one())


async def _sequence(connection: AsyncConnection, table: sa.Table) -> str | None:
    if connection.dialect.name != "postgresql" or "id" not in table.columns:
        return None
    asked = sa.select(sa.func.pg_get_serial_sequence(table.name, "id"))
    name: str | None = (await connection.execute(asked)).scalar_one()
    return name


async def restore(store: Store, path: Path) -> Restored:
    """Fill an empty database from a backup, all of it or nothing, and bring it up to date.

    The backup may come from the other kind of database, and from an older version of Listener.
    """
    head = archive.proven(path)
    if head.revision not in schema.revisions():
        raise BadBackup(
            f"{path} was made by a newer Listener ({head.made_by}): restore it with that version "
            "or a later one."
        )
    await _make_room(store)
    await schema.upgrade(store, head.revision)
    async with store.transaction() as session:
        connection = await session.connection()
        tables = {table.name: table for table in await connection.run_sync(_tables)}
        kept = await _read_tables(connection, path, tables)
    await schema.upgrade(store)
    async with store.transaction() as session:
        return Restored(head, kept, await _doubt_replies(session))


async def _make_room(store: Store) -> None:
    """Refuse a database in which there is anything; take away tables that hold nothing."""
    async with store.reading() as session:
        connection = await session.connection()
        before = await connection.run_sync(schema.revision_of)
        for table in await connection.run_sync(_tables):
            if (
                await connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1))
            ).all():
                raise BadBackup(
                    f"{store.shown} is not empty (there is something in its table {table.name}), "
                    "and a backup is restored into an empty database only. Name a new one with "
                    "DATABASE_URL, or a new folder with LISTENER_DATA."
                )
    if before is not None:
        await schema.downgrade(store, "base")


async def _read_tables(
    connection: AsyncConnection, path: Path, tables: dict[str, sa.Table]
) -> Kept:
    rows = 0
    for name, columns, several, last in _portions(path):
        table = tables.get(name)
        if table is None or not set(columns) <= set(table.columns.keys()):
            raise BadBackup(f"{path} holds a table {name} that its own version did not have.")
        if several:
            await _insert(connection, table, columns, several)
            rows += len(several)
        else:
            await _go_on_counting(connection, table, last)
    return Kept(len(tables), rows)


def _portions(path: Path) -> Iterator[tuple[str, list[str], list[list[Any]], int | None]]:
    """Rows of one table at a time; then, without rows, the last number it gave."""
    name, seen = "", 0
    columns: list[str] = []
    several: list[list[Any]] = []
    for line in archive.lines(path):
        if isinstance(line, list):
            several.append(line)
            seen += 1
            if len(several) == ROWS:
                yield name, columns, several, None
                several = []
        elif "table" in line:
            name, columns, several, seen = line["table"], line["columns"], [], 0
        else:
            if several:
                yield name, columns, several, None
                several = []
            if line["rows"] != seen:
                raise BadBackup(f"{path} lacks rows of its table {name}. Nothing was restored.")
            yield name, columns, [], line["last"]


async def _insert(
    connection: AsyncConnection, table: sa.Table, columns: list[str], rows: list[list[Any]]
) -> None:
    kinds = [table.columns[name].type for name in columns]
    decoders = [_decoder(kind) for kind in kinds]
    as_text = connection.dialect.name == "sqlite"  # which keeps JSON as the text it is
    values = {
        name: sa.cast(sa.bindparam(name, type_=sa.Text), sa.JSON)
        for name, kind in zip(columns, kinds, strict=True)
        if isinstance(kind, sa.JSON) and not as_text
    }
    bare = sa.table(
        table.name,
        *(
            sa.column(name, sa.Text() if isinstance(kind, sa.JSON) and as_text else kind)
            for name, kind in zip(columns, kinds, strict=True)
        ),
    )
    several = [
        {
            name: value if value is None or decode is None else decode(value)
            for name, value, decode in zip(columns, row, decoders, strict=True)
        }
        for row in rows
    ]
    # Every column is named, so that nothing is filled in by a default.
    named: dict[str, Any] = {name: values.get(name, sa.bindparam(name)) for name in columns}
    await connection.execute(sa.insert(bare).values(named), several)


def _decoder(kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(kind, sa.DateTime):
        return _moment if kind.timezone else lambda words: _moment(words).replace(tzinfo=None)
    if isinstance(kind, sa.Date):
        return date.fromisoformat
    if isinstance(kind, sa.Time):
        return time.fromisoformat
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode
    return None


def _moment(words: str) -> datetime:
    return datetime.fromisoformat(words).astimezone(UTC)


async def _go_on_counting(connection: AsyncConnection, table: sa.Table, last: int | None) -> None:
    """Give no number a second time: what has left the house under it must not be taken for another."""
    name = await _sequence(connection, table)
    if name is None:
        return
    highest = (await connection.execute(sa.select(sa.func.max(table.columns["id"])))).scalar()
    if (counted := max(highest or 0, last or 0)) > 0:
        await connection.execute(sa.select(sa.func.setval(sa.cast(name, sa.Text), counted)))


async def _doubt_replies(session: AsyncSession) -> int:
    """What was on its way then has been said since, or not: a person looks, nothing is sent twice."""
    moment = await now(session)
    waiting = col(Reply.state).in_([State.WAITING, State.SENDING])
    found = (await session.exec(select(Reply).where(waiting))).all()
    channels = await history.channels(session)
    for reply in found:
        reply.doubted(ON_ITS_WAY)
        await history.record(
            session,
            reply.case_id,
            What.FAILED,
            now=moment,
            channels=channels,
            staff_id=reply.staff_id,
            details={"reply": reply.key},
        )
    return len(found)


def _tables(connection: Connection) -> list[sa.Table]:
    """The tables as they are in the database, those first to which others refer."""
    names = [
        name
        for name in sa.inspect(connection).get_table_names()
        if name not in MADE_ANEW and not name.startswith((schema.WORDS, "sqlite_"))
    ]
    metadata = sa.MetaData()
    if names:
        metadata.reflect(connection, only=names)
    return list(metadata.sorted_tables)
