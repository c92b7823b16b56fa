"""The guard at the door: what a route does not allow somebody is denied."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from listener.domain import login
from listener.domain.login import TOUCH, Login
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import logins, people, walls
from listener.store.session import AsyncSession, Store, now
from listener.web import errors, pages
from listener.web.entrance import GIVEN, Entrance
from listener.web.errors import Handler
from listener.web.pages import CSRF, DEMO, MOMENT, PERSON, READING

BrandOf = Callable[[AsyncSession, int], Awaitable[int | None]]

LOOKING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
# A path that names one of these is only open to who may see its brand.
BRAND_OF: Final[Mapping[str, BrandOf]] = {
    "case": walls.of_case,
    "mention": walls.of_mention,
    "event": walls.of_event,
    "reply": walls.of_reply,
    "brand": walls.of_brand,
    "alarm": walls.of_alarm,
    "notice": walls.of_notice,
    "theme": walls.of_theme,
    "crisis": walls.of_crisis,
    "call": walls.of_call,
    "letter": walls.of_letter,
    "bulletin": walls.of_bulletin,
}
# These belong to no brand: numbers, and names.
NUMBERED: Final = frozenset({"staff", "view", "wording", "login"})
NAMED: Final = frozenset({"source", "file", "link", "heard"})
MOST: Final = 20_000  # cases whose brand is remembered
HEADER: Final = "X-CSRF"  # where scripts put what forms have in a field
LOGIN: Final = web.RequestKey("login", Login)
# Of which brand each thing is that the path names; None where there is no such thing.
BRANDS: Final = web.RequestKey("brands", dict[str, int | None])


class Door(StrEnum):
    """Routes that ask for nobody's right."""

    PUBLIC = "public"
    # For programs: their deliveries are signed, or there is nothing to protect. No cookie is
    # looked at, so no page of another site can make use of one.
    MACHINES = "machines"


@dataclass(frozen=True)
class Route:
    """One address, and what somebody must be allowed to come in."""

    method: str
    path: str
    name: str
    act: Act | Door
    handler: Handler
    by_hand: bool = True  # whether asking for it shows that somebody is there
    shared: bool = False  # whether its page is read in the session in which the guard has looked

    def __post_init__(self) -> None:
        """Refuse what nobody could guard."""
        named = {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        if unknown := named - BRAND_OF.keys() - NUMBERED - NAMED:
            raise ValueError(f"{self.path}: whose is {', '.join(sorted(unknown))}?")


@dataclass(frozen=True)
class Guard:
    """Knows of every route who may use it."""

    store: Store
    entrance: Entrance
    routes: dict[web.AbstractRoute, Route] = field(default_factory=dict)
    # The brand of each case that was asked for: no case ever becomes another brand's.
    cases: dict[int, int] = field(default_factory=dict)

    def add(self, site: web.Application, route: Route) -> None:
        """Open one address of the site."""
        resource = site.router.add_resource(route.path)
        for method in {route.method, hdrs.METH_HEAD} if route.method == "GET" else {route.method}:
            self.routes[resource.add_route(method, route.handler)] = route

    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or say why not."""
        if request.match_info.http_exception is not None:
            return await handler(request)
        route = self.routes.get(request.match_info.route)
        if route is None:
            return errors.answer(request, 404)
        if route.act is Door.MACHINES:
            return await handler(request)
        if route.shared:
            async with self.store.reading() as session:
                request[READING] = session
                return await self.ask(request, route, handler)
        return await self.ask(request, route, handler)

    async def ask(self, request: web.Request, route: Route, handler: Handler) -> web.StreamResponse:
        """Let the handler answer whoever may come in."""
        await self.recognise(request, route)
        refusal = await self.refusal(request, route)
        return refusal or await handler(request)

    async def recognise(self, request: web.Request, route: Route) -> None:
        """Find out who asks: a person, and the login by which they are here."""
        cookie = self.entrance.cookie(request)
        signs_in = cookie is not None and self.entrance.may_sign_in(request)
        if signs_in or self.entrance.is_demo(request):
            async with pages.reading(request, self.store) as session:
                stale = await self.by_login(session, request, cookie) if signs_in else None
                if PERSON not in request and self.entrance.is_demo(request):
                    person = await people.named(session, self.entrance.demo or "")
                    if person is not None and person.active:
                        request[PERSON] = person
                if PERSON in request:
                    request[BRANDS] = await self.brands_of(session, request)
            if stale is not None and route.by_hand:
                async with self.store.transaction() as session:
                    await logins.touch(session, request[LOGIN].key, now=stale)
        request[DEMO] = PERSON in request and LOGIN not in request
        if cookie is None:
            cookie = request[GIVEN] = login.new_id()
        request[CSRF] = login.csrf(cookie)

    @staticmethod
    async def by_login(
        session: AsyncSession, request: web.Request, cookie: str | None
    ) -> datetime | None:
        """Note whose login it is, if it is good; the present, if that has to be written down."""
        found = await logins.of(session, cookie or "")
        if found is None:
            return None
        moment = request[MOMENT] = await now(session)
        if not found[1].active or not found[0].good(moment):
            return None
        request[LOGIN], request[PERSON] = found
        return moment if moment - found[0].used_at >= TOUCH else None

    async def brands_of(self, session: AsyncSession, request: web.Request) -> dict[str, int | None]:
        """The brand of whatever the path names."""
        found: dict[str, int | None] = {}
        for kind, words in request.match_info.items():
            if kind not in BRAND_OF:
                continue
            number = pages.number(words)
            if kind == "case" and number in self.cases:
                found[kind] = self.cases[number]
                continue
            brand = None if number is None else await BRAND_OF[kind](session, number)
            found[kind] = brand
            if kind == "case" and number is not None and brand is not None:
                if len(self.cases) >= MOST:
                    self.cases.clear()
                self.cases[number] = brand
        return found

    async def refusal(self, request: web.Request, route: Route) -> web.StreamResponse | None:
        """Why somebody may not come in; None when they may."""
        person: Staff | None = request.get(PERSON)
        if person is None and isinstance(route.act, Act):
            return self.sign_in_first(request)
        if request.method not in LOOKING and not await self.is_meant(request):
            return errors.answer(
                request,
                403,
                "This did not come from one of our own pages, or the page is too old. "
                "Load it again and repeat what you did.",
                "Please repeat that",
            )
        if person is None or not isinstance(route.act, Act):
            return None
        if not may(person, route.act):
            return errors.answer(
                request,
                403,
                f"Your role, {person.role}, does not include: {route.act}. An admin can change it.",
            )
        return self.wall(request, route.act, person)

    @staticmethod
    def wall(request: web.Request, act: Act, person: Staff) -> web.Response | None:
        """What belongs to a brand that is not theirs is, to them, not there."""
        for kind, words in request.match_info.items():
            if kind in NUMBERED and pages.number(words) is None:
                return errors.answer(request, 404)
        for kind, brand in request[BRANDS].items():
            if brand is None or not may(person, act, brand):
                words = request.match_info[kind]
                return errors.answer(
                    request,
                    404,
                    f"There is no {kind} {words}, or it belongs to a brand that is not yours.",
                    f"There is no such {kind}",
                )
        return None

    async def is_meant(self, request: web.Request) -> bool:
        """Whether a change comes from a page of ours that this very browser was given."""
        if not self.entrance.is_own_page(request):
            return False
        token = request.headers.get(HEADER)
        if token is None:
            token = str((await request.post()).get("csrf", ""))
        return GIVEN not in request and login.same(token, request[CSRF])

    def sign_in_first(self, request: web.Request) -> web.Response:
        """To the login page and from there back; scripts are only told."""
        accept = request.headers.get(hdrs.ACCEPT, "*/*")
        script = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        if script or "application/json" in accept or "text/event-stream" in accept:
            return errors.answer(request, 401)
        page = URL("/login")
        if request.method in LOOKING and request.path != "/":
            page = page.with_query(next=request.path_qs)
        return web.Response(status=303, headers={hdrs.LOCATION: str(page)})


def signed_in(request: web.Request) -> Login | None:
    """The login by which somebody is here; None in a demo."""
    found: Login | None = request.get(LOGIN)
    return found
