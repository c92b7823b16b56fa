"""Logging in with an app password as seldom as can be: sessions are kept and renewed.

A server lets an account log in 300 times a day (https://docs.bsky.app/docs/advanced-guides/rate-limits),
and a source is read more often than that, so a session outlives the walk that opened it:

    none ──log in──▶ open ──the access token has run out──▶ open, renewed
    open ──the renewal is refused──▶ none
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import blake2b

from pydantic import Field, SecretStr

from connectors.bluesky.shapes import Shape, Told
from connectors.kit.contract import Answer, Web
from connectors.kit.errors import AccessDenied, Gone, Unreadable

MOST = 1_000  # sessions that are kept at once in one process
WORN_OUT = frozenset({"ExpiredToken", "InvalidToken"})


class Session(Shape):
    """What the server gave us for the app password."""

    did: str
    access: str = Field(alias="accessJwt", repr=False)
    renewal: str = Field(alias="refreshJwt", repr=False)
    active: bool = True
    status: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What every request of ours carries."""
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(slots=True)
class _Seat:
    """The session of one account, and who may renew it now."""

    session: Session | None = None
    door: asyncio.Lock = field(default_factory=asyncio.Lock)


# Outlives connectors, which are made anew for every walk. The key says nothing of the password.
_seats: OrderedDict[bytes, _Seat] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Login:
    """One account at one server."""

    api: str
    handle: str
    password: SecretStr

    async def session(self, web: Web) -> Session:
        """The open session, after logging in if there is none."""
        return await self._open(web, instead_of=None)

    async def fetch(self, web: Web, url: str, *, also: Collection[int] = ()) -> Answer:
        """Ask as this account; a session that has run out is renewed on the way.

        Answers 400 and 401 come back as well: the server says more in them than their number.
        """
        also = {*also, 400, 401}
        session = await self.session(web)
        answer = await web.fetch(url, headers=session.headers, also=also)
        if not _worn_out(web, answer):
            return answer
        session = await self._open(web, instead_of=session)
        return await web.fetch(url, headers=session.headers, also=also)

    async def _open(self, web: Web, *, instead_of: Session | None) -> Session:
        seat = self._seat()
        async with seat.door:
            if seat.session is None:
                seat.session = await self._log_in(web)
            elif seat.session is instead_of:  # else somebody renewed it while we waited
                seat.session = await self._renewed(web, seat.session) or await self._log_in(web)
            return seat.session

    def _seat(self) -> _Seat:
        secret = self.password.get_secret_value()
        key = blake2b(f"{self.api}\0{self.handle}\0{secret}".encode()).digest()
        seat = _seats.setdefault(key, _Seat())
        _seats.move_to_end(key)
        if len(_seats) > MOST:
            _seats.popitem(last=False)
        return seat

    async def _renewed(self, web: Web, session: Session) -> Session | None:
        """A fresh session for an old one; None when the server wants the password again."""
        url = f"{self.api}/xrpc/com.atproto.server.refreshSession"
        headers = {"Authorization": f"Bearer {session.renewal}"}
        try:
            return _usable(await web.post(Session, url, headers=headers), self.handle)
        except (AccessDenied, Gone, Unreadable):
            return None

    async def _log_in(self, web: Web) -> Session:
        url = f"{self.api}/xrpc/com.atproto.server.createSession"
        known = {"identifier": self.handle, "password": self.password.get_secret_value()}
        try:
            return _usable(await web.post(Session, url, json=known), self.handle)
        except AccessDenied as refused:
            raise AccessDenied(
                f"{refused} If {self.handle} is right, make a new app password in Bluesky's "
                "settings, under Privacy and security, and enter it here."
            ) from None


def _usable(session: Session, handle: str) -> Session:
    if not session.active:
        how = session.status if session.status.isalpha() else "not active"
        raise AccessDenied(f"The account {handle} is {how}: it has to be put in order first.")
    return session


def _worn_out(web: Web, answer: Answer) -> bool:
    if answer.status == 401:
        return True
    return answer.status == 400 and web.read(Told, answer).error in WORN_OUT
