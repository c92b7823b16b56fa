"""What a place wrote, as plain values: readable text without markup, times with a zone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import urljoin, urlsplit

import nh3
from dateutil.parser import ParserError, parse  # type: ignore[import-untyped]
from typing_extensions import override

from connectors.kit.contract import Attachment

# What people write stays far below these; beyond them markup is an attack or a mistake.
LONGEST_TEXT = 1_000_000  # characters
LONGEST_MARKUP = 16_000_000  # characters, above the ten megabytes that the door lets in
MOST_TAGS = 10_000  # the HTML5 algorithm is quadratic in nesting: this costs a third of a second
MOST_REFERENCES = 200_000  # nh3 is quadratic in ampersands: this costs half a second
MOST_LINKS = 500
LONGEST_LINK = 2_000

ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Plain:
    """A piece of HTML as people read it, with the addresses it held.

    `truncated` says that it was longer than any post (a million characters, ten thousand
    tags) and only its beginning is here.
    """

    text: str
    links: tuple[str, ...] = ()  # absolute http(s) addresses, each once, in order
    images: tuple[Attachment, ...] = ()
    truncated: bool = False


def plain(html: str, *, base: str = "") -> Plain:
    """Read HTML as text: blocks become lines, scripts vanish, entities become characters.

    `base` is the address that relative links are resolved against; without it they are left
    out. Never raises, whatever the markup; takes linear time.
    """
    if "<" in html or "&" in html:
        html, cut = _bounded(html)
        reader = _Reader(base)
        reader.feed(_TIDY.clean(clean(html)))
        reader.close()
        links, images = tuple(reader.links), tuple(reader.images.values())
        text = clean(reader.text())
    else:  # most names and titles
        cut, links, images = len(html) > LONGEST_MARKUP, (), ()
        text = " ".join(clean(html[:LONGEST_MARKUP]).split())
    if len(text) > LONGEST_TEXT:
        text, cut = text[:LONGEST_TEXT], True
    return Plain(text, links, images, cut)


def line(html: str) -> str:
    """Read HTML as one line of text, for titles and names."""
    return " ".join(plain(html).text.split())


def clean(text: str) -> str:
    """Remove what no reader sees and no database keeps.

    Control characters go (lines and tabs stay), lone surrogates become U+FFFD, and line ends
    are one newline each.
    """
    if (
        text.isprintable() or text.replace("\n", " ").isprintable()
    ):  # nearly always, and much quicker than looking
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("", text)).strip()


def shortened(text: str, length: int) -> str:
    """Cut the text to at most `length` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + ELLIPSIS


def moment(value: str | float | None, *, naive: tzinfo = UTC) -> datetime | None:
    """Read a time as places write it, as UTC; None when it does not name a day.

    Understands RFC 3339 with any fraction, ISO 8601 dates, RFC 822 with zone names and
    two-digit years, month names of a few languages, and epoch seconds, milliseconds and
    microseconds. A time without a zone is in `naive`. Placeholders from before the web
    (year 1, epoch 0) are no times.
    """
    found = _from_epoch(value) if isinstance(value, int | float) else _from_text(value, naive)
    return found if found is not None and found >= _EARLIEST else None


def not_after(found: datetime, now: datetime) -> datetime:
    """Pull a time that lies in the future back to `now`: clocks differ, posts are not prophets."""
    return min(found, now)


# Characters.

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


# HTML. nh3 repairs it as a browser would (in Rust, whatever the input), so that what the
# standard library's parser then walks is well-formed: on raw input that one is quadratic.

_LINES = {"address", "article", "aside", "br", "dd", "div", "dt", "figcaption", "figure"} | {
    "footer",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "section",
    "summary",
    "tr",
}
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
_CELLS = {"td", "th"}
_UNREAD = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math"} | {
    "title",
    "textarea",
    "select",
    "audio",
    "video",
}
_TIDY = nh3.Cleaner(  # well-formed HTML of only the tags that matter to a reader
    tags=_LINES | _PARAGRAPHS | _CELLS | {"a", "img"},
    clean_content_tags=_UNREAD,
    attributes={"a": {"href"}, "img": {"src", "alt"}},
    url_schemes={"http", "https"},
    link_rel=None,
)
_TAG_START = re.compile("<[A-Za-z]")
_AMP = re.compile("&")


def _bounded(html: str) -> tuple[str, bool]:
    """The beginning of the markup that is worth reading, and whether that is not all."""
    end = min(
        LONGEST_MARKUP,
        _nth(html, "<", _TAG_START, MOST_TAGS),
        _nth(html, "&", _AMP, MOST_REFERENCES),
    )
    return html[:end], end < len(html)


def _nth(html: str, character: str, pattern: re.Pattern[str], most: int) -> int:
    """Where the first match beyond the `most` allowed begins, else the end."""
    if html.count(character) <= most:  # nearly always: counting is much quicker than matching
        return len(html)
    return next((match.start() for match in islice(pattern.finditer(html), most, None)), len(html))


class _Reader(HTMLParser):
    """Walks tidy HTML once and remembers text, links and images."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = base
        self.links: dict[str, None] = {}
        self.images: dict[str, Attachment] = {}
        self._pieces: list[str] = []
        self._break = 0  # newlines owed before the next word
        self._space = False  # a blank owed before the next word
        self._verbatim = 0  # how many <pre> we are in

    def text(self) -> str:
        return "".join(self._pieces)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._link(dict(attrs).get("href") or "")
        elif tag == "img":
            self._image(dict(attrs))
        elif tag == "br":
            self._break = min(self._break + 1, 2)
        else:
            self._boundary(tag)
        self._verbatim += tag == "pre"

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in {"a", "img", "br"}:
            self._boundary(tag)
        self._verbatim = max(0, self._verbatim - (tag == "pre"))

    @override
    def handle_data(self, data: str) -> None:
        if self._verbatim:
            self._write(data)
            return
        words = data.split()
        self._space = self._space or data[:1].isspace()
        if words:
            self._write(" ".join(words))
            self._space = data[-1:].isspace()

    def _boundary(self, tag: str) -> None:
        if tag in _CELLS:
            self._space = True
        else:
            self._break = max(self._break, 2 if tag in _PARAGRAPHS else 1)

    def _write(self, words: str) -> None:
        if self._pieces:
            self._pieces.append("\n" * self._break or (" " if self._space else ""))
        self._pieces.append(words)
        self._break, self._space = 0, False

    def _link(self, href: str) -> None:
        address = absolute(href, self.base)
        if address and len(self.links) < MOST_LINKS:
            self.links[address] = None

    def _image(self, attributes: dict[str, str | None]) -> None:
        alt = clean(attributes.get("alt") or "")
        if alt and len(alt) <= 8 and not any(character.isalnum() for character in alt):
            # Blogs and forums draw emoji as pictures; the feeling is in them.
            self._write(alt)
            return
        address = absolute(attributes.get("src") or "", self.base)
        if address and len(self.images) < MOST_LINKS:
            self.images.setdefault(address, Attachment(address, "image", alt[:LONGEST_LINK]))


def absolute(address: str, base: str = "") -> str | None:
    """The absolute http(s) form of an address found at `base`; None when it is no such thing."""
    address = "".join(clean(address[: LONGEST_LINK + 1]).split())
    if not address or len(address) > LONGEST_LINK or address.startswith("#"):
        return None
    try:
        joined = urljoin(base, address)
        parts = urlsplit(joined)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # "http://[": not every string is an address
        return None
    return f"{parts.scheme}{joined[len(parts.scheme) :]}" if good else None


# Times.

_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
_LONGEST_TIME = 80

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[Tt\s]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_MONTH_ALONE = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
_BASIC_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_WEEKDAY = re.compile(r"^[^\W\d]+\.?,?\s+(?=\d)|^[^\W\d]+\.?,\s*")
_LEAP_SECOND = re.compile(r":60\b")

# The names of RFC 822 and those that feeds use besides; numbers are hours from UTC.
_ZONES = {"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1} | {
    "CEST": 2,
    "MET": 1,
    "MEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "IST": 5.5,
    "SGT": 8,
    "HKT": 8,
    "AWST": 8,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "AST": -4,
    "ADT": -3,
    "EST": -5,
    "EDT": -4,
    "ET": -5,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "PT": -8,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
}


# Month names of the languages whose feeds translate them, by their English name.
_MONTHS = {
    name: english
    for english, names in {
        "Jan": "januar janvier janv enero ene gennaio gen janeiro januari",
        "Feb": "februar février févr febrero febbraio fevereiro fev februari",
        "Mar": "märz mrz mär mars marzo março maart mrt",
        "Apr": "avril avr abril abr aprile",
        "May": "mai mayo maggio mag maio mei maj",
        "Jun": "juni juin junio giugno giu junho",
        "Jul": "juli juillet juil julio luglio lug julho",
        "Aug": "août aout agosto ago augustus augusti",
        "Sep": "septembre septiembre settembre set setembro",
        "Oct": "oktober okt octobre octubre ottobre ott outubro out",
        "Nov": "novembre noviembre novembro",
        "Dec": "dezember dez décembre déc diciembre dic dicembre dezembro",
    }.items()
    for name in names.split()
}
_WORD = re.compile(r"[^\W\d_]+")
_DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 2))  # noqa: DTZ001 filled in, never kept


def _from_epoch(value: float) -> datetime | None:
    """Seconds since 1970, or a thousandth, millionth or billionth of them, told by their size."""
    for unit in (1, 1e3, 1e6, 1e9):
        if abs(value) < 1e11 * unit:
            try:
                return datetime.fromtimestamp(value / unit, UTC)
            except (OverflowError, ValueError, OSError):
                return None
    return None


def _from_text(value: str | None, naive: tzinfo) -> datetime | None:
    text = clean((value or "")[: _LONGEST_TIME + 1])
    if not text or len(text) > _LONGEST_TIME or "-000" in text:
        return None
    readers: tuple[Callable[[str, tzinfo], datetime | None], ...]
    readers = (_rfc_3339, _number, _month_alone, _loose)
    try:
        found = next((time for read in readers if (time := read(text, naive))), None)
        return found.astimezone(UTC) if found else None
    except (ValueError, OverflowError):  # the 31st of February, the year 99999
        return None


def _rfc_3339(text: str, naive: tzinfo) -> datetime | None:
    match = _RFC_3339.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups(default="")
    return (
        datetime(int(year), int(month), int(day), tzinfo=_zone(zone) or naive)
        + timedelta(
            hours=int(hour or 0),
            minutes=int(minute or 0),
            seconds=min(int(second or 0), 59),  # a leap second
            microseconds=int(fraction[:6].ljust(6, "0")),
        )
    )


def _zone(text: str) -> tzinfo | None:
    if not text or text in "Zz":
        return UTC if text else None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _number(text: str, naive: tzinfo) -> datetime | None:
    """Epoch time written as text, or a date without dashes."""
    date = _BASIC_DATE.fullmatch(text)
    if date and text.startswith(("19", "20")):
        year, month, day = map(int, date.groups())
        return datetime(year, month, day, tzinfo=naive)
    long_enough = len(text.partition(".")[0]) >= 9
    return _from_epoch(float(text)) if long_enough and _NUMBER.fullmatch(text) else None


def _month_alone(text: str, naive: tzinfo) -> datetime | None:
    match = _MONTH_ALONE.fullmatch(text)
    return datetime(int(match[1]), int(match[2] or 1), 1, tzinfo=naive) if match else None


def _loose(text: str, naive: tzinfo) -> datetime | None:
    """RFC 822 and everything else that names a year, a month and a day."""
    text = _LEAP_SECOND.sub(":59", _WEEKDAY.sub("", text))
    text = _WORD.sub(lambda word: _MONTHS.get(word[0].lower(), word[0]), text)
    first: datetime
    second: datetime
    try:
        first, second = (parse(text, default=each, tzinfos=_named_zone) for each in _DEFAULTS)
    except (ParserError, ValueError, OverflowError, TypeError):
        return None
    if first != second:  # the default filled something in: this names no day
        return None
    return first if first.tzinfo else first.replace(tzinfo=naive)


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    hours = _ZONES.get((name or "").upper())
    return None if hours is None else timezone(timedelta(hours=hours))
