"""Themes: which brands are to be looked through, what was found, and what people see of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import insert, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import FINAL, Case
from listener.domain.cause import Said, clearest
from listener.domain.likeness import is_repost
from listener.domain.mention import Mention, words_of
from listener.domain.staff import Staff
from listener.domain.theme import (
    LOOKED_THROUGH,
    WINDOW,
    Became,
    Belonging,
    Theme,
    ThemeEvent,
    ThemeLook,
)
from listener.store import embeddings
from listener.store.session import AsyncSession, bulk, locked_for_update

MOST: Final = LOOKED_THROUGH
LETTERS: Final = 2_000  # of each post; who complains says so before
LEASE: Final = timedelta(minutes=2)
ON_ITS_WAY: Final = timedelta(minutes=1)  # a verdict may be kept later than its own time says
LATELY: Final = timedelta(days=2)  # what is older when it is judged waits for the next look


@dataclass(frozen=True, slots=True)
class Heard:
    """A brand's complaints of late, the first first, and what models say of their meaning."""

    brand: Brand
    said: Sequence[Said]
    at: Mapping[int, datetime]  # when each was published
    meanings: Mapping[int, bytes]
    others: Sequence[str]  # posts that complain of nothing
    standing: Mapping[int, set[int]]  # the mentions of each theme that is no part of another
    model: str  # whose meanings they are
    by_hand: Collection[int]  # themes of which people have said what belongs to them


@dataclass(frozen=True, slots=True)
class Shown:
    """A theme as people see it."""

    theme: Theme
    brand: str
    owner: str | None  # who sees to it
    mentions: int
    places: Sequence[tuple[str, int]]
    quote: Mention | None
    cases: Sequence[int]  # that are not closed


async def due(session: AsyncSession, *, now: datetime, limit: int) -> list[int]:
    """Brands of which there is a complaint that nobody has looked through."""
    look = ThemeLook
    asked: Any = (
        select(Mention.brand_id)
        .outerjoin(look, col(look.brand_id) == col(Mention.brand_id))
        .where(
            col(Mention.flagged).is_(True),
            or_(
                sa.and_(col(look.looked_at).is_(None), col(Mention.published_at) >= now - WINDOW),
                sa.and_(
                    col(Mention.published_at) >= now - LATELY,
                    col(Mention.judged_at) > col(look.looked_at),
                ),
            ),
            or_(col(look.taken_until).is_(None), col(look.taken_until) <= now),
        )
        .distinct()
        .limit(limit)
    )
    return list((await session.exec(asked)).all())


async def take(session: AsyncSession, brand_id: int, *, now: datetime) -> bool:
    """Take a brand for as long as a lease lasts; False where another has it."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table = ThemeLook.__table__  # type: ignore[attr-defined]
    await session.exec(dialect.insert(table).values(brand_id=brand_id).on_conflict_do_nothing())
    free = select(ThemeLook).where(
        ThemeLook.brand_id == brand_id,
        or_(col(ThemeLook.taken_until).is_(None), col(ThemeLook.taken_until) <= now),
    )
    look = (await session.exec(locked_for_update(free, session))).first()
    if look is None:
        return False
    look.taken_until = now + LEASE
    return True


async def done(session: AsyncSession, brand_id: int, *, taken: datetime) -> bool:
    """Note that a brand was looked through as it was then; False where the lease is another's."""
    made: Any = await session.exec(
        update(ThemeLook)
        .where(
            col(ThemeLook.brand_id) == brand_id,
            col(ThemeLook.taken_until) == taken + LEASE,
        )
        .values(looked_at=taken - ON_ITS_WAY, taken_until=None)
    )
    return bool(made.rowcount)


def beginning() -> sa.ColumnElement[Any]:
    """As much of a text as is looked at: thousands of long ones would fill the memory."""
    return sa.func.substr(col(Mention.text), 1, LETTERS).label("text")


async def heard(session: AsyncSession, brand_id: int, *, now: datetime) -> Heard:
    """What themes of a brand are made of."""
    brand = await session.get_one(Brand, brand_id)
    lately = (
        col(Mention.brand_id) == brand_id,
        col(Mention.published_at) >= now - WINDOW,
        col(Mention.deleted_at).is_(None),
        col(Mention.purged_at).is_(None),
        col(Mention.ours).is_(False),
    )
    asked = (
        col(Mention.id), col(Mention.title), beginning(), col(Mention.connector),
        col(Mention.author_id), col(Mention.case_id), col(Mention.published_at), col(Mention.model),
    )  # fmt: skip
    complaints: Any = (
        sa.select(*asked)
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(
            *lately,
            # What a person, or a copy that the model was sure of, has shown to be a complaint.
            or_(
                col(Mention.flagged).is_(True),
                sa.and_(col(Mention.unsure).is_(True), col(Case.unsure).is_(False)),
            ),
            or_(col(Case.outcome).is_(None), col(Case.outcome).not_in(FINAL)),
        )
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(MOST)
    )
    rows = (await bulk(session, complaints)).all()[::-1]
    kind: Any = (
        sa.select(col(Mention.title), beginning())
        .where(*lately, col(Mention.flagged).is_(False))
        .order_by(col(Mention.published_at).desc())
        .limit(MOST)
    )
    model = rows[-1].model if rows else ""
    standing: dict[int, set[int]] = {}
    belongs: Any = (
        sa.select(col(Belonging.theme_id), col(Belonging.mention_id), col(Theme.by_hand))
        .join(Theme, col(Theme.id) == col(Belonging.theme_id))
        .where(col(Theme.brand_id) == brand_id, col(Theme.merged_into).is_(None))
    )
    by_hand: set[int] = set()
    for row in await bulk(session, belongs):
        standing.setdefault(row.theme_id, set()).add(row.mention_id)
        if row.by_hand:
            by_hand.add(row.theme_id)
    return Heard(
        brand,
        [Said(one.id, words_of(one.title, one.text), by(one), one.case_id) for one in rows],
        {one.id: one.published_at for one in rows},
        await embeddings.of(session, [one.id for one in rows], model or ""),
        [words_of(one.title, one.text) for one in await bulk(session, kind)],
        standing,
        model or "",
        by_hand,
    )


def by(row: Any) -> str:
    """Who said something, the same for the same author; a mention without one is its own."""
    return f"{row.connector}/{row.author_id or row.id}"


async def belong(
    session: AsyncSession, theme_id: int, mention_ids: Collection[int], *, now: datetime
) -> None:
    """Say of mentions that they are a theme's, and of no other."""
    known = set(
        await session.exec(
            select(Belonging.mention_id).where(col(Belonging.mention_id).in_(mention_ids))
        )
    )
    await session.exec(
        update(Belonging)
        .where(col(Belonging.mention_id).in_(known))
        .values(theme_id=theme_id)
        .execution_options(synchronize_session=False)
    )
    new = sorted(set(mention_ids) - known)
    if new:
        rows = [{"mention_id": one, "theme_id": theme_id, "since": now} for one in new]
        await bulk(session, insert(Belonging), rows)


async def mentions_of(session: AsyncSession, theme_id: int) -> set[int]:
    """The numbers of a theme's mentions."""
    found = await session.exec(select(Belonging.mention_id).where(Belonging.theme_id == theme_id))
    return set(found)


async def interrupt(session: AsyncSession, theme_id: int) -> None:
    """Let a look that is under way keep nothing: what it saw is not what people say now.

    Called first of all, since a look takes its brand before it takes themes.
    """
    brand = sa.select(col(Theme.brand_id)).where(col(Theme.id) == theme_id).scalar_subquery()
    await session.exec(
        update(ThemeLook)
        .where(col(ThemeLook.brand_id) == brand)
        .values(taken_until=None)
        .execution_options(synchronize_session=False)
    )


async def go_over(session: AsyncSession, theme_id: int, into: int) -> None:
    """What was one theme's is another's."""
    await session.exec(
        update(Belonging)
        .where(col(Belonging.theme_id) == theme_id)
        .values(theme_id=into)
        .execution_options(synchronize_session=False)
    )


async def of_brand(session: AsyncSession, brand_id: int) -> dict[int, Theme]:
    """The themes of a brand that have not become others, by number."""
    rows = await session.exec(
        select(Theme).where(Theme.brand_id == brand_id, col(Theme.merged_into).is_(None))
    )
    return {theme.key: theme for theme in rows}


async def of_case(session: AsyncSession, case_id: int) -> Theme | None:
    """The theme of a case's mentions that most people share; none that is over or quiet."""
    theme: Theme | None = (await session.exec(_shared(), params={"case": case_id})).first()
    return theme


@cache
def _shared() -> Any:
    """The question, written once: every page of a case asks it."""
    return (
        select(Theme)
        .join(Belonging, col(Belonging.theme_id) == col(Theme.id))
        .join(Mention, col(Mention.id) == col(Belonging.mention_id))
        .where(
            col(Mention.case_id) == sa.bindparam("case"),
            col(Theme.ended_at).is_(None),
            col(Theme.muted).is_(False),
        )
        .order_by(col(Theme.people).desc(), col(Theme.id))
        .limit(1)
    )


async def seen_to(
    session: AsyncSession, numbers: Collection[int]
) -> dict[int, tuple[str | None, str | None]]:
    """Who sees to each of these themes, and where."""
    found: Any = (
        sa.select(col(Theme.id), col(Staff.name), col(Theme.link))
        .outerjoin(Staff, col(Staff.id) == col(Theme.owner_id))
        .where(col(Theme.id).in_(numbers))
    )
    return {row.id: (row.name, row.link) for row in await bulk(session, found)}


async def of_mentions(session: AsyncSession, brand_id: int) -> dict[int, Theme]:
    """Which theme each of a brand's mentions is of; quiet ones count as none."""
    found: Any = (
        select(col(Belonging.mention_id), Theme)
        .join(Theme, col(Theme.id) == col(Belonging.theme_id))
        .where(
            col(Theme.brand_id) == brand_id,
            col(Theme.merged_into).is_(None),
            col(Theme.muted).is_(False),
        )
    )
    return {number: theme for number, theme in (await session.exec(found)).all()}  # noqa: C416


async def one(session: AsyncSession, number: int, *, lock: bool = True) -> Theme | None:
    """A theme, locked until the transaction ends."""
    return await session.get(Theme, number, with_for_update=True if lock else None)


async def reckon(session: AsyncSession, theme: Theme, *, now: datetime) -> None:
    """Count anew who says it, and choose its quote, after mentions came or went by hand."""
    rows: Any = (
        sa.select(
            col(Mention.id), col(Mention.connector), col(Mention.author_id), col(Mention.title),
            beginning(), col(Mention.published_at),
        )
        .join(Belonging, col(Belonging.mention_id) == col(Mention.id))
        .where(col(Belonging.theme_id) == theme.key, *there())
        .order_by(col(Mention.id))
    )  # fmt: skip
    said = (await bulk(session, rows)).all()
    theme.people = len({by(one) for one in said if one.published_at >= now - WINDOW})
    if said:
        theme.last_at = max(one.published_at for one in said)
    if theme.quote_id not in {one.id for one in said}:
        best = clearest([Said(one.id, words_of(one.title, one.text), by(one)) for one in said])
        theme.quote_id = best[0].mention_id if best else None


async def begins(session: AsyncSession, theme_id: int, *, otherwise: datetime) -> datetime:
    """When the first of a theme's mentions was published."""
    first: Any = (
        sa.select(sa.func.min(col(Mention.published_at)))
        .join(Belonging, col(Belonging.mention_id) == col(Mention.id))
        .where(col(Belonging.theme_id) == theme_id)
    )
    found: datetime | None = (await bulk(session, first)).scalar_one_or_none()
    return found or otherwise


def there() -> tuple[sa.ColumnElement[bool], ...]:
    """What is asked of a mention whose words can be shown."""
    return col(Mention.deleted_at).is_(None), col(Mention.purged_at).is_(None)


def record(
    session: AsyncSession,
    theme_id: int,
    what: Became,
    *,
    now: datetime,
    other: int | None = None,
    words: str | None = None,
    staff_id: int | None = None,
) -> None:
    """Add a line to a theme's history."""
    session.add(
        ThemeEvent(
            theme_id=theme_id, at=now, what=what, other=other, words=words, staff_id=staff_id
        )
    )


async def shown(
    session: AsyncSession, *, brands: Collection[int] | None, limit: int
) -> list[Shown]:
    """Themes that are not over, those that most people share first; muted ones last."""
    asked: Any = (
        select(Theme, Brand.name, Staff.name)
        .join(Brand, col(Brand.id) == col(Theme.brand_id))
        .outerjoin(Staff, col(Staff.id) == col(Theme.owner_id))
        .where(col(Theme.ended_at).is_(None))
        .order_by(col(Theme.muted), col(Theme.people).desc(), col(Theme.id))
        .limit(limit)
    )
    if brands is not None:
        asked = asked.where(col(Theme.brand_id).in_(brands))
    found = (await session.exec(asked)).all()
    numbers = [theme.key for theme, *_ in found]
    of: dict[int, list[Any]] = {number: [] for number in numbers}
    members: Any = (
        sa.select(
            col(Belonging.theme_id),
            col(Mention.connector),
            col(Mention.case_id),
            col(Case.closed_at),
        )
        .join(Mention, col(Mention.id) == col(Belonging.mention_id))
        .outerjoin(Case, col(Case.id) == col(Mention.case_id))
        .where(col(Belonging.theme_id).in_(numbers))
    )
    for row in await bulk(session, members):
        of[row.theme_id].append(row)
    said = await quotes(session, [theme for theme, *_ in found])
    return [
        Shown(
            theme,
            brand,
            owner,
            len(of[theme.key]),
            counted([row.connector for row in of[theme.key]]),
            said.get(theme.key),
            sorted({r.case_id for r in of[theme.key] if r.case_id and r.closed_at is None}),
        )
        for theme, brand, owner in found
    ]


async def quotes(session: AsyncSession, found: Sequence[Theme]) -> dict[int, Mention]:
    """The mention that says each theme most clearly, by its number, in its author's own words.

    Another than was chosen where that is gone since, or passes on what somebody else wrote.
    """
    chosen = await standing(session, [theme.quote_id for theme in found if theme.quote_id])
    best = {one.key: chosen[one.quote_id] for one in found if one.quote_id in chosen}
    weak = [one.key for one in found if one.key not in best or is_repost(best[one.key].words)]
    if not weak:
        return best
    rows: Any = (
        sa.select(
            col(Belonging.theme_id), col(Mention.id), col(Mention.title), beginning(),
            col(Mention.connector), col(Mention.author_id),
        )
        .join(Mention, col(Mention.id) == col(Belonging.mention_id))
        .where(col(Belonging.theme_id).in_(weak), *there())
        .order_by(col(Mention.id).desc())
        .limit(MOST)
    )  # fmt: skip
    said: dict[int, list[Said]] = {}
    for row in await bulk(session, rows):
        one = Said(row.id, words_of(row.title, row.text), by(row))
        said.setdefault(row.theme_id, []).append(one)
    better = {
        number: clear[0].mention_id
        for number, its in said.items()
        if (clear := clearest(its, most=1))
    }
    others = await standing(session, list(better.values()))
    return best | {number: others[one] for number, one in better.items() if one in others}


async def standing(session: AsyncSession, mention_ids: Collection[int]) -> dict[int, Mention]:
    """These mentions by their numbers, as far as their words can be shown."""
    found = await session.exec(_standing(), params={"mentions": list(mention_ids)})
    return {mention.key: mention for mention in found}


@cache
def _standing() -> Any:
    """The question, written once: every page of a case with a theme asks it."""
    its = col(Mention.id).in_(sa.bindparam("mentions", expanding=True))
    return select(Mention).where(its, *there())


def counted(places: Sequence[str]) -> list[tuple[str, int]]:
    """How often each was met, the most frequent first."""
    return sorted(
        ((place, places.count(place)) for place in set(places)), key=lambda one: (-one[1], one[0])
    )
