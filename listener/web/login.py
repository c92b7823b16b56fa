"""Coming in and going out: the login page, links to choose a password, signing out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web

from listener.desk import signing_in
from listener.desk.signing_in import TooManyAttempts
from listener.domain.login import new_id
from listener.domain.record import NotAllowed
from listener.store import people
from listener.store.session import Store
from listener.web import errors, pages
from listener.web.entrance import GIVEN, Entrance

HOME = "/queue"
NO_PLAIN_HTTP = (
    "This Listener speaks plain http, on which a password can be read by everyone on the way. "
    "Sign in on the machine where it runs; or let its operator put https in front (LISTENER_URL), "
    "or allow this (LISTENER_PLAIN_HTTP)."
)


@dataclass(frozen=True)
class LoginPage:
    """Answers at /login, /logout and /link."""

    store: Store
    entrance: Entrance

    async def show(self, request: web.Request) -> web.Response:
        """GET /login."""
        if pages.PERSON in request:
            return web.Response(status=303, headers={hdrs.LOCATION: target(request.query)})
        return await self.form(request)

    async def form(
        self, request: web.Request, *, status: int = 200, wrong: str = "", name: str = ""
    ) -> web.Response:
        """The login page, with what was wrong the last time."""
        if not self.entrance.may_sign_in(request):
            return errors.answer(request, 403, NO_PLAIN_HTTP, "Not on this line")
        async with self.store.reading() as session:
            anybody = await people.anybody_can_sign_in(session)
        return pages.render(
            request,
            "login.html",
            status=status,
            anybody=anybody,
            wrong=wrong,
            called=name,
            next=target(request.query, default=""),
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST /login."""
        if not self.entrance.may_sign_in(request):
            return errors.answer(request, 403, NO_PLAIN_HTTP, "Not on this line")
        form = await request.post()
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        try:
            done = await signing_in.sign_in(
                self.store, name, password, address=self.entrance.address(request)
            )
        except NotAllowed as refusal:
            wait = refusal.wait if isinstance(refusal, TooManyAttempts) else None
            if errors.reads_pages(request):
                response = await self.form(
                    request, status=429 if wait else 403, wrong=str(refusal), name=name
                )
            else:
                response = errors.answer(request, 429 if wait else 403, str(refusal))
            if wait:
                response.headers[hdrs.RETRY_AFTER] = str(int(wait.total_seconds()) + 1)
            return response
        request[GIVEN] = done.secret
        return web.Response(status=303, headers={hdrs.LOCATION: target(request.query)})

    async def sign_out(self, request: web.Request) -> web.Response:
        """POST /logout."""
        cookie = self.entrance.cookie(request)
        if cookie is not None:
            await signing_in.sign_out(self.store, cookie)
        request[GIVEN] = new_id()
        return web.Response(status=303, headers={hdrs.LOCATION: "/login"})

    async def show_link(self, request: web.Request) -> web.Response:
        """GET /link/…: choose a password."""
        return await self.link_form(request)

    async def link_form(
        self, request: web.Request, *, status: int = 200, wrong: str = ""
    ) -> web.Response:
        """The page on which a password is chosen."""
        if not self.entrance.may_sign_in(request):
            return errors.answer(request, 403, NO_PLAIN_HTTP, "Not on this line")
        try:
            invited = await signing_in.invited(self.store, request.match_info["link"])
        except NotAllowed as refusal:
            return errors.answer(request, 404, str(refusal), "This link is used up")
        return pages.render(request, "link.html", status=status, invited=invited, wrong=wrong)

    async def use_link(self, request: web.Request) -> web.Response:
        """POST /link/…: the password is chosen, and whoever chose it is signed in."""
        if not self.entrance.may_sign_in(request):
            return errors.answer(request, 403, NO_PLAIN_HTTP, "Not on this line")
        form = await request.post()
        try:
            done = await signing_in.use_link(
                self.store,
                request.match_info["link"],
                str(form.get("password", "")),
                address=self.entrance.address(request),
            )
        except NotAllowed as refusal:
            return await self.link_form(request, status=400, wrong=str(refusal))
        request[GIVEN] = done.secret
        return web.Response(status=303, headers={hdrs.LOCATION: HOME})


def target(query: Mapping[str, str], default: str = HOME) -> str:
    """Where to go on: a page of ours, never an address of somebody else's."""
    wanted = query.get("next", "")
    ours = re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", wanted) is not None
    return wanted if ours else default
