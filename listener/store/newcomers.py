"""Posts that have just come, as the table of mentions takes them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.kit.contract import Attachment, Post
from listener.domain.mention import next_recheck
from listener.domain.notice import Outlet
from listener.domain.source import Source
from listener.store.batch import Same
from listener.store.session import clean, clean_if_any

MARKS = 200  # a post that is nothing but the brand's name needs no more to be shown
LETTERS = 250_000  # of posts that are handed to the database at once: it holds several copies
MOST = 2**31 - 1  # what every database holds; films are seen more often


@dataclass(frozen=True, slots=True)
class Named:
    """A post, the brand it names, and where in it the brand's words stand."""

    post: Post
    brand_id: int
    marks: Sequence[tuple[str, int, int]] = ()
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the listener decides about new mentions."""

    fresh: timedelta
    rechecks: bool = False  # the connector can be asked again
    channels: Sequence[Outlet] = field(default=())  # that are told of a case's changes


def mentions_of(
    source: Source, named: Sequence[Named], *, rules: Rules, now: datetime
) -> dict[str, Sequence[Any] | Same]:
    """New mentions, column by column: a dictionary for each would cost more than its words."""
    posts = [one.post for one in named]
    fresh = now - rules.fresh
    recheck_at = next_recheck(now, 0) if rules.rechecks else None
    read = _WORDS | _ABOUT
    return {
        "brand_id": [one.brand_id for one in named],
        "connector": Same(source.connector),
        "source_id": Same(source.id),
        **{name: [of(post) for post in posts] for name, of in read.items()},
        "marks": [one.marks[:MARKS] for one in named],
        "ours": [one.ours for one in named],
        "late": [post.published < fresh for post in posts],
        "waits": [not one.ours for one in named],
        "recheck_at": [None if one.ours else recheck_at for one in named],
        "seen_at": Same(now),
        "revisions": Same(1),
        "rechecks": Same(0),
        "absences": Same(0),
        "reasons": Same([]),
    }


def portions(named: Sequence[Named]) -> Iterator[list[Named]]:
    """The same in lists that memory hardly notices: nearly always one, but some posts are books."""
    portion: list[Named] = []
    letters = 0
    for one in named:
        letters += len(one.post.text)
        if portion and letters > LETTERS:
            yield portion
            portion, letters = [], len(one.post.text)
        portion.append(one)
    if portion:
        yield portion


def words_of(post: Post) -> dict[str, Any]:
    """What an author can change of a post."""
    return {name: of(post) for name, of in _WORDS.items()}


def countable(number: int | None) -> int | None:
    """A count that every database takes."""
    return None if number is None else max(0, min(number, MOST))


def _link(one: Attachment) -> dict[str, str]:
    return {"url": clean(one.url), "kind": clean(one.kind), "alt": clean(one.alt)}


_Columns = dict[str, Callable[[Post], Any]]

_WORDS: Final[_Columns] = {
    "title": lambda post: clean_if_any(post.title),
    "text": lambda post: clean(post.text),
    "rating": lambda post: post.rating and post.rating.value,
    "rating_lowest": lambda post: post.rating and post.rating.lowest,
    "rating_highest": lambda post: post.rating and post.rating.highest,
    "language": lambda post: clean_if_any(post.language),
    "edited_at": lambda post: post.edited,
    "links": lambda post: [clean(link) for link in post.links],
    "attachments": lambda post: [_link(one) for one in post.attachments],
    "truncated": lambda post: post.truncated,
    "revision": lambda post: post.revision,
}
_ABOUT: Final[_Columns] = {
    "post_id": lambda post: post.id,
    "url": lambda post: clean(post.url),
    "kind": lambda post: post.kind,
    "author_id": lambda post: clean(post.author.id),
    "author_name": lambda post: clean(post.author.name),
    "author_handle": lambda post: clean(post.author.handle),
    "author_reach": lambda post: countable(post.author.reach),
    "published_at": lambda post: post.published,
    "precision": lambda post: post.precision,
    "in_reply_to": lambda post: clean_if_any(post.in_reply_to),
    "thread": lambda post: clean_if_any(post.thread),
    "branch": lambda post: clean_if_any(post.branch),
    "reach": lambda post: countable(post.reach),
}
