"""Questions that an assistant may ask: each answered within the rights of the person it acts for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field

from listener.cli.assisting import answers
from listener.cli.assisting.answers import Answer
from listener.desk.digesting import digest as digested
from listener.desk.meaning import Meanings
from listener.domain.brand import Brand
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.span import Of, Stretch, holding, latest
from listener.domain.staff import Staff
from listener.domain.words import LONGEST_SEARCH
from listener.store import alarms as rung
from listener.store import brands as all_brands
from listener.store import crises as declared
from listener.store import digests, people, portraits, search, walls
from listener.store import themes as found_themes
from listener.store.search import Search
from listener.store.session import AsyncSession, Store, now

Row = TypeVar("Row")

MOST: Final = 50  # of anything in one answer
LOOKED_AT: Final = 1_000  # themes and alarms, of which the latest pages are shown
STRETCHES: Final = 31

BrandName = Annotated[
    str | None, Field(description="A brand's name, as `brands` gives it; without: all of yours.")
]
OneBrand = Annotated[
    str | None,
    Field(description="A brand's name, as `brands` gives it; needed where you have several."),
]
Words = Annotated[str, Field(max_length=LONGEST_SEARCH)]
Day = Annotated[str | None, Field(description="A day by UTC, as in 2026-11-25.")]
Limit = Annotated[int, Field(ge=1, le=MOST, description="How many in this answer.")]
After = Annotated[
    int | None, Field(ge=0, description="What `ask_again_with` said, for the next page.")
]
Number = Annotated[int, Field(ge=1)]
Period = Literal["day", "week", "month"]
Zone = Annotated[str, Field(description="Whose clocks count, as in Europe/Berlin.")]


@dataclass(frozen=True)
class Questions:
    """What may be asked in the name of one person. Nothing here writes."""

    store: Store
    meanings: Meanings
    staff_id: int
    url: str

    @asynccontextmanager
    async def asking(self, act: Act) -> AsyncIterator[tuple[AsyncSession, Staff, datetime]]:
        """The person as they stand now: who has left, or may no longer, is told so at once."""
        async with self.store.reading() as session:
            person = await people.numbered(session, self.staff_id)
            if person is None or not person.active:
                raise NoRight("The person in whose name you ask works here no more.")
            if not may(person, act):
                raise NoRight(
                    f"{person.name} is here as {person.role}, which does not include: {act}."
                )
            yield session, person, await now(session)

    async def brands(self) -> Answer:
        """Say in whose name you ask, which brands they look after, and what time it is.

        Ask this first. Times are UTC.
        """
        async with self.asking(Act.READ_CASES) as (session, person, moment):
            theirs = await seen(session, person)
            return {
                "you_ask_for": person.name,
                "role": person.role.value,
                "brands": [one.name for one in theirs],
                "may_read_digests_and_figures": may(person, Act.READ_BRANDS),
                "now": answers.moment(moment),
            }

    async def digest(
        self, brand: OneBrand = None, of: Period = "week", on: Day = None, zone: Zone = "UTC"
    ) -> Answer:
        """Say how a brand is doing and why: what changed beyond chance, risks, causes, the team.

        Of the last day, week or month that is over, or of the one that holds the day `on`.
        """
        async with self.asking(Act.READ_BRANDS) as (session, person, moment):
            wanted = await one_brand(session, person, brand)
            stretch = stretched(Of(of), on, zone, moment)
            found = await digested(session, wanted, stretch, now=moment)
            return answers.digest(found, self.url)

    async def figures(
        self,
        brand: OneBrand = None,
        of: Period = "day",
        until: Day = None,
        many: Annotated[int, Field(ge=1, le=STRETCHES)] = 14,
        zone: Zone = "UTC",
    ) -> Answer:
        """Count a brand's mentions and complaints by day, week or month and by source.

        `many` of them, the latest first, the last being the one that is over or holds `until`.
        """
        async with self.asking(Act.READ_BRANDS) as (session, person, moment):
            wanted = await one_brand(session, person, brand)
            stretches = [stretched(Of(of), until, zone, moment)]
            while len(stretches) < many:
                before = stretches[-1].first - timedelta(days=1)
                stretches.append(holding(Of(of), before, zone))
            counts = await digests.counts(session, wanted, stretches)
            return {
                "brand": wanted.name,
                "zone": zone,
                "counts": [
                    {
                        "of": stretch.name,
                        "first_day": stretch.first.isoformat(),
                        "mentions": sum(one.mentions for one in by_source.values()),
                        "complaints": sum(one.complaints for one in by_source.values()),
                        "by_source": {
                            source: {"mentions": one.mentions, "complaints": one.complaints}
                            for source, one in sorted(by_source.items())
                        },
                    }
                    for stretch, by_source in zip(stretches, counts, strict=True)
                ],
            }

    async def themes(self, brand: BrandName = None, limit: Limit = 20, after: After = 0) -> Answer:
        """List causes that several complaints share, those of most people first, each with a quote."""
        async with self.asking(Act.READ_CASES) as (session, person, _):
            within = await numbers(session, person, brand)
            found = await found_themes.shown(session, brands=within, limit=LOOKED_AT)
            rows, more = paged(found, limit, after or 0)
            return answers.listed(
                "themes", [answers.theme(one, self.url) for one in rows], more=more
            )

    async def theme(self, number: Number) -> Answer:
        """Tell all of one theme: who says it where and when, quotes, open cases, its history."""
        async with self.asking(Act.READ_CASES) as (session, person, moment):
            brand = await walls.of_theme(session, number)
            if brand is not None and person.sees(brand):
                found = await portraits.read(session, number, now=moment, zone="UTC")
                if found is not None:
                    return answers.portrait(found, self.url)
            raise NotThere(f"There is no theme {number}. `themes` lists them.")

    async def alarms(
        self,
        brand: BrandName = None,
        over: Annotated[bool, Field(description="Also those that are over.")] = False,
        limit: Limit = 20,
        after: After = 0,
    ) -> Answer:
        """List alarms: what rises or is silent beyond what is usual, since when, with quotes."""
        async with self.asking(Act.READ_CASES) as (session, person, _):
            within = await numbers(session, person, brand)
            found = await rung.shown(session, brands=within, limit=LOOKED_AT)
            wanted = [one for one in found if over or one.alarm.over_at is None]
            rows, more = paged(wanted, limit, after or 0)
            return answers.listed(
                "alarms", [answers.alarm(one, self.url) for one in rows], more=more
            )

    async def crises(
        self,
        brand: BrandName = None,
        over: Annotated[bool, Field(description="Also those that are over.")] = False,
        limit: Limit = 20,
        after: After = 0,
    ) -> Answer:
        """List crises that people have declared: who leads, how many cases, what is due when."""
        async with self.asking(Act.READ_CASES) as (session, person, _):
            within = await numbers(session, person, brand)
            found = await declared.shown(session, brands=within, ended=over, limit=LOOKED_AT)
            rows, more = paged(found, limit, after or 0)
            return answers.listed(
                "crises", [answers.crisis(one, self.url) for one in rows], more=more
            )

    async def mentions(
        self,
        words: Annotated[
            Words, Field(description='All must be there; "in quotes" side by side.')
        ] = "",
        brand: BrandName = None,
        source: str | None = None,
        language: Annotated[str | None, Field(description="ISO 639, as in de.")] = None,
        complaint: Annotated[
            bool | None, Field(description="Only complaints, or only what is none.")
        ] = None,
        since: Day = None,
        until: Day = None,
        case: Number | None = None,
        theme: Number | None = None,
        limit: Limit = 20,
        after: After = None,
    ) -> Answer:
        """List what people said that has all these words, the latest heard first."""
        async with self.asking(Act.READ_CASES) as (session, person, _):
            await numbers(session, person, brand)
            wanted = Search(
                words=words, brand=brand, source=source, language=language, flagged=complaint,
                since=day(since), until=next_day(until), case_id=case, theme_id=theme,
            )  # fmt: skip
            found = await search.search(
                session, wanted, brands=person.walls, after=after, limit=limit
            )
            more = None if found.after is None else {"after": found.after}
            return answers.listed(
                "mentions",
                [answers.mention(one, self.url) for one in found.mentions],
                more=more,
            )

    async def mentions_by_meaning(
        self,
        words: Annotated[Words, Field(description="A sentence finds more than a word.")] = "",
        like_mention: Number | None = None,
        brand: OneBrand = None,
        source: str | None = None,
        language: Annotated[str | None, Field(description="ISO 639, as in de.")] = None,
        complaint: bool | None = None,
        since: Day = None,
        until: Day = None,
        limit: Limit = 20,
        after: After = 0,
    ) -> Answer:
        """List what means nearly the same as these words, or as a mention, the nearest first.

        In the last 90 days of one brand, whatever words and language people used.
        """
        async with self.asking(Act.READ_CASES) as (_, person, _):
            within = person.walls
        wanted = Search(
            words=words, brand=brand, source=source, language=language, flagged=complaint,
            since=day(since), until=next_day(until),
        )  # fmt: skip
        found = await self.meanings.find(
            wanted, like=like_mention, within=within, after=after or 0, limit=limit
        )
        more = None if found.after is None else {"after": found.after}
        return answers.near(found, self.url, more)


async def seen(session: AsyncSession, person: Staff) -> list[Brand]:
    """The brands that somebody looks after."""
    return [one for one in await all_brands.every(session) if person.sees(one.key)]


async def numbers(session: AsyncSession, person: Staff, name: str | None) -> list[int]:
    """The brand of this name, or all of theirs, by number; another is, to them, not there."""
    theirs = await seen(session, person)
    found = [one.key for one in theirs if name is None or one.name == name]
    if name is not None and not found:
        raise NotThere(f"There is no brand called {name!r}. `brands` lists them.")
    return found


async def one_brand(session: AsyncSession, person: Staff, name: str | None) -> Brand:
    """The brand of this name, or their only one."""
    found = await numbers(session, person, name)
    if len(found) != 1:
        raise NotAllowed("Say which brand; `brands` lists them.")
    return await all_brands.numbered(session, found[0])


def paged(
    rows: Sequence[Row], limit: int, after: int
) -> tuple[Sequence[Row], dict[str, int] | None]:
    """So many rows behind so many, and what to ask for the next."""
    page = rows[after : after + limit]
    return page, {"after": after + limit} if len(rows) > after + limit else None


def stretched(of: Of, on: str | None, zone: str, moment: datetime) -> Stretch:
    """The stretch that holds a day, or the last that is over."""
    try:
        stretch = (
            latest(of, moment, zone) if on is None else holding(of, date.fromisoformat(on), zone)
        )
        _ = stretch.compared, stretch.ends
    except (ValueError, KeyError, OverflowError):
        raise NotAllowed(
            "Write a day like 2026-11-25, and a zone by its name, like Europe/Berlin."
        ) from None
    return stretch


def day(words: str | None) -> datetime | None:
    """The beginning of a day, by UTC."""
    if words is None:
        return None
    try:
        found = date.fromisoformat(words)
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    except ValueError:
        raise NotAllowed(f"{words!r} is no day; write one like 2026-11-25.") from None


def next_day(words: str | None) -> datetime | None:
    """The end of a day, by UTC."""
    found = day(words)
    try:
        return None if found is None else found + timedelta(days=1)
    except OverflowError:
        raise NotAllowed(f"{words!r} is too far away.") from None
