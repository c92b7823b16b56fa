"""Closing a case with an outcome, and correcting a flag that was wrong."""

from listener.desk.taking import at_hand, unless_held
from listener.domain.case import Case, Outcome, Status
from listener.domain.correction import Better, Correction
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store import history, mentions
from listener.store.session import AsyncSession, Store, now

TEACHING = {
    Outcome.NOT_NEGATIVE: Better.NOT_NEGATIVE,
    Outcome.NOT_US: Better.NOT_US,
    Outcome.SPAM: Better.SPAM,
}


async def close(store: Store, case_id: int, staff: str, outcome: Outcome) -> Case:
    """End a case. That it is not negative, not about us or spam also teaches the model."""
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        await unless_held(session, case, person, moment)
        case.close(outcome, person.key, moment)
        if outcome in TEACHING:
            await teach(session, case, TEACHING[outcome], person.key)
        await history.record(
            session,
            case_id,
            What.CLOSED,
            now=moment,
            channels=await history.channels(session),
            staff_id=person.key,
            details={"outcome": outcome.value},
        )
        return case


async def correct(
    store: Store, case_id: int, staff: str, better: Better, policies: Policies
) -> Case:
    """Say what is true instead: an unsure case is a complaint, or a flag was wrong."""
    if better is not Better.COMPLAINT:
        outcome = next(outcome for outcome, taught in TEACHING.items() if taught is better)
        return await close(store, case_id, staff, outcome)
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        if case.status is Status.CLOSED:
            raise NotAllowed(f"Case {case_id} is closed ({case.outcome}); reopen it first.")
        await unless_held(session, case, person, moment)
        case.confirm(policies, moment)
        await teach(session, case, better, person.key)
        await history.record(
            session,
            case_id,
            What.CONFIRMED,
            now=moment,
            channels=await history.channels(session),
            staff_id=person.key,
        )
        return case


async def teach(session: AsyncSession, case: Case, better: Better, staff_id: int) -> None:
    """Keep a correction for every mention of the case: a reference, never its words."""
    moment = await now(session)
    for mention in await mentions.of_case(session, case.key):
        session.add(
            Correction(
                mention_id=mention.key,
                staff_id=staff_id,
                better=better,
                model=mention.model,
                at=moment,
            )
        )
