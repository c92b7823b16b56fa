"""How good the flags are: what people said of them, by brand, place and week."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, case, exists, func, literal_column, select
from sqlalchemy.orm import aliased
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
COUNTED: Final = ("shown", "checked", *_WRONG.values())


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
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=now.weekday() + DAYS * (weeks - 1))
    mondays = [first + timedelta(days=DAYS * number) for number in range(weeks)]
    by_place: dict[tuple[str, str], Counter[str]] = {}
    by_week: dict[date, Counter[str]] = {monday.date(): Counter() for monday in mondays}

    def count(brand: str, place: str, week: date, numbers: Mapping[str, int]) -> None:
        by_place.setdefault((brand, place), Counter()).update(numbers)
        by_week.setdefault(week, Counter()).update(numbers)

    for row in await bulk(session, opened(mondays, brands)):
        brand, place, number, *times = tuple(row)
        count(brand, place, mondays[number].date(), dict(zip(COUNTED, times, strict=True)))
    for row in await bulk(session, missed(session, mondays[0], brands)):
        brand, place, on, times = tuple(row)
        day = date.fromisoformat(on) if isinstance(on, str) else on
        count(brand, place, day, {"missed": times})
    total = sum(by_week.values(), Counter[str]())
    return Goodness(
        by_place={key: Flags(**found) for key, found in sorted(by_place.items())},
        by_week={key: Flags(**found) for key, found in sorted(by_week.items())},
        all=Flags(**total),
    )


def opened(mondays: Sequence[datetime], brands: Collection[int] | None) -> sa.Select[Any]:
    """What became of flags: brand, place, the number of the week, and each of COUNTED.

    Counted from two indexes, and thousands of rows of them only once: no names, no dates.
    """
    other = aliased(Mention)
    earlier = exists().where(col(other.case_id) == col(Case.id), col(other.id) < col(Mention.id))
    status, outcome = col(Case.status), col(Case.outcome)
    since = case(
        *(
            (col(Case.opened_at) >= monday, number)
            for number, monday in reversed([*enumerate(mondays)])
        )
    )
    grouped = (col(Case.brand_id), col(Mention.connector), since.label("week"))
    counted = (
        select(
            *grouped,
            func.count().label("shown"),
            func.count(case((status.in_((Status.ANSWERED, Status.CLOSED)), 1))).label("checked"),
            *(
                func.count(case((outcome == ended, 1))).label(name)
                for ended, name in _WRONG.items()
            ),
        )
        .select_from(Case)
        # Outer only so that SQLite begins with the cases.
        .outerjoin(Mention, col(Mention.case_id) == col(Case.id))
        .where(
            col(Case.opened_at) >= mondays[0],
            col(Mention.flagged).is_(True),  # a missed one has a case too
            col(Mention.unsure).is_not(True),
            ~earlier,
        )
        .group_by(*grouped)
    )
    if brands is not None:
        counted = counted.where(col(Case.brand_id).in_(brands))
    found = counted.subquery()
    numbers = (found.c[name] for name in COUNTED)
    return select(col(Brand.name), found.c.connector, found.c.week, *numbers).join(
        Brand, col(Brand.id) == found.c.brand_id
    )


def missed(
    session: AsyncSession, since: datetime, brands: Collection[int] | None
) -> sa.Select[Any]:
    """How many complaints people found that had not been flagged: by brand, place and Monday."""
    name, place, found_in = col(Brand.name), col(Mention.connector), week(session, Correction.at)
    asked: sa.Select[Any] = (
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
    return asked if brands is None else asked.where(col(Mention.brand_id).in_(brands))


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
