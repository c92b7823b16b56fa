"""What a listener would keep of one source, for the tests of connectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.kit.contract import Page, Post, Span, Unread
from tests.connectors.place import BEGINNING, Place

MARK = re.compile(r"\bn(\d+)n\b")


@dataclass(slots=True)
class Memory:
    """What a listener keeps of one source: posts, and the cursor they were committed with."""

    place: Place
    cursor: str | None = None
    walk: datetime | None = None  # when the walk under way began
    since: datetime = BEGINNING - timedelta(days=7)
    posts: dict[str, Post] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    unreadable: list[Unread] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.walk or self.place.now

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.posts.keys() & set(ids))

    def keep(self, page: Page) -> list[Post]:
        """Commit a page; those of its posts that are new, or a new revision."""
        known = {id_: post.revision for id_, post in self.posts.items()}
        self.posts |= {post.id: post for post in page.posts}
        self.gone |= set(page.gone)
        self.unreadable += page.unreadable
        self.cursor = page.cursor
        return [post for post in page.posts if known.get(post.id) != post.revision]

    def assert_has_read(self, span: Span | None, *, edges: bool) -> None:
        """What a page claims as read has been read: nobody looks there again.

        The second at an edge may go on overleaf, so `edges` count when the walk is over.
        """
        if span is not None:
            second = timedelta(0) if edges else timedelta(seconds=1)
            start, end = span.start + second, span.end - second
            claimed = {p.number for p in self.place.listed() if start <= p.at <= end}
            assert claimed - set(self.numbers) == set(), f"{span} was not read whole"

    @property
    def numbers(self) -> list[int]:
        """Which of the place's posts are here, one number for every id."""
        return sorted(number(post) for post in self.posts.values())


def number(post: Post) -> int:
    """Which of the place's posts this is, by the mark in its words."""
    found = MARK.search(f"{post.title}\n{post.text}")
    assert found, f"post {post.id} lost the words of its author"
    return int(found[1])
