"""Digesting: one look at everything that a brand's digest says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from listener.domain.brand import Brand
from listener.domain.cause import Cause, causes
from listener.domain.digest import Counted, Declared, Digest
from listener.domain.picture import Pictures, lanes, slices
from listener.domain.span import Stretch
from listener.store import crises, digests, flags, themes
from listener.store.session import AsyncSession


async def digest(session: AsyncSession, brand: Brand, stretch: Stretch, *, now: datetime) -> Digest:
    """A brand's digest of a stretch, with its risks as they stand now."""
    complaints, others = await digests.texts(session, brand, stretch)
    waiting, closed = await digests.ends(session, brand, stretch)
    good = await flags.goodness(session, brands=[brand.key], now=stretch.ends, weeks=1)
    of_mentions = await themes.of_mentions(session, brand.key)
    found = causes(
        complaints,
        others,
        known=[brand.name, *brand.handles, brand.query],
        themes={number: (one.key, one.name) for number, one in of_mentions.items()},
    )
    keepers = await themes.seen_to(session, [one.theme for one in found if one.theme])
    return replace(
        await glance(session, brand, stretch, now=now),
        oldest=await digests.oldest(session, brand),
        spreading=await digests.spreading(session, brand, stretch),
        causes=[kept(one, keepers) for one in found],
        looked_at=len(complaints),
        firsts=await digests.firsts(session, brand, stretch),
        unanswered=waiting,
        closed=closed,
        won_back=await digests.won_back(session, brand, stretch),
        praise=await digests.praise(session, brand, stretch),
        flags=good.all,
    )


def kept(cause: Cause, keepers: Mapping[int, tuple[str | None, str | None]]) -> Cause:
    """A cause with who sees to it, where it is a theme."""
    owner, link = keepers.get(cause.theme or 0, (None, None))
    return replace(cause, owner=owner, link=link)


async def glance(session: AsyncSession, brand: Brand, stretch: Stretch, *, now: datetime) -> Digest:
    """As much of a digest as its first line needs: what was said, what is overdue, what is heard."""
    stretches = [stretch, *stretch.compared]
    counted = await digests.counts(session, brand, stretches)
    since = await digests.begun(session, brand)
    known = [
        by_source
        for one, by_source in zip(stretches[1:], counted[1:], strict=True)
        if since is not None and one.starts >= since
    ]
    sources, gaps = await digests.gaps(session, brand, stretch)
    return Digest(
        brand=brand.name,
        stretch=stretch,
        at=now,
        now=together(counted[0]),
        before=[together(one) for one in known],
        by_source={
            source: (
                counted[0].get(source, Counted()).complaints,
                [one.get(source, Counted()).complaints for one in known],
            )
            for source in sorted({name for one in counted for name in one})
        },
        overdue=await digests.overdue(session, brand, now=now),
        crises=await declared(session, brand, stretch),
        sources=sources,
        gaps=gaps,
    )


async def declared(session: AsyncSession, brand: Brand, stretch: Stretch) -> list[Declared]:
    """The brand's crises that are open, the latest first, then those that ended in the stretch."""
    return [
        Declared(
            number=one.crisis.key,
            name=one.crisis.name,
            lead=one.lead,
            since=one.crisis.declared_at,
            ended=one.crisis.ended_at,
            cases=one.numbers.cases,
            waiting=one.numbers.waiting,
        )
        for one in await crises.shown(session, brands=[brand.key], ended=True)
        if one.crisis.ended_at is None or stretch.starts <= one.crisis.ended_at < stretch.ends
    ]


def together(by_source: dict[str, Counted]) -> Counted:
    """All sources of a stretch as one."""
    return Counted(
        sum(one.mentions for one in by_source.values()),
        sum(one.complaints for one in by_source.values()),
    )


async def pictures(session: AsyncSession, brand: Brand, stretch: Stretch) -> Pictures:
    """What the pictures of a digest are drawn from."""
    return Pictures(
        slices(
            stretch,
            await digests.quarters(session, brand, stretch),
            await digests.rang(session, brand, stretch),
        ),
        [one.name for one in await digests.listened(session, brand)],
        lanes(stretch, *await digests.threads(session, brand, stretch)),
    )
