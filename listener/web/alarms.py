"""The page of alarms: what rises or is silent, how much beyond the usual, and who sees to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from aiohttp import web

from listener.channels import charts
from listener.desk import alarming, snoozing
from listener.domain.alarm import Sort, sentence
from listener.domain.ladder import CALLED
from listener.domain.lookout import QUARTER
from listener.domain.outlook import LOOK_BACK
from listener.domain.rights import Act, may
from listener.store import alarms, calling, crises
from listener.store.alarms import Shown
from listener.store.calling import Called
from listener.store.session import Store, now
from listener.web import pages
from listener.web.acts import back, field
from listener.web.case import link

MOST: Final = 50  # alarms on the page
LATER: Final = "4h"


@dataclass(frozen=True)
class AlarmsPage:
    """GET /alarms, and what people do with one."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """Show the page: those that ring, those that are put off, those that are over."""
        person = pages.person(request)
        async with self.store.reading() as session:
            moment = await now(session)
            found = await alarms.shown(session, brands=person.walls, limit=MOST)
            declared = await crises.shown(session, brands=person.walls)
            called = await calling.of_alarms(session, [one.alarm.key for one in found])
        return pages.render(
            request,
            "alarms.html",
            alarms=[drawn(one, moment, called.get(one.alarm.key, ())) for one in found],
            ringing=sum(one.alarm.rings(moment) for one in found),
            more=len(found) == MOST,
            may_snooze=may(person, Act.WORK_CASES),
            may_declare=may(person, Act.DECLARE),
            crises={one.crisis.alarm_id: one.crisis for one in declared},
        )

    async def acknowledge(self, request: web.Request) -> web.Response:
        """POST /alarms/{alarm}/acknowledge."""
        seen = await alarming.acknowledge(self.store, number(request), pages.person(request).name)
        return await done(request, seen.said)

    async def snooze(self, request: web.Request) -> web.Response:
        """POST /alarms/{alarm}/snooze: for=1h, 4h, tomorrow."""
        person = pages.person(request)
        words = await field(request, "for") or LATER
        async with self.store.reading() as session:
            until = snoozing.moment_of(words, await now(session), person.zone or "")
        return await done(
            request, await alarming.snooze(self.store, number(request), person.name, until)
        )


async def done(request: web.Request, said: str) -> web.Response:
    """What was done, to a script; a person is sent back."""
    return pages.said(200, said) if pages.wants_json(request) else await back(request, "/alarms")


def number(request: web.Request) -> int:
    """The number of the alarm; the guard has seen that there is one."""
    return int(request.match_info["alarm"])


def drawn(one: Shown, moment: datetime, called: Sequence[Called] = ()) -> SimpleNamespace:
    """An alarm as the template shows it."""
    alarm = one.alarm
    return SimpleNamespace(
        id=alarm.key,
        brand=one.brand,
        sentence=sentence(alarm, one.source, one.theme),
        theme=one.theme,
        theme_id=alarm.theme_id,
        since=alarm.since,
        raised_at=alarm.raised_at,
        over_at=alarm.over_at,
        who=one.who,
        acknowledged_at=alarm.acknowledged_at,
        called=[
            SimpleNamespace(
                at=each.rung.told_at,
                rank=CALLED[each.rung.rank],
                names=each.names,
                missed=each.missed,
            )
            for each in called
            if each.rung.told_at is not None
        ],
        following=next(
            (
                SimpleNamespace(at=each.rung.due_at, rank=CALLED[each.rung.rank])
                for each in called
                if each.rung.told_at is None and each.rung.since == alarm.unheard_since
            ),
            None,
        ),
        snoozed_until=None if alarm.rings(moment) else alarm.snoozed_until,
        rings=alarm.rings(moment),
        unquoted=alarm.sort is not Sort.SILENCE,
        said=[
            SimpleNamespace(
                id=mention.key,
                words=mention.words[:280],
                cut=len(mention.words) > 280,
                language=mention.language,
                at=mention.published_at,
                case=mention.case_id,
                url=link(mention.url),
            )
            for mention in one.said
        ],
        chart=chart(alarm.chart, (alarm.over_at or moment)),
    )


def chart(pairs: list[Any], end: datetime) -> SimpleNamespace | None:
    """Bars for what was counted and a line for what is usual, with the same as rows of hours."""
    if not pairs:
        return None
    start = end - LOOK_BACK
    an_hour = 60 // QUARTER
    return SimpleNamespace(
        drawn=charts.rise(pairs),
        rows=[
            SimpleNamespace(
                at=start + timedelta(minutes=QUARTER * place),
                count=sum(count for count, _ in pairs[place : place + an_hour]),
                usual=round(sum(usual for _, usual in pairs[place : place + an_hour]), 1),
            )
            for place in range(0, len(pairs), an_hour)
        ],
    )
