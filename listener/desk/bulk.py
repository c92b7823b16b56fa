"""Bulk: one act on many cases, each in its own transaction, with a word about each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from listener.desk.acting import TOGETHER, Done
from listener.domain.record import NotAllowed
from listener.store.session import Store

MOST = 500

Deed = Callable[[Store, int, str], Awaitable[Done]]


@dataclass(slots=True)
class Bulk:
    """What came of an act on many cases, by number."""

    done: dict[int, Done] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def events(self) -> list[int]:
        """What was written; `undoing.undo` of any of them takes all of them back."""
        return [one.event for one in self.done.values() if one.event is not None]

    @property
    def said(self) -> str:
        """One sentence for all of them."""
        words = f"{len(self.done)} {'case' if len(self.done) == 1 else 'cases'} done."
        if self.refused:
            first = next(iter(self.refused.values()))
            words += f" {len(self.refused)} left as they were: {first}"
        return words


async def bulk(store: Store, ids: Sequence[int], deed: Deed, staff: str) -> Bulk:
    """Do the same to each of these cases; one that refuses does not keep back the others."""
    if not ids:
        raise NotAllowed("No case is ticked.")
    if len(set(ids)) > MOST:
        raise NotAllowed(f"At most {MOST} cases at once; {len(set(ids))} are ticked.")
    token = TOGETHER.set(uuid4().hex)
    try:
        return await each(store, list(dict.fromkeys(ids)), staff, deed)
    finally:
        TOGETHER.reset(token)


async def each(store: Store, numbers: Sequence[int], staff: str, deed: Deed) -> Bulk:
    """Do it for one number after another."""
    made = Bulk()
    for number in numbers:
        try:
            made.done[number] = await deed(store, number, staff)
        except NotAllowed as refusal:
            made.refused[number] = str(refusal)
    return made
