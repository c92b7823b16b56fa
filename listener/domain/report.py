"""Reports: people who tell of harm, each in words of their own, ring without any statistics."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.kit.contract import Kind
from listener.domain.alarm import CALM, GRAVE, REPORTS, SOON, Alarm, Sort
from listener.domain.likeness import Phrases, Words, passing_on, phrases

SAYS: Final = "Speaks of harm: "  # how triage says it
EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Report:
    """A complaint of the last hours with what makes it urgent."""

    id: int
    brand_id: int
    at: datetime
    kind: str
    author: str  # what tells one author from another
    reasons: Sequence[str]
    text: str = ""

    @property
    def words(self) -> Words:
        """What it says."""
        return Words(self.id, self.author, self.text)


def grave(reports: Sequence[Report], now: datetime) -> list[Alarm]:
    """What needs no statistics: three people who report harm within the hour, or an article.

    Who only passes on another's words reports nothing, however many do.
    """
    found = []
    for (brand, sort), several in by_sort(reports).items():
        told = told_by(several, now - SOON)
        articles = any(one.kind == Kind.ARTICLE for one in told.own)
        if len(told.people) < REPORTS and not articles:
            continue
        found.append(
            Alarm(
                brand_id=brand,
                about=sort,
                sort=Sort(sort),
                since=told.own[0].at,
                raised_at=now,
                count=len(told.people),
                passed_on=len(told.others),
                mentions=examples([one.words for one in told.own]),
            )
        )
    return found


def count_again(alarm: Alarm, reports: Sequence[Report], now: datetime) -> bool:
    """Bring what people report up to date; whether anybody has told it in the last hours.

    `reports` go back no further: an older alarm keeps the numbers that it had.
    """
    several = by_sort(reports).get((alarm.brand_id, alarm.sort.value), [])
    if alarm.since > now - CALM:
        told = told_by(several, alarm.since - timedelta(microseconds=1))
        alarm.count = max(alarm.count, len(told.people))
        alarm.passed_on = max(alarm.passed_on, len(told.others))
    return bool(told_by(several, now - CALM).own)


@dataclass(frozen=True, slots=True)
class Told:
    """Who tells something in words of their own, and who only passes it on."""

    own: Sequence[Report]
    people: Set[str]
    others: Set[str]


def told_by(several: Sequence[Report], after: datetime) -> Told:
    """Who told something after a moment; what they may have repeated can be older."""
    repeated = passing_on(phrases(one.words) for one in several if one.kind != Kind.ARTICLE)
    late = [one for one in several if one.at > after]
    own = [one for one in late if one.id not in repeated]
    people = {one.author for one in own}
    return Told(own, people, {one.author for one in late} - people)


def by_sort(reports: Iterable[Report]) -> dict[tuple[int, str], list[Report]]:
    """What is reported of each brand, by the kind of harm."""
    found: dict[tuple[int, str], list[Report]] = {}
    for one in reports:
        for sort in sorted(kinds(one.reasons)):
            found.setdefault((one.brand_id, sort), []).append(one)
    return found


def kinds(reasons: Iterable[str]) -> set[str]:
    """Which kinds of grave harm triage has found."""
    harms = (one.removeprefix(SAYS).rstrip(".") for one in reasons if one.startswith(SAYS))
    return {GRAVE[harm] for harm in harms if harm in GRAVE}


def examples(said: Sequence[Words | Phrases]) -> list[int]:
    """Three of many: that which began it, one from the middle, the latest; of three people if so many."""
    if len(said) <= EXAMPLES:
        return [one.mention_id for one in said]
    first = said[0]
    later = [one for one in said[1:] if one.by != first.by] or list(said[1:])
    last = later[-1]
    between = [one for one in later[:-1] if one.by != last.by] or later[:-1]
    chosen = (first, *between[len(between) // 2 :][:1], last)
    return [one.mention_id for one in chosen]
