"""Keeping wordings: written, changed and taken away by those who answer for how we speak."""

from dataclasses import dataclass

from connectors.kit import catalog
from listener.domain.record import NotAllowed
from listener.domain.wording import Wording, written
from listener.store import brands, wordings
from listener.store.session import Store

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A wording as somebody writes it; what is empty fits everywhere."""

    name: str
    text: str
    brand: str = ""
    connector: str = ""
    language: str = ""
    tag: str = ""


async def keep(store: Store, worded: Worded) -> Wording:
    """Keep a wording under its name; one of this name is changed."""
    name = " ".join(worded.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise NotAllowed(f"A wording needs a name of at most {LONGEST_NAME} characters.")
    text = written(worded.text)
    if worded.connector and worded.connector not in catalog.names():
        raise NotAllowed(f"There is no connector called {worded.connector!r}.")
    async with store.transaction() as session:
        brand = await brands.named(session, worded.brand) if worded.brand else None
        if worded.brand and brand is None:
            raise NotAllowed(f"There is no brand called {worded.brand!r}.")
        kept = await wordings.named(session, name) or Wording(name=name, text=text)
        kept.text = text
        kept.brand_id = None if brand is None else brand.key
        kept.connector = worded.connector or None
        kept.language = worded.language.strip().lower() or None
        kept.tag = worded.tag.strip().lower().lstrip("#") or None
        session.add(kept)
        return kept


async def forget(store: Store, name: str) -> None:
    """Take a wording away; replies that used it stay as they are."""
    async with store.transaction() as session:
        kept = await wordings.named(session, name)
        if kept is None:
            raise NotAllowed(f"There is no wording called {name!r}.")
        await session.delete(kept)
