"""Answers arrive as declared shapes, refusals as the error that says what to do, keys stay ours."""

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel

from connectors.kit.contract import Answer
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.kit.web import Network
from tests.connectors.kit.door import CONTACT, FREE, QUICK, Handler, door, hello, site

CANARY = "canary-7f3a9"


class Greeting(BaseModel):
    hello: str
    count: int = 0


# --- what is asked


async def test_json_arrives_in_the_shape_that_was_asked_for() -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.json_response([{"hello": request.query["who"], "count": 3}])

    async with site(serve) as place, door(place) as web_:
        found = await web_.get(list[Greeting], place.url, params={"who": "Zoë & co?"})

    assert found == [Greeting(hello="Zoë & co?", count=3)]


async def test_parameters_join_those_of_the_address_and_replace_their_namesakes() -> None:
    async with site(hello) as place, door(place) as web_:
        await web_.fetch(f"{place.url}/a?keep=1&limit=10&cursor=a%2Bb%3D", params={"limit": "40"})

        assert dict(place.asked[0].query) == {"keep": "1", "limit": "40", "cursor": "a+b="}


async def test_every_place_is_told_who_asks() -> None:
    async with (
        site(hello) as place,
        Network(CONTACT, version="1.2", allow={place.host_port}) as network,
    ):
        await network.web(FREE, "key").fetch(place.url)
        await network.web(FREE, "key").fetch(place.url, headers={"User-Agent": "own/1 (by /u/x)"})

        agents = [request.headers["User-Agent"] for request in place.asked]
        assert agents == [f"Listener/1.2 (+{CONTACT})", "own/1 (by /u/x)"]


@pytest.mark.parametrize("contact", ["", "  ", "a\r\nX-Evil: 1"])
def test_a_contact_is_one_line(contact: str) -> None:
    with pytest.raises(ValueError, match="contact"):
        Network(contact)


async def test_a_key_with_a_line_break_is_refused_before_it_is_sent() -> None:
    async with site(hello) as place, door(place) as web_:
        with pytest.raises(AccessDenied, match="line break") as refused:
            await web_.fetch(place.url, headers={"Authorization": f"Bearer {CANARY}\n"})

        assert CANARY not in str(refused.value)
        assert place.asked == []


async def test_bodies_are_sent_as_json_or_as_a_form() -> None:
    async def echo(request: web.Request) -> web.Response:
        text = await request.text()
        return web.json_response({"hello": f"{request.method} {request.content_type} {text}"})

    async with site(echo) as place, door(place) as web_:
        sent = await web_.post(Greeting, place.url, json={"text": "Café"})
        form = await web_.post(Greeting, place.url, form={"text": "a&b c"})
        nothing = await web_.post(Greeting, place.url)

    assert sent.hello == 'POST application/json {"text":"Café"}'
    assert form.hello == "POST application/x-www-form-urlencoded text=a%26b+c"
    assert nothing.hello == "POST application/octet-stream "


async def test_no_cookie_is_kept() -> None:
    async def serve(_: web.Request) -> web.Response:
        response = web.json_response({})
        response.set_cookie("session", "1")
        return response

    async with site(serve) as place, door(place) as web_:
        await web_.fetch(place.url)
        await web_.fetch(place.url)

        assert "Cookie" not in place.asked[1].headers


async def test_a_fetched_answer_has_its_headers_links_and_final_address() -> None:
    async def serve(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=301, headers={"Location": "/new?page=1"})
        links = '<https://x.example/p?page=2>; rel="next", </p>; rel=prev, <http://[>; rel=bad'
        if request.query.get("bad") is None:
            links = links.rpartition(", ")[0]
        return web.Response(body=b"<rss/>", headers={"Link": links, "ETag": '"1"'})

    async with site(serve) as place, door(place) as web_:
        answer = await web_.fetch(f"{place.url}/old")
        broken = await web_.fetch(f"{place.url}/new", params={"bad": "1"})

        assert answer.body == b"<rss/>"
        assert answer.headers["etag"] == '"1"'
        assert answer.url == f"{place.url}/new?page=1"
        assert answer.links == {
            "next": "https://x.example/p?page=2",
            "prev": f"{place.url}/p",
        }
        assert broken.status == 200


async def test_a_status_that_was_asked_for_is_an_answer() -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(status=int(request.path.strip("/")), headers={"Location": "/200"})

    async with site(serve) as place, door(place) as web_:
        for status in (304, 404, 401, 500, 302):
            assert (await web_.fetch(f"{place.url}/{status}", also={status})).status == status


# --- what is refused


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (300, Unreadable),
        (304, Unreadable),
        (400, Unreadable),
        (401, AccessDenied),
        (402, Unreadable),
        (403, AccessDenied),
        (404, Gone),
        (405, Unreadable),
        (408, TryLater),
        (410, Gone),
        (418, Unreadable),
        (422, Unreadable),
        (425, TryLater),
        (429, TryLater),
        (451, Unreadable),
        (500, TryLater),
        (502, TryLater),
        (503, TryLater),
        (504, TryLater),
        (520, TryLater),
    ],
)
async def test_each_status_has_its_error(status: int, error: type[ConnectorError]) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(status=status, text="" if status == 304 else "no, because of Ada")

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(ConnectorError) as caught:
            await web_.get(Greeting, f"{place.url}/api/v1/posts", params={"key": CANARY})

    assert type(caught.value) is error
    assert str(status) in str(caught.value)
    assert "127.0.0.1/api/v1/posts" in str(caught.value)
    assert "Ada" not in str(caught.value)
    if isinstance(caught.value, Unreadable) and status >= 400:
        assert caught.value.raw == "no, because of Ada"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "nothing at all"),
        (b"  \n", "nothing at all"),
        (b"Database error: Ada", "not JSON"),
        (b"<html>502 Ada</html>", "not JSON"),
        (b'{"hello": "Ada', "not JSON"),
        (b'{"hello": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"hello": "\xff"}', "not JSON"),
        (b"[]", "the whole"),
        (b'"Ada"', "the whole"),
        (b"{}", r"hello \(missing\)"),
        (b'{"hello": ["Ada"]}', r"hello \(string_type\)"),
        (b'{"hello": "x", "count": "Ada"}', r"count \(int_parsing\)"),
        (b'{"hello": 1, "count": "Ada"}', r"hello \(string_type\) and 1 more"),
        (b"null", "the whole"),
    ],
)
async def test_an_answer_of_another_shape_is_unreadable_without_repeating_it(
    body: bytes, reason: str
) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with site(serve) as place, door(place) as web_:
        with pytest.raises(Unreadable, match=reason) as caught:
            await web_.get(Greeting, place.url)

    assert "Ada" not in _everything(caught.value)
    assert caught.value.raw == body[:64_000].decode(errors="replace")


async def test_the_keys_of_a_table_are_not_repeated_either() -> None:
    body = b'{"Ada Lovelace said: it broke": "x", "plain_key": "x"}'
    answer = Answer(url="https://x.example/y?z=1", status=200, headers={}, body=body)
    async with door() as web_:
        with pytest.raises(Unreadable) as caught:
            web_.read(dict[str, int], answer)

    assert "Ada" not in str(caught.value)
    assert "x.example/y " in str(caught.value)


async def test_a_mark_of_byte_order_is_no_fault() -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=b'\xef\xbb\xbf{"hello": "x"}')

    async with site(serve) as place, door(place) as web_:
        assert (await web_.get(Greeting, place.url)).hello == "x"


async def test_a_request_that_was_cut_is_not_silently_sent_again() -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async with site(cut) as place, door(place) as web_:
        with pytest.raises(TryLater):
            await web_.fetch(place.url)

        assert len(place.asked) == 1


async def test_a_place_that_is_not_there_is_tried_later() -> None:
    async with site(hello) as place:
        pass
    async with door(place) as web_:
        with pytest.raises(TryLater, match="cannot be reached"):
            await web_.fetch(place.url)


# --- redirects and keys


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_keys_do_not_follow_a_redirect_to_another_host(status: int) -> None:
    async with site(hello) as other:

        async def lead(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{other.url}/there"})

        keys = {"Authorization": CANARY, "X-Api-Key": CANARY, "Cookie": CANARY, "Accept": "a/b"}
        async with site(lead) as place, door(place, other) as web_:
            await web_.fetch(place.url, headers=keys)

            assert CANARY not in str(other.asked[0].headers)
            assert other.asked[0].headers["Accept"] == "a/b"


async def test_keys_follow_a_redirect_on_the_same_host() -> None:
    async def lead(request: web.Request) -> web.Response:
        if request.path == "/there":
            return await hello(request)
        return web.Response(status=302, headers={"Location": "/there"})

    async with site(lead) as place, door(place) as web_:
        await web_.fetch(place.url, headers={"Authorization": CANARY})

        assert place.asked[1].headers["Authorization"] == CANARY


async def test_what_we_send_is_not_sent_on_to_another_host() -> None:
    async with site(hello) as other:

        async def lead(request: web.Request) -> web.Response:
            status = int(request.query["status"])
            return web.Response(status=status, headers={"Location": other.url})

        async with site(lead) as place, door(place, other) as web_:
            for status in ("307", "308"):
                with pytest.raises(Unreadable, match="another host"):
                    await web_.post(Greeting, f"{place.url}?status={status}", json={"s": CANARY})
            assert other.asked == []

            await web_.post(Greeting, f"{place.url}?status=303", json={"s": CANARY})
            assert [request.method for request in other.asked] == ["GET"]


@pytest.mark.parametrize("location", ["", "http://[", "http://", "http://u:p@127.0.0.1/", "#x"])
async def test_a_redirect_to_nowhere_is_unreadable(location: str) -> None:
    async def lead(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with site(lead) as place, door(place) as web_:
        with pytest.raises(Unreadable, match="redirects to"):
            await web_.fetch(place.url)

        assert len(place.asked) == 1


async def test_no_redirect_leads_from_https_to_http(tmp_path: Path) -> None:
    async with site(hello) as plain:

        async def lead(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": plain.url})

        async with _secure(lead, tmp_path) as (port, trust):
            allow = {f"127.0.0.1:{port}", plain.host_port}
            async with Network(CONTACT, allow=allow, trust=trust) as network:
                with pytest.raises(Unreadable, match="from https to http"):
                    await network.web(FREE, "key").fetch(f"https://127.0.0.1:{port}/")

        assert plain.asked == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async with _secure(hello, tmp_path) as (port, trust):
        allow = {f"127.0.0.1:{port}"}
        async with Network(CONTACT, allow=allow) as network:
            with pytest.raises(TryLater, match="certificate"):
                await network.web(FREE, "key").fetch(f"https://127.0.0.1:{port}/")
        async with Network(CONTACT, allow=allow, trust=trust) as network:
            answer = await network.web(FREE, "key").fetch(f"https://127.0.0.1:{port}/")
            assert answer.status == 200


# --- outgoing webhooks


async def test_an_outgoing_webhook_reports_the_status_and_follows_nothing() -> None:
    bodies = []

    async def serve(request: web.Request) -> web.Response:
        bodies.append((await request.read(), request.headers["Webhook-Id"]))
        return web.Response(status=int(request.query["status"]), headers={"Location": "/x"})

    async with site(serve) as place, Network(CONTACT, allow={place.host_port}) as network:
        for status in (200, 302, 410, 500):
            url = f"{place.url}/hook?status={status}"
            assert await network.send(url, b"{}", {"Webhook-Id": "msg_1"}) == status

    assert bodies == [(b"{}", "msg_1")] * 4


async def test_an_outgoing_webhook_to_nobody_is_tried_later() -> None:
    async with site(hello) as place:
        pass
    async with Network(CONTACT, allow={place.host_port}) as network:
        with pytest.raises(TryLater):
            await network.send(place.url, b"{}", {})


# --- promise S14: keys in no message


@pytest.mark.parametrize(
    "fault", ["status", "shape", "cut", "hang", "redirect", "guard", "name", "size", "packed"]
)
async def test_no_error_or_log_holds_a_key(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async def serve(request: web.Request) -> web.Response:
        match fault:
            case "status":
                return web.Response(status=400, text=CANARY)
            case "shape":
                return web.json_response({"hello": {CANARY: CANARY}})
            case "cut":
                assert request.transport
                request.transport.abort()
            case "hang":
                await asyncio.sleep(0.7)
            case "redirect":
                return web.Response(status=302, headers={"Location": f"http://{CANARY}@[/"})
            case "size":
                return web.Response(headers={"Content-Length": "99999999"})
            case "packed":
                return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})
            case _:
                pass
        return web.Response()

    caplog.set_level(logging.DEBUG)
    async with site(serve) as place, door(place, limits=QUICK) as web_:
        base = {"guard": "http://10.0.0.1", "name": "http://nowhere.invalid"}.get(fault, place.url)
        url = f"{base}/bot123456:{CANARY}-very-long/send?access_token={CANARY}"
        headers = {"Authorization": f"Bearer {CANARY}", "X-Key": CANARY}
        with pytest.raises(ConnectorError) as caught:
            await web_.get(Greeting, url, params={"key": CANARY}, headers=headers)

    assert CANARY not in _everything(caught.value)
    ours = [record for record in caplog.records if not record.name.startswith("aiohttp.")]
    assert CANARY not in " ".join(record.getMessage() for record in ours)


def _everything(error: BaseException) -> str:
    """All that a log could show of an error."""
    return f"{error!s} {error!r} {''.join(traceback.format_exception(error))}"


@asynccontextmanager
async def _secure(handler: Handler, folder: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A site behind a certificate of its own; its port, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    pem = folder / "site.pem"
    pem.write_bytes(
        certificate
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identity.load_cert_chain(pem)
    app = web.Application()
    app.router.add_get("/", handler)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=identity)
    try:
        assert server.port
        yield server.port, ssl.create_default_context(cadata=certificate.decode())
    finally:
        await server.close()
