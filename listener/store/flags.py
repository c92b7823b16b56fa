"""How good the flags are: what people said of them, by brand, place and week."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, literal_column, select
from sqlmodel import col

from listener.domain.brand import Brand
from listener.domain.case import Case, Outcome, Status
from listener.domain.correction import Better, Correction
from listener.domain.drift import BEFORE, LATELY, Scores, of_corrections, of_scores
from listener.domain.mention import Mention
from listener.domain.precision import Flags
from listener.store.session import AsyncSession, bulk

WEEKS: Final = 8
DAYS: Final = 7
MOST: Final = 5_000  # verdicts that are looked at on either side

# What each way of ending a case says of the flag that opened it.
_WRONG: Final[Mapping[Outcome, str]] = {
    Outcome.NOT_NEGATIVE: "not_negative",
    Outcome.NOT_US: "not_us",
    Outcome.SPAM: "spam",
}


@dataclass(frozen=True, slots=True)
class Goodness:
    """Flags by brand and place, by week (its Monday), and all together."""

    by_place: Mapping[tuple[str, str], Flags]
    by_week: Mapping[date, Flags]
    all: Flags


async def goodness(
    session: AsyncSession,
    *,
    brands: Collection[int] | None = None,
    now: datetime,
    weeks: int = WEEKS,
) -> Goodness:
    """What became of the flags of these weeks.

    A case counts in the week in which it was opened and in the place of its first mention. One
    that a person has answered or closed was looked at; one that the model was not sure of is
    no flag and does not count.
    """
    monday = (now - timedelta(days=now.weekday() + DAYS * (weeks - 1))).date()
    since = now - timedelta(days=(now.date() - monday).days)
    since = since.replace(hour=0, minute=0, second=0, microsecond=0)
    by_place: dict[tuple[str, str], Counter[str]] = {}
    by_week: dict[date, Counter[str]] = {
        monday + timedelta(days=DAYS * number): Counter() for number in range(weeks)
    }

    def count(brand: str, place: str, week: date | str, what: str, number: int) -> None:
        on = date.fromisoformat(week) if isinstance(week, str) else week
        by_place.setdefault((brand, place), Counter())[what] += number
        by_week.setdefault(on, Counter())[what] += number

    first = (
        select(col(Mention.id))
        .where(col(Mention.case_id) == col(Case.id))
        .order_by(col(Mention.id))
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    place, number = col(Mention.connector), func.count().label("number")
    name, status, outcome = col(Brand.name), col(Case.status), col(Case.outcome)
    opened_in = week(session, Case.opened_at)
    opened: Any = (
        select(name, place, opened_in, status, outcome, number)
        .select_from(Case)
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        # Of its case, too: else PostgreSQL goes through all mentions there are.
        .join(Mention, and_(col(Mention.case_id) == col(Case.id), col(Mention.id) == first))
        .where(
            col(Case.opened_at) >= since,
            col(Mention.flagged).is_(True),  # a missed one has a case too
            col(Mention.unsure).is_not(True),
        )
        .group_by(name, place, opened_in, status, outcome)
    )
    found_in = week(session, Correction.at)
    missed: Any = (
        select(name, place, found_in, func.count(col(Mention.id).distinct()))
        .select_from(Correction)
        # Outer joins only so that SQLite begins with the few corrections, never with all mentions.
        .outerjoin(Mention, col(Mention.id) == col(Correction.mention_id))
        .outerjoin(Brand, col(Brand.id) == col(Mention.brand_id))
        .where(
            col(Correction.at) >= since,
            col(Correction.better) == Better.COMPLAINT,
            col(Mention.unsure).is_not(True),
        )
        .group_by(name, place, found_in)
    )
    if brands is not None:
        opened = opened.where(col(Case.brand_id).in_(brands))
        missed = missed.where(col(Mention.brand_id).in_(brands))
    for row in await bulk(session, opened):
        brand, where, on, stands, ended, times = tuple(row)
        count(brand, where, on, "shown", times)
        if stands in (Status.ANSWERED, Status.CLOSED):
            count(brand, where, on, "checked", times)
        if ended in _WRONG:
            count(brand, where, on, _WRONG[ended], times)
    for row in await bulk(session, missed):
        brand, where, on, times = tuple(row)
        count(brand, where, on, "missed", times)
    total = sum(by_week.values(), Counter[str]())
    return Goodness(
        by_place={key: Flags(**found) for key, found in sorted(by_place.items())},
        by_week={key: Flags(**found) for key, found in sorted(by_week.items())},
        all=Flags(**total),
    )


def week(session: AsyncSession, moment: Any) -> ColumnElement[Any]:
    """The Monday before a moment or its own day, by UTC."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(moment, "weekday 0", "-6 days")
    return func.date(func.date_trunc("week", func.timezone(literal_column("'UTC'"), moment)))


async def drift(
    session: AsyncSession, found: Goodness, *, brands: Collection[int] | None = None, now: datetime
) -> str:
    """Whether verdicts lie, and are corrected, as in the weeks before, in one sentence or two."""
    lately = await scores(session, brands=brands, since=now - LATELY, until=now)
    earlier = now - LATELY - BEFORE
    before = await scores(session, brands=brands, since=earlier, until=now - LATELY)
    said = (of_scores(lately, before), of_corrections(list(found.by_week.values())))
    return " ".join(one for one in said if one)


async def scores(
    session: AsyncSession, *, brands: Collection[int] | None, since: datetime, until: datetime
) -> Scores:
    """How probable complaints were among mentions published then; the last thousands of them."""
    asked: Any = (
        select(col(Mention.complaint), col(Mention.model))
        .where(
            col(Mention.published_at) >= since,
            col(Mention.published_at) < until,
            col(Mention.complaint).is_not(None),
        )
        .order_by(col(Mention.published_at).desc())
        .limit(MOST)
    )
    if brands is not None:
        asked = asked.where(col(Mention.brand_id).in_(brands))
    rows = (await bulk(session, asked)).all()
    return Scores([row.complaint for row in rows], frozenset(row.model for row in rows))
