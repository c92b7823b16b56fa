"""Keeping wordings: written, changed and taken away by those who answer for how we speak."""

from dataclasses import dataclass

from connectors.kit import catalog
from listener.desk.acting import somebody
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.domain.wording import (
    LONGEST_NAME,
    Wording,
    plain_language,
    plain_tag,
    written,
)
from listener.store import brands, wordings
from listener.store.session import AsyncSession, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A wording as somebody writes it; what is empty fits everywhere."""

    name: str
    text: str
    brand: str = ""
    connector: str = ""
    language: str = ""
    tag: str = ""


async def keep(store: Store, worded: Worded, staff: str) -> Wording:
    """Keep a wording under its name; one of this name is changed."""
    name = " ".join(worded.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise NotAllowed(f"A wording needs a name of at most {LONGEST_NAME} characters.")
    text = written(worded.text)
    if worded.connector and worded.connector not in catalog.names():
        raise NotAllowed(f"There is no connector called {worded.connector!r}.")
    async with store.transaction() as session:
        person = await keeper(session, staff)
        brand = await brands.named(session, worded.brand) if worded.brand else None
        if worded.brand and (brand is None or not person.sees(brand.key)):
            raise NotAllowed(f"There is no brand called {worded.brand!r}.")
        kept = await wordings.named(session, name) or Wording(name=name, text=text)
        if kept.brand_id is not None and not person.sees(kept.brand_id):
            raise NotAllowed(f"{name!r} is taken by a brand that is not yours; choose another.")
        kept.text = text
        kept.brand_id = None if brand is None else brand.key
        kept.connector = worded.connector or None
        kept.language = plain_language(worded.language)
        kept.tag = plain_tag(worded.tag)
        session.add(kept)
        return kept


async def forget(store: Store, name: str, staff: str) -> None:
    """Take a wording away; replies that used it stay as they are."""
    async with store.transaction() as session:
        person = await keeper(session, staff)
        kept = await wordings.named(session, name)
        if kept is None or not may(person, Act.WRITE_WORDINGS, kept.brand_id):
            raise NotThere(f"There is no wording called {name!r}.")
        await session.delete(kept)


async def keeper(session: AsyncSession, staff: str) -> Staff:
    """The person, who may write wordings."""
    person = await somebody(session, staff)
    if not may(person, Act.WRITE_WORDINGS):
        raise NoRight("Only a lead or an admin writes wordings.")
    return person
