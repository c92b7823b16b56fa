"""Themes: a cause that several complaints share, under a number and a name that stay."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant, NotAllowed, Record, word

WINDOW: Final = timedelta(days=28)  # complaints older than this form no theme
FEWEST: Final = 3  # people who say it; two are a coincidence
LOOKED_THROUGH: Final = 2_000  # complaints of a brand, the latest: more are no theme either
LONGEST_NAME: Final = 80  # characters
LONGEST_LINK: Final = 500
STEPS: Final = (5, 10, 20, 50, 100, 200, 500, 1_000)  # people; to reach one is told in the history
SAME: Final = 0.5  # of what a theme had: a group with so much of it is that theme


class Theme(Record, table=True):
    """What several people complain about.

    Active until nobody has said it for `WINDOW`, or until it is `merged_into` another; both
    have `ended_at`. Said again, what has ended otherwise begins anew under its number. `named`
    says that a person chose the name, which then stays; `by_hand` that a person put together or
    apart what belongs to it: that holds against the words. The owner sees to the cause, and the
    link leads to where it is put right; neither is anything of a case's.
    """

    __tablename__ = "themes"
    __table_args__ = (Index("ix_themes_brand", "brand_id", "ended_at"),)

    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE")
    name: str
    named: bool = False
    muted: bool = False
    people: int = 0
    quote_id: int | None = None  # the mention that says it most clearly
    began_at: datetime = Field(sa_type=Instant)
    last_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    merged_into: int | None = None
    owner_id: int | None = Field(default=None, foreign_key="staff.id")
    link: str | None = None  # of what is done about it, in another program
    by_hand: bool = False

    def rename(self, name: str) -> None:
        """Give it the name that people use."""
        name = " ".join(name.replace("\0", "").split())
        if not name:
            raise NotAllowed("A theme needs a name. Say in a few words what is wrong.")
        if len(name) > LONGEST_NAME:
            raise NotAllowed(f"A theme's name has at most {LONGEST_NAME} characters.")
        self.name, self.named = name, True

    def track(self, link: str) -> None:
        """Say where it is put right; nowhere when empty."""
        self.link = checked(link) if link.strip() else None


def checked(link: str) -> str:
    """A link that people may follow, or a sentence that says what is wrong with it."""
    link = link.strip()
    if len(link) > LONGEST_LINK:
        raise NotAllowed(f"A link has at most {LONGEST_LINK} characters.")
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not whole or any(sign.isspace() or not sign.isprintable() for sign in link):
        raise NotAllowed(
            "That is no link. It begins with https:// or http://, names a host and has no "
            "spaces, as in https://tickets.example/browse/SHOP-7."
        )
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("A link must hold no name and no password: everybody here can read it.")
    return link


class Belonging(SQLModel, table=True):
    """That a mention is one of a theme's."""

    __tablename__ = "theme_mentions"

    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE", primary_key=True)
    theme_id: int = Field(foreign_key="themes.id", ondelete="CASCADE", index=True)
    since: datetime | None = Field(default=None, sa_type=Instant)  # of this theme or another


class Became(StrEnum):
    """What can become of a theme."""

    BEGAN = "began"
    SPLIT = "split"  # it began as a part of `other`
    MERGED = "merged"  # it went on as `other`
    ENDED = "ended"
    AGAIN = "again"
    RENAMED = "renamed"
    MUTED = "muted"
    UNMUTED = "unmuted"
    GREW = "grew"  # to as many people as `words` says
    OWNED = "owned"  # by the person whose number is `other`; by nobody without
    LINKED = "linked"  # to `words`; to nothing without


class ThemeEvent(Record, table=True):
    """One line of a theme's history, never rewritten."""

    __tablename__ = "theme_events"

    theme_id: int = Field(foreign_key="themes.id", ondelete="CASCADE", index=True)
    at: datetime = Field(sa_type=Instant)
    what: Became = Field(sa_type=word(Became))
    other: int | None = Field(default=None, index=True)
    words: str | None = None  # what it is called, how many say it, or a link
    staff_id: int | None = Field(default=None, foreign_key="staff.id", ondelete="SET NULL")


def step_reached(before: int, now: int) -> bool:
    """Whether so many more people say it that the history tells of it."""
    return any(before < step <= now for step in STEPS)


class ThemeLook(SQLModel, table=True):
    """When a brand's complaints were last looked through, and who is at it."""

    __tablename__ = "theme_looks"

    brand_id: int = Field(foreign_key="brands.id", ondelete="CASCADE", primary_key=True)
    looked_at: datetime | None = Field(default=None, sa_type=Instant)
    taken_until: datetime | None = Field(default=None, sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Matched:
    """Which theme each group is (None: a new one), what new ones split from, what merged."""

    themes: tuple[int | None, ...]
    split_from: tuple[int | None, ...]
    merged: Mapping[int, int]


def matched(groups: Sequence[Set[int]], standing: Mapping[int, Set[int]]) -> Matched:
    """Find the standing themes again in new groups of mentions, those with most in common first.

    The part of a theme that has most of it keeps its number, the others are new. A theme of
    which a group holds half, though the group is another theme already, has merged into that.
    """
    shared = sorted(
        (
            (-len(mentions & group), theme, number)
            for theme, mentions in standing.items()
            for number, group in enumerate(groups)
            if mentions & group
        ),
    )
    themes: list[int | None] = [None] * len(groups)
    origin: list[int | None] = [None] * len(groups)
    merged: dict[int, int] = {}
    found: set[int] = set()
    for less, theme, number in shared:
        has, into = len(standing[theme]), themes[number]
        if theme not in found and into is None:
            themes[number] = theme
            found.add(theme)
        elif theme not in found and into is not None and -less >= SAME * has:
            merged[theme] = into
            found.add(theme)
        elif into is None and origin[number] is None and -less >= SAME * len(groups[number]):
            origin[number] = theme
    split = [
        source if theme is None else None for theme, source in zip(themes, origin, strict=True)
    ]
    return Matched(tuple(themes), tuple(split), merged)
