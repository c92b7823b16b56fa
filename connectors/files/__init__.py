"""Posts from a file of the operator's own: a table (CSV), lines of JSON, or an array of it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from connectors.files import rejects
from connectors.files.charset import known as known_charset
from connectors.files.columns import FieldName, Mapped, PresetName, mapped
from connectors.files.layout import Form, Layout, layout
from connectors.files.posts import Reader, looks_day_first
from connectors.files.rows import Row, rows
from connectors.files.standing import HEAD, Standing, opened, standing
from connectors.kit.contract import (
    Connector,
    Health,
    Kind,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Unread,
    Web,
)
from connectors.kit.errors import ConnectorError, Unreadable

PAGE = 500  # rows
OWN_REVIEWS = frozenset({"google-play", "app-store", "trustpilot"})
SETTLED = 10  # seconds without a change, after which nobody is writing the last row any more
RAW = 64_000  # characters of a row that are worth keeping


class Files(Connector, frozen=True, hide_input_in_errors=True):
    """One file, read from its beginning, and on from there when more is appended.

    All of it is read, however old: whoever imports a file wants what is in it. A file that was
    replaced is read anew; rows keep their ids, so that nothing comes twice.
    """

    title: ClassVar = "CSV and JSONL files"
    docs: ClassVar = "https://www.rfc-editor.org/rfc/rfc4180"
    pace: ClassVar = Pace(requests=1, per=timedelta(seconds=1))  # it makes none
    order: ClassVar = Order.NONE
    lag: ClassVar = timedelta(0)

    path: Path = Field(description="The file, on the machine where the listener runs")
    preset: PresetName | None = Field(
        None, description="Which program wrote it; empty goes by the names of its columns"
    )
    fields: dict[str, FieldName] = Field(
        default_factory=dict,
        description='Which column is which field of a post: "Comment" = "text"; in JSON, /a/b leads inside',
    )
    defaults: dict[FieldName, str] = Field(
        default_factory=dict, description="What a field is where the file does not say it"
    )
    name: str = Field(
        "",
        max_length=100,
        pattern=r"^[^\s/]*$",
        description="A short name that keeps its ids apart from other files'; "
        "empty is the preset, or the file's own name",
    )
    kind: Kind | None = Field(None, description="What its rows are; empty is guessed")
    rating_lowest: float = Field(1, description="The worst rating that can be given")
    rating_highest: float = Field(5, description="The best rating that can be given")
    day_first: bool | None = Field(
        None, description="Whether 3/4/2025 is the third of April; empty goes by the first rows"
    )
    zone: str = Field("UTC", description="The time zone of times that do not name one")
    form: Form | None = Field(None, description="Table, lines of JSON or an array; empty looks")
    charset: str | None = Field(None, description="The character set; empty looks")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="What splits its cells; empty looks"
    )
    header: bool = Field(
        True, description="The first row names the columns; without one they are 1, 2, 3"
    )
    rejects: Path | None = Field(
        None, description="Where to keep the rows that cannot be read, as lines of JSON"
    )

    @field_validator("path", "rejects")
    @classmethod
    def _a_whole_path(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_absolute():
            raise ValueError("give the whole path, from the root on")
        return path

    @field_validator("zone")
    @classmethod
    def _a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (LookupError, ValueError, OSError):
            raise ValueError("give a time zone such as Europe/Berlin") from None
        return zone

    @field_validator("charset")
    @classmethod
    def _a_charset(cls, charset: str | None) -> str | None:
        return None if charset is None else known_charset(charset)

    @model_validator(mode="after")
    def _a_scale(self) -> Self:
        if self.rating_lowest >= self.rating_highest:
            raise ValueError("the best rating must be higher than the worst")
        if self.rejects is not None and self.rejects == self.path:
            raise ValueError("the rejects need a file of their own")
        return self

    @property
    @override
    def about_us(self) -> bool:
        """Reviews of one's own app or shop are about nobody else."""
        return self.preset in OWN_REVIEWS

    @property
    @override
    def home(self) -> str:
        return str(self.path)

    @override
    async def check(self, web: Web) -> Health:
        """Say which columns were recognised, and as what: names of columns, never their content."""
        try:
            seen = await asyncio.to_thread(self._look)
        except ConnectorError as error:
            return Health(False, str(error))
        return _health(seen)

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        stand = standing(cursor)
        seen: Seen | None = None
        while True:
            turned = await asyncio.to_thread(self._turn, stand, seen, known.now)
            stand, seen = turned.stand, turned.seen
            if turned.page is not None:
                yield turned.page
            if turned.ended:
                return

    # In a thread.

    def _look(self) -> "Seen":
        with opened(self.path) as file:
            return self._seen(file)

    def _turn(self, stand: Standing | None, seen: "Seen | None", now: datetime) -> "Turned":
        """Read one page of rows from where we stand, if this is still the same file."""
        with opened(self.path) as file:
            if stand is None or not stand.fits(file):
                stand, seen = None, None
            seen = seen or self._seen(file)
            if not (health := _health(seen)).well:
                raise Unreadable(health.says)
            settled = time.time() - os.fstat(file.fileno()).st_mtime > SETTLED
            stand = stand or Standing(offset=seen.how.body, row=seen.how.row)
            found = list(
                islice(rows(file, seen.how, stand.offset, stand.row, settled=settled), PAGE)
            )
            ended = len(found) < PAGE
            if not found:
                return Turned(None, stand, seen, ended=True)
            posts, gone, bad = _read(self._reader(seen, now), found)
            length = self._keep_rejects(bad, stand, file)
            stand = stand.moved(file, offset=found[-1].end, row=found[-1].number, rejects=length)
        page = Page(
            posts=tuple(posts),
            gone=tuple(gone),
            unreadable=tuple(Unread(f"Row {row}: {why}.", raw) for row, why, raw in bad),
            cursor=stand.model_dump_json(),
        )
        return Turned(page, stand, seen, ended=ended)

    def _seen(self, file: BinaryIO) -> "Seen":
        file.seek(0)
        how = layout(
            file.read(HEAD),
            form=self.form,
            told=self.charset,
            delimiter=self.delimiter,
            header=self.header,
        )
        found = mapped(how.columns, self.fields, self.preset, json=how.form != "csv")
        places = [
            how.columns.index(column)
            for column, field in found.columns
            if field == "published" and how.form == "csv"
        ]
        dates = [row[place] for row in how.sample for place in places if place < len(row)]
        day_first = looks_day_first(dates) if self.day_first is None else self.day_first
        return Seen(how, found, day_first)

    def _reader(self, seen: "Seen", now: datetime) -> Reader:
        return Reader(
            how=seen.how,
            mapped=seen.mapped,
            name=self.name or seen.mapped.preset or self.path.stem.replace(" ", "-"),
            defaults=self.defaults,
            lowest=self.rating_lowest,
            highest=self.rating_highest,
            kind=self.kind,
            day_first=bool(seen.day_first),
            zone=ZoneInfo(self.zone),
            now=now,
        )

    def _keep_rejects(
        self, bad: Sequence[tuple[int, str, str]], stand: Standing, file: BinaryIO
    ) -> int:
        if self.rejects is None or not (bad or self.rejects.exists()):
            return stand.rejects
        return rejects.keep(self.rejects, bad, stand.rejects, source=file.fileno())


@dataclass(frozen=True, slots=True)
class Seen:
    """What the beginning of a file told."""

    how: Layout
    mapped: Mapped
    day_first: bool | None  # None: no date leaves it open


@dataclass(frozen=True, slots=True)
class Turned:
    """One page of rows, and where we stand after it."""

    page: Page | None
    stand: Standing
    seen: Seen
    ended: bool


def _read(
    reader: Reader, found: Sequence[Row]
) -> tuple[list[Post], list[str], list[tuple[int, str, str]]]:
    """Posts, ids of deleted ones, and rows that are neither."""
    posts: list[Post] = []
    gone: list[str] = []
    bad: list[tuple[int, str, str]] = []
    for row in found:
        try:
            post, id_ = reader.post(row)
        except ValueError as problem:
            bad.append((row.number, str(problem), reader.how.charset.text(row.raw)[:RAW]))
            continue
        if post is None:
            gone.append(id_)
        else:
            posts.append(post)
    return posts, gone, bad


def _health(seen: Seen) -> Health:
    columns, found = seen.how.columns, seen.mapped.columns
    count = f"{len(columns)} {'column' if len(columns) == 1 else 'columns'}"
    if seen.mapped.missing:
        names = ", ".join(f"“{name}”" for name in seen.mapped.missing)
        return Health(False, f"The option fields names {names}, and no column is called so.")
    if not seen.mapped.enough:
        return Health(
            False,
            f"Of {count}, none was recognised as a text, a title or a rating: say which is, "
            'with the option fields, such as "Comment" = "text".',
        )
    used = ", ".join(f"“{column}” is {field}" for column, field in found)
    left = [column for column in columns if column not in dict(found)]
    rest = f" Not used: {', '.join(left)}." if left else ""
    whose = f" as a file of {seen.mapped.preset}" if seen.mapped.preset else ""
    first = "day" if seen.day_first else "month"
    dates = "" if seen.day_first is None else f" Dates such as 3/4/2025 are read {first} first."
    return Health(True, f"Read{whose}: {count}, {len(found)} recognised: {used}.{rest}{dates}")
