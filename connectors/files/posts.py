"""Makes a post of a row, or says what is wrong with it without repeating what it says."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from hashlib import blake2b
from html import unescape
from urllib.parse import unquote

import orjson
from pydantic import JsonValue

from connectors.files.columns import PRESETS, Mapped, Preset
from connectors.files.layout import Layout
from connectors.files.rows import Row
from connectors.kit.contract import Author, Kind, Post, Precision, Rating
from connectors.kit.text import absolute, clean, moment, not_after, plain

NO = frozenset({"", "0", "false", "no", "null", "none"})
NOTHING = frozenset({"null", "none", "n/a", "nan"})  # how programs write that a cell is empty
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
NUMBERS = re.compile(r"(-?\d{1,9}(?:[.,]\d{1,9})?)(?: ?(?:/|out of|of|von|sur|de) ?(\d{1,4}))?")
STARS = re.compile(r"(★*)([☆✩]*)")
# 4/3/2025, 04.03.25 13:05, 4-3-2025T13:05Z: day and month in an order that nobody tells.
DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T,]? *(\d.*))?")
DAY = re.compile(r"\d{4}-\d\d?-\d\d?|\d{8}|\d{1,2}([./-])\d{1,2}\1\d{2,4}")
MONTH = re.compile(r"\d{4}(-\d\d)?")
PLAY_ID = re.compile(r"[?&#](?:reviewid|reviewId|revid)=([^&#]+)")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How the rows of one file become posts."""

    how: Layout
    mapped: Mapped
    name: str  # keeps ids apart from those of other files
    defaults: Mapping[str, str]
    lowest: float
    highest: float
    kind: Kind | None
    day_first: bool
    zone: tzinfo
    now: datetime

    def post(self, row: Row) -> tuple[Post | None, str]:
        """The post, or None and the id of one that is deleted. ValueError says what is wrong."""
        if row.problem:
            raise ValueError(row.problem)
        said = self._said(row)
        id_ = f"{self.name}/{self._own_id(said, row)}"
        if said.get("deleted", "").lower() not in NO:
            return None, id_
        return self._post(said, id_), id_

    def _post(self, said: Mapping[str, str], id_: str) -> Post:
        body = plain(said["html"]) if "html" in said else None
        text = said.get("text", "") or (body.text if body else "")
        if self._preset and self._preset.escaped:
            text = unescape(text)
        title, rating = said.get("title", "") or None, self._rating(said)
        if not (text or title or rating):
            raise ValueError("it has no text, no title and no rating")
        published = self._time(said, "published")
        edited = self._time(said, "edited")
        return Post(
            id=id_,
            url=_address(said.get("url")) or "",
            kind=self._kind(said),
            title=title,
            text=text,
            author=self._author(said),
            rating=rating,
            language=self._language(said),
            published=not_after(published, self.now) if published else self.now,
            edited=edited if edited != published else None,
            precision=self._precision(said, published),
            in_reply_to=self._global(said, "in_reply_to"),
            thread=self._global(said, "thread"),
            branch=said.get("branch", "") or None,
            reach=self._reach(said),
            links=body.links if body else (),
            attachments=body.images if body else (),
        )

    # Cells and values.

    @cached_property
    def _preset(self) -> Preset | None:
        return PRESETS[self.mapped.preset] if self.mapped.preset else None

    def _said(self, row: Row) -> dict[str, str]:
        """What the row says, by field; of two columns for one field, the first that says anything."""
        said: dict[str, str] = {}
        for find, field in self._columns:
            if field not in said:
                text = clean(find(row))
                if text and text.lower() not in NOTHING:
                    said[field] = text
        return {**self.defaults, **said} if self.defaults else said

    @cached_property
    def _columns(self) -> list[tuple[Callable[[Row], str], str]]:
        if self.how.form == "csv":
            places = {column: place for place, column in reversed([*enumerate(self.how.columns)])}
            return [(_cell(places[column]), field) for column, field in self.mapped.columns]
        return [(_value(column), field) for column, field in self.mapped.columns]

    def _own_id(self, said: Mapping[str, str], row: Row) -> str:
        """The id that the file gives, else one made of what tells the row from all others."""
        if told := said.get("id"):
            return told
        if self.mapped.preset == "google-play" and (
            link := PLAY_ID.search(unquote(said.get("url", "")))
        ):
            return link[1]
        key = self._preset.key if self._preset else ()
        if "published" in said and (parts := [said.get(name, "") for name in key]):
            return _hashed(repr(parts).encode())
        whole = row.said if row.said is not None else row.cells
        return _hashed(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS))

    def _global(self, said: Mapping[str, str], name: str) -> str | None:
        told = said.get(name, "")
        return f"{self.name}/{told}" if told else None

    # Kinds, people, marks.

    def _kind(self, said: Mapping[str, str]) -> Kind:
        told = said.get("kind", "").lower()
        if told and told not in set(Kind):
            raise ValueError(f"its kind is none of {', '.join(Kind)}")
        if told:
            return Kind(told)
        if self.kind:
            return self.kind
        if self._preset:
            return self._preset.kind
        return Kind.REVIEW if "rating" in self.mapped.fields else Kind.POST

    def _author(self, said: Mapping[str, str]) -> Author:
        handle = said.get("author_handle", "").removeprefix("@")
        play = self.mapped.preset == "google-play"  # the handle is a device, part of the key
        return Author(
            id=said.get("author_id", ""),
            name=said.get("author", ""),
            handle="" if play else handle,
            url=_address(said.get("author_url")),
            ours=self._preset is not None and self._preset.ours,
        )

    def _rating(self, said: Mapping[str, str]) -> Rating | None:
        told = said.get("rating", "")
        if not told:
            return None
        lowest = self._number(said, "rating_lowest", self.lowest)
        highest = self._number(said, "rating_highest", self.highest)
        if (stars := STARS.fullmatch(told)) and told:
            return _on_scale(float(len(stars[1])), lowest, highest)
        found = NUMBERS.match(told)
        if found is None:
            raise ValueError("its rating is no number")
        of = float(found[2]) if found[2] else highest
        return _on_scale(_float(found[1]), lowest, of)

    def _number(self, said: Mapping[str, str], name: str, otherwise: float) -> float:
        told = said.get(name, "")
        if not told:
            return otherwise
        if not (found := NUMBERS.fullmatch(told)):
            raise ValueError(f"its {name} is no number")
        return _float(found[1])

    def _reach(self, said: Mapping[str, str]) -> int | None:
        told = said.get("reach", "")
        return int(told) if told.isdecimal() and len(told) < 16 else None

    def _language(self, said: Mapping[str, str]) -> str | None:
        told = said.get("language", "")
        return told.replace("_", "-") if LANGUAGE.fullmatch(told) else None

    # Times.

    def _time(self, said: Mapping[str, str], name: str) -> datetime | None:
        told = said.get(name, "")
        found = moment(ordered(told, day_first=self.day_first), naive=self.zone) if told else None
        if told and found is None:
            raise ValueError(f"its {name} is no time; write it like 2025-03-04T09:30:00Z")
        return found

    def _precision(self, said: Mapping[str, str], published: datetime | None) -> Precision:
        if published is None:
            return Precision.SEEN
        told = said.get("published", "")
        if MONTH.fullmatch(told):
            return Precision.MONTH
        return Precision.DAY if DAY.fullmatch(told) else Precision.SECOND


def ordered(told: str, *, day_first: bool) -> str:
    """A date of numbers with the year in front; anything else as it is.

    With dots the day comes first everywhere. Where one number cannot be a month, it is the day.
    """
    found = DATE.fullmatch(told)
    if found is None:
        return told
    first, mark, second, year, time = found.groups(default="")
    if day_first or mark == "." or int(first) > 12:
        first, second = second, first
    if int(first) > 12:
        first, second = second, first
    year = year if len(year) == 4 else f"20{year}"
    return f"{year}-{int(first):02}-{int(second):02} {time}".strip()


def looks_day_first(dates: Iterable[str]) -> bool | None:
    """Whether days come first in these dates; None where none of them leaves that open.

    Months come first where nothing shows that they do not.
    """
    found = [date for told in dates if (date := DATE.fullmatch(told.strip())) and date[2] != "."]
    return any(int(date[1]) > 12 for date in found) if found else None


def _cell(place: int) -> Callable[[Row], str]:
    return lambda row: row.cells[place] if place < len(row.cells) else ""


def _value(pointer: str) -> Callable[[Row], str]:
    steps = [
        step.replace("~1", "/").replace("~0", "~")
        for step in (pointer if pointer.startswith("/") else f"/{pointer}").split("/")[1:]
    ]

    def find(row: Row) -> str:
        said: JsonValue = row.said
        for step in steps:
            said = said.get(step) if isinstance(said, dict) else None
        return str(said) if isinstance(said, str | int | float) else ""

    return find


def _address(told: str | None) -> str | None:
    return absolute(told) if told else None


def _on_scale(value: float, lowest: float, highest: float) -> Rating:
    if not lowest <= value <= highest or lowest >= highest:
        raise ValueError(f"its rating is not on the scale of {lowest:g} to {highest:g}")
    return Rating(value, lowest, highest)


def _float(number: str) -> float:
    return float(number.replace(",", "."))


def _hashed(told: bytes) -> str:
    return blake2b(told, digest_size=16).hexdigest()
