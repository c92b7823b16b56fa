"""The words of RSS, Atom and JSON Feed, as declared shapes."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connectors.kit.text import clean

T = TypeVar("T")


def _words(value: object) -> object:
    """Feeds put anything anywhere: what is no text where text belongs is left out."""
    return clean(value) if isinstance(value, str) else ""


def _number_or_words(value: object) -> object:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.0f}" if isinstance(value, float) else str(value) if numeric else _words(value)


def _objects(value: object) -> object:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _object(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _numbers(value: object) -> object:
    whole = isinstance(value, Sequence) and all(isinstance(one, int) for one in value)
    return value if whole and not isinstance(value, str) else ()


Words = Annotated[str, BeforeValidator(_words)]
Id = Annotated[str, BeforeValidator(_number_or_words)]
Many = Annotated[list[T], BeforeValidator(_objects)]
One = Annotated[T, BeforeValidator(_object)]


class Told(BaseModel):
    """Anything a feed says: unknown words are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# RSS and Atom, in the words of feedparser: https://feedparser.readthedocs.io/en/latest/reference.html


class Written(Told):
    """A title or a text, with how it is written."""

    value: Words = ""
    type: Words = "text/plain"
    base: Words = ""
    language: Words = ""


class Link(Told):
    """An address and what it is for."""

    href: Words = ""
    url: Words = ""
    rel: Words = "alternate"
    type: Words = ""
    medium: Words = ""


class Person(Told):
    """Who wrote it."""

    name: Words = ""
    href: Words = ""
    url: Words = ""


class Origin(Told):
    """The feed or the paper that a piece was taken from."""

    title: Words = ""
    href: Words = ""


class InReplyTo(Told):
    """RFC 4685: what a comment answers."""

    ref: Words = ""
    href: Words = ""


class XmlPiece(Told):
    """One article, comment or episode."""

    id: Words = ""
    guidislink: bool = False
    link: Words = ""
    feedburner_origlink: Words = ""
    links: Many[Link] = []
    title: Words = ""
    title_detail: One[Written] = Written()
    content: Many[Written] = []
    summary: Words = ""
    summary_detail: One[Written] = Written()
    published: Words = ""
    published_parsed: Annotated[tuple[int, ...], BeforeValidator(_numbers)] = ()
    created: Words = ""
    created_parsed: Annotated[tuple[int, ...], BeforeValidator(_numbers)] = ()
    updated: Words = ""
    updated_parsed: Annotated[tuple[int, ...], BeforeValidator(_numbers)] = ()
    author: Words = ""
    author_detail: One[Person] = Person()
    source: One[Origin] = Origin()
    in_reply_to: One[InReplyTo] = Field(InReplyTo(), alias="thr_in-reply-to")
    media_content: Many[Link] = []
    media_thumbnail: Many[Link] = []


class XmlFeed(Told):
    """A whole feed; its pieces are validated one by one."""

    version: Words = ""
    title: Words = ""
    link: Words = ""
    language: Words = ""
    pieces: Many[dict[str, object]] = []


# https://www.jsonfeed.org/version/1.1/


class JsonAuthor(Told):
    """Who wrote it."""

    name: Words = ""
    url: Words = ""


class JsonAttachment(Told):
    """A file that belongs to a piece."""

    url: Words = ""
    mime_type: Words = ""
    title: Words = ""


class JsonPiece(Told):
    """One article."""

    id: Id = ""
    url: Words = ""
    external_url: Words = ""
    title: Words = ""
    content_html: Words = ""
    content_text: Words = ""
    summary: Words = ""
    image: Words = ""
    banner_image: Words = ""
    date_published: Words = ""
    date_modified: Words = ""
    author: One[JsonAuthor] = JsonAuthor()
    authors: Many[JsonAuthor] = []
    language: Words = ""
    attachments: Many[JsonAttachment] = []


class JsonFeed(Told):
    """A whole feed; its pieces (`items` in its own words) are validated one by one."""

    version: Words = ""
    title: Words = ""
    home_page_url: Words = ""
    language: Words = ""
    pieces: list[object] = Field(alias="items")
