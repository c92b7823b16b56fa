"""Bluesky: a search, our own notifications, or the live stream of the whole network.

A post's id is its at-uri, the same on all servers of the network, and what is made of it comes
from its record alone, so that a post seen by search and by stream is one post.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self, cast
from urllib.parse import urlencode, urlsplit

from pydantic import (
    AnyUrl,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)
from typing_extensions import override

from connectors.bluesky import answering, frames, glance
from connectors.bluesky.ear import Ear
from connectors.bluesky.frames import Dialect, ForgotUs, mark_of
from connectors.bluesky.lists import Spot, below, below_notice, spot_of, stamp
from connectors.bluesky.sessions import WORN_OUT, Login
from connectors.bluesky.shapes import (
    COLLECTION,
    Found,
    Identity,
    Inbox,
    Kept,
    Posts,
    Profile,
    Reference,
    Told,
    Torn,
    View,
    Views,
    address,
    author,
    owner,
    record_key,
)
from connectors.kit.contract import (
    Answer,
    Author,
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
    Sieve,
    State,
    Web,
    everything,
)
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.kit.walk import Leaf, walk

MEMBERS = "https://bsky.social"  # where accounts log in; it asks the rest of the network for us
PUBLIC = "https://public.api.bsky.app"
STREAMS: dict[Dialect, str] = {
    "jetstream": "wss://jetstream2.us-east.bsky.network",
    "firehose": "wss://bsky.network",
}
LIMIT = 100  # the most that a list gives at once
AT_ONCE = 25  # the most posts that can be asked for by id
ADDRESSED = ("mention", "reply", "quote")
NOT_THERE = "RecordNotFound"
LISTENS = frozenset({400, 404, 405, 426})  # how a stream's host may answer a mere request


class Bluesky(Connector, frozen=True, hide_input_in_errors=True):
    """What a search finds, what is addressed to our account, or what the network streams."""

    title: ClassVar = "Bluesky"
    docs: ClassVar = "https://docs.bsky.app"
    # https://docs.bsky.app/docs/advanced-guides/rate-limits
    pace: ClassVar = Pace(requests=3000, per=timedelta(minutes=5))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=10)

    query: str | None = Field(None, description="Read what a search for these words finds")
    notifications: bool = Field(
        False, description="Read who mentions, answers or quotes the account"
    )
    stream: Dialect | None = Field(
        None,
        description="Hear the whole network as it happens: by Jetstream, or by the firehose of a "
        "server of your own",
    )
    words: tuple[str, ...] = Field(
        (), description="Of a stream, hear only posts with one of these words"
    )
    handle: str | None = Field(None, description="Your account, such as acme.bsky.social")
    password: SecretStr | None = Field(
        None, description="An app password of the account; notifications and replies need one"
    )
    api: str | None = Field(None, description="The account's own server, where it is not Bluesky's")
    api_stream: str | None = Field(
        None, description="The server that streams; where only api is given, that one"
    )

    @field_validator("api", "api_stream")
    @classmethod
    def _an_address(cls, given: str | None) -> str | None:
        if given is None:
            return None
        read = TypeAdapter(AnyUrl).validate_python(given)
        if read.scheme not in {"http", "https", "ws", "wss"} or not read.host:
            raise ValueError("an address begins with https:// or wss:// and a host")
        return str(read).rstrip("/")

    @field_validator("handle")
    @classmethod
    def _a_handle(cls, given: str | None) -> str | None:
        return given.strip().removeprefix("@").lower() if given else None

    @model_validator(mode="wrap")
    @classmethod
    def _with_ears(cls, given: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        """A source with a stream is of the class that listens, and no other is."""
        made = read(given)
        if made.stream is None or issubclass(cls, _Streaming) or isinstance(given, Bluesky):
            return made
        return cast(Self, _Streaming.model_validate(given))

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (
            sum((bool(self.query and self.query.strip()), self.notifications, bool(self.stream)))
            != 1
        ):
            raise ValueError("choose one of query, notifications and stream")
        if self.password is not None and self.handle is None:
            raise ValueError("an app password needs the handle it belongs to")
        if self.notifications and self.password is None:
            raise ValueError("notifications are read with a handle and an app password")
        if self.words and not self.stream:
            raise ValueError("words sift a stream; a search has its query")
        if not all(word.strip() for word in self.words):
            raise ValueError("a word has at least one letter")
        return self

    @property
    @override
    def about_us(self) -> bool:
        return self.notifications

    @property
    @override
    def home(self) -> str:
        return urlsplit(self._stream_base if self.stream else self._base).hostname or self.title

    @override
    async def check(self, web: Web) -> Health:
        if self.stream:
            base = urlsplit(self._stream_base)
            plain = base.scheme.replace("ws", "http", 1)
            await web.fetch(f"{plain}://{base.netloc}/", also=LISTENS)
            return Health(
                True, f"There is a server at {base.netloc}; the stream is heard from now on."
            )
        if self.notifications:
            await self._inbox(web, Spot(), limit=1)
            return Health(True, f"Reads what is addressed to {self.handle}.")
        await self._search(web, Spot(), since=None, limit=1)
        return Health(True, f"Reads posts that {self.home} finds for {self.query!r}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Walk down the list; a stream has none and goes on where it was cut instead."""
        if self.stream:
            yield Page(cursor=cursor)
            return
        noticed: dict[str, datetime] = {}  # notifications are listed by when they came
        me = await self._me(web)

        async def leaf(token: str | None) -> Leaf:
            spot = spot_of(token)
            if self.notifications:
                told = await self._inbox(web, spot)
                wanted = [one for one in told.notifications if _addressed(one)]
                next_token = below_notice(told.notifications, told.cursor)
            else:
                found = await self._search(web, spot, since=known.since)
                wanted = found.posts
                next_token = below(spot, found.posts, found.cursor)
            views = [one for one in wanted if isinstance(one, View)]
            noticed.update({view.uri: view.indexed for view in views})
            return Leaf(
                posts=[view.as_post(me) for view in views if self.may_read(view)],
                unreadable=[one.unread for one in wanted if isinstance(one, Torn)],
                next_token=next_token,
            )

        def listed(post: Post) -> datetime:
            return noticed.get(post.id, post.published) if self.notifications else post.published

        async for page in walk(leaf, cursor, known, lag=self.lag, listed=listed):
            yield page

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for the posts again, 25 at a time."""
        changes = []
        for start in range(0, len(ids), AT_ONCE):
            asked = ids[start : start + AT_ONCE]
            views = await self._views(web, asked)
            changes += [await self._change(web, uri, views.get(uri)) for uri in asked]
        return changes

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether we can answer; what the author allows is seen when the reply is sent."""
        if self.password is None:
            reason = "Answering needs your handle and an app password; without, answer by hand."
            return ReplyRule(False, reason=reason, link=post.url)
        return ReplyRule(True, length=answering.GRAPHEMES, unit="graphemes", link=post.url)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:
        """Answer below the post, under a record key made of `key`: a second try finds it taken."""
        text = answering.fitting(text)
        parent = (await self._views(web, [post.id])).get(post.id)
        if parent is None:
            raise Gone("The post is no longer on Bluesky, so it cannot be answered.")
        if parent.viewer.no_replies:
            raise ConnectorError("The author lets only some people answer this post, and not us.")
        if standing := await self.find_reply(web, post, key):
            return standing
        accounts = {
            name: did for name in answering.names(text) if (did := await self._did(web, name))
        }
        session = await self._login.session(web)
        written = await web.post(
            Reference,
            f"{self._base}/xrpc/com.atproto.repo.putRecord",
            json={
                "repo": session.did,
                "collection": COLLECTION,
                "rkey": answering.record_key_of(post, key),
                "swapRecord": None,  # only where there is none yet
                "record": answering.reply_to(parent, text, accounts=accounts),
            },
            headers=session.headers,
        )
        return _receipt(written.uri)

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:
        """Look under the record key that our reply has, and no other."""
        did = (await self._login.session(web)).did
        uri = f"at://{did}/{COLLECTION}/{answering.record_key_of(post, key)}"
        standing = await self._record(web, uri)
        if standing is State.ABSENT:
            raise Unreadable(f"{self.home} does not say whether our reply is there.")
        return None if isinstance(standing, State) else _receipt(uri)

    # Where we ask, and as whom.

    @property
    def _base(self) -> str:
        return self.api or (MEMBERS if self.password else PUBLIC)

    @property
    def _stream_base(self) -> str:
        return self.api_stream or self.api or STREAMS[self.stream or "jetstream"]

    @property
    def _login(self) -> Login:
        if self.handle is None or self.password is None:
            raise AccessDenied(
                "Bluesky wants to know who we are: give a handle and an app password."
            )
        return Login(self._base, self.handle, self.password)

    async def _me(self, web: Web) -> str:
        """The DID of our own account; empty without one."""
        return (await self._login.session(web)).did if self.password else ""

    async def _ask(
        self, web: Web, method: str, query: Sequence[tuple[str, str]], *, also: Collection[int] = ()
    ) -> Answer:
        """Ask for something, as our account where we have one; 200, or a status in `also`."""
        url = f"{self._base}/xrpc/{method}?{urlencode(query)}"
        if self.password:
            answer = await self._login.fetch(web, url, also=also)
        else:
            answer = await web.fetch(url, also={*also, 400, 401, 403})
        if answer.status in {*also, 200}:
            return answer
        if answer.status == 400 and (told := web.read(Told, answer)).error not in WORN_OUT:
            why = "understand the query" if told.error == "BadQueryString" else "take our request"
            raise Unreadable(f"{self.home} does not {why} (400).", raw=told.message)
        need = "a new app password" if self.password else "a handle and an app password"
        raise AccessDenied(
            f"{self.home} shows this to members only ({answer.status}): give {need}."
        )

    # Lists.

    async def _search(
        self, web: Web, spot: Spot, *, since: datetime | None, limit: int = LIMIT
    ) -> Found:
        # There is a searchPostsV2 by now; servers of one's own have this one only.
        query = {"q": self.query or "", "sort": "latest", "limit": str(limit)}
        query |= {"since": stamp(since)} if since else {}
        query |= {"until": spot.end} if spot.end else {}
        query |= {"cursor": spot.cursor} if spot.cursor else {}
        return web.read(Found, await self._ask(web, "app.bsky.feed.searchPosts", [*query.items()]))

    async def _inbox(self, web: Web, spot: Spot, *, limit: int = LIMIT) -> Inbox:
        query = [("limit", str(limit)), *(("reasons", reason) for reason in ADDRESSED)]
        query += [("cursor", spot.cursor)] if spot.cursor else []
        method = "app.bsky.notification.listNotifications"
        return web.read(Inbox, await self._ask(web, method, query))

    def may_read(self, view: View) -> bool:
        """Whether moderators and the author let us; whoever addresses us speaks to us."""
        members = self.notifications or self.password is not None
        return view.may_be_read(by_members=members)

    # Single posts.

    async def _views(self, web: Web, uris: Sequence[str]) -> dict[str, View]:
        """The posts that are there. A server that has no view of the network has its own records."""
        query = [("uris", uri) for uri in uris]
        answer = await self._ask(web, "app.bsky.feed.getPosts", query, also=(404, 501))
        if answer.status == 200:
            found: Views = web.read(Posts, answer).posts
            return {view.uri: view for view in found if isinstance(view, View)}
        records = {uri: await self._record(web, uri) for uri in uris}
        return {uri: view for uri, view in records.items() if isinstance(view, View)}

    async def _record(self, web: Web, uri: str) -> View | State:
        """The bare record; without one, whether it is gone or merely not to be seen here."""
        query = [("repo", owner(uri)), ("collection", COLLECTION), ("rkey", record_key(uri))]
        answer = await self._ask(web, "com.atproto.repo.getRecord", query, also=(400,))
        if answer.status == 400:
            gone = web.read(Told, answer).error == NOT_THERE
            return State.GONE if gone else State.ABSENT
        kept = web.read(Kept, answer)
        whose = Profile(did=owner(uri))
        # When it was indexed is not told, and matters only for a date in the future.
        return View(
            uri=uri, cid=kept.cid, author=whose, record=kept.record, indexedAt=datetime.now(UTC)
        )

    async def _change(self, web: Web, uri: str, view: View | None) -> Change:
        """What became of a post. One that is left out may be hidden from us, or not there yet."""
        if view is None:
            record = await self._record(web, uri)
            return Change(uri, State.GONE if record is State.GONE else State.ABSENT)
        if not self.may_read(view):
            return Change(uri, State.GONE)
        return Change(uri, State.SAME, view.as_post(await self._me(web)))

    async def _did(self, web: Web, handle: str) -> str:
        """The account behind a handle; empty when there is none."""
        method = "com.atproto.identity.resolveHandle"
        answer = await self._ask(web, method, [("handle", handle)], also=(400, 404))
        return web.read(Identity, answer).did if answer.status == 200 else ""


class _Streaming(Bluesky, frozen=True, hide_input_in_errors=True):
    """A source with a stream: the only kind that can be listened to."""

    async def listen(self, web: Web, cursor: str | None) -> AsyncIterator[Page]:
        """Yield what is streamed, from where the cursor says."""
        async with aclosing(self.sift(web, cursor, everything)) as pages:
            async for page in pages:
                yield page

    async def sift(self, web: Web, cursor: str | None, wanted: Sieve) -> AsyncGenerator[Page, None]:
        """Yield what is streamed and may be wanted, from where the cursor says.

        Who wrote a post, and whether they speak to members only, is asked for posts with one
        of our words; without words there are too many, and a recheck tells.
        """
        stream = self.stream or "jetstream"
        since = mark_of(cursor, stream)
        ear = Ear(self.words, since=since, ours=await self._ourselves(web))
        url = frames.address(stream, self._stream_base, since)
        async with aclosing(web.socket(url)) as messages:  # type: ignore[type-var]
            async for message in messages:
                if stream == "jetstream" and wanted is not everything:
                    at = glance.unwanted(message, wanted)
                    if at and ear.let_by(at):
                        continue
                try:
                    event = frames.read(stream, message, ear.last, wanted)
                except ForgotUs as lost:
                    yield Page(cursor=None)
                    raise TryLater(str(lost)) from None
                page = ear.hear(event) if event else None
                if page and page.posts and self.words:
                    page = await self._introduced(web, page)
                if page:
                    yield page

    async def _ourselves(self, web: Web) -> Author | None:
        """Our own account as an author, because a stream tells nobody's handle."""
        if self.handle is None:
            return None
        did = await self._me(web) or await self._did(web, self.handle)
        return author(did, self.handle, ours=did) if did else None

    async def _introduced(self, web: Web, page: Page) -> Page:
        """The page with the authors' names, without what is not for us to read."""
        views = await self._views(web, [post.id for post in page.posts])
        me = await self._me(web)
        posts = []
        for post in page.posts:
            view = views.get(post.id)  # the network's view may be some seconds behind the stream
            if view is None:
                posts.append(post)
            elif self.may_read(view):
                who = view.author.as_author(me)
                posts.append(replace(post, author=post.author if post.author.ours else who))
        return replace(page, posts=tuple(posts))


def _addressed(one: View | Torn) -> bool:
    """Servers that do not know `reasons` tell of likes as well; those are no posts."""
    if isinstance(one, Torn):
        return one.reason in {"", *ADDRESSED}
    return one.reason in ADDRESSED


def _receipt(uri: str) -> Receipt:
    return Receipt(uri, address(uri) or uri)
