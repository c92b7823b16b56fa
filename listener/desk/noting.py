"""Noting: what colleagues tell each other about a case, and who is called in it."""

from listener.desk.acting import AtHand, Done, acting
from listener.domain.event import What
from listener.domain.note import Note, called, written
from listener.store import notes, people
from listener.store.session import Store, clean, now


async def note(store: Store, case_id: int, staff: str, words: str) -> Done:
    """Keep a note on a case, open or closed; whoever it calls by @name finds it in theirs."""
    async with acting(store, case_id, staff) as act:
        kept, names = await keep_note(act, words)
        event = await act.write(What.NOTED, {"note": kept.key}, told=False, undoable=False)
        told = f" {' and '.join(names)} will see it." if names else ""
        return Done(act.case, event.key, f"The note is kept.{told}", final=True)


async def keep_note(act: AtHand, words: str) -> tuple[Note, list[str]]:
    """Keep a note on the case at hand; return the names of those whom it calls."""
    everybody = {
        person.key: person.name for person in await people.every(act.session) if person.active
    }
    words = written(clean(words))
    numbers = [number for number in called(words, everybody) if number != act.person.key]
    kept = await notes.keep(
        act.session,
        Note(case_id=act.number, staff_id=act.person.key, text=words, at=act.now),
        numbers,
    )
    return kept, [everybody[number] for number in numbers]


async def seen(store: Store, case_id: int, staff: str) -> None:
    """This person has the notes of the case before their eyes: what called them is done."""
    async with store.reading() as session:
        person = await people.named(session, staff)
        if person is None or not await notes.called_here(session, person.key, case_id):
            return  # nearly always, and without a write
    async with store.transaction() as session:
        await notes.seen(session, person.key, case_id, now=await now(session))
