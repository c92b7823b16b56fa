"""A case: one complaint on its way to an answer.

      take, assign        answer           close
  open ──────────▶ owned ──────────▶ answered ─────▶ closed
   ▲ ▲  ◀────────── │ release           │              │
   │ │              └──────close────────┼─────────────▶│
   │ └────────────────close─────────────┼─────────────▶│
   └────────────────reopen──────────────┴──────────────┘   (to its owner: owned, if there is one)

Snoozed until, waiting since, reopened and unsure are marks on it. A hold says that somebody
is working on it right now: only the holder may answer, it lapses after ten idle minutes, and
it can be taken over; the owner stays owner when it lapses. An answer of ours that its place
shows makes even a case that nobody owns answered. Who snoozes a case moves it out of sight,
not its deadline.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field

from connectors.kit.contract import Kind
from listener.domain.deadline import Policies, Sort, due
from listener.domain.record import Instant, NotAllowed, Record, word

HOLD = timedelta(minutes=10)
LONGEST_SNOOZE = timedelta(days=90)
PATIENCE = timedelta(days=30)  # how long a case sleeps for an author who never answers


class Status(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    OWNED = "owned"
    ANSWERED = "answered"
    CLOSED = "closed"


class Outcome(StrEnum):
    """Why a case was closed."""

    ANSWERED = "answered"
    ANSWERED_ELSEWHERE = "answered elsewhere"
    NO_REPLY_NEEDED = "no reply needed"
    NOT_US = "not us"
    NOT_NEGATIVE = "not negative"
    SPAM = "spam"


# What says that it was no complaint: nothing brings such a case back but a person.
FINAL = frozenset({Outcome.NOT_US, Outcome.NOT_NEGATIVE, Outcome.SPAM})


class Case(Record, table=True):
    """One complaint that staff must answer, whatever number of posts repeat it."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_queue", "status", "priority"),
        Index("ix_cases_brand", "brand_id", "opened_at"),
        # What the desk's lists look at. With all they ask for in it, the rows stay untouched.
        Index(
            "ix_cases_desk",
            "brand_id",
            "status",
            "unsure",
            "urgent",
            "priority",
            "owner_id",
            "due_at",
            "opened_at",
            "snoozed_until",
            sqlite_where=text("status <> 'closed'"),
            postgresql_where=text("status <> 'closed'"),
        ),
        Index("ix_cases_closed", "closed_at"),
        Index(
            "ix_cases_snoozed",
            "snoozed_until",
            sqlite_where=text("snoozed_until IS NOT NULL"),
            postgresql_where=text("snoozed_until IS NOT NULL"),
        ),
    )

    brand_id: int = Field(foreign_key="brands.id")
    status: Status = Field(default=Status.OPEN, sa_type=word(Status))
    kind: Kind = Field(sa_type=word(Kind))
    urgent: bool = False
    unsure: bool = False
    priority: int = 0
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    owner_id: int | None = Field(default=None, foreign_key="staff.id")
    holder_id: int | None = Field(default=None, foreign_key="staff.id")
    held_until: datetime | None = Field(default=None, sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    waiting_since: datetime | None = Field(default=None, sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    snoozed_until: datetime | None = Field(default=None, sa_type=Instant)
    wakes_on_answer: bool = False  # and no later than `snoozed_until`
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    outcome: Outcome | None = Field(default=None, sa_type=word(Outcome))
    reopened: int = 0
    mentions: int = 1  # how many places or people say it

    def held_by(self, now: datetime) -> int | None:
        """Who works on it at this moment."""
        if self.held_until is None or self.held_until <= now:
            return None
        return self.holder_id

    def sleeps(self, now: datetime) -> bool:
        """Whether it is out of the queues at this moment."""
        return self.snoozed_until is not None and self.snoozed_until > now

    def take(self, staff_id: int, now: datetime, *, over: bool = False) -> None:
        """Make this person its owner and holder; `over` takes it from whoever holds it."""
        self.require_not_closed()
        if not over:
            self.require_unheld(staff_id, now)
            if self.owner_id not in (None, staff_id):
                raise NotAllowed(f"Case {self.id} belongs to somebody else.")
        if self.status is Status.OPEN:
            self.status = Status.OWNED
        self.owner_id = self.holder_id = staff_id
        self.held_until = now + HOLD
        self.wake()

    def touch(self, staff_id: int, now: datetime) -> None:
        """Keep the hold alive while its holder is at work."""
        self.require_holder(staff_id, now)
        self.held_until = now + HOLD

    def assign(self, owner_id: int, staff_id: int, now: datetime) -> None:
        """Make somebody its owner, who holds it only when they begin."""
        self.require_not_closed()
        self.require_unheld(staff_id, now)
        if self.status is Status.OPEN:
            self.status = Status.OWNED
        self.owner_id = owner_id
        if self.holder_id != owner_id:
            self.holder_id = self.held_until = None

    def unassign(self, staff_id: int, now: datetime) -> None:
        """Give a case of anybody's back to the queue."""
        if self.owner_id is None:
            raise NotAllowed(f"Case {self.id} belongs to nobody.")
        self.require_not_closed()
        self.require_unheld(staff_id, now)
        if self.status is Status.OWNED:
            self.status = Status.OPEN
        self.owner_id = self.holder_id = self.held_until = None

    def release(self, staff_id: int, now: datetime) -> None:
        """Give it back to the queue."""
        if self.status is not Status.OWNED:
            raise NotAllowed(
                f"Case {self.id} is {self.status}; only an owned case can be given back."
            )
        if self.owner_id != staff_id:
            raise NotAllowed(f"Case {self.id} belongs to somebody else.")
        self.require_unheld(staff_id, now)
        self.status = Status.OPEN
        self.owner_id = self.holder_id = self.held_until = None

    def snooze(
        self, until: datetime | None, staff_id: int, now: datetime, *, on_answer: bool = False
    ) -> None:
        """Out of the queues until a moment or, `on_answer`, until its author is heard again.

        Its deadline stays where it is. A case that waits for its author comes back after a
        month all the same: nothing sleeps for ever.
        """
        self.require_not_closed()
        self.require_unheld(staff_id, now)
        if until is None:
            if not on_answer:
                raise NotAllowed("Say until when it sleeps: a moment, or until the author answers.")
            until = now + PATIENCE
        if until <= now:
            raise NotAllowed(f"{until:%d %b %H:%M} UTC is over already; name a later moment.")
        if until > now + LONGEST_SNOOZE:
            raise NotAllowed(
                f"A case sleeps {LONGEST_SNOOZE.days} days at most; close it if it is done."
            )
        self.snoozed_until = until
        self.wakes_on_answer = on_answer
        self.holder_id = self.held_until = None

    def wake(self) -> bool:
        """Back into the queues; False when it was there."""
        slept = self.snoozed_until is not None
        self.snoozed_until = None
        self.wakes_on_answer = False
        return slept

    def confirm(self, policies: Policies, now: datetime) -> None:
        """A person says that an unsure case is a complaint: from now on it has a deadline."""
        if not self.unsure:
            raise NotAllowed(f"Case {self.id} is not unsure.")
        self.unsure = False
        self.waiting_since = now
        self.due_at = due(self.sort, policies, now)

    def answer(self, now: datetime) -> None:
        """Our answer stands on the place: from now on it is the customer's turn."""
        self.require_not_closed()
        self.status = Status.ANSWERED
        self.answered_at = now
        self.waiting_since = None

    def close(self, outcome: Outcome, staff_id: int | None, now: datetime) -> None:
        """End it with a reason; whoever holds it is the only one who may."""
        if self.status is Status.CLOSED:
            raise NotAllowed(f"Case {self.id} is already closed ({self.outcome}).")
        self.require_unheld(staff_id, now)
        self.status = Status.CLOSED
        self.outcome = outcome
        self.closed_at = now
        self.holder_id = self.held_until = None
        self.wake()

    def reopen(self, policies: Policies, now: datetime) -> None:
        """The customer is back: to the same owner, with a fresh deadline."""
        if self.status not in (Status.CLOSED, Status.ANSWERED):
            raise NotAllowed(f"Case {self.id} is {self.status}; there is nothing to reopen.")
        self.status = Status.OPEN if self.owner_id is None else Status.OWNED
        self.outcome = self.closed_at = None
        self.reopened += 1
        self.waiting_since = now
        self.due_at = due(self.sort, policies, now)
        self.wake()

    def require_not_closed(self) -> None:
        """Refuse what only a case that is not closed allows."""
        if self.status is Status.CLOSED:
            raise NotAllowed(f"Case {self.id} is closed ({self.outcome}); reopen it first.")

    def require_unheld(self, staff_id: int | None, now: datetime) -> None:
        """Refuse whoever comes while somebody else works on it."""
        if self.held_by(now) not in (None, staff_id):
            raise NotAllowed(
                f"Case {self.id} is held by somebody else until {self.held_until:%H:%M} UTC."
            )

    def require_holder(self, staff_id: int, now: datetime) -> None:
        """Refuse whoever does not hold it."""
        if self.held_by(now) != staff_id:
            raise NotAllowed(f"You do not hold case {self.id} any more; take it again.")

    @property
    def sort(self) -> Sort:
        """What its deadline depends on."""
        return Sort(self.kind, self.urgent, self.unsure)
