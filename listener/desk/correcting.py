"""Correcting: a person says that a mention which the model let pass is a complaint."""

from dataclasses import replace

from listener.desk.acting import AtHand, Done, worker
from listener.domain.case import Outcome, Status
from listener.domain.correction import Better
from listener.domain.deadline import Policies
from listener.domain.event import What
from listener.domain.mention import Mention
from listener.domain.record import NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.store import brands, cases, corrections, deadlines, heeding, history, mentions
from listener.store.mentions import as_waiting
from listener.store.session import Store, now
from models.verdict import Feeling, Verdict

WHY = "A colleague says that this is a complaint; the model let it pass."


async def missed(store: Store, mention_id: int, staff: str, policies: Policies) -> Done:
    """Open a case for a mention that has none, or let it join the one of its like."""
    async with store.transaction() as session:
        person = await worker(session, staff)
        mention = (await mentions.locked(session, [mention_id])).get(mention_id)
        if mention is None or not may(person, Act.WORK_CASES, mention.brand_id):
            raise NotThere(f"There is no mention {mention_id}.")
        unless_open_to_it(mention)
        brand = await brands.numbered(session, mention.brand_id)
        moment = await now(session)
        channels = await history.channels(session)
        waiting = replace(as_waiting(mention, brand.name), late=False)
        judged = heeding.complaint(waiting, verdict_of(mention), WHY)
        opened = await cases.open_or_join(
            session, [judged], policies=policies, channels=channels, now=moment
        )
        await session.refresh(mention)
        case = await cases.locked(session, mention.case_id or 0)
        if case is None:
            raise NotThere(f"Mention {mention_id} found no case; please try again.")
        act = AtHand(session, case, person, moment)
        if opened:  # undone, the case is one that was none
            before = {
                "status": Status.CLOSED.value,
                "outcome": Outcome.NOT_NEGATIVE.value,
                "closed_at": moment.isoformat(),
            }
        else:
            before = {}
            if case.status is Status.CLOSED:
                case.reopen(await deadlines.in_force(session, policies), moment)
        taught = await corrections.keep(
            session, [mention], Better.COMPLAINT, staff_id=person.key, now=moment
        )
        event = await act.write(
            What.CORRECTED, {"mention": mention_id, "corrections": taught, "before": before}
        )
        verb = "opened" if opened else "has one more mention"
        return Done(case, event.key, f"Case {case.key} {verb}: this was a complaint.")


def unless_open_to_it(mention: Mention) -> None:
    """Refuse a mention that nobody can have missed."""
    if mention.case_id is not None:
        raise NotAllowed(f"Mention {mention.key} belongs to case {mention.case_id} already.")
    if mention.ours:
        raise NotAllowed(f"Mention {mention.key} is our own post.")
    if mention.deleted_at is not None or mention.purged_at is not None:
        raise NotAllowed(f"The words of mention {mention.key} are gone.")
    if mention.waits:
        raise NotAllowed(f"Mention {mention.key} is just being judged; look again in a moment.")


def verdict_of(mention: Mention) -> Verdict:
    """What the model said of a mention."""
    return Verdict(
        complaint=mention.complaint or 0.0,
        feeling=mention.feeling or Feeling.NEGATIVE,
        confidence=mention.confidence or 0.0,
        unsure=bool(mention.unsure),
        model=mention.model or "",
        language=mention.language,
    )
