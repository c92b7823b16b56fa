"""Following: what comes after a complaint in its thread, from its author or from us."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import update
from sqlalchemy.orm import aliased
from sqlmodel import col

from connectors.kit.contract import Post
from listener.domain.case import FINAL, PATIENCE, Case, Status
from listener.domain.event import What
from listener.domain.mention import Mention
from listener.domain.notice import Outlet
from listener.domain.reply import Reply
from listener.store import history, waking
from listener.store.session import LOCK, AsyncSession, bulk, clean, clean_if_any

WHY = "its author has written again"


@dataclass(frozen=True, slots=True)
class Word:
    """A new post, as far as it may belong to a case that stands."""

    post_id: str
    brand_id: int
    author: str
    published: datetime
    in_reply_to: str | None
    thread: str | None
    ours: bool

    @classmethod
    def of(cls, post: Post, brand_id: int, *, ours: bool) -> Self:
        """A post as it has just been kept."""
        return cls(
            post_id=post.id,
            brand_id=brand_id,
            author=clean(post.author.id or post.author.handle or ""),
            published=post.published,
            in_reply_to=clean_if_any(post.in_reply_to),
            thread=clean_if_any(post.thread),
            ours=ours,
        )

    @property
    def parents(self) -> set[str]:
        """Where the case may be found."""
        return {one for one in (self.in_reply_to, self.thread) if one}


async def follow(
    session: AsyncSession,
    connector: str,
    words: Sequence[Word],
    *,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """Let cases hear what was said after them: an answer of ours, or their author again.

    Our answer on the place itself makes a case answered, whoever wrote it there. What its author
    writes again in the same thread belongs to the case, and wakes it when it slept for that.
    """
    asking = [word for word in words if word.parents]
    if not asking:
        return
    parents = {parent for word in asking for parent in word.parents}
    standing = await case_posts(session, connector, parents)
    if not standing:
        return
    for word in asking:
        case_id = next((row.case_id for row in standing if is_after(word, row)), None)
        if case_id is None:
            continue
        case = await session.get_one(Case, case_id, with_for_update=LOCK, populate_existing=True)
        mention_id = await number_of(session, connector, word)
        if word.ours:
            await answered(session, case, mention_id, word, channels=channels, now=now)
        else:
            await followed(session, case, mention_id, channels=channels, now=now)


async def case_posts(
    session: AsyncSession, connector: str, parents: Collection[str]
) -> Sequence[sa.Row[Any]]:
    """The posts of cases that these ids name, our replies to them, what stands in such threads."""
    columns = (
        col(Mention.case_id),
        col(Mention.brand_id),
        col(Mention.post_id),
        col(Mention.thread),
        col(Mention.published_at),
        col(Mention.author_id),
        col(Mention.author_handle),
    )
    ours = (col(Mention.connector) == connector, col(Mention.case_id).is_not(None))
    # Three looks, each at an index of its own. A reply of ours need not have been read back.
    said = (
        col(Reply.case_id),
        col(Mention.brand_id),
        col(Reply.post_id),
        sa.null().label("thread"),
        *columns[4:],
    )
    found: sa.CompoundSelect[Any] = sa.union(
        sa.select(*columns).where(*ours, col(Mention.post_id).in_(parents)),
        sa.select(*columns).where(
            *ours, col(Mention.thread).is_not(None), col(Mention.thread).in_(parents)
        ),
        sa.select(*said)
        .join(Mention, col(Mention.id) == col(Reply.mention_id))
        .where(col(Mention.connector) == connector, col(Reply.post_id).in_(parents)),
    )
    return (await bulk(session, found)).all()


def is_after(word: Word, row: sa.Row[Any]) -> bool:
    """Whether a word belongs to the case of this post."""
    if word.brand_id != row.brand_id or word.post_id == row.post_id:
        return False
    if word.ours:
        return word.in_reply_to == str(row.post_id)
    return bool(
        word.author
        and word.author == (row.author_id or row.author_handle)
        and word.published > row.published_at
        and word.parents & {row.post_id, row.thread}
    )


async def number_of(session: AsyncSession, connector: str, word: Word) -> int:
    """Under which number a word has just been kept."""
    number: int = (
        await bulk(
            session,
            sa.select(col(Mention.id)).where(
                col(Mention.connector) == connector,
                col(Mention.post_id) == word.post_id,
                col(Mention.brand_id) == word.brand_id,
            ),
        )
    ).scalar_one()
    return number


async def answered(
    session: AsyncSession,
    case: Case,
    mention_id: int,
    word: Word,
    *,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """An answer of ours stands on the place."""
    if case.status not in (Status.OPEN, Status.OWNED):
        return
    case.answer(min(word.published, now))
    await history.record(
        session,
        case.key,
        What.ANSWERED,
        now=now,
        channels=channels,
        details={"elsewhere": True, "mention": mention_id},
    )


async def followed(
    session: AsyncSession,
    case: Case,
    mention_id: int,
    *,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """A case's author has written again; the judge says whether it opens the case anew."""
    if case.status is Status.CLOSED and (
        case.outcome in FINAL or case.closed_at is None or case.closed_at < now - PATIENCE
    ):
        return
    await session.exec(
        update(Mention)
        .where(col(Mention.id) == mention_id)
        .values(case_id=case.key)
        .execution_options(synchronize_session=False)
    )
    case.mentions += 1
    await history.record(
        session,
        case.key,
        What.FOLLOWED,
        now=now,
        channels=channels,
        details={"mention": mention_id},
    )
    if case.wakes_on_answer:
        await waking.wake(session, case, WHY, channels=channels, now=now)


async def answers_to(session: AsyncSession, mention_ids: Collection[int]) -> dict[int, datetime]:
    """Which of these mentions we have answered on their place already, and when."""
    answer = aliased(Mention, name="answers")
    rows = await bulk(
        session,
        sa.select(col(Mention.id), sa.func.min(answer.published_at).label("at"))
        .join(
            answer,
            sa.and_(
                answer.connector == Mention.connector,  # type: ignore[arg-type]
                answer.brand_id == Mention.brand_id,  # type: ignore[arg-type]
                answer.in_reply_to == Mention.post_id,  # type: ignore[arg-type]
                sa.literal_column("answers.ours"),  # as the index says it
            ),
        )
        .where(col(Mention.id).in_(mention_ids))
        .group_by(col(Mention.id)),
    )
    return {row.id: row.at for row in rows}
