"""Watching: every minute, whether a brand is spoken of more, or less, than is usual."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from listener.channels.contract import Channel, NotNow, Ringing, Undelivered, Warned
from listener.domain import lookout, report
from listener.domain.alarm import CALM, RISE, Alarm, AlarmNotice, Sort, about_theme, sentence
from listener.domain.lately import Lately, Marks, instant
from listener.domain.likeness import Phrases, phrases
from listener.domain.lookout import Calm, Rise
from listener.domain.outlook import HOURS, LOOK_BACK, Outlook, hour_of, learn
from listener.domain.report import Report
from listener.stages import call
from listener.stages.telling import GONE, hindered
from listener.store import alarms, history, watching
from listener.store.alarms import Told
from listener.store.session import Store, now

log = structlog.get_logger(__name__)

RELEARN: Final = timedelta(hours=1)
LEARNT_AT_ONCE: Final = 50  # brands; learning a thousand takes twenty looks
SILENCES_EVERY: Final = 10  # minutes
TELLINGS: Final = 50
EMPTY: Final[Mapping[int, Lately]] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found: what is new, what stands, and of that what is over."""

    news: Sequence[Alarm]
    standing: Sequence[Alarm]
    is_over: Sequence[Alarm]


@dataclass
class Watch:
    """Learns what is usual, looks at what is new, raises alarms and says when they are over.

    What it keeps in memory only spares it work: which brands are `calm`, and the `phrases` of the
    posts of every rise, by number and edition.
    """

    store: Store
    channel: Callable[[AlarmNotice], Awaitable[Channel | None]]  # as set up now
    mails: bool = False  # whether mail leaves this house, when Slack does not take something
    outlooks: dict[int, tuple[datetime, Outlook]] = field(default_factory=dict)
    calm: dict[int, Calm] = field(default_factory=dict)
    phrases: dict[tuple[int, str], dict[tuple[int, int], Phrases]] = field(default_factory=dict)
    looked_at: datetime | None = None
    raised: int = 0

    async def step(self) -> int:
        """Look once a minute, call who is to be called, tell what is to be told.

        Says how many alarms it raised or ended, and how many calls it made.
        """
        called = await call.climb(self.store)
        await self.tell()
        async with self.store.reading() as session:
            moment = await now(session)
        last = self.looked_at
        if last is not None and timedelta() <= moment - last < timedelta(seconds=50):
            return called
        changed = await self.look(moment)
        self.looked_at = moment
        if changed:
            await self.tell()
        return called + changed

    async def look(self, moment: datetime) -> int:
        """Look at every brand about which there is something new."""
        return await self.keep(await self.find(moment), moment)

    async def find(self, moment: datetime) -> Found:
        """What one look finds, by what the database holds: nothing of it is kept yet."""
        async with self.store.reading() as session:
            said = await watching.lately(session, since=moment - LOOK_BACK, until=moment)
        await self.learn(moment, said)
        async with self.store.reading() as session:
            reports = await watching.reports(session, since=moment - CALM)
            standing = await alarms.standing(session)
            ended = await alarms.ended(session, since=moment - LOOK_BACK)
            told_of = {a.theme_id for a in (*standing, *ended) if a.theme_id is not None}
            merged = await watching.merged(session, told_of)
            heirs = await watching.heirs(session, told_of | set(merged.values()))
        follow(standing, merged)
        counted = {alarm.key: alarm.count for alarm in standing}
        # Whatever goes through many posts does so in a thread: pages are answered meanwhile.
        news = await asyncio.to_thread(report.grave, reports, moment)
        told = already_told((*standing, *ended, *news), said, reports, heirs)
        risen = await asyncio.to_thread(self.rises, said, standing, ended, told, moment)
        news += [rise.alarm for rise in risen]
        news += await self.silences(said, moment)
        is_over = await asyncio.to_thread(self.over, standing, said, reports, moment)
        grown = [
            Rise(one, lookout.posts(one, of_brand(said, one.brand_id), moment))
            for one in standing
            if one.sort.is_rise and one not in is_over and one.count != counted[one.key]
        ]
        await self.read([*risen, *grown], said)
        rising = {(one.brand_id, one.about) for one in (*news, *standing) if one not in is_over}
        self.phrases = {about: one for about, one in self.phrases.items() if about in rising}
        return Found(news, standing, is_over)

    async def read(self, rises: Sequence[Rise], said: Mapping[int, Lately]) -> None:
        """See who tells it themselves: they are quoted. Those who stand quoted stay so.

        Of a rise that goes on only what is new, or says something else now, is read.
        """
        for rise in rises:
            alarm = rise.alarm
            posts = of_brand(said, alarm.brand_id)
            posts = posts.only(posts.among(rise.posts))
            editions = dict(zip(posts.ids.tolist(), posts.editions.tolist(), strict=True))
            known = self.phrases.get((alarm.brand_id, alarm.about), {})
            new = [post for post, edition in editions.items() if (post, edition) not in known]
            async with self.store.reading() as session:
                roots = await watching.roots(session, rise.posts)
                words = await watching.words(session, [*new, *roots])
            read = await asyncio.to_thread(list, map(phrases, words))
            heard = {one.mention_id: one for one in (*known.values(), *read)}
            moments = dict(zip(editions, posts.at.tolist(), strict=True))
            moments |= {root: instant(at) for root, at in roots.items()}
            ordered = sorted(moments.keys() & heard.keys(), key=lambda one: (moments[one], one))
            quoted = alarm.mentions
            await asyncio.to_thread(
                lookout.own_words, alarm, [heard[one] for one in ordered], rise.posts
            )
            alarm.mentions = quoted or alarm.mentions
            self.phrases[alarm.brand_id, alarm.about] = {
                (post, edition): heard[post] for post, edition in editions.items() if post in heard
            }

    async def learn(self, moment: datetime, said: Mapping[int, Lately] = EMPTY) -> None:
        """Learn anew what is usual for those brands whose turn it is, or that have a new theme."""
        new = {
            brand
            for brand, several in said.items()
            if brand in self.outlooks
            and not set(several.spoken_of()) <= set(self.outlooks[brand][1].themes)
        }
        async with self.store.reading() as session:
            brands = await watching.brands(session)
            due = sorted(
                (
                    brand
                    for brand in brands
                    if brand not in self.outlooks
                    or brand in new
                    or moment - self.outlooks[brand][0] >= RELEARN
                    or self.outlooks[brand][0] > moment
                ),
                key=lambda brand: (brand in self.outlooks, brand),
            )[: max(LEARNT_AT_ONCE, len(brands) // 30)]
            if not due:
                return
            since = moment - timedelta(hours=HOURS)
            until = moment.replace(minute=0, second=0, microsecond=0)
            hours = await watching.hours(session, due, since=since, until=until)
            rises = await alarms.raised_between(session, due, since=since)
            shared = await watching.themes(session, due, since=since, until=until)
        by_brand = defaultdict(list)
        for one in hours:
            by_brand[one.brand_id].append(one)
        by_theme = defaultdict(list)
        for theme in shared:
            by_theme[theme.brand_id].append(theme)
        loud = defaultdict(list)
        for alarm in rises:
            end = hour_of(alarm.over_at or moment) + 1
            loud[alarm.brand_id].append(range(hour_of(alarm.since), end))
        for brand in due:
            outlook = await asyncio.to_thread(
                learn, brand, by_brand[brand], until, loud[brand], by_theme[brand]
            )
            self.outlooks[brand] = (moment, outlook)

    def rises(
        self,
        said: Mapping[int, Lately],
        standing: Sequence[Alarm],
        ended: Sequence[Alarm],
        told: Mapping[int, Marks],
        moment: datetime,
    ) -> list[Rise]:
        """What rises of the brands; one that was calm is until somebody says more of it."""
        rising = {alarm.brand_id: alarm for alarm in standing if alarm.about == RISE}
        over = {alarm.brand_id: alarm.over_at for alarm in ended if alarm.about == RISE}
        found: list[Rise] = []
        for brand, several in said.items():
            if brand not in self.outlooks:
                continue
            outlook, ends, marks = self.outlooks[brand][1], over.get(brand), told.get(brand)
            counted = lookout.counted(several, moment, over=ends, told=marks)
            calm = self.calm.get(brand)
            if brand not in rising and calm and calm.lasts(outlook, counted, moment):
                continue
            look = lookout.look(
                outlook, several, moment, over=ends, rising=rising.get(brand), told=marks
            )
            self.calm.pop(brand, None)
            if look.calm:
                self.calm[brand] = Calm(outlook, counted, moment)
            found += look.rises
        return found

    async def silences(self, said: Mapping[int, Lately], moment: datetime) -> list[Alarm]:
        """The sources that should speak; each brand's are looked at every ten minutes."""
        turn = int(moment.timestamp()) // 60 % SILENCES_EVERY
        asked = {
            brand: outlook
            for brand, (_, outlook) in self.outlooks.items()
            if brand % SILENCES_EVERY == turn or self.looked_at is None
        }
        lately = {
            (brand, source): at
            for brand in asked
            for source, at in of_brand(said, brand).last().items()
        }
        quiet = {
            (brand, source) for brand, outlook in asked.items() for source in outlook.sources
        } - lately.keys()
        async with self.store.reading() as session:
            heard = lately | await watching.last_heard(session, quiet)
        found: list[Alarm] = []
        for brand, outlook in asked.items():
            last = {
                source: heard[brand, source]
                for source in outlook.sources
                if (brand, source) in heard
            }
            found += lookout.silences(outlook, last, moment)
        return found

    def over(
        self,
        standing: Sequence[Alarm],
        said: Mapping[int, Lately],
        reports: Sequence[Report],
        moment: datetime,
    ) -> list[Alarm]:
        """The alarms that are over; the others are brought up to date."""
        return [
            one
            for one in standing
            if not self.goes_on(one, of_brand(said, one.brand_id), reports, moment)
        ]

    def goes_on(
        self, alarm: Alarm, said: Lately, reports: Sequence[Report], moment: datetime
    ) -> bool:
        """Whether what an alarm tells of is not over; its numbers are brought up to date."""
        if alarm.sort.is_report:
            return report.count_again(alarm, reports, moment)
        if alarm.sort.is_rise:
            known = self.outlooks.get(alarm.brand_id)
            return known is None or lookout.still(alarm, known[1], said, moment)
        spoke = (said.sources == alarm.source_id) & (said.at > instant(alarm.since))
        return not spoke.any()

    async def keep(self, found: Found, moment: datetime) -> int:
        """Raise what is new, end what is over, bring the others up to date: all or nothing."""
        news, standing, is_over = found.news, found.standing, found.is_over
        known = {(alarm.brand_id, alarm.about) for alarm in standing}
        new = [one for one in news if (one.brand_id, one.about) not in known]
        going = [one for one in standing if one.sort is not Sort.SILENCE and one not in is_over]
        if not (new or is_over or going):
            return 0
        changed = 0
        async with self.store.transaction() as session:
            outlets = await history.channels(session)
            for alarm in going:
                await alarms.bring_up_to_date(session, alarm)
            for alarm in (*new, *is_over):
                hearing = [one.channel for one in outlets if one.hears(alarm.brand_id, urgent=True)]
                if alarm in is_over:
                    changed += await alarms.end(session, alarm, hearing, moment)
                else:
                    changed += await alarms.raise_once(session, alarm, hearing)
        for alarm in new:
            log.warning("alarm", brand=alarm.brand_id, sort=alarm.sort.value, count=alarm.count)
        for alarm in is_over:
            log.info("alarm is over", alarm=alarm.key, sort=alarm.sort.value)
        self.raised += changed
        return changed

    async def tell(self) -> None:
        """Tell the channels what is to be told; each until it has arrived."""
        async with self.store.reading() as session:
            if not await alarms.is_due(session, now=await now(session)):
                return
        async with self.store.transaction() as session:
            told = await alarms.take(session, limit=TELLINGS, now=await now(session))
        for one in told:
            wait, why = None, None
            try:
                why = await hindered(self.tell_one(one))
            except NotNow as soon:
                wait = soon.wait
            async with self.store.transaction() as session:
                moment = await now(session)
                if wait is None:
                    await alarms.keep(session, one.notice.key, why, now=moment, mails=self.mails)
                else:
                    await alarms.put_off(session, one.notice.key, until=moment + wait)

    async def tell_one(self, one: Told) -> None:
        """Tell it, outside any transaction."""
        channel = await self.channel(one.notice)
        if channel is None:
            raise Undelivered(GONE)
        if not isinstance(channel, Ringing):
            raise Undelivered("This kind of channel cannot tell of alarms yet.")
        await channel.ring(warned(one))


def follow(standing: Sequence[Alarm], merged: Mapping[int, int]) -> None:
    """Let alarms whose theme has become another tell of that; one that tells of it already is over."""
    for alarm in standing:
        while alarm.theme_id is not None and alarm.theme_id in merged:
            alarm.theme_id = merged[alarm.theme_id]
            about = about_theme(alarm.theme_id)
            twins = (one for one in standing if one.brand_id == alarm.brand_id)
            if alarm.is_of_theme and all(one.about != about for one in twins):
                alarm.about = about


def already_told(
    told: Sequence[Alarm],
    said: Mapping[int, Lately],
    reports: Sequence[Report],
    heirs: Mapping[int, int],
) -> dict[int, Marks]:
    """The mentions of which alarms about a theme or about reports tell, or have told: one fire.

    `heirs` are themes that were parts of others before.
    """
    themes: dict[int, list[Alarm]] = defaultdict(list)
    grave: dict[int, list[Alarm]] = defaultdict(list)
    for alarm in told:
        if alarm.is_of_theme and alarm.theme_id is not None:
            themes[alarm.theme_id].append(alarm)
        elif alarm.sort.is_report:
            grave[alarm.brand_id].append(alarm)
    reported: dict[int, list[int]] = defaultdict(list)
    for each in reports:
        kinds = report.kinds(each.reasons)
        if any(alarm.sort in kinds and within(each.at, alarm) for alarm in grave[each.brand_id]):
            reported[each.brand_id].append(each.id)
    found = {}
    for brand in {alarm.brand_id for alarm in told}:
        several = of_brand(said, brand)
        marks = several.among(reported[brand])
        for theme in several.spoken_of():
            for alarm in themes.get(theme) or themes.get(heirs.get(theme, 0), []):
                marks |= (several.themes == theme) & several.between(alarm.since, alarm.over_at)
        found[brand] = marks
    return found


def of_brand(said: Mapping[int, Lately], brand: int) -> Lately:
    """What was said of a brand, if anything."""
    return said.get(brand) or Lately.nothing(brand)


def within(at: datetime, alarm: Alarm) -> bool:
    """Whether an alarm tells of a moment."""
    return alarm.since <= at and (alarm.over_at is None or at < alarm.over_at)


def warned(one: Told) -> Warned:
    """What a channel is told of an alarm."""
    alarm = one.shown.alarm
    return Warned(
        id=f"alarm_{one.notice.key}",
        alarm_id=alarm.key,
        brand=one.shown.brand,
        source=one.shown.source or "",
        sort=alarm.sort,
        over=one.notice.over,
        since=alarm.since,
        at=alarm.over_at if one.notice.over and alarm.over_at else alarm.raised_at,
        sentence=sentence(alarm, one.shown.source, one.shown.theme),
        theme=one.shown.theme or "",
        theme_id=alarm.theme_id,
        count=alarm.count,
        passed_on=alarm.passed_on,
        usual=(alarm.low, alarm.high) if alarm.sort.is_rise else None,
        quotes=tuple((mention.words, mention.url) for mention in one.shown.said),
        who=one.shown.who or "",
        chart=tuple((float(count), float(usual)) for count, usual in alarm.chart),
        raised_at=alarm.raised_at,
        call=one.notice.call,
        why=one.notice.why or "",
    )
