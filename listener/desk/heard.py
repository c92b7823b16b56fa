"""Heard: a link in a mail by which one person says, once signed, that they see to one thing."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

from listener.desk import acknowledging, alarming
from listener.domain.alarm import AlarmNotice
from listener.domain.notice import Notice
from listener.domain.record import NotThere
from listener.domain.secret import Seal
from listener.domain.staff import Staff
from listener.store import alarms, notices, people
from listener.store.session import Store, now

GOOD_FOR = timedelta(days=7)
USED_UP = (
    "This link is not whole, or older than a week. Cases are in the queue, alarms on their page."
)
LINK = re.compile(r"((?:alarm-)?([0-9]{1,9}))-([0-9a-f]{32})")


@dataclass(frozen=True)
class Asked:
    """Who was told of what: a case or an alarm."""

    notice: Notice | AlarmNotice
    person: Staff


def address(site: str, seal: Seal, id: str) -> str:  # noqa: A002  (a notice's, as channels know it)
    """The link in the mail of this notice."""
    name = id.removeprefix("notice_").replace("_", "-")
    return f"{site}/heard/{name}-{seal.mark(f'heard {name}')}"


async def asked(store: Store, seal: Seal, link: str) -> Asked:
    """Who was told of what by the mail with this link; NotThere when we did not write it."""
    found = LINK.fullmatch(link)
    if found is None or not hmac.compare_digest(found[3], seal.mark(f"heard {found[1]}")):
        raise NotThere(USED_UP)
    of_alarm, number = found[1] != found[2], int(found[2])
    async with store.reading() as session:
        notice: Notice | AlarmNotice | None = (
            await alarms.notice(session, number)
            if of_alarm
            else await notices.numbered(session, number)
        )
        if notice is None or notice.staff_id is None:
            raise NotThere(USED_UP)
        person = await people.numbered(session, notice.staff_id)
        moment = await now(session)
    if person is None or not person.active or notice.next_at + GOOD_FOR < moment:
        raise NotThere(USED_UP)
    return Asked(notice, person)


async def hear(store: Store, seal: Seal, link: str) -> str:
    """The person to whom the link was sent has heard of it, and sees to it; say so."""
    one = await asked(store, seal, link)
    if isinstance(one.notice, AlarmNotice):
        return (await alarming.acknowledge(store, one.notice.alarm_id, one.person.name)).said
    done = await acknowledging.acknowledge(store, one.notice.case_id, one.person.name, how="mail")
    return done.said
