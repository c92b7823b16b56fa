"""Reads the answer of a feed's address into the pieces that it lists, whatever its dialect."""

import asyncio
import re
import sys
from calendar import timegm
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from time import monotonic
from urllib.parse import urljoin, urlsplit

import orjson
from pydantic import ValidationError

from connectors.feeds import google, parser, webpage
from connectors.feeds.guard import inspect
from connectors.feeds.shapes import JsonFeed, JsonPiece, Link, Written, XmlFeed, XmlPiece
from connectors.kit.contract import Answer, Attachment, Author, Unread
from connectors.kit.errors import Unreadable
from connectors.kit.text import Plain, absolute, clean, line, moment, plain, shortened

PATIENCE = timedelta(seconds=30)  # for one feed, however long
SMALL = 8_000  # bytes that feedparser reads in a quarter of a second, whatever they are
LONGEST_TITLE = 500
MOST_ATTACHMENTS = 20
RAW = 64_000

NOTHING = Plain("")
NOBODY = Author()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article, comment or episode as its feed tells it."""

    guid: str = ""
    link: str = ""  # absolute, or empty
    title: str = ""
    text: Plain = NOTHING
    published: datetime | None = None
    day_only: bool = False
    updated: datetime | None = None
    author: Author = NOBODY
    language: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str = ""  # the guid of what a comment answers
    reply_to_link: str = ""
    paper: str = ""  # where it was taken from


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a feed lists, in its own order, and what of it could not be read."""

    title: str
    link: str
    pieces: tuple[Piece, ...]
    unread: tuple[Unread, ...] = field(repr=False, default=())


async def read(answer: Answer) -> Feed:
    """The feed in an answer; Unreadable says in a sentence why there is none."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            if answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
                return await asyncio.to_thread(_json_feed, answer)
            await asyncio.to_thread(_inspect, answer)
            return await asyncio.to_thread(_xml_feed, answer, await _parsed(answer))
    except TimeoutError:
        raise Unreadable(f"{_host(answer)}'s feed takes too long to read.") from None


def _inspect(answer: Answer) -> None:
    if not answer.body.strip():
        raise Unreadable(f"{_host(answer)} answered nothing where the feed should be.")
    if webpage.is_one(answer):
        raise Unreadable(webpage.instead(answer, _host(answer)))
    inspect(answer.body, f"{_host(answer)}'s feed")


# RSS and Atom.


async def _parsed(answer: Answer) -> bytes:
    """What feedparser says, from a process of its own unless the feed is too small to harm."""
    content_type = answer.headers.get("content-type", "").replace("\x00", "")
    if len(answer.body) <= SMALL:
        try:
            return await asyncio.to_thread(parser.parsed, answer.body, content_type)
        except Exception as error:  # a bug of feedparser's, whatever it raises
            raise _beyond_us(answer) from error
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(Path(parser.__file__)), content_type),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        told, _ = await process.communicate(answer.body)
    finally:
        if process.returncode is None:  # we were cancelled, or it took too long
            process.kill()
            await process.wait()
    if process.returncode:
        raise _beyond_us(answer)
    return told


def _beyond_us(answer: Answer) -> Unreadable:
    why = f"{_host(answer)}'s feed is too broken, or too large, to be read."
    return Unreadable(why, raw=_raw(answer.body))


def _xml_feed(answer: Answer, told: bytes) -> Feed:
    feed = XmlFeed.model_validate_json(told)
    if not feed.version and not feed.pieces:
        raise Unreadable(
            f"{_host(answer)} answered something that is not a feed.", raw=_raw(answer.body)
        )
    pieces, unread = _each(
        feed.pieces, lambda found: _of_xml(XmlPiece.model_validate(found), feed, answer.url)
    )
    return Feed(
        title=line(feed.title)[:LONGEST_TITLE],
        link=absolute(feed.link, answer.url) or "",
        pieces=pieces,
        unread=unread,
    )


def _of_xml(told: XmlPiece, feed: XmlFeed, location: str) -> Piece:
    link = _xml_link(told, location)
    written = next((one for one in told.content if one.value and _readable(one)), None)
    if written is None:
        written = told.summary_detail if told.summary_detail.value else Written(value=told.summary)
    base = urljoin(location, written.base) if written.base else link or location
    text = _as_plain(written, base)
    published, day_only = _first_time(
        (told.published, told.published_parsed),
        (told.created, told.created_parsed),
        (told.updated, told.updated_parsed),
    )
    updated, _ = _first_time((told.updated, told.updated_parsed))
    title, paper = _title(told, feed), line(told.source.title)
    if google.is_news(link):
        # Its text is a list of other papers' headlines: not this one's words.
        title, text = google.headline(title, paper), Plain("", truncated=True)
    return _checked(
        Piece(
            guid=told.id,
            link=link,
            title=title,
            text=text,
            published=published,
            day_only=day_only,
            updated=updated,
            author=_author(
                told.author or told.author_detail.name,
                told.author_detail.href or told.author_detail.url,
                told.source.title or feed.title,
            ),
            language=_language(written.language or feed.language),
            attachments=_attachments(
                [one for one in told.links if one.rel == "enclosure"]
                + told.media_content
                + told.media_thumbnail,
                text,
                base,
            ),
            reply_to=told.in_reply_to.ref,
            reply_to_link=absolute(told.in_reply_to.href, location) or "",
            paper=paper,
        )
    )


def _xml_link(told: XmlPiece, location: str) -> str:
    alternates = [one.href for one in told.links if one.rel == "alternate"]
    others = [one.href for one in told.links if one.rel != "self"]
    permalink = [told.id] if told.guidislink else []
    for address in [told.feedburner_origlink, told.link, *alternates, *permalink, *others]:
        if found := absolute(address, location):
            return google.unwrapped(found)
    return ""


def _title(told: XmlPiece, feed: XmlFeed) -> str:
    title = told.title_detail.value or told.title
    if told.title_detail.type != "text/plain":
        title = line(title)
    elif feed.version.startswith("rss"):  # RSS never said whether a title is HTML
        title = unescape(title)
    return shortened(" ".join(clean(title).split()), LONGEST_TITLE)


def _readable(written: Written) -> bool:
    return written.type.startswith("text/") or written.type.endswith(("html", "xhtml+xml"))


def _as_plain(written: Written, base: str) -> Plain:
    if written.type == "text/plain":
        return Plain(clean(written.value))
    return plain(written.value, base=base)


# JSON Feed.


def _json_feed(answer: Answer) -> Feed:
    try:
        feed = JsonFeed.model_validate(orjson.loads(answer.body.removeprefix(b"\xef\xbb\xbf")))
    except orjson.JSONDecodeError:
        raise Unreadable(
            f"{_host(answer)} answered JSON that is broken or cut off.", raw=_raw(answer.body)
        ) from None
    except ValidationError:
        raise Unreadable(
            f"{_host(answer)} answered JSON that is not a JSON Feed: it has no list of items.",
            raw=_raw(answer.body),
        ) from None
    pieces, unread = _each(
        feed.pieces[: parser.MOST_PIECES],
        lambda found: _of_json(JsonPiece.model_validate(found), feed, answer.url),
    )
    return Feed(
        title=line(feed.title)[:LONGEST_TITLE],
        link=absolute(feed.home_page_url, answer.url) or "",
        pieces=pieces,
        unread=unread,
    )


def _of_json(told: JsonPiece, feed: JsonFeed, location: str) -> Piece:
    link = absolute(told.url, location) or absolute(told.external_url, location) or ""
    base = link or location
    text = Plain(clean(told.content_text or told.summary))
    if told.content_html:
        text = plain(told.content_html, base=base)
    published, day_only = _first_time((told.date_published, ()), (told.date_modified, ()))
    author = next((one for one in [*told.authors, told.author] if one.name or one.url), None)
    pictures = [Link(href=one, type="image/") for one in (told.image, told.banner_image) if one]
    files = [Link(href=one.url, type=one.mime_type) for one in told.attachments]
    return _checked(
        Piece(
            guid=told.id,
            link=link,
            title=shortened(" ".join(unescape(told.title).split()), LONGEST_TITLE),
            text=text,
            published=published,
            day_only=day_only,
            updated=moment(told.date_modified),
            author=_author(author.name if author else "", author.url if author else "", feed.title),
            language=_language(told.language or feed.language),
            attachments=_attachments(files + pictures, text, base),
        )
    )


# What both dialects share.

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", re.ASCII)
_EMAIL = re.compile(r"([^\s@<>()]{1,64})@[^\s@<>()]{1,255}")


def _each(
    told: Sequence[object], read_one: Callable[[object], Piece]
) -> tuple[tuple[Piece, ...], tuple[Unread, ...]]:
    """Read the pieces one by one, so that a bad one spoils no other."""
    pieces: list[Piece] = []
    unread: list[Unread] = []
    deadline = monotonic() + PATIENCE.total_seconds()
    for one in told:
        if monotonic() > deadline:  # nobody waits any more, and a thread cannot be stopped
            break
        try:
            pieces.append(read_one(one))
        except ValueError as error:
            unread.append(_unread(error, orjson.dumps(one, default=str)))
    return tuple(pieces), tuple(unread)


def _checked(piece: Piece) -> Piece:
    if not (piece.title or piece.text.text or piece.link or piece.attachments):
        raise ValueError("it has neither a title, nor a text, nor an address")
    return piece


def _unread(error: ValueError, raw: bytes) -> Unread:
    odd = isinstance(error, ValidationError)
    why = "it is not in the shape that feeds have" if odd else str(error)
    return Unread(f"One piece of the feed cannot be read: {why}.", _raw(raw))


def _first_time(*told: tuple[str, tuple[int, ...]]) -> tuple[datetime | None, bool]:
    """The first time that can be read, and whether it names only a day."""
    for words, numbers in told:
        found = moment(words)
        if found is None and len(numbers) >= 6:  # feedparser knows Greek, Hungarian and Korean
            found = moment(timegm((*numbers[:6], 0, 1, 0)))
        if found is not None:
            return found.astimezone(UTC), bool(_DAY.fullmatch(words))
    return None, False


def _author(name: str, url: str, otherwise: str) -> Author:
    """Who wrote it, else the paper; of a mail address only what stands before the @."""
    name = line(name[:1000])
    without = _EMAIL.sub("", name).strip(" ()<>,;")
    address = absolute(url)
    return Author(
        id=address or "",
        name=shortened(without or _EMAIL.sub(r"\1", name) or line(otherwise), 200),
        url=address,
    )


def _language(told: str) -> str | None:
    return told.replace("_", "-") if _LANGUAGE.fullmatch(told) else None


def _attachments(told: Iterable[Link], text: Plain, base: str) -> tuple[Attachment, ...]:
    found: dict[str, Attachment] = {}
    for one in told:
        if address := absolute(one.href or one.url, base):
            kind = (one.medium or one.type.partition("/")[0]).lower()
            known = kind in {"image", "video", "audio"}
            found.setdefault(address, Attachment(address, kind if known else "link"))
    for image in text.images:
        found.setdefault(image.url, image)
    return tuple(found.values())[:MOST_ATTACHMENTS]


def _host(answer: Answer) -> str:
    return urlsplit(answer.url).hostname or "The place"


def _raw(body: bytes) -> str:
    return clean(body[:RAW].decode("utf-8", "replace"))
