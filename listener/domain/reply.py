"""A reply: what staff publish to an author. It is said once, or not at all.

              withdraw
  waiting ───────────────▶ withdrawn
   │  ▲
   │  └──── again ─────────────────┐
   ▼                               │
  sending ──▶ posted ◀── there ── unclear
   │  └───────────────────────────▲ │
   └────────▶ failed ── again ──────┴──▶ waiting

It waits out an undo window, then it is marked sending *before* anything goes to the place.
Whoever finds it so after a crash first looks whether it stands there; when the place cannot
tell, it is unclear, and a person decides. What was posted by hand is posted at once. What was on
its way in a backup that is restored is unclear too.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import regex  # type: ignore[import-untyped]
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, NotAllowed, Record, word

UNDO = timedelta(seconds=30)
LOOKS = 5  # how often a place is asked whether a reply stands there, before a person is


class State(StrEnum):
    """Where a reply stands."""

    WAITING = "waiting"
    SENDING = "sending"
    POSTED = "posted"
    FAILED = "failed"
    UNCLEAR = "unclear"
    WITHDRAWN = "withdrawn"


UNDER_WAY = (State.WAITING, State.SENDING, State.UNCLEAR)


class Reply(Record, table=True):
    """One answer to one mention of a case."""

    __tablename__ = "replies"
    __table_args__ = (
        UniqueConstraint("publish_key"),
        Index(
            "ix_replies_outbox",
            "next_at",
            sqlite_where=text("state IN ('waiting', 'sending')"),
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
    )

    case_id: int = Field(foreign_key="cases.id", index=True)
    mention_id: int = Field(foreign_key="mentions.id", index=True)
    staff_id: int = Field(foreign_key="staff.id")
    publish_key: str  # the same for every attempt, so that a place can tell it apart
    text: str
    by_hand: bool = False
    state: State = Field(default=State.WAITING, sa_type=word(State))
    made_at: datetime = Field(sa_type=Instant)
    next_at: datetime = Field(sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    post_id: str | None = Field(default=None, index=True)  # what the place calls it
    url: str | None = None
    failure: str | None = None

    @property
    def under_way(self) -> bool:
        """Whether it waits, is being sent, or wants a person's decision."""
        return self.state in UNDER_WAY

    def withdraw(self, now: datetime) -> None:
        """Take it back before it is sent."""
        if self.state is not State.WAITING:
            raise NotAllowed(f"This reply is {self.state} already; it cannot be taken back.")
        self.state = State.WITHDRAWN
        self.next_at = now

    def begin(self, now: datetime, until: datetime) -> None:
        """From here on it may have been said: nobody sends it again without looking."""
        self.state = State.SENDING
        self.tries += 1
        self.taken_until = until
        self.next_at = until
        self.sent_at = self.sent_at or now

    def posted(self, now: datetime, *, post_id: str | None, url: str | None) -> None:
        """It stands there."""
        self.state = State.POSTED
        self.sent_at = now
        self.post_id, self.url = post_id, url
        self.failure = self.taken_until = None

    def failed(self, why: str) -> None:
        """It does not stand there, and we know it."""
        self.state = State.FAILED
        self.failure = why
        self.taken_until = None

    def look_later(self, why: str, at: datetime) -> None:
        """Nobody knows yet whether it stands there; after some looks a person decides."""
        self.failure = why
        self.taken_until = None
        self.next_at = at
        if self.tries >= LOOKS:
            self.state = State.UNCLEAR

    def doubted(self, why: str) -> None:
        """It may have been said behind our back: a person looks before anything is sent."""
        self.state = State.UNCLEAR
        self.failure = why
        self.taken_until = None

    def again(self, now: datetime) -> None:
        """A person says that it does not stand there: send it."""
        if self.state not in (State.FAILED, State.UNCLEAR):
            raise NotAllowed(f"This reply is {self.state}; there is nothing to send again.")
        self.state = State.WAITING
        self.tries = 0
        self.failure = None
        self.next_at = now

    def there(self, now: datetime, url: str | None) -> None:
        """A person has seen it there."""
        if self.state not in (State.FAILED, State.UNCLEAR):
            raise NotAllowed(f"This reply is {self.state}; there is nothing to confirm.")
        self.posted(now, post_id=None, url=url)


def length(text: str, unit: str) -> int:
    """How long a text is to its place: in characters, bytes, or graphemes as people see them."""
    if unit == "bytes":
        return len(text.encode())
    if unit == "graphemes":
        return len(regex.findall(r"\X", text))
    return len(text)


class Draft(SQLModel, table=True):
    """What somebody has begun to write, kept until it is sent."""

    __tablename__ = "drafts"

    case_id: int = Field(foreign_key="cases.id", primary_key=True, ondelete="CASCADE")
    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    text: str
    saved_at: datetime = Field(sa_type=Instant)
