"""Whether one is here: away until a moment, and back, as one says it of oneself."""

from dataclasses import dataclass

from aiohttp import web

from listener.desk.away import come_back, go_away
from listener.desk.snoozing import moment_of
from listener.store.session import Store, now
from listener.web import pages
from listener.web.account import seen


@dataclass(frozen=True)
class Away:
    """Answers at /me/away and /me/back."""

    store: Store

    async def go(self, request: web.Request) -> web.Response:
        """POST /me/away: for or until, why."""
        person, form = pages.person(request), await request.post()
        words = str(form.get("until", "")).strip() or str(form.get("for", ""))
        async with self.store.reading() as session:
            zone = person.zone or str(form.get("zone", ""))
            until = moment_of(words, await now(session), zone)
        await go_away(self.store, person.name, until, str(form.get("why", "")))
        return seen("away")

    async def back(self, request: web.Request) -> web.Response:
        """POST /me/back."""
        await come_back(self.store, pages.person(request).name)
        return seen("back")
