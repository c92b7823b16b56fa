"""Intake: a page of posts becomes mentions, together with everything that must be true with it.

Called inside the transaction that also moves the source's cursor: new posts that name a brand
are kept once, changed ones get a revision, vanished ones a tombstone, every source that saw
one leaves a sighting, what could not be read becomes a dead letter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import insert as plain_insert
from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert
from sqlmodel import SQLModel, col, select

from connectors.kit.contract import Page, Post
from listener.domain.coverage import Covered, merged
from listener.domain.event import What
from listener.domain.mention import Mention, Revision, Sighting
from listener.domain.source import Arrival, DeadLetter, Reading, Seen, Source, digest
from listener.store import embeddings, history, lessons, waking
from listener.store.batch import Same, enter, handed
from listener.store.following import Word, follow
from listener.store.newcomers import MARKS, Named, Rules, mentions_of, portions, words_of
from listener.store.session import LOCK, AsyncSession, bulk, clean

RAW = 64 * 1024  # characters of a dead letter that are worth keeping
REVIVE = timedelta(hours=1)  # a list may still name a deleted post for a while


@dataclass(slots=True)
class Kept:
    """What a page brought."""

    posts: int = 0
    mentions: int = 0
    edits: int = 0
    gone: int = 0
    unreadable: int = 0

    def __iadd__(self, other: "Kept") -> "Kept":
        self.posts += other.posts
        self.mentions += other.mentions
        self.edits += other.edits
        self.gone += other.gone
        self.unreadable += other.unreadable
        return self


async def keep(
    session: AsyncSession,
    source: Source,
    page: Page,
    named: Sequence[Named],
    *,
    rules: Rules,
    now: datetime,
) -> Kept:
    """Keep a page; return what was new in it."""
    kept = Kept(posts=len(page.posts) + page.sifted, unreadable=len(page.unreadable))
    named = last_of_each([under_a_clean_id(one) for one in named])
    if named:
        standing = await standing_mentions(session, source.connector, named)
        new = await keep_new(session, source, named, standing, rules=rules, now=now)
        kept.mentions = len(new)
        words = [
            Word.of(one.post, one.brand_id, ours=one.ours)
            for one in named
            if (one.post.in_reply_to or one.post.thread) and (one.post.id, one.brand_id) in new
        ]
        await follow(session, source.connector, words, channels=rules.channels, now=now)
        kept.edits = await keep_edits(session, source, named, standing, new, rules=rules, now=now)
        await keep_sightings(session, source, standing, now=now)
    kept.gone = await keep_deletions(session, source.connector, page.gone, rules=rules, now=now)
    await keep_dead_letters(session, source, page, now=now)
    return kept


async def keep_new(
    session: AsyncSession,
    source: Source,
    named: Sequence[Named],
    standing: dict[tuple[str, int], Any],
    *,
    rules: Rules,
    now: datetime,
) -> set[tuple[str, int]]:
    """Insert the mentions that do not stand there yet; return their post ids and brands.

    Most of what is read was read before, so only the rest is built and sent. `standing` gets
    what stands there afterwards.
    """
    missing = [one for one in named if (one.post.id, one.brand_id) not in standing]
    if not missing:
        return set()
    new: dict[tuple[str, int], Any] = {}
    for portion in portions(missing):
        rows = await enter(
            session,
            Mention,
            mentions_of(source, portion, rules=rules, now=now),
            unique=("connector", "post_id", "brand_id"),
            returning=("id", "post_id", "brand_id"),
        )
        new |= {(row.post_id, row.brand_id): row for row in rows}
    standing.update(new)
    if len(new) < len(missing):  # another process has kept the same meanwhile
        standing.update(await standing_mentions(session, source.connector, missing))
    return set(new)


STANDING = (
    col(Mention.id),
    col(Mention.post_id),
    col(Mention.brand_id),
    col(Mention.revision),
    col(Mention.source_id),
    col(Mention.edited_at),
    col(Mention.truncated),
    col(Mention.deleted_at),
    col(Mention.purged_at),
)


async def standing_mentions(
    session: AsyncSession, connector: str, named: Iterable[Named]
) -> dict[tuple[str, int], Any]:
    """What the database holds for these posts: rows by post id and brand."""
    texts, value = handed(session, {one.post.id for one in named})
    found = await bulk(session, _standing(texts), {"connector": connector, "texts": value})
    return {(row.post_id, row.brand_id): row for row in found}


@cache
def _standing(ids: sa.Select[tuple[str]]) -> sa.Select[*tuple[Any, ...]]:
    wanted: sa.Select[*tuple[Any, ...]] = sa.select(*STANDING).where(
        col(Mention.connector) == sa.bindparam("connector"), col(Mention.post_id).in_(ids)
    )
    return wanted


async def keep_edits(
    session: AsyncSession,
    source: Source,
    named: Iterable[Named],
    standing: Mapping[tuple[str, int], Any],
    new: set[tuple[str, int]],
    *,
    rules: Rules,
    now: datetime,
) -> int:
    """Give a revision to mentions whose author changed them; return how many."""
    edits = 0
    for one in named:
        key = (one.post.id, one.brand_id)
        row = standing.get(key)
        if row is None or key in new or not is_edit(row, one.post, source, now=now):
            continue
        edits += await revise(session, row.id, one.post, rules=rules, now=now, marks=one.marks)
    return edits


def is_edit(row: Any, post: Post, source: Source, *, now: datetime) -> bool:
    """Whether a post that we hold says something else now, and not merely elsewhere."""
    if row.revision == post.revision or row.purged_at is not None:
        return False
    if row.deleted_at is not None:
        return bool(now - row.deleted_at > REVIVE)
    if post.truncated and not row.truncated:
        return False
    if post.edited is not None and row.edited_at is not None:
        return bool(post.edited > row.edited_at)
    return bool(row.source_id == source.id or post.edited is not None)


async def revise(
    session: AsyncSession,
    mention_id: int,
    post: Post,
    *,
    rules: Rules,
    now: datetime,
    marks: Sequence[tuple[str, int, int]] = (),
) -> bool:
    """Put the new words in the mention's place, keep the old ones as a revision, tell its case.

    False when another source was faster.
    """
    mention = await session.get_one(Mention, mention_id, with_for_update=LOCK)
    if mention.revision == post.revision:
        return False
    if mention.deleted_at is None:
        session.add(
            Revision(
                mention_id=mention_id,
                number=mention.revisions,
                title=mention.title,
                text=mention.text,
                rating=mention.rating,
                replaced_at=now,
            )
        )
    for name, value in words_of(post).items():
        setattr(mention, name, value)
    mention.revisions += 1
    if post.edited is not None and post.edited >= now - rules.fresh:
        mention.late = False  # an old post that says something new today is news
    mention.marks = [list(mark) for mark in marks[:MARKS]]
    mention.deleted_at = None
    mention.absences = 0
    mention.waits = not mention.ours
    mention.taken_until = None
    if mention.case_id is not None:
        await history.record(
            session,
            mention.case_id,
            What.EDITED,
            now=now,
            channels=rules.channels,
            details={"mention": mention_id, "revision": mention.revisions},
        )
        await waking.author_heard(
            session, mention.case_id, "its author has changed it", channels=rules.channels, now=now
        )
    return True


async def keep_sightings(
    session: AsyncSession, source: Source, standing: Mapping[tuple[str, int], Any], *, now: datetime
) -> None:
    """Note that this source saw these mentions."""
    numbers = [row.id for row in standing.values()]
    if numbers:
        await enter(
            session,
            Sighting,
            {"mention_id": numbers, "source_id": Same(source.id), "seen_at": Same(now)},
            unique=("mention_id", "source_id"),
        )


async def keep_deletions(
    session: AsyncSession,
    connector: str,
    gone: Sequence[str],
    *,
    rules: Rules,
    now: datetime,
) -> int:
    """Put a tombstone where a post was: its words go, its place in the counts stays."""
    if not gone:
        return 0
    found = await session.exec(
        select(Mention)
        .where(
            Mention.connector == connector,
            col(Mention.post_id).in_([clean(post_id) for post_id in gone]),
            col(Mention.deleted_at).is_(None),
        )
        .with_for_update(**LOCK)
    )
    mentions = found.all()
    for mention in mentions:
        await bury(session, mention, rules=rules, now=now)
    return len(mentions)


async def bury(session: AsyncSession, mention: Mention, *, rules: Rules, now: datetime) -> None:
    """Forget a deleted mention's words, in all its revisions, and tell its case."""
    mention.deleted_at = now
    mention.recheck_at = None
    mention.waits = False
    await forget(session, [mention.key])
    if mention.case_id is not None:
        await history.record(
            session,
            mention.case_id,
            What.DELETED,
            now=now,
            channels=rules.channels,
            details={"mention": mention.key},
        )
        await waking.author_heard(
            session, mention.case_id, "its author has deleted it", channels=rules.channels, now=now
        )


def forget_author(mention: Mention) -> None:
    """Remove who wrote a mention; what it says stays."""
    mention.author_id = mention.author_name = mention.author_handle = ""
    mention.author_reach = None


async def forget(session: AsyncSession, ids: Sequence[int]) -> None:
    """Remove the words and the names of mentions, in all their revisions; counts stay."""
    await session.flush()
    await session.exec(
        update(Mention)
        .where(col(Mention.id).in_(ids))
        .values(
            title=None,
            text="",
            author_id="",
            author_name="",
            author_handle="",
            author_reach=None,
            url="",
            links=[],
            attachments=[],
            marks=[],
        )
        .execution_options(synchronize_session="fetch")
    )
    await session.exec(
        update(Revision)
        .where(col(Revision.mention_id).in_(ids))
        .values(title=None, text="")
        .execution_options(synchronize_session=False)
    )
    await lessons.forget(session, ids)
    await embeddings.forget(session, ids)


async def keep_dead_letters(
    session: AsyncSession, source: Source, page: Page, *, now: datetime
) -> None:
    """Set aside what could not be read, once, however often the place shows it."""
    rows = [
        {
            "source_id": source.id,
            "digest": digest(unread.reason, unread.raw),
            "reason": clean(unread.reason),
            "raw": clean(unread.raw[:RAW]),
            "seen_at": now,
        }
        for unread in page.unreadable
    ]
    if rows:
        await bulk(session, ignoring(session, DeadLetter, "source_id", "digest"), rows)


async def remember(
    session: AsyncSession, source: Source, posts: Iterable[Post], *, now: datetime
) -> None:
    """Remember the fingerprints of posts that no brand wanted, so that walks know them."""
    numbers = list({digest(post.id) for post in posts})
    if numbers:
        await enter(
            session,
            Seen,
            {"source_id": Same(source.id), "digest": numbers, "seen_at": Same(now)},
            unique=("source_id", "digest"),
        )


async def arrived(session: AsyncSession, source: Source, delivery: str, *, now: datetime) -> bool:
    """Note that a delivery has come; False when it had come before."""
    row = {"source_id": source.id, "delivery": clean(delivery)[:200], "seen_at": now}
    insert = ignoring(session, Arrival, "source_id", "delivery").returning(col(Arrival.delivery))
    return (await bulk(session, insert, [row])).first() is not None


async def known(session: AsyncSession, source: Source, ids: Sequence[str]) -> frozenset[str]:
    """Those of these post ids that this source has read before."""
    if not ids:
        return frozenset()
    cleaned = {clean(post_id): post_id for post_id in ids}
    sighted = await session.exec(
        select(Mention.post_id)
        .join(Sighting, col(Sighting.mention_id) == col(Mention.id))
        .where(
            Mention.connector == source.connector,
            col(Mention.post_id).in_(cleaned),
            Sighting.source_id == source.id,
        )
    )
    found = {cleaned[post_id] for post_id in sighted}
    digests = {digest(post_id): post_id for post_id in ids if post_id not in found}
    seen = await session.exec(
        select(Seen.digest).where(Seen.source_id == source.id, col(Seen.digest).in_(digests))
    )
    return frozenset(found | {digests[number] for number in seen})


async def cover(session: AsyncSession, source: Source, page: Page) -> None:
    """Enter the span that a page proves read in the source's ledger."""
    if page.span is None:
        return
    rows = (await session.exec(select(Covered).where(Covered.source_id == source.id))).all()
    before = [row.span for row in rows]
    after = merged([*before, page.span])
    for row in rows:
        if row.span not in after:
            await session.delete(row)
    for span in after:
        if span not in before:
            session.add(Covered(source_id=source.key, starts_at=span.start, ends_at=span.end))


def advance(reading: Reading, page: Page) -> None:
    """Move the source's cursor behind a page."""
    reading.cursor = page.cursor
    reading.posts += len(page.posts) + page.sifted


def last_of_each(named: Sequence[Named]) -> list[Named]:
    """One of each post and brand: the last, when a page names one twice.

    In one order for all workers, so that two that keep the same posts never block each other.
    """
    last = {(one.post.id, one.brand_id): one for one in named}
    return [last[key] for key in sorted(last)]


def under_a_clean_id(one: Named) -> Named:
    """The same; its post under an id that every database takes."""
    post_id = clean(one.post.id) or "?"
    if post_id == one.post.id:
        return one
    return replace(one, post=replace(one.post, id=post_id))


def ignoring(session: AsyncSession, table: type[SQLModel], *unique: str) -> Insert:
    """An insert that leaves rows which are there already as they are."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)
    return plain_insert(table)
