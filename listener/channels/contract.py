"""What a channel promises: it tells somebody, or says why it could not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from listener.domain.case import Status
from listener.domain.event import What
from listener.domain.notice import News


class Undelivered(Exception):
    """The notice did not arrive; it will be tried again. The message holds no post text."""


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


class Channel(Protocol):
    """A way out of the house."""

    async def send(self, telling: Telling) -> None:
        """Tell it, or raise Undelivered."""
