"""Browsers in tests: they keep cookies, send what browsers send, and are signed in if asked."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import ClientSession, DummyCookieJar

from listener.app import Service
from listener.desk import signing_in
from listener.domain import login
from listener.domain.staff import Role, Staff
from listener.store import people
from tests.given import free_port
from tests.world import World

PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"
JSON = "application/json"


@dataclass(frozen=True)
class Seen:
    """What a browser was answered."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: SimpleCookie

    @property
    def csrf(self) -> str:
        """The token in a page's forms."""
        found = re.search(r'name="csrf" (?:value|content)="([0-9a-f]{64})"', self.text)
        assert found is not None, self.text
        return found[1]


@dataclass
class Browser:
    """One browser with its cookies, at a site that is open."""

    session: ClientSession
    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **more: str) -> Seen:
        """Follow a link of our own."""
        return await self.ask("GET", path, headers=self.headers | more)

    async def post(self, path: str, form: Mapping[str, str] | None = None, **more: str) -> Seen:
        """Send a form of the last page, as a page of ours does."""
        ours = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        sent = {"csrf": self.csrf, **(form or {})}
        return await self.ask("POST", path, data=sent, headers=ours | self.headers | more)

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str], data: Any = None
    ) -> Seen:
        """Send exactly this, with the cookies."""
        sent = {"Accept": PAGE} | dict(headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.session.request(
            method, path, headers=sent, data=data, allow_redirects=False
        ) as answer:
            seen = Seen(answer.status, await answer.text(), dict(answer.headers), answer.cookies)
        for name, morsel in seen.cookies.items():
            self.cookies[name] = morsel.value
        if re.search('name="csrf" (?:value|content)="[0-9a-f]', seen.text):
            self.csrf = seen.csrf
        return seen

    async def sign_in(self, name: str, password: str, path: str = "/login") -> Seen:
        """Fill in the login page."""
        await self.get(path)
        return await self.post(path, {"name": name, "password": password})


@dataclass
class Street:
    """A site that is open, and where one gets browsers to look at it."""

    session: ClientSession
    origin: str
    service: Service
    world: World

    def browser(self, **headers: str) -> Browser:
        """One that was never here."""
        return Browser(self.session, self.origin, headers=headers)

    async def signed_in(self, name: str) -> Browser:
        """One in which somebody is signed in already, without a password."""
        async with self.world.store.transaction() as session:
            person = await people.named(session, name)
            assert person is not None
            done = await signing_in.begin(session, person, "127.0.0.1", self.world.now)
        cookie = self.world.settings.entrance().cookie_name
        return Browser(
            self.session, self.origin, {cookie: done.secret}, csrf=login.csrf(done.secret)
        )


@asynccontextmanager
async def street(world: World, **settings: Any) -> AsyncIterator[Street]:
    """The site, open on a port of its own, with settings if some are given."""
    world.settings = replace(world.settings, **settings)
    service, port = await world.service(), free_port()
    origin = f"http://127.0.0.1:{port}"
    async with (
        service.site.open("127.0.0.1", port),
        ClientSession(origin, cookie_jar=DummyCookieJar()) as session,
    ):
        yield Street(session, origin, service, world)


async def hired(world: World, name: str, role: Role = Role.AGENT, **more: Any) -> Staff:
    """Somebody works here from now on."""
    async with world.store.transaction() as session:
        person = Staff(name=name, role=role, **more)
        session.add(person)
        await session.flush()
        return person
