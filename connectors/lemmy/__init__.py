"""Lemmy servers, read by search, by community or by what is addressed to our own account.

A post's id is its ActivityPub id, the same on all servers of the network.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Self
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import override

from connectors.kit.contract import (
    Answer,
    Change,
    Connector,
    Health,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Receipt,
    ReplyRule,
    State,
    Unread,
    Web,
)
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.kit.walk import Leaf, walk
from connectors.lemmy.shapes import Listing, Me, Refusal, Server, Single, Site, View

LIMIT = 50  # of one list: https://join-lemmy.org/docs/contributors/04-api.html
LONGEST = 10_000  # characters of a comment
DEPTH = 2  # levels below a post or comment in which we look for our own answer

# One-word errors: 400 in old versions, each its own status in new ones.
TOO_OFTEN = frozenset({"rate_limit_error", "rate_limited", "too_many_requests"})
NOT_LET_IN = frozenset({"not_logged_in", "incorrect_login", "instance_is_private"})
TOKEN = TypeAdapter(list[int | str | None])  # the version, and where each list goes on
NOT_THERE = re.compile(r"couldnt_find_\w+|not_found")


class Lemmy(Connector, frozen=True, hide_input_in_errors=True):
    """A search, a community, or what is addressed to our own account, on one server."""

    title: ClassVar = "Lemmy"
    docs: ClassVar = "https://join-lemmy.org/docs/contributors/04-api.html"
    # A server allows 60 searches in ten minutes, unless it says otherwise.
    pace: ClassVar = Pace(requests=60, per=timedelta(minutes=10))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(hours=1)  # posts come from other servers, in their own time

    api: str = Field(description="The server's address, such as https://lemmy.world")
    query: str | None = Field(None, min_length=3, description="Read what a search finds")
    community: str | None = Field(
        None, description="Read the posts and comments of a community, such as soup@lemmy.world"
    )
    mentions: bool = Field(
        False, description="Read what mentions or answers the account of the token"
    )
    token: SecretStr | None = Field(
        None, description="A login token (jwt); mentions and replies need one"
    )

    @field_validator("api")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @field_validator("community")
    @classmethod
    def _a_name(cls, community: str | None) -> str | None:
        if community is None:
            return None
        name = community.strip().removeprefix("!")
        if not re.fullmatch(r"\w+(@[\w.:-]+)?", name):
            raise ValueError("give the community's name, such as soup, or soup@lemmy.world")
        return name

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum((self.query is not None, self.community is not None, self.mentions)) != 1:
            raise ValueError("choose one of query, community and mentions")
        if self.mentions and self.token is None:
            raise ValueError("mentions are read with a token of your own account")
        return self

    @property
    @override
    def about_us(self) -> bool:
        return self.mentions

    @override
    async def check(self, web: Web) -> Health:
        server = await self._server(web)
        if self.mentions and not server.me:
            return Health(False, f"{self._host} does not know the token: log in again.")
        await self._leaf(web, server, None)
        return Health(True, f"Reads {self._what} on {self._host} (API version {server.version}).")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        server = await self._server(web)

        async def fetch(token: str | None) -> Leaf:
            return await self._leaf(web, server, token)

        numbered = server.version == 3
        async for page in walk(fetch, cursor, known, lag=self.lag, shifts=numbered):
            yield page

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for each post again: by number if it is the server's own, else by its global id."""
        server = await self._server(web)
        return [await self._change(web, server, id_) for id_ in ids]

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether we have an account to answer with."""
        if self.token is None:
            reason = "Answering needs a token of your account; without one, answer by hand."
            return ReplyRule(False, reason=reason, link=post.url)
        return ReplyRule(True, length=LONGEST, link=post.url)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:  # noqa: ARG002
        """Comment on the post, or answer the comment."""
        if len(text) > LONGEST:
            raise ConnectorError(
                f"The reply has {len(text)} characters, and Lemmy takes {LONGEST}. Shorten it."
            )
        server = await self._server(web)
        asked = await self._still_there(web, server, post.id)
        words: dict[str, object] = {"content": text, "post_id": asked.post.id}
        if asked.comment:
            words["parent_id"] = asked.comment.id
        url = f"{self.api}/api/v{server.version}/comment"
        try:
            told = await web.post(Single, url, json=words, headers=self._headers)
        except Unreadable as refused:  # 400: the server says why, in one word
            raise self._refusal(refused.raw) or refused from None
        if told.view is None:
            raise Unreadable(f"{self._host} does not say what became of the reply.")
        return _receipt(told.view)

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:  # noqa: ARG002
        """Look for our newest comment directly below.

        The server keeps no key of ours, so it cannot tell two answers of ours apart.
        """
        server = await self._server(web)
        asked = await self._still_there(web, server, post.id)
        above = asked.comment.id if asked.comment else 0
        words = {"post_id": str(asked.post.id), "max_depth": str(DEPTH)}
        words |= {"parent_id": str(above)} if above else {}
        newest = _words(server, sort="New", type_="All", limit=str(LIMIT))
        answer = await self._ask(web, server, "/comment/list", {**words, **newest})
        ours = [
            one
            for one in web.read(Listing, answer).told
            if isinstance(one, View) and one.comment and one.comment.parent == above
            if server.me and one.creator.id == server.me and not one.comment.is_gone
        ]
        return _receipt(max(ours, key=lambda one: one.written.published)) if ours else None

    # Asking.

    @property
    def _host(self) -> str:
        return urlsplit(self.api).netloc

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}

    @property
    def _what(self) -> str:
        if self.mentions:
            return "what mentions or answers your account"
        return f"!{self.community}" if self.community else f"what a search for {self.query} finds"

    async def _server(self, web: Web) -> Server:
        """Which version the server speaks, who we are there, and its numbers of languages."""
        version, answer = 4, await self._site(web, 4)
        if answer.status != 200 or not answer.body.lstrip().startswith(b"{"):
            version, answer = 3, await self._site(web, 3)
        if answer.status != 200:
            raise self._refusal(answer.body) or Gone(f"{self._host} is no Lemmy server.")
        site = web.read(Site, answer)
        me = site.person.id
        if self.token and not me and version == 4:
            url = f"{self.api}/api/v4/account"
            me = (await web.get(Me, url, headers=self._headers)).person.id
        address = site.actor.address.rstrip("/") or self.api
        codes = {language.id: language.code for language in site.languages}
        return Server(version=version, address=address, me=me, codes=codes)

    async def _site(self, web: Web, version: int) -> Answer:
        url = f"{self.api}/api/v{version}/site"
        return await web.fetch(url, headers=self._headers, also=(400, 404, 405, 410))

    async def _ask(
        self,
        web: Web,
        server: Server,
        path: str,
        params: Mapping[str, str],
        *,
        also: Collection[int] = (),
    ) -> Answer:
        """What the server answers; its one-word errors as ours."""
        url = f"{self.api}/api/v{server.version}{path}"
        answer = await web.fetch(url, params=params, headers=self._headers, also={400, *also})
        if answer.status == 400 and 400 not in also:
            raise self._refusal(answer.body) or Unreadable(
                f"{self._host} did not understand our request (400).",
                raw=answer.body[:64_000].decode(errors="replace"),
            )
        return answer

    def _refusal(self, told: bytes | str) -> ConnectorError | None:
        """A one-word error as the error that says what to do; None when there is no such word."""
        try:
            word = Refusal.model_validate_json(told).error
        except ValidationError:
            return None
        if word in TOO_OFTEN:
            return TryLater(f"{self._host} says we ask too often.")
        if word in NOT_LET_IN:
            return AccessDenied(f"{self._host} does not let us in ({word}): log in again.")
        if NOT_THERE.fullmatch(word):
            return Gone(f"{self._host} does not have what we asked for ({word}).")
        return Unreadable(f"{self._host} does not do what we asked: {word}.")

    # Reading lists. A walk may go through two lists side by side: posts and comments.

    def _lists(self, server: Server) -> list[tuple[str, dict[str, str]]]:
        """The paths of what is read, with what is asked of each."""
        if self.query is not None:
            words = _words(server, type_="All", sort="New", listing_type="All")
            return [("/search", {"q": self.query, **words})]
        if self.community is not None:
            words = {"community_name": self.community, **_words(server, sort="New", type_="All")}
            return [("/post/list", words), ("/comment/list", words)]
        if server.version == 3:
            words = {"sort": "New", "unread_only": "false"}
            return [("/user/mention", words), ("/user/replies", words)]
        return [("/account/notification/list", {"type_": "all", "unread_only": "false"})]

    async def _leaf(self, web: Web, server: Server, token: str | None) -> Leaf:
        """The next page of each list that has not ended."""
        lists = self._lists(server)
        begun: list[str | None] = [""] * len(lists)
        stands = _tokens(server, token, len(lists)) if token else begun
        told: list[View | Unread | None] = []
        onward: list[str | None] = []
        for (path, words), stand in zip(lists, stands, strict=True):
            if stand is None:
                onward.append(None)
                continue
            turned = _turned(server, stand)
            answer = await self._ask(web, server, path, {**words, "limit": str(LIMIT), **turned})
            listing = web.read(Listing, answer)
            told += listing.told
            onward.append(_next(server, stand, listing))
        ended = all(stand is None for stand in onward)
        views = [one for one in told if isinstance(one, View)]
        views.sort(key=lambda one: one.written.published, reverse=True)
        parents = {one.comment.id: one.comment.ap_id for one in views if one.comment}
        return Leaf(
            posts=[one.as_post(server, parents) for one in views if not one.written.is_gone],
            gone=[one.written.ap_id for one in views if one.written.is_gone],
            unreadable=[one for one in told if isinstance(one, Unread)],
            next_token=None if ended else orjson.dumps([server.version, *onward]).decode(),
            whole=ended,
        )

    # One post again.

    async def _change(self, web: Web, server: Server, id_: str) -> Change:
        view, state = await self._find(web, server, id_)
        if view is None:
            return Change(id_, state)
        if view.written.is_gone:
            return Change(id_, State.GONE)
        post = view.as_post(server, {})
        return Change(id_, State.EDITED if post.edited else State.SAME, post)

    async def _find(self, web: Web, server: Server, id_: str) -> tuple[View | None, State]:
        """The post with this global id; without one, whether it is gone or not to be asked."""
        path, words, missing = "/resolve_object", {"q": id_}, State.ABSENT
        if own := re.fullmatch(rf"{re.escape(server.address)}/(post|comment)/(\d+)", id_):
            path, words, missing = f"/{own[1]}", {"id": own[2]}, State.GONE
        answer = await self._ask(web, server, path, words, also=(400, 401, 403, 404, 410))
        if answer.status == 200:
            view = web.read(Single, answer).any_view
            same = view is not None and view.written.ap_id == id_
            return (view, State.SAME) if same else (None, State.UNKNOWN)
        refusal = self._refusal(answer.body)
        if isinstance(refusal, TryLater):
            raise refusal
        there_is_none = answer.status in {404, 410} or isinstance(refusal, Gone)
        return None, missing if there_is_none else State.UNKNOWN

    async def _still_there(self, web: Web, server: Server, id_: str) -> View:
        view, state = await self._find(web, server, id_)
        if view and not view.written.is_gone:
            return view
        if view or state in {State.GONE, State.ABSENT}:
            raise Gone(f"The post is no longer on {self._host}, so it cannot be answered.")
        raise AccessDenied(f"{self._host} does not show us the post: log in again.")


def _words(server: Server, **words: str) -> dict[str, str]:
    """Names of orders and kinds, which version 4 writes small."""
    return {name: value if server.version == 3 else value.lower() for name, value in words.items()}


def _tokens(server: Server, token: str, lists: int) -> list[str | None]:
    """Where each list goes on. A token of another version is refused, and the walk begins anew."""
    version, *stands = TOKEN.validate_json(token)
    if version != server.version or len(stands) != lists:
        raise Unreadable("The server speaks another version of its interface now.")
    return [None if stand is None else str(stand) for stand in stands]


def _turned(server: Server, stand: str) -> dict[str, str]:
    """The parameters that turn to a page; none for the first."""
    if not stand:
        return {}
    return {"page": stand} if server.version == 3 else {"page_cursor": stand}


def _next(server: Server, stand: str, listing: Listing) -> str | None:
    """What stands for the page below; a list has ended when it has nothing to show."""
    if server.version == 4:
        return listing.next_page
    return str(int(stand or 1) + 1) if listing.told else None


def _receipt(view: View) -> Receipt:
    return Receipt(view.written.ap_id, view.written.ap_id)
