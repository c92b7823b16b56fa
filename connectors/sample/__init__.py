"""The sample: an invented grocer's posts, told again from the moment a demo began."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, model_validator
from typing_extensions import override

from connectors.kit.contract import (
    Author,
    Change,
    Connector,
    Health,
    Kind,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Rating,
    Span,
    State,
    Web,
)

Part = Literal["reviews", "feed", "news"]

PAGE = 25  # happenings on a page


class Sample(Connector):
    """Posts about Tarnby, a grocer that does not exist: four weeks of them, then two live minutes.

    The times in the story are told relative to `began`. An edit appears as an update of its
    post and a deletion as an id that is gone, each when its time has come. The cursor is the
    moment up to which the story was read. Nothing here asks the network.
    """

    title: ClassVar = "Sample"
    docs: ClassVar = "https://tarnby.example/about-these-posts"
    pace: ClassVar = Pace(requests=600, per=timedelta(minutes=1))
    order: ClassVar = Order.OLDEST_FIRST
    lag: ClassVar = timedelta(0)

    began: AwareDatetime = Field(description="When the demo began, with its time zone")
    part: Part | None = Field(
        None, description="Read only the reviews, the feed or the news; empty reads all three"
    )

    @override
    async def check(self, web: Web) -> Health:
        told = await asyncio.to_thread(self._lives)
        live = sum(life.line.live is not None for life in told)
        return Health(
            well=True,
            says=f"{len(told) - live} invented posts are ready to read, and {live} more appear "
            f"in the two minutes after {self.began:%Y-%m-%d %H:%M %Z}.",
        )

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Yield what happened since the cursor, oldest first, up to `known.now`."""
        now = known.now
        read_to = _moment(cursor)
        if read_to is not None and now < read_to:  # a clock was set back: nothing to prove
            yield Page(cursor=cursor)
            return
        due = [
            happening
            for happening in await asyncio.to_thread(self._happenings)
            if happening.life.line.when(self.began) >= known.since
            and (read_to is None or happening.when > read_to)
            and happening.when <= now
        ]
        start = known.since if read_to is None else max(read_to, known.since)
        batches = list(_batches(due)) or [[]]
        for batch in batches:
            end = now if batch is batches[-1] else batch[-1].when
            touched = list({happening.life.line.id: happening.life for happening in batch}.values())
            yield Page(
                posts=tuple(
                    life.post(self.began, end) for life in touched if not life.gone(self.began, end)
                ),
                gone=tuple(life.line.id for life in touched if life.gone(self.began, end)),
                cursor=end.isoformat(),
                span=Span(start, end) if start <= end else None,
            )
            start = max(start, end)

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:  # noqa: ARG002 asks nobody
        """Say what has become of each post by now; what is not told yet is not listed."""
        now = self._now()
        told = {life.line.id: life for life in await asyncio.to_thread(self._lives)}
        return [self._change(id_, told.get(id_), now) for id_ in ids]

    def _change(self, id_: str, life: "Life | None", now: datetime) -> Change:
        if life is None or life.line.when(self.began) > now:
            return Change(id_, State.ABSENT)
        if life.gone(self.began, now):
            return Change(id_, State.GONE)
        post = life.post(self.began, now)
        return Change(id_, State.EDITED if post.edited else State.SAME, post)

    def _happenings(self) -> list["Happening"]:
        """Everything that ever happens in this part of the story, oldest first."""
        return sorted(
            (
                Happening(line.when(self.began), life)
                for life in self._lives()
                for line in (life.line, *life.edits, *life.deletions)
            ),
            key=lambda happening: (happening.when, happening.life.line.id),
        )

    def _lives(self) -> list["Life"]:
        return [life for life in lives() if self.part in (None, SITES[life.line.place].part)]

    def _now(self) -> datetime:
        """The time of a recheck, which nobody hands us. Tests stop this clock."""
        return datetime.now(UTC)


class Timed(BaseModel, frozen=True, extra="forbid"):
    """Something that happens before the demo began, or while it runs."""

    ago: float | None = None  # minutes before it began
    live: float | None = None  # seconds after it began

    @model_validator(mode="after")
    def _happens_once(self) -> Self:
        if (self.ago is None) == (self.live is None):
            raise ValueError("a line needs either ago or live")
        return self

    def when(self, began: datetime) -> datetime:
        """The moment it happens in a demo that began at `began`."""
        if self.ago is not None:
            return began - timedelta(minutes=self.ago)
        return began + timedelta(seconds=self.live or 0)


class Expectation(BaseModel, frozen=True, extra="forbid"):
    """What a careful reader would say about a post; `note` names what makes it hard."""

    complaint: bool  # this author complains about Tarnby the grocer
    urgent: bool
    about_us: bool
    note: str = ""


class Writer(BaseModel, frozen=True, extra="forbid"):
    """Who wrote a line."""

    id: str
    name: str
    handle: str = ""
    reach: int | None = None


PlaceName = Literal[
    "Larder Reviews",
    "Pocket Shelf",
    "Towntalk",
    "Kettle Corner",
    "The Barrow Courier",
    "The Crumb Drawer",
]


class Published(Timed, frozen=True):
    """A post appears."""

    id: str
    place: PlaceName
    kind: Kind
    author: Writer
    title: str | None = None
    text: str
    rating: int | None = None  # stars, one to five
    language: str
    in_reply_to: str | None = None
    thread: str | None = None
    branch: str | None = None
    reach: int | None = None
    links: tuple[str, ...] = ()
    expect: Expectation

    def as_post(self, began: datetime, edit: "Edited | None" = None) -> Post:
        """The same in our words, as it stands after `edit`."""
        seen = edit or self
        return Post(
            id=self.id,
            url=f"{SITES[self.place].address}/{LETTERS[self.kind]}/{self.id}",
            kind=self.kind,
            title=seen.title,
            text=seen.text,
            rating=None if seen.rating is None else Rating(seen.rating),
            author=Author(
                id=self.author.id,
                name=self.author.name,
                handle=self.author.handle,
                reach=self.author.reach,
            ),
            language=self.language,
            published=self.when(began),
            edited=edit.when(began) if edit else None,
            in_reply_to=self.in_reply_to,
            thread=self.thread,
            branch=self.branch,
            reach=self.reach,
            links=self.links,
        )


class Edited(Timed, frozen=True):
    """An author changes a post: the whole new title, text and stars."""

    edit_of: str
    title: str | None = None
    text: str
    rating: int | None = None
    expect: Expectation


class Deleted(Timed, frozen=True):
    """A post vanishes."""

    delete: str


@dataclass(frozen=True, slots=True)
class Life:
    """One post with all that happens to it, edits in the order of their times."""

    line: Published
    edits: tuple[Edited, ...] = ()
    deletions: tuple[Deleted, ...] = ()

    def post(self, began: datetime, moment: datetime) -> Post:
        """The post as its place shows it at `moment`."""
        made = [edit for edit in self.edits if edit.when(began) <= moment]
        return self.line.as_post(began, made[-1] if made else None)

    def gone(self, began: datetime, moment: datetime) -> bool:
        """Whether its author has deleted it by `moment`."""
        return any(deletion.when(began) <= moment for deletion in self.deletions)


class Happening(NamedTuple):
    """A moment at which something becomes of a post."""

    when: datetime
    life: Life


class Site(NamedTuple):
    """An invented place: in which part of the demo it is read, where it would live."""

    part: Part
    address: str


SITES: dict[PlaceName, Site] = {
    "Larder Reviews": Site("reviews", "https://larder-reviews.example"),
    "Pocket Shelf": Site("reviews", "https://pocket-shelf.example"),
    "Towntalk": Site("feed", "https://towntalk.example"),
    "Kettle Corner": Site("feed", "https://kettle-corner.example"),
    "The Barrow Courier": Site("news", "https://barrow-courier.example"),
    "The Crumb Drawer": Site("news", "https://crumb-drawer.example"),
}

LETTERS: dict[Kind, str] = {
    Kind.REVIEW: "r",
    Kind.POST: "p",
    Kind.COMMENT: "c",
    Kind.REPLY: "p",
    Kind.ARTICLE: "a",
    Kind.MESSAGE: "m",
}

Line = Published | Edited | Deleted


@cache
def lines() -> tuple[Line, ...]:
    """The story as it is written in posts.jsonl, in the order of the file."""
    shape: TypeAdapter[Line] = TypeAdapter(Line)
    written = files("connectors.sample").joinpath("posts.jsonl").read_text(encoding="utf-8")
    return tuple(shape.validate_json(line) for line in written.splitlines())


@cache
def lives() -> tuple[Life, ...]:
    """Every post of the story with its edits and its deletion."""
    began = datetime.fromtimestamp(0, UTC)  # any moment will do to put edits in order
    edits = sorted(
        (line for line in lines() if isinstance(line, Edited)), key=lambda edit: edit.when(began)
    )
    deletions = [line for line in lines() if isinstance(line, Deleted)]
    return tuple(
        Life(
            line,
            edits=tuple(edit for edit in edits if edit.edit_of == line.id),
            deletions=tuple(deletion for deletion in deletions if deletion.delete == line.id),
        )
        for line in lines()
        if isinstance(line, Published)
    )


def _moment(cursor: str | None) -> datetime | None:
    """The time in a cursor. One that is not ours begins anew: reading twice is safe."""
    try:
        moment = datetime.fromisoformat(cursor or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _batches(due: Sequence[Happening]) -> Iterator[list[Happening]]:
    """Portions of about a page. What happens at one moment stays on one page.

    The cursor is a moment, so a cut within one would lose its second half.
    """
    batch: list[Happening] = []
    for happening in due:
        if len(batch) >= PAGE and happening.when > batch[-1].when:
            yield batch
            batch = []
        batch.append(happening)
    if batch:
        yield batch
