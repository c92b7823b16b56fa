"""Lately: what was said of a brand in the last day, as far as counting needs to know it.

In columns, because a minute's look goes through a hundred thousand mentions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]

NO_THEME: Final = 0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Lately:
    """Mentions of one brand, in order of time and then of their numbers; all columns are as long.

    `at` is in microseconds since 1970. `themes` has NO_THEME where there is none that is watched,
    and `by` says who said it where there is one. `editions` change with the words; `opening` are
    those that answer nothing.
    """

    brand_id: int
    ids: Numbers
    at: Numbers
    sources: Numbers
    complains: Marks
    themes: Numbers
    editions: Numbers
    opening: Marks
    by: Mapping[int, str]

    @classmethod
    def of(cls, brand_id: int, columns: Collection[Numbers], by: Mapping[int, str]) -> Self:
        """From the columns, in any order of their rows; marks as 1 and 0."""
        ids, at, sources, complains, themes, editions, opening = columns
        order = np.lexsort((ids, at))
        return cls(
            brand_id,
            ids[order],
            at[order],
            sources[order],
            complains[order].astype(bool),
            themes[order],
            editions[order],
            opening[order].astype(bool),
            by,
        )

    @classmethod
    def nothing(cls, brand_id: int) -> Self:
        """Of a brand of which nobody spoke."""
        return cls.of(brand_id, [np.zeros(0, dtype=np.int64)] * 7, {})

    def only(self, marks: Marks) -> "Lately":
        """Those that are marked."""
        return Lately(
            self.brand_id,
            self.ids[marks],
            self.at[marks],
            self.sources[marks],
            self.complains[marks],
            self.themes[marks],
            self.editions[marks],
            self.opening[marks],
            self.by,
        )

    def between(self, since: datetime, until: datetime | None = None) -> Marks:
        """Which were said from one moment on, and before another if there is one."""
        marks: Marks = self.at >= instant(since)
        return marks if until is None else marks & (self.at < instant(until))

    def among(self, numbers: Collection[int]) -> Marks:
        """Which of them have one of these numbers."""
        return np.isin(self.ids, np.fromiter(numbers, dtype=np.int64, count=len(numbers)))

    def same_as(self, other: "Lately") -> bool:
        """Whether both count the same of the same mentions, whatever their words."""
        return all(
            np.array_equal(one, another)
            for one, another in (
                (self.ids, other.ids),
                (self.at, other.at),
                (self.sources, other.sources),
                (self.complains, other.complains),
                (self.themes, other.themes),
                (self.opening, other.opening),
            )
        )

    def last(self) -> dict[int, datetime]:
        """When each source last brought something."""
        return {
            int(source): moment(self.at[self.sources == source].max())
            for source in np.unique(self.sources)
        }

    def spoken_of(self) -> list[int]:
        """The themes of which somebody spoke."""
        found: list[int] = np.unique(self.themes[self.themes != NO_THEME]).tolist()
        return found

    def people(self, numbers: Collection[int]) -> int:
        """How many people said these, of which all have a theme."""
        return len({self.by[number] for number in numbers})


def instant(moment: datetime) -> int:
    """A moment in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(instant: Any) -> datetime:
    """The moment so many microseconds after 1970 began."""
    return _EPOCH + int(instant) * _MICROSECOND
