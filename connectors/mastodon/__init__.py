"""Mastodon and every server that speaks its interface, read by hashtag, timeline or mention.

Pleroma, Akkoma, Pixelfed, GoToSocial, Friendica and Firefish are read as well. A post's id is
its ActivityPub uri, the same on all servers of the network.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, Literal, Self
from urllib.parse import quote, urlencode

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
    ServerEvent,
    State,
    Unread,
    Web,
)
from connectors.kit.errors import AccessDenied, ConnectorError, Gone
from connectors.mastodon.shapes import (
    PUBLIC,
    Context,
    Found,
    Instance,
    Me,
    Notification,
    Notifications,
    Status,
    Statuses,
    Torn,
    local_id,
    split,
    unknown_shape,
)
from connectors.mastodon.stream import EDITS, Seen, unwrapped
from connectors.mastodon.walks import Line, Mark, Sheet, mark_of, older, walk

ADDRESSED = frozenset({"mention", "quote"})
REFUSALS = frozenset({401, 403, 404, 422})
ACTIVITY = "application/activity+json"  # how servers of the network ask each other for a post


class Mastodon(Connector, frozen=True, hide_input_in_errors=True):
    """One hashtag, one public timeline or the mentions of our own account on one server."""

    title: ClassVar = "Mastodon"
    docs: ClassVar = "https://docs.joinmastodon.org/client/intro/"
    # https://docs.joinmastodon.org/api/rate-limits/
    pace: ClassVar = Pace(requests=300, per=timedelta(minutes=5))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=15)

    api: str = Field(description="The server's address, such as https://mastodon.social")
    api_stream: str | None = Field(
        None, description="The server's streaming address, where it differs and does not say so"
    )
    tag: str | None = Field(None, description="Read posts with this hashtag")
    timeline: Literal["public", "local", "remote"] | None = Field(
        None, description="Read the server's timeline: everything, its own posts, or all others"
    )
    mentions: bool = Field(False, description="Read what is addressed to the token's account")
    token: SecretStr | None = Field(
        None, description="An access token; mentions and replies need one"
    )
    opted_out: bool = Field(
        False, description="Also read accounts that opted out of search or of discovery"
    )
    characters: int = Field(500, gt=0, description="How long a reply may be on this server")

    @field_validator("api", "api_stream")
    @classmethod
    def _an_address(cls, address: str | None) -> str | None:
        if address is None:
            return None
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @field_validator("tag")
    @classmethod
    def _a_word(cls, tag: str | None) -> str | None:
        if tag is None:
            return None
        word = tag.strip().removeprefix("#")
        if not word or re.search(r"[\s/?#]", word):
            raise ValueError("a hashtag is one word, with or without #")
        return word

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum((self.tag is not None, self.timeline is not None, self.mentions)) != 1:
            raise ValueError("choose one of tag, timeline and mentions")
        if self.mentions and self.token is None:
            raise ValueError("mentions are read with a token of your own account")
        return self

    @property
    @override
    def about_us(self) -> bool:
        return self.mentions

    @override
    async def check(self, web: Web) -> Health:
        await self._sheet(web, {"limit": "1"})
        return Health(True, f"Reads {self._what} on {self._host}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        async def read(query: Mapping[str, str]) -> Sheet:
            return await self._sheet(web, query, quotes=mark.climbs)

        mark = mark_of(cursor) or await self._begin(web)
        oldest = known.since if mark.read is None else None
        seen = Seen()
        async with aclosing(walk(read, mark, known, self.lag)) as steps:
            async for step in steps:
                posts = await self._posts(web, step.lines, seen, step.mark.me)
                yield Page(
                    posts=tuple(p for p in posts if oldest is None or p.published >= oldest),
                    cursor=step.mark.cursor,
                    unreadable=tuple(line.unread for line in step.lines if line.unread),
                    span=step.span,
                )

    async def listen(self, web: Web, cursor: str | None) -> AsyncIterator[Page]:
        """Yield what the server streams, at once.

        The cursor stays where it is: a stream is not repeated after a cut and proves nothing,
        so `pages` reads the same stretch again and finds what the stream left out.
        """
        path, query = self._stream
        seen = Seen()
        url = self.stream_base(await self._instance(web)) + path
        me = await self._me(web)
        async for event in web.events(url, params=query, headers=self._headers):
            page = await self._heard(web, event, cursor, seen, me)
            if page:
                yield page

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for each post again.

        The server knows a post of another server under an id of its own, which it tells only
        to a token that may search; without one such a post stays unknown.
        """
        return [await self._change(web, uri) for uri in ids]

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether we can answer, and in how many characters after the author's name."""
        if self.token is None:
            reason = "Answering needs an access token of your account; without one, answer by hand."
            return ReplyRule(False, reason=reason, link=post.url)
        room = self.characters - len(_prefix(post.author.handle))
        return ReplyRule(True, length=room, link=post.url)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:
        """Answer the author, seen by whoever may see the post.

        The key makes it once: https://docs.joinmastodon.org/methods/statuses/#headers
        """
        status = await self._still_there(web, post.id)
        text = _addressed(text, status.account.acct)
        longest = (await self._instance(web)).longest
        if len(text) > longest:
            raise ConnectorError(
                f"The reply has {len(text)} characters with the author's name, and {self._host} "
                f"takes {longest}. Shorten it."
            )
        published = await web.post(
            Status,
            f"{self.api}/api/v1/statuses",
            json={"status": text, "in_reply_to_id": status.id, "visibility": status.visibility},
            headers={**self._headers, "Idempotency-Key": key},
        )
        return self._receipt(published)

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:  # noqa: ARG002
        """Look for our newest answer below the post.

        The server does not give keys back, so it cannot tell two answers of ours apart.
        """
        status = await self._still_there(web, post.id)
        me = await self._me(web)
        url = f"{self.api}/api/v1/statuses/{quote(status.id, safe='')}/context"
        below = (await web.get(Context, url, headers=self._headers)).descendants
        ours = [
            answer
            for answer in below
            if me and answer.account.id == me and answer.in_reply_to_id == status.id
        ]
        return self._receipt(max(ours, key=lambda answer: answer.created_at)) if ours else None

    # What is read, in the words of the options.

    @property
    def _host(self) -> str:
        return split(self.api).netloc

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}

    @property
    def _what(self) -> str:
        if self.tag:
            return f"posts tagged #{self.tag}"
        return "what mentions your account" if self.mentions else f"the {self.timeline} timeline"

    def _list(self, *, quotes: bool) -> tuple[str, list[tuple[str, str]]]:
        """The path and the fixed query of what is read.

        Only Mastodon itself takes a type of notification that it may not know; others refuse.
        """
        if self.mentions:
            kinds = sorted(ADDRESSED) if quotes else ["mention"]
            return "/api/v1/notifications", [("types[]", kind) for kind in kinds]
        if self.tag:
            return f"/api/v1/timelines/tag/{quote(self.tag, safe='')}", []
        only = {"local": [("local", "true")], "remote": [("remote", "true")]}
        return "/api/v1/timelines/public", only.get(self.timeline or "", [])

    @property
    def _stream(self) -> tuple[str, dict[str, str]]:
        base = "/api/v1/streaming"
        if self.mentions:
            return f"{base}/user", {}
        if self.tag:
            return f"{base}/hashtag", {"tag": self.tag}
        within = "" if self.timeline == "public" else f"/{self.timeline}"
        return f"{base}/public{within}", {}

    # Reading a list.

    async def _begin(self, web: Web) -> Mark:
        """The mark of a source that has read nothing: what kind of server this is, who we are."""
        climbs = (await self._instance(web)).in_order
        return Mark(climbs=climbs, me=await self._me(web))

    async def _instance(self, web: Web) -> Instance:
        """What the server says of itself; software without version 2 of it has version 1."""
        for version in ("v2", "v1"):
            url = f"{self.api}/api/{version}/instance"
            answer = await web.fetch(url, headers=self._headers, also=(401, 403, 404, 410, 422))
            if answer.status == 200:
                return web.read(Instance, answer)
        return Instance()

    async def _me(self, web: Web) -> str:
        """The id of our own account; empty without a token and for a token of no account."""
        if self.token is None:
            return ""
        url = f"{self.api}/api/v1/accounts/verify_credentials"
        answer = await web.fetch(url, headers=self._headers, also=(403, 404, 422))
        return web.read(Me, answer).id if answer.status == 200 else ""

    async def _sheet(self, web: Web, query: Mapping[str, str], *, quotes: bool = False) -> Sheet:
        path, fixed = self._list(quotes=quotes)
        url = f"{self.api}{path}?{urlencode([*fixed, *query.items()])}"
        answer = await web.fetch(url, headers=self._headers, also=(422,))
        if answer.status == 422:  # https://docs.joinmastodon.org/methods/timelines/#422
            raise AccessDenied(
                f"{self._host} shows {self._what} only to members: give a token of an account there."
            )
        lines = self._lines(
            web.read(Notifications, answer) if self.mentions else web.read(Statuses, answer)
        )
        return Sheet(tuple(lines), older(answer.links.get("next", ""), lines))

    def _lines(self, told: Iterable[Status | Notification | Torn]) -> list[Line]:
        return [
            Line(one.id, None, unread=one.unread)
            if isinstance(one, Torn)
            else Line(one.id, one.created_at, status=one if isinstance(one, Status) else one.status)
            for one in told
        ]

    # From statuses to posts.

    async def _posts(self, web: Web, lines: Iterable[Line], seen: Seen, me: str) -> list[Post]:
        statuses = [line.status for line in lines if line.status]
        for status in statuses:
            seen.add(status.id, status.global_id(self._host))
        posts = []
        for status in statuses:
            original = status.reblog or status  # a repost speaks for the original
            if self.may_read(original):
                parent = await self._parent(web, original, seen)
                posts.append(original.as_post(self._host, parent=parent, ours=me))
        return posts

    def may_read(self, status: Status) -> bool:
        """Whether the author lets us: what is not public, or not to be found, is left alone.

        Whoever mentions us speaks to us, so then every audience will do. The flags belong to
        accounts: https://docs.joinmastodon.org/entities/Account/. `indexable` is about search
        in texts, so it does not concern posts that carry a hashtag to be found by.
        """
        if self.mentions:
            return True
        if status.visibility not in PUBLIC:
            return False
        account = status.account
        hidden = account.noindex is True or account.discoverable is False
        unsearchable = self.tag is None and account.indexable is False
        return self.opted_out or not (hidden or unsearchable)

    async def _parent(self, web: Web, status: Status, seen: Seen) -> str | None:
        """The global id of what a status replies to.

        Asked for only where somebody speaks to us: an answer to our reply must find its case.
        """
        if not status.in_reply_to_id:
            return None
        if self.mentions and status.in_reply_to_id not in seen:
            parent = await self._by_local_id(web, status.in_reply_to_id)
            seen.add(status.in_reply_to_id, parent.global_id(self._host) if parent else "")
        return seen.get(status.in_reply_to_id) or None

    # Listening.

    def stream_base(self, instance: Instance) -> str:
        """Where the server streams: what the option says, else what the server says, else `api`.

        The server is believed only about hosts of its own, because the token goes there.
        """
        if self.api_stream:
            return self.api_stream
        told, ours = split(instance.streaming), split(self.api)
        own = (told.hostname or "").endswith(f".{ours.hostname}")
        return told.geturl() if own and told.scheme == ours.scheme else self.api

    async def _heard(
        self, web: Web, event: ServerEvent, cursor: str | None, seen: Seen, me: str
    ) -> Page | None:
        name, text = unwrapped(event)
        if name == "delete":
            gone = seen.get(text.strip().strip('"'))
            return Page(cursor=cursor, gone=(gone,)) if gone else None
        try:
            line = self._line(name, text, seen)
        except ValidationError as problem:
            return Page(cursor=cursor, unreadable=(Unread(unknown_shape(problem), text),))
        posts = await self._posts(web, [line], seen, me) if line else []
        return Page(cursor=cursor, posts=tuple(posts)) if posts else None

    def _line(self, name: str, text: str, seen: Seen) -> Line | None:
        """What an event tells of, when it is ours to read."""
        if name == "notification" and self.mentions:
            told = Notification.model_validate_json(text)
            return Line(told.id, told.created_at, told.status) if told.type in ADDRESSED else None
        if name == "update" and not self.mentions:
            status = Status.model_validate_json(text)
            return Line(status.id, status.created_at, status)
        if name in EDITS:
            status = Status.model_validate_json(text)
            # Our own stream tells of edits of everybody we follow; only mentions are ours.
            ours = not self.mentions or status.id in seen
            return Line(status.id, status.created_at, status) if ours else None
        return None

    # One post again.

    async def _change(self, web: Web, uri: str) -> Change:
        status, state = await self._find(web, uri)
        if status is None:
            return Change(uri, state)
        if not self.mentions and status.visibility not in PUBLIC:
            return Change(uri, State.GONE)
        post = status.as_post(self._host)
        return Change(uri, State.EDITED if post.edited else State.SAME, post)

    async def _find(self, web: Web, uri: str) -> tuple[Status | None, State]:
        """The status with this global id; without one, whether it is gone or not to be asked."""
        if local := local_id(uri, self._host):
            status = await self._by_local_id(web, local)
            if status is None:
                return None, State.GONE
            if status.global_id(self._host) == uri:
                return status, State.SAME
            return None, State.UNKNOWN
        if status := await self._by_search(web, uri):
            return status, State.SAME
        return None, await self._what_its_address_says(web, uri)

    async def _by_search(self, web: Web, uri: str) -> Status | None:
        """Mastodon looks an address up only where it may resolve it, and that is for members."""
        query = {"q": uri, "type": "statuses", "resolve": "true" if self.token else "false"}
        url = f"{self.api}/api/v2/search"
        answer = await web.fetch(url, params=query, headers=self._headers, also=REFUSALS)
        found = web.read(Found, answer).statuses if answer.status == 200 else ()
        return next((status for status in found if status.global_id(self._host) == uri), None)

    async def _what_its_address_says(self, web: Web, uri: str) -> State:
        """Whether a post of this very server is gone; addresses of other servers are not visited."""
        if not uri.startswith(f"{self.api}/"):
            return State.UNKNOWN
        answer = await web.fetch(uri, headers={"Accept": ACTIVITY}, also={*REFUSALS, 406, 410})
        return State.GONE if answer.status in {404, 410} else State.UNKNOWN

    async def _by_local_id(self, web: Web, local: str) -> Status | None:
        url = f"{self.api}/api/v1/statuses/{quote(local, safe='')}"
        answer = await web.fetch(url, headers=self._headers, also=(404, 410))
        return web.read(Status, answer) if answer.status == 200 else None

    async def _still_there(self, web: Web, uri: str) -> Status:
        status, state = await self._find(web, uri)
        if status:
            return status
        if state is State.GONE:
            raise Gone(f"The post is no longer on {self._host}, so it cannot be answered.")
        raise AccessDenied(
            f"{self._host} does not find the post: give the token the right to search, "
            "or answer by hand."
        )

    def _receipt(self, status: Status) -> Receipt:
        return Receipt(status.global_id(self._host), status.url or status.uri)


def _prefix(handle: str) -> str:
    return f"@{handle} " if handle else ""


def _addressed(text: str, handle: str) -> str:
    """The text with the author's name in front, so that the answer reaches them."""
    if re.match(rf"@{re.escape(handle)}(?![\w.@-])", text, re.IGNORECASE):
        return text
    return _prefix(handle) + text
