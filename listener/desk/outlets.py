"""Channels in a plan: one shape for each kind of way out, and the row it becomes."""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, field_validator

from listener.domain.notice import TERMINAL
from listener.domain.secret import is_as_before, is_reference

SHORTEST_KEY = 24  # bytes, as Standard Webhooks asks for
LONGEST_ADDRESS = 254
KEPT = 'it is text, or { env = "NAME" } or { file = "path" } when it is kept elsewhere'
WEBHOOK: Final = "webhook"
COMMON: Final = frozenset({"name", "kind", "brands", "only_urgent"})


def named(name: str) -> str:
    """A name without spaces around it; it must not be empty."""
    if not name.strip():
        raise ValueError("it cannot be empty")
    return name.strip()


def secret(value: Any) -> Any:
    """A secret, or where it is kept."""
    if is_reference(value) or is_as_before(value):
        return value
    if not isinstance(value, str):
        raise ValueError(KEPT)  # noqa: TRY004  (a person reads this)
    return named(value)


def address(words: str) -> str:
    """The address of somebody's mail."""
    words = words.strip()
    local, at, domain = words.rpartition("@")
    if (
        not (at and local and domain)
        or not words.isascii()
        or len(words) > LONGEST_ADDRESS
        or any(
            letter.isspace() or not letter.isprintable() or letter in '<>,;"' for letter in words
        )
    ):
        raise ValueError(f"{words!r} is no mail address; write one like ana@example.org")
    return words


Name = Annotated[str, AfterValidator(named)]
Secret = Annotated[Any, AfterValidator(secret)]
Address = Annotated[str, AfterValidator(address)]


class PlannedChannel(BaseModel, extra="forbid"):
    """One `[[channel]]`: what all kinds have in common."""

    hidden: ClassVar[frozenset[str]] = frozenset()  # which of its options are secrets

    name: Name
    kind: str
    brands: list[str] | None = None
    only_urgent: bool = False

    @field_validator("name")
    @classmethod
    def _not_ours(cls, name: str) -> str:
        if name == TERMINAL:
            raise ValueError("the terminal is always told; choose another name")
        return name

    def options(self) -> dict[str, Any]:
        """What is of its kind alone, as it stands in the plan."""
        return {
            name: value
            for name, value in self.model_dump().items()
            if name not in COMMON and value is not None
        }


class PlannedWebhook(PlannedChannel):
    """A signed outgoing webhook."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})

    kind: str = WEBHOOK
    url: str
    secret: Any

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise ValueError("write an address that begins with https://")
        return url

    @field_validator("secret")
    @classmethod
    def _can_sign(cls, secret: Any) -> Any:
        if is_reference(secret) or is_as_before(secret):
            return secret
        if not isinstance(secret, str):
            raise ValueError(KEPT)  # noqa: TRY004  (a person reads this)
        words = secret.removeprefix("whsec_")
        try:
            key = b64decode(words + "=" * (-len(words) % 4), validate=True)
        except ValueError:
            key = b""
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a key is whsec_ and at least {SHORTEST_KEY} random bytes in base64")
        return secret


class PlannedSlack(PlannedChannel):
    """A channel of a Slack workspace, and the app by which we speak there."""

    hidden: ClassVar[frozenset[str]] = frozenset({"token", "signing_secret", "app_token"})

    channel: Name  # its id
    token: Secret  # of the app's bot: xoxb-…
    signing_secret: Secret | None = None  # what Slack signs pressed buttons with
    app_token: Secret | None = None  # xapp-…, for Socket Mode
    api: str | None = None  # where Slack's methods are; for tests and proxies

    @field_validator("channel")
    @classmethod
    def _an_id(cls, channel: str) -> str:
        if not re.fullmatch(r"[CGD][A-Z0-9]{2,20}", channel):
            raise ValueError(
                "write the channel's id, which begins with C: it stands at the end of the "
                "channel's details in Slack"
            )
        return channel

    @field_validator("api")
    @classmethod
    def _an_address(cls, api: str | None) -> str | None:
        if api is not None and (
            urlsplit(api).scheme not in {"http", "https"} or not urlsplit(api).hostname
        ):
            raise ValueError("write an address that begins with https://")
        return api


class PlannedMail(PlannedChannel):
    """A mailbox, or several: each gets the same mail."""

    to: list[Address] = Field(min_length=1)


class PlannedFanout(PlannedChannel):
    """A service that Apprise can reach: Teams, Discord, Telegram, SMS and many more."""

    hidden: ClassVar[frozenset[str]] = frozenset({"url"})

    url: Secret  # Apprise's way to write it; it holds the service's key


KINDS: Final[Mapping[str, type[PlannedChannel]]] = {
    WEBHOOK: PlannedWebhook,
    "slack": PlannedSlack,
    "mail": PlannedMail,
    "apprise": PlannedFanout,
}


def kind_of(planned: Any) -> Any:
    """Which kind of channel a table of a plan describes; a webhook when it does not say."""
    if isinstance(planned, PlannedChannel):
        return planned.kind
    return planned.get("kind", WEBHOOK) if isinstance(planned, Mapping) else WEBHOOK


AnyChannel = Annotated[
    Annotated[PlannedWebhook, Tag(WEBHOOK)]
    | Annotated[PlannedSlack, Tag("slack")]
    | Annotated[PlannedMail, Tag("mail")]
    | Annotated[PlannedFanout, Tag("apprise")],
    Discriminator(kind_of),
]
