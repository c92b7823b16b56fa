"""The lookout: what one look at a brand finds in what was said of it lately."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from listener.domain import watch
from listener.domain.alarm import RISE, SOON, Alarm, Sort, about_theme
from listener.domain.likeness import Words, passing_on
from listener.domain.report import examples
from listener.domain.theme import LOOKED_THROUGH, WINDOW
from listener.domain.watch import BACK, WEEK, WEEKS, Baseline, Counts

MONDAY: Final = 72  # hours from Monday to the Thursday on which 1970 began
HOURS: Final = WEEK * WEEKS
LOOK_BACK: Final = timedelta(minutes=BACK)
QUARTER: Final = 15  # minutes that one bar of a chart stands for
MOSTLY: Final = 0.5  # of what is more than usual: a theme with so much of it is the cause
A_FEW: Final = 3  # posts of a theme that can be a cause


@dataclass(frozen=True, slots=True)
class Said:
    """A mention, as far as counting needs to know it. `by` is known of those that have a theme."""

    id: int
    brand_id: int
    source_id: int
    at: datetime
    complains: bool
    theme: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise, and the numbers of all that it is made of, in order."""

    alarm: Alarm
    posts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Hour:
    """How many mentions of a brand a source brought in one hour, counted from 1970."""

    brand_id: int
    source_id: int
    hour: int
    mentions: int
    complaints: int


@dataclass(frozen=True, slots=True)
class Shared:
    """A theme of a brand: when it was found, and how many complaints each hour brought of it."""

    theme: int
    brand_id: int
    found_at: datetime
    hours: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is usual for a brand, a row a series.

    Complaints by source, mentions by source, complaints of all, mentions of all, then complaints
    by theme.
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
    def themed(self) -> int:
        """The first row of a theme."""
        return self.complaints + 2

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
        return not len(self.sources) <= row < self.complaints and row != self.mentions

    def limits(self) -> Counts:
        """The evidence that makes a rise, by row: the more rows, the more it takes."""
        many = self.complaints + len(self.themes)
        whole, part = watch.threshold(2, many)
        limits = np.full(self.rows, part)
        limits[[self.complaints, self.mentions]] = whole
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
    flat: Counts = np.zeros((every + 2 + len(themes), HOURS))
    for one in hours:
        row, at = place[one.source_id], one.hour - first
        flat[row, at] += one.complaints
        flat[many + row, at] += one.mentions
    flat[every], flat[every + 1] = flat[:many].sum(0), flat[many:every].sum(0)
    seen: Counts = np.ones_like(flat)
    for row in range(many + 1):
        whole = flat[many + row] if row < many else flat[every + 1]
        begun = _begun(whole)
        for same in (row, many + row) if row < many else (every, every + 1):
            seen[same, :begun] = 0
    for row, shared in enumerate(themes, start=every + 2):
        for hour, complaints in shared.hours.items():
            if 0 <= hour - first < HOURS:
                flat[row, hour - first] = complaints
        looked = _looked_from(flat[every], hour_of(shared.found_at) - first)
        seen[row, : max(min(_begun(flat[row]), looked), _begun(flat[every + 1]))] = 0
        # A theme is found because it is said: what it is measured by must not be the same posts.
        seen[row, HOURS - hours_of(LOOK_BACK) :] = 0
    for span in calm_but:
        seen[:, max(span.start - first, 0) : max(span.stop - first, 0)] = 0
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


@dataclass(frozen=True, slots=True)
class Day:
    """What a brand's last day brought, minute by minute, one row a series; what is usual.

    `blank` are the first minutes, of which an alarm has told that is over: they count for nothing.
    """

    outlook: Outlook
    start: datetime
    counts: Counts
    factor: Counts
    blank: int = 0

    def usual(self, rows: Sequence[int]) -> Counts:
        """Posts to be expected in each minute."""
        found = self.outlook.baseline.over(_of_week(self.start), BACK, rows) * self.factor
        found[:, : self.blank] = 0
        return found

    def told_by(self, rows: Sequence[int]) -> dict[int, float]:
        """How far each of these series is beyond chance: from 1 on it rings."""
        limits = self.outlook.limits()
        # With fewer posts there is no rise: most series of most days need not be reckoned.
        rows = [row for row in rows if self.counts[row].sum() >= watch.FEWEST]
        rows = [row for row in rows if np.isfinite(limits[row])]
        if not rows:
            return {}
        clumps = self.outlook.baseline.clumps[rows]
        strength = watch.rises(self.counts[rows], self.usual(rows), clumps)[:, -1]
        return {row: float(one) for row, one in zip(rows, strength / limits[rows], strict=True)}


def look(
    outlook: Outlook,
    said: Sequence[Said],
    now: datetime,
    *,
    over: datetime | None = None,
    rising: Alarm | None = None,
    told: Set[int] = frozenset(),
) -> list[Rise]:
    """What rises beyond what chance may do: themes, and the brand by what these do not explain.

    `over` is when the brand's last rise was over and `rising` the one that is not; `told` are
    mentions of which other alarms tell: one fire is one alarm. A rise that stands learns its cause.
    """
    now = _minute(now)
    day = _day(outlook, said, now, told=told, over=over)
    if rising is not None and rising.theme_id is None:
        rising.theme_id = cause(day, rising, said)
    found = []
    beyond = day.told_by(range(outlook.themed, outlook.rows))
    for row in sorted(beyond, key=lambda row: (-beyond[row], row)):
        theme = outlook.themes[row - outlook.themed]
        if beyond[row] < 1 or (rising is not None and rising.theme_id == theme):
            continue
        rise = _rise(day, row, [one for one in said if one.id not in told], now)
        if rise is not None and _people(rise, said) >= watch.FEWEST:
            found.append(rise)
    if rising is not None:
        return found
    explained = told | {number for rise in found for number in rise.posts}
    if found:
        day = _day(outlook, said, now, told=explained, over=over)
    beyond = day.told_by(range(outlook.themed))
    ringing = {row: much for row, much in beyond.items() if much >= 1}
    # Where both rise, complaints are what matters.
    complaints = {row: much for row, much in ringing.items() if outlook.complains(row)}
    if not ringing:
        return found
    best = complaints or ringing
    row = max(best, key=lambda row: (best[row], -row))
    rise = _rise(day, row, [one for one in said if one.id not in explained], now)
    if rise is not None:
        rise.alarm.theme_id = cause(day, rise.alarm, said)
        found.append(rise)
    return found


def _people(rise: Rise, said: Sequence[Said]) -> int:
    """How many people a rise of a theme is made of: one who says it often is no rise."""
    posts = set(rise.posts)
    return len({one.by for one in said if one.id in posts})


def _rise(day: Day, row: int, said: Sequence[Said], now: datetime) -> Rise | None:
    """The rise that one series shows."""
    outlook = day.outlook
    counts, [expected] = day.counts[row], day.usual([row])
    clumps = float(outlook.baseline.clumps[row])
    begun = watch.began(counts, expected, clumps)
    many_posts = int(counts[begun:].sum())
    if many_posts < watch.FEWEST:
        return None
    usual = float(expected[begun:].sum())
    low, high = watch.expected_range(usual, clumps)
    theme = outlook.themes[row - outlook.themed] if row >= outlook.themed else None
    source = outlook.sources[row % len(outlook.sources)] if row < outlook.complaints else None
    alarm = Alarm(
        brand_id=outlook.brand_id,
        about=RISE if theme is None else about_theme(theme),
        sort=Sort.COMPLAINTS if outlook.complains(row) else Sort.MENTIONS,
        source_id=source,
        theme_id=theme,
        since=day.start + timedelta(minutes=begun),
        raised_at=now,
        count=many_posts,
        expected=usual,
        low=low,
        high=high,
        chart=_chart(counts, expected),
    )
    return Rise(alarm, posts(alarm, said, now))


def cause(day: Day, alarm: Alarm, said: Sequence[Said]) -> int | None:
    """The theme that explains most of the complaints that are more than usual, if one does."""
    outlook = day.outlook
    row = outlook.complaints
    if alarm.source_id in outlook.sources:
        row = outlook.sources.index(alarm.source_id)
    begun = max(int((alarm.since - day.start).total_seconds() // 60), 0)
    complaints = [
        one
        for one in said
        if one.complains
        and one.at >= alarm.since
        and (alarm.source_id is None or one.source_id == alarm.source_id)
    ]
    rows = [row, *range(outlook.themed, outlook.rows)]
    usual = dict(zip(rows, day.usual(rows)[:, begun:].sum(1), strict=True))
    more = len(complaints) - usual[row]
    found = {}
    for place, theme in enumerate(outlook.themes, start=outlook.themed):
        many = sum(one.theme == theme for one in complaints)
        if many >= A_FEW and many - usual[place] >= MOSTLY * more:
            found[theme] = many - usual[place]
    return max(found, key=lambda theme: (found[theme], -theme)) if found and more > 0 else None


def posts(alarm: Alarm, said: Sequence[Said], now: datetime) -> list[int]:
    """The numbers of what a rise is made of, in order, as far back as a look goes."""
    now = _minute(now)
    return [
        one.id
        for one in said
        if alarm.since <= one.at < now
        and (alarm.source_id is None or one.source_id == alarm.source_id)
        and (one.complains or alarm.sort is Sort.MENTIONS)
        and (not alarm.is_of_theme or one.theme == alarm.theme_id)
    ]


def own_words(alarm: Alarm, said: Sequence[Words]) -> None:
    """Note how many of what a rise is made of only pass on, and quote those who tell it themselves."""
    repeated = passing_on(said)
    alarm.passed_on = len(repeated)
    alarm.mentions = examples([one for one in said if one.mention_id not in repeated])


def still(alarm: Alarm, outlook: Outlook, said: Sequence[Said], now: datetime) -> bool:
    """Whether a rise goes on: the last hour brings more than is usual. It is brought up to date."""
    now = _minute(now)
    row = outlook.row(alarm)
    if row is None:
        return False
    day = _day(outlook, said, now)
    counts, [expected] = day.counts[row], day.usual([row])
    clumps = float(outlook.baseline.clumps[row])
    begun = max(int((alarm.since - day.start).total_seconds() // 60), 0)
    alarm.chart = _chart(counts, expected)
    if alarm.since >= day.start:
        alarm.count = int(counts[begun:].sum())
        alarm.expected = float(expected[begun:].sum())
        alarm.low, alarm.high = watch.expected_range(alarm.expected, clumps)
    _, high = watch.expected_range(float(expected[-60:].sum()), clumps)
    return now - alarm.raised_at < SOON or int(counts[-60:].sum()) > high


def silences(outlook: Outlook, last: Mapping[int, datetime], now: datetime) -> list[Alarm]:
    """The sources that should have spoken, and since when they do not; `last` when each did."""
    now = _minute(now)
    found = []
    many = len(outlook.sources)
    level = watch.silence(many)
    for place, source in enumerate(outlook.sources):
        row = many + place
        if source not in last or outlook.baseline.hours[row] < 2 * watch.YOUNG:
            continue
        since = _minute(last[source])
        minutes = min(int((now - since).total_seconds() // 60), 7 * 24 * 60)
        if minutes <= 0:
            continue
        expected = float(
            outlook.baseline.over(_of_week(now - timedelta(minutes=minutes)), minutes)[row].sum()
        )
        if watch.quiet(expected, float(outlook.baseline.clumps[row])) < level:
            continue
        found.append(
            Alarm(
                brand_id=outlook.brand_id,
                about=f"silence {source}",
                sort=Sort.SILENCE,
                source_id=source,
                since=since,
                raised_at=now,
                expected=expected,
            )
        )
    return found


def _day(
    outlook: Outlook,
    said: Sequence[Said],
    now: datetime,
    *,
    told: Set[int] = frozenset(),
    over: datetime | None = None,
) -> Day:
    """The day before now; what is `told` is left out, and all that was before an alarm's end."""
    start = now - LOOK_BACK
    many = len(outlook.sources)
    place = {source: row for row, source in enumerate(outlook.sources)}
    themed = {theme: row for row, theme in enumerate(outlook.themes, start=outlook.themed)}
    counts: Counts = np.zeros((outlook.rows, BACK))
    every: Counts = np.zeros(BACK)
    for one in said:
        minute = int((one.at - start).total_seconds() // 60)
        if not 0 <= minute < BACK:
            continue
        every[minute] += 1
        if one.id in told:
            continue
        row = place.get(one.source_id)
        if row is not None:
            counts[many + row, minute] += 1
            counts[row, minute] += one.complains
        counts[outlook.mentions, minute] += 1
        counts[outlook.complaints, minute] += one.complains
        if one.theme in themed:
            counts[themed[one.theme], minute] += one.complains
    blank = 0
    if over is not None and over > start:  # what an alarm has told is not told again
        blank = min(int((over - start).total_seconds() // 60), BACK)
        counts[:, :blank] = 0
    [usual] = outlook.baseline.over(_of_week(start), BACK, [outlook.mentions])
    # What kind of day it is, is told by all that was said.
    return Day(outlook, start, counts, watch.today(every, usual), blank)


def _chart(counts: Counts, expected: Counts) -> list[Any]:
    bars = counts.reshape(-1, QUARTER).sum(1), expected.reshape(-1, QUARTER).sum(1)
    return [[int(count), round(float(usual), 2)] for count, usual in zip(*bars, strict=True)]


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _of_week(moment: datetime) -> int:
    return (int(moment.timestamp()) // 60 + MONDAY * 60) % (WEEK * 60)
