"""Reddit's words for submissions, comments and messages, and how they become posts."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Union

import orjson
from pydantic import BaseModel, BeforeValidator, Field, PlainValidator, ValidationError

from connectors.kit.contract import Attachment, Author, Kind, Post, Unread
from connectors.kit.text import absolute, clean, line, moment, plain

SITE = "https://www.reddit.com"
NOBODY = "[deleted]"  # the author of what was deleted, and whoever deleted the account
REMOVED = re.compile(r"\[removed\]|\[ ?Removed by Reddit.*\]", re.DOTALL)
MEDIA = {"image": "image", "hosted:video": "video", "rich:video": "video"}
HOSTS = {"i.redd.it": "image", "v.redd.it": "video"}


def _edit(value: object) -> datetime | None:
    """When it was edited: false for never, true for long ago, else seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return moment(value)


Moment = Annotated[datetime, BeforeValidator(moment)]
Edit = Annotated[datetime | None, BeforeValidator(_edit)]


class Shape(BaseModel, frozen=True):
    """An object of Reddit."""


class Thing(Shape):
    """What submissions, comments and messages have in common."""

    name: str = Field(pattern=r"^t\d_\w+$")  # the id with its kind: t3_abc
    created_utc: Moment
    author: str | None = None
    author_fullname: str | None = None
    subreddit: str | None = None
    score: int | None = None

    @property
    def number(self) -> str:
        """The id without its kind, as addresses have it."""
        return self.name.partition("_")[2]

    def by(self, account: str) -> Author:
        """The author. Of a deleted account nothing may be kept, not even its id."""
        if not self.author or self.author == NOBODY:
            return Author()
        name = clean(self.author)
        return Author(
            id=self.author_fullname or "",
            name=name,
            handle=name,
            url=f"{SITE}/user/{name}",
            ours=self.is_by(account),
        )

    def is_by(self, account: str) -> bool:
        """Whether this account wrote it."""
        return (self.author or "").casefold() == account.casefold()

    def is_marked(self, text: str) -> bool:
        """Whether a deletion mark stands where the text was; people write such words, too."""
        text = text.strip()
        return (text == NOBODY and self.author == NOBODY) or bool(REMOVED.fullmatch(text))

    @property
    def voters(self) -> int | None:
        """How many people have seen it at least: Reddit counts no readers, but votes."""
        return self.score if self.score and self.score > 1 else None


class Submission(Thing):
    """What is posted to a community: a text, a link or a picture."""

    title: str = ""
    selftext: str = ""
    selftext_html: str | None = None
    edited: Edit = None
    permalink: str = ""
    url: str = ""
    is_self: bool = True
    domain: str = ""
    post_hint: str = ""
    removed_by_category: str | None = None
    locked: bool = False
    archived: bool = False

    @property
    def gone(self) -> bool:
        """Whether its author deleted it, or somebody else took it away."""
        return bool(self.removed_by_category) or self.is_marked(self.selftext)

    def as_post(self, account: str) -> Post:
        """The same in our words."""
        body = plain(self.selftext_html or "", base=SITE)
        target = None if self.is_self else absolute(self.url, SITE)
        kind = MEDIA.get(self.post_hint) or HOSTS.get(self.domain)
        return Post(
            id=self.name,
            url=absolute(self.permalink, SITE) or f"{SITE}/comments/{self.number}/",
            title=line(self.title) or None,
            text=body.text or clean(self.selftext),
            author=self.by(account),
            published=self.created_utc,
            edited=self.edited,
            thread=self.name,
            branch=self.subreddit,
            reach=self.voters,
            links=tuple(dict.fromkeys((*([target] if target and not kind else []), *body.links))),
            attachments=(
                *([Attachment(target, kind)] if target and kind else []),
                *body.images,
            ),
        )


class Comment(Thing):
    """An answer below a submission or another comment; in an inbox it has fewer words."""

    body: str
    body_html: str | None = None
    edited: Edit = None
    parent_id: str = ""
    link_id: str = ""
    permalink: str = ""
    context: str = ""
    locked: bool = False
    archived: bool = False
    replies: Union["Listing", str, None] = None  # nothing is an empty text

    @property
    def gone(self) -> bool:
        """Whether its author deleted it, or somebody else took it away."""
        return self.is_marked(self.body)

    @property
    def thread(self) -> str | None:
        """The submission it stands below."""
        found = re.search(r"/comments/(\w+)/", self.permalink or self.context)
        return self.link_id or (f"t3_{found[1]}" if found else None)

    @property
    def address(self) -> str:
        """Where people read it."""
        path = self.permalink or self.context.partition("?")[0]
        below = (self.thread or "").partition("_")[2]
        return absolute(path, SITE) or f"{SITE}/comments/{below or '_'}/_/{self.number}/"

    def as_post(self, account: str) -> Post:
        """The same in our words; the title would be somebody else's."""
        body = plain(self.body_html or "", base=SITE)
        return Post(
            id=self.name,
            url=self.address,
            kind=Kind.REPLY if self.parent_id.startswith("t1_") else Kind.COMMENT,
            text=body.text or clean(self.body),
            author=self.by(account),
            published=self.created_utc,
            edited=self.edited,
            in_reply_to=self.parent_id or None,
            thread=self.thread,
            branch=self.subreddit,
            reach=self.voters,
            links=body.links,
            attachments=body.images,
        )


class Message(Thing):
    """A private message; one from a community's moderators has no author."""

    gone: ClassVar[bool] = False

    subject: str = ""
    body: str
    body_html: str | None = None
    parent_id: str | None = None
    first_message_name: str | None = None

    def as_post(self, account: str) -> Post:
        """The same in our words."""
        body = plain(self.body_html or "", base=SITE)
        return Post(
            id=self.name,
            url=f"{SITE}/message/messages/{self.number}",
            kind=Kind.MESSAGE,
            title=line(self.subject) or None,
            text=body.text or clean(self.body),
            author=self.by(account),
            published=self.created_utc,
            in_reply_to=self.parent_id,
            thread=self.first_message_name or self.name,
            branch=self.subreddit,
            links=body.links,
        )


class More(Shape):
    """Comments that a tree leaves out."""

    parent_id: str = ""
    children: tuple[str, ...] = ()


class Other(Shape):
    """Something that is no post: a community, an account, an award."""


Child = Submission | Comment | Message | More | Other | Unread
KINDS: dict[object, type[Submission | Comment | Message | More]] = {
    "t1": Comment,
    "t3": Submission,
    "t4": Message,
    "more": More,
}


def readable(given: object) -> Child:
    """Keep one bad thing from spoiling its page. The reason names fields, never words."""
    wrapped = given if isinstance(given, dict) else {}
    shape = KINDS.get(wrapped.get("kind"))
    if shape is None and isinstance(wrapped.get("kind"), str):
        return Other()
    try:
        return (shape or Comment).model_validate(wrapped.get("data"))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"A post is in a shape we do not know: {where} ({first['type']})."
        return Unread(reason, orjson.dumps(given).decode())


class Children(Shape):
    """What a listing holds; `after` leads to what is older."""

    children: tuple[Annotated[Child, PlainValidator(readable)], ...]
    after: str | None = None


class Listing(Shape):
    """A page of things."""

    data: Children

    @property
    def things(self) -> list[Submission | Comment | Message]:
        """All that can be read as a post, also what is deleted."""
        kinds = (Submission, Comment, Message)
        return [child for child in self.data.children if isinstance(child, kinds)]

    @property
    def unread(self) -> list[Unread]:
        """What cannot be read."""
        return [child for child in self.data.children if isinstance(child, Unread)]

    def all_below(self) -> Iterator[Comment | More]:
        """Every comment of a tree, and what stands for the others."""
        for child in self.data.children:
            if isinstance(child, Comment | More):
                yield child
            if isinstance(child, Comment) and isinstance(child.replies, Listing):
                yield from child.replies.all_below()


Comment.model_rebuild()
