"""The way in: from where a request comes, whose page sent it, and which cookie it carries."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from listener.domain import login

Network = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# What a proxy adds. With one of them a request is not from this machine, whoever hands it on.
HANDED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
GIVEN: Final = web.RequestKey("given", str)  # the id that the browser is to keep from now on
UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Entrance:
    """How people reach this listener, as its operator has set it up."""

    url: str = "http://127.0.0.1:8080"  # the address that people use
    plain_http: bool = False  # whether passwords may travel readable
    behind: tuple[Network, ...] = LOOPBACK  # the reverse proxies that are believed
    demo: str | None = None  # who is signed in without a password, in a demo

    @property
    def secure(self) -> bool:
        """Whether browsers speak https with us, or with what stands in front of us."""
        return URL(self.url).scheme == "https"

    @property
    def cookie_name(self) -> str:
        """What the cookie is called; browsers take the prefix for a promise and hold us to it."""
        return "__Host-listener" if self.secure else "listener"

    def cookie(self, request: web.Request) -> str | None:
        """What this browser was given, if it looks like something of ours."""
        found = request.cookies.get(self.cookie_name, "")
        return found if 40 <= len(found) <= 64 and found.isascii() else None

    def give(self, response: web.StreamResponse, value: str) -> None:
        """Let the browser keep an id, out of reach of scripts and of other sites."""
        # As a header: it is added to answers that are about to leave, too late for set_cookie.
        secure = "; Secure" if self.secure else ""
        response.headers.add(
            hdrs.SET_COOKIE,
            f"{self.cookie_name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}",
        )

    def address(self, request: web.Request) -> str:
        """Where a request comes from: the first address that is no proxy of ours."""
        hops = [request.remote or UNKNOWN]
        for header in request.headers.getall(hdrs.X_FORWARDED_FOR, ()):
            hops[:0] = [hop.strip() for hop in header.split(",")]
        for hop in reversed(hops):
            try:
                found = ip_address(hop)
            except ValueError:
                return UNKNOWN
            if not any(found in network for network in self.behind):
                return str(found)
        return hops[0]

    def is_local(self, request: web.Request) -> bool:
        """Whether it comes from this machine, straight or through a proxy that says so."""
        return loopback(self.address(request))

    def may_sign_in(self, request: web.Request) -> bool:
        """Whether a password or a cookie may travel this way."""
        return self.secure or self.plain_http or self.is_local(request)

    def is_demo(self, request: web.Request) -> bool:
        """Whether to let somebody in without a password: a demo, seen from its own machine.

        The name asked for must be this machine's too: a page of another site could point its own
        name at us.
        """
        return (
            self.demo is not None
            and loopback(request.remote or UNKNOWN)
            and not any(header in request.headers for header in HANDED_ON)
            and local_name(request.host)
        )

    def is_own_page(self, request: web.Request) -> bool:
        """Whether a page of ours sent this, as the browser itself says."""
        site = request.headers.get("Sec-Fetch-Site")
        if site not in (None, "same-origin"):
            return False
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return site is not None
        if same_origin(origin, self.url):
            return True
        if not (local_name(request.host) or (self.plain_http and not self.secure)):
            return False
        return same_origin(origin, f"http://{request.host}")


def loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        found = ip_address(login.network(address))
    except ValueError:
        return address == "::1"
    return any(found in network for network in LOOPBACK)


def local_name(host: str) -> bool:
    """Whether a name that was asked for, with its port, can only mean this machine."""
    try:
        name = URL(f"http://{host}").host or ""
    except ValueError:
        return False
    return name == "localhost" or loopback(name)


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one site."""
    try:
        return one != "null" and URL(one).origin() == URL(other).origin()
    except ValueError:
        return False
