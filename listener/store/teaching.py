"""What staff taught: which texts they judged themselves, as far as these may be learnt from."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, literal, or_, select
from sqlmodel import col

from connectors.kit.contract import Kind
from listener.domain.brand import Brand
from listener.domain.case import CONFIRMED, Case
from listener.domain.correction import Better, Correction
from listener.domain.mention import Mention, stars_of, words_of
from listener.store.session import AsyncSession, bulk
from models.verdict import Question

_NEEDED: Final[tuple[Any, ...]] = (
    col(Mention.id),
    col(Mention.title),
    col(Mention.text),
    col(Mention.rating),
    col(Mention.rating_lowest),
    col(Mention.rating_highest),
    col(Mention.kind),
    col(Mention.language),
    col(Mention.connector),
    col(Mention.case_id),
    col(Brand.name).label("brand"),
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text that staff have judged. It is read anew each time, and kept nowhere else."""

    mention_id: int
    question: Question
    complaint: bool
    staff_id: int | None
    case_id: int | None  # what says the same has the same case


async def lessons(
    session: AsyncSession, brands: Collection[int], *, only_from: Collection[str], most: int
) -> list[Lesson]:
    """What staff said of these brands' mentions, the last word of each, newest first.

    Only of places (connectors, by name) that allow to learn from them. Left out is what has gone
    or was edited since it was judged, our own posts, and whatever people took back.
    """
    readable = (
        col(Mention.brand_id).in_(list(brands)),
        col(Mention.connector).in_(list(only_from)),
        col(Mention.deleted_at).is_(None),
        col(Mention.purged_at).is_(None),
        col(Mention.ours).is_(False),
    )
    last = select(func.max(col(Correction.id))).group_by(col(Correction.mention_id))
    corrected = (
        select(*_NEEDED, col(Correction.better), col(Correction.staff_id).label("by"))
        .select_from(Correction)
        .join(Mention, col(Mention.id) == col(Correction.mention_id))
        .join(Brand, col(Brand.id) == col(Mention.brand_id))
        .where(*readable, col(Correction.id).in_(last), unedited(col(Correction.at)))
    )
    # Two questions: asked as one, a database looks at every mention of a brand.
    answered = (
        select(*_NEEDED, literal(None).label("better"), col(Case.owner_id).label("by"))
        .select_from(Case)
        .join(Mention, col(Mention.case_id) == col(Case.id))
        .join(Brand, col(Brand.id) == col(Mention.brand_id))
        .where(
            *readable,
            col(Case.brand_id).in_(list(brands)),
            col(Case.outcome).in_(CONFIRMED),
            unedited(col(Case.closed_at)),
            ~exists().where(col(Correction.mention_id) == col(Mention.id)),
        )
    )
    rows = [
        row
        for asked in (corrected, answered)
        for row in await bulk(session, asked.order_by(col(Mention.id).desc()).limit(most))
        if words_of(row.title, row.text).strip()
    ]
    rows.sort(key=lambda row: -row.id)
    return [
        Lesson(
            row.id,
            Question(
                text=words_of(row.title, row.text),
                brand=row.brand,
                stars=stars_of(row.rating, row.rating_lowest, row.rating_highest),
                kind=Kind(row.kind),
                language=row.language,
                connector=row.connector,
            ),
            complaint=row.better is None or row.better == Better.COMPLAINT,
            staff_id=row.by,
            case_id=row.case_id,
        )
        for row in rows[:most]
    ]


def unedited(judged_at: Any) -> ColumnElement[bool]:
    """That a mention says what it said when staff judged it."""
    return or_(col(Mention.edited_at).is_(None), col(Mention.edited_at) <= judged_at)
