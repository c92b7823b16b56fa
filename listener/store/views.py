"""Saved views: everybody's own, in their own order."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import func
from sqlmodel import col, select

from listener.domain.record import NotAllowed
from listener.domain.view import LONGEST_QUERY, MOST, View, named
from listener.store.kept import kept
from listener.store.session import AsyncSession


async def of(session: AsyncSession, staff_id: int) -> Sequence[View]:
    """Somebody's views, in their order."""
    return await kept(session, partial(_of, staff_id), of=("views",), key=("views", staff_id))


async def _of(staff_id: int, session: AsyncSession) -> Sequence[View]:
    return (
        await session.exec(
            select(View).where(View.staff_id == staff_id).order_by(col(View.place), col(View.id))
        )
    ).all()


async def keep(session: AsyncSession, staff_id: int, name: str, query: str) -> View:
    """Keep a view behind the others; one of the same name changes where it stands."""
    name = named(name)
    if len(query) > LONGEST_QUERY:
        raise NotAllowed("These filters are too long to be kept.")
    standing = await of(session, staff_id)
    same = next((view for view in standing if view.name == name), None)
    if same is not None:
        same.query = query
        session.add(same)
        await session.flush()
        return same
    if len(standing) >= MOST:
        raise NotAllowed(f"You have {MOST} views already; let go of one first.")
    last = (await session.exec(select(func.max(View.place)).where(View.staff_id == staff_id))).one()
    view = View(staff_id=staff_id, name=name, query=query, place=(last or 0) + 1)
    session.add(view)
    await session.flush()
    return view


async def let_go(session: AsyncSession, staff_id: int, view_id: int) -> View | None:
    """Forget one of somebody's views; None when they have no such view."""
    view = await own(session, staff_id, view_id)
    if view is not None:
        await session.delete(view)
        await session.flush()
    return view


async def move(session: AsyncSession, staff_id: int, view_id: int, places: int) -> View | None:
    """Move one of somebody's views up (-1) or down (1); None when they have no such view."""
    views = list(await of(session, staff_id))
    moved = next((view for view in views if view.id == view_id), None)
    if moved is None:
        return None
    at = views.index(moved)
    views.insert(max(0, at + places), views.pop(at))
    for place, view in enumerate(views, 1):
        view.place = place
        session.add(view)
    await session.flush()
    return moved


async def own(session: AsyncSession, staff_id: int, view_id: int) -> View | None:
    """One of somebody's own views."""
    return (
        await session.exec(select(View).where(View.id == view_id, View.staff_id == staff_id))
    ).one_or_none()
