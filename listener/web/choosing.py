"""What filters can be set to, looked up once a minute and not for every page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from listener.store import dossier
from listener.store.dossier import Choices
from listener.store.session import AsyncSession

FRESH: Final = timedelta(minutes=1)
MOST: Final = 200  # different walls; then all are looked up again

Walls = tuple[int, ...] | None


@dataclass(frozen=True)
class Choosing:
    """Remembers the choices within each set of walls: the languages take a look at every case."""

    kept: dict[Walls, tuple[datetime, Choices]] = field(default_factory=dict)

    async def choices(
        self, session: AsyncSession, brands: Sequence[int] | None, moment: datetime
    ) -> Choices:
        """The choices as they were a minute ago at most."""
        walls = None if brands is None else tuple(sorted(brands))
        kept = self.kept.get(walls)
        if kept is not None and abs(moment - kept[0]) < FRESH:
            return kept[1]
        if len(self.kept) >= MOST:
            self.kept.clear()
        found = await dossier.choices(session, brands)
        self.kept[walls] = (moment, found)
        return found
