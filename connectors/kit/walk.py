"""The walk through a place that lists newest first: nothing lost, no gap claimed as read.

How far a source has been read is one watermark and at most one walk under way:

    read up to the watermark ──start──▶ under way ──reaches the floor, or the listing ends──▶
        read up to the walk's start
    under way ──cut after any page──▶ under way, kept in the cursor

* The **watermark** is when the last completed walk started. It moves only when a walk is
  complete, because until then there is unread time above it.
* The **floor** is the watermark less the place's `lag` (its index is late, clocks differ, posts
  share a second), or `known.since` for the first walk. A walk goes on until a page holds only
  posts it is *done* with: known ones from below the floor, and what is older than `since`. It
  never stops at the first known post: an edited or pinned one may stand on top.
* A **cut** walk left unread what lies between its last page and the floor. The cursor keeps
  its next token, its start, and the watermark. The next run first finishes that, which moves
  the watermark to that walk's start, and then walks from the top for what came since.
* A walk that the place lets down starts **again** from the top, keeping the same floor: when a
  kept token is refused (tokens expire), when a token leads to an empty page before the floor
  (the post it stood for was deleted), and, where pages are numbered (`shifts`), when a walk of
  several pages met a post it did not know: a deletion moves posts one page up, past the reader,
  so that only a round without strangers proves that none slipped by. After `MOST_ROUNDS` the
  walk ends without claiming anything, and the watermark stays.

What a page may claim as covered (`span`, up to the start of its walk):

* under way: from the newest time on the page, since what follows is older still (nothing, when
  the whole page is of one second, which may go on overleaf, or when pages shift);
* at the floor: from the floor;
* at the end of a listing: from the floor if the place says that the listing is whole, else from
  the oldest post listed. Places list only their last so many posts; what lies between those and
  the floor stays a gap for all to see;
* nothing, when nothing dated was listed: some places fall empty for hours.

Times are those of the listing: `listed` says which (usually `published`; where edits move a post
to the top, the edit's). Posts whose time is only when we saw them never end a walk.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ValidationError

from connectors.kit.contract import Known, Page, Post, Precision, Span, Unread
from connectors.kit.errors import Gone, Unreadable

MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One page as the place lists it, newest first, and the token of the one below."""

    posts: Sequence[Post] = ()
    next_token: str | None = None  # None: the listing ends here
    unreadable: Sequence[Unread] = ()
    gone: Sequence[str] = ()
    whole: bool = False  # the place lists all it has: below the end of the listing is nothing


Fetch = Callable[[str | None], Awaitable[Leaf]]


def published(post: Post) -> datetime:
    """The time that most places order by."""
    return post.published


async def walk(
    fetch: Fetch,
    cursor: str | None,
    known: Known,
    *,
    lag: timedelta,
    shifts: bool = False,
    listed: Callable[[Post], datetime] = published,
) -> AsyncIterator[Page]:
    """Yield what a place lists, newest first, from where the cursor says a walk is due.

    `fetch(token)` reads one page; None asks for the top. `shifts` is for places that number
    their pages. Each page's cursor is safe to stop at. Within one call, a post is yielded again
    only when it changed. What `fetch` raises passes through, except that a kept token which is
    refused (Gone, Unreadable) is forgotten.
    """
    rules = _Rules(known.since, known.now, lag, shifts, listed)
    way = _remembered(cursor)
    leg = way.leg or _Leg(start=known.now)
    older = way.leg is not None  # begun in an earlier run: what came since is still to be read
    kept = leg.token is not None
    yielded: dict[str, str] = {}
    turned: set[str] = set()
    while True:
        try:
            leaf = await fetch(leg.token)
        except (Gone, Unreadable):
            if not kept:
                raise
            leg, older, kept = leg.again(known.now), False, False
            continue
        kept = False
        turned.add(leg.token or "")
        if leaf.next_token in turned:  # a place that leads round in circles has ended
            leaf = replace(leaf, next_token=None)
        read_before = yielded.keys() | await known.among([post.id for post in leaf.posts])
        way, span = rules.step(way.mark, leg, leaf, read_before)
        yield Page(
            posts=tuple(post for post in leaf.posts if yielded.get(post.id) != post.revision),
            gone=tuple(leaf.gone),
            unreadable=tuple(leaf.unreadable),
            span=span,
            cursor=way.model_dump_json(exclude_none=True),
        )
        yielded |= {post.id: post.revision for post in leaf.posts}
        if way.leg is None and not older:
            return
        if way.leg is None or way.leg.round > leg.round:
            older = False
            turned.clear()
        leg = way.leg or _Leg(start=known.now)


class _Leg(BaseModel, frozen=True):
    """A walk under way: where it is, and what it has met."""

    start: AwareDatetime
    token: str | None = None
    round: int = 0
    pages: int = 0
    strangers: bool = False  # this round met posts that nobody knew
    low: AwareDatetime | None = None  # how far down the listing was read in this round
    ended: AwareDatetime | None = None  # where the round before came to an empty end

    def again(self, now: datetime) -> Self:
        """The same walk from the top, which reads what came since as well."""
        return type(self)(start=now, round=self.round + 1, ended=self.low)


class _Way(BaseModel, frozen=True):
    """What a cursor keeps."""

    mark: AwareDatetime | None = None
    leg: _Leg | None = None


def _remembered(cursor: str | None) -> _Way:
    """A cursor that is not ours begins anew: reading twice is safe, failing for ever is not."""
    try:
        return _Way.model_validate_json(cursor or "{}")
    except ValidationError:
        return _Way()


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a page just read means for the walk."""

    since: datetime
    now: datetime
    lag: timedelta
    shifts: bool
    listed: Callable[[Post], datetime]

    def step(
        self, mark: datetime | None, leg: _Leg, leaf: Leaf, read_before: Collection[str]
    ) -> tuple[_Way, Span | None]:
        """Where the walk stands after this page, and what the page proves."""
        leg = self._after(leg, leaf, read_before)
        floor = self.since if mark is None else max(self.since, mark - self.lag)
        done = bool(leaf.posts) and all(
            self._done(post, mark, post.id in read_before) for post in leaf.posts
        )
        if not done and leaf.next_token is not None:
            onward = leg.model_copy(update={"token": leaf.next_token})
            return _Way(mark=mark, leg=onward), self._under_way(leg, leaf)
        if self._doubtful(leg, leaf, done):
            if leg.round + 1 < MOST_ROUNDS:
                return _Way(mark=mark, leg=leg.again(self.now)), None
            if self.shifts and leg.strangers:
                return _Way(mark=mark), None
        if done or leaf.whole:
            return _Way(mark=leg.start), _span(floor, leg.start)
        if leg.low is None:
            return _Way(mark=mark), None
        return _Way(mark=leg.start), _span(max(floor, leg.low), leg.start)

    def _after(self, leg: _Leg, leaf: Leaf, read_before: Collection[str]) -> _Leg:
        times = self._times(leaf)
        strangers = any(
            post.id not in read_before and self.listed(post) <= leg.start for post in leaf.posts
        )
        return leg.model_copy(
            update={
                "pages": leg.pages + 1,
                "strangers": leg.strangers or strangers,
                "low": times[-1] if times else leg.low,
            }
        )

    def _done(self, post: Post, mark: datetime | None, known: bool) -> bool:
        if post.precision is Precision.SEEN:
            return False
        time = self.listed(post)
        return time < self.since or (known and mark is not None and time < mark - self.lag)

    def _under_way(self, leg: _Leg, leaf: Leaf) -> Span | None:
        times = self._times(leaf)
        if self.shifts or not times or max(times) == times[-1]:
            return None
        return _span(max(times), leg.start)

    def _doubtful(self, leg: _Leg, leaf: Leaf, done: bool) -> bool:
        """Whether this end of the walk may hide posts that another round would show."""
        if self.shifts and leg.pages > 1 and leg.strangers:
            return True
        empty = not (done or leaf.posts or leaf.unreadable or leaf.whole)
        return empty and leg.token is not None and leg.low is not None and leg.low != leg.ended

    def _times(self, leaf: Leaf) -> list[datetime]:
        return [self.listed(post) for post in leaf.posts if post.precision is not Precision.SEEN]


def _span(start: datetime, end: datetime) -> Span | None:
    return Span(start, end) if start <= end else None
