"""A server of the Bluesky network on this machine, answering as docs.bsky.app says."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import libipld
import orjson
from aiohttp import web
from typing_extensions import override

from connectors.bluesky import Bluesky
from connectors.kit.contract import Listens, Page, Web
from connectors.kit.web import Network
from tests.connectors.memory import Memory
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(__file__).parent / "recordings" / "bluesky"

HANDLE = "acme.example"
PASSWORD = "abcd-efgh-ijkl-mnop"
OURS = "did:plc:acmeacmeacmeacmeacmeacme"
ADA = "did:plc:adaadaadaadaadaadaadaada"
POST = "app.bsky.feed.post"
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"


class Sky(Place):
    """An account's server that knows the whole network, and streams it in both dialects."""

    page: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self.log_ins = 0
        self.renewals = 0
        self.tokens: set[str] = set()  # that are good now
        self.status: dict[str, object] = {}  # what a session says of the account besides
        self.views: dict[int, dict[str, Any]] = {}  # what the view of a post says besides
        self.records: dict[int, dict[str, Any]] = {}  # what a record says besides
        self.hidden: set[int] = set()  # left out of views, though the record is there
        self.published: dict[str, dict[str, Any]] = {}  # our replies by record key
        self.members_only = False  # searches need an account
        self.knows_until = True
        self.appview = True
        self.script: list[bytes | str] | None = None  # all that its streams say
        self.closing = 1000  # the code they end with

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        def at(method: str) -> str:
            return f"/xrpc/{method}"

        return [
            web.get("/", self.hello),
            web.post(at("com.atproto.server.createSession"), self.log_in),
            web.post(at("com.atproto.server.refreshSession"), self.renew),
            web.get(at("com.atproto.identity.resolveHandle"), self.resolve),
            web.get(at("com.atproto.repo.getRecord"), self.record_alone),
            web.post(at("com.atproto.repo.putRecord"), self.publish),
            web.get(at("app.bsky.feed.searchPosts"), self.search),
            web.get(at("app.bsky.feed.getPosts"), self.several),
            web.get(at("app.bsky.notification.listNotifications"), self.notifications),
            web.get("/subscribe", self.jetstream),
            web.get(at("network.bsky.jetstream.subscribeEvents"), self.jetstream),
            web.get(at("com.atproto.sync.subscribeRepos"), self.firehose),
        ]

    @override
    def own_header(self, wait: timedelta) -> dict[str, str]:
        at = datetime.now(UTC) + wait
        return {"RateLimit-Remaining": "0", "RateLimit-Reset": f"{at.timestamp():.0f}"}

    # --- in the place's words

    def key(self, post: Published) -> str:
        letters, left = "", post.number
        for _ in range(10):
            left, place = divmod(left, 32)
            letters = LETTERS[place] + letters
        return f"3ka{letters}"

    def uri(self, post: Published) -> str:
        return f"at://{ADA}/{POST}/{self.key(post)}"

    def cid(self, post: Published) -> bytes:
        """A CID as they are, of the words; which words does not matter here."""
        return bytes.fromhex("01711220") + f"{post.number:08}{len(post.text):024}".encode()

    def record(self, post: Published) -> dict[str, Any]:
        words = {"$type": POST, "text": post.text, "createdAt": iso(post.at), "langs": ["en"]}
        return words | self.records.get(post.number, {})

    def view(self, post: Published) -> dict[str, Any]:
        said = {
            "uri": self.uri(post),
            "cid": libipld.encode_cid(self.cid(post)),
            "author": {"did": ADA, "handle": "ada.example", "displayName": "Ada", "labels": []},
            "record": self.record(post),
            "indexedAt": iso(post.indexed),
            "labels": [],
            "likeCount": 0,
        }
        return said | self.views.get(post.number, {})

    # --- who asks

    def knows(self, request: web.Request) -> bool:
        told = request.headers.get("Authorization", "")
        return told.removeprefix("Bearer ") in self.tokens

    def expire(self) -> None:
        """Let all access tokens run out; they can be renewed."""
        self.tokens = {token for token in self.tokens if token.startswith("renewal")}

    async def log_in(self, request: web.Request) -> web.Response:
        self.log_ins += 1
        if await request.json() != {"identifier": HANDLE, "password": PASSWORD}:
            return refused(401, "AuthenticationRequired")
        return self.session()

    async def renew(self, request: web.Request) -> web.Response:
        self.renewals += 1
        told = request.headers["Authorization"].removeprefix("Bearer ")
        if told not in self.tokens:
            return refused(400, "ExpiredToken")
        self.tokens.discard(told)
        return self.session()

    def session(self) -> web.Response:
        number = self.log_ins + self.renewals
        access, renewal = f"access-{number}", f"renewal-{number}"
        self.tokens |= {access, renewal}
        told = {"did": OURS, "handle": HANDLE, "accessJwt": access, "refreshJwt": renewal}
        return web.json_response(told | self.status)

    def turned_away(self, request: web.Request, *, members: bool) -> web.Response | None:
        """What Bluesky answers to those it does not know."""
        if "Authorization" in request.headers and not self.knows(request):
            return refused(400, "ExpiredToken")
        if members and "Authorization" not in request.headers:
            return refused(401, "AuthMissing")
        return None

    # --- what it serves

    async def hello(self, _: web.Request) -> web.Response:
        return web.Response(text="Welcome")

    async def search(self, request: web.Request) -> web.Response:
        if away := self.turned_away(request, members=False):
            return away
        if self.members_only and not self.knows(request):
            return refused(403, "Forbidden")
        assert request.query["sort"] == "latest"
        if request.query["q"] == "a AND":
            return refused(400, "BadQueryString")
        posts: Sequence[Published] = self.listed()
        if self.knows_until:
            until, since = request.query.get("until", "9"), request.query.get("since", "0")
            posts = [post for post in posts if since <= iso(post.at) < until]
        begin = int(request.query.get("cursor", "0"))
        shown = posts[begin : begin + min(int(request.query["limit"]), self.page)]
        end = begin + len(shown)
        more = {"cursor": str(end)} if end < len(posts) else {}
        return web.json_response({"posts": [self.view(post) for post in shown], **more})

    async def notifications(self, request: web.Request) -> web.Response:
        if away := self.turned_away(request, members=True):
            return away
        assert request.query.getall("reasons") == ["mention", "reply", "quote"]
        posts = sorted(self.listed(), key=lambda post: (post.indexed, post.number), reverse=True)
        before = request.query.get("cursor", "9")
        posts = [post for post in posts if iso(post.indexed) < before]
        shown = posts[: min(int(request.query["limit"]), self.page)]
        more = {"cursor": iso(shown[-1].indexed)} if shown else {}
        told = [{"reason": "mention", "isRead": False} | self.view(post) for post in shown]
        return web.json_response({"notifications": told, **more})

    async def several(self, request: web.Request) -> web.Response:
        if away := self.turned_away(request, members=False):
            return away
        if not self.appview:
            return refused(501, "MethodNotImplemented")
        asked = request.query.getall("uris")
        assert len(asked) <= 25
        shown = [post for post in self.listed() if self.uri(post) in asked]
        posts = [self.view(post) for post in shown if post.number not in self.hidden]
        return web.json_response({"posts": posts})

    async def record_alone(self, request: web.Request) -> web.Response:
        if away := self.turned_away(request, members=False):
            return away
        whose, key = request.query["repo"], request.query["rkey"]
        if whose == OURS and key in self.published:
            ours = {"uri": f"at://{OURS}/{POST}/{key}", "value": self.published[key]}
            return web.json_response(ours | {"cid": "bafyours"})
        for post in self.listed():
            if (whose, key) == (ADA, self.key(post)):
                view = self.view(post)
                told = {"uri": view["uri"], "cid": view["cid"], "value": view["record"]}
                return web.json_response(told)
        return refused(400, "RecordNotFound")

    async def resolve(self, request: web.Request) -> web.Response:
        known = {HANDLE: OURS, "ada.example": ADA}
        if request.query["handle"] not in known:
            return refused(400, "InvalidRequest")
        return web.json_response({"did": known[request.query["handle"]]})

    async def publish(self, request: web.Request) -> web.Response:
        if not self.knows(request):
            return refused(401, "AuthMissing")
        told = await request.json()
        assert (told["repo"], told["collection"]) == (OURS, POST)
        if "swapRecord" in told and told["rkey"] in self.published:
            return refused(400, "InvalidSwap")
        self.published[told["rkey"]] = told["record"]
        self.replies.append(told["record"]["text"])
        uri = f"at://{OURS}/{POST}/{told['rkey']}"
        return web.json_response({"uri": uri, "cid": "bafyours"})

    # --- streams

    async def jetstream(self, request: web.Request) -> web.WebSocketResponse:
        return await self.told(request, lambda post: text(self.frame(post)))

    async def firehose(self, request: web.Request) -> web.WebSocketResponse:
        return await self.told(request, self.commit)

    async def told(
        self, request: web.Request, tell: Callable[[Published], bytes | str]
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        with suppress(ConnectionError):
            if self.script is not None:
                for message in self.script:
                    await send(socket, message)
            else:
                async with self._listening() as queue:
                    while (post := await queue.get()) is not None:
                        await send(socket, tell(post))
            await socket.close(code=self.closing)
        return socket

    def frame(self, post: Published, operation: str = "create") -> dict[str, Any]:
        """An event of Jetstream's first interface."""
        commit: dict[str, Any] = {
            "rev": f"3r{post.number}",
            "operation": operation,
            "collection": POST,
        }
        commit |= {"rkey": self.key(post)}
        if operation != "delete":
            commit |= {"record": self.record(post), "cid": libipld.encode_cid(self.cid(post))}
        time = int(post.indexed.timestamp()) * 1_000_000 + post.indexed.microsecond
        return {"did": ADA, "time_us": time, "kind": "commit", "commit": commit}

    def commit(self, post: Published, action: str = "create") -> bytes:
        """A message of the firehose."""
        cid = self.cid(post) if action != "delete" else None
        operation = {"action": action, "path": f"{POST}/{self.key(post)}", "cid": cid}
        blocks = {cid: self.record(post)} if cid else {}
        body = {"seq": post.number, "time": iso(post.indexed), "repo": ADA, "rev": "3r"}
        body |= {"ops": [operation], "blocks": car(blocks), "tooBig": False, "rebase": False}
        return message("#commit", body)


# Small pieces of the protocol.


def refused(status: int, error: str) -> web.Response:
    return web.json_response({"error": error, "message": "as Bluesky says it"}, status=status)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(told: Mapping[str, Any]) -> str:
    return orjson.dumps(told).decode()


async def send(socket: web.WebSocketResponse, message: bytes | str) -> None:
    if isinstance(message, bytes):
        await socket.send_bytes(message)
    else:
        await socket.send_str(message)


def message(name: str, body: Mapping[str, object]) -> bytes:
    """A frame of the firehose: what it is, and what it says."""
    head = {"op": 1, "t": name} if name else {"op": -1}
    return libipld.encode_dag_cbor(head) + libipld.encode_dag_cbor(dict(body))


def car(blocks: Mapping[bytes, object]) -> bytes:
    """An archive of blocks. https://ipld.io/specs/transport/car/carv1/"""
    head = libipld.encode_dag_cbor({"version": 1, "roots": [*blocks][:1]})
    parts = [cid + libipld.encode_dag_cbor(block) for cid, block in blocks.items()]
    return b"".join(varint(len(part)) + part for part in (head, *parts))


def varint(number: int) -> bytes:
    """https://github.com/multiformats/unsigned-varint"""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


# What these tests read with.


def bluesky(sky: Sky, **options: object) -> Bluesky:
    return Bluesky.model_validate({"api": sky.url, **options})


def member(sky: Sky, **options: object) -> Bluesky:
    return bluesky(sky, handle=HANDLE, password=PASSWORD, **options)


@asynccontextmanager
async def door(sky: Sky) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={sky.host_port}) as network:
        yield network.web(FREE, "bluesky")


async def pull(sky: Sky, memory: Memory, source: Bluesky) -> list[Page]:
    sky.wait(timedelta(seconds=1))
    found = []
    async with door(sky) as network:
        async for page in source.pages(network, memory.cursor, memory):
            memory.keep(page)
            found.append(page)
    return found


async def read_all(sky: Sky, source: Bluesky) -> Memory:
    memory = Memory(sky)
    await pull(sky, memory, source)
    return memory


async def heard(
    sky: Sky, script: Sequence[bytes | str], source: Bluesky, cursor: str | None = None
) -> list[Page]:
    """What is heard of a stream that says exactly this, and ends."""
    sky.script = list(script)
    async with door(sky) as network:
        return [page async for page in cast(Listens, source).listen(network, cursor)]
