"""The queue: which cases wait for whom, in the order of how pressing they are, a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlmodel import col

from listener.domain import score
from listener.domain.brand import Brand
from listener.domain.case import Case, Status
from listener.domain.mention import Mention
from listener.domain.note import Call
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.tag import CaseTag
from listener.store import crises
from listener.store.listed import Lately, Row, rows
from listener.store.search import cases_saying
from listener.store.session import AsyncSession, bulk

PAGE: Final = 50
SOON: Final = timedelta(hours=1)

# Written out, never a parameter: only so does a database see that the small index of what is
# not closed will do.
UNCLOSED: Final[ColumnElement[Any]] = literal_column("cases.status <> 'closed'")


class Queue(StrEnum):
    """Lists of cases that staff work through."""

    MINE = "mine"  # and where a note calls me
    UNOWNED = "unowned"
    DUE = "due"
    UNSURE = "unsure"
    WAITING = "waiting"  # answered: the customer's turn
    SNOOZED = "snoozed"
    DONE = "done"  # today
    ALL = "all"  # whatever is not closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom a list is made: who they are, what they may see, when their day began."""

    staff_id: int
    brands: Collection[int] | None = None  # None: all
    now: datetime
    today: datetime  # when "today" began where they sit

    @property
    def known(self) -> dict[str, Any]:
        """What questions that are written for anybody need to know of them."""
        who = {"staff_id": self.staff_id, "now": self.now, "soon": self.soon, "today": self.today}
        return who if self.brands is None else who | {"brands": list(self.brands)}

    @property
    def soon(self) -> datetime:
        """What is due by then is due soon."""
        return self.now + SOON


@dataclass(frozen=True, slots=True, kw_only=True)
class Anybody:
    """A viewer who is not known yet: what is written for them is filled in when it is asked."""

    staff_id: Any = field(default_factory=lambda: bindparam("staff_id"))
    now: Any = field(default_factory=lambda: bindparam("now"))
    soon: Any = field(default_factory=lambda: bindparam("soon"))
    today: Any = field(default_factory=lambda: bindparam("today"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of a queue's cases are wanted; None is all."""

    brand: str | None = None
    place: str | None = None  # a connector
    source: str | None = None
    language: str | None = None
    stars: float | None = None  # at most
    reach: int | None = None  # at least
    age: timedelta | None = None  # opened at least so long ago
    owner: str | None = None
    tag: str | None = None
    crisis: int | None = None
    words: str = ""  # all of them in one mention of the case


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins; None when there is none."""

    rows: Sequence[Row] = field(default=())
    after: str | None = None


async def counts(session: AsyncSession, viewer: Viewer) -> dict[Queue, int]:
    """How many cases are in each queue: one pass over those that are not closed."""
    counting = _counting(walled=viewer.brands is not None)
    row = (await bulk(session, counting, viewer.known)).one()
    return {queue: int(getattr(row, queue.value)) for queue in Queue}


@cache
def _counting(*, walled: bool) -> sa.Select[*tuple[Any, ...]]:
    """The question, written once: every page asks it, and writing it costs more than the answer."""
    viewer = Anybody()
    walls = _walls(walled=walled)
    done = (
        select(func.count())
        .select_from(Case)
        .where(*belongs(Queue.DONE, viewer), *walls)
        .scalar_subquery()
    )
    open_queues = [queue for queue in Queue if queue is not Queue.DONE]
    counted: sa.Select[*tuple[Any, ...]] = select(
        *(
            func.count(case((and_(*belongs(queue, viewer)), 1))).label(queue.value)
            for queue in open_queues
        ),
        done.label(Queue.DONE.value),
    )
    return counted.where(UNCLOSED, *walls)


async def page(
    session: AsyncSession,
    queue: Queue,
    viewer: Viewer,
    filters: Filters | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
    lately: Lately | None = None,
) -> Page:
    """A queue's next cases, most pressing first; what was done today, the latest first.

    With `lately` rows that say what they said a moment ago are not made anew.
    """
    begins = read(after)
    known: dict[str, Any] = viewer.known | {"most": limit + 1}
    if begins is not None:
        known |= {"last": begins[0], "last_id": begins[1]}
    usual = _listed(
        queue, walled=viewer.brands is not None, on=begins is not None, sqlite=on_sqlite(session)
    )
    found = (await bulk(session, usual.where(*fitting(session, filters, viewer.now)), known)).all()
    ids = [one.id for one in found[:limit]]
    more = len(found) > limit
    return Page(
        rows=await rows(session, ids, now=viewer.now, lately=lately),
        after=f"{found[limit - 1].place}.{found[limit - 1].id}" if more else None,
    )


@cache
def _listed(queue: Queue, *, walled: bool, on: bool, sqlite: bool) -> sa.Select[*tuple[Any, ...]]:
    """The question for a queue's cases, written once; `on` from where a page ended."""
    chosen = [*belongs(queue, Anybody()), *_walls(walled=walled)]
    if queue is not Queue.DONE:
        chosen = [UNCLOSED, *chosen]
    order = (
        -seconds(Case.closed_at, sqlite=sqlite) if queue is Queue.DONE else ranking(sqlite=sqlite)
    )
    place, number = order.label("place"), col(Case.id)
    if on:
        last: Any = bindparam("last", type_=sa.BigInteger())
        chosen.append(or_(order > last, and_(order == last, number > bindparam("last_id"))))
    wanted: sa.Select[*tuple[Any, ...]] = select(number.label("id"), place).where(*chosen)
    return wanted.order_by(place, number).limit(bindparam("most"))


async def free(
    session: AsyncSession, viewer: Viewer, filters: Filters | None = None, *, limit: int = 1
) -> Sequence[int]:
    """The most pressing cases that nobody owns, for "take next"; unsure ones come last."""
    chosen = [
        UNCLOSED,
        col(Case.status) == Status.OPEN,
        ~asleep(viewer.now),
        *within(viewer.brands),
        *fitting(session, filters, viewer.now),
    ]
    wanted: Any = (
        select(col(Case.id))
        .where(*chosen)
        .order_by(ranking(sqlite=on_sqlite(session)), col(Case.id))
    )
    return list((await bulk(session, wanted.limit(limit))).scalars())


# --- what a queue is


def belongs(queue: Queue, viewer: Viewer | Anybody) -> list[ColumnElement[bool]]:
    """What makes a case belong to a queue."""
    status = col(Case.status)
    awake = ~asleep(viewer.now)
    at_work = status.in_((Status.OPEN, Status.OWNED))
    match queue:
        case Queue.MINE:
            owned = and_(status == Status.OWNED, col(Case.owner_id) == viewer.staff_id)
            calls = select(col(Call.case_id)).where(
                col(Call.staff_id) == viewer.staff_id, col(Call.seen_at).is_(None)
            )
            return [
                or_(owned, and_(status != Status.CLOSED, col(Case.id).in_(calls))),
                awake,
            ]
        case Queue.UNOWNED:
            return [status == Status.OPEN, col(Case.unsure).is_(False), awake]
        case Queue.DUE:
            return [at_work, col(Case.due_at) <= viewer.soon, awake]
        case Queue.UNSURE:
            return [at_work, col(Case.unsure).is_(True), awake]
        case Queue.WAITING:
            return [status == Status.ANSWERED, awake]
        case Queue.SNOOZED:
            return [status != Status.CLOSED, asleep(viewer.now)]
        case Queue.DONE:
            return [status == Status.CLOSED, col(Case.closed_at) >= viewer.today]
        case Queue.ALL:
            return [status != Status.CLOSED]


def asleep(now: datetime) -> ColumnElement[bool]:
    """Whether somebody has put a case off, and its time has not come."""
    return and_(col(Case.snoozed_until).is_not(None), col(Case.snoozed_until) > now)


def within(brands: Collection[int] | None) -> list[ColumnElement[bool]]:
    """The walls between brands."""
    return [] if brands is None else [col(Case.brand_id).in_(brands)]


def _walls(*, walled: bool) -> list[ColumnElement[bool]]:
    """The same, for anybody who has walls."""
    return [col(Case.brand_id).in_(bindparam("brands", expanding=True))] if walled else []


def fitting(
    session: AsyncSession, filters: Filters | None, now: datetime
) -> list[ColumnElement[bool]]:
    """What the filters ask of a case, and of any one mention of it."""
    if filters is None:
        return []
    asked: list[ColumnElement[bool]] = []
    if filters.brand is not None:
        named = select(col(Brand.id)).where(col(Brand.name) == filters.brand)
        asked.append(col(Case.brand_id).in_(named))
    if filters.owner is not None:
        person = select(col(Staff.id)).where(col(Staff.name) == filters.owner)
        asked.append(col(Case.owner_id).in_(person))
    if filters.tag is not None:
        tagged = select(col(CaseTag.case_id)).where(col(CaseTag.tag) == filters.tag)
        asked.append(col(Case.id).in_(tagged))
    if filters.crisis is not None:
        asked.append(col(Case.id).in_(crises.cases_of(filters.crisis)))
    if filters.age is not None:
        asked.append(col(Case.opened_at) <= now - filters.age)
    if filters.words.strip():
        said = cases_saying(session, filters.words)
        asked.append(sa.false() if said is None else col(Case.id).in_(said))
    of_mention = saying(filters)
    if of_mention:
        asked.append(exists().where(col(Mention.case_id) == col(Case.id), *of_mention))
    return asked


def saying(filters: Filters) -> list[ColumnElement[bool]]:
    """What the filters ask of a mention."""
    asked: list[ColumnElement[bool]] = []
    if filters.place is not None:
        asked.append(col(Mention.connector) == filters.place)
    if filters.source is not None:
        source = select(col(Source.id)).where(col(Source.name) == filters.source)
        asked.append(col(Mention.source_id) == source.scalar_subquery())
    if filters.language is not None:
        asked.append(col(Mention.language) == filters.language)
    if filters.stars is not None:
        lowest, highest = col(Mention.rating_lowest), col(Mention.rating_highest)
        share = (col(Mention.rating) - lowest) / func.nullif(highest - lowest, 0.0)
        asked.append(1 + 4 * share <= filters.stars)
    if filters.reach is not None:
        reach = (col(Mention.reach), col(Mention.author_reach))
        asked.append(or_(*(one >= filters.reach for one in reach)))
    return asked


# --- the order


def ranking(*, sqlite: bool) -> ColumnElement[int]:
    """`score.rank`, as the database reckons it."""
    since = seconds(func.coalesce(col(Case.due_at), col(Case.opened_at)), sqlite=sqlite)
    sooner = col(Case.priority) * int(score.POINT.total_seconds()) + case(
        (col(Case.urgent), int(score.URGENT.total_seconds())), else_=0
    )
    behind = case((col(Case.unsure), literal_column(str(score.LAST), sa.BigInteger())), else_=0)
    return behind + since - sooner


def on_sqlite(session: AsyncSession) -> bool:
    """Whether it is the embedded database that is asked."""
    return session.get_bind().dialect.name == "sqlite"


def seconds(moment: Any, *, sqlite: bool) -> ColumnElement[int]:
    """A moment as whole seconds of the epoch."""
    if sqlite:
        return sa.cast(func.strftime("%s", moment), sa.BigInteger())
    return sa.cast(func.floor(sa.extract("epoch", moment)), sa.BigInteger())


def read(after: str | None) -> tuple[int, int] | None:
    """Where a page begins; a mark that nobody of ours wrote begins at the beginning."""
    place, _, number = (after or "").rpartition(".")
    try:
        begins = int(place), int(number)
    except ValueError:
        return None
    fits = all(abs(part) < 2**62 for part in begins)
    return begins if fits else None
