"""What one would write first, for comparison: every mention in a transaction of its own."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, create_engine

from listener.cli.benching.made_up import NOW
from listener.domain.mention import Mention, Sighting
from listener.domain.source import Source
from listener.store.batch import in_the_drivers_words
from listener.store.newcomers import Named, Rules, mentions_of

# As the product's own connection has it.
PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 30000")


def with_sqlmodel(file: Path, source: Source, named: Sequence[Named], rules: Rules) -> float:
    """`Session.add` of a mention and of its sighting, and a commit; seconds.

    Without asyncio, which would make it slower, and without looking for what is there already.
    """
    columns = mentions_of(source, named, rules=rules, now=NOW)
    rows = [_row(columns, number) for number in range(len(named))]
    engine = create_engine(f"sqlite:///{file}")

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    with engine.connect():  # opened before the clock runs
        pass
    began = perf_counter()
    for row in rows:
        with Session(engine) as session:
            mention = Mention(**row)
            session.add(mention)
            session.flush()
            session.add(Sighting(mention_id=mention.key, source_id=source.key, seen_at=NOW))
            session.commit()
    took = perf_counter() - began
    engine.dispose()
    return took


def with_the_driver(file: Path, source: Source, named: Sequence[Named], rules: Rules) -> float:
    """Python's own `sqlite3`: two INSERTs of values made beforehand, and a commit; seconds."""
    dialect = sa.create_engine("sqlite://").dialect
    columns = mentions_of(source, named, rules=rules, now=NOW)
    values = [
        in_the_drivers_words(Mention, name, column, len(named), dialect)
        for name, column in columns.items()
    ]
    (at,) = in_the_drivers_words(Sighting, "seen_at", [NOW], 1, dialect)
    mention = (
        f"INSERT INTO mentions ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    )
    sighting = "INSERT INTO sightings (mention_id, source_id, seen_at) VALUES (?, ?, ?)"
    with closing(sqlite3.connect(file)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        began = perf_counter()
        for row in zip(*values, strict=True):
            number = connection.execute(mention, row).lastrowid
            connection.execute(sighting, (number, source.key, at))
            connection.commit()
        return perf_counter() - began


def _row(columns: Any, number: int) -> dict[str, Any]:
    return {
        name: column[number] if isinstance(column, Sequence) else column.value
        for name, column in columns.items()
    }
