"""Digests: what a brand's digest is made of, a question each."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    not_,
    or_,
)
from sqlmodel import col, select

from listener.domain.alarm import Alarm, sentence
from listener.domain.brand import Brand
from listener.domain.case import FINAL, Case, Outcome, Status
from listener.domain.cause import Said
from listener.domain.deadline import Clock
from listener.domain.digest import Counted, First, Gap, Praise, Risk, shortened
from listener.domain.event import Event, What
from listener.domain.mention import Mention, Revision, words_of
from listener.domain.miss import Miss
from listener.domain.picture import Quarter
from listener.domain.source import Source
from listener.domain.span import Stretch
from listener.domain.staff import Staff
from listener.domain.theme import Belonging, Theme
from listener.store import coverage
from listener.store.session import AsyncSession, bulk
from models.verdict import Feeling

LETTERS: Final = 2_000  # of each post that is looked at: thousands of long ones fill the memory
PORTION: Final = 10_000  # numbers in one question
MOST_LOOKED_AT: Final = 2_000  # complaints, and as many others, among which causes are looked for
ANSWERED: Final = (Outcome.ANSWERED, Outcome.ANSWERED_ELSEWHERE)
SPREADS: Final = 3  # who say it, from which on a case is said to spread


def within(stretch: Stretch) -> ColumnElement[bool]:
    """What was published in it."""
    published = col(Mention.published_at)
    return and_(published >= stretch.starts, published < stretch.ends)


def spoken(brand: Brand) -> list[ColumnElement[bool]]:
    """What others said of a brand, and a model has judged."""
    return [
        col(Mention.brand_id) == brand.key,
        col(Mention.ours).is_(False),
        col(Mention.judged_at).is_not(None),
    ]


def complains() -> ColumnElement[bool]:
    """A complaint: flagged, and no person has said that it is none."""
    return and_(
        col(Mention.flagged).is_(True),
        or_(col(Case.outcome).is_(None), col(Case.outcome).not_in(FINAL)),
    )


async def counts(
    session: AsyncSession, brand: Brand, stretches: Sequence[Stretch]
) -> list[dict[str, Counted]]:
    """What was said in each of these stretches, by source: one look at them all."""
    number = case(*((within(one), index) for index, one in enumerate(stretches)))
    found: Any = (
        select(
            number.label("stretch"),
            col(Source.name),
            func.count(),
            func.count(case((complains(), 1))),
        )
        .select_from(Mention)
        .join(Source, col(Source.id) == col(Mention.source_id))
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(*spoken(brand), or_(*map(within, stretches)))
        .group_by("stretch", col(Source.name))
    )
    counted: list[dict[str, Counted]] = [{} for _ in stretches]
    for row in await bulk(session, found):
        stretch, source, mentions, complaints = tuple(row)
        counted[stretch][source] = Counted(mentions, complaints)
    return counted


async def begun(session: AsyncSession, brand: Brand) -> datetime | None:
    """When the first of a brand's mentions was published that was not late; None before it."""
    first = select(func.min(Mention.published_at)).where(
        col(Mention.brand_id) == brand.key, col(Mention.late).is_(False)
    )
    found: datetime | None = (await session.exec(first)).one()
    return found


async def texts(
    session: AsyncSession, brand: Brand, stretch: Stretch
) -> tuple[list[Said], list[str]]:
    """The complaints of a stretch, the newest first, and what else was said since four of them."""
    beginning = func.substr(col(Mention.text), 1, LETTERS).label("text")
    asked = (
        col(Mention.id), col(Mention.title), beginning, col(Mention.connector),
        col(Mention.author_id), col(Mention.case_id),
    )  # fmt: skip
    whole = (*spoken(brand), col(Mention.deleted_at).is_(None), col(Mention.purged_at).is_(None))
    complaints: Any = (
        select(*asked)  # type: ignore[call-overload]
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(*whole, within(stretch), complains())
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(MOST_LOOKED_AT)
    )
    earlier = stretch.starts - 4 * (stretch.ends - stretch.starts)
    others: Any = (
        select(col(Mention.title), beginning)
        .where(
            *whole,
            col(Mention.published_at) >= earlier,
            col(Mention.published_at) < stretch.ends,
            col(Mention.flagged).is_(False),
        )
        .order_by(col(Mention.published_at).desc())
        .limit(MOST_LOOKED_AT)
    )
    return (
        [
            Said(one.id, words_of(one.title, one.text), f"{one.connector}/{one.author_id or one.id}",
                 one.case_id)
            for one in await bulk(session, complaints)
        ],
        [words_of(one.title, one.text) for one in await bulk(session, others)],
    )  # fmt: skip


async def overdue(session: AsyncSession, brand: Brand, *, now: datetime) -> list[Risk]:
    """The cases that should have been answered by now, the longest overdue first."""
    waiting = col(Case.status).in_((Status.OPEN, Status.OWNED))
    return await risks(session, brand, [waiting, col(Case.due_at) < now], order=col(Case.due_at))


async def oldest(session: AsyncSession, brand: Brand) -> Risk | None:
    """The case that has waited longest for an answer."""
    waiting = col(Case.status).in_((Status.OPEN, Status.OWNED))
    found = await risks(
        session, brand, [waiting, col(Case.unsure).is_(False)], order=col(Case.opened_at), most=1
    )
    return found[0] if found else None


async def spreading(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[Risk]:
    """The cases that are not closed and that several have joined in this stretch."""
    joined = (
        select(Event.case_id)
        .join(Case, col(Case.id) == col(Event.case_id))
        .where(
            Event.what == What.JOINED,
            col(Event.at) >= stretch.starts,
            col(Event.at) < stretch.ends,
            Case.brand_id == brand.key,
        )
    )
    asked = [
        col(Case.status) != Status.CLOSED,
        col(Case.mentions) >= SPREADS,
        col(Case.id).in_(joined),
    ]
    return await risks(session, brand, asked, order=col(Case.mentions).desc())


async def risks(
    session: AsyncSession,
    brand: Brand,
    asked: Collection[ColumnElement[bool]],
    *,
    order: Any,
    most: int | None = None,
) -> list[Risk]:
    """Cases of a brand, each with who said it first."""
    first = (
        select(func.min(Mention.id))
        .where(col(Mention.case_id) == col(Case.id))
        .correlate(Case)
        .scalar_subquery()
    )
    # Two questions, of plain columns: asked as one, PostgreSQL goes through all mentions there are,
    # and as objects thousands that are overdue are most of a digest's time.
    found: Any = (
        sa.select(
            col(Case.id),
            col(Case.opened_at),
            col(Case.due_at),
            col(Case.mentions),
            col(Staff.name).label("owner"),
            first.label("first"),
        )
        .outerjoin(Staff, col(Staff.id) == col(Case.owner_id))
        .where(col(Case.brand_id) == brand.key, *asked)
        .order_by(order, col(Case.id))
    )
    cases = (await bulk(session, found if most is None else found.limit(most))).all()
    said = await spoken_by(session, [one.first for one in cases if one.first is not None])
    return [
        Risk(
            case_id=one.id,
            author=its.author_name or its.author_handle,
            source=its.source,
            words="" if its.deleted_at else shortened(words_of(its.title, its.text), 140),
            owner=one.owner,
            opened_at=one.opened_at,
            due_at=one.due_at,
            mentions=one.mentions,
        )
        for one in cases
        if (its := said.get(one.first)) is not None
    ]


async def spoken_by(session: AsyncSession, mention_ids: Sequence[int]) -> dict[int, Any]:
    """Who said these mentions, where, and in what words, by number."""
    said: dict[int, Any] = {}
    for start in range(0, len(mention_ids), PORTION):
        asked: Any = (
            sa.select(
                col(Mention.id),
                col(Mention.author_name),
                col(Mention.author_handle),
                col(Mention.deleted_at),
                col(Mention.title),
                sa.func.substr(col(Mention.text), 1, LETTERS).label("text"),
                col(Source.name).label("source"),
            )
            .join(Source, col(Source.id) == col(Mention.source_id))
            .where(col(Mention.id).in_(mention_ids[start : start + PORTION]))
        )
        said |= {row.id: row for row in await bulk(session, asked)}
    return said


async def firsts(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[First]:
    """The first answers that were given in a stretch, the longest waited for first."""
    answered = (
        select(col(Event.case_id).label("case_id"), func.min(Event.at).label("at"))
        .join(Case, col(Case.id) == col(Event.case_id))
        .where(
            or_(
                col(Event.what) == What.ANSWERED,
                # Answered where we cannot look: whoever closed it says so.
                and_(col(Event.what) == What.CLOSED, col(Case.outcome).in_(ANSWERED)),
            ),
            Case.brand_id == brand.key,
        )
        .group_by(col(Event.case_id))
        .subquery()
    )
    author = (
        select(func.coalesce(func.nullif(col(Mention.author_name), ""), col(Mention.author_handle)))
        .where(col(Mention.case_id) == col(Case.id))
        .order_by(col(Mention.id))
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    # By the hours of today: one that was found in time afterwards is none any more.
    missed = exists().where(
        col(Miss.case_id) == col(Case.id),
        col(Miss.clock) == Clock.FIRST,
        col(Miss.withdrawn_at).is_(None),
    )
    found: Any = (
        select(Case, answered.c.at, author, missed)
        .join(answered, answered.c.case_id == col(Case.id))
        .where(answered.c.at >= stretch.starts, answered.c.at < stretch.ends)
    )
    listed = [
        First(
            case_id=one.key,
            author=name or "",
            waited=max(at - one.opened_at, timedelta()),
            late=late,
        )
        for one, at, name, late in await session.exec(found)
    ]
    return sorted(listed, key=lambda one: (-one.waited, one.case_id))


async def ends(session: AsyncSession, brand: Brand, stretch: Stretch) -> tuple[int, int]:
    """Of the cases: how many opened in it still wait, and how many were closed in it."""
    opened = and_(col(Case.opened_at) >= stretch.starts, col(Case.opened_at) < stretch.ends)
    closed = and_(col(Case.closed_at) >= stretch.starts, col(Case.closed_at) < stretch.ends)
    waits = and_(opened, col(Case.status).in_((Status.OPEN, Status.OWNED)))
    found: Any = select(func.count(case((waits, 1))), func.count(case((closed, 1)))).where(
        col(Case.brand_id) == brand.key, or_(opened, closed)
    )
    waiting, over = tuple((await bulk(session, found)).one())
    return waiting, over


async def won_back(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[Praise]:
    """Who raised their rating in this stretch, after we had answered."""
    found: Any = (
        select(Mention, col(Source.name))
        .join(Revision, col(Revision.mention_id) == col(Mention.id))
        .join(Case, col(Case.id) == col(Mention.case_id))
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(
            *spoken(brand),
            col(Revision.replaced_at) >= stretch.starts,
            col(Revision.replaced_at) < stretch.ends,
            col(Revision.rating) < col(Mention.rating),
            col(Case.answered_at) < col(Revision.replaced_at),
        )
        .order_by(col(Mention.id))
    )
    return [kind(mention, source) for mention, source in await once(session, found)]


async def praise(
    session: AsyncSession, brand: Brand, stretch: Stretch, *, most: int = 2
) -> list[Praise]:
    """The kindest words that most people may have read."""
    heard = func.coalesce(col(Mention.reach), col(Mention.author_reach), 0)
    found: Any = (
        select(Mention, col(Source.name))
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(
            *spoken(brand),
            within(stretch),
            col(Mention.feeling) == Feeling.POSITIVE,
            col(Mention.flagged).is_(False),
            col(Mention.deleted_at).is_(None),
            col(Mention.purged_at).is_(None),
            func.length(col(Mention.text)) >= 20,
        )
        .order_by(heard.desc(), col(Mention.complaint), col(Mention.id).desc())
        .limit(most)
    )
    return [kind(mention, source) for mention, source in await session.exec(found)]


async def once(session: AsyncSession, found: Any) -> list[tuple[Mention, str]]:
    """Each mention once, whatever number of its revisions was found."""
    rows = {mention.key: (mention, source) for mention, source in await session.exec(found)}
    return list(rows.values())


def kind(mention: Mention, source: str) -> Praise:
    """A mention as kind words."""
    return Praise(
        mention_id=mention.key,
        author=mention.author_name or mention.author_handle,
        source=source,
        words=shortened(mention.words),
        url=mention.url,
    )


async def quarters(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[Quarter]:
    """What was said in every quarter of an hour of a stretch; those without a word are left out."""
    quarter = quarter_of(session)
    kind = and_(col(Mention.feeling) == Feeling.POSITIVE, not_(func.coalesce(complains(), False)))
    found: Any = (
        select(
            quarter.label("quarter"),
            func.count(case((complains(), 1))).label("complaints"),
            func.count(case((kind, 1))).label("praise"),
            func.count().label("total"),
        )
        .select_from(Mention)
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(*spoken(brand), within(stretch))
        .group_by("quarter")
    )
    return [
        Quarter(
            datetime.fromtimestamp(int(row.quarter) * 900, UTC),
            row.complaints,
            row.praise,
            row.total - row.complaints - row.praise,
        )
        for row in await bulk(session, found)
    ]


async def threads(
    session: AsyncSession, brand: Brand, stretch: Stretch
) -> tuple[list[tuple[int, datetime, int]], dict[int, str]]:
    """How often each theme was complained of in every quarter of an hour, and their names.

    Quiet themes are left out, as everywhere in a digest.
    """
    quarter = quarter_of(session)
    found: Any = (
        select(Theme.id, Theme.name, quarter.label("quarter"), func.count().label("number"))
        .select_from(Mention)
        .join(Belonging, col(Belonging.mention_id) == col(Mention.id))
        .join(Theme, col(Theme.id) == col(Belonging.theme_id))
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(
            *spoken(brand),
            within(stretch),
            complains(),
            col(Theme.merged_into).is_(None),
            col(Theme.muted).is_(False),
        )
        .group_by(col(Theme.id), col(Theme.name), "quarter")
    )
    rows = (await bulk(session, found)).all()
    said = [
        (row.id, datetime.fromtimestamp(int(row.quarter) * 900, UTC), row.number) for row in rows
    ]
    return said, {row.id: row.name for row in rows}


def quarter_of(session: AsyncSession) -> Any:
    """The quarter of an hour in which a mention was published, counted from the epoch."""
    published = col(Mention.published_at)
    if session.get_bind().dialect.name == "sqlite":
        seconds = cast(func.strftime("%s", published), Integer)
        return seconds // literal_column("900", Integer)
    return cast(func.floor(func.extract("epoch", published) / 900), Integer)


async def rang(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[tuple[datetime, str]]:
    """When alarms about a brand were raised in a stretch, and what each says."""
    found = await session.exec(
        select(Alarm, Source.name, Theme.name)
        .outerjoin(Source, col(Source.id) == col(Alarm.source_id))
        .outerjoin(Theme, col(Theme.id) == col(Alarm.theme_id))
        .where(
            Alarm.brand_id == brand.key,
            col(Alarm.raised_at) >= stretch.starts,
            col(Alarm.raised_at) < stretch.ends,
        )
        .order_by(col(Alarm.id))
    )
    return [(alarm.raised_at, sentence(alarm, source, theme)) for alarm, source, theme in found]


async def listened(session: AsyncSession, brand: Brand) -> list[Source]:
    """The sources that a brand is listened to on, by name."""
    every = await session.exec(select(Source).where(col(Source.active)).order_by(Source.name))
    return [one for one in every if one.brands is None or brand.key in one.brands]


async def gaps(session: AsyncSession, brand: Brand, stretch: Stretch) -> tuple[int, list[Gap]]:
    """How many sources a brand is listened to on, and what of this stretch was not read.

    Before the moment from which a source is listened to nothing was read either.
    """
    ours = await listened(session, brand)
    found = [
        Gap(source=one.name, start=max(gap.start, stretch.starts), end=min(gap.end, stretch.ends))
        for one in ours
        for gap in await coverage.gaps_of(session, one, since=stretch.starts)
        if gap.start < stretch.ends and gap.end > stretch.starts
    ]
    return len(ours), found
