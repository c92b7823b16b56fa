"""Wordings: what staff often say, found for an occasion, kept by leads."""

from collections.abc import Sequence

from sqlmodel import col, select

from listener.domain.wording import Occasion, Wording, fits
from listener.store.kept import kept
from listener.store.session import AsyncSession


async def every(session: AsyncSession) -> Sequence[Wording]:
    """All of them, by name."""
    return (await session.exec(select(Wording).order_by(col(Wording.name)))).all()


async def named(session: AsyncSession, name: str) -> Wording | None:
    """The wording of this name."""
    return (await session.exec(select(Wording).where(Wording.name == name))).one_or_none()


async def fitting(session: AsyncSession, occasion: Occasion) -> list[Wording]:
    """Those that fit an occasion, the most particular first."""
    all_of_them = await kept(session, every, of=("wordings",), key="wordings")
    found = [(fits(one, occasion), one) for one in all_of_them]
    met = [(number, one) for number, one in found if number is not None]
    return [one for _, one in sorted(met, key=lambda pair: (-pair[0], pair[1].name))]
