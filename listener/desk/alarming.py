"""Alarms at the desk: somebody says that they see to one, or puts it off."""

from datetime import datetime

from listener.desk.acting import somebody
from listener.domain.record import NotThere
from listener.domain.rights import Act, may
from listener.store import alarms
from listener.store.session import Store, now


async def acknowledge(store: Store, number: int, staff: str) -> str:
    """Note that this person sees to an alarm; say so in a sentence."""
    async with store.transaction() as session:
        person = await somebody(session, staff)
        alarm = await alarms.locked(session, number)
        if alarm is None or not may(person, Act.READ_CASES, alarm.brand_id):
            raise NotThere(f"There is no alarm {number}. `listener alarms` lists them.")
        if not alarm.acknowledge(person.key, await now(session)):
            return f"Somebody sees to alarm {number} already."
        return f"You see to alarm {number}."


async def snooze(store: Store, number: int, staff: str, until: datetime) -> str:
    """Put an alarm off until a moment; say so in a sentence."""
    async with store.transaction() as session:
        person = await somebody(session, staff)
        alarm = await alarms.locked(session, number)
        if alarm is None or not may(person, Act.WORK_CASES, alarm.brand_id):
            raise NotThere(f"There is no alarm {number}. `listener alarms` lists them.")
        alarm.snooze(until, await now(session))
        return f"Alarm {number} is put off until {until:%d %b %H:%M} UTC."
