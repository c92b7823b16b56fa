"""A town whose people all complain in words of their own, and what a listener must make of it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web
from typing_extensions import override

from listener.domain.mention import FRESH
from tests.connectors.fediverse import OtherTown, Town
from tests.connectors.place import Published

SYLLABLES = [one + other for one in "bdfghklmnprstvz" for other in "aeiou"]
INSTANT = timedelta(milliseconds=1)
EARLIER = timedelta(hours=2)  # fresh, and older than the lag that every walk reads again
LATE = timedelta(days=3)  # within the week that a new source reads back, and no longer fresh
HAPPY, OTHERS = 5, 7  # every so manieth post praises, or speaks of something else


@dataclass(frozen=True, slots=True)
class Said:
    """One published post, and what must become of it."""

    id: str
    place: str  # the address of the server it was published on
    at: datetime
    names_us: bool = True
    complains: bool | None = None  # None leaves it to the classifier
    late: bool = False


class Crowd(Town):
    """Mastodon, where posts are published now and no two say the same."""

    page: ClassVar[int] = 40

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._seed = seed
        self.now = datetime.now(UTC)
        self.told_desk: list[str] = []  # the ids of the notices that its desk received

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [*super().routes(), web.post("/desk", self.desk)]

    def speak(self, count: int = 1) -> None:
        """Let people post now."""
        self.now = max(self.now, datetime.now(UTC))
        self.insert(count, apart=INSTANT)

    def have_spoken(self, count: int, ago: timedelta) -> None:
        """Let lists show posts from then. What is older than the lag is read only once."""
        self.now = max(self.now, datetime.now(UTC))
        for number in range(count):
            self.insert(at=self.now - ago + number * INSTANT)

    def said(self) -> list[Said]:
        """Everything published so far."""
        return [
            Said(
                id=self.uri(post),
                place=self.url,
                at=post.at,
                names_us=bool(post.number % OTHERS),
                complains=self.complains(post.number),
                late=post.at < self.now - FRESH,
            )
            for post in self.listed()
        ]

    @override
    def status(self, post: Published) -> dict[str, Any]:
        return super().status(post) | {"content": f"<p>{self.words(post.number)}</p>"}

    def complains(self, number: int) -> bool:
        """Whether that post is a complaint."""
        return bool(number % HAPPY)

    def words(self, number: int) -> str:
        """A text that is like no other."""
        lot = chance(f"{self._seed} {number}")
        rare = " ".join("".join(lot.choices(SYLLABLES, k=3)) for _ in range(14))
        about = "fish" if number % OTHERS else "weather"
        bad = self.complains(number)
        mood = "awful, terrible, the worst" if bad else "lovely, excellent, perfect"
        return f"The {about} was {mood}: {rare}."

    async def desk(self, request: web.Request) -> web.Response:
        """Where the listener's notices go."""
        self.told_desk.append(request.headers["webhook-id"])
        return web.Response()


class OtherCrowd(OtherTown, Crowd):
    """The same on a server whose ids are no numbers, so that it is read from the top."""


def chance(seed: int | str) -> random.Random:
    """Chance that can be had again."""
    return random.Random(seed)  # noqa: S311 (decides what is said and when, guards nothing)
