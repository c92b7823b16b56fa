"""Answering on Reddit: what it says of a reply, and where to look for one of ours."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, PlainValidator

from connectors.kit.contract import Post, Receipt
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.reddit.access import Access
from connectors.reddit.shapes import Child, Comment, Listing, More, readable

LONGEST = 10_000  # characters
MOST_PAGES = 10  # of a hundred: a listing shows its newest thousand
MOST_BRANCHES = 300  # of comments that a tree left out, a hundred in one request

UNITS = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86400}
WAIT = re.compile(rf"(\d{{1,6}}) ({'|'.join(UNITS)})s?\b", re.IGNORECASE)

# https://praw.readthedocs.io/en/stable/code_overview/exceptions.html and Reddit's own answers
GONE = frozenset({"DELETED_COMMENT", "DELETED_LINK"})
CLOSED = {
    "THREAD_LOCKED": "The moderators have locked this thread: nobody can answer there any more.",
    "TOO_OLD": "Reddit has archived this thread: nobody can answer there any more.",
    "TOO_LONG": f"The reply is too long: Reddit takes {LONGEST:,} characters.",
    "NO_TEXT": "The reply is empty.",
    "USER_BLOCKED": "The author has blocked our account: Reddit lets it answer nothing of theirs.",
    "SOMETHING_IS_BROKEN": "Reddit could not take the reply, and does not say why.",
}
BARRED = frozenset(
    {"BANNED_FROM_SUBREDDIT", "SUBREDDIT_NOTALLOWED", "NOT_WHITELISTED_BY_USER_MESSAGE"}
    | {"SUBREDDIT_OUTBOUND_LINKING_DISALLOWED", "COMMENTER_BLOCKED_POSTER", "USER_MUTED"}
)


async def published(access: Access, post: Post, text: str) -> Receipt:
    """Publish a reply below a post; the error says why Reddit does not take it."""
    form = {"api_type": "json", "thing_id": post.id, "text": text}
    told = (await access.post(Told, "/api/comment", form)).told
    if told.errors:
        raise refusal(told)
    for thing in told.data.things:
        if isinstance(thing, Comment):
            return Receipt(thing.name, thing.address)
    raise Unreadable("Reddit took the reply but does not show it: look whether it is there.")


async def ours_below(access: Access, post: Post) -> Receipt | None:
    """Our newest comment right below a post: as our profile lists it, or as its thread does.

    The profile also knows what a community's filter holds back, the thread what the profile
    does not list yet. Neither gives keys back, so two answers of ours cannot be told apart.
    """
    async for comment in _own(access, post):
        if comment.parent_id == post.id and not comment.gone:
            return Receipt(comment.name, comment.address)
    below = await _below(access, post)
    ours = [each for each in below if each.is_by(access.login.account) and not each.gone]
    if not ours:
        return None
    newest = max(ours, key=lambda comment: comment.created_utc)
    return Receipt(newest.name, newest.address)


def refusal(told: "Inside") -> ConnectorError:
    """What Reddit's first objection means for us."""
    code, words, *_ = *told.errors[0], "", ""
    code = code or ""
    if code == "RATELIMIT":
        return TryLater("Reddit wants a pause between replies.", wait=_wait(words or "", told))
    if code in GONE:
        return Gone("What we wanted to answer is no longer there.")
    if code in CLOSED:
        return ConnectorError(CLOSED[code])
    if code in BARRED:
        return AccessDenied("The community does not let our account write: ask its moderators.")
    named = code if re.fullmatch(r"[A-Z_]{1,60}", code) else "no name"
    return ConnectorError(f"Reddit did not take the reply ({named}).")


async def _own(access: Access, post: Post) -> AsyncIterator[Comment]:
    """Our own comments, newest first, as far back as the post."""
    after: str | None = None
    for _ in range(MOST_PAGES):
        query = {"sort": "new", "limit": "100"} | ({"after": after} if after else {})
        listing = await access.get(Listing, f"/user/{access.login.account}/comments", query)
        comments = [each for each in listing.things if isinstance(each, Comment)]
        for comment in comments:
            yield comment
        after = listing.data.after
        if after is None or (comments and comments[-1].created_utc < post.published):
            return


async def _below(access: Access, post: Post) -> list[Comment]:
    """The comments right below a post, also those that a long tree leaves out."""
    thread = post.thread or post.id
    query = {"sort": "new", "limit": "500", "depth": "2", "context": "0"}
    if post.id != thread:
        query["comment"] = post.id.partition("_")[2]
    trees = await access.get(Trees, f"/comments/{thread.partition('_')[2]}", query)
    found = [each for tree in trees for each in tree.all_below() if each.parent_id == post.id]
    comments = [each for each in found if isinstance(each, Comment)]
    left_out = [id_ for each in found if isinstance(each, More) for id_ in each.children]
    for start in range(0, min(len(left_out), MOST_BRANCHES), 100):
        comments += await _expanded(access, thread, left_out[start : start + 100])
    return [each for each in comments if each.parent_id == post.id]


async def _expanded(access: Access, thread: str, children: Sequence[str]) -> list[Comment]:
    query = {"api_type": "json", "link_id": thread, "children": ",".join(children), "sort": "new"}
    told = await access.get(Told, "/api/morechildren", query)
    return [each for each in told.told.data.things if isinstance(each, Comment)]


def _wait(words: str, told: "Inside") -> timedelta | None:
    """How long: as a number beside the words or, in them, of whatever unit."""
    if told.ratelimit:
        return timedelta(seconds=told.ratelimit)
    found = WAIT.search(words)
    return timedelta(seconds=int(found[1]) * UNITS[found[2].lower()]) if found else None


# Reddit's words.

Trees = list[Listing]


class Things(BaseModel, frozen=True):
    """What a request made or found."""

    things: tuple[Annotated[Child, PlainValidator(readable)], ...] = ()


class Inside(BaseModel, frozen=True):
    """Objections, each a code, words and the field they are about, or what came of it."""

    errors: tuple[tuple[str | None, ...], ...] = ()
    data: Things = Things()
    ratelimit: float | None = None


class Told(BaseModel, frozen=True):
    """The answer to a form."""

    told: Inside = Field(alias="json")
