"""A Reddit on this machine, answering as reddit.com/dev/api and its recordings say."""

import re
from base64 import b64decode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

from aiohttp import web
from typing_extensions import override

from connectors.kit.contract import Page, Web
from connectors.kit.web import Network
from connectors.reddit import Reddit
from tests.connectors.memory import Memory
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE

LOGIN: dict[str, str] = {
    "client_id": "an-app",
    "client_secret": "made-up-secret",
    "account": "acme_help",
    "password": "made-up-password",
}
NAME = re.compile(r"\w+:[\w.-]+:v\d+(\.\d+)* \(by /u/[\w-]+\)")
EDGE = "<!doctype html><html><body>You've been blocked by network security.</body></html>"


class Front(Place):
    """Reddit's two hosts in one: tokens, lists of a thousand, and the traps between them."""

    page: ClassVar[int] = 25
    window: ClassVar[int | None] = 1000
    mixed: ClassVar[bool] = False  # every other post is a comment

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []  # given out, and good
        self.grants: list[dict[str, str]] = []
        self.nowhere = False  # there is no such community
        self.blocks = False  # the edge lets this network in nowhere
        self.refusal: dict[str, object] | None = None  # what the interface says with a 403
        self.objection: dict[str, object] | None = None  # what it says of a reply
        self.removed: set[int] = set()  # still listed, with a mark in place of the text
        self.told: dict[str, object] = {}  # what things say besides
        self.ours: list[dict[str, Any]] = []  # our comments, oldest first
        self.profile = True  # our profile shows them
        self.left_out = False  # trees show no comments, only that there are more

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.post("/api/v1/access_token", self.sell),
            web.get("/api/v1/access_token", self.show),
            web.get("/search", self.search),
            web.get("/r/{names}/new", self.new),
            web.get("/r/{names}/comments", self.comments),
            web.get("/message/inbox", self.inbox),
            web.get("/api/info", self.by_ids),
            web.post("/api/comment", self.publish),
            web.get("/user/acme_help/comments", self.own),
            web.get("/comments/{id}", self.tree),
            web.get("/api/morechildren", self.more),
            web.get("/subreddits/search", self.strangers),
        ]

    @override
    def own_header(self, wait: timedelta) -> dict[str, str]:
        left = f"{wait.total_seconds():.0f}"
        return {"X-Ratelimit-Used": "100.0", "X-Ratelimit-Remaining": "0.0"} | {
            "X-Ratelimit-Reset": left
        }

    # --- tokens

    async def sell(self, request: web.Request) -> web.Response:
        assert NAME.fullmatch(request.headers["User-Agent"])
        if self.blocks:
            return web.Response(text=EDGE, status=403, content_type="text/html")
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.grants.append(form)
        proof = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        if proof.split(":")[0] != "an-app":
            return web.json_response({"message": "Unauthorized", "error": 401}, status=401)
        if form.get("password", "made-up-password") != "made-up-password":
            return web.json_response({"error": "invalid_grant"})
        if form.get("refresh_token", "made-up-token") != "made-up-token":
            told = {"message": "Bad Request", "error": "invalid_grant"}
            return web.json_response(told, status=400)
        self.tokens.append(f"token-{len(self.grants)}-of-{self.host_port}")
        return web.json_response(
            {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 3600}
        )

    async def show(self, _: web.Request) -> web.Response:
        """The same address, looked at: it gives nothing, unless the edge is in between."""
        status = 403 if self.blocks else 404
        return web.Response(text=EDGE, status=status, content_type="text/html")

    def turned_away(self, request: web.Request) -> web.Response | None:
        assert NAME.fullmatch(request.headers["User-Agent"])
        assert request.query["raw_json"] == "1"
        if self.blocks:
            return web.Response(text=EDGE, status=403, content_type="text/html")
        good = [f"bearer {token}" for token in self.tokens]
        if request.headers.get("Authorization") not in good:
            return web.json_response({"message": "Unauthorized", "error": 401}, status=401)
        if self.refusal is not None:
            return web.json_response({"error": 403, **self.refusal}, status=403)
        return None

    # --- lists

    async def search(self, request: web.Request) -> web.Response:
        assert (request.query["q"], request.query["sort"], request.query["type"]) == (
            "acme",
            "new",
            "link",
        )
        return self.listing(request, self.listed())

    async def new(self, request: web.Request) -> web.Response:
        if self.nowhere:
            raise web.HTTPFound(f"/subreddits/search?q=acme&raw_json={request.query['raw_json']}")
        assert request.match_info["names"] == "acme+soup"
        return self.listing(request, [p for p in self.listed() if not self.is_comment(p)])

    async def comments(self, request: web.Request) -> web.Response:
        assert request.match_info["names"] == "acme+soup"
        return self.listing(request, [p for p in self.listed() if self.is_comment(p)])

    async def inbox(self, request: web.Request) -> web.Response:
        assert request.query["mark"] == "false"
        return self.listing(request, self.listed())

    async def by_ids(self, request: web.Request) -> web.Response:
        ids = request.query["id"].split(",")
        assert len(ids) <= 100
        held = {self.name(post): post for post in self._held.values()}
        things = [self.thing(held[id_]) for id_ in ids if id_ in held]
        return self.turned_away(request) or web.json_response(listing(things))

    async def strangers(self, request: web.Request) -> web.Response:
        community = {"kind": "t5", "data": {"name": "t5_abc", "display_name": "acme"}}
        return self.turned_away(request) or web.json_response(listing([community]))

    def listing(self, request: web.Request, shown: list[Published]) -> web.Response:
        """One page. A post that is no longer listed is followed by nothing, for ever."""
        assert "before" not in request.query
        names = [self.name(post) for post in shown]
        start = 0
        if "after" in request.query:
            after = request.query["after"]
            start = names.index(after) + 1 if after in names else len(names)
        end = start + min(self.page, int(request.query["limit"]))
        after_this = names[end - 1] if end < len(names) else None
        things = [self.thing(post) for post in shown[start:end]]
        return self.turned_away(request) or web.json_response(listing(things, after_this))

    # --- things

    def is_comment(self, post: Published) -> bool:
        return self.mixed and post.number % 2 == 1

    def name(self, post: Published) -> str:
        return f"t1_c{post.number}" if self.is_comment(post) else f"t3_s{post.number}"

    def thing(self, post: Published) -> dict[str, Any]:
        gone, taken = post.deleted, post.number in self.removed
        mark = "[deleted]" if gone else "[removed]"
        text, html = (mark, f"<p>{mark}</p>") if gone or taken else (post.text, post.html)
        html = f'<!-- SC_OFF --><div class="md">{html}\n</div><!-- SC_ON -->'
        told: dict[str, Any] = {
            "name": self.name(post),
            "author": "[deleted]" if gone else "ada_eats",
            "author_fullname": "t2_ada",
            "subreddit": "soup",
            "created_utc": post.at.timestamp(),
            "edited": post.edited.timestamp() if post.edited else False,
            "score": 1,
            "locked": False,
            "archived": False,
            **self.told,
        }
        if self.is_comment(post):
            told |= {"body": text, "body_html": html, "parent_id": "t3_s1", "link_id": "t3_s1"}
            told |= {"permalink": f"/r/soup/comments/s1/cold/c{post.number}/", "replies": ""}
            return {"kind": "t1", "data": told}
        told |= {"title": "Cold soup", "selftext": text, "selftext_html": html, "is_self": True}
        told |= {"permalink": f"/r/soup/comments/s{post.number}/cold_soup/"}
        return {"kind": "t3", "data": told}

    # --- replies

    async def publish(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (away := self.turned_away(request)) is not None:
            return away
        if self.objection is not None:
            return web.json_response({"json": self.objection})
        assert form["api_type"] == "json"
        self.replies.append(str(form["text"]))
        comment = self.our_comment(len(self.replies), str(form["thing_id"]), str(form["text"]))
        self.ours.append(comment)
        return web.json_response({"json": {"errors": [], "data": {"things": [comment]}}})

    def our_comment(self, number: int, parent: str, text: str, **also: object) -> dict[str, Any]:
        told: dict[str, object] = {
            "name": f"t1_ours{number}",
            "author": "Acme_Help",
            "body": text,
            "created_utc": self.now.timestamp() + number,
            "parent_id": parent,
            "link_id": "t3_s1",
            "permalink": f"/r/soup/comments/s1/cold/ours{number}/",
            **also,
        }
        return {"kind": "t1", "data": told}

    async def own(self, request: web.Request) -> web.Response:
        assert request.query["sort"] == "new"
        shown = list(reversed(self.ours)) if self.profile else []
        start = int(request.query.get("after", "0"))
        end = start + self.page
        after = str(end) if end < len(shown) else None
        return self.turned_away(request) or web.json_response(listing(shown[start:end], after))

    async def tree(self, request: web.Request) -> web.Response:
        """A submission with its comments, or one comment with its answers."""
        above = f"t3_{request.match_info['id']}"
        below: list[dict[str, Any]] = list(self.ours)
        if self.left_out:
            children = [each["data"]["name"].partition("_")[2] for each in self.ours]
            parent = self.ours[0]["data"]["parent_id"]
            below = [{"kind": "more", "data": {"parent_id": parent, "children": children}}]
        if "comment" in request.query:
            name = f"t1_{request.query['comment']}"
            asked: dict[str, object] = {"name": name, "author": "ada_eats", "body": "Hm."}
            asked |= {"created_utc": self.now.timestamp(), "parent_id": above}
            below = [{"kind": "t1", "data": {**asked, "replies": listing(below)}}]
        trees = [listing([]), listing(below)]
        return self.turned_away(request) or web.json_response(trees)

    async def more(self, request: web.Request) -> web.Response:
        asked = request.query["children"].split(",")
        assert len(asked) <= 100
        found = [each for each in self.ours if each["data"]["name"].partition("_")[2] in asked]
        return web.json_response({"json": {"errors": [], "data": {"things": found}}})


class Town(Front):
    """Communities where people also comment."""

    mixed = True


class Mailbox(Front):
    """An inbox: comments tell their place with fewer words, and some are messages."""

    mixed = True

    @override
    def thing(self, post: Published) -> dict[str, Any]:
        told = super().thing(post)["data"]
        del told["edited"]
        told |= {"body": told.pop("selftext", "") or told.get("body", "")}
        told |= {"body_html": told.pop("selftext_html", "") or told.get("body_html", "")}
        told |= {"type": "username_mention", "subject": "username mention", "new": True}
        for word in ("link_id", "permalink", "title", "is_self"):
            told.pop(word, None)
        told["parent_id"] = "t3_s1"
        told["context"] = f"/r/soup/comments/s1/cold/c{post.number}/?context=3"
        return {"kind": "t1", "data": told}

    @override
    def name(self, post: Published) -> str:
        return f"t1_c{post.number}"


def listing(things: Iterable[object], after: str | None = None) -> dict[str, object]:
    """A page as Reddit wraps it."""
    return {"kind": "Listing", "data": {"children": list(things), "after": after, "before": None}}


# What these tests read with.


def reddit(front: Front, **options: object) -> Reddit:
    given: dict[str, object] = {"api": front.url, **LOGIN, **options}
    if not {"query", "communities", "inbox"} & options.keys():
        given["query"] = "acme"
    return Reddit.model_validate(given)


@asynccontextmanager
async def opened(front: Front) -> AsyncIterator[Web]:
    async with front, Network(CONTACT, allow={front.host_port}) as network:
        yield network.web(FREE, "reddit")


async def poll(front: Front, network: Web, memory: Memory, **options: object) -> list[Page]:
    front.wait(timedelta(seconds=1))
    memory.walk = front.now
    read = []
    async for page in reddit(front, **options).pages(network, memory.cursor, memory):
        memory.keep(page)
        read.append(page)
    return read
