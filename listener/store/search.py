"""Search: the words of all mentions, entered in an index of each database's own kind.

What is entered are words that we have cut ourselves, so both databases find the same. With
them stand marks that no word can be: of the brand, of the place, and that there is a case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, text
from sqlmodel import col

from listener.domain.brand import Brand
from listener.domain.case import FINAL, Case
from listener.domain.crisis import CrisisCase
from listener.domain.mention import Mention, Unindexed
from listener.domain.source import Source
from listener.domain.theme import Belonging
from listener.domain.words import Phrase, asked, words
from listener.store.rows import Lead, shown
from listener.store.session import AsyncSession, bulk, locked_for_update

PAGE: Final = 50
# How many of the latest are looked at first: what many say is found among them at once, and what
# few say is then found by the index. The other way round each takes long.
CLOSE: Final = 20_000
FAR: Final = 3000  # mentions that are looked at for one page, so that none takes long
NEVER_A_WORD: Final = "\ue000"  # from the area that Unicode leaves to everybody
CASE: Final = f"{NEVER_A_WORD}c"


@dataclass(frozen=True, slots=True)
class Unread:
    """A mention whose words are to be entered, as it stood when it was looked at."""

    id: int
    turn: int
    brand_id: int
    connector: str
    has_case: bool
    gone: bool
    said: Sequence[str]  # title, text, who wrote it


@dataclass(frozen=True, slots=True)
class Indexed:
    """A mention with the words and marks that are entered for it; none when it is gone."""

    mention: Unread
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; None is all."""

    words: str = ""
    brand: str | None = None
    place: str | None = None
    source: str | None = None
    language: str | None = None
    flagged: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    case_id: int | None = None
    theme_id: int | None = None
    crisis_id: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Mentions, the latest heard first, and where the next page begins.

    With few of them and a next page, only the latest `FAR` have been looked at so far.
    """

    mentions: Sequence[Lead] = ()
    after: int | None = None


# --- filling the index


MOST_LETTERS: Final = 60_000  # of one batch: cut into words they take ten times the room
SHORT: Final = 50  # what a title and names take, about


async def unread(session: AsyncSession, *, limit: int) -> Sequence[Unread]:
    """Mentions whose words are not entered yet, oldest first."""
    long = func.coalesce(func.length(col(Mention.text)), 0) + SHORT
    sizes = await bulk(
        session,
        select(col(Unindexed.mention_id), long.label("letters"))
        .outerjoin(Mention, col(Mention.id) == col(Unindexed.mention_id))
        .order_by(col(Unindexed.mention_id))
        .limit(limit),
    )
    waiting = sizes.all()
    sums = accumulate(row.letters for row in waiting)
    fits = max(1, sum(letters <= MOST_LETTERS for letters in sums))
    ids = [row.mention_id for row in waiting[:fits]]
    rows = await bulk(
        session,
        select(
            col(Unindexed.mention_id),
            col(Unindexed.turn),
            col(Mention.brand_id),
            col(Mention.connector),
            col(Mention.case_id),
            col(Mention.deleted_at),
            col(Mention.purged_at),
            col(Mention.title),
            col(Mention.text),
            col(Mention.author_name),
            col(Mention.author_handle),
        )
        .outerjoin(Mention, col(Mention.id) == col(Unindexed.mention_id))
        .where(col(Unindexed.mention_id).in_(ids))
        .order_by(col(Unindexed.mention_id)),
    )
    return [
        Unread(
            id=row.mention_id,
            turn=row.turn,
            brand_id=row.brand_id or 0,
            connector=row.connector or "",
            has_case=row.case_id is not None,
            gone=row.brand_id is None or row.deleted_at is not None or row.purged_at is not None,
            said=(row.title or "", row.text or "", row.author_name or "", row.author_handle or ""),
        )
        for row in rows
    ]


def indexed(mention: Unread) -> Indexed:
    """The words and marks of a mention."""
    if mention.gone:
        return Indexed(mention, ())
    marks = [brand_mark(mention.brand_id), place_mark(mention.connector)]
    marks += [CASE] if mention.has_case else []
    return Indexed(mention, [*marks, *(word for said in mention.said for word in words(said))])


async def enter(session: AsyncSession, read: Sequence[Indexed]) -> int:
    """Enter words, unless they have changed since they were looked at; say how many were."""
    if not read:
        return 0
    waiting = select(col(Unindexed.mention_id), col(Unindexed.turn)).where(
        col(Unindexed.mention_id).in_([one.mention.id for one in read])
    )
    # Whoever is changing one at this moment has it locked: it will be looked at again.
    free = await bulk(session, locked_for_update(waiting, session))
    turns = {row.mention_id: row.turn for row in free}
    standing = [one for one in read if turns.get(one.mention.id) == one.mention.turn]
    if not standing:
        return 0
    ids = [one.mention.id for one in standing]
    rows = [
        {"number": one.mention.id, "words": written(session, one.words)}
        for one in standing
        if one.words
    ]
    if session.get_bind().dialect.name == "sqlite":
        gone = text("DELETE FROM mention_index WHERE rowid IN :ids")
        new = "INSERT INTO mention_index (rowid, words) VALUES (:number, :words)"
    else:
        gone = text("DELETE FROM mention_index WHERE mention_id IN :ids")
        new = "INSERT INTO mention_index VALUES (:number, CAST(CAST(:words AS text) AS tsvector))"
    await bulk(session, gone.bindparams(bindparam("ids", ids, expanding=True)))
    if rows:
        await bulk(session, text(new), rows)
    await bulk(session, delete(Unindexed).where(col(Unindexed.mention_id).in_(ids)))
    return len(standing)


def written(session: AsyncSession, found: Sequence[str]) -> str:
    """Words as the database's index takes them: with their places, or simply in a row."""
    if session.get_bind().dialect.name == "sqlite":
        return " ".join(found)
    return " ".join(f"'{word}':{place}" for place, word in enumerate(found, 1))


# --- asking it


async def search(
    session: AsyncSession,
    wanted: Search,
    *,
    brands: Collection[int] | None = None,
    after: int | None = None,
    limit: int = PAGE,
) -> Found:
    """The latest mentions that have all these words and fit."""
    phrases = asked(wanted.words)
    if wanted.words.strip() and not phrases:
        return Found()  # nothing of it is a word
    marks = await marks_of(session, wanted, brands)
    if marks is None:
        return Found()
    listed = None if phrases else of_something(wanted)
    candidates = having(session, phrases, marks) if listed is None else listed
    number = candidates.selected_columns[0]
    if after is not None:
        candidates = candidates.where(number < after)
    fits = conditions(wanted, brands)
    by_index = listed is None and (phrases or marks)
    if by_index and session.get_bind().dialect.name != "sqlite":
        top = await newest(session) if after is None else after
        page = await fitting(session, candidates.where(number > top - CLOSE), fits, limit)
        if len(page) > limit:
            return Found(await shown(session, page[:limit]), page[limit - 1])
    page = await fitting(session, candidates, fits, limit)
    if len(page) > limit:
        return Found(await shown(session, page[:limit]), page[limit - 1])
    near = reached(candidates)
    extent = select(func.count().label("looked"), func.min(near.c[0]).label("last"))
    far = (await bulk(session, extent)).one()
    return Found(await shown(session, page), far.last if far.looked == FAR else None)


def of_something(wanted: Search) -> sa.Select[Any] | None:
    """The mentions of the case, theme or crisis that is asked for; None where none is."""
    if wanted.case_id is not None:
        return select(col(Mention.id)).where(col(Mention.case_id) == wanted.case_id)
    if wanted.theme_id is not None:
        return of_theme(wanted.theme_id)
    return None if wanted.crisis_id is None else of_crisis(wanted.crisis_id)


def reached(candidates: sa.Select[Any]) -> sa.CTE:
    """The latest candidates that are looked at.

    Found before anything is joined to them: told that few are wanted in the end, PostgreSQL would go
    through all mentions from the latest on, and for a rare word that is all of them.
    """
    number = candidates.selected_columns[0]
    near = candidates.order_by(number.desc()).limit(FAR).cte("near")
    return near.prefix_with("MATERIALIZED", dialect="postgresql")


async def fitting(
    session: AsyncSession,
    candidates: sa.Select[Any],
    fits: Sequence[ColumnElement[bool]],
    limit: int,
) -> list[int]:
    """The latest of the candidates that fit, by number, one more than a page where there are more."""
    near = reached(candidates)
    mention = select(col(Mention.id)).join(near, near.c[0] == col(Mention.id)).where(*fits)
    rows = await bulk(session, mention.order_by(col(Mention.id).desc()).limit(limit + 1))
    return list(rows.scalars())


async def newest(session: AsyncSession) -> int:
    """The number that the next mention will have at least."""
    last = (await bulk(session, select(func.max(col(Mention.id))))).scalar()
    return (last or 0) + 1


def cases_saying(session: AsyncSession, said: str) -> sa.Select[Any] | None:
    """The cases of mentions that have all these words; None when nothing of it is a word."""
    phrases = asked(said)
    if not phrases:
        return None
    near = having(session, phrases, [[CASE]]).cte("said")
    return (
        select(col(Mention.case_id))
        .join(near, near.c[0] == col(Mention.id))
        .where(col(Mention.case_id).is_not(None))
    )


async def marks_of(
    session: AsyncSession, wanted: Search, brands: Collection[int] | None
) -> list[list[str]] | None:
    """The marks that a mention must have, one of each list; None when no mention can."""
    marks = []
    allowed = brands
    if wanted.brand is not None:
        named = (
            await bulk(session, select(col(Brand.id)).where(col(Brand.name) == wanted.brand))
        ).scalar()
        if named is None or (brands is not None and named not in brands):
            return None
        allowed = [named]
    if allowed is not None:
        if not allowed:
            return None
        marks.append([brand_mark(number) for number in sorted(allowed)])
    if wanted.place is not None:
        marks.append([place_mark(wanted.place)])
    return marks


def having(
    session: AsyncSession, phrases: Sequence[Phrase], marks: Sequence[Sequence[str]]
) -> sa.Select[Any]:
    """The numbers of mentions that have all phrases and marks."""
    if not phrases and not marks:
        return select(col(Mention.id)).where(col(Mention.deleted_at).is_(None))
    if session.get_bind().dialect.name == "sqlite":
        table = sa.table("mention_index", sa.column("rowid", sa.Integer()))
        said = text("mention_index MATCH :asked").bindparams(asked=for_sqlite(phrases, marks))
        return select(table.c.rowid).where(said)
    table = sa.table("mention_index", sa.column("mention_id", sa.Integer()))
    said = text("mention_index.words @@ CAST(:asked AS tsquery)")
    # Written into the statement: planned without its words, after some turns, a rare word would be
    # looked for in all mentions from the latest on.
    words: sa.BindParameter[str] = bindparam(
        "asked", for_postgresql(phrases, marks), literal_execute=True
    )
    return select(table.c.mention_id).where(said.bindparams(words))


def for_sqlite(phrases: Sequence[Phrase], marks: Sequence[Sequence[str]]) -> str:
    """A search as FTS5 reads it. Words have letters and digits only, so nothing can escape."""
    said = []
    for one in phrases:
        quoted = f'"{" ".join(one.words)}"'
        said.append(f"{quoted} *" if one.begins else quoted)
    for any_of in marks:
        either = " OR ".join(f'"{mark}"' for mark in any_of)
        said.append(f"({either})")
    return " AND ".join(said)


def for_postgresql(phrases: Sequence[Phrase], marks: Sequence[Sequence[str]]) -> str:
    """The same as a tsquery."""
    said = []
    for one in phrases:
        quoted = [f"'{word}'" for word in one.words]
        quoted[-1] += ":*" if one.begins else ""
        said.append(f"({' <-> '.join(quoted)})")
    for any_of in marks:
        either = " | ".join(f"'{mark}'" for mark in any_of)
        said.append(f"({either})")
    return " & ".join(said)


def conditions(wanted: Search, brands: Collection[int] | None) -> list[ColumnElement[bool]]:
    """What the index does not know: asked of each mention that it finds."""
    fits = [and_(col(Mention.deleted_at).is_(None), col(Mention.purged_at).is_(None))]
    if brands is not None:  # whatever the index says, nobody looks through a wall
        fits.append(col(Mention.brand_id).in_(brands))
    if wanted.source is not None:
        source = select(col(Source.id)).where(col(Source.name) == wanted.source)
        fits.append(col(Mention.source_id) == source.scalar_subquery())
    if wanted.language is not None:
        fits.append(col(Mention.language) == wanted.language)
    if wanted.flagged is not None:
        fits.append(col(Mention.flagged).is_(wanted.flagged))
    if wanted.since is not None:
        fits.append(col(Mention.published_at) >= wanted.since)
    if wanted.until is not None:
        fits.append(col(Mention.published_at) < wanted.until)
    if wanted.case_id is not None:
        fits.append(col(Mention.case_id) == wanted.case_id)
    if wanted.theme_id is not None:
        fits.append(col(Mention.id).in_(of_theme(wanted.theme_id)))
    if wanted.crisis_id is not None:
        fits.append(col(Mention.id).in_(of_crisis(wanted.crisis_id)))
    return fits


def of_theme(number: int) -> sa.Select[Any]:
    """The numbers of a theme's mentions."""
    return select(col(Belonging.mention_id)).where(col(Belonging.theme_id) == number)


def of_crisis(number: int) -> sa.Select[Any]:
    """The numbers of the mentions of a crisis's cases."""
    return select(col(Mention.id)).where(col(Mention.case_id).in_(crisis_cases(number)))


def crisis_cases(number: int) -> sa.Select[Any]:
    """The numbers of a crisis's cases, but for those that turned out to be no complaint of ours."""
    return (
        select(col(CrisisCase.case_id))
        .join(Case, col(Case.id) == col(CrisisCase.case_id))
        .where(
            col(CrisisCase.crisis_id) == number,
            col(CrisisCase.left_at).is_(None),
            or_(col(Case.outcome).is_(None), col(Case.outcome).not_in(FINAL)),
        )
    )


def brand_mark(number: int) -> str:
    """The mark of a brand."""
    return f"{NEVER_A_WORD}b{number}"


def place_mark(connector: str) -> str:
    """The mark of a place. Connectors are named like modules, so this is one word."""
    return f"{NEVER_A_WORD}p{''.join(words(connector))}"
