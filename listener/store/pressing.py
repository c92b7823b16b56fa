"""Pressing: a case that has changed is routed anew while nobody has it, and called for in time."""

from datetime import datetime

from listener.domain.case import Case, Status
from listener.store import climbing, routing
from listener.store.session import AsyncSession


async def press(session: AsyncSession, case: Case, now: datetime) -> None:
    """Another rule may be about it now, and other steps; what people decided stays."""
    await climbing.hurry(session, case.key, now)
    if case.status is Status.OPEN and case.owner_id is None and not case.unsure:
        await routing.reconsider(session, case.key, now)
