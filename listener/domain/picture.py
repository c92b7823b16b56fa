"""Pictures of a digest: what was said in each hour or day of a stretch, and when alarms were raised."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from listener.domain.span import Of, Stretch

LANES: Final = 6  # themes that are drawn
QUARTER: Final = timedelta(minutes=15)  # what all clocks of this earth differ by, so whole days fit


@dataclass(frozen=True, slots=True)
class Quarter:
    """What was said in a quarter of an hour; `praise` is kind and no complaint."""

    starts: datetime
    complaints: int
    praise: int
    others: int


@dataclass(frozen=True, slots=True)
class Slice:
    """What was said in an hour of a day, or in a day of a longer stretch."""

    starts: datetime
    label: str
    complaints: int = 0
    praise: int = 0
    others: int = 0
    alarms: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Everything."""
        return self.complaints + self.praise + self.others


@dataclass(frozen=True, slots=True)
class Lane:
    """How often one theme was complained of in each slice of a stretch."""

    theme: int
    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """In all of them."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the pictures of a digest are drawn from, beside the digest itself."""

    slices: Sequence[Slice]
    sources: Sequence[str]  # that are listened to
    lanes: Sequence[Lane] = ()  # the themes most complained of, the most first


def slices(
    stretch: Stretch, quarters: Iterable[Quarter], alarms: Iterable[tuple[datetime, str]]
) -> list[Slice]:
    """A stretch cut into the hours of its day, or into its days, as its own clocks count them."""
    key, starts = cuts(stretch)
    counts = {one: [0, 0, 0] for one in starts}
    for quarter in quarters:
        found = counts[key(quarter.starts)]
        found[0] += quarter.complaints
        found[1] += quarter.praise
        found[2] += quarter.others
    rang: dict[str, list[str]] = {}
    for at, sentence in alarms:
        rang.setdefault(key(at), []).append(sentence)
    return [
        Slice(
            at,
            f"{at.astimezone(ZoneInfo(stretch.zone)):{'%H:00' if stretch.of is Of.DAY else '%d %b'}}",
            complaints=counts[one][0],
            praise=counts[one][1],
            others=counts[one][2],
            alarms=tuple(rang.get(one, ())),
        )
        for one, at in starts.items()
    ]


def lanes(
    stretch: Stretch, said: Iterable[tuple[int, datetime, int]], names: Mapping[int, str]
) -> list[Lane]:
    """The themes of a stretch: `said` is how often each was complained of in a quarter."""
    key, starts = cuts(stretch)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for theme, quarter, number in said:
        if theme in names:
            counts[theme][key(quarter)] += number
    made = [
        Lane(theme, names[theme], tuple(counted[one] for one in starts))
        for theme, counted in counts.items()
    ]
    return sorted(made, key=lambda one: (-one.total, one.theme))[:LANES]


def cuts(stretch: Stretch) -> tuple[Callable[[datetime], str], dict[str, datetime]]:
    """In which slice a moment of a stretch lies, and when each slice begins."""
    zone = ZoneInfo(stretch.zone)
    sign = "%H" if stretch.of is Of.DAY else "%Y-%m-%d"

    def key(moment: datetime) -> str:
        return f"{moment.astimezone(zone):{sign}}"

    starts: dict[str, datetime] = {}
    moment = stretch.starts
    while moment < stretch.ends:
        starts.setdefault(key(moment), moment)
        moment += QUARTER
    return key, starts
