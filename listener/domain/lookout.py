"""The lookout: what one look at a brand finds in what was said of it lately."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from listener.domain import watch
from listener.domain.alarm import RISE, SOON, Alarm, Sort, about_theme
from listener.domain.likeness import Words, passing_on
from listener.domain.outlook import LOOK_BACK, MONDAY, Outlook
from listener.domain.report import examples
from listener.domain.watch import BACK, WEEK, Counts

QUARTER: Final = 15  # minutes that one bar of a chart stands for
MOSTLY: Final = 0.5  # of what is more than usual: a theme with so much of it is the cause
A_FEW: Final = 3  # posts of a theme that can be a cause


class Said(NamedTuple):
    """A mention, as far as counting needs to know it. `by` is known of those that have a theme.

    A tuple, because a minute's look may make a hundred thousand of them.
    """

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
class Day:
    """What a brand's last day brought, minute by minute, one row a series; what is usual.

    `blank` are the first minutes, of which an alarm has told that is over: they count for nothing.
    """

    outlook: Outlook
    start: datetime
    counts: Counts
    factor: Counts
    blank: int = 0

    def minute(self, moment: datetime) -> int:
        """Which minute of it a moment is; the first where that was before."""
        return max(int((moment - self.start).total_seconds() // 60), 0)

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
    Where everything is said more often, all themes are: then the brand rings, and no theme does
    but one that rises more than the rest.
    """
    now = _minute(now)
    day = _day(outlook, said, now, told=told, over=over)
    if rising is not None and rising.theme_id is None:
        rising.theme_id = cause(day, rising, said)
    found = []
    fresh = [one for one in said if one.id not in told]
    whole = day.told_by(range(outlook.themed))
    begun = _begun_at(day, whole) if rising is None else day.minute(rising.since)
    beyond = day.told_by(range(outlook.themed, outlook.rows))
    alone: list[int] = []
    for row in sorted(beyond, key=lambda row: (-beyond[row], row)):
        theme = outlook.themes[row - outlook.themed]
        if beyond[row] < 1 or (rising is not None and rising.theme_id == theme):
            continue
        if begun is not None and not _more_than_the_rest(day, row, begun, alone):
            continue
        rise = _rise(day, row, fresh, now)
        if rise is not None and _people(rise, fresh) >= watch.FEWEST:
            found.append(rise)
            alone.append(row)
    if rising is not None:
        return found
    explained = told | {number for rise in found for number in rise.posts}
    if found:
        day = _day(outlook, said, now, told=explained, over=over)
        whole = day.told_by(range(outlook.themed))
    strongest = _strongest(outlook, whole)
    if strongest is None:
        return found
    rise = _rise(day, strongest, [one for one in said if one.id not in explained], now)
    if rise is not None:
        rise.alarm.theme_id = cause(day, rise.alarm, said)
        found.append(rise)
    return found


def _strongest(outlook: Outlook, beyond: Mapping[int, float]) -> int | None:
    """The series of the brand that rings loudest; where both rise, complaints are what matters."""
    ringing = [row for row, much in beyond.items() if much >= 1]
    best = [row for row in ringing if outlook.complains(row)] or ringing
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
    strength = watch.rises(day.counts[[row]], expected, outlook.baseline.clumps[[row]])[0, -1]
    return bool(strength >= outlook.limits()[row])


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
    begun = day.minute(alarm.since)
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
    spoken = Counter(one.theme for one in complaints)
    for place, theme in enumerate(outlook.themes, start=outlook.themed):
        many = spoken[theme]
        if many >= A_FEW and many - usual[place] >= MOSTLY * more:
            found[theme] = many - usual[place]
    return max(found, key=lambda theme: (found[theme], -theme)) if found and more > 0 else None


def posts(alarm: Alarm, said: Sequence[Said], now: datetime) -> list[int]:
    """The numbers of what a rise is made of, in order, as far back as a look goes."""
    now = _minute(now)
    since, source, every = alarm.since, alarm.source_id, alarm.sort is Sort.MENTIONS
    of_theme, theme = alarm.is_of_theme, alarm.theme_id
    return [
        one.id
        for one in said
        if since <= one.at < now
        and (source is None or one.source_id == source)
        and (one.complains or every)
        and (not of_theme or one.theme == theme)
    ]


def own_words(alarm: Alarm, said: Sequence[Words], posts: Sequence[int]) -> None:
    """Note how many of a rise's posts only pass on, and quote those who tell it themselves.

    `said` has beside these posts what they may have passed on.
    """
    repeated = passing_on(said)
    alarm.passed_on = len(repeated.intersection(posts))
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
