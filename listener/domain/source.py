"""Sources: a connector with its options, how far it has been read, and how it is doing."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, Record, word

EVERY = timedelta(minutes=2)
SINCE = timedelta(days=7)
LONGEST_WAIT = timedelta(minutes=15)


class Way(StrEnum):
    """How a source is read."""

    POLL = "poll"
    LISTEN = "listen"


class Source(Record, table=True):
    """A connector with its options. Secrets among them are sealed."""

    __tablename__ = "sources"

    name: str = Field(unique=True)
    connector: str
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    brands: list[int] | None = Field(default=None, sa_column=Column(JSON))  # None means all
    about_us: bool = False  # every post is about the brand, also where it does not name it
    every: int = int(EVERY.total_seconds())  # seconds
    since: datetime = Field(sa_type=Instant)
    active: bool = True
    changed_at: datetime = Field(sa_type=Instant)


class Reading(Record, table=True):
    """How far a source has been read in one way, and who is reading it now.

    `fence` grows with every new owner: whoever commits with an older one has lost the source.
    """

    __tablename__ = "readings"
    __table_args__ = (UniqueConstraint("source_id", "way"),)

    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE")
    way: Way = Field(sa_type=word(Way))
    host: str = ""
    cursor: str | None = None
    next_at: datetime = Field(sa_type=Instant, index=True)
    not_before: datetime | None = Field(default=None, sa_type=Instant)  # what the place asked
    taken_by: str | None = None
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    fence: int = 0
    read_at: datetime | None = Field(default=None, sa_type=Instant)  # last time caught up
    posts: int = Field(default=0, sa_type=BigInteger)  # read so far
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    failures: int = 0  # in a row
    failure: str | None = None
    stopped: bool = False  # a person must act before it is asked again

    def failed(self, why: str, *, now: datetime, wait: timedelta | None, stop: bool) -> bool:
        """Remember a failure and when to try again; True when it is the first in a row."""
        first = self.failing_since is None
        self.failing_since = self.failing_since or now
        self.failures += 1
        self.failure = why
        self.stopped = stop
        self.next_at = now + (wait if wait is not None else backoff(self.failures))
        self.not_before = self.next_at if wait is not None else None
        return first

    def caught_up(self, *, now: datetime, every: timedelta) -> bool:
        """Remember a walk that reached its end; True when a failure ended with it."""
        recovered = self.failing_since is not None
        self.failing_since = self.failure = self.not_before = None
        self.failures = 0
        self.stopped = False
        self.read_at = now
        self.next_at = now + every
        return recovered


class Seen(SQLModel, table=True):
    """A post that a source has read and no brand wanted: its fingerprint, nothing more."""

    __tablename__ = "seen"

    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE", primary_key=True)
    digest: int = Field(sa_type=BigInteger, primary_key=True)
    seen_at: datetime = Field(sa_type=Instant, index=True)


class DeadLetter(Record, table=True):
    """Something a place sent that could not be read: why, and its own words for fourteen days."""

    __tablename__ = "dead_letters"
    __table_args__ = (UniqueConstraint("source_id", "digest"),)

    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE")
    digest: int = Field(sa_type=BigInteger)
    reason: str
    raw: str
    seen_at: datetime = Field(sa_type=Instant, index=True)


class Arrival(SQLModel, table=True):
    """A delivery that a place has made, so that a repeated one is noticed."""

    __tablename__ = "arrivals"

    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE", primary_key=True)
    delivery: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=Instant, index=True)


def backoff(failures: int) -> timedelta:
    """How long to stay away after so many failures in a row: 5 s doubling to 15 minutes."""
    return min(timedelta(seconds=5 * 2 ** min(failures - 1, 12)), LONGEST_WAIT)


def digest(*words: str) -> int:
    """A number for some words that fits a database's big integer."""
    return int.from_bytes(
        blake2b("\0".join(words).encode(errors="replace"), digest_size=8).digest(), signed=True
    )
