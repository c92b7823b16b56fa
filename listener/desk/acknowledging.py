"""Acknowledging: somebody says that they heard of a case and see to it, so the ladder stops."""

from listener.desk.acting import AtHand, Done, somebody
from listener.domain.event import What
from listener.domain.record import NotThere
from listener.domain.rights import Act, may
from listener.store import cases
from listener.store.session import Store, now


async def acknowledge(store: Store, case_id: int, staff: str, *, how: str = "") -> Done:
    """Note that this person has heard of the case; the case stays whose it is.

    Managers may, who work no cases: the ladder calls them too. `how` says where they did it,
    "Slack" or "mail"; nothing where it was the page. Saying it again changes nothing.
    """
    async with store.transaction() as session:
        person = await somebody(session, staff)
        case = await cases.locked(session, case_id)
        if case is None or not may(person, Act.READ_CASES, case.brand_id):
            raise NotThere(f"There is no case {case_id}. `listener cases` lists them.")
        act = AtHand(session, case, person, await now(session))
        if not case.acknowledge():
            return Done(case, None, f"Case {case_id} has been heard already.")
        event = await act.write(What.ACKNOWLEDGED, {"how": how or None})
        return Done(case, event.key, f"You see to case {case_id}; nobody else is called.")
