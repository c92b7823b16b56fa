"""A case: one complaint on its way to an answer.

      take, assign        answer           close
  open ──────────▶ owned ──────────▶ answered ─────▶ closed
   ▲ ▲  ◀────────── │ release           │              │
   │ │              └──────close────────┼─────────────▶│
   │ └────────────────close─────────────┼─────────────▶│
   └────────────────reopen──────────────┴──────────────┘   (to its owner: owned, if there is one)

Snoozed until, waiting since, reopened and unsure are marks on it. A hold says that somebody
is working on it right now: only the holder may answer, it lapses after ten idle minutes, and
it can be taken over; the owner stays owner when it lapses. While nobody has said that they
heard it (by taking it, or by acknowledging it), it is unheard, and the ladder goes on. An
answer of ours that its place shows makes even a case that nobody owns answered. Who snoozes a
case moves it out of sight, not its deadline; while it sleeps for its author, its resolution
stands still.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field

from connectors.kit.contract import Kind
from listener.domain.deadline import Clock, Policies, Running, Sort
from listener.domain.record import Instant, NotAllowed, Record, word

HOLD = timedelta(minutes=10)
LONGEST_SNOOZE = timedelta(days=90)
PATIENCE = timedelta(days=30)  # how long a case sleeps for an author who never answers
UNSPREAD = timedelta(days=14)  # and for a cause that does not spread


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
# Whoever answers a case says that it was a complaint; "no reply needed" says nothing of the kind.
CONFIRMED = (Outcome.ANSWERED, Outcome.ANSWERED_ELSEWHERE)


class Case(Record, table=True):
    """One complaint that staff must answer, whatever number of posts repeat it."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_queue", "status", "priority"),
        Index("ix_cases_brand", "brand_id", "opened_at", "status", "outcome"),
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
            "ix_cases_unheard",
            "unheard_since",
            sqlite_where=text("unheard_since IS NOT NULL"),
            postgresql_where=text("unheard_since IS NOT NULL"),
        ),
        Index(
            "ix_cases_clocks",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
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
    crisis: bool = False  # people have tagged it so
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    owner_id: int | None = Field(default=None, foreign_key="staff.id")
    holder_id: int | None = Field(default=None, foreign_key="staff.id")
    held_until: datetime | None = Field(default=None, sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    waiting_since: datetime | None = Field(default=None, sa_type=Instant)
    unheard_since: datetime | None = Field(default=None, sa_type=Instant)  # None: it was heard
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    snoozed_until: datetime | None = Field(default=None, sa_type=Instant)
    wakes_on_answer: bool = False  # and no later than `snoozed_until`
    wakes_on_people: int | None = None  # so many more who say the same; no later either
    slept_at: datetime | None = Field(default=None, sa_type=Instant)  # since when they count
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    outcome: Outcome | None = Field(default=None, sa_type=word(Outcome))
    reopened: int = 0
    mentions: int = 1  # how many places or people say it
    connector: str | None = None  # where it was said first
    team_id: int | None = Field(default=None, foreign_key="teams.id")
    policy: str | None = None  # which policy speaks, and in which version
    policy_version: int = 0
    counts_from: datetime | None = Field(default=None, sa_type=Instant)
    worse_at: datetime | None = Field(default=None, sa_type=Instant)  # since when it is stricter
    first_answered_at: datetime | None = Field(default=None, sa_type=Instant)
    pauses: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    waits: list[list[Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    paused_at: datetime | None = Field(default=None, sa_type=Instant)
    resolve_at: datetime | None = Field(default=None, sa_type=Instant)
    look_at: datetime | None = Field(default=None, sa_type=Instant)  # when a clock has news

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
        self.unheard_since = None
        self.wake(now)

    def acknowledge(self) -> bool:
        """Somebody has heard it and sees to it; False when it was heard before."""
        self.require_not_closed()
        if self.unsure:
            raise NotAllowed(f"Case {self.id} is unsure: say first whether it is a complaint.")
        unheard = self.unheard_since is not None
        self.unheard_since = None
        return unheard

    def call(self, now: datetime) -> None:
        """Somebody must hear it, from now on; not while it is unsure, or our answer stands."""
        waits = self.status in (Status.OPEN, Status.OWNED) and not self.unsure
        self.unheard_since = now if waits else None

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
        if owner_id == staff_id:
            self.unheard_since = None
        else:
            self.call(now)

    def unassign(self, staff_id: int, now: datetime) -> None:
        """Give a case of anybody's back to the queue."""
        if self.owner_id is None:
            raise NotAllowed(f"Case {self.id} belongs to nobody.")
        self.require_not_closed()
        self.require_unheld(staff_id, now)
        if self.status is Status.OWNED:
            self.status = Status.OPEN
        self.owner_id = self.holder_id = self.held_until = None
        self.call(now)

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
        self.call(now)

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
        self.wakes_on_people = self.slept_at = None
        self.holder_id = self.held_until = self.unheard_since = None
        if on_answer:
            self.pause(now)

    def await_others(self, people: int, staff_id: int, now: datetime) -> None:
        """Out of the queues until so many more say the same, or two weeks are over."""
        self.snooze(now + UNSPREAD, staff_id, now)
        self.wakes_on_people, self.slept_at = people, now

    def wake(self, now: datetime) -> bool:
        """Back into the queues; False when it was there."""
        slept = self.snoozed_until is not None
        self.snoozed_until = None
        self.wakes_on_answer = False
        self.wakes_on_people = self.slept_at = None
        if self.status in (Status.OPEN, Status.OWNED):
            self.resume(now)
        return slept

    def confirm(self, policies: Policies, now: datetime) -> None:
        """A person says that an unsure case is a complaint: from now on it has a deadline."""
        if not self.unsure:
            raise NotAllowed(f"Case {self.id} is not unsure.")
        self.unsure = False
        self.wait(policies, now)
        self.call(now)

    def answer(self, now: datetime, *, automatic: bool = False) -> None:
        """Our answer stands on the place: from now on it is the customer's turn.

        What no person wrote is no answer: they wait for us as before.
        """
        self.require_not_closed()
        if automatic:
            return
        self.status = Status.ANSWERED
        self.answered_at = now
        self.end_wait(now)
        self.first_answered_at = self.first_answered_at or now
        self.pause(now)
        self.waiting_since = self.unheard_since = None

    def close(self, outcome: Outcome, staff_id: int | None, now: datetime) -> None:
        """End it with a reason; whoever holds it is the only one who may."""
        if self.status is Status.CLOSED:
            raise NotAllowed(f"Case {self.id} is already closed ({self.outcome}).")
        self.require_unheld(staff_id, now)
        self.status = Status.CLOSED
        self.outcome = outcome
        self.closed_at = now
        self.holder_id = self.held_until = self.unheard_since = None
        self.wake(now)
        self.pause(now)

    def reopen(self, policies: Policies, now: datetime) -> None:
        """The customer is back: to the same owner, with a fresh deadline for our reply."""
        if self.status not in (Status.CLOSED, Status.ANSWERED):
            raise NotAllowed(f"Case {self.id} is {self.status}; there is nothing to reopen.")
        self.end_wait(self.closed_at or now)
        self.status = Status.OPEN if self.owner_id is None else Status.OWNED
        self.outcome = self.closed_at = None
        self.reopened += 1
        self.wake(now)
        self.wait(policies, now)
        self.call(now)

    def wait(self, policies: Policies, now: datetime) -> None:
        """They wait for us from now on: a clock begins, by the policy that speaks today."""
        self.waiting_since, self.worse_at = now, None
        if not self.unsure and self.counts_from is None:
            self.counts_from = now
        self.choose(policies)

    def choose(self, policies: Policies) -> None:
        """Ask which policy speaks: it is new, has become worse or has got another team."""
        policy = None if self.unsure else policies.speaking(self.sort)
        self.policy = policy.name if policy else None
        self.policy_version = policy.version if policy else 0
        self.reckon(policies)

    def worsen(self, policies: Policies, now: datetime) -> None:
        """It has become worse: a stricter policy speaks, from now on, if it is sooner due by it."""
        policy = None if self.unsure else policies.speaking(self.sort)
        if policy is None or self.waiting_since is None:
            return
        clock = Clock.FIRST if self.first_answered_at is None else Clock.NEXT
        hours = policies.counting(policy, self.team_id)
        sooner = Running(clock, now, hours, policy).due
        if sooner is not None and (self.due_at is None or sooner < self.due_at):
            self.worse_at = now
            self.choose(policies)

    def calm(self, policies: Policies, now: datetime) -> None:
        """It is no crisis after all: what was promised before holds again."""
        self.crisis = False
        if not self.urgent:
            self.worse_at = None
        if self.counts_from is not None:
            self.choose(policies)
            self.look_at = now  # what it missed may be none any more

    def belong_to(self, team_id: int | None, policies: Policies) -> None:
        """Give it to a team, in whose hours its time is counted."""
        self.team_id = team_id
        self.choose(policies)

    def reckon(self, policies: Policies) -> None:
        """When it is due, by the calendars as they stand today.

        A case from before there were clocks keeps the deadline that it was given.
        """
        if self.counts_from is None and not self.unsure:
            self.look_at = None
            return
        # Of several with one name the last is the one that runs.
        running = {one.clock: one for one in self.clocks(policies)}
        reply = running.get(Clock.FIRST if self.first_answered_at is None else Clock.NEXT)
        if self.waiting_since is not None:
            self.due_at = reply.at(100) if reply else None
        resolution = running.get(Clock.RESOLUTION)
        self.resolve_at = resolution.due if resolution and resolution.stopped is None else None
        news = (one.after_level(0) for one in running.values())
        self.look_at = min((moment for moment in news if moment is not None), default=None)

    def clocks(self, policies: Policies) -> list[Running]:
        """The clocks of this case, reckoned anew; none while it is unsure."""
        policy = policies.stamped(self.policy, self.policy_version)
        if self.unsure or policy is None or self.counts_from is None:
            return []
        ended = self.closed_at if self.status is Status.CLOSED else None
        hours = policies.counting(policy, self.team_id)
        found = self.waited(policies)
        since = self.waits_from
        if since is not None:
            clock = Clock.FIRST if self.first_answered_at is None else Clock.NEXT
            found.append(Running(clock, since, hours, policy, stopped=ended))
        if self.reopened == 0 and not any(one.clock is Clock.FIRST for one in found):
            # It was answered before waits were kept.
            stopped = self.first_answered_at or ended
            found.insert(0, Running(Clock.FIRST, self.counts_from, hours, policy, stopped=stopped))
        pauses = tuple(
            (datetime.fromisoformat(begin), datetime.fromisoformat(end))
            for begin, end in self.pauses
        )
        found.append(
            Running(
                Clock.RESOLUTION,
                self.counts_from,
                hours,
                policy,
                pauses=pauses,
                paused_at=self.paused_at,
                stopped=ended,
            )
        )
        return [one for one in found if one.span is not None]

    @property
    def waits_from(self) -> datetime | None:
        """From when on the time of our reply counts; None while it is not our turn."""
        if self.waiting_since is None:
            return None
        return max(self.waiting_since, self.worse_at or self.waiting_since)

    def end_wait(self, now: datetime) -> None:
        """Keep how long they waited, and by which promise, so that it can be counted again."""
        since = self.waits_from
        if since is None or self.policy is None:
            return
        clock = Clock.FIRST if self.first_answered_at is None else Clock.NEXT
        promise = [self.policy, self.policy_version, self.team_id]
        wait = [clock.value, since.isoformat(), now.isoformat(), *promise]
        self.waits = [*self.waits, wait]

    def waited(self, policies: Policies) -> list[Running]:
        """The clocks of replies that were given, each by its own promise."""
        found = []
        for clock, since, until, name, version, team_id in self.waits:
            policy = policies.stamped(name, version)
            if policy is not None:
                hours = policies.counting(policy, team_id)
                start, stopped = datetime.fromisoformat(since), datetime.fromisoformat(until)
                found.append(Running(Clock(clock), start, hours, policy, stopped=stopped))
        return found

    def pause(self, now: datetime) -> None:
        """It is the customer's turn: the resolution stands still."""
        self.paused_at = self.paused_at or now
        self.resolve_at = None
        self.look_at = now  # reckoned anew by who has the calendars at hand

    def resume(self, now: datetime) -> None:
        """It is our turn again."""
        if self.paused_at is None:
            return
        if self.paused_at < now:
            self.pauses = [*self.pauses, [self.paused_at.isoformat(), now.isoformat()]]
        self.paused_at = None
        self.look_at = now

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
        return Sort(
            self.kind,
            self.urgent,
            self.unsure,
            brand_id=self.brand_id,
            connector=self.connector,
            priority=self.priority,
            team_id=self.team_id,
            crisis=self.crisis,
        )


def beginning(sort: Sort, policies: Policies, now: datetime) -> dict[str, Any]:
    """What a new case has of clocks, as a row: many are opened at once."""
    found: dict[str, Any] = dict.fromkeys(
        ("policy", "counts_from", "due_at", "resolve_at", "look_at")
    )
    found |= {"connector": sort.connector, "team_id": sort.team_id}
    found |= {"policy_version": 0, "pauses": [], "paused_at": None, "first_answered_at": None}
    found |= {"worse_at": None, "crisis": False, "waits": []}
    policy = None if sort.unsure else policies.speaking(sort)
    if policy is None:
        return found
    hours = policies.counting(policy, sort.team_id)
    first = Running(Clock.FIRST, now, hours, policy)
    resolution = Running(Clock.RESOLUTION, now, hours, policy)
    news = [one.after_level(0) for one in (first, resolution)]
    return found | {
        "policy": policy.name,
        "policy_version": policy.version,
        "counts_from": now,
        "due_at": first.due,
        "resolve_at": resolution.due,
        "look_at": min((moment for moment in news if moment is not None), default=None),
    }
