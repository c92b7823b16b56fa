"""Tokens: what somebody's own assistant shows to read in their name; each ends by itself."""

from datetime import UTC, datetime, timedelta
from typing import Final

from listener.domain import login
from listener.domain.record import NotAllowed
from listener.domain.secret import Seal
from listener.domain.staff import Staff
from listener.store import people
from listener.store.session import Store, now

USUAL: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=366)
KIND: Final = "listener1"
BAD: Final = (
    "This token is not good, or good no more: it ends at its time, when its person gets another "
    "password, and when they leave. `listener staff token NAME` makes a new one."
)


async def give(
    store: Store, seal: Seal, name: str, length: timedelta = USUAL
) -> tuple[str, datetime]:
    """A token for somebody, shown once and kept nowhere, and when it ends."""
    if not timedelta() < length <= LONGEST:
        raise NotAllowed(f"A token is good for at most {LONGEST.days} days.")
    async with store.reading() as session:
        person = await people.named(session, name)
        moment = await now(session)
    if person is None or not person.active:
        raise NotAllowed(f"Nobody here is called {name!r}. `listener staff list` lists them.")
    until = (moment + length).replace(microsecond=0)
    return token(seal, person, int(until.timestamp())), until


async def holder(store: Store, seal: Seal, shown: str) -> Staff:
    """Whose token this is; NotAllowed where it is nobody's, or over."""
    kind, _, rest = shown.strip().partition(".")
    number, _, rest = rest.partition(".")
    until, _, _ = rest.partition(".")
    if kind != KIND or not all(
        one.isascii() and one.isdigit() and len(one) < 12 for one in (number, until)
    ):
        raise NotAllowed(BAD)
    async with store.reading() as session:
        person = await people.numbered(session, int(number))
        moment = await now(session)
    if person is None or not person.active or moment >= datetime.fromtimestamp(int(until), UTC):
        raise NotAllowed(BAD)
    if not login.same(token(seal, person, int(until)), shown.strip()):
        raise NotAllowed(BAD)
    return person


def token(seal: Seal, person: Staff, until: int) -> str:
    """The token of a person that is good until this second; another password makes another one."""
    # Not the hash of the password itself, which nobody should be able to try out.
    mark = seal.mark(f"token {person.key} {until} {login.digest(person.password or '')}")
    return f"{KIND}.{person.key}.{until}.{mark}"
