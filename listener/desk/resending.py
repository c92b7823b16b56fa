"""Sending again: a notice that failed is tried once more, and the case's history says who asked."""

from listener.desk.acting import somebody
from listener.domain.event import What
from listener.domain.notice import MAIL, SLACK
from listener.domain.record import NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.trying import try_anew
from listener.store import cases, history, notices, outgoing, people
from listener.store.outgoing import About
from listener.store.session import Store, now


async def again(store: Store, number: int, staff: str) -> str:
    """Send a notice again, under the same id; a sentence says what happens now.

    NotThere for those who may not read its brand; NotAllowed where it has arrived, or is on its
    way for the first time.
    """
    async with store.transaction() as session:
        person = await somebody(session, staff)
        notice = next(iter(await notices.locked(session, [number])), None)
        case = None if notice is None else await cases.one(session, notice.case_id)
        if notice is None or case is None or not may(person, Act.READ_BRANDS, case.brand_id):
            raise NotThere(f"There is no notice {number}. `listener notices` lists them.")
        if notice.failure is None:
            how = "has arrived" if notice.sent_at else "is on its way"
            raise NotAllowed(f"Notice {number} {how}; there is nothing to send again.")
        moment = await now(session)
        to = notice.channel
        if notice.staff_id is not None:
            reader = await people.numbered(session, notice.staff_id)
            if reader is None or not reader.active:
                raise NotAllowed(f"Whoever notice {number} was for works here no more.")
            if not (reader.slack or reader.mail):
                raise NotAllowed(
                    f"{reader.name} has neither Slack nor a mail address here: add one first."
                )
            to = reader.name
            if notice.detour is None:
                notice.channel = SLACK if reader.slack else MAIL
        notice.once_more(moment)
        await history.record(
            session,
            case.key,
            What.RESENT,
            now=moment,
            channels=(),
            staff_id=person.key,
            details={"notice": number, "to": to},
        )
    return f"Notice {number} goes to {to} again."


async def once_more(store: Store, about: About, number: int, staff: str) -> str:
    """Send what failed of an alarm, a digest or a crisis again; a sentence says what happens now.

    NotThere for those who may not read its brand; NotAllowed where it has arrived, is on its way
    for the first time, or was for somebody who works here no more.
    """
    async with store.transaction() as session:
        person = await somebody(session, staff)
        found = next(iter(await outgoing.listed(session, about, number=number, limit=1)), None)
        if found is None or not may(person, Act.READ_BRANDS, found.brand_id):
            raise NotThere(
                f"There is no notice {number} of {about}. `listener notices of {about}` lists them."
            )
        row = await outgoing.locked(session, about, number)
        if row is None or row.failure is None:
            how = "has arrived" if row is not None and row.sent_at else "is on its way"
            raise NotAllowed(f"This {how}; there is nothing to send again.")
        if found.reader is not None:
            reader = await people.numbered(session, found.reader)
            if reader is None or not reader.active:
                raise NotAllowed(f"{found.to} works here no more.")
        try_anew(row, await now(session))
    return f"It goes to {found.to} again."
