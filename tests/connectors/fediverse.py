"""A server of the fediverse on this machine, answering as docs.joinmastodon.org says."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson
from aiohttp import web
from typing_extensions import override

from connectors.kit.contract import Page, Web
from connectors.kit.web import Network
from connectors.mastodon import Mastodon
from connectors.mastodon.shapes import Status
from tests.connectors.memory import Memory
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE

RECORDINGS = Path(__file__).parent / "recordings" / "mastodon"

TOKEN = "a-token-of-acme"
ME = "1"  # the id of the token's account


class Town(Place):
    """Mastodon itself: ids are snowflakes made of a post's own time, min_id climbs."""

    version: ClassVar[str] = "4.5.0"
    longest: ClassVar[int] = 500
    page: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self.members_only = False
        self.private: set[int] = set()  # numbers of posts for followers only
        self.answers: dict[str, dict[str, Any]] = {}  # published replies by idempotency key
        self.told: dict[str, object] = {}  # what the next statuses say besides
        self.script: bytes | None = None  # all that its streams say, if not what is published

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v2/instance", self.instance),
            web.get("/api/v1/accounts/verify_credentials", self.me),
            web.get("/api/v1/timelines/tag/acme", self.timeline),
            web.get("/api/v1/timelines/public", self.timeline),
            web.get("/api/v1/notifications", self.notifications),
            web.get("/api/v1/streaming/hashtag", self.live),
            web.get("/api/v1/streaming/public", self.live),
            web.get("/api/v1/streaming/public/local", self.live),
            web.get("/api/v1/streaming/user", self.live_mentions),
            web.get("/api/v1/statuses/{id}", self.one),
            web.get("/api/v1/statuses/{id}/context", self.context),
            web.post("/api/v1/statuses", self.publish),
            web.get("/api/v2/search", self.search),
        ]

    @override
    def own_header(self, wait: timedelta) -> dict[str, str]:
        # The place's clock in the header is the wall's, as the caller's is.
        at = datetime.now().astimezone() + wait
        return {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at.isoformat()}

    # --- in the place's words

    def local(self, post: Published) -> str:
        """The server's own id of a post."""
        return str((int(post.at.timestamp() * 1000) << 16) + post.number)

    def uri(self, post: Published) -> str:
        return f"{self.url}/users/ada/statuses/{self.local(post)}"

    def account(self, name: str = "ada", local: str = "7") -> dict[str, object]:
        return {
            "id": local,
            "username": name,
            "acct": name,
            "display_name": f"{name.title()} Example",
            "url": f"{self.url}/@{name}",
            "followers_count": 12,
            "bot": False,
            "discoverable": None,
            "indexable": None,
            "noindex": False,
        }

    def status(self, post: Published) -> dict[str, Any]:
        return {
            "id": self.local(post),
            "uri": self.uri(post),
            "url": f"{self.url}/@ada/{self.local(post)}",
            "created_at": _iso(post.at),
            "edited_at": _iso(post.edited) if post.edited else None,
            "content": post.html,
            "spoiler_text": "",
            "visibility": "private" if post.number in self.private else "public",
            "language": "en",
            "in_reply_to_id": None,
            "account": self.account(),
            "media_attachments": [],
            "mentions": [],
            "tags": [{"name": "acme", "url": f"{self.url}/tags/acme"}],
            "reblog": None,
            "poll": None,
            **self.told,
        }

    def notification(self, post: Published) -> dict[str, object]:
        return {
            "id": str(post.number),
            "type": "mention",
            "created_at": _iso(post.indexed),
            "account": self.account(),
            "status": self.status(post),
        }

    # --- what it serves

    async def instance(self, _: web.Request) -> web.Response:
        statuses = {"max_characters": self.longest}
        return web.json_response({"version": self.version, "configuration": {"statuses": statuses}})

    async def me(self, request: web.Request) -> web.Response:
        if not self.knows(request):
            return web.json_response({"error": "The access token is invalid"}, status=401)
        return web.json_response(self.account("acme", ME))

    async def timeline(self, request: web.Request) -> web.Response:
        if self.members_only and not self.knows(request):
            error = "This method requires an authenticated user"
            return web.json_response({"error": error}, status=422)
        return self.sheet(request, {self.local(post): post for post in self.listed()}, self.status)

    async def notifications(self, request: web.Request) -> web.Response:
        if not self.knows(request):
            return web.json_response({"error": "The access token is invalid"}, status=401)
        assert "mention" in request.query.getall("types[]")
        shown = {str(post.number): post for post in self.listed()}
        return self.sheet(request, shown, self.notification)

    def sheet(
        self,
        request: web.Request,
        shown: Mapping[str, Published],
        tell: Callable[[Published], object],
    ) -> web.Response:
        """One page and the Link header around it."""
        limit = min(int(request.query.get("limit", "20")), self.page)
        ids: Sequence[str] = sorted(shown, key=self.height, reverse=True)
        if "max_id" in request.query:
            ids = [id_ for id_ in ids if self.height(id_) < self.height(request.query["max_id"])]
        if "min_id" in request.query:
            ids = [id_ for id_ in ids if self.height(id_) > self.height(request.query["min_id"])]
            ids = self.above(ids, limit)
        ids = ids[:limit]
        headers = {"Link": self.links(request, ids)} if ids else {}
        return web.json_response([tell(shown[id_]) for id_ in ids], headers=headers)

    def above(self, ids: Sequence[str], limit: int) -> Sequence[str]:
        """The page right above min_id."""
        return ids[-limit:]

    def links(self, request: web.Request, ids: Sequence[str]) -> str:
        base = f"{self.url}{request.path}?limit=40"
        return f'<{base}&max_id={ids[-1]}>; rel="next", <{base}&min_id={ids[0]}>; rel="prev"'

    def height(self, local: str) -> int:
        return int(local)

    async def one(self, request: web.Request) -> web.Response:
        found = self.by_local(request.match_info["id"])
        if found is None:
            return web.json_response({"error": "Record not found"}, status=404)
        return web.json_response(self.status(found))

    async def context(self, request: web.Request) -> web.Response:
        local = request.match_info["id"]
        below = [each for each in self.answers.values() if each["in_reply_to_id"] == local]
        stranger = {**self.status(self.listed()[0]), "id": "9", "in_reply_to_id": local}
        return web.json_response({"ancestors": [], "descendants": [*below, stranger]})

    async def publish(self, request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        if not self.knows(request):
            return web.json_response({"error": "The access token is invalid"}, status=401)
        asked = await request.json()
        if key not in self.answers:
            number = len(self.answers) + 1
            self.replies.append(asked["status"])
            self.answers[key] = {
                **self.status(self.listed()[0]),
                "id": str(number),
                "uri": f"{self.url}/users/acme/statuses/{number}",
                "url": f"{self.url}/@acme/{number}",
                "account": self.account("acme", ME),
                "in_reply_to_id": asked["in_reply_to_id"],
                "visibility": asked["visibility"],
            }
        return web.json_response(self.answers[key])

    async def search(self, request: web.Request) -> web.Response:
        asked = request.query["q"]
        may = self.knows(request) and request.query.get("resolve") == "true"
        found = [post for post in self.listed() if may and self.uri(post) == asked]
        statuses = [self.status(post) for post in found]
        return web.json_response({"accounts": [], "statuses": statuses, "hashtags": []})

    async def live(self, request: web.Request) -> web.StreamResponse:
        if self.script is not None:
            return web.Response(body=self.script, headers={"Content-Type": "text/event-stream"})
        return await self.stream(request, lambda post: sse("update", self.status(post)))

    async def live_mentions(self, request: web.Request) -> web.StreamResponse:
        if self.script is not None:
            return await self.live(request)
        return await self.stream(request, lambda post: sse("notification", self.notification(post)))

    def knows(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {TOKEN}"

    def by_local(self, local: str) -> Published | None:
        found = [post for post in self.listed() if self.local(post) == local]
        return found[0] if found else None


class OtherTown(Town):
    """Pleroma and its kin: ids are no numbers, uris hold another id, min_id is not to be used."""

    version: ClassVar[str] = "2.7.2 (compatible; Pleroma 2.9.0)"

    @override
    def local(self, post: Published) -> str:
        return f"A{int(post.at.timestamp() * 1000):012x}{post.number:06x}z"

    @override
    def uri(self, post: Published) -> str:
        return f"{self.url}/objects/00000000-0000-4000-8000-{post.number:012d}"

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [*super().routes(), web.get("/objects/{uuid}", self.object)]

    async def object(self, request: web.Request) -> web.Response:
        there = any(self.uri(post).endswith(request.path) for post in self.listed())
        return web.json_response({"type": "Note"}, status=200 if there else 404)

    @override
    def height(self, local: str) -> int:
        return int(local.strip("Az"), 16)

    @override
    def above(self, ids: Sequence[str], limit: int) -> Sequence[str]:
        raise AssertionError("min_id means something else here")


def sse(event: str, told: object) -> bytes:
    """A server-sent event as Mastodon writes it."""
    data = told if isinstance(told, str) else orjson.dumps(told).decode()
    return f"event: {event}\ndata: {data}\n\n".encode()


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# What these tests read with.


class CountingTown(Town):
    """A fork that numbers posts as they come, whatever their date."""

    @override
    def local(self, post: Published) -> str:
        return str(1_000 + post.number)


class FarTown(Town):
    """A server that shows posts of another one."""

    @override
    def uri(self, post: Published) -> str:
        return "https://far.example/users/ada/statuses/5"


def recorded(name: str) -> Status:
    return Status.model_validate_json((RECORDINGS / name).read_bytes())


def mastodon(town: Town, **options: object) -> Mastodon:
    return Mastodon.model_validate({"api": town.url, **options})


@asynccontextmanager
async def door(town: Town) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={town.host_port}) as network:
        yield network.web(FREE, "mastodon")


async def pull(town: Town, memory: Memory, **options: object) -> list[Page]:
    town.wait(timedelta(seconds=1))
    found = []
    async with door(town) as network:
        async for page in mastodon(town, **options).pages(network, memory.cursor, memory):
            memory.keep(page)
            found.append(page)
    return found


async def read_all(town: Town, **options: object) -> Memory:
    memory = Memory(town)
    await pull(town, memory, **options)
    return memory


async def heard(town: Town, script: bytes, **options: object) -> list[Page]:
    """What is heard of a stream that says exactly this, and ends."""

    town.script = script
    async with door(town) as network:
        listening = mastodon(town, **options).listen(network, "where pages stopped")
        return [page async for page in listening]
