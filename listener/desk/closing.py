"""Closing a case with an outcome, opening it again, and correcting a flag that was wrong."""

from listener.desk.acting import AtHand, Done, acting
from listener.domain.case import Outcome, Status
from listener.domain.correction import Better
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.store import corrections, deadlines, mentions
from listener.store.session import Store

TEACHING = {
    Outcome.NOT_NEGATIVE: Better.NOT_NEGATIVE,
    Outcome.NOT_US: Better.NOT_US,
    Outcome.SPAM: Better.SPAM,
}


async def close(store: Store, case_id: int, staff: str, outcome: Outcome) -> Done:
    """End a case. That it is not negative, not about us or spam also teaches the model."""
    async with acting(store, case_id, staff) as act:
        await act.unless_held()
        act.case.close(outcome, act.person.key, act.now)
        taught = await teach(act, TEACHING[outcome]) if outcome in TEACHING else []
        event = await act.write(
            What.CLOSED, {"outcome": outcome.value, "corrections": taught or None}
        )
        return Done(act.case, event.key, f"Case {case_id} is closed: {outcome}.")


async def correct(
    store: Store, case_id: int, staff: str, better: Better, policies: Policies
) -> Done:
    """Say what is true instead: an unsure case is a complaint, or a flag was wrong."""
    if better is not Better.COMPLAINT:
        outcome = next(outcome for outcome, taught in TEACHING.items() if taught is better)
        return await close(store, case_id, staff, outcome)
    async with acting(store, case_id, staff) as act:
        if act.case.status is Status.CLOSED:
            raise NotAllowed(f"Case {case_id} is closed ({act.case.outcome}); reopen it first.")
        await act.unless_held()
        act.case.confirm(await deadlines.in_force(act.session, policies), act.now)
        event = await act.write(What.CONFIRMED, {"corrections": await teach(act, better)})
        return Done(act.case, event.key, f"Case {case_id} is a complaint; its time runs from now.")


async def reopen(store: Store, case_id: int, staff: str, policies: Policies) -> Done:
    """Open a closed or answered case again, for the owner it had, with a fresh deadline.

    That it was not negative, not about us or spam is then no longer believed.
    """
    async with acting(store, case_id, staff) as act:
        act.case.reopen(await deadlines.in_force(act.session, policies), act.now)
        await corrections.withdraw_false_flags(act.session, case_id)
        event = await act.write(What.REOPENED, undoable=False)
        return Done(act.case, event.key, f"Case {case_id} is {act.case.status} again.", final=True)


async def teach(act: AtHand, better: Better) -> list[int]:
    """Keep a correction for every mention of the case: a reference, never its words."""
    return await corrections.keep(
        act.session,
        await mentions.of_case(act.session, act.number),
        better,
        staff_id=act.person.key,
        now=act.now,
    )
