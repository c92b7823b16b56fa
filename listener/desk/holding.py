"""Holding: all who wait in a crisis are told the same together, until more is known."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from listener.desk import announcing, gathering
from listener.desk.announcing import Person, Round, Told
from listener.desk.replies import Cause, Rules
from listener.domain.crisis import Turn
from listener.domain.record import NotAllowed
from listener.domain.reply import UNDO
from listener.domain.rights import Act
from listener.store import brands, crises, people
from listener.store.session import Store, now

MOST: Final = 200  # cases that are looked at; each person is approved by name


def mark(texts: Mapping[str, str]) -> str:
    """What stands for the holding replies as somebody has read them."""
    return blake2b(repr(sorted(texts.items())).encode(), digest_size=12).hexdigest()


async def whom(
    store: Store, rules: Rules, number: int, staff: str, *, title: Callable[[str], str] = str
) -> tuple[list[Person], int, str]:
    """Who waits for an answer in a crisis, each once, with what they would be told.

    Also how many cases were not looked at, and the mark of the texts.
    """
    async with store.reading() as session:
        person, crisis = await gathering.chosen(session, number, staff, Act.WORK_CASES, lock=False)
        crisis.require_open()
        texts = await crises.approved(session, number)
        brand = await brands.numbered(session, crisis.brand_id)
        waiting = await crises.waiting(session, number)
        this = Round(
            lambda mention: crises.fitting(texts, mention.language),
            person.key,
            person.name,
            brand.name,
            {one.key: one.name for one in await people.every(session)},
            title,
            await crises.told(session, crisis),
            await now(session),
        )
    found = await announcing.approach(store, rules, this, waiting[:MOST])
    return found, max(0, len(waiting) - MOST), mark(texts)


async def tell(
    store: Store,
    rules: Rules,
    number: int,
    staff: str,
    chosen: Mapping[int, str],
    read: str,
    *,
    window: timedelta = UNDO,
    title: Callable[[str], str] = str,
) -> list[Told]:
    """Send the approved holding reply to each of the chosen cases, as their writer had seen it.

    `read` is the mark of the texts as this person has read them. Each is a reply as any other:
    it waits out its undo window, and is refused where something has changed. Whoever was
    answered in the crisis since they last said it is not told again.
    """
    if not chosen:
        raise NotAllowed("Choose at least one person to tell.")
    persons, _, texts = await whom(store, rules, number, staff, title=title)
    if texts == mark({}):
        raise NotAllowed("There is no approved holding reply. Write one, and have it approved.")
    if texts != read:
        raise NotAllowed("The holding reply was changed meanwhile. Look at it once more.")
    told = await announcing.send(
        store, rules, persons, staff, chosen, window=window, cause=Cause(crisis=number)
    )
    if done := sum(one.done for one in told):
        async with store.transaction() as session:
            person, _ = await gathering.chosen(session, number, staff, Act.WORK_CASES)
            await crises.record(
                session,
                number,
                Turn.TOLD,
                now=await now(session),
                staff_id=person.key,
                words=str(done),
            )
    return told
