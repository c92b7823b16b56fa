"""How many posts a second become mentions, and cases, on a database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from connectors.hackernews import HackerNews
from connectors.kit.contract import Page, Post
from listener.channels.contract import Telling
from listener.cli.benching import rows
from listener.cli.benching.made_up import NOW
from listener.desk.applying import apply
from listener.desk.plan import Plan
from listener.domain.deadline import Policies
from listener.domain.notice import Notice
from listener.domain.secret import Seal
from listener.domain.source import Source
from listener.stages.judge import Judge
from listener.stages.notify import Notify
from listener.store import schema, sources
from listener.store.brands import Intake, Matchbook
from listener.store.newcomers import Rules
from listener.store.session import Store, now
from models.verdict import Feeling, Question, Verdict

PAGE = 500
ROUNDS = 5


@dataclass(frozen=True)
class Half:
    """A classifier to whom every second post is a complaint, at no cost."""

    name: str = "half"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Judge by the length of the text."""
        return [
            Verdict(
                complaint=0.9 if len(one.text) % 2 else 0.1,
                feeling=Feeling.NEGATIVE if len(one.text) % 2 else Feeling.NEUTRAL,
                confidence=0.9,
                unsure=False,
                model=self.name,
            )
            for one in questions
        ]


@dataclass(frozen=True)
class Silent:
    """A channel that is always told at once."""

    async def send(self, telling: Telling) -> None:
        """Tell nobody."""
        del telling


class Bench:
    """A listener's database with its sources, ready to be filled."""

    def __init__(self, url: str) -> None:
        self.store = Store(url, clock=lambda: NOW)
        self.intake = Intake(Matchbook(self.store), timedelta(hours=48))
        self.connector = HackerNews(query="bench")

    async def open(self, names: Sequence[str], places: int = 1) -> Sequence[Source]:
        """Make the tables, the brands and so many sources."""
        await schema.ensure(self.store)
        search = {"connector": "hackernews", "options": {"query": "bench"}}
        plan = Plan.model_validate(
            {
                "brand": [{"name": name, "query": name} for name in names],
                "source": [{"name": f"bench {number}"} | search for number in range(places)],
            }
        )
        await apply(self.store, plan, Seal("nothing here is secret"))
        await self.intake.matchbook.refresh()
        async with self.store.reading() as session:
            return await sources.every(session)

    async def ingest(self, source: Source, posts: Sequence[Post], page: int = PAGE) -> float:
        """Keep posts in pages; seconds."""
        began = perf_counter()
        for start in range(0, len(posts), page):
            async with self.store.transaction() as session:
                await self.intake.keep(
                    session,
                    source,
                    self.connector,
                    Page(posts=tuple(posts[start : start + page]), cursor=None),
                    now=await now(session),
                )
        return perf_counter() - began

    def one_by_one(self, source: Source, posts: Sequence[Post], file: Path) -> tuple[float, float]:
        """The first half and the second half as one would first write it; seconds of each.

        Matching, coverage and looking for what is there already are left out there, and what
        the database takes is worked out before the clock runs.
        """
        named, _ = self.intake.matchbook.sort(source, self.connector, posts)
        rules = Rules(fresh=self.intake.fresh)
        half = len(named) // 2
        return (
            rows.with_sqlmodel(file, source, named[:half], rules),
            rows.with_the_driver(file, source, named[half:], rules),
        )

    async def follow(self) -> float:
        """Judge everything and tell of every case; seconds."""
        began = perf_counter()
        judge = Judge(self.store, Half(), Policies(), asyncio.Event())
        notify = Notify(self.store, silent)
        while await judge.step():
            pass
        while await notify.step():
            pass
        return perf_counter() - began

    async def close(self) -> None:
        """Give the connections back."""
        await self.store.close()


async def silent(notice: Notice) -> Silent:
    """Every channel."""
    del notice
    return Silent()


async def measure(
    url: str,
    names: Sequence[str],
    posts: Sequence[Post],
    *,
    singly: int = 0,
    file: Path | None = None,
) -> dict[str, float]:
    """Posts a second: kept in pages, through all stages, and as one would first write it.

    With the `file` of an SQLite database `singly` posts of each round are kept a transaction
    each in two ways. In rounds, because a disk may be twice as quick a second later.
    """
    bench = Bench(url)
    kept = alone = 0
    in_pages = by_sqlmodel = by_driver = 0.0
    try:
        [source] = await bench.open(names)
        for number in range(ROUNDS):
            part = list(posts[number::ROUNDS])
            if file is not None:
                first, second = bench.one_by_one(source, part[: 2 * singly], file)
                by_sqlmodel, by_driver = by_sqlmodel + first, by_driver + second
                part, alone = part[2 * singly :], alone + singly
            in_pages += await bench.ingest(source, part)
            kept += len(part)
        after = await bench.follow()
        return {
            "ingest": kept / in_pages,
            "path": kept / (in_pages + after * kept / len(posts)),
        } | ({"sqlmodel": alone / by_sqlmodel, "driver": alone / by_driver} if file else {})
    finally:
        await bench.close()
