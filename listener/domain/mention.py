"""Mentions: posts that name a brand, with all their revisions and every source that saw them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from connectors.kit.contract import Author, Kind, Post, Precision
from listener.domain.record import Instant, Record, word
from models.verdict import Feeling

FRESH = timedelta(hours=48)

# When a mention is asked for again after it was first seen; people change their minds early.
RECHECKS = (
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
    timedelta(days=7),
    timedelta(days=30),
)


class Mention(Record, table=True):
    """A post that names a brand, as it stands now.

    It `waits` until a classifier has judged its present revision. A mention of our own
    account is `ours`: context for others, never judged. A `late` one was published long
    before it was first seen: judged and counted, but nobody is called.
    """

    __tablename__ = "mentions"
    __table_args__ = (
        UniqueConstraint("connector", "post_id", "brand_id"),
        Index(
            "ix_mentions_waiting",
            "id",
            sqlite_where=text("waits"),
            postgresql_where=text("waits"),
        ),
        Index("ix_mentions_published", "brand_id", "published_at"),
        Index("ix_mentions_lately", "published_at"),
        Index(
            "ix_mentions_recheck",
            "recheck_at",
            sqlite_where=text("recheck_at IS NOT NULL"),
            postgresql_where=text("recheck_at IS NOT NULL"),
        ),
        Index(
            "ix_mentions_answers",
            "connector",
            "in_reply_to",
            sqlite_where=text("ours AND in_reply_to IS NOT NULL"),
            postgresql_where=text("ours AND in_reply_to IS NOT NULL"),
        ),
        Index(
            "ix_mentions_thread",
            "connector",
            "thread",
            sqlite_where=text("case_id IS NOT NULL AND thread IS NOT NULL"),
            postgresql_where=text("case_id IS NOT NULL AND thread IS NOT NULL"),
        ),
        # The mentions of a case, and of the first one what its flag was.
        Index(
            "ix_mentions_case",
            "case_id",
            "id",
            "connector",
            "flagged",
            "unsure",
            sqlite_where=text("case_id IS NOT NULL"),
            postgresql_where=text("case_id IS NOT NULL"),
        ),
        Index("ix_mentions_author", "connector", "author_id", "published_at"),
    )

    brand_id: int = Field(foreign_key="brands.id")
    connector: str
    post_id: str
    source_id: int = Field(foreign_key="sources.id")  # the first source that saw it
    url: str
    kind: Kind = Field(sa_type=word(Kind))
    title: str | None = None
    text: str
    author_id: str = ""
    author_name: str = ""
    author_handle: str = ""
    author_reach: int | None = None
    rating: float | None = None
    rating_lowest: float | None = None
    rating_highest: float | None = None
    language: str | None = None
    published_at: datetime = Field(sa_type=Instant)
    precision: Precision = Field(default=Precision.SECOND, sa_type=word(Precision))
    edited_at: datetime | None = Field(default=None, sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    in_reply_to: str | None = None
    thread: str | None = None
    branch: str | None = None
    reach: int | None = None
    links: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    attachments: list[dict[str, str]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    marks: list[list[Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    truncated: bool = False
    ours: bool = False
    late: bool = False
    revision: str  # the fingerprint of what stands here now
    revisions: int = 1
    deleted_at: datetime | None = Field(default=None, sa_type=Instant)
    purged_at: datetime | None = Field(default=None, sa_type=Instant)
    recheck_at: datetime | None = Field(default=None, sa_type=Instant)
    rechecks: int = 0
    absences: int = 0

    waits: bool = True
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    judged_at: datetime | None = Field(default=None, sa_type=Instant)
    complaint: float | None = None
    feeling: Feeling | None = Field(default=None, sa_type=word(Feeling))
    confidence: float | None = None
    model: str | None = None
    learnt: int | None = None  # the version of what its brand has taught that moved the verdict
    flagged: bool | None = None
    unsure: bool | None = None
    urgent: bool | None = None
    conflict: bool | None = None  # stars and words disagree
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    case_id: int | None = Field(default=None, foreign_key="cases.id")

    @property
    def stars(self) -> float | None:
        """The rating on a scale of one to five."""
        return stars_of(self.rating, self.rating_lowest, self.rating_highest)

    @property
    def words(self) -> str:
        """Title and text as one."""
        return words_of(self.title, self.text)

    @property
    def judge(self) -> str | None:
        """Whose verdict it has: the model's and, where that was moved, of what was learnt."""
        return self.model if self.learnt is None else f"{self.model}, learnt {self.learnt}"

    @property
    def post(self) -> Post:
        """The post as its connector knows it, as far as answering needs it."""
        return Post(
            id=self.post_id,
            url=self.url,
            text=self.text,
            title=self.title,
            published=self.published_at,
            edited=self.edited_at,
            kind=self.kind,
            author=Author(
                id=self.author_id,
                name=self.author_name,
                handle=self.author_handle,
                reach=self.author_reach,
            ),
            language=self.language,
            in_reply_to=self.in_reply_to,
            thread=self.thread,
            branch=self.branch,
            truncated=self.truncated,
        )


class Revision(Record, table=True):
    """What a mention said before its author changed it."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("mention_id", "number"),)

    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE")
    number: int  # the first is 1
    title: str | None = None
    text: str
    rating: float | None = None
    replaced_at: datetime = Field(sa_type=Instant)


class Sighting(SQLModel, table=True):
    """That a source saw a mention."""

    __tablename__ = "sightings"

    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE", primary_key=True)
    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE", primary_key=True)
    seen_at: datetime = Field(sa_type=Instant)


class Unindexed(SQLModel, table=True):
    """A mention whose words cannot be found yet. `turn` grows whenever they change again."""

    __tablename__ = "unindexed"

    mention_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    turn: int = 1


def words_of(title: str | None, text: str) -> str:
    """Title and text as one."""
    return f"{title}\n\n{text}" if title else text


def stars_of(rating: float | None, lowest: float | None, highest: float | None) -> float | None:
    """A rating on its place's scale as one of one to five stars."""
    if rating is None or lowest is None or highest is None:
        return None
    return 1 + 4 * (rating - lowest) / (highest - lowest)


def next_recheck(seen_at: datetime, rechecks: int) -> datetime | None:
    """When to ask again after so many rechecks, or None when it has been asked often enough."""
    return seen_at + RECHECKS[rechecks] if rechecks < len(RECHECKS) else None
