"""Quiet: when one wants to be told of what is not urgent."""

from datetime import time

from listener.domain.record import NotAllowed, NotThere
from listener.domain.staff import Staff
from listener.store import people
from listener.store.session import Store


async def keep(store: Store, staff_id: int, *, start: str, end: str, quieter: bool) -> Staff:
    """Keep somebody's quiet hours, `start` and `end` as in 20:00, and whether they want fewer.

    Without both there are none. NotAllowed says what is wrong with them.
    """
    first, last = clock(start), clock(end)
    if (first is None) is not (last is None):
        raise NotAllowed("Say from when and until when it shall be quiet, or leave both empty.")
    if first is not None and first == last:
        raise NotAllowed(
            "Quiet hours that end when they begin are none. To be told nothing, say that you are "
            "away."
        )
    async with store.transaction() as session:
        person = await people.locked(session, staff_id)
        if person is None:
            raise NotThere("You work here no more.")
        person.quiet_from, person.quiet_until, person.quieter = first, last, quieter
        return person


def clock(words: str) -> time | None:
    """A time of day as people write it; None where nothing is written."""
    if not words.strip():
        return None
    try:
        found = time.fromisoformat(words.strip().rjust(5, "0"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise NotAllowed(f"{words.strip()!r} is no time of day. Write it as 20:00.")
    return found.replace(second=0, microsecond=0)
