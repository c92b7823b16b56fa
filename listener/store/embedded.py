"""SQLite with one errand a statement, where the driver makes four.

aiosqlite keeps a thread for each connection and sends it there to open a cursor, to execute, to
fetch and to close. Each errand is a switch of threads there and back, which costs more than most
of our statements; a page has some ten of them. Here one errand does all four, and the first one
of a reader begins its transaction too. What is streamed (an export, a backup) goes the usual way,
row by row.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_
from typing_extensions import override

__all__ = ["driver"]


class Done(NamedTuple):
    """What a statement left, once its cursor is closed."""

    rows: Sequence[Any] = ()
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """What SQLAlchemy takes for a cursor: the real one lives and dies within one errand."""

    __slots__ = ("_done", "arraysize")

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()
        self._done = Done()
        self.arraysize = 1

    @property
    @override
    def description(self) -> Any:
        return self._done.description

    @property
    @override
    def rowcount(self) -> int:
        return self._done.rowcount

    @property
    @override
    def lastrowid(self) -> Any:
        return self._done.lastrowid

    @override
    def execute(self, operation: Any, parameters: Any = None) -> Any:
        return self._errand(sqlite3.Cursor.execute, operation, parameters or ())

    @override
    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        return self._errand(sqlite3.Cursor.executemany, operation, seq_of_parameters)

    def _errand(self, act: Callable[..., Any], operation: str, parameters: Any) -> "Cursor":
        try:
            self._done = await_(self._sent(act, operation, parameters))
        except Exception as error:  # noqa: BLE001  (put into SQLAlchemy's words and raised there)
            self._adapt_connection._handle_exception(error)
        self._rows = deque(self._done.rows)
        return self

    async def _sent(self, act: Callable[..., Any], operation: str, parameters: Any) -> Done:
        ours: Any = self._adapt_connection
        async with ours._execute_mutex:
            there: Any = self._connection
            begin, ours.waits, ours.used = ours.waits, None, True
            done: Done = await there._execute(
                perform, there._conn, begin, act, operation, parameters
            )
            return done

    @override
    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    @override
    def close(self) -> None:
        self._rows.clear()


def perform(
    connection: sqlite3.Connection,
    begin: str | None,
    act: Callable[..., Any],
    operation: str,
    parameters: Any,
) -> Done:
    """Begin if that waits, then open, execute, fetch and close, in the connection's own thread."""
    cursor = connection.cursor()
    try:
        if begin is not None:
            cursor.execute(begin)
        act(cursor, operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return Done(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that hands out such cursors."""

    __slots__ = ("used", "waits")
    _cursor_cls = Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.waits: str | None = None  # how a transaction begins, once there is a statement
        self.used = True  # whether anything was sent since the last transaction ended

    def begin(self, words: str) -> None:
        """Begin a transaction with the next statement."""
        self.waits = words

    @override
    def cursor(self, server_side: bool = False) -> Any:
        if server_side:
            self.used = True
            if self.waits is not None:
                self.execute("SELECT 1")
        return super().cursor(server_side)

    # A session rolls back, and the pool once more: to do nothing no errand is needed.
    @override
    def rollback(self) -> None:
        self.waits = None
        if self.used:
            super().rollback()
            self.used = False

    @override
    def commit(self) -> None:
        self.waits = None
        if self.used:
            super().commit()
            self.used = False


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """The driver's module as SQLAlchemy sees it."""

    @override
    def connect(self, *arg: Any, **kw: Any) -> Connection:
        return Connection(self, super().connect(*arg, **kw)._connection)


def driver() -> Driver:
    """What `create_async_engine` takes as its module."""
    return Driver(aiosqlite, sqlite3)
