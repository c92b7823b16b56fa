"""The words of Lemmy's interface, of version 3 and of version 4 alike."""

import re
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from connectors.kit.contract import Attachment, Author, Kind, Post, Unread
from connectors.kit.text import absolute, clean, moment

# Times had no Z before 0.19; they are UTC all the same.
Moment = Annotated[datetime, BeforeValidator(moment)]

PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
LINK = re.compile(r"https?://[^\s<>\[\]()\"'`]{1,2000}")
UNDETERMINED = "und"

# What lists are called: by what they hold in version 3, and in version 4 while it was made.
LISTS = ("posts", "comments", "mentions", "replies", "items", "search", "results", "notifications")


class Shape(BaseModel, frozen=True):
    """An object of the interface; a null is as good as nothing."""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Actor(Shape):
    """A person or a community, on whichever server it lives."""

    id: int = 0
    name: str = ""
    display_name: str = ""
    address: str = Field("", validation_alias=AliasChoices("ap_id", "actor_id"))

    @property
    def handle(self) -> str:
        """The name under which every server of the network finds it."""
        host = urlsplit(self.address).netloc
        return f"{clean(self.name)}@{host}" if host else clean(self.name)


class Written(Shape):
    """What posts and comments have in common."""

    id: int
    ap_id: str = Field(min_length=1)
    published: Moment = Field(validation_alias=AliasChoices("published", "published_at"))
    updated: Moment | None = Field(None, validation_alias=AliasChoices("updated", "updated_at"))
    deleted: bool = False
    removed: bool = False
    language_id: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether the author deleted it or a moderator removed it."""
        return self.deleted or self.removed


class Story(Written):
    """A post: a title, and an address or a text."""

    name: str = ""
    body: str = ""
    url: str = ""


class Comment(Written):
    """A comment below a post."""

    content: str = ""
    path: str = "0"  # local ids from the post down to this comment: 0.12.34

    @property
    def parent(self) -> int:
        """The local id of the comment it answers; 0 for a comment on the post itself."""
        above = self.path.split(".")[-2:-1]
        return int(above[0]) if above and above[0].isdecimal() else 0


class View(Shape):
    """A post, or a comment with the post above it, and who wrote it where."""

    post: Story
    comment: Comment | None = None
    creator: Actor = Actor()
    community: Actor = Actor()
    reply: dict[str, Any] = Field({}, validation_alias="comment_reply")

    @property
    def written(self) -> Written:
        """What this view is of."""
        return self.comment or self.post

    def as_post(self, server: "Server", parents: dict[int, str]) -> Post:
        """The view as a post; `parents` are the global ids of comments by local id."""
        own, comment, story = self.written, self.comment, self.post
        text = clean(comment.content if comment else story.body)
        about = absolute(story.url) if comment is None else None
        links = [found.rstrip(".,;:!?*_") for found in LINK.findall(text)]
        picture = about and urlsplit(about).path.lower().endswith(PICTURES)
        return Post(
            id=own.ap_id,
            url=absolute(own.ap_id) or "",
            kind=_kind(comment),
            title=None if comment else clean(story.name) or None,
            text=text,
            author=self.author(server.me),
            language=server.language(own.language_id),
            published=own.published,
            edited=own.updated,
            in_reply_to=self._parent(comment, server, parents),
            thread=story.ap_id,
            branch=self.community.handle or None,
            links=tuple(dict.fromkeys([about, *links] if about else links)),
            attachments=(Attachment(about, "image"),) if about and picture else (),
        )

    def author(self, me: int) -> Author:
        """Who wrote it; `me` is the local id of our own account."""
        return Author(
            id=self.creator.address or self.creator.handle,
            name=clean(self.creator.display_name or self.creator.name),
            handle=self.creator.handle,
            url=absolute(self.creator.address),
            ours=bool(me) and self.creator.id == me,
        )

    def _parent(
        self, comment: Comment | None, server: "Server", parents: dict[int, str]
    ) -> str | None:
        if comment is None:
            return None
        if not comment.parent:
            return self.post.ap_id
        if self.reply:  # to us, so that what it answers lives on this server
            return f"{server.address}/comment/{comment.parent}"
        return parents.get(comment.parent)


def _kind(comment: Comment | None) -> Kind:
    if comment is None:
        return Kind.POST
    return Kind.REPLY if comment.parent else Kind.COMMENT


def _viewed(given: object) -> View | Unread | None:
    """One of a list; None for what is neither post nor comment, such as a private message."""
    told = given.get("data", given) if isinstance(given, dict) else given
    kind = told.get("type_") if isinstance(told, dict) else None
    if kind is not None and str(kind).lower() not in {"post", "comment"}:
        return None
    try:
        return View.model_validate(told)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"A post is in a shape we do not know: {where} ({first['type']})."
        return Unread(reason, orjson.dumps(given).decode())


class Listing(BaseModel, frozen=True):
    """One page of one list, or of a search, which lists posts and comments side by side."""

    told: tuple[Annotated[View | Unread | None, PlainValidator(_viewed)], ...]
    next_page: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _whatever_it_is_called(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        lists = [given[name] for name in LISTS if isinstance(given.get(name), list)]
        if not lists:
            return {}
        return {
            "told": [one for many in lists for one in many],
            "next_page": given.get("next_page"),
        }


class Single(Shape):
    """One view, asked for by its local id, or looked up by its global one."""

    view: View | None = Field(
        None,
        validation_alias=AliasChoices("comment_view", "post_view", "comment", "post", "resolve"),
    )
    found: tuple[Annotated[View | Unread | None, PlainValidator(_viewed)], ...] = Field(
        (), validation_alias=AliasChoices("items", "search", "results")
    )

    @property
    def any_view(self) -> View | None:
        """The view, wherever the version puts it."""
        return self.view or next((one for one in self.found if isinstance(one, View)), None)


class Language(Shape):
    """A language and the number that stands for it."""

    id: int
    code: str


class Site(Shape):
    """What a server says of itself."""

    actor: Actor
    person: Actor = Actor()  # our own account
    languages: tuple[Language, ...] = Field((), validation_alias="all_languages")

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        view = given.get("site_view")
        return {
            "actor": view.get("site") if isinstance(view, dict) else None,
            "person": _person(given.get("my_user")),
            "all_languages": given.get("all_languages"),
        }


class Me(Shape):
    """Our own account, where the server tells it apart from itself."""

    person: Actor = Actor()

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, given: object) -> object:
        return {"person": _person(given)}


def _person(given: object) -> object:
    """The person in what is told of a local user."""
    view = given.get("local_user_view") if isinstance(given, dict) else None
    return view.get("person") if isinstance(view, dict) else None


class Server(BaseModel, frozen=True):
    """What we need to know of a server to read its posts."""

    version: int
    address: str
    me: int = 0
    codes: dict[int, str] = {}

    def language(self, number: int) -> str | None:
        """The BCP 47 tag of a language."""
        code = self.codes.get(number, UNDETERMINED)
        return None if code == UNDETERMINED else code


class Refusal(Shape):
    """Why the server did not do something, in one word."""

    error: str = Field(min_length=1, max_length=100, pattern=r"^[\w .:-]+$")
