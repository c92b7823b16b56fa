"""The only place that opens the database: transactions to write in, sessions to read from."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Executable, event, func, text
from sqlalchemy.engine import URL, Result, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as TimedOut
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from listener.domain.record import Clock
from listener.store.embedded import driver
from listener.store.kept import Kept

__all__ = [
    "LOCK",
    "AsyncSession",
    "DatabaseTrouble",
    "Store",
    "bulk",
    "clean",
    "clean_if_any",
    "locked_for_update",
    "now",
]

PATIENCE = timedelta(seconds=30)  # how long a writer waits for another process's write
# A process that is frozen or cut off in a transaction must not keep what it has locked.
SESSION = {
    "application_name": "listener",
    "idle_in_transaction_session_timeout": f"{int(PATIENCE.total_seconds())}s",
}
CACHE: Final = 4_000  # kilobytes that SQLite's writer may hold in memory
LOG: Final = 4_000  # pages of 4 kB that its log may have before they are copied from it
READING = {"default_transaction_read_only": "on"}
# A lock that lets others refer to the row meanwhile. With a full one the judge, who has a
# mention and wants its case, and the desk, who has the case and corrects the mention, would
# wait for each other.
LOCK: Final[dict[str, Any]] = {"key_share": True}


# The pool prints a traceback when a transaction is cancelled, as it is whenever we stop.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class DatabaseTrouble(Exception):
    """The database cannot be used; the message says so in a sentence."""


class Store:
    """Hands out transactions. On SQLite one writes and many read beside it.

    With `read_only` the database itself refuses to be changed, whatever is asked of it.
    """

    def __init__(self, url: str, *, clock: Clock | None = None, read_only: bool = False) -> None:
        self.url = address(url)
        self._clock = clock
        self._read_only = read_only
        self.kept = Kept()
        if self.is_sqlite:
            self.writer = create_async_engine(
                self.url, module=driver(), pool_size=1, max_overflow=0, hide_parameters=True
            )
            self._reader = create_async_engine(
                self.url, module=driver(), pool_size=4, max_overflow=4, hide_parameters=True
            )
            event.listen(self.writer.sync_engine, "connect", _configure_writer)
            event.listen(self.writer.sync_engine, "begin", _begin_immediate)
            event.listen(self.writer.sync_engine, "invalidate", _let_go_of_the_lock)
            event.listen(self._reader.sync_engine, "connect", _configure_reader)
            event.listen(self._reader.sync_engine, "begin", _begin_deferred)
        else:
            self.writer = self._reader = create_async_engine(
                self.url,
                pool_size=10,
                max_overflow=10,
                pool_pre_ping=True,
                hide_parameters=True,  # errors that are printed must not quote posts
                connect_args={
                    "timeout": 10,
                    "server_settings": SESSION | (READING if read_only else {}),
                },
            )

        self.kept.watch(self.writer.sync_engine)

    @property
    def shown(self) -> str:
        """The address as people write it, without the password."""
        plain = self.url.set(drivername=self.url.get_backend_name())
        return plain.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is kept when the block ends and lost when it raises."""
        if self._read_only:
            raise DatabaseTrouble(f"The database {self.shown} is open for reading only.")
        with self.kept.writing():
            async with self._session(self.writer) as session, session.begin():
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads and never waits for the writer."""
        async with self._session(self._reader) as session:
            session.info.update(kept=self.kept, after=self.kept.transactions)
            yield session

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            session.info["clock"] = self._clock
            try:
                yield session
            except (DBAPIError, TimedOut, OSError) as error:
                raise self._trouble(error) from error

    async def check(self) -> None:
        """Raise DatabaseTrouble with a sentence when the database cannot be reached."""
        try:
            async with self.reading() as session:
                await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
        except SQLAlchemyError as error:
            raise self._trouble(error) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self.writer.dispose()
        if self._reader is not self.writer:
            await self._reader.dispose()

    def _trouble(self, error: Exception) -> DatabaseTrouble:
        where = self.shown
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        why = re.sub(r"^<class '[^']*'>:\s*", "", why)
        # asyncpg repeats the value that it could not send: that may be a post's text.
        why = re.sub(r"(invalid input for query argument \$\d+):.*", r"\1", why)
        if isinstance(error, TimedOut):
            return DatabaseTrouble(f"The database {where} is too busy just now; we try again.")
        if re.search(r"disk is full|No space left|could not extend file", why):
            return DatabaseTrouble(
                f"The disk is full: nothing more can be written to {where}. Make room; "
                "reading goes on by itself from where it stopped."
            )
        if re.search(r"database is locked", why):
            return DatabaseTrouble(f"Another program holds {where} locked; we try again.")
        if isinstance(error, OSError) or re.search(
            r"unable to open|refused|connect|closed|starting up|shutting down|terminat",
            why,
            re.IGNORECASE,
        ):
            check = "you may write there" if self.is_sqlite else "the server is running"
            return DatabaseTrouble(
                f"The database {where} cannot be reached ({why}). Check DATABASE_URL and that "
                f"{check}."
            )
        return DatabaseTrouble(f"The database {where} refused: {why}.")


async def now(session: AsyncSession) -> datetime:
    """The present by the database's own clock, so that skewed machines agree."""
    clock: Clock | None = session.info.get("clock")
    if clock is not None:
        return clock()
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)  # the database is this process
    moment: datetime = (await session.exec(select(func.clock_timestamp()))).one()
    return moment.astimezone(UTC)


async def bulk(session: AsyncSession, statement: Executable, params: Any = None) -> Result[Any]:
    """Run a statement on many rows, or for plain columns: past the ORM, in the same transaction."""
    return await session.run_sync(_past_the_orm, statement, params)


def _past_the_orm(session: Session, statement: Executable, params: Any) -> Result[Any]:
    # In one greenlet: flush, connection and execute awaited apart cost more than most statements.
    session.flush()
    return session.connection().execute(statement, params)


def clean_if_any(text: str | None) -> str | None:
    """The same text as every database takes it."""
    return None if text is None else clean(text)


def clean(text: str) -> str:
    """Text that every database takes: PostgreSQL refuses NUL, and no codec takes half a pair."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode(errors="replace").decode()


def locked_for_update(statement: Any, session: AsyncSession) -> Any:
    """The same selection, of rows that nobody else is working on, which are then ours."""
    if session.get_bind().dialect.name == "sqlite":
        return statement  # the transaction has the whole database already
    return statement.with_for_update(skip_locked=True)


def address(url: str) -> URL:
    """The database's address with the driver that we use for it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseTrouble(
            "DATABASE_URL is not an address of a database. It looks like "
            "postgresql://user:password@host/name or sqlite:///path/to/listener.db."
        ) from None
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    backend = parsed.drivername.split("+")[0]
    if backend not in drivers:
        raise DatabaseTrouble(
            f"DATABASE_URL names the database {backend!r}; we know sqlite and postgresql."
        )
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseTrouble(
            "DATABASE_URL names an SQLite database without a file, which would forget everything. "
            "Name one: sqlite:///path/to/listener.db."
        )
    mode = parsed.query.get("sslmode")
    if mode is not None:  # asyncpg's word for libpq's
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return parsed.set(drivername=drivers[backend])


def _configure_writer(connection: Any, _record: Any) -> None:
    # A page of new mentions changes some seven hundred pages of a large database. Two megabytes
    # of memory do not hold them, and they would be copied from the log after every other commit.
    _configure(
        connection,
        "journal_mode = WAL",
        "synchronous = FULL",
        f"cache_size = -{CACHE}",
        f"wal_autocheckpoint = {LOG}",
    )


def _configure_reader(connection: Any, _record: Any) -> None:
    _configure(connection, "query_only = ON")


def _configure(connection: Any, *pragmas: str) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    patience = f"busy_timeout = {int(PATIENCE.total_seconds() * 1000)}"
    for pragma in (patience, "foreign_keys = ON", *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # The write lock first: a transaction that reads and then writes cannot fail half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _let_go_of_the_lock(connection: Any, _record: Any, _error: Any) -> None:
    # Whoever is cancelled within a query leaves its cursor open, and SQLite goes on holding a
    # connection that is closed while a cursor of it is open, with its lock.
    connection.rollback()


def _begin_deferred(connection: Any) -> None:
    # One picture of the world, and no lock. It begins with the first statement, and on its errand.
    connection.connection.dbapi_connection.begin("BEGIN DEFERRED")
