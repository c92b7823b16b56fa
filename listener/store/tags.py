"""Tags: which case has which, and which are in use."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, delete, func
from sqlmodel import col, select

from listener.domain.tag import CaseTag
from listener.store.kept import kept
from listener.store.session import AsyncSession

MOST_USED: Final = 200


async def of_case(session: AsyncSession, case_id: int) -> list[str]:
    """The tags of a case, by name."""
    return (await of_cases(session, [case_id])).get(case_id, [])


async def of_cases(session: AsyncSession, case_ids: Collection[int]) -> dict[int, list[str]]:
    """The tags of each of these cases that has any, by name."""
    if not case_ids:
        return {}
    found: dict[int, list[str]] = {}
    for case_id, tag in await session.exec(_of_cases(), params={"cases": list(case_ids)}):
        found.setdefault(case_id, []).append(tag)
    return found


@cache
def _of_cases() -> Any:
    """The question, written once: every list and every case asks it."""
    return (
        select(CaseTag.case_id, CaseTag.tag)
        .where(col(CaseTag.case_id).in_(bindparam("cases", expanding=True)))
        .order_by(CaseTag.tag)
    )


async def put(session: AsyncSession, case_id: int, tags: Collection[str]) -> None:
    """Let a case have exactly these tags."""
    before = set(await of_case(session, case_id))
    gone = before - set(tags)
    if gone:
        await session.exec(
            delete(CaseTag).where(col(CaseTag.case_id) == case_id, col(CaseTag.tag).in_(gone))
        )
    session.add_all([CaseTag(case_id=case_id, tag=tag) for tag in sorted(set(tags) - before)])
    await session.flush()


async def in_use(session: AsyncSession) -> Sequence[str]:
    """The tags that there are, the most used first."""
    return await kept(session, _in_use, of=("case_tags",), key="tags")


async def _in_use(session: AsyncSession) -> Sequence[str]:
    return (
        await session.exec(
            select(CaseTag.tag)
            .group_by(CaseTag.tag)
            .order_by(func.count().desc(), CaseTag.tag)
            .limit(MOST_USED)
        )
    ).all()
