"""Notes: kept with who is called in them, found for a case, forgotten with its words."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, update
from sqlmodel import col, select

from listener.domain.mention import Mention
from listener.domain.note import Call, Note
from listener.store.session import AsyncSession


async def keep(session: AsyncSession, note: Note, called: Collection[int]) -> Note:
    """Keep a note, and that it calls these people."""
    session.add(note)
    await session.flush()
    for number in called:
        session.add(Call(note_id=note.key, staff_id=number, case_id=note.case_id))
    await session.flush()
    return note


async def of_case(session: AsyncSession, case_id: int) -> Sequence[Note]:
    """The notes on a case, oldest first."""
    return (
        await session.exec(select(Note).where(Note.case_id == case_id).order_by(col(Note.id)))
    ).all()


async def calling(session: AsyncSession, staff_id: int) -> set[int]:
    """The cases where a note calls this person who has not seen it yet."""
    rows = await session.exec(
        select(Call.case_id).where(Call.staff_id == staff_id, col(Call.seen_at).is_(None))
    )
    return set(rows)


async def called_here(session: AsyncSession, staff_id: int, case_id: int) -> bool:
    """Whether a note on this case calls this person who has not seen it yet."""
    call = select(Call.note_id).where(
        Call.staff_id == staff_id, Call.case_id == case_id, col(Call.seen_at).is_(None)
    )
    return (await session.exec(call.limit(1))).first() is not None


async def seen(session: AsyncSession, staff_id: int, case_id: int, *, now: datetime) -> None:
    """Note that somebody has seen the notes of a case that call them."""
    await session.exec(
        update(Call)
        .where(
            col(Call.staff_id) == staff_id,
            col(Call.case_id) == case_id,
            col(Call.seen_at).is_(None),
        )
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


async def forget(session: AsyncSession, mention_ids: Collection[int]) -> None:
    """Remove the notes of cases that have no mention left whose words are kept.

    Called when the words of these mentions have gone, because they were kept long enough.
    """
    cases = set(
        await session.exec(
            select(Mention.case_id)
            .where(col(Mention.id).in_(mention_ids), col(Mention.case_id).is_not(None))
            .distinct()
        )
    )
    if not cases:
        return
    speaking = (
        exists()
        .where(col(Mention.case_id) == col(Note.case_id), col(Mention.purged_at).is_(None))
        .correlate(Note)
    )
    await session.exec(
        delete(Note)
        .where(col(Note.case_id).in_(cases), ~speaking)
        .execution_options(synchronize_session=False)
    )


async def counted(session: AsyncSession, case_ids: Collection[int]) -> dict[int, int]:
    """How many notes there are on each of these cases that has any."""
    if not case_ids:
        return {}
    rows = await session.exec(
        select(Note.case_id, func.count())
        .where(col(Note.case_id).in_(case_ids))
        .group_by(col(Note.case_id))
    )
    return dict(rows.all())
