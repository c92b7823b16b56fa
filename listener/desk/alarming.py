"""Alarms at the desk: somebody says that they see to one, or puts it off."""

from dataclasses import dataclass
from datetime import datetime

from listener.desk.acting import somebody
from listener.domain.alarm import Alarm
from listener.domain.record import NotThere
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import alarms, calling
from listener.store.session import AsyncSession, Store, now


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of saying that one sees to an alarm; `new` is whether nobody had before."""

    said: str
    new: bool


async def acknowledge(store: Store, number: int, staff: str) -> Seen:
    """Note that this person sees to an alarm: nobody else is called about it."""
    async with store.transaction() as session:
        person = await somebody(session, staff)
        alarm = await alarms.locked(session, number)
        if alarm is None or not may(person, Act.READ_CASES, alarm.brand_id):
            raise NotThere(f"There is no alarm {number}. `listener alarms` lists them.")
        if alarm.over_at is not None:
            return Seen(f"Alarm {number} is over; there is nothing left to see to.", new=False)
        moment = await now(session)
        if not await see_to(session, alarm, person, moment):
            who = "You see" if alarm.acknowledged_by == person.key else "Somebody sees"
            return Seen(f"{who} to alarm {number} already.", new=False)
        return Seen(f"You see to alarm {number}; nobody else is called.", new=True)


async def see_to(session: AsyncSession, alarm: Alarm, person: Staff, now: datetime) -> bool:
    """Note who sees to an alarm that is locked; False where somebody does, or it is over."""
    if alarm.over_at is not None or not alarm.acknowledge(person.key, now):
        return False
    await calling.take_back(session, alarm.key, now)
    await alarms.show_who(session, alarm.key, now)
    return True


async def snooze(store: Store, number: int, staff: str, until: datetime) -> str:
    """Put an alarm off until a moment; say so in a sentence.

    Nobody is called meanwhile. If nobody sees to it by then, the calls begin anew.
    """
    async with store.transaction() as session:
        person = await somebody(session, staff)
        alarm = await alarms.locked(session, number)
        if alarm is None or not may(person, Act.WORK_CASES, alarm.brand_id):
            raise NotThere(f"There is no alarm {number}. `listener alarms` lists them.")
        moment = await now(session)
        alarm.snooze(until, moment)
        await calling.take_back(session, number, moment)
        return f"Alarm {number} is put off until {until:%d %b %H:%M} UTC."
