"""Acting: one act of one person on one case, in one transaction, written down as one event."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from listener.domain.case import Case
from listener.domain.event import Event, What
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.domain.undo import changed, standing
from listener.store import cases, history, people
from listener.store.session import AsyncSession, Store, now

# One act on many cases: what its events have in common, so that they are taken back as one.
TOGETHER: ContextVar[str] = ContextVar("together", default="")
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act: the case as it stands now, its event if it wrote one, a sentence."""

    case: Case
    event: int | None
    said: str
    final: bool = False  # its event cannot be undone


@dataclass(slots=True)
class AtHand:
    """A case at hand: locked, with the person who acts on it and what stood before."""

    session: AsyncSession
    case: Case
    person: Staff
    now: datetime
    before: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.before = standing(self.case)

    @property
    def number(self) -> int:
        """The case's number."""
        return self.case.key

    async def write(
        self,
        what: What,
        details: Mapping[str, Any] = NOTHING,
        *,
        told: bool = True,
        undoable: bool = True,
    ) -> Event:
        """Write down what was done, with what stood before; channels hear of it if `told`."""
        kept = {name: value for name, value in details.items() if value is not None}
        if together := TOGETHER.get():
            kept["together"] = together
        if undoable:
            kept["before"] = changed(self.before, self.case) | kept.get("before", {})
        return await history.record(
            self.session,
            self.number,
            what,
            now=self.now,
            channels=await history.channels(self.session) if told else (),
            staff_id=self.person.key,
            details=kept,
        )

    async def unless_held(self) -> None:
        """Refuse, and say who has it, when somebody else works on the case."""
        await unless_held(self.session, self.case, self.person, self.now)


@asynccontextmanager
async def acting(store: Store, case_id: int, staff: str) -> AsyncIterator[AtHand]:
    """A case and a person, until the block ends; nothing of it is kept when it raises."""
    async with store.transaction() as session:
        case, person, moment = await at_hand(session, case_id, staff)
        yield AtHand(session, case, person, moment)


async def at_hand(session: AsyncSession, case_id: int, staff: str) -> tuple[Case, Staff, datetime]:
    """The case, locked, and the person who acts on it and may; else it is not there to them."""
    person = await worker(session, staff)
    case = await cases.locked(session, case_id)
    if case is None or not may(person, Act.WORK_CASES, case.brand_id):
        raise NotThere(f"There is no case {case_id}. `listener cases` lists them.")
    return case, person, await now(session)


async def somebody(session: AsyncSession, staff: str) -> Staff:
    """The person of this name, who works here."""
    person = await people.named(session, staff)
    if person is None or not person.active:
        raise NotAllowed(
            f"Nobody here is called {staff!r}. Add them: listener staff add {staff!r}."
        )
    return person


async def worker(session: AsyncSession, staff: str) -> Staff:
    """The person of this name, whose role includes working cases."""
    person = await somebody(session, staff)
    if not may(person, Act.WORK_CASES):
        raise NoRight(f"{person.name} is here as {person.role}, who reads cases and works none.")
    return person


async def unless_held(session: AsyncSession, case: Case, person: Staff, moment: datetime) -> None:
    """Refuse, and say who has it, when somebody else works on the case."""
    holder = case.held_by(moment)
    if holder not in (None, person.key):
        raise NotAllowed(
            f"{await people.name(session, holder)} holds case {case.id} until "
            f"{case.held_until:%H:%M} UTC. Take it over if you must."
        )
