"""The words of the Mastodon API as every flavour speaks it, and how a status becomes a post."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import orjson
from pydantic import BaseModel, BeforeValidator, PlainValidator, ValidationError, model_validator

from connectors.kit.contract import Attachment, Author, Kind, Post, Unread
from connectors.kit.text import absolute, clean, line, moment, plain

# Pleroma and its kin send ISO times, some forks Unix seconds: the kit reads both.
Moment = Annotated[datetime, BeforeValidator(moment)]

# Whoever may see a post with these may see it without an account. The others are "private"
# (followers), "direct" (those named), and Pleroma's "local" and "list".
PUBLIC = frozenset({"public", "unlisted"})

MEDIA = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}

# A quoting post begins with "RE: address" for servers that know no quotes: not the author's words.
QUOTE_INLINE = re.compile(r'<(p|span) class="quote-inline">.*?</\1>', re.DOTALL)


class Shape(BaseModel, frozen=True, coerce_numbers_to_str=True):
    """An object of the API; a null is as good as nothing, because flavours differ in it."""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Account(Shape):
    """Who posted."""

    id: str = ""
    acct: str  # alone for accounts of this server, with @host for all others
    display_name: str = ""
    url: str = ""
    followers_count: int | None = None
    noindex: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None

    def handle(self, host: str) -> str:
        """The name under which every server of the network finds this account."""
        return self.acct if "@" in self.acct else f"{self.acct}@{split(self.url).netloc or host}"

    def as_author(self, host: str, ours: str) -> Author:
        """The account as the author of a post; `ours` is the id of our own account here."""
        return Author(
            id=self.url or self.handle(host),
            name=line(self.display_name),
            handle=self.handle(host),
            url=absolute(self.url),
            reach=self.followers_count if (self.followers_count or 0) >= 0 else None,
            ours=bool(ours) and self.id == ours,
        )


class Media(Shape):
    """A picture, film or sound."""

    type: str = "unknown"
    url: str = ""
    remote_url: str = ""
    description: str = ""


class Named(Shape):
    """An account or a hashtag that a text links to."""

    id: str = ""
    url: str = ""


class Choice(Shape):
    """One answer that a poll offers."""

    title: str = ""


class Poll(Shape):
    """A question with its answers."""

    options: tuple[Choice, ...] = ()


class Quote(Shape):
    """What a status quotes: Mastodon wraps it with a state, Akkoma and others do not."""

    url: str = ""
    quoted_status: "Quote | None" = None

    @property
    def address(self) -> str:
        """Where the quoted status can be read, empty when it was revoked."""
        return self.quoted_status.address if self.quoted_status else self.url


class Status(Shape):
    """One post as a server of the network tells it."""

    id: str
    created_at: Moment
    account: Account
    uri: str = ""
    url: str = ""
    content: str = ""
    spoiler_text: str = ""
    visibility: str = "public"
    language: str = ""
    edited_at: Moment | None = None
    in_reply_to_id: str = ""
    media_attachments: tuple[Media, ...] = ()
    mentions: tuple[Named, ...] = ()
    tags: tuple[Named, ...] = ()
    poll: Poll | None = None
    quote: Quote | None = None
    reblog: "Status | None" = None

    def global_id(self, host: str) -> str:
        """The ActivityPub id: the same on every server, so that two sources count once."""
        return self.uri or self.url or f"{host}/{self.id}"

    def as_post(self, host: str, *, parent: str | None = None, ours: str = "") -> Post:
        """The status as a post; `parent` is the global id of what it replies to, if known."""
        body = plain(QUOTE_INLINE.sub("", self.content))
        choices = [line(choice.title) for choice in self.poll.options] if self.poll else []
        return Post(
            id=self.global_id(host),
            url=absolute(self.url) or absolute(self.uri) or "",
            text="\n".join(part for part in (body.text, *choices) if part),
            title=clean(self.spoiler_text) or None,
            kind=self._kind(),
            author=self.account.as_author(host, ours),
            language=self.language if self.language not in {"", "und", "zxx"} else None,
            published=self.created_at,
            edited=self.edited_at,
            in_reply_to=parent,
            links=self._links(body.links),
            attachments=(*self._attachments(), *body.images),
            truncated=body.truncated,
        )

    def _kind(self) -> Kind:
        if self.visibility == "direct":
            return Kind.MESSAGE
        return Kind.REPLY if self.in_reply_to_id else Kind.POST

    def _links(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """What the author points at; the addresses of people and hashtags are no links."""
        quoted = absolute(self.quote.address) if self.quote else None
        names = {named.url for named in (*self.mentions, *self.tags)}
        links = [*found, quoted] if quoted else found
        return tuple(dict.fromkeys(link for link in links if link and link not in names))

    def _attachments(self) -> tuple[Attachment, ...]:
        return tuple(
            Attachment(address, MEDIA.get(media.type, "link"), clean(media.description))
            for media in self.media_attachments
            if (address := absolute(media.url) or absolute(media.remote_url))
        )


class Notification(Shape):
    """Something that happened to our own account."""

    id: str
    type: str
    created_at: Moment
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Torn:
    """A line of a list that could not be read, with its id where even that was there."""

    id: str
    unread: Unread


def _readable(shape: type[Shape]) -> PlainValidator:
    """Read one line of a list as `shape`, and keep a bad one from spoiling the list."""

    def read(given: object) -> Shape | Torn:
        try:
            return shape.model_validate(given)
        except ValidationError as problem:
            found = given.get("id", "") if isinstance(given, dict) else ""
            return Torn(str(found), Unread(unknown_shape(problem), orjson.dumps(given).decode()))

    return PlainValidator(read)


def unknown_shape(problem: ValidationError) -> str:
    """Why a status could not be read. It names fields, never what stood in them."""
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"A status is in a shape we do not know: {where} ({first['type']})."


Statuses = list[Annotated[Status | Torn, _readable(Status)]]
Notifications = list[Annotated[Notification | Torn, _readable(Notification)]]


class Found(Shape):
    """The statuses among what a search found."""

    statuses: tuple[Status, ...] = ()


class Context(Shape):
    """What stands above and below a status."""

    descendants: tuple[Status, ...] = ()


class Me(Shape):
    """The account that a token belongs to."""

    id: str


class Lengths(Shape):
    """How long a status may be."""

    max_characters: int = 0


class Addresses(Shape):
    """Other addresses of the server."""

    streaming: str = ""
    streaming_api: str = ""  # the name before version 2 of this answer


class Configuration(Shape):
    """What the server allows."""

    statuses: Lengths = Lengths()
    urls: Addresses = Addresses()


class Instance(Shape):
    """What a server says of itself, in both versions of the answer."""

    version: str = ""
    configuration: Configuration = Configuration()
    urls: Addresses = Addresses()
    max_toot_chars: int = 0  # Pleroma

    @property
    def in_order(self) -> bool:
        """Whether ids grow with time and min_id gives the page right above.

        So it is on Mastodon and its forks. All others call themselves "compatible" and have
        ids that sort otherwise, or not at all, or read min_id as since_id.
        """
        return bool(self.version) and "compatible" not in self.version.lower()

    @property
    def longest(self) -> int:
        """How many characters a status may have."""
        return self.configuration.statuses.max_characters or self.max_toot_chars or 500

    @property
    def streaming(self) -> str:
        """The base address of the stream, which the server tells as that of a WebSocket."""
        told = self.configuration.urls.streaming or self.urls.streaming_api
        return re.sub(r"^ws(s?)://", r"http\1://", told).rstrip("/")


def split(address: str) -> SplitResult:
    """The parts of an address; of one that is none, nothing."""
    try:
        return urlsplit(address)
    except ValueError:  # "https://[": not every string is an address
        return urlsplit("")


def local_id(uri: str, host: str) -> str:
    """The id under which the post's own server knows it; empty for posts of other servers.

    Known are Mastodon and GoToSocial (/users/NAME/statuses/ID and /ap/users/ID/statuses/ID),
    pages (/@NAME/ID), Pixelfed (/p/NAME/ID) and the heirs of Misskey (/notes/ID). Pleroma and
    Friendica put another id into the uri (/objects/UUID).
    """
    parts = split(uri)
    if parts.netloc != host:
        return ""
    steps: list[str] = parts.path.strip("/").split("/")
    match steps:
        case [*_, "statuses", local] | ["p", _, local] | ["notes", local]:
            return local
        case [name, local] if name.startswith("@"):
            return local
    return ""
