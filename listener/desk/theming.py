"""Themes at the desk: what people say of a cause, and who sees to it."""

from collections.abc import Collection
from dataclasses import dataclass

from listener.desk.acting import somebody
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.domain.theme import Became, Theme
from listener.store import themes
from listener.store.session import AsyncSession, Store, now


@dataclass(frozen=True, slots=True)
class Apart:
    """A theme that was put apart from another, with a sentence that says so."""

    number: int
    said: str


async def rename(store: Store, number: int, staff: str, name: str) -> str:
    """Give a theme the name that people use; it is not named by its words again."""
    async with store.transaction() as session:
        person, theme = await chosen(session, number, staff)
        theme.rename(name)
        moment = await now(session)
        themes.record(
            session, number, Became.RENAMED, now=moment, words=theme.name, staff_id=person.key
        )
        return f"Theme {number} is called {theme.name} now."


async def mute(store: Store, number: int, staff: str, *, muted: bool) -> str:
    """Put a theme behind all others, or among them again."""
    async with store.transaction() as session:
        person, theme = await chosen(session, number, staff)
        if theme.muted is not muted:
            theme.muted = muted
            became = Became.MUTED if muted else Became.UNMUTED
            themes.record(session, number, became, now=await now(session), staff_id=person.key)
        return f"Theme {number} is {'quiet' if muted else 'among the others again'}."


async def merge(store: Store, number: int, staff: str, into: int) -> str:
    """Make one theme a part of another of the same brand; no look takes them apart again."""
    async with store.transaction() as session:
        await themes.interrupt(session, number)
        person, theme = await chosen(session, number, staff)
        _, other = await chosen(session, into, staff)
        if number == into or theme.brand_id != other.brand_id:
            raise NotAllowed("Only another theme of the same brand can take this one in.")
        moment = await now(session)
        if theme.ended_at is None:
            other.ended_at = None
        theme.ended_at, theme.merged_into = moment, into
        other.began_at, other.by_hand = min(theme.began_at, other.began_at), True
        other.owner_id, other.link = other.owner_id or theme.owner_id, other.link or theme.link
        await themes.go_over(session, number, into)
        await themes.reckon(session, other, now=moment)
        themes.record(session, number, Became.MERGED, now=moment, other=into, staff_id=person.key)
        return f"Theme {number} is a part of theme {into} now."


async def split(
    store: Store, number: int, staff: str, mention_ids: Collection[int], name: str
) -> Apart:
    """Put some of a theme's posts into a theme of their own; no look brings them back."""
    async with store.transaction() as session:
        await themes.interrupt(session, number)
        person, theme = await chosen(session, number, staff)
        theirs, wanted = await themes.mentions_of(session, number), set(mention_ids)
        if not wanted:
            raise NotAllowed("Choose the posts that are to be a theme of their own.")
        if strangers := wanted - theirs:
            raise NotAllowed(f"Post {min(strangers)} is not one of theme {number}. Look again.")
        if wanted == theirs:
            raise NotAllowed(
                f"These are all posts of theme {number}: leave at least one, or rename it."
            )
        moment = await now(session)
        apart = Theme(
            brand_id=theme.brand_id, name="", began_at=moment, last_at=moment, by_hand=True
        )
        apart.rename(name)
        session.add(apart)
        await session.flush()
        await themes.belong(session, apart.key, wanted, now=moment)
        await themes.reckon(session, apart, now=moment)
        await themes.reckon(session, theme, now=moment)
        apart.began_at = await themes.begins(session, apart.key, otherwise=moment)
        themes.record(
            session, apart.key, Became.SPLIT, now=moment, other=number, staff_id=person.key
        )
        posts = "1 post" if len(wanted) == 1 else f"{len(wanted)} posts"
        return Apart(apart.key, f"{posts} of theme {number} are theme {apart.key} now: {name}.")


async def own(store: Store, number: int, staff: str, owner: str) -> str:
    """Say who sees to a theme; nobody without a name."""
    async with store.transaction() as session:
        person, theme = await chosen(session, number, staff, Act.ASSIGN)
        other = await somebody(session, owner) if owner else None
        if other is not None and not other.sees(theme.brand_id):
            raise NotAllowed(f"{other.name} does not see this brand, so cannot see to its themes.")
        becomes = None if other is None else other.key
        if theme.owner_id != becomes:
            theme.owner_id = becomes
            moment = await now(session)
            themes.record(
                session, number, Became.OWNED, now=moment, other=becomes, staff_id=person.key
            )
        return f"{other.name if other else 'Nobody'} sees to theme {number} now."


async def link(store: Store, number: int, staff: str, address: str) -> str:
    """Say where a theme is put right, in another program; nowhere when empty."""
    async with store.transaction() as session:
        person, theme = await chosen(session, number, staff, Act.ASSIGN)
        before = theme.link
        theme.track(address)
        if theme.link != before:
            moment = await now(session)
            themes.record(
                session,
                number,
                Became.LINKED,
                now=moment,
                words=theme.link,
                staff_id=person.key,
            )
        if theme.link is None:
            return f"Theme {number} leads nowhere now."
        return f"Theme {number} leads to {theme.link} now."


async def chosen(
    session: AsyncSession, number: int, staff: str, act: Act = Act.WORK_CASES, *, lock: bool = True
) -> tuple[Staff, Theme]:
    """The person and the theme, locked; NotThere where they may not see it."""
    person = await somebody(session, staff)
    theme = await themes.one(session, number, lock=lock)
    if theme is None or theme.merged_into is not None or not person.sees(theme.brand_id):
        raise NotThere(f"There is no theme {number}. The page Themes lists them.")
    if not may(person, act, theme.brand_id):
        raise NoRight(
            f"{person.name} is here as {person.role}, whose role does not include: {act}."
        )
    return person, theme
