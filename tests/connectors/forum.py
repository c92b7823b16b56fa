"""A Discourse forum on this machine: posts by number, a search, answers, and rooms for members."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

from aiohttp import web
from typing_extensions import override

from connectors.discourse import Discourse
from connectors.kit.contract import Page, Web
from connectors.kit.web import Network
from tests.connectors.memory import Memory
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE

KEY = "a-made-up-key"
ACCOUNT = "acme_support"
SEARCHED = "acme soup"


class Forum(Place):
    """Lists by number, downwards; `before` means below, as in today's versions."""

    page: ClassVar[int] = 10
    inclusive: ClassVar[bool] = False  # in older versions `before` itself is listed again

    def __init__(self) -> None:
        super().__init__()
        self.for_members: set[int] = set()  # not listed to us, as in versions that sort them out
        self.told: dict[int, dict[str, Any]] = {}  # what single posts say besides
        self.answers: list[dict[str, Any]] = []
        self.moderated = False

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/posts.json", self.latest),
            web.get("/search.json", self.search),
            web.get("/posts/{id}.json", self.one),
            web.get("/posts/{id}/replies.json", self.replies_to),
            web.get("/t/{topic}.json", self.topic),
            web.post("/posts.json", self.publish),
        ]

    @override
    def listed(self) -> list[Published]:
        return sorted(super().listed(), key=lambda post: post.number, reverse=True)

    async def latest(self, request: web.Request) -> web.Response:
        posts = self.listed()
        if "before" in request.query:
            edge = int(request.query["before"]) + self.inclusive
            posts = [post for post in posts if post.number < edge]
        page = posts[: self.page]
        shown = [post for post in page if post.number not in self.for_members]
        listed = [self.post(post) | {"topic_title": title(post)} for post in shown]
        return web.json_response({"latest_posts": listed})

    async def search(self, request: web.Request) -> web.Response:
        assert request.query["q"] == f"{SEARCHED} order:latest"
        number = int(request.query["page"])
        if number > 10:
            raise web.HTTPBadRequest
        found = [post for post in self.listed() if post.number not in self.for_members]
        start = (number - 1) * self.page
        shown = found[start : start + self.page]
        return web.json_response(
            {
                "posts": [
                    {
                        "id": post.number,
                        "topic_id": post.number,
                        "post_number": 1,
                        "username": "ada",
                        "created_at": stamp(post),
                        "blurb": f"...{post.text[:20]}...",
                    }
                    for post in shown
                ],
                "topics": [{"id": post.number, "title": title(post)} for post in shown],
                "grouped_search_result": {
                    "more_full_page_results": True if len(found) > start + self.page else None
                },
            }
        )

    async def one(self, request: web.Request) -> web.Response:
        post = self.holds(int(request.match_info["id"]))
        if post is None:
            error = {"errors": ["The requested URL or resource could not be found."]}
            return web.json_response(error, status=404)
        if post.number in self.for_members:
            return web.json_response({"error_type": "invalid_access"}, status=403)
        return web.json_response(self.post(post))

    async def topic(self, request: web.Request) -> web.Response:
        post = self.holds(int(request.match_info["topic"]))
        if post is None:
            raise web.HTTPNotFound
        found = {"id": post.number, "title": title(post), "post_stream": {"posts": []}}
        return web.json_response(found)

    async def replies_to(self, request: web.Request) -> web.Response:
        topic, after = int(request.match_info["id"]), int(request.query["after"])
        below = [
            answer
            for answer in self.answers
            if answer["topic_id"] == topic and answer["post_number"] > after
        ]
        return web.json_response(below[:2])

    async def publish(self, request: web.Request) -> web.Response:
        assert request.headers["Api-Key"] == KEY
        assert request.headers["Api-Username"] == ACCOUNT
        asked = await request.json()
        if len(asked["raw"]) < 5:
            errors = {"action": "create_post", "errors": ["Body is too short (minimum is 5)"]}
            return web.json_response(errors, status=422)
        if asked["raw"] in self.replies:
            errors = {"action": "create_post", "errors": ["Body is too similar to what you posted"]}
            return web.json_response(errors, status=422)
        self.replies.append(asked["raw"])
        if self.moderated:
            waiting = {"action": "enqueued", "success": True, "pending_post": {"id": 5}}
            return web.json_response(waiting)
        return web.json_response(self.answer(asked["topic_id"], ACCOUNT, asked["raw"]))

    def answer(self, topic: int, username: str, raw: str) -> dict[str, Any]:
        """Somebody's answer to the first post of a topic."""
        answer: dict[str, Any] = {
            "id": 90_000 + len(self.answers),
            "topic_id": topic,
            "topic_slug": "soup",
            "post_number": 2 + len(self.answers),
            "reply_to_post_number": 1,
            "created_at": self.now.isoformat(),
            "cooked": f"<p>{raw}</p>",
            "username": username,
        }
        self.answers.append(answer)
        return answer

    def post(self, post: Published) -> dict[str, Any]:
        """A post of its own topic, as the interface writes it."""
        return {
            "id": post.number,
            "name": post.author,
            "username": "ada",
            "user_id": 7,
            "avatar_template": "/letter_avatar_proxy/v4/letter/a/{size}.png",
            "created_at": stamp(post),
            "cooked": post.html,
            "post_number": 1,
            "post_type": 1,
            "updated_at": (post.edited or post.at).isoformat(),
            "reply_to_post_number": None,
            "reads": 3,
            "topic_id": post.number,
            "topic_slug": "soup",
            "version": 2 if post.edited else 1,
            "hidden": False,
            "deleted_at": None,
            "user_deleted": False,
        } | self.told.get(post.number, {})


class OldForum(Forum):
    """A version whose `before` lists that post again."""

    inclusive: ClassVar[bool] = True


def stamp(post: Published) -> str:
    return post.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def title(post: Published) -> str:
    return f"Soup & more, {post.number}"


@asynccontextmanager
async def door(forum: Forum) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={forum.host_port}) as network:
        yield network.web(FREE, "forum")


async def poll(forum: Forum, memory: Memory, **options: object) -> list[Page]:
    """Read until the walk ends."""
    forum.wait(timedelta(seconds=1))
    source = Discourse.model_validate({"api": forum.url, **options})
    read = []
    async with door(forum) as web_:
        async for page in source.pages(web_, memory.cursor, memory):
            memory.keep(page)
            read.append(page)
    return read
