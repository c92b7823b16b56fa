"""Hacker News, searched through Algolia window by window, because a search shows 1,000 hits."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from urllib.parse import quote

import orjson
from pydantic import (
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from typing_extensions import override

from connectors.kit.contract import (
    Author,
    Change,
    Connector,
    Health,
    Kind,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Span,
    State,
    Unread,
    Web,
)
from connectors.kit.text import absolute, clean, line, moment, plain

SITE = "https://news.ycombinator.com"
ALGOLIA = "https://hn.algolia.com"
FIREBASE = "https://hacker-news.firebaseio.com"

MOST = 1_000  # hits of one search, however many match: https://hn.algolia.com/api

Moment = Annotated[datetime, BeforeValidator(moment)]


class HackerNews(Connector):
    """Stories and comments that a search finds."""

    title: ClassVar = "Hacker News"
    docs: ClassVar = "https://hn.algolia.com/api"
    # 10,000 requests an hour and address: https://hn.algolia.com/api
    pace: ClassVar = Pace(requests=10_000, per=timedelta(hours=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=30)

    query: str = Field(
        min_length=1, max_length=500, description='What to search for; "in quotes" is a phrase'
    )
    api: str = Field(ALGOLIA, description="The address of the search")
    api_items: str | None = Field(
        None, description="The address of single posts; follows the search's when that is changed"
    )

    @field_validator("api", "api_items")
    @classmethod
    def _an_address(cls, address: str | None) -> str | None:
        if address is None:
            return None
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @override
    async def check(self, web: Web) -> Health:
        await self._search(web, hitsPerPage="0")
        return Health(True, f"Searches Hacker News for {self.query}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Search from now down to what was read before, at most 1,000 hits at a time.

        The search shows the newest hits of a window, so when it hides some, everything above
        the oldest shown second has been read, and the next window ends with that second. A
        walk that was cut goes on where it stopped, then a new one reads what came above it.
        """
        mark = _mark(cursor)
        descent = mark.descent
        resumed = descent is not None
        while True:
            if descent is None:
                descent = self._from_now(mark, known)
            while descent is not None:
                found = await self._search(
                    web, numericFilters=descent.window, hitsPerPage=str(MOST)
                )
                page, descent = _turned(found, mark, descent, known.now)
                yield page
                mark = _mark(page.cursor)
            if not resumed:
                return
            resumed = False

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for each post itself: the search keeps deleted posts for a while."""
        return [await self._change(web, number) for number in ids]

    def _from_now(self, mark: "Mark", known: Known) -> "Descent":
        """A new walk, with an overlap because the search is late."""
        since = known.since if mark.read is None else min(mark.read - self.lag, known.now)
        end = int(known.now.timestamp()) + 1
        return Descent(floor=int(since.timestamp()), end=end, top=known.now)

    async def _search(self, web: Web, **more: str) -> "Search":
        words = {
            "query": self.query,
            "tags": "(story,comment)",
            "typoTolerance": "false",  # it finds acne for acme
            "advancedSyntax": "true",  # "phrases" and -exclusions
            **more,
        }
        return await web.get(Search, f"{self.api}/api/v1/search_by_date", params=words)

    async def _change(self, web: Web, number: str) -> Change:
        story = await self._story(web, number)
        if story is None:  # not there, or not there yet
            return Change(number, State.ABSENT)
        if story.deleted or story.dead:
            return Change(number, State.GONE)
        # Hacker News does not say when a post was edited: whoever knows the old text compares.
        return Change(number, State.SAME, story.as_post())

    async def _story(self, web: Web, number: str) -> "Story | None":
        """One story or comment; the place says null where there is none."""
        base = self.api_items or (FIREBASE if self.api == ALGOLIA else self.api)
        answer = await web.fetch(f"{base}/v0/item/{quote(number, safe='')}.json")
        return None if answer.body.strip() == b"null" else web.read(Story, answer)


class Shape(BaseModel, frozen=True, coerce_numbers_to_str=True):
    """An object of one of the two interfaces."""


class Hit(Shape):
    """One hit of the search; a story or a comment by which fields it has."""

    objectID: str  # noqa: N815 the place's own word
    created_at_i: Moment
    author: str | None = None
    title: str | None = None
    url: str | None = None
    story_text: str | None = None
    comment_text: str | None = None
    story_id: str | None = None
    parent_id: str | None = None

    def as_post(self) -> Post:
        """The hit as a post."""
        comment = self.comment_text is not None
        body = plain((self.comment_text if comment else self.story_text) or "")
        return _post(
            self.objectID,
            author=self.author,
            at=self.created_at_i,
            body=(body.text, body.links),
            # A comment's story has a title of somebody else's.
            title=None if comment else self.title,
            url=None if comment else self.url,
            parent=self.parent_id if comment else None,
            thread=self.story_id or (None if comment else self.objectID),
        )


def _readable(given: object) -> Hit | Unread:
    """Keep one bad hit from spoiling its page. The reason names fields, never words."""
    try:
        return Hit.model_validate(given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"A hit is in a shape we do not know: {where} ({first['type']})."
        return Unread(reason, orjson.dumps(given).decode())


class Search(BaseModel, frozen=True):
    """What a search found."""

    hits: tuple[Annotated[Hit | Unread, PlainValidator(_readable)], ...]
    nbHits: int = 0  # noqa: N815 the place's own word

    @property
    def hides_some(self) -> bool:
        """Whether the search found more than it shows, as far as one can tell."""
        return self.nbHits > len(self.hits) or len(self.hits) >= MOST


class Story(Shape):
    """One story or comment, asked for by number."""

    id: str
    type: str = ""
    time: Moment  # deleted ones have it too
    deleted: bool = False
    dead: bool = False
    by: str | None = None
    title: str | None = None
    url: str | None = None
    text: str | None = None
    parent: str | None = None

    def as_post(self) -> Post:
        """The same post as the search would give."""
        body = plain(self.text or "")
        return _post(
            self.id,
            author=self.by,
            at=self.time,
            body=(body.text, body.links),
            title=self.title,
            url=self.url,
            parent=self.parent,
            thread=None if self.parent else self.id,
        )


def _post(
    id_: str,
    *,
    author: str | None,
    at: datetime,
    body: tuple[str, tuple[str, ...]],
    title: str | None,
    url: str | None,
    parent: str | None,
    thread: str | None,
) -> Post:
    text, links = body
    about = absolute(url or "")
    return Post(
        id=id_,
        url=f"{SITE}/item?id={id_}",
        kind=Kind.COMMENT if parent else Kind.POST,
        text=text,
        title=line(title or "") or None,
        author=_author(author),
        published=at,
        in_reply_to=parent,
        thread=thread,
        links=tuple(dict.fromkeys([about, *links] if about else links)),
    )


def _author(name: str | None) -> Author:
    if not name:
        return Author()
    name = clean(name)
    return Author(id=name, name=name, handle=name, url=f"{SITE}/user?id={name}")


class Descent(BaseModel, frozen=True):
    """A walk that is not finished: what remains is from `floor` up to, not including, `end`.

    Both are whole seconds since 1970, because the search knows nothing finer.
    """

    floor: int
    end: int
    top: AwareDatetime  # when the walk began

    @property
    def window(self) -> str:
        """The same in the words of the search."""
        return f"created_at_i>={self.floor},created_at_i<{self.end}"


class Mark(BaseModel, frozen=True):
    """What a cursor says: everything before `read` has been read, and which walk is under way."""

    read: AwareDatetime | None = None
    descent: Descent | None = None


def _mark(cursor: str | None) -> Mark:
    """What a cursor says; one that is not ours begins anew, which loses nothing."""
    try:
        return Mark.model_validate_json(cursor or "{}")
    except ValidationError:
        return Mark()


def _turned(
    found: Search, mark: Mark, descent: Descent, now: datetime
) -> tuple[Page, Descent | None]:
    """The page that a search makes, and what remains of the walk after it."""
    hits = [hit for hit in found.hits if isinstance(hit, Hit)]
    unreadable = [hit for hit in found.hits if isinstance(hit, Unread)]
    after, low = None, descent.floor
    if found.hides_some and hits:
        oldest = min(int(hit.created_at_i.timestamp()) for hit in hits)
        low = oldest + 1
        above = [hit for hit in hits if int(hit.created_at_i.timestamp()) > oldest]
        if above:
            hits, after = above, descent.model_copy(update={"end": low})
        else:
            # No window is smaller than a second. This one stays a gap: no search shows more.
            reason = f"The search found more than {len(found.hits)} posts of one second."
            unreadable.append(Unread(reason, _at(oldest).isoformat()))
            after = descent.model_copy(update={"end": oldest})
        after = after if after.end > descent.floor else None
    read = Mark(read=descent.top) if after is None else Mark(read=mark.read, descent=after)
    start, end = _at(low), min(_at(descent.end), now)
    page = Page(
        posts=tuple(hit.as_post() for hit in hits),
        cursor=read.model_dump_json(exclude_none=True),
        unreadable=tuple(unreadable),
        span=Span(start, end) if start <= end and (hits or not found.hides_some) else None,
    )
    return page, after


def _at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
