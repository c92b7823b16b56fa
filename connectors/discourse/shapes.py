"""The words of the Discourse interface."""

from datetime import datetime, timedelta
from typing import Annotated, Self

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    RootModel,
    ValidationError,
    model_validator,
)

from connectors.kit.contract import Unread
from connectors.kit.text import moment

Moment = Annotated[datetime, BeforeValidator(moment)]

# A page is 50 posts, some of which we may not be allowed to see. `before` has meant "below" and
# "at most" in different versions, so the next page overlaps by one.
PAGE = 50
FRUITLESS = 20  # empty pages in a row after which the rest counts as not shown to us


class Step(BaseModel, frozen=True):
    """How far down the list of all posts we are."""

    before: int | None = None
    fruitless: int = 0  # pages in a row that showed nothing below

    def onward(self, lowest: int | None) -> "Step | None":
        """Where the next page begins; None where the forum shows no more."""
        if lowest is not None and (self.before is None or lowest < self.before):
            return None if lowest == 1 else Step(before=lowest)
        # Either the end, or fifty posts in a row that we may not see: ids tell, up to a point.
        if self.before is None or self.before <= PAGE or self.fruitless == FRUITLESS:
            return None
        return Step(before=self.before - PAGE + 1, fruitless=self.fruitless + 1)

    def reaches_the_first(self, lowest: int | None) -> bool:
        """Whether nothing can be below this page."""
        return lowest == 1 or (self.before is not None and self.before <= PAGE)


class Shape(BaseModel, frozen=True):
    """An object of the interface."""


class Told(Shape):
    """One post."""

    id: int
    topic_id: int
    post_number: int
    created_at: Moment
    cooked: str = ""
    username: str = ""
    name: str | None = None
    user_id: int | None = None
    topic_slug: str = ""
    topic_title: str = ""
    topic_archetype: str = "regular"  # only webhooks tell
    reply_to_post_number: int | None = None
    post_type: int = 1
    updated_at: Moment | None = None
    version: int = 1
    reads: int | None = None
    hidden: bool = False
    user_deleted: bool = False
    deleted_at: str | None = None

    @property
    def is_public(self) -> bool:
        """Whether it is somebody's post for all to see: no private message, no staff's whisper.

        A hidden post shows the forum's words about it until a moderator has looked at it.
        """
        return self.post_type == 1 and self.topic_archetype == "regular" and not self.hidden

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted; its author's place then holds a notice for a day."""
        return self.user_deleted or self.deleted_at is not None


def _readable(given: object) -> Told | Unread:
    """Keep one bad post from spoiling its page. The reason names fields, never words."""
    try:
        return Told.model_validate(given)
    except ValidationError as problem:
        reason = f"A post is in a shape we do not know: {where(problem)}."
        return Unread(reason, orjson.dumps(given).decode())


def where(problem: ValidationError) -> str:
    """Which field is not as we know it."""
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the whole'} ({first['type']})"


class Latest(Shape):
    """The newest posts of a forum, or those below one."""

    latest_posts: tuple[Annotated[Told | Unread, PlainValidator(_readable)], ...]


class Answers(RootModel[tuple[Told, ...]]):
    """The direct answers to a post."""


class Hit(Shape):
    """One post that a search found."""

    id: int
    created_at: Moment


class Topic(Shape):
    """A topic, with its name."""

    id: int
    title: str = ""


class Grouped(Shape):
    """What a search says of itself."""

    more_full_page_results: bool | None = None
    error: str | None = None


class Found(Shape):
    """A page of a search."""

    posts: tuple[Hit, ...] = ()
    topics: tuple[Topic, ...] = ()
    grouped_search_result: Grouped


class Waiting(Shape):
    """A reply that a moderator has to let through."""

    id: int


class Published(Shape):
    """What became of our reply: it stands alone, or beside what else was done."""

    post: Told | None = None
    action: str = ""
    pending_post: Waiting | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, given: object) -> object:
        return {"post": given} if isinstance(given, dict) and "topic_id" in given else given

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if self.post is None and self.action != "enqueued":
            raise ValueError("neither published nor waiting")
        return self

    @property
    def waits_as(self) -> str:
        """Under which number it waits."""
        return str(self.pending_post.id) if self.pending_post else "waiting"


class Event(Shape):
    """What a webhook carries."""

    post: Told


class Errors(Shape):
    """Why the forum did not do something."""

    errors: tuple[str, ...] = Field(min_length=1)


class Extras(Shape):
    """How long to wait."""

    wait_seconds: float


class Slow(Shape):
    """An answer to asking too often."""

    extras: Extras


def said(body: bytes) -> timedelta | None:
    """How long the body of a 429 asks us to wait, where no header does."""
    try:
        seconds = Slow.model_validate_json(body).extras.wait_seconds
    except ValidationError:
        return None
    return timedelta(seconds=min(max(seconds, 1), 6 * 3600))
