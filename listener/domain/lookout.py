"""The lookout: what one look at a brand finds in what was said of it lately."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from listener.domain import watch
from listener.domain.alarm import RISE, SOON, Alarm, Sort
from listener.domain.likeness import Words, passing_on
from listener.domain.report import examples
from listener.domain.watch import BACK, WEEK, WEEKS, Baseline, Counts

MONDAY: Final = 72  # hours from Monday to the Thursday on which 1970 began
HOURS: Final = WEEK * WEEKS
LOOK_BACK: Final = timedelta(minutes=BACK)
QUARTER: Final = 15  # minutes that one bar of a chart stands for


@dataclass(frozen=True, slots=True)
class Said:
    """A mention, as far as counting needs to know it."""

    id: int
    brand_id: int
    source_id: int
    at: datetime
    complains: bool


@dataclass(frozen=True, slots=True)
class Hour:
    """How many mentions of a brand a source brought in one hour, counted from 1970."""

    brand_id: int
    source_id: int
    hour: int
    mentions: int
    complaints: int


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise, and the numbers of all that it is made of, in order."""

    alarm: Alarm
    posts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is usual for a brand. Series: complaints by source, mentions by source, both of all."""

    brand_id: int
    sources: tuple[int, ...]
    baseline: Baseline


def hour_of(moment: datetime) -> int:
    """The hour, counted from 1970."""
    return int(moment.timestamp()) // 3600


def learn(
    brand_id: int, hours: Iterable[Hour], until: datetime, calm_but: Collection[range] = ()
) -> Outlook:
    """What is usual for a brand, from its hours before this one, but those of alarms.

    A source counts from its first mention on.
    """
    first = hour_of(until) - HOURS
    hours = [one for one in hours if 0 <= one.hour - first < HOURS]
    sources = tuple(sorted({one.source_id for one in hours}))
    place = {source: row for row, source in enumerate(sources)}
    many = len(sources)
    flat: Counts = np.zeros((2 * many + 2, HOURS))
    for one in hours:
        row, at = place[one.source_id], one.hour - first
        flat[row, at] += one.complaints
        flat[many + row, at] += one.mentions
    flat[-2], flat[-1] = flat[:many].sum(0), flat[many : 2 * many].sum(0)
    seen: Counts = np.ones_like(flat)
    for row in range(many + 1):
        every = flat[many + row] if row < many else flat[-1]
        begun = int(np.flatnonzero(every)[0]) if every.any() else HOURS
        for same in (row, many + row) if row < many else (2 * many, 2 * many + 1):
            seen[same, :begun] = 0
    for span in calm_but:
        seen[:, max(span.start - first, 0) : max(span.stop - first, 0)] = 0
    turn = (first + MONDAY) % WEEK  # so that every week begins on Monday
    shape = (2 * many + 2, WEEKS, WEEK)
    return Outlook(
        brand_id,
        sources,
        watch.fit(
            np.roll(flat.reshape(shape), turn, axis=2), np.roll(seen.reshape(shape), turn, axis=2)
        ),
    )


def look(
    outlook: Outlook, said: Sequence[Said], now: datetime, *, over: datetime | None = None
) -> Rise | None:
    """The rise that is strongest now, if it is beyond what chance may do; `over`: the last's end."""
    now = _minute(now)
    start = now - LOOK_BACK
    many = len(outlook.sources)
    counts, expected = _counts(outlook, said, start)
    if over is not None and over > start:  # what an alarm has told is not told again
        told = min(int((over - start).total_seconds() // 60), BACK)
        counts[:, :told] = expected[:, :told] = 0
    strength = watch.rises(counts, expected, outlook.baseline.clumps)[:, -1]
    whole, part = watch.threshold(2, 2 * many)
    limits = np.where(np.arange(2 * many + 2) < 2 * many, part, whole)
    limits = np.where(outlook.baseline.hours < watch.YOUNG, np.inf, limits)
    told_by = strength / limits
    rows = np.arange(2 * many + 2)
    complains = (rows < many) | (rows == 2 * many)
    if (told_by[complains] >= 1).any():  # where both rise, complaints are what matters
        told_by = np.where(complains, told_by, 0.0)
    row = int(told_by.argmax())
    if told_by[row] < 1:
        return None
    clumps = float(outlook.baseline.clumps[row])
    begun = watch.began(counts[row], expected[row], clumps)
    many_posts = int(counts[row, begun:].sum())
    if many_posts < watch.FEWEST:
        return None
    usual = float(expected[row, begun:].sum())
    low, high = watch.expected_range(usual, clumps)
    complaints = row < many or row == 2 * many
    source = outlook.sources[row % many] if row < 2 * many else None
    since = start + timedelta(minutes=begun)
    alarm = Alarm(
        brand_id=outlook.brand_id,
        about=RISE,
        sort=Sort.COMPLAINTS if complaints else Sort.MENTIONS,
        source_id=source,
        since=since,
        raised_at=now,
        count=many_posts,
        expected=usual,
        low=low,
        high=high,
        chart=_chart(counts[row], expected[row]),
    )
    return Rise(alarm, posts(alarm, said, now))


def posts(alarm: Alarm, said: Sequence[Said], now: datetime) -> list[int]:
    """The numbers of what a rise is made of, in order, as far back as a look goes."""
    now = _minute(now)
    return [
        one.id
        for one in said
        if alarm.since <= one.at < now
        and (alarm.source_id is None or one.source_id == alarm.source_id)
        and (one.complains or alarm.sort is Sort.MENTIONS)
    ]


def own_words(alarm: Alarm, said: Sequence[Words]) -> None:
    """Note how many of what a rise is made of only pass on, and quote those who tell it themselves."""
    repeated = passing_on(said)
    alarm.passed_on = len(repeated)
    alarm.mentions = examples([one for one in said if one.mention_id not in repeated])


def still(alarm: Alarm, outlook: Outlook, said: Sequence[Said], now: datetime) -> bool:
    """Whether a rise goes on: the last hour brings more than is usual. It is brought up to date."""
    now = _minute(now)
    start = now - LOOK_BACK
    counts, expected = _counts(outlook, said, start)
    many = len(outlook.sources)
    if alarm.source_id is not None and alarm.source_id not in outlook.sources:
        return False
    place = many if alarm.source_id is None else outlook.sources.index(alarm.source_id)
    row = 2 * many if alarm.source_id is None else place
    if alarm.sort is Sort.MENTIONS:
        row = 2 * many + 1 if alarm.source_id is None else many + place
    clumps = float(outlook.baseline.clumps[row])
    begun = max(int((alarm.since - start).total_seconds() // 60), 0)
    alarm.chart = _chart(counts[row], expected[row])
    if alarm.since >= start:
        alarm.count = int(counts[row, begun:].sum())
        alarm.expected = float(expected[row, begun:].sum())
        alarm.low, alarm.high = watch.expected_range(alarm.expected, clumps)
    _, high = watch.expected_range(float(expected[row, -60:].sum()), clumps)
    return now - alarm.raised_at < SOON or int(counts[row, -60:].sum()) > high


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


def _counts(outlook: Outlook, said: Sequence[Said], start: datetime) -> tuple[Counts, Counts]:
    many = len(outlook.sources)
    place = {source: row for row, source in enumerate(outlook.sources)}
    counts: Counts = np.zeros((2 * many + 2, BACK))
    for one in said:
        minute = int((one.at - start).total_seconds() // 60)
        if not 0 <= minute < BACK:
            continue
        row = place.get(one.source_id)
        if row is not None:
            counts[many + row, minute] += 1
            counts[row, minute] += one.complains
        counts[-1, minute] += 1
        counts[-2, minute] += one.complains
    expected = outlook.baseline.over(_of_week(start), BACK)
    return counts, expected * watch.today(counts[-1], expected[-1])


def _chart(counts: Counts, expected: Counts) -> list[Any]:
    bars = counts.reshape(-1, QUARTER).sum(1), expected.reshape(-1, QUARTER).sum(1)
    return [[int(count), round(float(usual), 2)] for count, usual in zip(*bars, strict=True)]


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _of_week(moment: datetime) -> int:
    return (int(moment.timestamp()) // 60 + MONDAY * 60) % (WEEK * 60)
