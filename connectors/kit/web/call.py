"""One request to one address: how it is written, redirected, and named in a sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from yarl import URL

from connectors.kit.errors import AccessDenied, Unreadable

# A long part of a path that is not made of words may be a key (bots, webhooks).
WORDS = re.compile(r"[A-Za-z]{1,24}([._-][A-Za-z0-9]{1,24})*")
# What may follow a redirect to another host: nothing that could be a key.
HARMLESS = frozenset(
    {"accept", "accept-language", "if-none-match", "if-modified-since", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """A method, an address, headers and a body. Its repr keeps its secrets."""

    method: str
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not all(text.isprintable() for pair in self.headers.items() for text in pair):
            raise AccessDenied(
                f"What we send to {self.host} has a line break in it: enter the key again."
            )

    @property
    def host(self) -> str:
        """The host, as it is resolved and compared."""
        return _host(self.url)

    @property
    def place(self) -> str:
        """Host and path for a sentence."""
        return place(self.url)

    def redirected(self, status: int, location: str) -> "Call":
        """The request that a redirect asks for, as far as it is safe to follow."""
        target = _target(self, location)
        call = replace(self, url=target)
        if status == 303 or (status in {301, 302} and self.method == "POST"):
            kept = {k: v for k, v in self.headers.items() if k.lower() != "content-type"}
            call = replace(call, method="GET", headers=kept, body=None)
        if _same_house(self.url, target):
            return call
        if call.body is not None:
            raise Unreadable(f"{self.place} wants what we send to go to another host.")
        harmless = {k: v for k, v in call.headers.items() if k.lower() in HARMLESS}
        return replace(call, headers=harmless)


def written(url: str, params: Mapping[str, str] | None = None) -> URL:
    """An address with its parameters; parameters of the same name in `url` are replaced."""
    try:
        address = URL(url)
    except ValueError:
        address = URL()
    if not address.raw_host or not address.port:
        raise Unreadable("The address is not one of the web: it begins with https:// and a host.")
    if address.user or address.password:
        raise AccessDenied(
            f"The address of {_host(address)} has a password in it: keys belong into the options "
            "that are kept secret."
        )
    return address.update_query(params) if params else address


def place(url: URL) -> str:
    """Host and path for a sentence: no query, and no part of a path that looks like a key."""
    parts = [
        part if len(part) < 20 or WORDS.fullmatch(part) else "…" for part in url.path.split("/")
    ]
    return f"{_host(url)}{'/'.join(parts)}"


def exact(pair: str) -> str:
    """A host and port as LISTENER_ALLOW_HOSTS holds them, in the spelling we compare."""
    host, _, port = pair.strip().lower().rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(
            f"LISTENER_ALLOW_HOSTS holds {pair!r}; it takes host:port, such as forum.local:8080."
        )
    return f"{host.rstrip('.')}:{int(port)}"


def _target(call: Call, location: str) -> URL:
    try:
        target = call.url.join(URL(location)).with_fragment(None)
    except ValueError:
        target = call.url
    if target == call.url or not target.raw_host:
        raise Unreadable(f"{call.place} redirects to nowhere.")
    if target.user or target.password:
        raise Unreadable(f"{call.place} redirects to an address with a password in it.")
    if (call.url.scheme, target.scheme) == ("https", "http"):
        raise Unreadable(f"{call.place} redirects from https to http, which anybody could read.")
    return target


def _same_house(ours: URL, theirs: URL) -> bool:
    """Whether a key may follow: the same host and port, or the same host's own https."""
    if ours.raw_host != theirs.raw_host:
        return False
    upgraded = (ours.scheme, ours.port, theirs.scheme, theirs.port) == ("http", 80, "https", 443)
    return upgraded or (ours.scheme, ours.port) == (theirs.scheme, theirs.port)


def _host(url: URL) -> str:
    return (url.raw_host or "").rstrip(".").lower()
