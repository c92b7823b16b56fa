"""The door to Reddit's interface: a token that is kept and renewed, and refusals told apart."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from pydantic import BaseModel, SecretStr

from connectors.kit.contract import Answer, Web
from connectors.kit.errors import AccessDenied, Gone, TryLater, Unreadable

T = TypeVar("T")

VERSION = "1.0"  # of this connector, for the name it gives itself
MARGIN = 60.0  # seconds before its end at which a token is renewed
BLOCKED = timedelta(minutes=15)

# What an app without a secret shows instead: https://github.com/reddit-archive/reddit/wiki/OAuth2
INSTALLED = "https://oauth.reddit.com/grants/installed_client"
NOBODY = "DO_NOT_TRACK_THIS_DEVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks: an app and, where it may, the account it asks for."""

    api: str
    api_auth: str
    client_id: str
    client_secret: SecretStr | None
    account: str
    password: SecretStr | None
    token: SecretStr | None

    @property
    def grant(self) -> dict[str, str]:
        """How this login asks for an access token."""
        if self.token is not None:
            return {"grant_type": "refresh_token", "refresh_token": self.token.get_secret_value()}
        if self.password is not None:
            return {
                "grant_type": "password",
                "username": self.account,
                "password": self.password.get_secret_value(),
            }
        if self.client_secret is not None:
            return {"grant_type": "client_credentials"}
        return {"grant_type": INSTALLED, "device_id": NOBODY}

    @property
    def name(self) -> dict[str, str]:
        """The User-Agent in Reddit's form; others are throttled.

        https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki
        """
        app = f"python:listener.{self.client_id}:v{VERSION}"
        return {"User-Agent": f"{app} (by /u/{self.account})", "Accept": "application/json"}

    @property
    def proof(self) -> dict[str, str]:
        """The app's name and secret; an installed app has no secret."""
        secret = self.client_secret.get_secret_value() if self.client_secret else ""
        pair = b64encode(f"{self.client_id}:{secret}".encode()).decode()
        return {**self.name, "Authorization": f"Basic {pair}"}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is good on this process's own clock."""

    text: str = field(repr=False)
    end: float

    @property
    def good(self) -> bool:
        """Whether it will last for a request more."""
        return monotonic() < self.end - MARGIN


# Tokens last an hour or a day, a connector only one poll: so they are kept here, by login.
_kept: dict[Login, Token] = {}


@dataclass(frozen=True, slots=True)
class Access:
    """Requests in the name of one login."""

    login: Login
    web: Web

    async def get(self, shape: type[T], path: str, query: Mapping[str, str] | None = None) -> T:
        """Read what is at this path of the interface."""
        return self.web.read(shape, await self.fetch(path, query))

    async def fetch(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """The same unread. A token that went bad before its time is replaced once."""
        before = _kept.get(self.login)
        token = await self._token()
        answer = await self._fetch(path, query or {}, token)
        if answer.status == 401 and (token is before or token is not _kept.get(self.login)):
            if token is _kept.get(self.login):
                del _kept[self.login]
            answer = await self._fetch(path, query or {}, await self._token())
        if answer.status in {401, 403}:
            raise self._refusal(answer)
        return answer

    async def post(self, shape: type[T], path: str, form: Mapping[str, str]) -> T:
        """Send a form. Never twice: ask for something first to be sure of the token."""
        headers = self._headers(await self._token())
        return await self.web.post(
            shape, f"{self.login.api}{path}?raw_json=1", form=form, headers=headers
        )

    async def _fetch(self, path: str, query: Mapping[str, str], token: Token) -> Answer:
        return await self.web.fetch(
            f"{self.login.api}{path}",
            params={**query, "raw_json": "1"},  # else &amp; for & in every text
            headers=self._headers(token),
            also=(401, 403),
        )

    def _headers(self, token: Token) -> dict[str, str]:
        return {**self.login.name, "Authorization": f"bearer {token.text}"}

    async def _token(self) -> Token:
        token = _kept.get(self.login)
        if token is None or not token.good:
            token = _kept[self.login] = await self._bought()
        return token

    async def _bought(self) -> Token:
        """A new access token. A wrong password is told as a success, or as a bad request."""
        try:
            sold = await self.web.post(
                _Sold, self._counter, form=self.login.grant, headers=self.login.proof
            )
        except AccessDenied:
            await self._raise_if_blocked()
            raise
        except Unreadable as problem:
            if "invalid_grant" in problem.raw:
                raise _wrong_login() from None
            raise
        if sold.error or not sold.access_token:
            raise _wrong_login()
        return Token(sold.access_token, monotonic() + sold.expires_in)

    @property
    def _counter(self) -> str:
        return f"{self.login.api_auth}/api/v1/access_token"

    async def _raise_if_blocked(self) -> None:
        """Whether Reddit's edge turns us away whatever our key is: then it shows a page."""
        answer = await self.web.fetch(
            self._counter, headers=self.login.name, also=(400, 401, 403, 404, 405)
        )
        if _is_page(answer):
            raise _blocked()

    def _refusal(self, answer: Answer) -> Exception:
        if _is_page(answer):
            return _blocked()
        reason = None
        if answer.body.lstrip().startswith(b"{"):
            reason = self.web.read(_Refused, answer).reason
        match reason:
            case "private" | "gold_only" | "quarantined":
                return AccessDenied(
                    f"The community is {reason}: only accounts that it let in may read it."
                )
            case "banned":
                return Gone("Reddit has banned this community.")
            case _:
                return AccessDenied(
                    f"Reddit refuses us ({answer.status}): look whether the app and its account "
                    "may do this, and enter the keys again."
                )


class _Sold(BaseModel):
    access_token: str = ""
    expires_in: float = 3600
    error: str | int = ""


class _Refused(BaseModel):
    reason: str | None = None


def _is_page(answer: Answer) -> bool:
    """A 403 of the interface is JSON; that of the edge before it is a web page."""
    page = "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"
    return answer.status == 403 and page


def _blocked() -> TryLater:
    return TryLater(
        "Reddit does not let this network in (403 with a web page): your keys are not the reason. "
        "Ask from another address, or ask Reddit to open this one.",
        wait=BLOCKED,
    )


def _wrong_login() -> AccessDenied:
    return AccessDenied(
        "Reddit does not accept this login: enter the account, its password or its token again."
    )
