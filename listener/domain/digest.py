"""Digests: how a brand is doing, and why, in the order in which its manager asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from listener.domain.cause import Cause
from listener.domain.precision import Flags
from listener.domain.span import Stretch
from listener.domain.usual import Usual, usual
from models.evaluation.intervals import wilson

SHOWN: Final = 10  # of a list; the rest is counted and linked, never cut in silence


@dataclass(frozen=True, slots=True)
class Counted:
    """What was said in one stretch: by everybody, and of that in complaint."""

    mentions: int = 0
    complaints: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was counted, beside what is usual. `source` is None for all together."""

    what: str
    count: int
    usual: Usual
    source: str | None = None

    def said(self, kind: str) -> str:
        """The change as a sentence; `kind` is what it is compared with."""
        more = "more" if self.count > self.usual.high else "fewer"
        return f"{self.what}: {self.count:,}, {more} than usual for {kind} ({self.usual.words})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A case that is open, by name."""

    case_id: int
    author: str
    source: str
    words: str
    owner: str | None
    opened_at: datetime
    due_at: datetime | None
    mentions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """A case's first answer, and whether it came in time."""

    case_id: int
    author: str
    waited: timedelta
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Praise:
    """Something kind that was said."""

    mention_id: int
    author: str
    source: str
    words: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of a source that nothing proves read."""

    source: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A crisis, how many cases it has and how many of them wait for an answer."""

    number: int
    name: str
    lead: str
    since: datetime
    ended: datetime | None
    cases: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A brand's answer to "how are we doing, and why", as of a moment.

    `before` are the counts of the stretches it is compared with, the nearest first, as far back
    as the brand is listened to.
    """

    brand: str
    stretch: Stretch
    at: datetime
    now: Counted
    before: Sequence[Counted]
    by_source: dict[str, tuple[int, Sequence[int]]]  # complaints now, and before
    overdue: Sequence[Risk]
    sources: int
    gaps: Sequence[Gap]
    crises: Sequence[Declared] = ()  # those that are open, and those that ended in the stretch
    oldest: Risk | None = None
    spreading: Sequence[Risk] = ()
    causes: Sequence[Cause] = ()
    looked_at: int = 0  # complaints among which causes were looked for
    firsts: Sequence[First] = ()
    unanswered: int = 0  # cases opened in it that are still neither answered nor closed
    closed: int = 0
    won_back: Sequence[Praise] = ()  # who raised their rating after our answer
    praise: Sequence[Praise] = ()
    flags: Flags = field(default_factory=Flags)

    @property
    def answer(self) -> str:
        """The first line, for whoever reads no other."""
        found = self.complaints
        if self.now.mentions == 0:
            mood = "Nobody spoke"
        elif found is None:
            mood = "First days, nothing to compare with yet"
        elif found.differs(self.now.complaints):
            mood = "More complaints than usual" if self.rises else "Fewer complaints than usual"
        else:
            mood = {"day": "A usual day", "week": "A usual week", "month": "A usual month"}[
                self.stretch.of.value
            ]
        return f"{mood}: {self.amount}, {self.left}."

    @property
    def amount(self) -> str:
        """How much was said, and how much of it in complaint."""
        if self.now.mentions == 0:
            return f"0 mentions, {self.heard}"
        share = f"{self.now.complaints / self.now.mentions:.0%}"
        told = sum(one.mentions for one in self.before)
        if told and self.complaints is not None:
            share += f", usual {sum(one.complaints for one in self.before) / told:.0%}"
        return (
            f"{counted(self.now.mentions, 'mention')}, "
            f"{counted(self.now.complaints, 'complaint')} ({share})"
        )

    @property
    def heard(self) -> str:
        """Whether silence can be trusted."""
        if self.sources == 0:
            return "and no source is listened to"
        silent = len({gap.source for gap in self.gaps})
        if silent:
            has = "has" if silent == 1 else "have"
            return f"but {silent} of {counted(self.sources, 'source')} {has} gaps"
        return f"and all of {counted(self.sources, 'source')} without a gap"

    @property
    def left(self) -> str:
        """What is overdue at this moment, and which crisis is not over."""
        found = f"{len(self.overdue):,} overdue now" if self.overdue else "none overdue"
        if len(self.burning) > 1:
            return f"{found}, {len(self.burning)} crises not over"
        return found + "".join(f", the crisis {one.name} not over" for one in self.burning)

    @property
    def burning(self) -> list[Declared]:
        """The crises that are open."""
        return [one for one in self.crises if one.ended is None]

    @property
    def over(self) -> list[Declared]:
        """The crises that ended in the stretch."""
        return [one for one in self.crises if one.ended is not None]

    @property
    def complaints(self) -> Usual | None:
        """How many complaints are usual."""
        return usual([one.complaints for one in self.before])

    @property
    def rises(self) -> bool:
        """Whether there were more complaints than chance brings."""
        return self.complaints is not None and self.now.complaints > self.complaints.high

    @property
    def changes(self) -> list[Change]:
        """What rose or fell beyond chance: all together, then by source."""
        found: list[Change] = []
        asked: list[tuple[str, int, Sequence[int], str | None]] = [
            ("Mentions", self.now.mentions, [one.mentions for one in self.before], None),
            ("Complaints", self.now.complaints, [one.complaints for one in self.before], None),
            *(
                (f"Complaints on {source}", count, before, source)
                for source, (count, before) in self.by_source.items()
            ),
        ]
        for what, count, before, source in asked:
            bound = usual(before)
            if bound is not None and bound.differs(count):
                found.append(Change(what=what, count=count, usual=bound, source=source))
        return found

    @property
    def share(self) -> str | None:
        """How the share of complaints differs from the usual one, beyond chance."""
        told = sum(one.mentions for one in self.before)
        if self.complaints is None or not told or not self.now.mentions:
            return None
        was = sum(one.complaints for one in self.before) / told
        low, high = wilson(self.now.complaints, self.now.mentions)
        if low <= was <= high:
            return None
        word = "A larger" if low > was else "A smaller"
        return (
            f"{word} share of what was said complains: {self.now.complaints / self.now.mentions:.0%}"
            f" (chance alone: {low:.0%} to {high:.0%}), usual is {was:.0%}."
        )

    @property
    def late(self) -> list[First]:
        """The first answers that came too late, each of them."""
        return [one for one in self.firsts if one.late]

    @property
    def half(self) -> timedelta | None:
        """Within what time half of the first answers came."""
        return self.within(0.5)

    @property
    def most(self) -> timedelta | None:
        """Within what time nine of ten first answers came."""
        return self.within(0.9)

    def within(self, share: float) -> timedelta | None:
        """Within what time this share of the first answers came."""
        waits = sorted(one.waited for one in self.firsts)
        return waits[ceil(share * len(waits)) - 1] if waits else None


def counted(number: int, word: str) -> str:
    """A number of things: 1 source, 2 sources."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def shortened(words: str, most: int = 280) -> str:
    """A customer's own words, whole if they are short; what is left out is marked."""
    words = " ".join(words.split())
    if len(words) <= most:
        return words
    return words[:most].rpartition(" ")[0].rstrip(",;:. ") + " …"
