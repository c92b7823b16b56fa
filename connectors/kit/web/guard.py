"""Keeps addresses that somebody typed into a page from leading into a private network.

The first look is at the address as written. The second, which nothing can talk its way past,
is at the final address of every single connection: aiohttp calls `opening` for literals,
resolved names and redirects alike, where a resolver of our own would be skipped for literals.
"""

import re
import socket
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from connectors.kit.errors import PrivateAddress, Unreadable

HOST = re.compile(r"[\w.:%-]+", re.ASCII)

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]

# These hand out a machine's own keys. They stay shut even for an address the operator allowed.
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})
METADATA = (
    ip_network("169.254.0.0/16"),  # AWS, Azure, Google, Oracle, OpenStack
    ip_network("fe80::/10"),
    ip_network("fd00:ec2::/32"),  # AWS
    ip_network("fd20:ce::/32"),  # Google
    ip_network("100.100.100.200/32"),  # Alibaba
    ip_network("192.0.0.192/32"),  # Oracle
    ip_network("168.63.129.16/32"),  # Azure, in public address space
)

# Websites live on 80, 443 and any high port (self-hosted software); below 1024 live other
# protocols, and these high ones belong to databases, queues and machines' own controls, which
# would take a request for a command.
WEB_PORTS = frozenset({80, 443})
INNER_PORTS = frozenset(
    {1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5671, 5672, 5900}
    | {5984, 6000, 6379, 6443, 6660, 6667, 8500, 9042, 9092, 9100, 9200, 9300, 10250, 11211}
    | {15672, 27017}
)

GLOBAL_UNICAST = IPv6Network("2000::/3")
LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
NAT64 = (IPv6Network("64:ff9b::/96"), LOCAL_NAT64)
COMPATIBLE = IPv6Network("::/96")


@dataclass(slots=True)
class Passage:
    """One attempt to reach one host and port; `private` when the operator allowed exactly it."""

    private: bool
    refused: bool = False


# A contextvar, because `opening` is told the final address but not who wants to go there; tasks
# that aiohttp starts inherit it. Without a passage nothing private opens.
passage: ContextVar[Passage | None] = ContextVar("passage", default=None)


def admit(scheme: str, host: str, port: int, allow: Collection[str]) -> Passage:
    """Look at an address as it is written, before any name is resolved."""
    if scheme not in {"http", "https"}:
        raise Unreadable("Only addresses that begin with https:// or http:// can be asked.")
    if not HOST.fullmatch(host):
        raise Unreadable("The address has a host that no website can have.")
    if host in METADATA_NAMES or _metadata(_literal(host)):
        raise PrivateAddress(f"{host} hands out a machine's own keys and is never asked.")
    if host_port(host, port) in allow:
        return Passage(private=True)
    if port not in WEB_PORTS and (port < 1024 or port in INNER_PORTS):
        raise PrivateAddress(
            f"Port {port} of {host} does not belong to a website. {_how_to_allow(host, port)}"
        )
    literal = _literal(host)
    inside = host.endswith((".localhost", ".local", ".internal")) or host == "localhost"
    if inside or (not public(literal) if literal else _disguised(host)):
        raise private_address(host, port)
    return Passage(private=False)


def opening(info: AddressInfo) -> socket.socket:
    """Make the socket for a final address, or refuse: aiohttp's socket factory."""
    family, kind, protocol, _, (address, *_) = info
    wanted = passage.get()
    final = _literal(address)
    if (
        final is None
        or _metadata(final)
        or not (public(final) or (wanted is not None and wanted.private))
    ):
        if wanted is not None:
            wanted.refused = True
        # An OSError, because the happy eyeballs algorithm forgets every other kind.
        raise OSError("refused by the guard")
    return socket.socket(family, kind, protocol)


def public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address, and every address packed into it, belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address in LOCAL_NAT64:  # a translator inside the own network, whatever it leads to
        return False
    if inner := _inner(address):
        return all(public(one) for one in inner)
    return address in GLOBAL_UNICAST and address.is_global and not address.is_multicast


def private_address(host: str, port: int) -> PrivateAddress:
    """The sentence that tells the operator what to do."""
    return PrivateAddress(f"{host} is an address of a private network. {_how_to_allow(host, port)}")


def host_port(host: str, port: int) -> str:
    """The exact pair as it is written in LISTENER_ALLOW_HOSTS."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _how_to_allow(host: str, port: int) -> str:
    return (
        "If it may be asked, the operator adds "
        f"{host_port(host, port)} to LISTENER_ALLOW_HOSTS and restarts."
    )


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _disguised(host: str) -> bool:
    """Whether this is an IPv4 address in a spelling only old C libraries read: 0x7f.1, 2130706433."""
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return False
    return True


def _metadata(address: IPv4Address | IPv6Address | None) -> bool:
    if address is None:
        return False
    packed = _inner(address) if isinstance(address, IPv6Address) else ()
    return any(one in net for one in (address, *packed) for net in METADATA)


def _inner(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address carries inside itself."""
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in COMPATIBLE or any(address in net for net in NAT64):
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()
