"""What brands have taught: which version is in force, what became of others, who learns just now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import CONFIRMED, Case
from listener.domain.learnt import LearningLook, LearnsWith, Learnt
from listener.domain.lesson import Lesson
from listener.store.session import AsyncSession, bulk, locked_for_update

LEASE: Final = timedelta(minutes=20)  # some thousand texts, on a core that has other things to do


@dataclass(frozen=True, slots=True)
class Stands:
    """How a brand stands: what was tried last, and what judges now, if anything."""

    brand: Brand
    under: int  # the brand that its versions belong to: itself, or the one it learns with
    latest: Learnt | None
    in_force: Learnt | None
    with_brand: str | None  # whose it is, where it learns with another
    joined: Sequence[str]  # who learns with it


async def heads(
    session: AsyncSession, brands: Collection[int], model: str
) -> dict[int, tuple[int, bytes]]:
    """The version in force of each of these brands and its head, as far as it stands on this model."""
    taught = sa.func.coalesce(col(LearnsWith.other_id), col(Brand.id))
    asked: Any = (
        sa.select(col(Brand.id).label("brand_id"), col(Learnt.number), col(Learnt.head))
        .select_from(Brand)
        .outerjoin(LearnsWith, col(LearnsWith.brand_id) == col(Brand.id))
        .join(Learnt, col(Learnt.brand_id) == taught)
        .where(
            col(Brand.id).in_(list(brands)),
            col(Learnt.in_force_since).is_not(None),
            col(Learnt.model) == model,
        )
    )
    return {row.brand_id: (row.number, row.head) for row in await bulk(session, asked) if row.head}


async def together(session: AsyncSession, brand_id: int) -> tuple[int, list[int]]:
    """Under which brand this one learns, and all that learn under it."""
    other = (
        await session.exec(select(LearnsWith.other_id).where(LearnsWith.brand_id == brand_id))
    ).one_or_none()
    under = brand_id if other is None else other
    joined = await session.exec(select(LearnsWith.brand_id).where(LearnsWith.other_id == under))
    return under, [under, *sorted(joined)]


async def versions(
    session: AsyncSession, brand_id: int, *, locked: bool = False
) -> Sequence[Learnt]:
    """All versions of a brand, the first first; `locked` until the transaction ends, if asked."""
    asked = select(Learnt).where(Learnt.brand_id == brand_id).order_by(col(Learnt.number))
    return (await session.exec(asked.with_for_update() if locked else asked)).all()


async def keep(session: AsyncSession, made: Learnt, *, now: datetime) -> None:
    """Keep a version under its number; one that the gate let through judges from now on."""
    highest = sa.func.max(col(Learnt.number))
    last = (await session.exec(select(highest).where(Learnt.brand_id == made.brand_id))).one()
    made.number = (last or 0) + 1
    if made.head is not None:
        await end(session, made.brand_id)
        made.in_force_since = now
    session.add(made)
    await session.flush()


async def end(session: AsyncSession, brand_id: int) -> None:
    """Let no version of a brand judge."""
    await session.exec(
        update(Learnt)
        .where(col(Learnt.brand_id) == brand_id, col(Learnt.in_force_since).is_not(None))
        .values(in_force_since=None)
        .execution_options(synchronize_session="fetch")
    )


async def join(session: AsyncSession, brand_id: int, other_id: int) -> None:
    """Let a brand learn with another from now on."""
    await part(session, brand_id)
    session.add(LearnsWith(brand_id=brand_id, other_id=other_id))
    await session.flush()


async def part(session: AsyncSession, brand_id: int) -> bool:
    """Let a brand learn by itself again; False where it does."""
    gone: Any = await session.exec(
        sa.delete(LearnsWith).where(col(LearnsWith.brand_id) == brand_id)
    )
    return bool(gone.rowcount)


async def due(
    session: AsyncSession, *, since: datetime, now: datetime, limit: int
) -> Sequence[int]:
    """Brands of which staff have said anything, and nobody has looked through it since then.

    Those that learn with another are looked through with it.
    """
    look = LearningLook
    asked: Any = (
        select(Brand.id)
        .outerjoin(look, col(look.brand_id) == col(Brand.id))
        .where(
            col(Brand.id).not_in(select(LearnsWith.brand_id)),
            or_(
                sa.exists().where(col(Lesson.brand_id) == col(Brand.id)),
                sa.exists().where(
                    col(Case.brand_id) == col(Brand.id), col(Case.outcome).in_(CONFIRMED)
                ),
                col(Brand.id).in_(select(LearnsWith.other_id)),
            ),
            or_(col(look.looked_at).is_(None), col(look.looked_at) < since),
            or_(col(look.taken_until).is_(None), col(look.taken_until) <= now),
        )
        .order_by(col(Brand.id))
        .limit(limit)
    )
    return list((await session.exec(asked)).all())


async def take(session: AsyncSession, brand_id: int, *, now: datetime) -> bool:
    """Take a brand for as long as a lease lasts; False where another has it."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table = LearningLook.__table__  # type: ignore[attr-defined]
    await session.exec(dialect.insert(table).values(brand_id=brand_id).on_conflict_do_nothing())
    free = select(LearningLook).where(
        LearningLook.brand_id == brand_id,
        or_(col(LearningLook.taken_until).is_(None), col(LearningLook.taken_until) <= now),
    )
    look = (await session.exec(locked_for_update(free, session))).first()
    if look is None:
        return False
    look.taken_until = now + LEASE
    return True


async def done(
    session: AsyncSession, brand_id: int, *, taken: datetime, looked: datetime | None
) -> bool:
    """Let go of a brand, looked through or not; False where the lease is another's by now."""
    values: dict[str, Any] = {"taken_until": None}
    if looked is not None:
        values["looked_at"] = looked
    made: Any = await session.exec(
        update(LearningLook)
        .where(
            col(LearningLook.brand_id) == brand_id, col(LearningLook.taken_until) == taken + LEASE
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(made.rowcount)


async def give_back(session: AsyncSession) -> None:
    """Let go of brands that were taken and not looked through."""
    await session.exec(
        update(LearningLook)
        .where(col(LearningLook.taken_until).is_not(None))
        .values(taken_until=None)
        .execution_options(synchronize_session=False)
    )


async def standing(
    session: AsyncSession, *, brands: Collection[int] | None = None
) -> Sequence[Stands]:
    """How brands stand of which anything was learnt or tried, or that learn together, by name."""
    last = sa.select(sa.func.max(col(Learnt.id))).group_by(col(Learnt.brand_id))
    shown = or_(col(Learnt.id).in_(last), col(Learnt.in_force_since).is_not(None))
    tried: dict[int, list[Learnt]] = {}
    for one in await session.exec(select(Learnt).where(shown).order_by(col(Learnt.number))):
        tried.setdefault(one.brand_id, []).append(one)
    with_whom = {one.brand_id: one.other_id for one in await session.exec(select(LearnsWith))}
    concerned = {*tried, *with_whom, *with_whom.values()}
    if not concerned:
        return []
    asked = select(Brand).where(col(Brand.id).in_(concerned)).order_by(Brand.name)
    everyone = {brand.key: brand for brand in await session.exec(asked)}
    found = []
    for number, brand in everyone.items():
        if brands is not None and number not in brands:
            continue
        under = with_whom.get(number, number)
        its = tried.get(under, [])
        found.append(
            Stands(
                brand,
                under,
                latest=its[-1] if its else None,
                in_force=next((one for one in its if one.in_force_since is not None), None),
                with_brand=None if under == number else everyone[under].name,
                joined=[everyone[one].name for one, to in with_whom.items() if to == number],
            )
        )
    return found
