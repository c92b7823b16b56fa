"""Whether everything is heard: what the strip above the queue says of the sources."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from listener.store import mentions, sources
from listener.store.session import AsyncSession
from listener.web import pages

RECENTLY: Final = timedelta(minutes=3)
FRESH: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Silent:
    """A source that does not answer."""

    name: str
    since: datetime


@dataclass
class Hearing:
    """Remembers for a second what everybody's pages say alike."""

    kept: tuple[datetime, dict[str, Any]] | None = field(default=None)

    async def heard(self, session: AsyncSession, moment: datetime) -> dict[str, Any]:
        """Whether everything is heard, as it was a second ago at most."""
        if self.kept is None or abs(moment - self.kept[0]) >= FRESH:
            self.kept = moment, await heard(session, moment)
        return self.kept[1]


async def heard(session: AsyncSession, moment: datetime) -> dict[str, Any]:
    """Whether everything is heard: how many sources, which are silent, how fresh the rest is."""
    how = await sources.readings(session)
    active = [source for source in await sources.every(session) if source.active]
    failing: Sequence[Silent] = [
        Silent(source.name, reading.failing_since)
        for source in active
        if (reading := how.get(source.key)) is not None and reading.failing_since is not None
    ]
    reads = [
        reading.read_at
        for source in active
        if (reading := how.get(source.key)) is not None and reading.read_at is not None
    ]
    fresh = [read for read in reads if moment - read <= RECENTLY]
    oldest = min(reads, default=moment)
    everything = len(fresh) == len(active)
    return {
        "sources": len(active),
        "failing": failing,
        "checked": len(fresh) if everything else len(reads),
        "within": pages.span(RECENTLY if everything else moment - oldest),
        "waiting": await mentions.waiting(session),
    }
