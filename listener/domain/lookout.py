"""The lookout: what one look at a brand finds in what was said of it lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np

from listener.domain import watch
from listener.domain.alarm import RISE, SOON, Alarm, Sort, about_theme
from listener.domain.lately import Lately, Marks, Numbers, instant
from listener.domain.likeness import Phrases, passing_on
from listener.domain.outlook import LOOK_BACK, MONDAY, Outlook
from listener.domain.report import examples
from listener.domain.watch import BACK, WEEK, Counts

QUARTER: Final = 15  # minutes that one bar of a chart stands for
MOSTLY: Final = 0.5  # of what is more than usual: a theme with so much of it is the cause
A_FEW: Final = 3  # posts of a theme that can be a cause
_MINUTE: Final = 60_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise, and the numbers of all that it is made of, in order."""

    alarm: Alarm
    posts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Calm:
    """What a look counted where nothing could ring, whatever kind of day it is.

    Before more is said, nothing can: evidence only falls while nobody speaks.
    """

    outlook: Outlook
    counted: Lately
    at: datetime

    def lasts(self, outlook: Outlook, counted: Lately, now: datetime) -> bool:
        """Whether a later look would count the same, but for what is older than a day by then."""
        if outlook is not self.outlook or now < self.at:
            return False
        left = self.counted.between(_minute(now) - LOOK_BACK)
        return self.counted.only(left).same_as(counted)


@dataclass(frozen=True)
class Day:
    """What a brand's last day brought, minute by minute, one row a series; what is usual.

    `every` is all that was said, whoever has told of it. `blank` are the first minutes, of which an
    alarm has told that is over: they count for nothing.
    """

    outlook: Outlook
    start: datetime
    counts: Counts
    every: Counts
    blank: int = 0

    @cached_property
    def factor(self) -> Counts:
        """How much more than usual the day brings: its kind is told by all that was said."""
        return watch.today(self.every, self._at_least([self.outlook.mentions], blank=0)[0])

    def minute(self, moment: datetime) -> int:
        """Which minute of it a moment is; the first where that was before."""
        return max(int((moment - self.start).total_seconds() // 60), 0)

    def usual(self, rows: Sequence[int]) -> Counts:
        """Posts to be expected in each minute."""
        return self._at_least(rows, self.blank) * self.factor

    def _at_least(self, rows: Sequence[int], blank: int) -> Counts:
        """Posts to be expected on any day: of no kind of day are there fewer."""
        found = self.outlook.baseline.over(_of_week(self.start), BACK, rows)
        found[:, :blank] = 0
        return found

    def may_ring(self, rows: Iterable[int]) -> list[int]:
        """Which of these series ring, unless that is the kind of day it is."""
        # With fewer posts there is no rise: most series of most days need not be reckoned.
        limits, many = self.outlook.limits, self.counts.sum(1)
        rows = [row for row in rows if many[row] >= watch.FEWEST and np.isfinite(limits[row])]
        if not rows:
            return []
        clumps = self.outlook.baseline.clumps[rows]
        least = self._at_least(rows, self.blank)
        strength = watch.risen(self.counts[rows], least, clumps)
        return [row for row, one in zip(rows, strength, strict=True) if one >= limits[row]]

    def ring(self, rows: Sequence[int]) -> dict[int, float]:
        """How far each of these series that rings is beyond chance: 1 or more."""
        if not rows:
            return {}
        limits, clumps = self.outlook.limits, self.outlook.baseline.clumps[rows]
        beyond = watch.risen(self.counts[rows], self.usual(rows), clumps) / limits[rows]
        return {row: float(one) for row, one in zip(rows, beyond, strict=True) if one >= 1}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, and whether nothing can ring before more is said."""

    rises: Sequence[Rise]
    calm: bool = False


def look(
    outlook: Outlook,
    said: Lately,
    now: datetime,
    *,
    over: datetime | None = None,
    rising: Alarm | None = None,
    told: Marks | None = None,
) -> Look:
    """What rises beyond what chance may do: themes, and the brand by what these do not explain.

    `over` is when the brand's last rise was over and `rising` the one that is not; `told` are
    mentions of which other alarms tell: one fire is one alarm. A rise that stands learns its cause.
    Where everything is said more often, all themes are: then the brand rings, and no theme does
    but one that rises more than the rest.
    """
    now = _minute(now)
    day = _day(outlook, said, now, told=told, over=over)
    if rising is not None and rising.theme_id is None:
        rising.theme_id = cause(day, rising, said)
    may_ring = day.may_ring(range(outlook.rows))
    if not may_ring:
        return Look([], calm=True)
    found = []
    told = said.among(()) if told is None else told
    fresh = said.only(~told)
    whole = day.ring([row for row in may_ring if row < outlook.themed])
    begun = _begun_at(day, whole) if rising is None else day.minute(rising.since)
    beyond = day.ring([row for row in may_ring if row >= outlook.themed])
    alone: list[int] = []
    for row in sorted(beyond, key=lambda row: (-beyond[row], row)):
        theme = outlook.themes[row - outlook.themed]
        if rising is not None and rising.theme_id == theme:
            continue
        if begun is not None and not _more_than_the_rest(day, row, begun, alone):
            continue
        rise = _rise(day, row, fresh, now)
        # One who says it often is no rise of a theme.
        if rise is not None and fresh.people(rise.posts) >= watch.FEWEST:
            found.append(rise)
            alone.append(row)
    if rising is not None:
        return Look(found)
    if found:
        told = told | said.among([number for rise in found for number in rise.posts])
        fresh = said.only(~told)
        day = _day(outlook, said, now, told=told, over=over)
        whole = day.ring(day.may_ring(range(outlook.themed)))
    while (strongest := _strongest(outlook, whole)) is not None:
        rise = _rise(day, strongest, fresh, now)
        if rise is not None:
            rise.alarm.theme_id = cause(day, rise.alarm, said)
            return Look([*found, rise])
        del whole[strongest]
    return Look(found)


def counted(
    said: Lately, now: datetime, *, over: datetime | None = None, told: Marks | None = None
) -> Lately:
    """What a look counts, of what was said."""
    until = _minute(now)
    start = until - LOOK_BACK
    if over is not None and over > start:
        start += timedelta(minutes=_blank(start, over))
    marks = said.between(start, until)
    return said.only(marks if told is None else marks & ~told)


def _strongest(outlook: Outlook, beyond: Mapping[int, float]) -> int | None:
    """The series of the brand that rings loudest; where both rise, complaints are what matters."""
    best = [row for row in beyond if outlook.complains(row)] or list(beyond)
    return max(best, key=lambda row: (beyond[row], -row)) if best else None


def _begun_at(day: Day, beyond: Mapping[int, float]) -> int | None:
    """In which minute the brand as a whole began to rise; None where it does not."""
    row = _strongest(day.outlook, beyond)
    if row is None:
        return None
    clumps = float(day.outlook.baseline.clumps[row])
    return watch.began(day.counts[row], day.usual([row])[0], clumps)


def _more_than_the_rest(day: Day, row: int, begun: int, alone: Sequence[int]) -> bool:
    """Whether a theme rises also beside what the rest of the brand's complaints do since then.

    `alone` are the rows of themes of which that is known: they are no part of the rest.
    """
    outlook = day.outlook
    apart = [row, *alone]
    usual = day.usual([outlook.complaints, *apart])[:, begun:].sum(1)
    came = day.counts[[outlook.complaints, *apart], begun:].sum(1)
    fold = (came[0] - came[1:].sum()) / max(float(usual[0] - usual[1:].sum()), 1.0)
    expected = day.usual([row])
    expected[:, begun:] *= max(float(fold), 1.0)
    [strength] = watch.risen(day.counts[[row]], expected, outlook.baseline.clumps[[row]])
    return bool(strength >= outlook.limits[row])


def _rise(day: Day, row: int, said: Lately, now: datetime) -> Rise | None:
    """The rise that one series shows; what opens conversations is told of with all that answers."""
    outlook = day.outlook
    counts, [expected] = day.counts[row], day.usual([row])
    clumps = float(outlook.baseline.clumps[row])
    begun = watch.began(counts, expected, clumps)
    if counts[begun:].sum() < watch.FEWEST:
        return None
    opening = row == outlook.opening
    if opening:
        row = outlook.mentions
        counts, [expected] = day.counts[row], day.usual([row])
        clumps = float(outlook.baseline.clumps[row])
    many_posts = int(counts[begun:].sum())
    usual = float(expected[begun:].sum())
    low, high = watch.expected_range(usual, clumps)
    if opening and many_posts <= high:
        return None  # nobody would understand an alarm of as much as is usual
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


def cause(day: Day, alarm: Alarm, said: Lately) -> int | None:
    """The theme that explains most of the complaints that are more than usual, if one does."""
    outlook = day.outlook
    row = outlook.complaints
    if alarm.source_id in outlook.sources:
        row = outlook.sources.index(alarm.source_id)
    begun = day.minute(alarm.since)
    complaints = said.complains & said.between(alarm.since)
    if alarm.source_id is not None:
        complaints &= said.sources == alarm.source_id
    rows = [row, *range(outlook.themed, outlook.rows)]
    usual = dict(zip(rows, day.usual(rows)[:, begun:].sum(1), strict=True))
    more = int(complaints.sum()) - usual[row]
    found = {}
    themes, times = np.unique(said.themes[complaints], return_counts=True)
    spoken = dict(zip(themes.tolist(), times.tolist(), strict=True))
    for place, theme in enumerate(outlook.themes, start=outlook.themed):
        many = spoken.get(theme, 0)
        if many >= A_FEW and many - usual[place] >= MOSTLY * more:
            found[theme] = many - usual[place]
    return max(found, key=lambda theme: (found[theme], -theme)) if found and more > 0 else None


def posts(alarm: Alarm, said: Lately, now: datetime) -> list[int]:
    """The numbers of what a rise is made of, in order, as far back as a look goes."""
    marks = said.between(alarm.since, _minute(now))
    if alarm.source_id is not None:
        marks &= said.sources == alarm.source_id
    if alarm.sort is not Sort.MENTIONS:
        marks &= said.complains
    if alarm.is_of_theme:
        marks &= said.themes == alarm.theme_id
    found: list[int] = said.ids[marks].tolist()
    return found


def own_words(alarm: Alarm, said: Sequence[Phrases], posts: Sequence[int]) -> None:
    """Note how many of a rise's posts only pass on, and quote those who tell it themselves.

    `said` has beside these posts what they may have passed on, in order of time.
    """
    repeated = passing_on(said)
    alarm.passed_on = len(repeated.intersection(posts))
    alarm.mentions = examples([one for one in said if one.mention_id not in repeated])


def still(alarm: Alarm, outlook: Outlook, said: Lately, now: datetime) -> bool:
    """Whether a rise goes on: the last hour brings more than is usual. It is brought up to date."""
    now = _minute(now)
    row = outlook.row(alarm)
    if row is None:
        return False
    day = _day(outlook, said, now)
    counts, [expected] = day.counts[row], day.usual([row])
    clumps = float(outlook.baseline.clumps[row])
    begun = day.minute(alarm.since)
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
            outlook.baseline.over(_of_week(now - timedelta(minutes=minutes)), minutes, [row]).sum()
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
    said: Lately,
    now: datetime,
    *,
    told: Marks | None = None,
    over: datetime | None = None,
) -> Day:
    """The day before now; what is `told` is left out, and all that was before an alarm's end."""
    start = now - LOOK_BACK
    many = len(outlook.sources)
    minutes = (said.at - instant(start)) // _MINUTE
    within = (minutes >= 0) & (minutes < BACK)
    every = np.bincount(minutes[within], minlength=BACK).astype(float)
    left = within if told is None else within & ~told
    minutes, complains, opening = minutes[left], said.complains[left], said.opening[left]
    source, theme = (
        _places(said.sources[left], outlook.sources),
        _places(said.themes[left], outlook.themes),
    )
    counts: Counts = np.zeros((outlook.rows, BACK))
    for first, rows, which in (
        (0, source, complains),
        (many, source, None),
        (outlook.themed, theme, complains),
    ):
        known = rows >= 0 if which is None else (rows >= 0) & which
        flat = (first + rows[known]) * BACK + minutes[known]
        counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
    counts[outlook.complaints] = np.bincount(minutes[complains], minlength=BACK)
    counts[outlook.mentions] = np.bincount(minutes, minlength=BACK)
    counts[outlook.opening] = np.bincount(minutes[opening], minlength=BACK)
    blank = _blank(start, over)
    counts[:, :blank] = 0  # what an alarm has told is not told again
    return Day(outlook, start, counts, every, blank)


def _places(numbers: Numbers, among: Sequence[int]) -> Numbers:
    """Where each number stands in a row of others; -1 where it does not."""
    if not among:
        return np.full(len(numbers), -1)
    order = np.argsort(among)
    ordered = np.asarray(among)[order]
    at = np.searchsorted(ordered, numbers).clip(max=len(among) - 1)
    return np.where(ordered[at] == numbers, order[at], -1)


def _blank(start: datetime, over: datetime | None) -> int:
    """How many minutes from a day's start on an alarm has told of that is over."""
    if over is None or over <= start:
        return 0
    return min(int((over - start).total_seconds() // 60), BACK)


def _chart(counts: Counts, expected: Counts) -> list[Any]:
    bars = counts.reshape(-1, QUARTER).sum(1), expected.reshape(-1, QUARTER).sum(1)
    return [[int(count), round(float(usual), 2)] for count, usual in zip(*bars, strict=True)]


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _of_week(moment: datetime) -> int:
    return (int(moment.timestamp()) // 60 + MONDAY * 60) % (WEEK * 60)
