"""What everything the store keeps has in common: a number, and honest times."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from typing_extensions import override

Clock = Callable[[], datetime]


class Instant(TypeDecorator[datetime]):
    """A moment, aware of its time zone also where the database forgets it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} needs a time zone")
        return value and value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def word(kind: type[StrEnum]) -> type[TypeDecorator[Any]]:
    """A column type that keeps the words of an enumeration as plain text, also in PostgreSQL."""

    class Word(TypeDecorator[Any]):
        impl = String
        cache_ok = True

        @override
        def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
            return None if value is None else kind(value).value

        @override
        def process_result_value(self, value: Any, dialect: Dialect) -> Any:
            return None if value is None else kind(value)

    return Word


class Record(SQLModel):
    """Something the store keeps under a number."""

    id: int | None = Field(default=None, primary_key=True)

    @property
    def key(self) -> int:
        """The number, once the store has given one."""
        if self.id is None:
            raise LookupError(f"this {type(self).__name__.lower()} is not kept yet")
        return self.id


class NotAllowed(Exception):
    """An act that the state of things does not permit; the message says why, for a person."""


class NotThere(NotAllowed):
    """There is no such thing, or none that this person may see."""


class NoRight(NotAllowed):
    """This person may not do that, whatever the state of things."""
