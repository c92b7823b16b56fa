"""Applying a plan: brands, sources and channels become what the file says, in one transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.kit import catalog
from connectors.kit.contract import Connector, Listens, secrets
from listener.desk.applying_policies import apply_policies
from listener.desk.applying_routes import apply_ladders, apply_members, apply_routes
from listener.desk.applying_teams import apply_teams
from listener.desk.applying_wordings import apply_wordings
from listener.desk.outlets import PlannedChannel
from listener.desk.plan import (
    Plan,
    PlannedBrand,
    PlannedSource,
    connect,
    stand_in,
)
from listener.desk.plan_words import BadPlan
from listener.domain.brand import Brand
from listener.domain.notice import Channel
from listener.domain.secret import Seal, is_as_before, is_reference, is_sealed
from listener.domain.source import SINCE, Reading, Source, Way
from listener.store import brands, deadlines, notices, sources
from listener.store.session import AsyncSession, Store, now


@dataclass
class Applied:
    """What applying a plan did, by name."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)

    def note(self, name: str, *, new: bool, changed: bool) -> None:
        """Note what became of one thing."""
        (self.added if new else self.changed if changed else self.same).append(name)


async def apply(store: Store, plan: Plan, seal: Seal) -> Applied:
    """Make the database say what the plan says; what the plan does not name stays as it is."""
    applied = Applied()
    async with store.transaction() as session:
        moment = await now(session)
        renamed = [
            brand.name
            for brand in plan.brand
            if await apply_brand(session, brand, applied, now=moment)
        ]
        numbers = {brand.name: brand.key for brand in await brands.every(session)}
        done = await apply_teams(session, plan.team)
        for name, new, changed in done:
            applied.note(f'team "{name}"', new=new, changed=changed)
        if any(new or changed for _, new, changed in done):
            await deadlines.reckon_again(session, now=moment)
        for kind, noted in (
            ("member", await apply_members(session, plan.member)),
            ("policy", await apply_policies(session, plan.policy, numbers)),
            ("route", await apply_routes(session, plan.route, numbers)),
            ("wording", await apply_wordings(session, plan.wording, numbers)),
            ("ladder", await apply_ladders(session, plan.ladder, now=moment)),
        ):
            for name, new, changed in noted:
                applied.note(f'{kind} "{name}"', new=new, changed=changed)
        for planned in plan.source:
            await apply_source(session, planned, numbers, seal, applied, now=moment)
        for channel in plan.channel:
            await apply_channel(session, channel, numbers, seal, applied)
        if renamed:
            await read_again(session, {numbers[name] for name in renamed}, now=moment)
    return applied


async def apply_brand(
    session: AsyncSession, planned: PlannedBrand, applied: Applied, *, now: datetime
) -> bool:
    """One brand; True when its sources must be read again for it."""
    brand = await brands.named(session, planned.name)
    if brand is None:
        session.add(
            Brand(name=planned.name, query=planned.query, handles=planned.handles, changed_at=now)
        )
        await session.flush()
        applied.note(f'brand "{planned.name}"', new=True, changed=False)
        return True
    asked = brand.query != planned.query
    changed = asked or brand.handles != planned.handles
    if changed:
        brand.query, brand.handles, brand.changed_at = planned.query, planned.handles, now
    applied.note(f'brand "{planned.name}"', new=False, changed=changed)
    return asked


async def apply_source(
    session: AsyncSession,
    planned: PlannedSource,
    numbers: Mapping[str, int],
    seal: Seal,
    applied: Applied,
    *,
    now: datetime,
) -> None:
    """One source with its readings."""
    kind = catalog.load(planned.connector)
    wanted = brand_numbers(f'[[source]] "{planned.name}"', planned.brands, numbers)
    source = await sources.named(session, planned.name)
    before = {} if source is None else source.options
    hidden = secrets(kind)
    options = {
        name: kept(value, before.get(name), seal, f'[[source]] "{planned.name}": `{name}`')
        if name in hidden
        else value
        for name, value in planned.options.items()
    }
    if "sender" in kind.model_fields:  # keeps the ids of two such sources apart
        options.setdefault("sender", planned.name)
    since = planned.since if isinstance(planned.since, datetime) else None
    if since is None and (source is None or planned.since is not None):
        since = now - (planned.since if isinstance(planned.since, timedelta) else SINCE)
    connector = connect(kind, {name: clear(value, seal) for name, value in options.items()})
    if (connector.about_us or planned.about_us) and len(wanted or numbers) != 1:
        raise BadPlan(
            [
                (
                    f'[[source]] "{planned.name}": every post of it is about one brand; '
                    'say which: brands = ["…"].'
                )
            ]
        )
    every = int(planned.every.total_seconds())
    if source is None:
        source = Source(
            name=planned.name,
            connector=planned.connector,
            options=options,
            brands=wanted,
            about_us=planned.about_us,
            every=every,
            since=since or now - SINCE,
            changed_at=now,
        )
        session.add(source)
        await session.flush()
        await set_up_readings(session, source, connector, afresh=True, now=now)
        applied.note(f'source "{planned.name}"', new=True, changed=False)
        return
    elsewhere = (
        source.connector != planned.connector
        or source.brands != wanted
        or source.about_us != planned.about_us
        or {name: value for name, value in source.options.items() if name not in hidden}
        != {name: value for name, value in options.items() if name not in hidden}
        or (since is not None and since < source.since - timedelta(hours=1))
    )
    changed = elsewhere or source.options != options or source.every != every or not source.active
    if changed:
        source.connector, source.options = planned.connector, options
        source.brands, source.every, source.active = wanted, every, True
        source.about_us = planned.about_us
        source.changed_at = now
        if since is not None and isinstance(planned.since, datetime | timedelta):
            source.since = min(source.since, since)
    await set_up_readings(session, source, connector, afresh=elsewhere, now=now, again=changed)
    applied.note(f'source "{planned.name}"', new=False, changed=changed)


async def apply_channel(
    session: AsyncSession,
    planned: PlannedChannel,
    numbers: Mapping[str, int],
    seal: Seal,
    applied: Applied,
) -> None:
    """One channel."""
    channel = await notices.channel(session, planned.name)
    before = {} if channel is None or channel.kind != planned.kind else channel.options
    where = f'[[channel]] "{planned.name}"'
    wanted = Channel(
        name=planned.name,
        kind=planned.kind,
        options={
            name: kept(value, before.get(name), seal, f"{where}: `{name}`")
            if name in planned.hidden
            else value
            for name, value in planned.options().items()
        },
        brands=brand_numbers(where, planned.brands, numbers),
        only_urgent=planned.only_urgent,
    )
    if channel is None:
        session.add(wanted)
        applied.note(f'channel "{planned.name}"', new=True, changed=False)
        return
    fresh = wanted.model_dump(exclude={"id"})
    changed = channel.model_dump(exclude={"id"}) != fresh
    if changed:
        channel.sqlmodel_update(fresh)
    applied.note(f'channel "{planned.name}"', new=False, changed=changed)


def brand_numbers(
    where: str, names: Collection[str] | None, numbers: Mapping[str, int]
) -> list[int] | None:
    """The numbers of the brands that are named; None is all."""
    if names is None:
        return None
    strangers = [name for name in names if name not in numbers]
    if strangers:
        raise BadPlan(
            [
                f'{where}: there is no brand called "{name}"; '
                f"there is: {', '.join(sorted(numbers)) or 'none yet'}."
                for name in strangers
            ]
        )
    return [numbers[name] for name in names]


async def set_up_readings(
    session: AsyncSession,
    source: Source,
    connector: Connector,
    *,
    afresh: bool,
    now: datetime,
    again: bool = True,
) -> None:
    """The ways a source is read. `afresh` forgets the cursor, `again` asks at once.

    What had been stopped until a person acts is asked at once, for a person just did.
    """
    ways = [Way.POLL, *([Way.LISTEN] if isinstance(connector, Listens) else [])]
    standing = await sources.readings_of(session, source)
    for way in ways:
        reading = standing.get(way)
        if reading is None:
            session.add(Reading(source_id=source.key, way=way, host=connector.home, next_at=now))
            continue
        reading.host = connector.home
        if afresh:
            reading.cursor = None
            reading.fence += 1  # a walk under way is about something else
            reading.taken_by = reading.taken_until = None
        if again or reading.stopped:
            reading.next_at = now
            reading.stopped = False
    for way, reading in standing.items():
        if way not in ways:
            await session.delete(reading)


async def read_again(session: AsyncSession, changed: set[int], *, now: datetime) -> None:
    """Read sources back once more, a week at most, for brands that are looked for anew."""
    for source in await sources.every(session):
        if source.brands is not None and not changed & set(source.brands):
            continue
        source.since = max(source.since, now - SINCE) if source.changed_at < now else source.since
        for reading in (await sources.readings_of(session, source)).values():
            if reading.way is Way.POLL and reading.cursor is not None:
                reading.cursor = None
                reading.fence += 1
                reading.taken_by = reading.taken_until = None
                reading.next_at = now


def kept(value: Any, before: Any, seal: Seal, where: str) -> Any:
    """A secret as it is stored: sealed, or the reference to where it is kept.

    The same secret as before keeps its sealed form, so that applying twice changes nothing.
    """
    if is_as_before(value):
        if before is None:
            raise BadPlan(
                [
                    (
                        f"{where} is written {{ secret = true }}, which means the secret that is "
                        "kept here already, but there is none: write the secret itself."
                    )
                ]
            )
        return before
    if is_reference(value):
        return dict(value)
    if is_sealed(before) and seal.opens(before) == value:
        return before
    return seal.close(str(value))


def clear(value: Any, seal: Seal) -> Any:
    """A secret in the clear, or a stand-in for one that is kept elsewhere."""
    return seal.open(value) if is_sealed(value) else stand_in(value)
