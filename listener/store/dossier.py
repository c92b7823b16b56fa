"""All that one case is about, as its page needs it: read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import Case
from listener.domain.ladder import Rung
from listener.domain.mention import Mention, Revision
from listener.domain.reply import Reply
from listener.domain.routing import Decision
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.tag import CaseTag
from listener.domain.theme import Belonging
from listener.store.session import AsyncSession, bulk

BETWEEN: Final = ","  # tags, which have none in them
SHOWN = 20  # mentions of one case; a case with more says so


class Has(NamedTuple):
    """What else there is of a case, so that nothing is asked for that is not there."""

    tags: Sequence[str]  # by name
    routed: bool  # somebody decided where it went
    called: bool  # a ladder has steps for it
    answered: bool  # there are replies, sent or not
    themed: bool  # a mention of it is of a theme
    changed: bool  # an author changed what it is about


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
    has: Has


async def read(session: AsyncSession, case_id: int, *, now: datetime) -> Dossier | None:
    """Everything about a case; None when there is none of this number."""
    asked = {"case": case_id}
    found = (await session.exec(_case(), params=asked)).one_or_none()
    if found is None:
        return None
    case, brand, owned_by, held_by, tagged, *there_is = found
    mentions = (await session.exec(_mentions(), params=asked)).all()
    return Dossier(
        case=case,
        brand=brand,
        owner=owned_by,
        holder=held_by if case.held_by(now) is not None else None,
        mentions=mentions,
        parent=await parent(session, mentions[0][0]) if mentions else None,
        has=Has(sorted(tagged.split(BETWEEN)) if tagged else [], *there_is),
    )


# The questions of a case's page are written once: writing them costs as much as the answers.
@cache
def _case() -> Any:
    owner = Staff.__table__.alias("owner")  # type: ignore[attr-defined]
    holder = Staff.__table__.alias("holder")  # type: ignore[attr-defined]
    number: Any = sa.bindparam("case")
    tagged = sa.select(sa.func.aggregate_strings(col(CaseTag.tag), BETWEEN)).where(
        col(CaseTag.case_id) == number
    )
    of_its_mentions = sa.select(col(Mention.id)).where(col(Mention.case_id) == number)
    there_is = (
        sa.exists().where(col(Decision.case_id) == number),
        sa.exists().where(col(Rung.case_id) == number),
        sa.exists().where(col(Reply.case_id) == number),
        sa.exists().where(col(Belonging.mention_id).in_(of_its_mentions)),
        sa.exists().where(col(Revision.mention_id).in_(of_its_mentions)),
    )
    return (
        select(  # type: ignore[call-overload]
            Case,
            col(Brand.name),
            owner.c.name,
            holder.c.name,
            tagged.scalar_subquery(),
            *there_is,
        )
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
