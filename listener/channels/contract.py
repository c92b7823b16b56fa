"""What a channel promises: it tells somebody, or says why it could not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from listener.domain.alarm import Sort
from listener.domain.case import Status
from listener.domain.crisis import Told
from listener.domain.event import What
from listener.domain.notice import News


class Undelivered(Exception):
    """The notice did not arrive; it will be tried again. The message holds no post text.

    `lasting` is what no waiting mends: somebody has to do something first.
    """

    lasting = False


class NotNow(Exception):
    """The channel wants a moment before it is spoken to again; nothing failed."""

    def __init__(self, wait: timedelta = timedelta(seconds=1)) -> None:
        super().__init__("The channel wants a moment before it is spoken to again.")
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a notice tells, the same for every channel. `id` is the same at every try."""

    id: str
    news: News
    what: What
    at: datetime
    case_id: int
    brand: str
    status: Status
    urgent: bool
    unsure: bool
    priority: int
    reasons: tuple[str, ...]
    due_at: datetime | None
    owner: str | None
    mentions: int
    outcome: str | None
    connector: str = ""
    source: str = ""
    author: str = ""
    stars: float | None = None
    quote: str = ""
    url: str = ""
    marks: tuple[tuple[int, int], ...] = ()  # where the quote names the brand
    reach: int | None = None
    gone: bool = False  # its author has deleted the post that is quoted
    opened_at: datetime | None = None
    taken_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    snoozed_until: datetime | None = None
    why: str = ""  # why this person is told, where it is one person


class Channel(Protocol):
    """A way out of the house."""

    async def send(self, telling: Telling) -> str | None:
        """Tell it, or raise Undelivered; a sentence where it reached some and not others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of telling several things at once, by id; of what is in neither, nothing yet."""

    told: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)  # and why
    wait: timedelta = timedelta(seconds=1)  # before the rest is told


@runtime_checkable
class Gathering(Channel, Protocol):
    """A way out that is told of many things at once, and decides how many messages they are."""

    async def gather(self, tellings: Sequence[Telling]) -> Outcome:
        """Tell what may be told now; NotNow when that is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What an alarm tells, the same for every channel. `id` is the same at every try."""

    id: str
    alarm_id: int
    brand: str
    source: str
    sort: Sort
    over: bool
    since: datetime
    at: datetime
    sentence: str
    count: int
    theme: str = ""  # what it is about, or what explains most of it
    theme_id: int | None = None
    passed_on: int = 0  # posts, or people, that only pass on what others wrote
    usual: tuple[int, int] | None  # what so long a time brings nineteen times in twenty
    quotes: tuple[tuple[str, str], ...] = ()  # up to three posts: their words and addresses
    who: str = ""  # who sees to it
    chart: tuple[tuple[float, float], ...] = ()  # the day before: how many came, are usual
    raised_at: datetime | None = None
    call: int = 0  # which call it is, where one person is called
    why: str = ""  # and why they are


@runtime_checkable
class Ringing(Channel, Protocol):
    """A way out that also tells of alarms."""

    async def ring(self, warned: Warned) -> None:
        """Tell it, or raise Undelivered; NotNow when it wants a moment before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What is told of a crisis, the same for every channel. `id` is the same at every try."""

    id: str
    crisis_id: int
    told: Told
    brand: str
    name: str
    at: datetime
    sentence: str
    text: str = ""  # what an update says, in our own people's words
    who: str = ""
    lead: str = ""
    unclosed: int = 0  # cases


@runtime_checkable
class Announcing(Channel, Protocol):
    """A way out that also tells how a crisis goes on."""

    async def announce(self, announced: Announced) -> None:
        """Tell it, or raise Undelivered; NotNow when it wants a moment before."""
