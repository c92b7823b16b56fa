"""Corrections: what people knew better than the model, kept, withdrawn, and found."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from listener.domain.correction import Better, Correction
from listener.domain.mention import Mention
from listener.store import lessons
from listener.store.session import AsyncSession

FALSE_FLAGS = (Better.NOT_NEGATIVE, Better.NOT_US, Better.SPAM)


async def keep(
    session: AsyncSession,
    mentions: Sequence[Mention],
    better: Better,
    *,
    staff_id: int,
    now: datetime,
) -> list[int]:
    """Keep a correction for each of these mentions, and of which texts it speaks."""
    made = [
        Correction(
            mention_id=mention.key, staff_id=staff_id, better=better, model=mention.judge, at=now
        )
        for mention in mentions
    ]
    session.add_all(made)
    await session.flush()
    await lessons.keep(session, list(zip(made, mentions, strict=True)))
    return [one.key for one in made]


async def withdraw(session: AsyncSession, numbers: Collection[int]) -> None:
    """Forget these corrections: whoever made them took them back."""
    if numbers:
        await session.exec(delete(Correction).where(col(Correction.id).in_(numbers)))


async def withdraw_false_flags(session: AsyncSession, case_id: int) -> None:
    """Forget that a case was no complaint: a person has opened it again."""
    its = select(Mention.id).where(Mention.case_id == case_id)
    await session.exec(
        delete(Correction)
        .where(col(Correction.mention_id).in_(its), col(Correction.better).in_(FALSE_FLAGS))
        .execution_options(synchronize_session=False)
    )
