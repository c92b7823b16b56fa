"""Many new rows of one table in one statement, given column by column.

SQLAlchemy turns a dictionary for each row into parameters, one value at a time, which costs as
much as the database does. Here a column is converted as a whole. SQLite takes the rows as one
list of VALUES: one statement a page is also one journal for its triggers, which one statement a
row is not. PostgreSQL takes each column as one array, under a text that is planned once, where a
list of VALUES is read and planned anew for every number of rows.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, repeat
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import SQLModel

from listener.store.session import AsyncSession

MOST = 512  # rows in one statement: SQLite takes 32,766 values in it


class Same:
    """What a column holds in every row."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


async def enter(
    session: AsyncSession,
    table: type[SQLModel],
    columns: Mapping[str, Sequence[Any] | Same],
    *,
    unique: Sequence[str],
    returning: Sequence[str] = (),
) -> Sequence[sa.Row[Any]]:
    """Enter rows; those that are there already, by `unique`, stay as they are.

    Every column has as many values as there are rows. Returns `returning` of the rows that were
    entered, as the driver says it, so numbers and texts only. With the ORM's work that waits, in
    the same transaction.
    """
    await session.flush()
    connection = await session.connection()
    dialect = connection.dialect
    count = max(len(values) for values in columns.values() if not isinstance(values, Same))
    converted = [
        in_the_drivers_words(table, name, values, count, dialect)
        for name, values in columns.items()
    ]
    shape = (table, tuple(columns), tuple(unique), tuple(returning))
    found: list[sa.Row[Any]] = []
    for start in range(0, count, MOST):
        part = [values[start : start + MOST] for values in converted]
        if dialect.name == "sqlite":
            rows = padded(list(zip(*part, strict=True)))
            statement = values_statement(*shape, len(rows))
            parameters: tuple[Any, ...] = tuple(chain.from_iterable(rows))
        else:
            statement, parameters = arrays_statement(*shape, dialect), tuple(part)
        result = await connection.exec_driver_sql(statement, parameters)
        if returning:
            found += result.all()
    return found


def handed(session: AsyncSession, texts: Collection[str]) -> tuple[sa.Select[tuple[str]], Any]:
    """Many texts to look among, and the one parameter `texts` that brings them.

    A list of as many parameters is planned anew for every length. And once PostgreSQL has planned
    such a list for whatever comes, it compares every row with every text.
    """
    if session.get_bind().dialect.name == "sqlite":
        return _OF_JSON, orjson.dumps(list(texts)).decode()
    return _OF_ARRAY, list(texts)


_JSON = sa.func.json_each(sa.bindparam("texts", type_=sa.String)).table_valued("value")
_ARRAY = sa.func.unnest(sa.bindparam("texts", type_=sa.ARRAY(sa.String))).column_valued("value")
_OF_JSON: sa.Select[tuple[str]] = sa.select(_JSON.c.value)
_OF_ARRAY: sa.Select[tuple[str]] = sa.select(_ARRAY)


def in_the_drivers_words(
    table: type[SQLModel], name: str, values: Sequence[Any] | Same, count: int, dialect: Dialect
) -> list[Any]:
    """A column's values as the driver takes them, each different one converted once."""
    convert = conversion(table, name, dialect)
    if isinstance(values, Same):
        value = values.value if convert is None else convert(values.value)
        return list(repeat(value, count))
    if convert is None:
        return list(values)
    return list(map(convert if convert is _json else lru_cache(count)(convert), values))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@cache
def conversion(table: type[SQLModel], name: str, dialect: Dialect) -> Any:
    """What SQLAlchemy does with a value of this column; None when that is nothing."""
    kind = column_of(table, name).type
    if isinstance(kind, sa.JSON):
        return _json
    return kind.dialect_impl(dialect).bind_processor(dialect)


def padded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows, the last of them as often as it takes to be a power of two.

    A row that is there already is let be, so it is entered once; and SQLite has to read and
    remember ten statements instead of one for every number of rows.
    """
    wanted = 1 << (len(rows) - 1).bit_length()
    return rows + rows[-1:] * (wanted - len(rows))


@cache
def values_statement(
    table: type[SQLModel],
    names: tuple[str, ...],
    unique: tuple[str, ...],
    returning: tuple[str, ...],
    count: int,
) -> str:
    """A statement for so many rows as one list of values."""
    row = f"({', '.join('?' * len(names))})"
    return _statement(table, names, f"VALUES {', '.join([row] * count)}", unique, returning)


@cache
def arrays_statement(
    table: type[SQLModel],
    names: tuple[str, ...],
    unique: tuple[str, ...],
    returning: tuple[str, ...],
    dialect: Dialect,
) -> str:
    """A statement for any number of rows as one array a column."""
    kinds = [column_of(table, name).type for name in names]
    # The driver has a way of its own with JSON, so it is handed over as text.
    sent = [sa.String() if isinstance(kind, sa.JSON) else kind for kind in kinds]
    arrays = (
        f"CAST(${number} AS {kind.compile(dialect)}[])" for number, kind in enumerate(sent, 1)
    )
    wanted = (
        f"CAST({name} AS {kind.compile(dialect)})" if isinstance(kind, sa.JSON) else name
        for name, kind in zip(names, kinds, strict=True)
    )
    rows = (
        f"SELECT {', '.join(wanted)} FROM unnest({', '.join(arrays)}) "
        f"AS arriving ({', '.join(names)})"
    )
    return _statement(table, names, rows, unique, returning)


def _statement(
    table: type[SQLModel],
    names: tuple[str, ...],
    rows: str,
    unique: tuple[str, ...],
    returning: tuple[str, ...],
) -> str:
    said = f" RETURNING {', '.join(returning)}" if returning else ""
    return (
        f"INSERT INTO {table.__tablename__} ({', '.join(names)}) {rows} "
        f"ON CONFLICT ({', '.join(unique)}) DO NOTHING{said}"
    )


def column_of(table: type[SQLModel], name: str) -> sa.Column[Any]:
    """The column of this name."""
    column: sa.Column[Any] = table.__table__.c[name]  # type: ignore[attr-defined]
    return column
