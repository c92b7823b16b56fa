"""All that one case is about, as its page needs it: read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.store.session import AsyncSession, bulk

SHOWN = 20  # mentions of one case; a case with more says so


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with its people and the mentions it is about.

    `mentions` are the first ones, with the name of the source that saw each first.
    """

    case: Case
    brand: str
    owner: str | None
    holder: str | None  # who works on it at this moment
    mentions: Sequence[tuple[Mention, str]]
    parent: str | None  # what the first mention answers, where we have it


async def read(session: AsyncSession, case_id: int, *, now: datetime) -> Dossier | None:
    """Everything about a case; None when there is none of this number."""
    asked = {"case": case_id}
    found = (await session.exec(_case(), params=asked)).one_or_none()
    if found is None:
        return None
    case, brand, owned_by, held_by = found
    mentions = (await session.exec(_mentions(), params=asked)).all()
    return Dossier(
        case=case,
        brand=brand,
        owner=owned_by,
        holder=held_by if case.held_by(now) is not None else None,
        mentions=mentions,
        parent=await parent(session, mentions[0][0]) if mentions else None,
    )


# The questions of a case's page are written once: writing them costs as much as the answers.
@cache
def _case() -> Any:
    owner = Staff.__table__.alias("owner")  # type: ignore[attr-defined]
    holder = Staff.__table__.alias("holder")  # type: ignore[attr-defined]
    return (
        select(Case, Brand.name, owner.c.name, holder.c.name)
        .join(Brand, col(Brand.id) == col(Case.brand_id))
        .outerjoin(owner, owner.c.id == col(Case.owner_id))
        .outerjoin(holder, holder.c.id == col(Case.holder_id))
        .where(col(Case.id) == sa.bindparam("case"))
    )


@cache
def _mentions() -> Any:
    return (
        select(Mention, Source.name)
        .join(Source, col(Source.id) == col(Mention.source_id))
        .where(col(Mention.case_id) == sa.bindparam("case"))
        .order_by(col(Mention.id))
        .limit(SHOWN)
    )


async def parent(session: AsyncSession, mention: Mention) -> str | None:
    """What a mention answers, where that names the brand too and so is kept."""
    if mention.in_reply_to is None:
        return None
    wanted = sa.select(col(Mention.text)).where(
        col(Mention.connector) == mention.connector,
        col(Mention.post_id) == mention.in_reply_to,
        col(Mention.brand_id) == mention.brand_id,
    )
    text: str | None = (await bulk(session, wanted)).scalar_one_or_none()
    return text or None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters of a list can be set to."""

    brands: Sequence[str]
    sources: Sequence[str]
    languages: Sequence[str]


async def choices(session: AsyncSession, brands: Sequence[int] | None) -> Choices:
    """Brands within these walls, sources, and the languages of what waits."""
    names = sa.select(col(Brand.name)).order_by(col(Brand.name))
    if brands is not None:
        names = names.where(col(Brand.id).in_(brands))
    places = sa.select(col(Source.name)).where(col(Source.active)).order_by(col(Source.name))
    spoken = (
        sa.select(col(Mention.language))
        .distinct()
        .join(Case, col(Case.id) == col(Mention.case_id))
        .where(sa.literal_column("cases.status <> 'closed'", sa.Boolean()))
    )
    return Choices(
        brands=list((await bulk(session, names)).scalars()),
        sources=list((await bulk(session, places)).scalars()),
        languages=sorted(one for one in (await bulk(session, spoken)).scalars() if one),
    )
