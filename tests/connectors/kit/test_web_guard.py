"""Promise S1: an address that somebody typed cannot reach into a private network."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from aiohttp import TCPConnector, web
from hypothesis import given
from hypothesis import strategies as st
from pytest_socket import SocketConnectBlockedError

from connectors.kit.errors import AccessDenied, ConnectorError, PrivateAddress, TryLater, Unreadable
from connectors.kit.web import Network, guard
from tests.connectors.kit.door import CONTACT, FREE, Names, Site, door, hello, site

# Every way to say "this machine", its neighbours, or the keeper of its keys.
PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - to be refused, not bound
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "198.18.0.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",  # Teredo whose client is 127.0.0.1
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[4000::1]",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "017700000001",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "app.localhost",
]
METADATA = [
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "metadata",
]


@pytest.mark.parametrize("host", PRIVATE + METADATA)
async def test_no_spelling_of_a_private_address_is_asked(host: str) -> None:
    async with site(hello) as inside, door() as web_:
        with pytest.raises((PrivateAddress, Unreadable)) as refused:
            await web_.fetch(f"http://{host}:{inside.port}/")

        # The one unreadable address is one that is none: nothing can be asked there.
        assert isinstance(refused.value, PrivateAddress)
        assert inside.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", [*PRIVATE[:1], "[::1]", "localhost", "169.254.169.254"])
async def test_a_redirect_leads_no_further_than_an_address_would(host: str, status: int) -> None:
    async with site(hello) as inside:

        async def lead(_: web.Request) -> web.Response:
            return web.Response(
                status=status, headers={"Location": f"http://{host}:{inside.port}/"}
            )

        async with site(lead) as outside, door(outside) as web_:
            with pytest.raises(PrivateAddress):
                await web_.fetch(outside.url)

            assert len(outside.asked) == 1
            assert inside.asked == []


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_redirect_to_any_spelling_is_refused(host: str) -> None:
    async with site(hello) as inside:

        async def lead(_: web.Request) -> web.Response:
            location = f"//{host}:{inside.port}/".encode().decode("latin-1")
            return web.Response(status=302, headers={"Location": location})

        async with site(lead) as outside, door(outside) as web_:
            with pytest.raises((PrivateAddress, Unreadable)):
                await web_.fetch(outside.url)

            assert inside.asked == []


# A public address may be tried, which nothing in these tests can reach.
UNREACHABLE = pytest.mark.filterwarnings("ignore:A test tried to use socket")


@UNREACHABLE
@pytest.mark.parametrize(
    "answers",
    [
        [["127.0.0.1"]],
        [["::1"]],
        [["::ffff:127.0.0.1"]],
        [["203.0.113.7", "127.0.0.1"]],
        [["127.0.0.1", "8.8.8.8"]],
        [["8.8.8.8", "127.0.0.1"]],
        [["169.254.169.254"]],
    ],
    ids=str,
)
async def test_a_name_that_leads_inside_is_refused(answers: list[list[str]]) -> None:
    names = Names({"friendly.example": answers})
    async with site(hello) as inside, door(resolver=names) as web_:
        with pytest.raises((ConnectorError, SocketConnectBlockedError)):
            await web_.fetch(f"http://friendly.example:{inside.port}/")

        assert inside.asked == []


@UNREACHABLE
async def test_a_name_that_changes_its_mind_is_judged_by_where_it_leads() -> None:
    # Rebinding: whoever checks the name first and asks afterwards is led inside.
    names = Names({"rebinding.example": [["8.8.8.8"], ["127.0.0.1"]]})
    async with site(hello) as inside, Network(CONTACT, resolver=names) as network:
        web_ = network.web(FREE, "key")
        for expected in (SocketConnectBlockedError, PrivateAddress):
            with pytest.raises(expected):
                await web_.fetch(f"http://rebinding.example:{inside.port}/")
            assert network._session is not None
            connector = network._session.connector
            assert isinstance(connector, TCPConnector)
            connector.clear_dns_cache()  # its time to live was zero

        assert inside.asked == []


async def test_a_name_that_cannot_be_resolved_is_asked_for_later_not_unguarded() -> None:
    async with site(hello) as inside, door(resolver=Names({})) as web_:
        with pytest.raises(TryLater, match=r"nowhere\.example could not be found"):
            await web_.fetch(f"http://nowhere.example:{inside.port}/")

        assert inside.asked == []


async def test_an_allowed_host_opens_the_door_for_nobody_else() -> None:
    names = Names({"forum.example": [["127.0.0.1"]], "evil.example": [["127.0.0.1"]]})
    async with site(hello) as inside:
        allow = {f"forum.example:{inside.port}"}
        async with Network(CONTACT, allow=allow, resolver=names) as network:
            web_ = network.web(FREE, "key")

            async def refused(host: str) -> None:
                with pytest.raises(PrivateAddress):
                    await web_.fetch(f"http://{host}:{inside.port}/evil")

            await asyncio.gather(
                *(web_.fetch(f"http://forum.example:{inside.port}/forum") for _ in range(20)),
                *(refused("evil.example") for _ in range(20)),
                *(refused("127.0.0.1") for _ in range(20)),
            )

        assert {request.path for request in inside.asked} == {"/forum"}


async def test_an_allowed_host_is_allowed_on_its_own_port_alone() -> None:
    async with site(hello) as allowed, site(hello) as inside, door(allowed) as web_:
        assert (await web_.fetch(allowed.url)).status == 200
        with pytest.raises(PrivateAddress):
            await web_.fetch(inside.url)

        assert inside.asked == []


@pytest.mark.parametrize("host", METADATA)
async def test_a_machines_keys_stay_shut_even_when_they_are_allowed(host: str) -> None:
    allow = {f"{host}:80", f"{host.rstrip('.').lower()}:80"}
    async with Network(CONTACT, allow=allow) as network:
        with pytest.raises(PrivateAddress):
            await network.web(FREE, "key").fetch(f"http://{host}/latest/meta-data/")


async def test_an_allowed_name_does_not_lead_to_a_machines_keys() -> None:
    names = Names({"forum.example": [["169.254.169.254"]]})
    allow = {"forum.example:8080"}
    async with Network(CONTACT, allow=allow, resolver=names) as network:
        with pytest.raises(PrivateAddress):
            await network.web(FREE, "key").fetch("http://forum.example:8080/")


async def test_the_refusal_tells_the_operator_what_to_do() -> None:
    async with door() as web_:
        with pytest.raises(PrivateAddress) as refused:
            await web_.fetch("http://192.168.1.5:8080/feed?token=canary-1")

    assert "192.168.1.5:8080 to LISTENER_ALLOW_HOSTS" in str(refused.value)
    assert "canary-1" not in str(refused.value)
    assert isinstance(refused.value, AccessDenied)


@pytest.mark.parametrize("port", [22, 25, 110, 389, 445, 3306, 5432, 6379, 9200, 11211, 27017])
async def test_ports_of_other_services_are_refused(port: int) -> None:
    async with door() as web_:
        with pytest.raises(PrivateAddress, match=f"Port {port} "):
            await web_.fetch(f"http://example.com:{port}/")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://example.com:70/_",
        "data:,x",
        "//x/",
        "http://",
        "https:///path",
        "http://[::1",
        "example.com",
        "",
        "http://exa mple.com/",
    ],
)
async def test_only_web_addresses_are_asked(address: str) -> None:
    async with door() as web_:
        with pytest.raises((Unreadable, PrivateAddress)):
            await web_.fetch(address)


async def test_a_password_in_an_address_is_refused_without_repeating_it() -> None:
    async with site(hello) as outside, door(outside) as web_:
        with pytest.raises(AccessDenied) as refused:
            await web_.fetch(f"http://ada:canary-2@{outside.host_port}/")

        assert "canary-2" not in f"{refused.value!r}"
        assert outside.asked == []


async def test_outgoing_webhooks_are_guarded_too() -> None:
    async with site(hello) as inside, Network(CONTACT) as network:
        with pytest.raises(PrivateAddress):
            await network.send(inside.url, b"{}", {})

        assert inside.asked == []


async def test_a_proxy_is_the_operators_own_and_literals_are_still_refused() -> None:
    async with site(hello) as proxy, Network(CONTACT, proxy=proxy.url) as network:
        web_ = network.web(FREE, "key")
        answer = await web_.fetch("http://forum.example/posts")
        with pytest.raises(PrivateAddress):
            await web_.fetch("http://10.0.0.1/")

        assert answer.status == 200
        assert [request.headers["Host"] for request in proxy.asked] == ["forum.example"]


@pytest.mark.parametrize("pair", ["forum.local", "forum.local:", ":80", "forum.local:http", ""])
def test_an_allowed_host_without_a_port_is_refused_at_once(pair: str) -> None:
    with pytest.raises(ValueError, match="LISTENER_ALLOW_HOSTS"):
        Network(CONTACT, allow={pair})


async def test_allowed_hosts_may_be_written_in_capitals_and_brackets() -> None:
    names = Names({"forum.example": [["127.0.0.1"]]})
    async with site(hello) as inside:
        allow = {f" Forum.Example:{inside.port} ", "[::1]:8080"}
        async with Network(CONTACT, allow=allow, resolver=names) as network:
            web_ = network.web(FREE, "key")

            assert (await web_.fetch(f"http://FORUM.example.:{inside.port}/")).status == 200


# --- the last look, at the final address of a connection


def _info(address: str) -> guard.AddressInfo:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (address, 80, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 80))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111"])
def test_public_addresses_open(address: str) -> None:
    with guard.opening(_info(address)) as opened:
        assert opened.type == socket.SOCK_STREAM


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "nonsense", "169.254.169.254"])
def test_without_a_passage_nothing_private_opens(address: str) -> None:
    with pytest.raises(OSError, match="refused by the guard"):
        guard.opening(_info(address))


@given(st.ip_addresses(v=4))
def test_an_address_packed_into_another_is_judged_like_itself(inner: IPv4Address) -> None:
    number = int(inner)
    packed = [
        IPv6Address(0xFFFF_0000_0000 | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(int(IPv6Address("2002::")) | number << 80),
    ]

    assert {guard.public(outer) for outer in packed} == {guard.public(inner)}
    # A translator of the own network leads where only its operator knows.
    assert not guard.public(IPv6Address(int(IPv6Address("64:ff9b:1::")) | number))


@given(st.ip_addresses())
def test_nothing_that_is_not_global_is_public(address: IPv4Address | IPv6Address) -> None:
    if guard.public(address):
        plain = ip_address(str(address))
        assert plain.is_global or (isinstance(plain, IPv6Address) and plain.ipv4_mapped)
        assert not plain.is_loopback
        assert not plain.is_multicast
        assert not plain.is_link_local
        assert not plain.is_unspecified


def test_the_site_of_these_tests_is_really_there() -> None:
    assert Site(80).url == "http://127.0.0.1:80"
