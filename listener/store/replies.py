"""Replies: what is to be sent, what was said to whom, and what somebody has begun to write."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, delete, or_, update
from sqlmodel import col, select

from listener.domain.mention import Mention
from listener.domain.reply import UNDER_WAY, Draft, Reply, State
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, bulk, locked_for_update

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply that this worker sends now. `look` first: it may stand there already."""

    reply: Reply
    mention: Mention
    source: Source
    look: bool
    known: frozenset[str]  # replies of ours to the same post that are known to stand there


async def take(session: AsyncSession, *, limit: int, now: datetime) -> list[Outgoing]:
    """Take replies whose time has come; each is marked as being sent before it is."""
    due = (
        select(Reply.id)
        .where(
            or_(
                and_(col(Reply.state) == State.WAITING, col(Reply.next_at) <= now),
                and_(
                    col(Reply.state) == State.SENDING,
                    col(Reply.next_at) <= now,
                    or_(col(Reply.taken_until).is_(None), col(Reply.taken_until) <= now),
                ),
            )
        )
        .order_by(col(Reply.next_at))
        .limit(limit)
    )
    ids = (await session.exec(locked_for_update(due, session))).all()
    if not ids:
        return []
    rows = await session.exec(
        select(Reply, Mention, Source)
        .join(Mention, col(Mention.id) == col(Reply.mention_id))
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(col(Reply.id).in_(ids))
        .order_by(col(Reply.next_at))
    )
    taken = []
    for reply, mention, source in rows.all():
        look = reply.state is State.SENDING
        reply.begin(now, now + LEASE)
        known = await _known(session, mention.key, reply.publish_key)
        taken.append(Outgoing(reply, mention, source, look, known))
    return taken


async def _known(session: AsyncSession, mention_id: int, key: str) -> frozenset[str]:
    rows = await bulk(
        session,
        sa.select(col(Reply.post_id)).where(
            col(Reply.mention_id) == mention_id,
            col(Reply.publish_key) != key,
            col(Reply.post_id).is_not(None),
        ),
    )
    return frozenset(rows.scalars())


async def give_back(session: AsyncSession) -> None:
    """Let go of what dead workers were sending: each is looked for in its place at once."""
    await bulk(
        session,
        sa.update(Reply)
        .where(col(Reply.state) == State.SENDING, col(Reply.taken_until).is_not(None))
        .values(taken_until=None, next_at=col(Reply.sent_at)),
    )


async def case_of(session: AsyncSession, reply_id: int) -> int | None:
    """The case of a reply; None where there is no such reply."""
    found = await session.exec(select(Reply.case_id).where(Reply.id == reply_id))
    return found.one_or_none()


async def locked(session: AsyncSession, reply_id: int) -> Reply | None:
    """A reply, locked until the transaction ends."""
    return await session.get(Reply, reply_id, with_for_update=True, populate_existing=True)


async def of_case(session: AsyncSession, case_id: int) -> Sequence[tuple[Reply, str]]:
    """All replies of a case with who wrote each, oldest first."""
    found: Sequence[tuple[Reply, str]] = (
        await session.exec(_of_case(), params={"case": case_id})
    ).all()
    return found


@cache
def _of_case() -> Any:
    """The question, written once: every page of a case asks it."""
    return (
        select(Reply, Staff.name)
        .join(Staff, col(Staff.id) == col(Reply.staff_id))
        .where(col(Reply.case_id) == sa.bindparam("case"))
        .order_by(col(Reply.id))
    )


async def found(
    session: AsyncSession, *, state: State | None = None, limit: int = 200
) -> Sequence[tuple[Reply, str]]:
    """Replies with who wrote each, the newest first."""
    query = select(Reply, Staff.name).join(Staff, col(Staff.id) == col(Reply.staff_id))
    if state is not None:
        query = query.where(Reply.state == state)
    return (await session.exec(query.order_by(col(Reply.id).desc()).limit(limit))).all()


async def under_way(session: AsyncSession, case_id: int) -> bool:
    """Whether a reply of this case waits, is being sent, or wants a person's decision."""
    count = await bulk(
        session,
        sa.select(sa.func.count())
        .select_from(Reply)
        .where(col(Reply.case_id) == case_id, col(Reply.state).in_(UNDER_WAY)),
    )
    return bool(count.scalar_one())


async def lately(
    session: AsyncSession, connector: str, brand_id: int, *, since: datetime, limit: int = 200
) -> Sequence[str]:
    """What was said for a brand on this place since then, the newest first."""
    asked = {"connector": connector, "brand": brand_id, "since": since, "most": limit}
    return list((await bulk(session, _lately(), asked)).scalars())


@cache
def _lately() -> Any:
    """The question, written once: every reply box asks it."""
    return (
        sa.select(col(Reply.text))
        .join(Mention, col(Mention.id) == col(Reply.mention_id))
        .where(
            col(Mention.connector) == sa.bindparam("connector"),
            col(Mention.brand_id) == sa.bindparam("brand"),
            col(Reply.made_at) >= sa.bindparam("since"),
            col(Reply.state) != State.WITHDRAWN,
            col(Reply.text) != "",
        )
        .order_by(col(Reply.id).desc())
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


async def draft(session: AsyncSession, case_id: int, staff_id: int) -> str:
    """What this person has begun to write."""
    found = await session.get(Draft, (case_id, staff_id))
    return "" if found is None else found.text


async def keep_draft(
    session: AsyncSession, case_id: int, staff_id: int, words: str, *, now: datetime
) -> None:
    """Keep what this person has begun to write; nothing forgets it."""
    found = await session.get(Draft, (case_id, staff_id))
    if not words.strip():
        if found is not None:
            await session.delete(found)
    elif found is None:
        session.add(Draft(case_id=case_id, staff_id=staff_id, text=words, saved_at=now))
    else:
        found.text, found.saved_at = words, now


async def forget(session: AsyncSession, mention_ids: Collection[int]) -> None:
    """Remove the words of replies to these mentions, and drafts of their cases.

    Called when the words of these mentions have gone, because they were kept long enough. That
    somebody was answered, when and by whom, stays.
    """
    await session.exec(
        update(Reply)
        .where(col(Reply.mention_id).in_(mention_ids))
        .values(text="", url=None)
        .execution_options(synchronize_session=False)
    )
    cases = sa.select(col(Mention.case_id)).where(
        col(Mention.id).in_(mention_ids), col(Mention.case_id).is_not(None)
    )
    await session.exec(
        delete(Draft)
        .where(col(Draft.case_id).in_(cases))
        .execution_options(synchronize_session=False)
    )
