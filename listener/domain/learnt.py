"""What a brand has taught: versions of a head, whether the gate let each judge, and why not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import JSON, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, Record

AT: Final = time(3)  # UTC: when most people who post are asleep, and few mentions wait
_STANDS: Final = text("in_force_since IS NOT NULL")


class Learnt(Record, table=True):
    """A version of what a brand has taught; references and figures only, never anybody's words.

    Made once and not changed but for whether it is in force: of a brand's versions at most one is,
    and only on the `model` (name and version) that it stands on. One that the gate `refused` has
    no head and never was. One that somebody has rolled back is `withdrawn_at`, and not taken again.
    """

    __tablename__ = "learnt"
    __table_args__ = (
        UniqueConstraint("brand_id", "number"),
        Index(
            "ix_learnt_in_force",
            "brand_id",
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
    )

    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE")
    number: int  # the first of a brand is 1
    model: str
    mentions: list[int] = Field(sa_column=Column(JSON, nullable=False))  # that it learnt from
    told: str  # the mark of these lessons: without new ones nothing is learnt anew
    right_before: int  # of the lessons, each judged by a head that had not seen it
    right_now: int
    gained: int
    lost: int
    against: int  # contradict what the model was sure of
    sure: int
    worse: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    refused: str = ""  # why the gate stopped it
    doubted_id: int | None = Field(default=None, foreign_key="staff.id", ondelete="SET NULL")
    head: bytes | None = Field(default=None, sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=Instant)
    in_force_since: datetime | None = Field(default=None, sa_type=Instant)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def lessons(self) -> int:
        """How many it learnt from."""
        return len(self.mentions)


class LearnsWith(SQLModel, table=True):
    """That a brand learns together with another: what staff say of either moves both."""

    __tablename__ = "learns_with"

    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE", primary_key=True)
    other_id: int = Field(foreign_key="brands.id", ondelete="CASCADE", index=True)


class LearningLook(SQLModel, table=True):
    """When a brand's lessons were looked through, and until when a worker has them."""

    __tablename__ = "learning_looks"

    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE", primary_key=True)
    looked_at: datetime | None = Field(default=None, sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)


def mark(told: Mapping[int, bool], model: str) -> str:
    """What tells these lessons from others: whether each mention is a complaint, to this model."""
    words = " ".join(f"{number}{'+' if told[number] else '-'}" for number in sorted(told))
    return sha256(f"{model}\0{words}".encode()).hexdigest()[:32]


def last_night(now: datetime, at: time = AT) -> datetime:
    """When the hour of learning was struck last."""
    moment = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return moment if moment <= now else moment - timedelta(days=1)


def sentence(learnt: Learnt, names: Mapping[int, str]) -> str:
    """What came of it, for people; `names` are those of staff by number, as far as told."""
    if learnt.refused:
        doubted, why = learnt.doubted_id, learnt.refused
        if doubted is not None:
            name = names.get(doubted, "one person")
            why = why.replace(f"What person {doubted} said", f"What {name} said", 1)
        return f"The gate stopped what {lessons_of(learnt.lessons)} taught. {why}"
    return (
        f"Learnt from {lessons_of(learnt.lessons)}: of those held back in turn, "
        f"{learnt.right_before} were right before and {learnt.right_now} are now."
    )


def lessons_of(count: int) -> str:
    """A count of lessons in words."""
    return f"{count:,} lesson{'' if count == 1 else 's'}"


def before(versions: Sequence[Learnt], standing: Learnt) -> Learnt | None:
    """The version to go back to: the last one before that judged on the same model, if any."""
    fit = [
        one
        for one in versions
        if one.number < standing.number
        and one.head is not None
        and one.withdrawn_at is None
        and one.model == standing.model
    ]
    return max(fit, key=lambda one: one.number, default=None)
