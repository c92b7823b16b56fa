"""The words of Bluesky's records and answers, and how a record becomes a post."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import libipld
import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from connectors.kit.contract import Attachment, Author, Kind, Post, Unread
from connectors.kit.text import absolute, clean, moment

T = TypeVar("T")

COLLECTION = "app.bsky.feed.post"
AT_URI = re.compile(rf"at://(did:[a-z]+:[\w.:%-]+)/{re.escape(COLLECTION)}/([\w.~:-]+)", re.ASCII)

APP = "https://bsky.app"
IMAGES = "https://cdn.bsky.app/img/feed_fullsize/plain"
VIDEOS = "https://video.bsky.app/watch"

# https://docs.bsky.app/docs/advanced-guides/moderation#global-label-values
HIDDEN = frozenset({"!hide", "!takedown", "!suspend"})
FOR_MEMBERS = "!no-unauthenticated"


def _moment(given: object) -> datetime | None:
    if isinstance(given, datetime):
        return given
    return moment(given) if isinstance(given, str | int | float) else None


def _link(given: object) -> object:
    """The name of a blob as text: a link in JSON, bytes in CBOR."""
    if isinstance(given, bytes):
        return libipld.encode_cid(given)
    return given.get("$link", "") if isinstance(given, dict) else given


def _or_nothing(given: Any, read: ValidatorFunctionWrapHandler) -> object:
    """Anybody may publish anything: a broken ornament does not cost us the words."""
    try:
        return read(given)
    except ValidationError:
        return None


Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, PlainValidator(_moment)]
CID = Annotated[str, BeforeValidator(_link)]
Ornament = WrapValidator(_or_nothing)


class Shape(BaseModel, frozen=True):
    """An object of the interface; a null is as good as nothing."""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


# A record: what its author published, the same on every server and in every stream.


class Reference(Shape):
    """One record, at one revision."""

    uri: str
    cid: CID = ""


class Thread(Shape):
    """What a reply hangs on."""

    root: Reference
    parent: Reference


class Feature(Shape):
    """What a stretch of text is: a link, a mention or a hashtag."""

    uri: str = ""
    did: str = ""


class Facet(Shape):
    """A stretch of text (in UTF-8 bytes) that is more than text."""

    features: tuple[Feature, ...] = ()


class Blob(Shape):
    """A file that was uploaded; before 2023 its name stood alone."""

    ref: CID = ""
    cid: CID = ""


class Image(Shape):
    """A picture with what its author says to those who cannot see it."""

    alt: str = ""
    image: Annotated[Blob | None, Ornament] = None


class Card(Shape):
    """The preview of a link."""

    uri: str = ""
    title: str = ""


class Media(Shape):
    """Pictures, a film or a card."""

    images: Annotated[tuple[Image, ...] | None, Ornament] = None
    video: Annotated[Blob | None, Ornament] = None
    external: Annotated[Card | None, Ornament] = None
    alt: str = ""


class Quoted(Shape):
    """A record that is shown below the text; with pictures beside it, one level deeper."""

    uri: str = ""
    record: Annotated[Reference | None, Ornament] = None

    @property
    def address(self) -> str:
        """Its at-uri, empty when it says none."""
        return self.uri or (self.record.uri if self.record else "")


class Embed(Media):
    """Whatever hangs on a post."""

    media: Annotated[Media | None, Ornament] = None
    record: Annotated[Quoted | None, Ornament] = None


class Record(Shape):
    """A post as its author published it."""

    text: str
    created: MaybeMoment = Field(None, alias="createdAt")
    langs: Annotated[tuple[str, ...] | None, Ornament] = None
    facets: Annotated[tuple[Facet, ...] | None, Ornament] = None
    reply: Annotated[Thread | None, Ornament] = None
    embed: Annotated[Embed | None, Ornament] = None

    def at(self, indexed: datetime) -> datetime:
        """When it was published: the author may claim anything but the future."""
        return min(self.created or indexed, indexed)

    def as_post(self, uri: str, author: Author, indexed: datetime) -> Post:
        """The record as a post. Made of nothing that differs from one server to the next."""
        return Post(
            id=uri,
            url=address(uri) or f"{APP}/profile/{author.id}",
            text=clean(self.text),
            kind=Kind.REPLY if self.reply else Kind.POST,
            author=author,
            published=self.at(indexed),
            language=clean(self.langs[0]) or None if self.langs else None,
            in_reply_to=self.reply.parent.uri if self.reply else None,
            thread=self.reply.root.uri if self.reply else None,
            links=self._links(),
            attachments=tuple(self._attachments(owner(uri))),
        )

    def _links(self) -> tuple[str, ...]:
        features = [one for facet in self.facets or () for one in facet.features]
        quoted = self.embed.record.address if self.embed and self.embed.record else ""
        named = [*(one.uri for one in features), *(card.uri for card in self._cards())]
        links = [*(absolute(uri) for uri in named if uri), address(quoted)]
        return tuple(dict.fromkeys(link for link in links if link))

    def _media(self) -> Sequence[Media]:
        if self.embed is None:
            return ()
        return [self.embed, self.embed.media] if self.embed.media else [self.embed]

    def _cards(self) -> list[Card]:
        return [media.external for media in self._media() if media.external]

    def _attachments(self, did: str) -> list[Attachment]:
        found = []
        for media in self._media():
            for image in media.images or ():
                if cid := _name(image.image):
                    link = f"{IMAGES}/{did}/{cid}@jpeg"
                    found.append(Attachment(link, "image", clean(image.alt)))
            if cid := _name(media.video):
                link = f"{VIDEOS}/{quote(did, safe='')}/{cid}/playlist.m3u8"
                found.append(Attachment(link, "video", clean(media.alt)))
        return found + [
            Attachment(target, "link", clean(card.title))
            for card in self._cards()
            if (target := absolute(card.uri))
        ]


def _name(blob: Blob | None) -> str:
    """A blob's name, where it is one: it becomes part of an address."""
    name = (blob.ref or blob.cid) if blob else ""
    return name if name.isascii() and name.isalnum() else ""


def address(uri: str) -> str | None:
    """Where people read the post with this at-uri; None when it is no post."""
    found = AT_URI.fullmatch(uri)
    return f"{APP}/profile/{found[1]}/post/{found[2]}" if found else None


def owner(uri: str) -> str:
    """The account whose repository an at-uri lies in."""
    return uri.removeprefix("at://").partition("/")[0]


def record_key(uri: str) -> str:
    """The key of the record within its collection."""
    return uri.rpartition("/")[2]


# A view: a record as a server shows it, with its author and its labels.


class Label(Shape):
    """A word that a moderator, or the author, put on a post or an account."""

    val: str = ""
    neg: bool = False
    exp: MaybeMoment = None

    def holds(self, now: datetime) -> bool:
        """Whether it was neither taken back nor has run out."""
        return not self.neg and (self.exp is None or self.exp > now)


Labels = Annotated[tuple[Label, ...] | None, Ornament]


class Profile(Shape):
    """An account."""

    did: str
    handle: str = ""
    name: str = Field("", alias="displayName")
    labels: Labels = None

    def as_author(self, ours: str = "") -> Author:
        """The account as the author of a post; `ours` is the DID of our own."""
        return author(self.did, self.handle, name=self.name, ours=ours)


def author(did: str, handle: str = "", *, name: str = "", ours: str = "") -> Author:
    """Who published a post: the DID stays, handles change and may be broken."""
    return Author(
        id=did,
        name=clean(name),
        handle=handle if handle != "handle.invalid" else "",
        url=f"{APP}/profile/{did}",
        ours=bool(ours) and did == ours,
    )


class Viewer(Shape):
    """What our own account may do with a post."""

    no_replies: bool = Field(False, alias="replyDisabled")


class View(Shape):
    """A post as a server shows it, alone or in a notification."""

    uri: str
    cid: str = ""
    author: Profile
    record: Record
    indexed: Moment = Field(alias="indexedAt")
    labels: Labels = None
    viewer: Viewer = Viewer()
    reason: str = ""  # of a notification

    def as_post(self, ours: str = "") -> Post:
        """The post; `ours` is the DID of our own account."""
        return self.record.as_post(self.uri, self.author.as_author(ours), self.indexed)

    def may_be_read(self, *, by_members: bool) -> bool:
        """Whether moderators and the author let us: some speak to members only."""
        now = datetime.now(UTC)
        worn = [*(self.labels or ()), *(self.author.labels or ())]
        labels = {label.val for label in worn if label.holds(now)}
        return not labels & HIDDEN and (by_members or FOR_MEMBERS not in labels)


@dataclass(frozen=True, slots=True)
class Torn:
    """A line of a list that could not be read, and why we were told of it."""

    unread: Unread
    reason: str = ""


def _readable(given: object) -> View | Torn:
    """Keep a bad line of a list from spoiling the list."""
    try:
        return View.model_validate(given)
    except ValidationError as problem:
        reason = given.get("reason", "") if isinstance(given, dict) else ""
        raw = orjson.dumps(given, default=str).decode()
        return Torn(Unread(unknown_shape(problem), raw), str(reason))


def unknown_shape(problem: ValidationError) -> str:
    """Why a post could not be read. It names fields, never what stood in them."""
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"A post is in a shape we do not know: {where} ({first['type']})."


Views = list[Annotated[View | Torn, PlainValidator(_readable)]]


class Found(Shape):
    """What a search found, and where it goes on."""

    posts: Views
    cursor: str = ""


class Inbox(Shape):
    """What our own account was told, and where it goes on."""

    notifications: Views
    cursor: str = ""


class Posts(Shape):
    """Posts that were asked for by their at-uri; those that are gone are left out."""

    posts: Views


class Kept(Shape):
    """A bare record."""

    cid: str = ""
    record: Record = Field(alias="value")


class Told(Shape):
    """What a server says when it refuses."""

    error: str = ""
    message: str = ""


class Identity(Shape):
    """The account behind a handle."""

    did: str
