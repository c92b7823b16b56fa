"""What every page asks alike and seldom changes: remembered for a second, or until it is written.

Who are the people, which hours do teams keep, is there a crisis: twenty agents ask the same many
times a second. An answer is used again while nothing that it was read from has been written in
this process since, and for a second at most, which is how far behind another process's writing
one may be, here as on the live page. What depends on who asks is kept apart for each.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import TextClause
from sqlmodel.ext.asyncio.session import AsyncSession

Value = TypeVar("Value")

FRESH: Final = 1.0  # seconds
MOST: Final = 1_000  # answers; then all are asked again
ANY: Final = "*"  # a table that is not known by name
NAMED: Final = re.compile(r"\s*(?:INSERT INTO|DELETE FROM|UPDATE)\s+(\w+)")

_writing: ContextVar[set[str] | None] = ContextVar("writing", default=None)


class Answer(NamedTuple):
    """What was read, when, and how many transactions had been kept before it was read."""

    value: Any
    at: float
    after: int


class Kept:
    """The answers of one store, and when each table was last written here."""

    def __init__(self) -> None:
        self.transactions = 0
        self._answers: dict[Hashable, Answer] = {}
        self._written: dict[str, int] = {}

    def watch(self, engine: Engine) -> None:
        """Notice which tables are written by way of this engine."""
        event.listen(engine, "before_execute", _notice)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While a transaction is written; what it has written is known to be once it is kept."""
        tables: set[str] = set()
        token = _writing.set(tables)
        try:
            yield
        finally:
            _writing.reset(token)
            if tables:
                self.transactions += 1
                self._written |= dict.fromkeys(tables, self.transactions)

    def good(self, key: Hashable, tables: Collection[str]) -> Answer | None:
        """The answer that may be given again."""
        found = self._answers.get(key)
        if found is None or monotonic() - found.at >= FRESH:
            return None
        written = (self._written.get(one, 0) for one in (ANY, *tables))
        return found if max(written) <= found.after else None

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer."""
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[key] = answer


async def kept(
    session: AsyncSession,
    ask: Callable[[AsyncSession], Awaitable[Value]],
    *,
    of: Collection[str],
    key: Hashable,
) -> Value:
    """What `ask` answers, perhaps again; `of` are the tables that it reads, `key` is its name.

    The answer is everybody's: nobody may change it. Within a transaction it is always asked.
    """
    store: Kept | None = session.info.get("kept")
    if store is None:
        return await ask(session)
    if (found := store.good(key, of)) is None:
        at = monotonic()
        found = Answer(await ask(session), at, session.info["after"])
        store.keep(key, found)
    value: Value = found.value
    return value


def _notice(_connection: Connection, statement: Any, *_: Any) -> None:
    tables = _writing.get()
    if tables is None:
        return
    if isinstance(statement, UpdateBase):
        tables.add(getattr(statement.table, "name", ANY))
    elif isinstance(statement, TextClause) and not statement.text.lstrip().startswith("SELECT"):
        named = NAMED.match(statement.text)
        tables.add(named[1] if named else ANY)
