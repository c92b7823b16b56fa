"""What a case has missed is what somebody finds who looks at every minute of its life."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from connectors.kit.contract import Kind
from listener.domain.case import Case, Outcome, Status
from listener.domain.deadline import Clock, Policies, Policy
from listener.domain.hours import Calendar, Hours, is_open, periods
from listener.domain.miss import late

MINUTE = timedelta(minutes=1)
START = datetime(2026, 10, 23, 6, tzinfo=UTC)  # a Friday; two days later clocks in Berlin go back
DAYS = 6
HOURS = {
    1: Calendar((Hours("Europe/Berlin", periods(["mon-fri 09:00-12:30", "mon-sun 13:15-17:00"])),)),
    2: Calendar((Hours("America/Denver", periods(["sun-fri 22:00-06:00"])),)),
}
POLICIES = Policies(
    [Policy(id=1, name="It", first_reply=9_000, next_reply=3_600, resolution=28_800)],
    HOURS,
    {1: "Berlin", 2: "Denver"},
)
OPEN = {
    team: [is_open(calendar, START + minute * MINUTE) for minute in range(DAYS * 24 * 60 + 1)]
    for team, calendar in HOURS.items()
}


@dataclass
class Life:
    """One case, and beside it what an onlooker with a watch has written down."""

    case: Case
    waits: list[tuple[Clock, int, int | None, int]] = field(default_factory=list)
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    closed: int | None = None
    answered: bool = False

    def begin(self, minute: int) -> None:
        clock = Clock.NEXT if self.answered else Clock.FIRST
        self.waits.append((clock, minute, None, self.team))

    def end(self, minute: int) -> None:
        clock, since, until, _ = self.waits[-1]
        if until is None:
            self.waits[-1] = (clock, since, minute, self.team)

    def pause(self, minute: int) -> None:
        if not self.pauses or self.pauses[-1][1] is not None:
            self.pauses.append((minute, None))

    def resume(self, minute: int) -> None:
        if self.pauses and self.pauses[-1][1] is None:
            self.pauses[-1] = (self.pauses[-1][0], minute)

    @property
    def team(self) -> int:
        assert self.case.team_id is not None
        return self.case.team_id

    def act(self, chance: Random, minute: int) -> None:
        """Something happens to the case, and the onlooker writes it down."""
        case, now = self.case, START + minute * MINUTE
        awake = case.status in (Status.OPEN, Status.OWNED)
        match chance.choice(("answer", "close", "reopen", "sleep", "wake", "move")):
            case "answer" if case.status is not Status.CLOSED:
                case.answer(now)
                self.answered = True
                self.end(minute)
                self.pause(minute)
            case "close" if case.status is not Status.CLOSED:
                case.close(Outcome.NO_REPLY_NEEDED, None, now)
                self.end(minute)
                self.pause(minute)
                self.closed = minute
            case "reopen" if not awake:
                case.reopen(POLICIES, now)
                self.closed = None
                self.resume(minute)
                self.begin(minute)
            case "sleep" if awake:
                case.snooze(None, 1, now, on_answer=True)
                self.pause(minute)
            case "wake" if awake:
                case.wake(now)
                self.resume(minute)
            case "move" if awake:
                case.belong_to(3 - self.team, POLICIES)

    def missed(self, last: int) -> set[tuple[Clock, datetime, datetime]]:
        """What was missed, by looking at every minute."""
        found = set()
        for clock, since, until, team in self.waits:
            span = 150 if clock is Clock.FIRST else 60
            due = reached(OPEN[team if until is not None else self.team], since, last, span, ())
            if due is not None and (until is None or due < until):
                found.add((clock, since, due))
        due = reached(OPEN[self.team], 0, last, 480, self.pauses)
        if due is not None and (self.closed is None or due < self.closed):
            found.add((Clock.RESOLUTION, 0, due))
        return {
            (clock, START + since * MINUTE, START + due * MINUTE) for clock, since, due in found
        }


def reached(
    open_: Sequence[bool],
    since: int,
    last: int,
    span: int,
    pauses: Sequence[tuple[int, int | None]],
) -> int | None:
    """By which minute so many have been counted; None, if not by the last."""
    counted = 0
    for minute in range(since, last):
        paused = any(begin <= minute and (end is None or minute < end) for begin, end in pauses)
        counted += open_[minute] and not paused
        if counted == span:
            return minute + 1
    return None


def lived(seed: int) -> tuple[Life, int]:
    """A case that lives for some days, by chance; and its last minute."""
    chance = Random(seed)  # noqa: S311  (the same lives each time)
    last = chance.randrange(60, DAYS * 24 * 60)
    case = Case(id=1, brand_id=1, kind=Kind.POST, opened_at=START, team_id=chance.choice((1, 2)))
    case.wait(POLICIES, START)
    life = Life(case)
    life.begin(0)
    for minute in sorted(chance.sample(range(1, last), chance.randrange(min(12, last - 1)))):
        life.act(chance, minute)
    return life, last


def compare(seeds: range) -> None:
    misses = 0
    for seed in seeds:
        life, last = lived(seed)
        expected = life.missed(last)
        found = late(life.case, POLICIES, START + last * MINUTE)
        assert {(one.clock, one.since, one.due) for one in found.values()} == expected, seed
        misses += len(expected)
    assert misses > len(seeds) / 4  # something was missed at all


@pytest.mark.parametrize("part", range(4))
def test_it_is_as_if_every_minute_had_been_looked_at(part: int) -> None:
    compare(range(part * 50, part * 50 + 50))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_five_thousand_lives_differ_by_no_minute(part: int) -> None:
    compare(range(1_000 + part * 500, 1_500 + part * 500))
