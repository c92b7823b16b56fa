"""One's own account: name, time zone, password, and where one is signed in."""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from listener.desk import quieting, signing_in, staffing
from listener.domain.password import SHORTEST
from listener.domain.record import NotAllowed
from listener.store import logins
from listener.store.session import Store, now
from listener.web import pages
from listener.web.entrance import GIVEN, Entrance
from listener.web.guard import signed_in
from listener.web.pages import DEMO

HERE: Final = "/me"
SAID: Final = {
    "kept": "Kept.",
    "password": "Your password is changed. Everywhere else you were signed out.",
    "quiet": "Kept. What is urgent still comes at any hour.",
    "away": "You are away: you get no new cases, and yours went back.",
    "back": "You are here again.",
    "out": "Everywhere else you were signed out.",
}
IN_A_DEMO = "This is the demo: its people have no passwords and keep their names."


@dataclass(frozen=True)
class AccountPage:
    """Answers at /me."""

    store: Store
    entrance: Entrance

    async def show(self, request: web.Request) -> web.Response:
        """GET /me."""
        return await self.page(request, said=SAID.get(request.query.get("said", ""), ""))

    async def page(
        self, request: web.Request, *, status: int = 200, said: str = "", wrong: str = ""
    ) -> web.Response:
        """The page, with what was done or what was wrong."""
        here = signed_in(request)
        somebody = pages.person(request)
        async with self.store.reading() as session:
            moment = await now(session)
            current = await logins.current(session, now=moment)
        mine = [one for one in current if one.staff_id == somebody.key]
        return pages.render(
            request,
            "me.html",
            status=status,
            said=said,
            wrong=wrong,
            logins=mine,
            away=somebody.away(moment),
            here=here.id if here else None,
            shortest=SHORTEST,
        )

    async def keep(self, request: web.Request) -> web.Response:
        """POST /me: name and zone."""
        if request[DEMO]:
            return await self.page(request, status=409, wrong=IN_A_DEMO)
        form = await request.post()
        try:
            await staffing.keep_account(
                self.store,
                pages.person(request).key,
                name=str(form.get("name", "")),
                zone=str(form.get("zone", "")).strip(),
            )
        except NotAllowed as refusal:
            return await self.page(request, status=400, wrong=str(refusal))
        return seen("kept")

    async def keep_quiet(self, request: web.Request) -> web.Response:
        """POST /me/quiet: quiet hours, and whether to be told once an hour."""
        form = await request.post()
        try:
            await quieting.keep(
                self.store,
                pages.person(request).key,
                start=str(form.get("from", "")),
                end=str(form.get("until", "")),
                quieter="quieter" in form,
            )
        except NotAllowed as refusal:
            return await self.page(request, status=400, wrong=str(refusal))
        return seen("quiet")

    async def change_password(self, request: web.Request) -> web.Response:
        """POST /me/password."""
        here = signed_in(request)
        if here is None:
            return await self.page(request, status=409, wrong=IN_A_DEMO)
        form = await request.post()
        try:
            done = await signing_in.change_password(
                self.store,
                here,
                str(form.get("old", "")),
                str(form.get("new", "")),
                address=self.entrance.address(request),
            )
        except signing_in.TooManyAttempts as refusal:
            return await self.page(request, status=429, wrong=str(refusal))
        except NotAllowed as refusal:
            return await self.page(request, status=400, wrong=str(refusal))
        request[GIVEN] = done.secret
        return seen("password")

    async def sign_out(self, request: web.Request) -> web.Response:
        """POST /me/sign-out: everywhere but here."""
        person = pages.person(request)
        await signing_in.sign_out_everywhere(self.store, person.key, but=signed_in(request))
        return seen("out")


def seen(what: str) -> web.Response:
    """Back to the page, which says what was done."""
    return web.Response(status=303, headers={hdrs.LOCATION: f"{HERE}?said={what}"})
