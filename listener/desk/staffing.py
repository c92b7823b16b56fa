"""Staffing: who works here, as what, for which brands, and with which way in."""

import unicodedata
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from listener.desk.signing_in import give_link, hashed, set_password
from listener.domain import password
from listener.domain.event import What
from listener.domain.record import NotAllowed, NotThere
from listener.domain.staff import Role, Staff
from listener.store import brands as all_brands
from listener.store import history, logins, people, routing
from listener.store.session import AsyncSession, Store, now

log = structlog.get_logger(__name__)

LONGEST_NAME = 60


@dataclass(frozen=True)
class Welcome:
    """Somebody, and the link by which they choose a password: shown once, kept nowhere."""

    person: Staff
    link: str


async def add(
    store: Store,
    name: str,
    *,
    role: Role = Role.AGENT,
    mail: str | None = None,
    brands: Collection[int] | None = None,
    words: str | None = None,
    by: str | None = None,
) -> Welcome:
    """Somebody works here from now on, or again; `words` is a password chosen for them."""
    name = called(name)
    stored = await chosen(words, name)
    async with store.transaction() as session:
        moment = await now(session)
        person = await people.signing(session, name)
        if person is not None and person.active:
            raise NotAllowed(f"Somebody called {person.name!r} works here already.")
        if person is None:
            person = Staff(name=name)
            session.add(person)
        person.active, person.role, person.mail = True, role, mail or person.mail
        person.brands = await looked_after(session, role, brands)
        await session.flush()
        if stored is not None:
            await set_password(session, person, stored, moment)
            link = ""
        else:
            link = give_link(person, moment)
    said("person added", person, by, role=role.value)
    return Welcome(person, link)


async def new_link(store: Store, name: str, *, by: str | None = None) -> Welcome:
    """A new link for somebody who has lost their password; until it is used, nothing changes."""
    async with changing(store, name) as (_, person, moment):
        link = give_link(person, moment)
    said("link given", person, by)
    return Welcome(person, link)


async def give_password(store: Store, name: str, words: str, *, by: str | None = None) -> Staff:
    """Choose a password for somebody; all their logins end."""
    stored = await chosen(words, name)
    async with changing(store, name) as (session, person, moment):
        await set_password(session, person, stored or "", moment)
    said("password set", person, by)
    return person


async def change(
    store: Store,
    name: str,
    *,
    role: Role,
    brands: Collection[int] | None,
    by: str | None = None,
) -> Staff:
    """Another role, or other brands. They sign in again to have it: no login outlives a right."""
    async with governing(store, name) as (session, person, moment, admins):
        before = (person.role, person.brands)
        if role is not Role.ADMIN:
            unless_last_admin(person, admins)
        person.role = role
        person.brands = await looked_after(session, role, brands)
        if before != (person.role, person.brands):
            await logins.end(session, person.key, now=moment)
    said("person changed", person, by, role=role.value)
    return person


async def leave(store: Store, name: str, *, by: str | None = None) -> tuple[Staff, int]:
    """Somebody works here no more: they are signed out, and their cases are everybody's again."""
    async with governing(store, name) as (session, person, moment, admins):
        unless_last_admin(person, admins)
        person.active = False
        person.password = person.link = person.link_until = person.slack = None
        await logins.end(session, person.key, now=moment)
        actor = await people.named(session, by) if by else None
        given_back = 0
        for case in await people.cases_of(session, person.key):
            case.unassign(case.held_by(moment) or person.key, moment)
            await history.record(
                session,
                case.key,
                What.RELEASED,
                now=moment,
                channels=await history.channels(session),
                staff_id=actor.key if actor else None,
                details={"from": person.key},
            )
            await routing.reconsider(session, case.key, moment)
            given_back += 1
    said("person left", person, by, cases=given_back)
    return person, given_back


async def sign_out(store: Store, name: str, *, by: str | None = None) -> Staff:
    """End all logins of somebody."""
    async with changing(store, name) as (session, person, moment):
        await logins.end(session, person.key, now=moment)
    said("signed out everywhere", person, by)
    return person


async def keep_account(store: Store, staff_id: int, *, name: str, zone: str) -> Staff:
    """Change what one is called, and in which zone one sees times."""
    name = called(name)
    if zone:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError) as error:
            raise NotAllowed(
                f"{zone!r} is no time zone we know. Write it as Europe/Berlin, or leave it empty."
            ) from error
    async with store.transaction() as session:
        person = await people.locked(session, staff_id)
        if person is None:
            raise NotThere("You work here no more.")
        other = await people.signing(session, name)
        if other is not None and other.key != staff_id:
            raise NotAllowed(f"Somebody else is called {other.name!r}; take another name.")
        person.name, person.zone = name, zone or None
        return person


@asynccontextmanager
async def changing(store: Store, name: str) -> AsyncIterator[tuple[AsyncSession, Staff, datetime]]:
    """Somebody who works here, locked until the block ends."""
    async with store.transaction() as session:
        yield session, await at_hand(session, name), await now(session)


@asynccontextmanager
async def governing(
    store: Store, name: str
) -> AsyncIterator[tuple[AsyncSession, Staff, datetime, Sequence[Staff]]]:
    """Somebody who works here, locked, after all admins.

    In this order, so that two who dismiss each other do not wait for each other.
    """
    async with store.transaction() as session:
        admins = await people.admins(session)
        yield session, await at_hand(session, name), await now(session), admins


async def at_hand(session: AsyncSession, name: str) -> Staff:
    """Somebody who works here, locked."""
    found = await people.named(session, name)
    person = None if found is None else await people.locked(session, found.key)
    if person is None or not person.active:
        raise NotThere(f"Nobody here is called {name!r}. `listener staff list` lists them.")
    return person


def called(name: str) -> str:
    """A name that can be shown, typed, and told from others."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise NotAllowed("A person needs a name.")
    if len(name) > LONGEST_NAME:
        raise NotAllowed(f"A name may have {LONGEST_NAME} letters.")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in name):
        raise NotAllowed("A name has letters only, nothing that cannot be seen.")
    return name


async def chosen(words: str | None, name: str) -> str | None:
    """What is stored of a password that somebody has chosen."""
    if words is None:
        return None
    password.require_good(words, name)
    return await hashed(password.kept, words)


async def looked_after(
    session: AsyncSession, role: Role, brands: Collection[int] | None
) -> list[int] | None:
    """The brands somebody looks after, which must be there; an admin looks after all."""
    if role is Role.ADMIN or brands is None:
        return None
    known = {brand.key for brand in await all_brands.every(session)}
    if unknown := set(brands) - known:
        raise NotAllowed(f"There is no brand {min(unknown)}.")
    return sorted(set(brands))


def unless_last_admin(person: Staff, admins: Sequence[Staff]) -> None:
    """Somebody must remain who can let people in."""
    if person.role is Role.ADMIN and all(one.key == person.key for one in admins):
        raise NotAllowed(f"{person.name} is the only admin; make somebody else one first.")


def said(what: str, person: Staff, by: str | None, **more: object) -> None:
    """Who was changed, and by whom: an admin, or whoever has the command line."""
    log.info(what, person=person.key, by=by or "the command line", **more)
