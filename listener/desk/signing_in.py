"""Signing in and out, by password or by a link that is good once."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from listener.domain import login, password
from listener.domain.login import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, LINK, Attempt, Login
from listener.domain.record import NotAllowed
from listener.domain.staff import Staff
from listener.store import attempts, logins, people
from listener.store.session import AsyncSession, Store, now

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

WRONG = "Name and password do not fit together. Try again, or ask an admin for a new link."
USED_UP = "This link was used already, or its hour is over. Ask an admin for a new one."

# Few at once: each hash takes 64 MiB and a tenth of a second.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="hashing")


class TooManyAttempts(NotAllowed):
    """Somebody must wait before the next attempt."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"Too many attempts failed. Try again in {in_words(wait)}.")
        self.wait = wait


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in now, and the id that their browser keeps."""

    person: Staff
    secret: str


async def sign_in(store: Store, name: str, words: str, *, address: str) -> SignedIn:
    """Begin a login for whoever knows this name's password.

    Whether there is such a name can be told neither from the answer nor from its time.
    """
    person = await attempt(store, name, address)
    good, better = await hashed(password.fits, words, person.password if person else None)
    if not good or person is None:
        log.info("sign-in failed", address=address)
        raise NotAllowed(WRONG)
    async with store.transaction() as session:
        moment = await now(session)
        current = await people.locked(session, person.key)
        if current is None or not current.active or current.password != person.password:
            raise NotAllowed(WRONG)  # changed meanwhile
        if better is not None:
            current.password = better
        await forgive(session, name, address, moment)
        return await begin(session, current, address, moment)


async def attempt(store: Store, name: str, address: str) -> Staff | None:
    """Who means to sign in, if anybody. The attempt counts as failed until it has not."""
    async with store.transaction() as session:
        moment = await now(session)
        by_address = await attempts.locked(session, login.by_address(address), now=moment)
        refuse(by_address, moment)
        person = await people.signing(session, name)
        if person is not None and not person.active:
            person = None
        by_address.failed(FREE_BY_ADDRESS, moment)
        # Who shuts an account by failing on purpose does not shut out its owner, who comes from
        # where they came from before.
        if person is None or not await logins.known(session, person.key, login.network(address)):
            by_account = await attempts.locked(session, login.by_account(name), now=moment)
            refuse(by_account, moment)
            by_account.failed(FREE_BY_ACCOUNT, moment)
        return person


def refuse(found: Attempt, moment: datetime) -> None:
    """Say how long to wait, if at all."""
    if wait := found.wait(moment):
        raise TooManyAttempts(wait)


async def forgive(session: AsyncSession, name: str, address: str, moment: datetime) -> None:
    """It was no failure: the account's are forgotten, of the address only this one."""
    by_address = await attempts.locked(session, login.by_address(address), now=moment)
    by_address.forgiven(FREE_BY_ADDRESS)
    by_account = await attempts.locked(session, login.by_account(name), now=moment)
    by_account.failures, by_account.wait_until = 0, None


async def begin(session: AsyncSession, person: Staff, address: str, moment: datetime) -> SignedIn:
    """A new login under a new id, whatever the browser carried before."""
    secret = login.new_id()
    await logins.begin(session, person.key, secret, address=login.network(address), now=moment)
    return SignedIn(person, secret)


async def sign_out(store: Store, secret: str) -> None:
    """End this login."""
    async with store.transaction() as session:
        await logins.end_one(session, secret, now=await now(session))


async def sign_out_everywhere(store: Store, staff_id: int, *, but: Login | None = None) -> None:
    """End all logins of a person, `but` this one."""
    async with store.transaction() as session:
        await logins.end(session, staff_id, now=await now(session), but=but.key if but else None)


def give_link(person: Staff, moment: datetime) -> str:
    """A link by which a person chooses a password, once, within the hour."""
    secret = login.new_id()
    person.link, person.link_until = login.digest(secret), moment + LINK
    return secret


async def invited(store: Store, link: str) -> Staff:
    """For whom a link is."""
    async with store.reading() as session:
        person = await people.linked(session, login.digest(link))
        return still_good(person, await now(session))


async def use_link(store: Store, link: str, words: str, *, address: str) -> SignedIn:
    """Choose a password; the link is spent, and every login from before ends."""
    person = await invited(store, link)
    password.require_good(words, person.name)
    stored = await hashed(password.kept, words)
    async with store.transaction() as session:
        moment = await now(session)
        person = still_good(await people.locked(session, person.key), moment)
        if person.link != login.digest(link):
            raise NotAllowed(USED_UP)
        await set_password(session, person, stored, moment)
        return await begin(session, person, address, moment)


async def change_password(
    store: Store, here: Login, old: str, new: str, *, address: str
) -> SignedIn:
    """Change one's own password: this browser goes on under a new id, all others must sign in."""
    async with store.reading() as session:
        name = await people.name(session, here.staff_id)
    person = await attempt(store, name, address)
    good, _ = await hashed(password.fits, old, person.password if person else None)
    if not good or person is None or person.key != here.staff_id:
        raise NotAllowed("The old password is another one.")
    password.require_good(new, person.name)
    stored = await hashed(password.kept, new)
    async with store.transaction() as session:
        moment = await now(session)
        current = await people.locked(session, person.key)
        if current is None or not current.active or current.password != person.password:
            raise NotAllowed("Your password was changed elsewhere meanwhile.")
        await forgive(session, name, address, moment)
        await set_password(session, current, stored, moment)
        return await begin(session, current, address, moment)


async def set_password(session: AsyncSession, person: Staff, stored: str, moment: datetime) -> None:
    """From now on this password, and nothing from before it."""
    person.password, person.link, person.link_until = stored, None, None
    await logins.end(session, person.key, now=moment)


def still_good(person: Staff | None, moment: datetime) -> Staff:
    """The person of a link that can still be used."""
    if person is None or not person.active:
        raise NotAllowed(USED_UP)
    if person.link_until is None or person.link_until <= moment:
        raise NotAllowed(USED_UP)
    return person


async def hashed(work: Callable[..., Result], *words: str | None) -> Result:
    """Hash beside everything else, and only a few at once."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, work, *words)


def in_words(wait: timedelta) -> str:
    """How long to wait, rounded up."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    if seconds < 60:
        return f"{seconds} second{'s' if seconds > 1 else ''}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
