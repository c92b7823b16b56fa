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
from listener.store import dispatches
from listener.store.dispatches import PAGE, Asked, Dispatch, State, Trouble
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
            asked=asked,
            filtered=bool(same),
            states=[one.value for one in State],
            channels=ways,
            notices=[drawn(one) for one in found],
            troubles=troubles,
            more=urlencode(same | {"before": found[-1].notice.key}) if more else "",
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


def because(what: What) -> str:
    """What happened, as the list says it."""
    return what.value.capitalize()
