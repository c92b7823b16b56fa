"""Brands, and the matcher that is made of all their queries."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import select

from connectors.kit.contract import Connector, Page, Post, Rechecks, Sieve, Unread, everything
from listener.domain.brand import Brand
from listener.domain.matching import Matcher, is_own
from listener.domain.query import parse
from listener.domain.source import Source
from listener.store import history, intake
from listener.store.intake import Kept
from listener.store.newcomers import Named, Rules
from listener.store.session import AsyncSession, Store

LONGEST_ID = 1_000  # characters; PostgreSQL's index rows end at 2,700 bytes


async def every(session: AsyncSession) -> Sequence[Brand]:
    """All brands, by name."""
    return (await session.exec(select(Brand).order_by(Brand.name))).all()


async def numbered(session: AsyncSession, number: int) -> Brand:
    """The brand of this number."""
    return await session.get_one(Brand, number)


async def named(session: AsyncSession, name: str) -> Brand | None:
    """The brand of this name."""
    return (await session.exec(select(Brand).where(Brand.name == name))).one_or_none()


class Matchbook:
    """Says which posts name which brands, by the brands as they stand now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stamp: tuple[int, datetime | None] = (-1, None)
        self._brands: dict[int, Brand] = {}
        self._matcher = Matcher({})

    async def refresh(self) -> None:
        """Read the brands again if they have changed."""
        async with self._store.reading() as session:
            stamp = (await session.exec(select(func.count(), func.max(Brand.changed_at)))).one()
            if tuple(stamp) == self._stamp:
                return
            brands = await every(session)
        self._brands = {brand.key: brand for brand in brands}
        self._matcher = Matcher({brand.key: parse(brand.query) for brand in brands})
        self._stamp = (stamp[0], stamp[1])

    def sieve(self, source: Source, connector: Connector) -> Sieve:
        """What a stream may leave out: posts that name no brand as they stand when it asks.

        Where every post is about a brand, named or not, nothing is left out.
        """
        if connector.about_us or source.about_us:
            return everything
        return lambda text, links: self._matcher.may_match(text, links)

    def sort(
        self, source: Source, connector: Connector, posts: Sequence[Post]
    ) -> tuple[list[Named], list[Post]]:
        """Posts that name a brand of this source, and those that name none."""
        named: list[Named] = []
        unwanted: list[Post] = []
        found = {
            id(post): matches
            for post, matches in self._matcher.matches(
                posts, source=source.name, connector=source.connector
            )
        }
        wanted, always = self._wanted(source, connector)
        for post in posts:
            marks = {
                match.brand: [(span.field, span.start, span.end) for span in match.spans]
                for match in found.get(id(post), ())
            }
            about = always or [brand for brand in marks if brand in wanted]
            named += [
                Named(post, brand, marks.get(brand, ()), self._is_ours(post, brand))
                for brand in about
            ]
            if not about:
                unwanted.append(post)
        return named, unwanted

    def _wanted(self, source: Source, connector: Connector) -> tuple[Container[int], list[int]]:
        """The brands a source may be about, and those that every post of it is about.

        Asked once a page: there may be ten thousand brands, and a post names one of them.
        """
        if source.brands is None:
            wanted = list(self._brands) if len(self._brands) == 1 else []
        else:
            wanted = [brand for brand in source.brands if brand in self._brands]
        always = wanted if connector.about_us or source.about_us else []
        return (self._brands if source.brands is None else frozenset(wanted)), always

    def _is_ours(self, post: Post, brand_id: int) -> bool:
        return post.author.ours or is_own(post, self._brands[brand_id].handles)


@dataclass
class Intake:
    """Turns a connector's page into mentions, inside a transaction that its caller opened."""

    matchbook: Matchbook
    fresh: timedelta

    async def keep(
        self,
        session: AsyncSession,
        source: Source,
        connector: Connector,
        page: Page,
        *,
        now: datetime,
        remember: bool = True,
    ) -> Kept:
        """Keep a page; with `remember`, also the fingerprints of posts that no brand wanted."""
        page = readable(page)
        named, unwanted = self.matchbook.sort(source, connector, page.posts)
        rules = Rules(
            fresh=self.fresh,
            rechecks=isinstance(connector, Rechecks),
            channels=await history.channels(session),
        )
        kept = await intake.keep(session, source, page, named, rules=rules, now=now)
        if remember:
            await intake.remember(session, source, unwanted, now=now)
        await intake.cover(session, source, page)
        return kept


def readable(page: Page) -> Page:
    """The page with posts set aside whose ids no index can hold."""
    endless = [post for post in page.posts if len(post.id) > LONGEST_ID]
    if not endless:
        return page
    aside = tuple(Unread("Its id is longer than any place's.", post.id) for post in endless)
    kept = tuple(post for post in page.posts if len(post.id) <= LONGEST_ID)
    return replace(page, posts=kept, unreadable=(*page.unreadable, *aside))
