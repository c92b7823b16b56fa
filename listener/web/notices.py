"""The page of notices: what was sent to whom and why, what waits, what failed, and sending again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from listener.desk import resending
from listener.domain.event import What
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import dispatches, outgoing
from listener.store.dispatches import PAGE, Asked, Dispatch, State, Trouble
from listener.store.outgoing import About, Sent
from listener.store.session import AsyncSession, Store, now
from listener.web import pages
from listener.web.acts import back

NAMES: Final = ("state", "channel")
WAYS: Final = {"slack": "Slack", "mail": "mail"}  # to one person


@dataclass(frozen=True)
class NoticesPage:
    """GET /notices, and sending one again."""

    store: Store
    nudge: Callable[[], None] = asyncio.Event().set  # the stage that sends

    async def show(self, request: web.Request) -> web.Response:
        """What was sent, the newest first."""
        about = pages.asked(request, "about")
        if about in set(About):
            return await self.show_beside(request, About(about))
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in NAMES}
        state = State(asked["state"]) if asked["state"] in set(State) else None
        wanted = Asked(person.walls, state, asked["channel"] or None)
        before = pages.number(pages.asked(request, "before"))
        async with self.store.reading() as session:
            found = await dispatches.listed(session, wanted, before=before)
            ways = await dispatches.channels(session)
            troubles = await blocked(session, person)
        same = {name: value for name, value in asked.items() if value}
        more = len(found) == PAGE
        return pages.render(
            request,
            "notices.html",
            about="",
            abouts=[one.value for one in About],
            asked=asked,
            filtered=bool(same),
            states=[one.value for one in State],
            channels=ways,
            notices=[drawn(one) for one in found],
            troubles=troubles,
            more=urlencode(same | {"before": found[-1].notice.key}) if more else "",
        )

    async def show_beside(self, request: web.Request, about: About) -> web.Response:
        """What was told of alarms, digests or crises, the newest first."""
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in ("about", "state")}
        state = State(asked["state"]) if asked["state"] in set(State) else None
        before = pages.number(pages.asked(request, "before"))
        async with self.store.reading() as session:
            found = await outgoing.listed(
                session, about, brands=person.walls, state=state, before=before
            )
            troubles = await blocked(session, person)
        same = {name: value for name, value in asked.items() if value}
        more = len(found) == PAGE
        return pages.render(
            request,
            "outgoing.html",
            about=about.value,
            abouts=[one.value for one in About],
            asked=asked,
            states=[one.value for one in State],
            sent=[beside(one) for one in found],
            troubles=troubles,
            more=urlencode(same | {"before": found[-1].row.key}) if more else "",
        )

    async def call_again(self, request: web.Request) -> web.Response:
        """POST /calls/{call}/again."""
        return await self.once_more(request, About.ALARMS, "call")

    async def mail_again(self, request: web.Request) -> web.Response:
        """POST /letters/{letter}/again."""
        return await self.once_more(request, About.DIGESTS, "letter")

    async def tell_again(self, request: web.Request) -> web.Response:
        """POST /bulletins/{bulletin}/again."""
        return await self.once_more(request, About.CRISES, "bulletin")

    async def once_more(self, request: web.Request, about: About, named: str) -> web.Response:
        """Send one of them again."""
        number = int(request.match_info[named])
        said = await resending.once_more(self.store, about, number, pages.person(request).name)
        return (
            pages.said(200, said)
            if pages.wants_json(request)
            else await back(request, f"/notices?about={about}")
        )

    async def again(self, request: web.Request) -> web.Response:
        """POST /notices/{notice}/again."""
        number = int(request.match_info["notice"])
        said = await resending.again(self.store, number, pages.person(request).name)
        self.nudge()
        return (
            pages.said(200, said) if pages.wants_json(request) else await back(request, "/notices")
        )


async def blocked(session: AsyncSession, person: Staff) -> list[Trouble]:
    """The ways that are blocked now, for those who may see to it."""
    if not may(person, Act.READ_BRANDS):
        return []
    return await dispatches.troubles(session, person.walls, await now(session))


def drawn(one: Dispatch) -> dict[str, Any]:
    """One notice as the template shows it."""
    notice = one.notice
    return {
        "id": notice.key,
        "case": notice.case_id,
        "brand": one.brand,
        "what": because(one.what),
        "to": one.person or notice.channel,
        "way": WAYS.get(notice.channel, notice.channel) if one.person else "",
        "why": notice.why or "",
        "state": one.state.value,
        "partly": notice.partly,
        "sent_at": notice.sent_at,
        "failed_at": notice.failed_at,
        "next_at": notice.next_at,
        "tries": notice.tries,
        "failure": notice.failure or "",
        "detour": notice.detour or "",
        "again": one.may_go_again,
    }


PATHS: Final = {About.ALARMS: "calls", About.DIGESTS: "letters", About.CRISES: "bulletins"}


def beside(one: Sent) -> dict[str, Any]:
    """What was told of an alarm, a digest or a crisis, as the template shows it."""
    row = one.row
    asked = {"brand": one.brand, "of": one.of or "", "on": one.first or ""}
    where, name = {
        About.ALARMS: (f"/alarms#alarm-{one.subject}", "Alarm"),
        About.CRISES: (f"/crises/{one.subject}", "Crisis"),
        About.DIGESTS: (f"/digest?{urlencode(asked)}", "Digest"),
    }[one.about]
    return {
        "id": row.key,
        "where": where,
        "name": name,
        "brand": one.brand,
        "says": one.says,
        "to": one.to,
        "way": WAYS.get(one.way, one.way),
        "why": one.why,
        "state": one.state.value,
        "sent_at": row.sent_at,
        "failed_at": row.failed_at,
        "next_at": row.next_at,
        "tries": row.tries,
        "failure": row.failure or "",
        "again": f"/{PATHS[one.about]}/{row.key}/again" if row.failure is not None else "",
    }


def because(what: What) -> str:
    """What happened, as the list says it."""
    return what.value.capitalize()
