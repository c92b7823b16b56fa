"""Checks what a database holds against what was published: nothing lost, nothing doubled.

`broken` is what no moment may show, not even the one after a kill; `unfinished` is what is still
to be done. A listener that has been left in peace shows neither. Both answer with sentences.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from listener.domain.case import Case
from listener.domain.coverage import Covered
from listener.domain.event import Event, What
from listener.domain.mention import Mention, Sighting
from listener.domain.notice import TERMINAL, Channel, Notice
from listener.domain.source import Reading, Source, Way
from listener.store.session import AsyncSession, Store
from tests.journeys.complaints import Said

Published = Callable[[], Sequence[Said]]
LOOK = 0.1


@dataclass(frozen=True, slots=True)
class History:
    """Every row that has something to say, all of one moment."""

    mentions: Sequence[Mention]
    sightings: Sequence[Sighting]
    cases: Sequence[Case]
    events: Sequence[Event]
    notices: Sequence[Notice]
    channels: Sequence[str]
    sources: Sequence[Source]
    readings: Sequence[Reading]
    covered: Sequence[Covered]

    # --- what no moment may show

    def broken(self, published: Sequence[Said]) -> list[str]:
        """What is wrong, whatever is still to be done."""
        return [
            *self.strangers(published),
            *self.doubled(),
            *self.half_judged(published),
            *self.wrong_cases(),
            *self.wrong_notices(),
            *self.claimed_and_not_kept(published),
        ]

    def strangers(self, published: Sequence[Said]) -> list[str]:
        """Mentions of what nobody published, or of what names no brand."""
        wanted = {said.id for said in published if said.names_us}
        return [f"{one.post_id} is kept" for one in self.mentions if one.post_id not in wanted]

    def doubled(self) -> list[str]:
        """What stands there twice."""
        posts = Counter((one.connector, one.post_id, one.brand_id) for one in self.mentions)
        opened = Counter(one.case_id for one in self.events if one.what is What.OPENED)
        notices = Counter((one.event_id, one.channel) for one in self.notices)
        sighted = Counter((one.mention_id, one.source_id) for one in self.sightings)
        return [
            *twice("mention", posts),
            *twice("opening of case", opened),
            *twice("notice of event", notices),
            *twice("sighting", sighted),
        ]

    def half_judged(self, published: Sequence[Said]) -> list[str]:
        """A verdict is there with all that follows from it, or not at all."""
        said = {one.id: one for one in published}
        wrong = []
        for one in self.mentions:
            judged = one.flagged is not None
            if judged is one.waits:
                wrong.append(f"mention {one.id} waits {one.waits}, and flagged is {one.flagged}")
            needy = bool(one.flagged or one.unsure) and not one.late
            if needy is (one.case_id is None):
                wrong.append(f"mention {one.id} needs a person {needy}, its case is {one.case_id}")
            if one.post_id not in said:
                continue
            post = said[one.post_id]
            known = judged and post.complains is not None
            if known and one.flagged is not post.complains:
                wrong.append(f"mention {one.id} complains {post.complains}, flagged {one.flagged}")
            if one.late is not post.late:
                wrong.append(f"mention {one.id} is late {post.late}, and marked {one.late}")
        return wrong

    def wrong_cases(self) -> list[str]:
        """Every case has its one mention (no two texts are alike) and its one opening."""
        members = Counter(one.case_id for one in self.mentions if one.case_id is not None)
        opened = {one.case_id for one in self.events if one.what is What.OPENED}
        cases = {one.key for one in self.cases}
        wrong = [
            f"case {one.id} counts {one.mentions} mentions, and has {members[one.key]}"
            for one in self.cases
            if not one.mentions == members[one.key] == 1
        ]
        wrong += [f"case {number} was never opened" for number in cases - opened]
        wrong += [f"case {number} is not there" for number in (opened | set(members)) - cases]
        return wrong

    def wrong_notices(self) -> list[str]:
        """Every opening is told once in every channel, and nothing else is told."""
        quiet = {one.key for one in self.cases if one.unsure}
        due = {
            (one.key, channel)
            for one in self.events
            if one.case_id not in quiet
            for channel in self.channels
        }
        there = {(one.event_id, one.channel) for one in self.notices}
        return [
            *(f"event {event} has no notice for {channel}" for event, channel in due - there),
            *(f"event {event} has a notice for {channel}" for event, channel in there - due),
        ]

    def claimed_and_not_kept(self, published: Sequence[Said]) -> list[str]:
        """No source claims a stretch of time as read of which it has not kept every post."""
        connectors = {one.key: one for one in self.sources}
        kept = {one.post_id: one.key for one in self.mentions}
        sighted = {(one.mention_id, one.source_id) for one in self.sightings}
        wrong = []
        for span in self.covered:
            host = connectors[span.source_id].options["api"]
            for said in published:
                if said.place != host or not said.names_us:
                    continue
                if span.starts_at <= said.at <= span.ends_at and (
                    (kept.get(said.id), span.source_id) not in sighted
                ):
                    name = connectors[span.source_id].name
                    wrong.append(f"{name} claims to have read {said.id}, and has not kept it")
        return wrong

    # --- what is still to be done

    def unfinished(self, published: Sequence[Said]) -> list[str]:
        """What a listener that is left in peace has yet to do."""
        kept = {one.post_id for one in self.mentions}
        return [
            *(f"{one.id} is not kept" for one in published if one.names_us and one.id not in kept),
            *(f"mention {one.id} waits" for one in self.mentions if one.waits),
            *(f"mention {one.id} is taken" for one in self.mentions if one.taken_until),
            *(f"notice {one.id} is not told" for one in self.notices if one.sent_at is None),
            *(f"notice {one.id} is given up" for one in self.notices if one.failed_at is not None),
            *self.not_caught_up(published),
        ]

    def not_caught_up(self, published: Sequence[Said]) -> list[str]:
        """Every source has been read to its end, and has counted it."""
        newest = max((one.at for one in published), default=None)
        # What comes by a stream alone is heard: its list has nothing to show.
        only_heard = {one.key for one in self.sources if one.options.get("stream")}
        wrong = []
        for reading in self.readings:
            if (reading.way is Way.POLL) is (reading.source_id in only_heard):
                continue
            if newest and (reading.read_at is None or reading.read_at < newest):
                wrong.append(f"source {reading.source_id} was read until {reading.read_at}")
            if reading.cursor is None or not reading.posts:
                wrong.append(f"source {reading.source_id} has no cursor")
            if reading.failing_since is not None:
                wrong.append(f"source {reading.source_id} fails: {reading.failure}")
        return wrong

    def taken(self) -> list[str]:
        """What a process still owns."""
        return [
            *(f"reading {one.id} of {one.taken_by}" for one in self.readings if one.taken_until),
            *(f"mention {one.id}" for one in self.mentions if one.taken_until),
            *(
                f"notice {one.id}"
                for one in self.notices
                if one.taken_until and one.sent_at is None
            ),
        ]


@asynccontextmanager
async def kept_in(database: str) -> AsyncIterator[Store]:
    """The store to read a history from."""
    store = Store(database)
    try:
        yield store
    finally:
        await store.close()


async def of(store: Store) -> History:
    """The history as it stands at this moment."""
    async with store.reading() as session:
        if not store.is_sqlite:  # SQLite shows one moment anyway
            one_moment = {"isolation_level": "REPEATABLE READ"}
            _ = await session.connection(execution_options=one_moment)
        return History(
            mentions=await every(session, Mention),
            sightings=await every(session, Sighting),
            cases=await every(session, Case),
            events=await every(session, Event),
            notices=await every(session, Notice),
            channels=[TERMINAL, *(one.name for one in await every(session, Channel))],
            sources=await every(session, Source),
            readings=await every(session, Reading),
            covered=await every(session, Covered),
        )


async def every(session: AsyncSession, table: type[Any]) -> Sequence[Any]:
    """All rows of a table."""
    return (await session.exec(select(table))).all()


async def until_finished(store: Store, published: Published, within: float) -> History:
    """Wait until nothing is left to do; AssertionError with what is left when time is up."""
    until = time.monotonic() + within
    while (found := await of(store)).unfinished(published()):
        assert not found.broken(published()), told(found.broken(published()))
        assert time.monotonic() < until, told(found.unfinished(published()))
        await asyncio.sleep(LOOK)
    return found


def assert_whole(found: History, published: Sequence[Said], seed: object = None) -> None:
    """Nothing is wrong and nothing is left to do."""
    assert not found.broken(published), told(found.broken(published), seed)
    assert not found.unfinished(published), told(found.unfinished(published), seed)
    wanted = [one for one in published if one.names_us]
    assert len(found.mentions) == len(wanted)
    if all(one.complains is not None for one in wanted):
        assert len(found.cases) == sum(bool(one.complains) and not one.late for one in wanted)


def told(sentences: Sequence[str], seed: object = None) -> str:
    """Sentences for a person, the first twenty."""
    more = [f"and {len(sentences) - 20} more"] if len(sentences) > 20 else []
    return "\n".join([f"(seed {seed})", *sentences[:20], *more])


def twice(what: str, seen: Counter[Any]) -> Iterable[str]:
    """What was counted more than once."""
    return (f"{what} {key} stands there {times} times" for key, times in seen.items() if times > 1)
