"""Sweeping: what has been kept long enough goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import col

from listener.domain.likeness import WINDOW, Likeness
from listener.domain.mention import Mention
from listener.domain.source import Arrival, DeadLetter, Seen
from listener.store import intake, mentions, notes, replies
from listener.store.session import AsyncSession

SEEN = timedelta(days=14)
DEAD = timedelta(days=14)
ARRIVALS = timedelta(days=7)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long words are kept."""

    without_case: timedelta = timedelta(days=90)
    with_case: timedelta = timedelta(days=730)


async def forget_words(
    session: AsyncSession,
    keeping: Keeping,
    *,
    by_connector: dict[str, timedelta],
    now: datetime,
) -> int:
    """Remove words and names of one batch of old mentions; counts and verdicts stay."""
    old = await mentions.past_keeping(
        session,
        without_case_before=now - keeping.without_case,
        with_case_before=now - keeping.with_case,
        connector_limits={name: now - span for name, span in by_connector.items()},
        limit=BATCH,
    )
    if old:
        await intake.forget(session, old)
        await session.exec(
            update(Mention)
            .where(col(Mention.id).in_(old))
            .values(purged_at=now, recheck_at=None, waits=False)
            .execution_options(synchronize_session=False)
        )
        await notes.forget(session, old)
        await replies.forget(session, old)
    return len(old)


async def drop_leftovers(session: AsyncSession, *, now: datetime) -> None:
    """Delete what was only kept to notice repeats, and dead letters past their fortnight."""
    for table, before in (
        (Seen, now - SEEN),
        (DeadLetter, now - DEAD),
        (Arrival, now - ARRIVALS),
        (Likeness, now - WINDOW),
    ):
        await session.exec(delete(table).where(col(table.seen_at) < before))
