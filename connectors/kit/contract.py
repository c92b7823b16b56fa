"""What a connector promises: posts of one place, page by page, from wherever it stopped."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, runtime_checkable
from urllib.parse import urlsplit

from pydantic import BaseModel

T = TypeVar("T")


class Kind(StrEnum):
    """What sort of public item a post is."""

    REVIEW = "review"
    POST = "post"
    COMMENT = "comment"
    REPLY = "reply"
    ARTICLE = "article"
    MESSAGE = "message"


class Precision(StrEnum):
    """How exactly the place tells when a post was published."""

    SECOND = "second"
    DAY = "day"
    MONTH = "month"
    SEEN = "seen"  # the place says nothing: the time is when we first saw it


class Order(StrEnum):
    """In which order a place lists posts."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who published a post, as far as the place tells."""

    id: str = ""
    name: str = ""
    handle: str = ""  # without a leading @; with its host where the place has many hosts
    url: str | None = None
    reach: int | None = None  # followers
    ours: bool = False  # the connector knows this account to be the brand's own


@dataclass(frozen=True, slots=True)
class Rating:
    """A mark in the place's own scale."""

    value: float
    lowest: float = 1.0
    highest: float = 5.0

    def __post_init__(self) -> None:
        if not self.lowest <= self.value <= self.highest or self.lowest >= self.highest:
            raise ValueError(f"{self.value} is not on a scale of {self.lowest} to {self.highest}")

    @property
    def stars(self) -> float:
        """The same on a scale of one to five stars."""
        return 1 + 4 * (self.value - self.lowest) / (self.highest - self.lowest)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture, film or file that hangs on a post: a link, never the bytes."""

    url: str
    kind: str = "link"
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One public item as its place published it. Text is plain text, times are aware."""

    id: str  # the place's own stable id, unique across all servers this connector reads
    url: str
    text: str
    published: datetime
    kind: Kind = Kind.POST
    title: str | None = None
    author: Author = Author()
    rating: Rating | None = None
    language: str | None = None  # BCP 47, as the place says
    edited: datetime | None = None
    precision: Precision = Precision.SECOND
    in_reply_to: str | None = None  # a post id of the same place
    thread: str | None = None
    branch: str | None = None  # the shop, location, app or forum it is about
    reach: int | None = None  # how many people saw it, where the place counts
    links: tuple[str, ...] = ()  # addresses that the text links to
    attachments: tuple[Attachment, ...] = ()
    truncated: bool = False  # the place gives only the beginning of the text

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a post needs an id")
        for moment in (self.published, self.edited):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("a post's times need a time zone")

    @property
    def revision(self) -> str:
        """A fingerprint of what an author can change: text, title, rating, attachments."""
        changeable = (self.title, self.text, self.rating, self.attachments)
        return blake2b(repr(changeable).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that could not be read as a post: why, and the place's own words for it."""

    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of publication time, both ends included."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError(f"a span cannot end ({self.end}) before it starts ({self.start})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The unit of commit: posts that are kept together with the cursor that follows them.

    `span` is the stretch of time of which every post has now been read, or None when this
    page proves nothing yet. `sifted` is how many posts were read and left out because nobody
    wanted them.
    """

    posts: tuple[Post, ...] = ()
    cursor: str | None
    gone: tuple[str, ...] = ()  # ids that the place says are deleted
    unreadable: tuple[Unread, ...] = ()
    span: Span | None = None
    sifted: int = 0


class State(StrEnum):
    """What became of a post that we asked for again."""

    SAME = "same"
    EDITED = "edited"
    GONE = "gone"  # the place says so (404, 410, a deletion mark)
    ABSENT = "absent"  # merely not listed: twice in a row means gone
    UNKNOWN = "unknown"  # could not be asked


@dataclass(frozen=True, slots=True)
class Change:
    """The answer to one recheck; `post` is there for the same and the edited."""

    id: str
    state: State
    post: Post | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a place allows in which time, and how many at once."""

    requests: int
    per: timedelta
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class Retention:
    """What a place's terms let us keep."""

    text: timedelta | None = None  # how long at most; None is as long as the admin says
    learn: bool = True  # may corrections of its posts train the model


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a source can be read, in a sentence that says what is missing."""

    well: bool
    says: str


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """Whether and how a post can be answered by us."""

    allowed: bool
    length: int | None = None
    unit: str = "characters"
    reason: str = ""  # why not
    link: str | None = None  # where a person can answer by hand


@dataclass(frozen=True, slots=True)
class Receipt:
    """A published reply."""

    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a place sent us: header names in lower case, the body as it came over the wire."""

    headers: Mapping[str, str]
    body: bytes
    received: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the network answered: header names in lower case, the body unpacked."""

    url: str  # the final address, after redirects
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    links: Mapping[str, str] = field(default_factory=dict)  # the Link header, by rel


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event."""

    event: str
    data: str
    id: str = ""


class Web(Protocol):
    """The only polite door to the network.

    Every call is paced by the connector's `pace`, obeys what the place says about waiting,
    and ends in an answer or a `ConnectorError`. JSON arrives as the `shape` asked for.
    """

    async def get(
        self,
        shape: type[T],
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Read the JSON at `url` as `shape`."""

    async def post(
        self,
        shape: type[T],
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Send a body, read the JSON answer as `shape`."""

    async def fetch(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Answer:
        """Read whatever is at `url`; statuses outside 2xx raise unless they are in `also`."""

    def read(self, shape: type[T], answer: Answer) -> T:
        """Read a fetched answer's JSON as `shape`."""

    def events(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ServerEvent]:
        """Listen to server-sent events until the place ends the stream or falls silent."""

    def socket(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[bytes | str]:
        """Listen to a WebSocket until the place closes it or falls silent; nothing is said.

        `url` begins with wss:// or https://. Each message is whole: text or bytes.
        """


class Known(Protocol):
    """What the listener knows already when it asks a connector for pages."""

    @property
    def since(self) -> datetime:
        """The earliest publication time that is wanted."""

    @property
    def now(self) -> datetime:
        """The time of this walk."""

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of `ids` that this source has read before."""


class Connector(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Code that can read one place. Its fields are its options, its class its manifest.

    Options that are secrets are `pydantic.SecretStr`. `api` replaces every host of the
    place; where two hosts must differ the others are `api_stream`, `api_auth`, `api_items`.
    """

    title: ClassVar[str]  # the place, as people call it
    docs: ClassVar[str]  # the place's own page about its interface
    pace: ClassVar[Pace]
    order: ClassVar[Order]
    lag: ClassVar[timedelta]  # how late the place's index may be: the overlap of every walk
    keeps: ClassVar[Retention] = Retention()

    @property
    def about_us(self) -> bool:
        """Whether every post is about the brand of its source, also where it does not name it.

        True for reviews of one app or shop and for an account's own inbox.
        """
        return False

    @property
    def home(self) -> str:
        """The host this source mostly asks, so that few walks share one host at a time."""
        address = getattr(self, "url", None) or getattr(self, "api", None)
        return urlsplit(str(address)).hostname or self.title if address else self.title

    @abstractmethod
    async def check(self, web: Web) -> Health:
        """Make one cheap call and say in words what is missing."""

    @abstractmethod
    def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Yield what was published since the cursor, until there is no more for now.

        Stopping after any page and starting again with its cursor loses nothing. With no
        cursor, read back to `known.since`.
        """


@runtime_checkable
class Listens(Protocol):
    """A connector that can hear posts the moment they are published."""

    def listen(self, web: Web, cursor: str | None) -> AsyncIterator[Page]:
        """Yield pages as they come; end or raise when the stream is cut."""


# Whether a post may be wanted, asked before it is made: of its title and its text (clean, with a
# line break between them) and of the addresses it links to, attachments included. The addresses
# are looked at only where it matters. Wrong only by saying yes.
Sieve: TypeAlias = Callable[[str, Iterable[str]], bool]


def everything(_text: str, _links: Iterable[str]) -> bool:
    """The sieve that keeps every post back."""
    return True


@runtime_checkable
class Sifts(Protocol):
    """A connector whose stream brings so much that what nobody wants is left out unmade."""

    def sift(self, web: Web, cursor: str | None, wanted: Sieve) -> AsyncIterator[Page]:
        """Listen, and count what is not wanted instead of yielding it.

        Deletions are told of every post, and cursor and span move as they do in `listen`.
        """


@runtime_checkable
class Rechecks(Protocol):
    """A connector that can ask again for posts by id."""

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Say what became of each id, in the same order."""


@runtime_checkable
class Replies(Protocol):
    """A connector that can answer in its place."""

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether this post can be answered, how long, or why not."""

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:
        """Publish a reply once; `key` is the same for every attempt."""

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:
        """Look for our reply after a cut, before a second try."""


@runtime_checkable
class Accepts(Protocol):
    """A connector that is sent posts by its place."""

    def accept(self, delivery: Delivery) -> Page:
        """Verify and read a delivery; AccessDenied when it is not from the place."""

    def delivery_id(self, delivery: Delivery) -> str:
        """What is the same when the same delivery comes again."""


@runtime_checkable
class Tries(Protocol):
    """A connector that can show how it would read a delivery, without its signature."""

    def dry_run(self, body: bytes, *, received: datetime) -> Page:
        """Read a body as if it had been delivered; Unreadable when it cannot be."""


def secrets(connector: type[Connector]) -> frozenset[str]:
    """The names of the options that are secrets."""
    return frozenset(
        name
        for name, option in connector.model_fields.items()
        if "SecretStr" in repr(option.annotation)
    )


def revealed(connector: Connector) -> dict[str, Any]:
    """The options as JSON values, secrets in the clear: to be sealed at once."""
    return connector.model_dump(
        mode="json",
        context={"reveal": True},
        exclude_defaults=True,
        exclude=set(secrets(type(connector))),
    ) | {
        name: value.get_secret_value()
        for name in secrets(type(connector))
        if (value := getattr(connector, name)) is not None
    }
