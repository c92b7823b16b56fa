"""The outlook: what is usual for a brand, learnt from the hours of its last weeks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np

from listener.domain import watch
from listener.domain.alarm import Alarm, Sort
from listener.domain.theme import LOOKED_THROUGH, WINDOW
from listener.domain.watch import BACK, WEEK, WEEKS, Baseline, Counts

MONDAY: Final = 72  # hours from Monday to the Thursday on which 1970 began
HOURS: Final = WEEK * WEEKS
LOOK_BACK: Final = timedelta(minutes=BACK)


@dataclass(frozen=True, slots=True)
class Hour:
    """How many mentions of a brand a source brought in one hour, counted from 1970.

    `opening` are the mentions that answer nothing.
    """

    brand_id: int
    source_id: int
    hour: int
    mentions: int
    complaints: int
    opening: int


@dataclass(frozen=True, slots=True)
class Shared:
    """A theme of a brand: when it was found, and how many complaints each hour brought of it."""

    theme: int
    brand_id: int
    found_at: datetime
    hours: Mapping[int, int]


@dataclass(frozen=True)
class Outlook:
    """What is usual for a brand, a row a series.

    Complaints by source, mentions by source, complaints of all, mentions of all, those of all that
    open a conversation, then complaints by theme. Where one post brings answers, what opens
    conversations is not carried along by them: there it tells sooner that more is said.
    """

    brand_id: int
    sources: tuple[int, ...]
    baseline: Baseline
    themes: tuple[int, ...] = ()

    @property
    def complaints(self) -> int:
        """The row of all complaints."""
        return 2 * len(self.sources)

    @property
    def mentions(self) -> int:
        """The row of all mentions."""
        return self.complaints + 1

    @property
    def opening(self) -> int:
        """The row of the mentions that open a conversation."""
        return self.complaints + 2

    @property
    def wholes(self) -> tuple[int, int, int]:
        """The rows of the whole brand."""
        return self.complaints, self.mentions, self.opening

    @property
    def themed(self) -> int:
        """The first row of a theme."""
        return self.complaints + 3

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.themed + len(self.themes)

    def row(self, alarm: Alarm) -> int | None:
        """The row that a rise is told by; None where it is watched no more."""
        if alarm.is_of_theme:
            known = alarm.theme_id in self.themes
            return self.themed + self.themes.index(alarm.theme_id or 0) if known else None
        complains = alarm.sort is Sort.COMPLAINTS
        if alarm.source_id is None:
            return self.complaints if complains else self.mentions
        if alarm.source_id not in self.sources:
            return None
        return self.sources.index(alarm.source_id) + (0 if complains else len(self.sources))

    def complains(self, row: int) -> bool:
        """Whether a row is of complaints."""
        return not (
            len(self.sources) <= row < self.complaints or row in (self.mentions, self.opening)
        )

    @cached_property
    def limits(self) -> Counts:
        """The evidence that makes a rise, by row: the more rows, the more it takes."""
        limits = watch.limits(self.baseline, self.wholes)
        young = np.full(self.rows, watch.YOUNG)
        if self.baseline.hours[self.complaints] >= watch.YOUNG:  # else no theme is known well
            young[self.themed :] = watch.YOUNG_THEME
        return np.where(self.baseline.hours < young, np.inf, limits)


def hour_of(moment: datetime) -> int:
    """The hour, counted from 1970."""
    return int(moment.timestamp()) // 3600


def learn(
    brand_id: int,
    hours: Iterable[Hour],
    until: datetime,
    calm_but: Collection[range] = (),
    themes: Sequence[Shared] = (),
) -> Outlook:
    """What is usual for a brand, from its hours before this one, but those of alarms.

    A source counts from its first mention on, a theme from where it was first looked for.
    """
    first = hour_of(until) - HOURS
    hours = [one for one in hours if 0 <= one.hour - first < HOURS]
    sources = tuple(sorted({one.source_id for one in hours}))
    place = {source: row for row, source in enumerate(sources)}
    many, every = len(sources), 2 * len(sources)
    flat: Counts = np.zeros((every + 3 + len(themes), HOURS))
    for one in hours:
        row, at = place[one.source_id], one.hour - first
        flat[row, at] += one.complaints
        flat[many + row, at] += one.mentions
        flat[every + 2, at] += one.opening
    flat[every], flat[every + 1] = flat[:many].sum(0), flat[many:every].sum(0)
    seen: Counts = np.ones_like(flat)
    for row in range(many + 1):
        whole = flat[many + row] if row < many else flat[every + 1]
        begun = _begun(whole)
        for same in (row, many + row) if row < many else range(every, every + 3):
            seen[same, :begun] = 0
    for row, shared in enumerate(themes, start=every + 3):
        for hour, complaints in shared.hours.items():
            if 0 <= hour - first < HOURS:
                flat[row, hour - first] = complaints
        looked = _looked_from(flat[every], hour_of(shared.found_at) - first)
        seen[row, : max(min(_begun(flat[row]), looked), _begun(flat[every + 1]))] = 0
        # A theme is found because it is said: what it is measured by must not be the same posts.
        seen[row, HOURS - hours_of(LOOK_BACK) :] = 0
    loud = np.zeros(HOURS, dtype=bool)
    for span in calm_but:
        loud[max(span.start - first, 0) : max(span.stop - first, 0)] = True
    seen *= watch.calm(loud.reshape(WEEKS, WEEK)).reshape(-1)
    turn = (first + MONDAY) % WEEK  # so that every week begins on Monday
    shape = (len(flat), WEEKS, WEEK)
    return Outlook(
        brand_id,
        sources,
        watch.fit(
            np.roll(flat.reshape(shape), turn, axis=2), np.roll(seen.reshape(shape), turn, axis=2)
        ),
        tuple(one.theme for one in themes),
    )


def _begun(counts: Counts) -> int:
    """The first hour with something in it; behind the last where there is none."""
    return int(np.flatnonzero(counts)[0]) if counts.any() else HOURS


def _looked_from(complaints: Counts, found: int) -> int:
    """From which hour on a theme that was found in an hour had been looked for.

    Before that nobody knows whether it was said: to count it as silence would make every theme
    of a busy brand a rise on the day on which it is found.
    """
    found = min(max(found, 0), HOURS)
    before = np.cumsum(complaints[:found][::-1])
    most = int(np.searchsorted(before, LOOKED_THROUGH))
    return found - min(most, hours_of(WINDOW), found)


def hours_of(time: timedelta) -> int:
    """A length of time in hours."""
    return int(time / timedelta(hours=1))
