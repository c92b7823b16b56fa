"""Cases: opened for what needs a person, joined by what says the same, found for staff."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, func, insert, text, update
from sqlmodel import col, select

from listener.domain.brand import Brand
from listener.domain.case import FINAL, Case, Status, beginning
from listener.domain.deadline import Policies, Sort
from listener.domain.event import Event, What
from listener.domain.likeness import WINDOW, Likeness, alike, fingerprints
from listener.domain.mention import Mention
from listener.domain.notice import News, Notice, Outlet
from listener.domain.staff import Staff
from listener.domain.triage import Finding
from listener.store import deadlines, following, history, pressing, waking
from listener.store.intake import ignoring
from listener.store.mentions import Judged
from listener.store.session import LOCK, AsyncSession, bulk

REPEATS = 3  # points of priority for every further place that says it
MOST_REPEATS = 15
URGENT = "it has become urgent"  # why a case that slept does not any more


class _Group:
    """A new case and the judged mentions that share it."""

    def __init__(self, first: Judged) -> None:
        self.judged = [first]
        self.case_id = 0


async def open_or_join(
    session: AsyncSession,
    judged: Sequence[Judged],
    *,
    policies: Policies,
    channels: Sequence[Outlet],
    now: datetime,
) -> int:
    """Give every judged mention that needs a person its case; return how many were opened.

    A repost or near copy joins the case of the one it repeats.
    """
    policies = await deadlines.in_force(session, policies)
    for one in judged:
        if one.mention.case_id is not None:
            await learn(session, one, policies=policies, channels=channels, now=now)
    needy = [
        one
        for one in judged
        if one.mention.case_id is None and one.finding.needs_a_person and not one.mention.late
    ]
    if not needy:
        return 0
    await one_at_a_time(session, {one.mention.brand_id for one in needy})
    prints = {one.mention.id: fingerprints(one.mention.words, one.mention.author) for one in needy}
    standing = await like_cases(session, needy, prints, now=now)
    new: list[_Group] = []
    bands: dict[tuple[int, int], _Group] = {}
    joining: list[tuple[int, Judged]] = []
    for one in needy:
        case_id = next(
            (
                case_id
                for band in prints[one.mention.id]
                for case_id, said in standing.get((one.mention.brand_id, band), ())
                if alike(said, one.mention.words)
            ),
            None,
        )
        if case_id is not None:
            joining.append((case_id, one))
            continue
        keys = [(one.mention.brand_id, band) for band in prints[one.mention.id]]
        group = next(
            (
                bands[key]
                for key in keys
                if key in bands and alike(bands[key].judged[0].mention.words, one.mention.words)
            ),
            None,
        )
        if group is None:
            group = _Group(one)
            new.append(group)
            bands |= dict.fromkeys(keys, group)
        else:
            group.judged.append(one)
    await open_new(session, new, prints, policies=policies, channels=channels, now=now)
    for case_id, one in joining:
        await join(session, case_id, one, policies=policies, channels=channels, now=now)
    return len(new)


async def one_at_a_time(session: AsyncSession, brands: set[int]) -> None:
    """Let only one worker open cases of a brand at a time, so that copies find each other."""
    if session.get_bind().dialect.name == "postgresql":
        for brand in sorted(brands):
            await bulk(
                session, text("SELECT pg_advisory_xact_lock(7305514, :brand)"), {"brand": brand}
            )


async def like_cases(
    session: AsyncSession,
    needy: Sequence[Judged],
    prints: dict[int, list[int]],
    *,
    now: datetime,
) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """Cases that share a fingerprint, with the words of their first mention."""
    bands = {band for numbers in prints.values() for band in numbers}
    brands = {one.mention.brand_id for one in needy}
    rows = await session.exec(
        select(Likeness.brand_id, Likeness.band, Likeness.case_id).where(
            col(Likeness.band).in_(bands), col(Likeness.seen_at) >= now - WINDOW
        )
    )
    shared = [row for row in rows if row[0] in brands]
    said = await first_words(session, {case_id for _, _, case_id in shared})
    found: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for brand_id, band, case_id in shared:
        if case_id in said:
            found.setdefault((brand_id, band), []).append((case_id, said[case_id]))
    return found


async def first_words(session: AsyncSession, ids: Collection[int]) -> dict[int, str]:
    """What the first mention of each case says."""
    if not ids:
        return {}
    first = (
        select(func.min(Mention.id))
        .where(col(Mention.case_id).in_(ids))
        .group_by(col(Mention.case_id))
    )
    rows = await session.exec(
        select(Mention.case_id, Mention.title, Mention.text).where(col(Mention.id).in_(first))
    )
    return {
        case_id: f"{title}\n\n{text}" if title else text
        for case_id, title, text in rows
        if case_id is not None
    }


async def open_new(
    session: AsyncSession,
    groups: Sequence[_Group],
    prints: dict[int, list[int]],
    *,
    policies: Policies,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """Insert new cases with their first event, notices and fingerprints."""
    if not groups:
        return
    answers = await following.answers_to(session, [one.judged[0].mention.id for one in groups])
    answered = [group for group in groups if group.judged[0].mention.id in answers]
    cases = [
        case_of(group, policies=policies, now=now, answers=answers.get(group.judged[0].mention.id))
        for group in groups
    ]
    numbers = await numbers_of(session, Case, cases)
    for group, number in zip(groups, numbers, strict=True):
        group.case_id = number
    events = await numbers_of(
        session,
        Event,
        [
            {"case_id": group.case_id, "what": What.OPENED, "at": now, "details": {}}
            for group in groups
        ],
    )
    if answered:
        elsewhere = {"what": What.ANSWERED, "at": now, "details": {"elsewhere": True}}
        await numbers_of(session, Event, [elsewhere | {"case_id": one.case_id} for one in answered])
    notices = [
        {
            "channel": outlet.channel,
            "news": News.OPENED,
            "case_id": group.case_id,
            "event_id": event,
            "next_at": now,
            "tries": 0,
        }
        for group, case, event in zip(groups, cases, events, strict=True)
        if group not in answered and not all(one.finding.unsure for one in group.judged)
        for outlet in channels
        if outlet.hears(case["brand_id"], urgent=case["urgent"])
    ]
    if notices:
        await bulk(session, insert(Notice), notices)
    await belong(
        session, [(one.mention.id, group.case_id) for group in groups for one in group.judged]
    )
    likenesses = [
        {"brand_id": one.mention.brand_id, "band": band, "case_id": group.case_id, "seen_at": now}
        for group in groups
        for one in group.judged
        for band in set(prints[one.mention.id])
    ]
    if likenesses:
        await bulk(session, ignoring(session, Likeness, "brand_id", "band", "case_id"), likenesses)


def case_of(
    group: _Group, *, policies: Policies, now: datetime, answers: datetime | None
) -> dict[str, Any]:
    """A new case as the database takes it; answered, if we have answered it there before."""
    first, size = group.judged[0], len(group.judged)
    finding = max((one.finding for one in group.judged), key=lambda finding: finding.priority)
    urgent = any(one.finding.urgent for one in group.judged)
    unsure = all(one.finding.unsure for one in group.judged)
    row: dict[str, Any] = {
        "brand_id": first.mention.brand_id,
        "status": Status.OPEN,
        "kind": first.mention.kind,
        "urgent": urgent,
        "unsure": unsure,
        "priority": with_repeats(finding.priority, size),
        "reasons": with_places(finding.reasons, size),
        "opened_at": now,
        "waiting_since": now,
        "unheard_since": None if unsure else now,
        "answered_at": None,
        "mentions": size,
    }
    sort = Sort(
        first.mention.kind,
        urgent,
        unsure,
        brand_id=first.mention.brand_id,
        connector=first.mention.connector,
        priority=row["priority"],
    )
    row |= beginning(sort, policies, now)
    if answers is not None:  # seldom: only then is the object worth its price
        case = Case(**row)
        case.answer(min(answers, now))
        row = case.model_dump(include=set(row))
    return row


async def join(
    session: AsyncSession,
    case_id: int,
    one: Judged,
    *,
    policies: Policies,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """Add a mention that repeats a case to it; its own author's return reopens it."""
    case = await session.get_one(Case, case_id, with_for_update=LOCK, populate_existing=True)
    case.mentions += 1
    case.reasons = with_places(
        [reason for reason in case.reasons if not reason.startswith("Said in ")], case.mentions
    )
    case.priority = min(
        100, case.priority + (REPEATS if (case.mentions - 1) * REPEATS <= MOST_REPEATS else 0)
    )
    rose = worsen(case, one.finding, policies=policies, now=now)
    await belong(session, [(one.mention.id, case_id)])
    await history.record(
        session,
        case_id,
        What.JOINED,
        now=now,
        channels=channels,
        details={"mention": one.mention.id},
    )
    if rose:
        await waking.wake(session, case, URGENT, channels=channels, now=now)
        await pressing.press(session, case, now)
    if case.status is Status.CLOSED:
        if case.outcome not in FINAL and await is_back(session, case_id, one):
            await reopen(session, case, policies=policies, channels=channels, now=now)
    elif is_settled_by(case, one.finding):
        case.confirm(policies, now)
        await history.record(session, case.key, What.CONFIRMED, now=now, channels=channels)


async def is_back(session: AsyncSession, case_id: int, one: Judged) -> bool:
    """Whether the author of a mention said something else of the same case before."""
    if one.mention.author == "":
        return False
    before = await bulk(
        session,
        sa.select(col(Mention.author_id), col(Mention.author_handle)).where(
            col(Mention.case_id) == case_id, col(Mention.id) != one.mention.id
        ),
    )
    return one.mention.author in {row.author_id or row.author_handle for row in before}


async def learn(
    session: AsyncSession,
    one: Judged,
    *,
    policies: Policies,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """A mention with a case was edited, or its author wrote again: the case learns what it says."""
    case = await session.get_one(
        Case, one.mention.case_id, with_for_update=LOCK, populate_existing=True
    )
    finding = one.finding
    closed = case.status is Status.CLOSED
    again = one.mention.revision_number == 1  # its author wrote this after what opened the case
    if closed and (not finding.flagged or case.outcome in FINAL):
        return
    if case.mentions == 1 and not again:  # where others say it too, it is no less pressing for them
        case.priority = finding.priority
        case.reasons = list(
            finding.reasons or ["Its author has changed it: it no longer reads like a complaint."]
        )
    if worsen(case, finding, policies=policies, now=now):
        await waking.wake(session, case, URGENT, channels=channels, now=now)
        await pressing.press(session, case, now)
    if closed or (case.status is Status.ANSWERED and (again or finding.flagged)):
        await reopen(session, case, policies=policies, channels=channels, now=now)
    elif is_settled_by(case, finding):
        case.confirm(policies, now)
        await history.record(session, case.key, What.CONFIRMED, now=now, channels=channels)
    elif not again:
        await history.record(session, case.key, What.PRIORITY, now=now, channels=channels)


def worsen(case: Case, finding: Finding, *, policies: Policies, now: datetime) -> bool:
    """Make a case as pressing as the worst that is said in it; say whether it became urgent."""
    if with_repeats(finding.priority, case.mentions) > case.priority:
        case.priority = with_repeats(finding.priority, case.mentions)
        case.reasons = with_places(finding.reasons, case.mentions)
    rose = finding.urgent and not case.urgent
    case.urgent = case.urgent or finding.urgent
    case.worsen(policies, now)
    return rose


def is_settled_by(case: Case, finding: Finding) -> bool:
    """Whether what was unsure of a case is a complaint beyond doubt now."""
    return case.unsure and finding.flagged and not finding.unsure


async def reopen(
    session: AsyncSession,
    case: Case,
    *,
    policies: Policies,
    channels: Sequence[Outlet],
    now: datetime,
) -> None:
    """Open a closed case again for the owner it had."""
    case.reopen(policies, now)
    await history.record(session, case.key, What.REOPENED, now=now, channels=channels)


async def belong(session: AsyncSession, pairs: Sequence[tuple[int, int]]) -> None:
    """Say of mentions which case they belong to."""
    table = Mention.__table__  # type: ignore[attr-defined]
    await bulk(
        session,
        update(table)
        .where(table.c.id == bindparam("mention"))
        .values(case_id=bindparam("its_case")),
        [{"mention": mention, "its_case": case} for mention, case in pairs],
    )


async def numbers_of(
    session: AsyncSession, table: type[Case | Event], rows: Sequence[dict[str, Any]]
) -> Sequence[int]:
    """Insert rows under fresh numbers; return these in the same order.

    The numbers are drawn first, because only then are many rows inserted at once: a database
    that makes them up while inserting may return them in any order.
    """
    if session.get_bind().dialect.name == "sqlite":  # which has nobody else writing now
        last = (await session.exec(select(func.max(table.id)))).one() or 0
        numbers = list(range(last + 1, last + 1 + len(rows)))
    else:
        drawn = await bulk(
            session,
            text("SELECT nextval(pg_get_serial_sequence(:rows, 'id')) FROM generate_series(1, :n)"),
            {"rows": str(table.__tablename__), "n": len(rows)},
        )
        numbers = [number for (number,) in drawn]
    await bulk(
        session,
        insert(table),
        [row | {"id": number} for row, number in zip(rows, numbers, strict=True)],
    )
    return numbers


async def one(session: AsyncSession, case_id: int) -> Case | None:
    """The case, to look at."""
    return await session.get(Case, case_id)


async def locked(session: AsyncSession, case_id: int) -> Case | None:
    """The case, locked until the transaction ends."""
    return await session.get(Case, case_id, with_for_update=LOCK, populate_existing=True)


async def found(
    session: AsyncSession,
    *,
    status: Status | None = None,
    brand: str | None = None,
    ids: Sequence[int] | None = None,
    closed: bool = True,
) -> Sequence[tuple[Case, str]]:
    """Cases with their brand's name, most pressing first."""
    query = select(Case, Brand.name).join(Brand, col(Brand.id) == col(Case.brand_id))
    if status is not None:
        query = query.where(Case.status == status)
    elif not closed:
        query = query.where(Case.status != Status.CLOSED)
    if brand is not None:
        query = query.where(Brand.name == brand)
    if ids is not None:
        query = query.where(col(Case.id).in_(ids))
    return (
        await session.exec(
            query.order_by(col(Case.unsure), col(Case.priority).desc(), col(Case.id))
        )
    ).all()


async def brands_of(session: AsyncSession, ids: Collection[int]) -> dict[int, int]:
    """The brand of each of these cases."""
    if not ids:
        return {}
    wanted = sa.select(col(Case.id), col(Case.brand_id)).where(col(Case.id).in_(ids))
    return {row.id: row.brand_id for row in await bulk(session, wanted)}


async def counts(session: AsyncSession) -> dict[Status, int]:
    """How many cases there are in each state."""
    rows = await session.exec(select(Case.status, func.count()).group_by(col(Case.status)))
    return {Status(status): count for status, count in rows}


async def mention_ids(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[int]]:
    """The mentions of each case."""
    numbers: dict[int, list[int]] = {}
    for start in range(0, len(ids), 10_000):
        rows = await session.exec(
            select(Mention.case_id, Mention.id)
            .where(col(Mention.case_id).in_(ids[start : start + 10_000]))
            .order_by(col(Mention.id))
        )
        for case_id, mention_id in rows:
            numbers.setdefault(case_id or 0, []).append(mention_id or 0)
    return numbers


async def staff_names(session: AsyncSession) -> dict[int, str]:
    """Everybody's name, by number."""
    return {staff.key: staff.name for staff in await session.exec(select(Staff))}


def with_repeats(priority: int, size: int) -> int:
    """Priority, raised by every further place that says the same."""
    return min(100, priority + min(MOST_REPEATS, REPEATS * (size - 1)))


def with_places(reasons: Sequence[str], size: int) -> list[str]:
    """Reasons, with how often it is said when it is said more than once."""
    return [*reasons, *([f"Said in {size} places."] if size > 1 else [])]
