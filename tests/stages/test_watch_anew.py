"""The watch counts as if it counted anew each minute, whatever happens to what was said before."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.kit.contract import Kind
from listener.domain.alarm import Alarm
from listener.domain.case import Case
from listener.domain.lately import NO_THEME, Lately, instant
from listener.domain.mention import Mention
from listener.domain.outlook import LOOK_BACK
from listener.domain.theme import Belonging, Theme
from listener.stages.watch import Found, Watch
from listener.store import themes, watching
from listener.store.session import AsyncSession
from tests.given import INBOX, settled
from tests.stages.test_watch import mention, used_to
from tests.world import World

MINUTE = timedelta(minutes=1)
HARM = ["Speaks of harm: safety."]
WORDS = (
    "The fish that came from Mill Lane was cold, and so was the man who brought it.",
    "RT @ada: The fish that came from Mill Lane was cold, and so was the man who brought it.",
    "Nobody at the fish counter in Mill Lane wanted to hear about my coupon today.",
)


class Fate:
    """What happens by chance to a brand and to what was said of it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311  (it guards nothing)
        self.numbers = count(10_000)

    async def strikes(self) -> None:
        """Some time goes by, and something happens, once or several times."""
        self.world.now += self.chance.choice((1, 1, 2, 5, 30, 200)) * MINUTE
        for _ in range(self.chance.randrange(1, 4)):
            happens = self.chance.choice(
                (self.said, self.said, self.told_late, self.changed, self.grouped, self.regrouped)
            )
            await happens()

    async def said(self) -> None:
        """A few posts, or a fire."""
        many = self.chance.choice((1, 2, 3, 12, 40))
        await self.posts(many, timedelta(minutes=self.chance.choice((1, 10, 60))))

    async def told_late(self) -> None:
        """A place tells of posts that are hours old, some of them of yesterday."""
        await self.posts(self.chance.choice((1, 6, 20)), timedelta(hours=30))

    async def posts(self, many: int, within: timedelta) -> None:
        """So many posts of the last time; some are judged already, some speak of harm."""
        async with self.world.store.transaction() as session:
            session.add_all(self.post(within) for _ in range(many))

    def post(self, within: timedelta) -> Mention:
        """One of them."""
        flagged = self.chance.choice((True, True, False, None))
        return mention(
            next(self.numbers),
            self.world.now - within * self.chance.random(),
            flagged=flagged,
            source_id=self.chance.choice((1, 1, 2)),
            in_reply_to=self.chance.choice((None, None, "m1", "m10001")),
            author_id=f"a{self.chance.randrange(12)}",
            ours=self.chance.random() < 0.05,
            text=self.words(),
            unsure=flagged is False and self.chance.random() < 0.3,
            case_id=self.chance.choice((None, 1, 2)),
            reasons=HARM if flagged and self.chance.random() < 0.1 else [],
        )

    def words(self) -> str:
        """What several say, or nobody else."""
        return self.chance.choice((*WORDS, f"The fish was {self.chance.random()} times as cold."))

    async def changed(self) -> None:
        """Verdicts are corrected or given anew; posts are edited, deleted, brought back, purged."""
        async with self.world.store.transaction() as session:
            for one in await self.some(session):
                match self.chance.randrange(7):
                    case 0:
                        one.flagged = not one.flagged
                    case 1:
                        one.deleted_at = None if one.deleted_at else self.world.now
                    case 2:
                        one.published_at -= timedelta(minutes=self.chance.randrange(90))
                    case 3:
                        one.source_id = 3 - one.source_id
                    case 4:
                        one.text, one.revisions = self.words(), one.revisions + 1
                    case 5:
                        one.text, one.author_id, one.purged_at = "", "", self.world.now
                    case _:
                        one.unsure = not one.unsure

    async def grouped(self) -> None:
        """A theme is found in some of what was said."""
        async with self.world.store.transaction() as session:
            theme = Theme(
                brand_id=1,
                name="coupon",
                began_at=self.world.now - timedelta(hours=self.chance.randrange(200)),
                last_at=self.world.now,
            )
            session.add(theme)
            await session.flush()
            several = [one.key for one in await self.some(session)]
            await themes.belong(session, theme.key, several, now=self.world.now)

    async def regrouped(self) -> None:
        """What was of one theme is another's; a theme is muted, heard again, ends, or goes on."""
        async with self.world.store.transaction() as session:
            known = (await session.exec(select(Theme))).all()
            if not known:
                return
            one, other = self.chance.choice(known), self.chance.choice(known)
            match self.chance.randrange(4):
                case 0:
                    one.muted = not one.muted
                case 1:
                    one.ended_at = None if one.ended_at else self.world.now
                case 2 if one is not other and other.merged_into is None:
                    one.merged_into, one.ended_at = other.key, self.world.now
                    for each in await session.exec(
                        select(Belonging).where(Belonging.theme_id == one.key)
                    ):
                        each.theme_id = other.key
                case _:
                    several = [each.key for each in await self.some(session)]
                    await themes.belong(session, one.key, several, now=self.world.now)

    async def some(self, session: AsyncSession) -> Sequence[Mention]:
        """Up to thirty mentions of the last day."""
        found = await session.exec(
            select(Mention)
            .where(col(Mention.published_at) >= self.world.now - LOOK_BACK)
            .order_by(col(Mention.id))
        )
        several = found.all()
        return self.chance.sample(several, min(len(several), self.chance.choice((1, 5, 30))))


async def one_by_one(world: World) -> list[tuple[Any, ...]]:
    """What was said in the last day, read as anybody would."""
    async with world.store.reading() as session:
        a_day = col(Mention.published_at).between(world.now - LOOK_BACK, world.now)
        said = (await session.exec(select(Mention).where(a_day))).all()
        belongs = {one.mention_id: one.theme_id for one in await session.exec(select(Belonging))}
        known = {one.key: one for one in await session.exec(select(Theme))}
    found = []
    for one in said:
        if one.ours or one.deleted_at or one.published_at == world.now:
            continue
        theme = known.get(belongs.get(one.key, 0))
        watched = theme is not None and not theme.muted and theme.ended_at is None
        number = theme.key if theme is not None and watched else NO_THEME
        by = f"webhook {one.author_id or one.key}" if watched else None
        found.append(
            (
                instant(one.published_at),
                one.key,
                one.source_id,
                one.flagged is True,
                number,
                0 if one.purged_at else one.revisions,
                one.in_reply_to is None,
                by,
            )
        )
    return sorted(found, key=lambda row: row[:2])


async def in_columns(world: World) -> list[tuple[Any, ...]]:
    """The same as the watch reads it."""
    async with world.store.reading() as session:
        said = await watching.lately(session, since=world.now - LOOK_BACK, until=world.now)
    one = said.get(1) or Lately.nothing(1)
    return [
        (*row, one.by.get(row[1]))
        for row in zip(
            one.at.tolist(),
            one.ids.tolist(),
            one.sources.tolist(),
            one.complains.tolist(),
            one.themes.tolist(),
            one.editions.tolist(),
            one.opening.tolist(),
            strict=True,
        )
    ]


def told(found: Found) -> list[list[dict[str, Any]]]:
    """What a look found, to be compared."""
    return [
        sorted((shown(one) for one in several), key=lambda one: str(one["about"]))
        for several in (found.news, found.standing, found.is_over)
    ]


def shown(alarm: Alarm) -> dict[str, Any]:
    """An alarm in words and numbers; sums may be added up in another order."""
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in alarm.model_dump().items()
    }


def knowing(world: World, usual: Watch, looked_at: datetime | None) -> Watch:
    """A watch that has just been started, and has learnt the same."""

    async def nobody(_: object) -> None:
        return None

    return Watch(world.store, nobody, outlooks=dict(usual.outlooks), looked_at=looked_at)


@pytest.mark.parametrize("seed", range(3))
async def test_a_watch_that_has_run_for_days_finds_what_one_finds_that_was_just_started(
    world: World, seed: int
) -> None:
    await settled(world, sources=[INBOX, INBOX | {"name": "Other"}])
    await used_to(world, 40 * MINUTE, days=16, until=world.now)
    async with world.store.transaction() as session:
        session.add_all(Case(brand_id=1, kind=Kind.POST, opened_at=world.now) for _ in range(2))
    running = (await world.service()).watch
    fate = Fate(world, seed)
    raised = 0

    for _ in range(25):
        await fate.strikes()
        assert await in_columns(world) == await one_by_one(world)

        before = running.looked_at
        found = await running.find(world.now)
        anew = await knowing(world, running, before).find(world.now)

        assert told(found) == told(anew)
        raised += len(found.news)
        await running.keep(found, world.now)
        running.looked_at = world.now

    assert raised, "a history in which nothing rings shows nothing"
