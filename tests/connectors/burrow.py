"""A Lemmy server on this machine, in version 3 and in version 4."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

from aiohttp import web
from typing_extensions import override

from connectors.kit.contract import Page, Web
from connectors.kit.web import Network
from connectors.lemmy import Lemmy
from tests.connectors.memory import Memory
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE

JWT = "a-made-up-jwt"
ME = 1  # the local id of the token's account
HOME = "https://burrow.example"


class Burrow(Place):
    """Version 3: numbered pages, posts and comments apart. Every other post is a comment."""

    page: ClassVar[int] = 5
    version: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.says: dict[str, Any] = {}  # what single views say besides, by their path
        self.answers: list[dict[str, Any]] = []
        self.locked = False
        self.refuses: tuple[int, str] | None = None  # what lists answer instead

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        api = f"/api/v{self.version}"
        return [
            web.get(f"{api}/site", self.site),
            web.get(f"{api}/search", self.search),
            web.get(f"{api}/post/list", self.post_list),
            web.get(f"{api}/comment/list", self.comment_list),
            web.get(f"{api}/user/mention", self.mention_list),
            web.get(f"{api}/user/replies", self.reply_list),
            web.get(f"{api}/comment", self.one_comment),
            web.get(f"{api}/post", self.one_post),
            web.get(f"{api}/resolve_object", self.resolve),
            web.post(f"{api}/comment", self.publish),
        ]

    async def site(self, request: web.Request) -> web.Response:
        languages = [{"id": 0, "code": "und"}, {"id": 37, "code": "en"}]
        site = {"site_view": {"site": {"actor_id": f"{HOME}/"}}, "all_languages": languages}
        if request.headers.get("Authorization") == f"Bearer {JWT}":
            site["my_user"] = {"local_user_view": {"person": {"id": ME, "name": "acme"}}}
        return web.json_response(site)

    # Lists.

    async def search(self, request: web.Request) -> web.Response:
        asked = request.query
        assert (asked["q"], asked["type_"], asked["sort"]) == ("acme soup", "All", "New")
        return self.lists(request, {"posts": self.posts(), "comments": self.comments()})

    async def post_list(self, request: web.Request) -> web.Response:
        assert request.query["community_name"] == "soup"
        return self.lists(request, {"posts": self.posts()})

    async def comment_list(self, request: web.Request) -> web.Response:
        if "post_id" in request.query:
            return web.json_response({"comments": self.below(request)})
        assert request.query["community_name"] == "soup"
        return self.lists(request, {"comments": self.comments()})

    async def mention_list(self, request: web.Request) -> web.Response:
        assert request.query["unread_only"] == "false"
        return self.lists(request, {"mentions": self.posts()})

    async def reply_list(self, request: web.Request) -> web.Response:
        return self.lists(request, {"replies": self.comments()})

    def posts(self) -> list[Published]:
        return [post for post in self.listed() if post.number % 2 == 0]

    def comments(self) -> list[Published]:
        return [post for post in self.listed() if post.number % 2]

    def lists(self, request: web.Request, held: dict[str, list[Published]]) -> web.Response:
        assert request.query["limit"] == "50"
        if self.refuses:
            status, error = self.refuses
            return web.json_response({"error": error}, status=status)
        start = (int(request.query.get("page", "1")) - 1) * self.page
        told: dict[str, Any] = {
            name: [self.view(post) for post in posts[start : start + self.page]]
            for name, posts in held.items()
        }
        return web.json_response({"users": [], "communities": [], **told})

    # Single ones.

    async def one_comment(self, request: web.Request) -> web.Response:
        return self.single(int(request.query["id"]), "comment_view")

    async def one_post(self, request: web.Request) -> web.Response:
        return self.single(int(request.query["id"]), "post_view")

    async def resolve(self, request: web.Request) -> web.Response:
        assert not request.query["q"].startswith(HOME)
        number = int(request.query["q"].rpartition("/")[2])
        return self.single(number, "comment" if number % 2 else "post")

    def single(self, number: int, name: str) -> web.Response:
        post = self.holds(number)
        if post is None:
            return web.json_response({"error": "couldnt_find_comment"}, status=404)
        return web.json_response({name: self.view(post)})

    def below(self, request: web.Request) -> list[dict[str, Any]]:
        above = request.query.get("parent_id", "0")
        path = f"0.{above}." if above != "0" else "0."
        return [one for one in self.answers if one["comment"]["path"].startswith(path)]

    async def publish(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {JWT}"
        asked = await request.json()
        if self.locked:
            return web.json_response({"error": "locked"}, status=400)
        self.replies.append(asked["content"])
        return web.json_response({"comment_view": self.answer(asked)})

    def answer(self, asked: dict[str, Any], *, creator: int = ME) -> dict[str, Any]:
        """Somebody's comment below a post or another comment."""
        number = 9_000 + len(self.answers)
        above = f"{asked['parent_id']}." if asked.get("parent_id") else ""
        comment = self.words(number, self.now) | {
            "content": asked["content"],
            "ap_id": f"{HOME}/comment/{number}",
            "path": f"0.{above}{number}",
        }
        story = self.words(asked["post_id"], self.now) | {"name": "Soup"}
        view = {"comment": comment, "post": story, "creator": {"id": creator}}
        self.answers.append(view)
        return view

    # In its own words.

    def view(self, post: Published) -> dict[str, Any]:
        own = self.words(post.number, post.at, post.edited)
        view: dict[str, Any] = {
            "creator": {
                "id": 7,
                "name": "ada",
                "display_name": post.author,
                "actor_id": f"{HOME}/u/ada",
            },
            "community": {"id": 3, "name": "soup", "title": "Soup", "actor_id": f"{HOME}/c/soup"},
            "counts": {"score": 1},
        }
        if post.number % 2:
            story = self.words(2, post.at) | {"name": "Soup"}
            comment = own | {"content": post.text, "path": f"0.{post.number}", "post_id": 2}
            view |= {"comment": comment, "post": story}
        else:
            view |= {"post": own | {"name": "Soup", "body": post.text}}
        return view

    def words(self, number: int, at: Any, edited: Any = None) -> dict[str, Any]:
        # Times without a zone, as before 0.19.
        words: dict[str, Any] = {
            "id": number,
            "ap_id": f"{HOME}/{'comment' if number % 2 else 'post'}/{number}",
            "published": f"{at:%Y-%m-%dT%H:%M:%S.%f}",
            "updated": f"{edited:%Y-%m-%dT%H:%M:%S.%f}" if edited else None,
            "deleted": False,
            "removed": False,
            "local": True,
            "language_id": 37,
        }
        return words | dict(self.says.get(str(number), {}))


class NewBurrow(Burrow):
    """Version 4: cursors, posts and comments in one list, and other names."""

    version: ClassVar[int] = 4
    page: ClassVar[int] = 10

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/api/v4/account", self.account),
            web.get("/api/v4/account/notification/list", self.notifications),
        ]

    @override
    async def site(self, request: web.Request) -> web.Response:
        return web.json_response({"site_view": {"site": {"ap_id": f"{HOME}/"}}})

    async def account(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {JWT}"
        return web.json_response({"local_user_view": {"person": {"id": ME}}})

    @override
    async def search(self, request: web.Request) -> web.Response:
        assert (request.query["type_"], request.query["sort"]) == ("all", "new")
        return self.paged(request, self.listed())

    async def notifications(self, request: web.Request) -> web.Response:
        return self.paged(request, self.listed(), wrapped=True)

    @override
    async def post_list(self, request: web.Request) -> web.Response:
        return self.paged(request, self.posts())

    @override
    async def comment_list(self, request: web.Request) -> web.Response:
        if "post_id" in request.query:
            return web.json_response({"items": self.below(request)})
        return self.paged(request, self.comments())

    def paged(
        self, request: web.Request, held: list[Published], *, wrapped: bool = False
    ) -> web.Response:
        cursor = request.query.get("page_cursor")
        if cursor:
            if not cursor.startswith("P"):
                return web.json_response({"error": "couldnt_parse_cursor"}, status=400)
            at, number = cursor[1:].split()
            edge = (at, int(number))
            held = [post for post in held if (post.at.isoformat(), post.number) < edge]
        shown = held[: self.page]
        told = [self.view(post) for post in shown]
        if wrapped:
            message = {"type_": "private_message", "private_message": {"content": "psst"}}
            told = [{"notification": {"id": 1}, "data": one} for one in [*told, message]]
        more = len(held) > self.page
        last = f"P{shown[-1].at.isoformat()} {shown[-1].number}" if more else None
        return web.json_response({"items": told, "next_page": last})

    @override
    def single(self, number: int, name: str) -> web.Response:
        post = self.holds(number)
        if post is None:
            return web.json_response({"error": "not_found"}, status=404)
        if name in {"post", "comment"}:
            return web.json_response({"resolve": self.view(post), "search": []})
        return web.json_response({name: self.view(post)})

    @override
    def view(self, post: Published) -> dict[str, Any]:
        view = super().view(post)
        view["type_"] = "comment" if "comment" in view else "post"
        for name in ("creator", "community"):
            view[name]["ap_id"] = view[name].pop("actor_id")
        return view

    @override
    def words(self, number: int, at: Any, edited: Any = None) -> dict[str, Any]:
        words = super().words(number, at, edited)
        words["published_at"] = f"{words.pop('published')}Z"
        if words.pop("updated"):
            words["updated_at"] = f"{edited:%Y-%m-%dT%H:%M:%S.%f}Z"
        return words


@asynccontextmanager
async def door(burrow: Burrow) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={burrow.host_port}) as network:
        yield network.web(FREE, "lemmy")


async def poll(burrow: Burrow, memory: Memory, **options: object) -> list[Page]:
    """Read until the walk ends."""
    burrow.wait(timedelta(seconds=1))
    source = Lemmy.model_validate({"api": burrow.url, **options})
    read = []
    async with door(burrow) as web_:
        async for page in source.pages(web_, memory.cursor, memory):
            memory.keep(page)
            read.append(page)
    return read
