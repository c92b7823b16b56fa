"""Posts that somebody's own system sends us, signed, in whatever shape it has them."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self, TypeAlias
from urllib.parse import parse_qsl

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)
from standardwebhooks import Webhook as Signer
from typing_extensions import override

from connectors.kit.contract import (
    Author,
    Connector,
    Delivery,
    Health,
    Kind,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Precision,
    Rating,
    Unread,
    Web,
)
from connectors.kit.errors import AccessDenied, Unreadable
from connectors.kit.text import absolute, clean, moment, plain

LARGEST = 1024 * 1024  # bytes of one delivery
TOLERANCE = timedelta(minutes=5)  # https://www.standardwebhooks.com: how old a signature may be
SHORTEST_KEY = 24  # bytes, as Standard Webhooks asks for
SHORTEST_GENERIC_KEY = 8

# Where a field is looked for when the mapping does not name it.
USUAL = {
    "/id": "id",
    "/url": "url",
    "/text": "text",
    "/html": "html",
    "/title": "title",
    "/kind": "kind",
    "/author": "author",
    "/author/name": "author",
    "/author/id": "author_id",
    "/author/handle": "author_handle",
    "/author/url": "author_url",
    "/rating": "rating",
    "/rating_lowest": "rating_lowest",
    "/rating_highest": "rating_highest",
    "/language": "language",
    "/published": "published",
    "/edited": "edited",
    "/in_reply_to": "in_reply_to",
    "/thread": "thread",
    "/branch": "branch",
    "/deleted": "deleted",
}
FIELDS = frozenset(USUAL.values())
NO = frozenset({"", "0", "false", "no", "null"})


def _a_pointer(pointer: str) -> str:
    if pointer and not re.fullmatch(r"(/([^~/]|~[01])*)+", pointer):
        raise ValueError(f"{pointer!r} is no JSON pointer: write for example /review/text")
    return pointer


def _a_field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"{name!r} is no field of a post: choose from {', '.join(sorted(FIELDS))}")
    return name


def _by_field(fields: object) -> object:
    """Fields with their pointers, written either way: text = "/body", or "/body" = "text"."""
    if not isinstance(fields, dict):
        return fields
    found: dict[object, list[object]] = {}
    for left, right in fields.items():
        backwards = isinstance(right, str) and left not in FIELDS
        name, where = (right, left) if backwards else (left, right)
        found.setdefault(name, []).extend(where if isinstance(where, list | tuple) else [where])
    return found


Pointer = Annotated[str, AfterValidator(_a_pointer)]
Field_: TypeAlias = Annotated[str, AfterValidator(_a_field)]


class Webhook(Connector, frozen=True, hide_input_in_errors=True):
    """A sender of signed deliveries, with where in its JSON each field of a post stands."""

    title: ClassVar = "Webhook"
    docs: ClassVar = "https://www.standardwebhooks.com"
    pace: ClassVar = Pace(requests=1, per=timedelta(seconds=1))  # it makes none
    order: ClassVar = Order.NONE
    lag: ClassVar = timedelta(0)

    secret: SecretStr = Field(description="The key that deliveries are signed with, whsec_…")
    previous: SecretStr | None = Field(
        None, description="The key before, which still counts while the sender changes over"
    )
    header: str | None = Field(
        None, description="For senders with an HMAC of their own: the header that carries it"
    )
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = Field(
        "sha256", description="The hash of that HMAC"
    )
    prefix: str = Field("", description="What stands before that HMAC, such as sha256=")
    encoding: Literal["hex", "base64"] = Field("hex", description="How that HMAC is written")
    sender: str = Field(
        "",
        max_length=100,
        description="A short name of the sender; keeps its ids apart from another sender's",
    )
    posts: Pointer = Field(
        "", description="Where in the body the posts stand, such as /reviews; empty for all of it"
    )
    fields: Annotated[dict[Field_, tuple[Pointer, ...]], BeforeValidator(_by_field)] = Field(
        default_factory=dict,
        description='Where a field stands in a post: text = "/review/body"; of several, the first '
        "that is there counts",
    )
    defaults: dict[Field_, str] = Field(
        default_factory=dict, description="What a field is when the delivery does not have it"
    )

    @model_validator(mode="after")
    def _keys_are_keys(self) -> Self:
        for secret in self._secrets:
            if self.header and len(secret) < SHORTEST_GENERIC_KEY:
                raise ValueError(f"a key needs at least {SHORTEST_GENERIC_KEY} characters")
            if not self.header:
                _check_key(secret)
        return self

    @override
    async def check(self, web: Web) -> Health:
        return Health(True, "Waits for signed deliveries at /hooks/NAME, NAME being this source's.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Yield nothing: this place speaks only when it wants to."""
        nothing: tuple[Page, ...] = ()
        for page in nothing:
            yield page

    def accept(self, delivery: Delivery) -> Page:
        """Verify and read a delivery.

        AccessDenied when it is not signed by the sender, or not now; Unreadable when the body
        is too large or no JSON, NDJSON or form. Single posts that cannot be read are set aside.
        Whether the delivery came before is for the caller to remember, by `delivery_id`.
        """
        if len(delivery.body) > LARGEST:
            raise Unreadable(f"The delivery is larger than {LARGEST} bytes: send it in parts.")
        if self.header:
            self._verify_hmac(delivery, self.header)
        else:
            self._verify_standard(delivery)
        kind = delivery.headers.get("content-type", "")
        return self._page(delivery.body, kind, self.delivery_id(delivery), delivery.received)

    def delivery_id(self, delivery: Delivery) -> str:
        """What is the same when the same delivery comes again.

        The id that Standard Webhooks signs. An HMAC signs only the body, so there a header
        proves nothing and the body itself is the id.
        """
        told = "" if self.header else delivery.headers.get("webhook-id", "")
        return told or hashlib.sha256(delivery.body).hexdigest()

    def dry_run(self, body: bytes, *, received: datetime, content_type: str = "") -> Page:
        """Show how a body would be read, without a signature. Unreadable when it would not be."""
        if len(body) > LARGEST:
            raise Unreadable(f"The body is larger than {LARGEST} bytes: send it in parts.")
        return self._page(body, content_type, "dry-run", received)

    # Who sent it.

    @property
    def _secrets(self) -> list[str]:
        keys = (self.secret, self.previous)
        return [key.get_secret_value() for key in keys if key is not None]

    def _verify_standard(self, delivery: Delivery) -> None:
        # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        id_, stamp, signatures = (delivery.headers.get(name, "") for name in names)
        if not (id_ and stamp and signatures):
            raise AccessDenied(
                f"The delivery is not signed: it needs the headers {', '.join(names)}."
            )
        signed = _signed_at(stamp)
        if signed is None or abs(delivery.received - signed) > TOLERANCE:
            raise AccessDenied(
                "The delivery was signed more than five minutes before or after it came: "
                "it was sent again, or the sender's clock is wrong."
            )
        try:
            text = delivery.body.decode()
        except UnicodeDecodeError:
            raise AccessDenied(
                "The body is not UTF-8, so its signature cannot be checked."
            ) from None
        given = [part.encode() for part in signatures.split(" ") if part.startswith("v1,")]
        wanted = [Signer(secret).sign(id_, signed, text).encode() for secret in self._secrets]
        if not _any_equal(given, wanted):
            raise AccessDenied(_WRONG)

    def _verify_hmac(self, delivery: Delivery, header: str) -> None:
        told = delivery.headers.get(header.lower(), "")
        if not told:
            raise AccessDenied(f"The delivery is not signed: it needs the header {header}.")
        given = told.strip().removeprefix(self.prefix)
        macs = [
            hmac.digest(secret.encode(), delivery.body, self.algorithm) for secret in self._secrets
        ]
        if self.encoding == "hex":
            given, wanted = given.lower(), [mac.hex().encode() for mac in macs]
        else:
            wanted = [b64encode(mac) for mac in macs]
        if not told.strip().startswith(self.prefix) or not _any_equal([given.encode()], wanted):
            raise AccessDenied(_WRONG)

    # What it says.

    def _page(self, body: bytes, content_type: str, delivery: str, received: datetime) -> Page:
        posts: list[Post] = []
        gone: list[str] = []
        unreadable: list[Unread] = []
        for index, told in enumerate(self._told(body, content_type)):
            if isinstance(told, Unread):
                unreadable.append(told)
                continue
            fields = Fields(said=told, where=self._where, otherwise=self.defaults)
            own = fields.text("id") or f"{delivery}#{index}"
            id_ = f"{self.sender}/{own}" if self.sender else own
            if fields.text("deleted").lower() not in NO:
                gone.append(id_)
                continue
            try:
                posts.append(fields.as_post(id_, received))
            except ValueError as problem:
                reason = f"Post {index + 1} of the delivery: {problem}."
                unreadable.append(Unread(reason, orjson.dumps(told).decode()))
        return Page(posts=tuple(posts), cursor=None, gone=tuple(gone), unreadable=tuple(unreadable))

    @property
    def _where(self) -> tuple[tuple[str, str], ...]:
        """Pointers and what they lead to; the usual ones for fields that are not mapped."""
        mapped = [(pointer, name) for name, found in self.fields.items() for pointer in found]
        usual = ((pointer, name) for pointer, name in USUAL.items() if name not in self.fields)
        return (*mapped, *usual)

    def _told(self, body: bytes, content_type: str) -> Iterator[JsonValue | Unread]:
        """The single posts, as the sender writes them."""
        for document in _documents(body, content_type):
            found = document if isinstance(document, Unread) else at(document, self.posts)
            if isinstance(found, list):
                yield from found
            elif found is None:
                where = self.posts or "the whole"
                reason = f"There are no posts at {where} of the delivery."
                yield Unread(reason, orjson.dumps(document).decode())
            else:
                yield found


class Fields(BaseModel, frozen=True):
    """One post in the sender's words, and where in them the fields of a post stand."""

    said: JsonValue
    where: tuple[tuple[str, str], ...]
    otherwise: Mapping[str, str]

    def as_post(self, id_: str, received: datetime) -> Post:
        """The post; ValueError says what is wrong with it."""
        if not isinstance(self.said, dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004 a person reads this
        body = plain(self.text("html"))
        text = self.text("text") or body.text
        title, rating = self.text("title") or None, self._rating()
        if not (text or title or rating):
            raise ValueError("it has no text, no title and no rating; check the field mapping")
        published = self._time("published")
        return Post(
            id=id_,
            url=absolute(self.text("url")) or "",
            text=text,
            title=title,
            kind=self._kind(),
            author=self._author(),
            rating=rating,
            language=self.text("language") or None,
            published=published or received,
            edited=self._time("edited"),
            precision=self._precision(published),
            in_reply_to=self.text("in_reply_to") or None,
            thread=self.text("thread") or None,
            branch=self.text("branch") or None,
            links=body.links,
            attachments=body.images,
        )

    def text(self, name: str) -> str:
        """A field as text, empty when it is nowhere."""
        for pointer, field in self.where:
            found = at(self.said, pointer) if field == name else None
            if isinstance(found, str | int | float):
                text = clean(str(found))
                if text:
                    return text
        return self.otherwise.get(name, "")

    def _kind(self) -> Kind:
        told = self.text("kind").lower()
        if told and told not in set(Kind):
            raise ValueError(f"its kind is none of {', '.join(Kind)}")
        return Kind(told or "post")

    def _author(self) -> Author:
        return Author(
            id=self.text("author_id"),
            name=self.text("author"),
            handle=self.text("author_handle").removeprefix("@"),
            url=absolute(self.text("author_url")),
        )

    def _rating(self) -> Rating | None:
        value = self._number("rating")
        if value is None:
            return None
        lowest, highest = self._number("rating_lowest"), self._number("rating_highest")
        return Rating(value, 1.0 if lowest is None else lowest, 5.0 if highest is None else highest)

    def _number(self, name: str) -> float | None:
        told = self.text(name)
        if not told:
            return None
        if not re.fullmatch(r"-?\d{1,9}([.,]\d{1,9})?", told):
            raise ValueError(f"its {name} is no number")
        return float(told.replace(",", "."))

    def _time(self, name: str) -> datetime | None:
        told = self.text(name)
        found = moment(told)
        if told and found is None:
            raise ValueError(f"its {name} is no time; write it like 2025-03-04T09:30:00Z")
        return found

    def _precision(self, published: datetime | None) -> Precision:
        if published is None:
            return Precision.SEEN
        date = re.fullmatch(r"\d{4}-\d\d-\d\d", self.text("published"))
        return Precision.DAY if date else Precision.SECOND


def at(document: JsonValue, pointer: str) -> JsonValue:
    """What a JSON pointer (RFC 6901) leads to; None when that is nowhere."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and re.fullmatch(r"0|[1-9]\d{0,6}", name):
            document = document[int(name)] if int(name) < len(document) else None
        else:
            return None
    return document


def _documents(body: bytes, content_type: str) -> Iterator[JsonValue | Unread]:
    """The JSON values in a body: one, or one a line, or a form's fields as an object."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        yield _form(body)
        return
    if kind.startswith("multipart/"):
        raise Unreadable("The body is a multipart form: send JSON, NDJSON or a plain form instead.")
    try:
        yield orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        if b"\n" not in body.strip():
            raise Unreadable(f"The body is not JSON: {problem}.", raw=_raw(body)) from None
        yield from _lines(body, str(problem))


def _lines(body: bytes, problem: str) -> Iterator[JsonValue | Unread]:
    """One JSON value a line. A bad line spoils nothing, unless none is good."""
    read: list[JsonValue | Unread] = []
    for number, text in enumerate(body.splitlines(), 1):
        if text.strip():
            try:
                read.append(orjson.loads(text))
            except orjson.JSONDecodeError:
                read.append(Unread(f"Line {number} of the delivery is not JSON.", _raw(text)))
    if all(isinstance(each, Unread) for each in read):
        raise Unreadable(f"The body is neither JSON ({problem}) nor JSON lines.", raw=_raw(body))
    yield from read


def _form(body: bytes) -> JsonValue:
    """A form as an object; one whose only field is `payload` carries JSON, as chat systems do."""
    try:
        fields = dict(parse_qsl(body.decode(), strict_parsing=True, max_num_fields=1_000))
    except ValueError as problem:  # UnicodeDecodeError is one
        raise Unreadable(
            "The body is not the form that it says it is.", raw=_raw(body)
        ) from problem
    if set(fields) == {"payload"}:
        try:
            carried: JsonValue = orjson.loads(fields["payload"])
        except orjson.JSONDecodeError:
            raise Unreadable("The form's field payload is not JSON.", raw=_raw(body)) from None
        return carried
    return {**fields}


_WRONG = "No signature fits: the delivery was signed with another key, or its body was changed on the way."


def _check_key(secret: str) -> None:
    """Refuse a key that is not as Standard Webhooks writes keys; the message never repeats it."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < SHORTEST_KEY:
        raise ValueError(
            f"a key is whsec_ and at least {SHORTEST_KEY} random bytes in base64; "
            "for a sender with an HMAC of its own, name the header that carries it"
        )


def _signed_at(stamp: str) -> datetime | None:
    if not re.fullmatch(r"\d{1,11}", stamp, re.ASCII):
        return None
    return datetime.fromtimestamp(int(stamp), UTC)


def _any_equal(given: list[bytes], wanted: list[bytes]) -> bool:
    """Whether any is equal; each comparison takes a time that tells nothing."""
    return any(hmac.compare_digest(one, other) for one in given for other in wanted)


def _raw(body: bytes) -> str:
    return body[:64_000].decode(errors="replace")
