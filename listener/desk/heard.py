"""Heard: a link in a mail by which one person says, once signed, that they see to one case."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

from listener.desk import acknowledging
from listener.desk.acting import Done
from listener.domain.notice import Notice
from listener.domain.record import NotThere
from listener.domain.secret import Seal
from listener.domain.staff import Staff
from listener.store import notices, people
from listener.store.session import Store, now

GOOD_FOR = timedelta(days=7)
USED_UP = "This link is not whole, or older than a week. The case is in the queue."


@dataclass(frozen=True)
class Asked:
    """Who was told of what."""

    notice: Notice
    person: Staff


def address(site: str, seal: Seal, id: str) -> str:  # noqa: A002  (a notice's, as channels know it)
    """The link in the mail of this notice."""
    number = id.removeprefix("notice_")
    return f"{site}/heard/{number}-{seal.mark(f'heard {number}')}"


async def asked(store: Store, seal: Seal, link: str) -> Asked:
    """Who was told of what by the mail with this link; NotThere when we did not write it."""
    found = re.fullmatch(r"([0-9]{1,9})-([0-9a-f]{32})", link)
    if found is None or not hmac.compare_digest(found[2], seal.mark(f"heard {found[1]}")):
        raise NotThere(USED_UP)
    async with store.reading() as session:
        notice = await notices.numbered(session, int(found[1]))
        if notice is None or notice.staff_id is None:
            raise NotThere(USED_UP)
        person = await people.numbered(session, notice.staff_id)
        moment = await now(session)
    if person is None or not person.active or notice.next_at + GOOD_FOR < moment:
        raise NotThere(USED_UP)
    return Asked(notice, person)


async def hear(store: Store, seal: Seal, link: str) -> Done:
    """The person to whom the link was sent has heard of the case, and sees to it."""
    one = await asked(store, seal, link)
    return await acknowledging.acknowledge(store, one.notice.case_id, one.person.name, how="mail")
