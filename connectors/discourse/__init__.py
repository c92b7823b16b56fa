"""Discourse forums: read whole or by search, told of posts by webhook, answered with a key."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from urllib.parse import urlsplit

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

from connectors.discourse.cooked import own_words
from connectors.discourse.shapes import (
    Answers,
    Errors,
    Event,
    Found,
    Latest,
    Published,
    Step,
    Told,
    Topic,
    said,
    where,
)
from connectors.kit.contract import (
    Answer,
    Author,
    Change,
    Connector,
    Delivery,
    Health,
    Kind,
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
from connectors.kit.text import absolute, clean, line, plain
from connectors.kit.walk import Leaf, walk
from connectors.kit.web.waits import asked_to_wait

LAST_PAGE = 10  # of a search
LONGEST = 32_000  # characters of a post, unless the forum says otherwise
SHORTEST_SECRET = 12  # Discourse takes no shorter one
MISSING = (403, 404, 410)


class Discourse(Connector, frozen=True, hide_input_in_errors=True):
    """The posts of one forum: all of them, or those that a search finds."""

    title: ClassVar = "Discourse"
    docs: ClassVar = "https://docs.discourse.org"
    # An admin's key may ask 60 times a minute, unless the forum says otherwise:
    # https://meta.discourse.org/t/available-settings-for-global-rate-limits-and-throttling/78612
    pace: ClassVar = Pace(requests=60, per=timedelta(minutes=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=10)

    api: str = Field(description="The forum's address, such as https://meta.discourse.org")
    query: str | None = Field(
        None, min_length=3, description="Read what a search finds; empty reads every post"
    )
    token: SecretStr | None = Field(
        None, description="A key to the forum; closed forums and replies need one"
    )
    account: str | None = Field(None, description="The user that the key speaks for")
    personal: bool = Field(
        False, description="The key is a user API key, which its user made, not an admin's"
    )
    secret: SecretStr | None = Field(
        None, description="The secret of the forum's webhook, if it sends us posts"
    )

    @field_validator("api")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @model_validator(mode="after")
    def _a_long_secret(self) -> Self:
        if self.secret and len(self.secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"a webhook's secret has at least {SHORTEST_SECRET} characters")
        return self

    @override
    async def check(self, web: Web) -> Health:
        try:
            await (self._found(web, 1) if self.query else self._latest(web, None))
        except AccessDenied:
            if self.token:
                raise
            return Health(
                False, f"{self._host} shows its posts only to members: give a key of the forum."
            )
        what = f"what a search for {self.query} finds" if self.query else "every post"
        return Health(True, f"Reads {what} on {self._host}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Read every post by number downwards, or a search by its numbered pages."""
        thin: set[str] = set()  # found again by a search, which shows only a piece of a post

        async def below(token: str | None) -> Leaf:
            return await self._list_leaf(web, Step.model_validate_json(token or "{}"))

        async def overleaf(token: str | None) -> Leaf:
            return await self._search_leaf(web, int(token or 1), known, thin)

        searches = self.query is not None
        fetch = overleaf if searches else below
        async for page in walk(fetch, cursor, known, lag=self.lag, shifts=searches):
            yield replace(page, posts=tuple(p for p in page.posts if p.id not in thin))

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for each post itself."""
        return [await self._change(web, id_) for id_ in ids]

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether we have a user to answer with."""
        if self.token is None or self.account is None:
            reason = "Answering needs a key to the forum and the name of its user (account)."
            return ReplyRule(False, reason=reason, link=post.url)
        return ReplyRule(True, length=LONGEST, link=post.url)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:  # noqa: ARG002
        """Answer below the post. The forum itself turns a repetition within two minutes away."""
        if len(text) > LONGEST:
            raise ConnectorError(
                f"The reply has {len(text)} characters, and a forum takes {LONGEST}. Shorten it."
            )
        asked = await self._still_there(web, post.id)
        words = {
            "topic_id": asked.topic_id,
            "raw": text,
            "reply_to_post_number": asked.post_number,
        }
        url = f"{self.api}/posts.json"
        try:
            told = await web.post(Published, url, json=words, headers=self._headers)
        except Unreadable as refused:  # 422: the forum says why, in its own language
            raise self._refusal(refused) from None
        if told.post is None:  # a moderator has to let it through first
            return Receipt(f"{self._host}/review/{told.waits_as}", post.url)
        return self._receipt(told.post)

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:  # noqa: ARG002
        """Look for our newest answer to the post.

        The forum keeps no key of ours, so it cannot tell two answers of ours apart.
        """
        ours: list[Told] = []
        after = 1
        while below := await self._answers(web, post.id, after):
            ours += [answer for answer in below if self._is_ours(answer)]
            after = max(answer.post_number for answer in below)
        return self._receipt(max(ours, key=lambda answer: answer.id)) if ours else None

    def accept(self, delivery: Delivery) -> Page:
        """Verify and read a webhook: https://meta.discourse.org/t/setting-up-webhooks/49045."""
        self._verify(delivery)
        event = delivery.headers.get("x-discourse-event", "")
        if not event.startswith("post_"):
            return Page(cursor=None)  # a ping, or about topics, users and likes
        try:
            told = Event.model_validate_json(delivery.body).post
        except ValidationError as problem:
            raise Unreadable(
                f"The delivery is in a shape we do not know: {where(problem)}.",
                raw=delivery.body[:64_000].decode(errors="replace"),
            ) from None
        if not told.is_public:
            return Page(cursor=None)
        if event == "post_destroyed":
            return Page(cursor=None, gone=(self._id(told.id),))
        return self._page([told])

    def delivery_id(self, delivery: Delivery) -> str:
        """The event and the body: only the body is signed, so no header can stand for it."""
        event = delivery.headers.get("x-discourse-event", "")
        return f"{event} {hashlib.sha256(delivery.body).hexdigest()}"

    # Asking.

    @property
    def _host(self) -> str:
        """The forum's host, with its folder where it lives in one."""
        return self.api.partition("://")[2].lower()

    @property
    def _headers(self) -> dict[str, str]:
        if self.token is None:
            return {}
        key = self.token.get_secret_value()
        if self.personal:
            return {"User-Api-Key": key}
        return {"Api-Key": key} | ({"Api-Username": self.account} if self.account else {})

    async def _ask(
        self,
        web: Web,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        also: Collection[int] = (),
    ) -> Answer:
        """What the forum answers; TryLater with the wait that only the body of a 429 may tell."""
        headers = {"Accept": "application/json", **self._headers}
        url = f"{self.api}{path}"
        answer = await web.fetch(url, params=params, headers=headers, also=(429, *also))
        if answer.status == 429:
            wait = asked_to_wait(429, answer.headers, datetime.now(UTC)) or said(answer.body)
            raise TryLater(f"{self._host} says we ask too often (429).", wait=wait)
        return answer

    # Every post, by number downwards.

    async def _latest(self, web: Web, before: int | None) -> Latest:
        params = {"before": str(before)} if before else {}
        return web.read(Latest, await self._ask(web, "/posts.json", params))

    async def _list_leaf(self, web: Web, step: Step) -> Leaf:
        told = (await self._latest(web, step.before)).latest_posts
        page = self._page(one for one in told if not isinstance(one, Unread))
        lowest = min((one.id for one in told if not isinstance(one, Unread)), default=None)
        onward = step.onward(lowest)
        return Leaf(
            posts=page.posts,
            gone=page.gone,
            unreadable=[one for one in told if isinstance(one, Unread)],
            next_token=onward.model_dump_json() if onward else None,
            whole=step.reaches_the_first(lowest),
        )

    # A search, page by page.

    async def _found(self, web: Web, page: int) -> Found:
        params = {"q": f"{self.query} order:latest", "page": str(page)}
        found = web.read(Found, await self._ask(web, "/search.json", params))
        if found.grouped_search_result.error and not found.posts:  # with status 200
            raise TryLater(f"{self._host} is too busy to search.")
        return found

    async def _search_leaf(self, web: Web, page: int, known: Known, thin: set[str]) -> Leaf:
        """The posts that a search names, each asked for itself: a search shows 300 characters."""
        found = await self._found(web, page)
        titles = {topic.id: topic.title for topic in found.topics}
        hits = {self._id(hit.id): hit for hit in found.posts}
        read_before = await known.among(list(hits))
        posts: list[Post] = []
        for id_, hit in hits.items():
            if id_ in read_before or hit.created_at < known.since:
                posts.append(Post(id=id_, url=self.api, text="", published=hit.created_at))
                thin.add(id_)
                continue
            answer = await self._ask(web, f"/posts/{hit.id}.json", also=MISSING)
            told = web.read(Told, answer) if answer.status == 200 else None
            if told and told.is_public and not told.is_gone:
                titled = told.model_copy(update={"topic_title": titles.get(told.topic_id, "")})
                posts.append(self._post(titled))
        more = found.grouped_search_result.more_full_page_results and page < LAST_PAGE
        return Leaf(
            posts=posts,
            next_token=str(page + 1) if more and hits else None,
            whole=not more and page < LAST_PAGE,
        )

    # One post.

    async def _change(self, web: Web, id_: str) -> Change:
        number = self._number(id_)
        if number is None:
            return Change(id_, State.UNKNOWN)
        answer = await self._ask(web, f"/posts/{number}.json", also=MISSING)
        if answer.status in MISSING:
            # 403 may be a key that was revoked, or a topic that is no longer public.
            return Change(id_, State.UNKNOWN if answer.status == 403 else State.GONE)
        told = web.read(Told, answer)
        if told.is_gone:
            return Change(id_, State.GONE)
        if not told.is_public:
            return Change(id_, State.UNKNOWN)
        if told.post_number == 1:  # a single post does not say what its topic is called
            topic = await self._ask(web, f"/t/{told.topic_id}.json", also=MISSING)
            if topic.status in MISSING:
                return Change(id_, State.UNKNOWN)
            told = told.model_copy(update={"topic_title": web.read(Topic, topic).title})
        post = self._post(told)
        return Change(id_, State.EDITED if post.edited else State.SAME, post)

    async def _still_there(self, web: Web, id_: str) -> Told:
        answer = await self._ask(web, f"/posts/{self._number(id_)}.json", also=(404, 410))
        told = web.read(Told, answer) if answer.status == 200 else None
        if told is None or told.is_gone:
            raise Gone(f"The post is no longer on {self._host}, so it cannot be answered.")
        return told

    async def _answers(self, web: Web, id_: str, after: int) -> list[Told]:
        path = f"/posts/{self._number(id_)}/replies.json"
        found = web.read(Answers, await self._ask(web, path, {"after": str(after)}))
        return [answer for answer in found.root if answer.post_number > after]

    def _is_ours(self, answer: Told) -> bool:
        return bool(self.account) and answer.username.lower() == (self.account or "").lower()

    def _receipt(self, told: Told) -> Receipt:
        return Receipt(self._id(told.id), self._url(told))

    def _refusal(self, refused: Unreadable) -> ConnectorError:
        try:
            why = " ".join(clean(one) for one in Errors.model_validate_json(refused.raw).errors)
        except ValidationError:
            return refused
        return ConnectorError(f"{self._host} does not take the reply: {why[:500]}")

    # From the forum's words to posts.

    def _page(self, told: Iterable[Told]) -> Page:
        public = [one for one in told if one.is_public]
        numbers = {(one.topic_id, one.post_number): one.id for one in public}
        return Page(
            posts=tuple(self._post(one, numbers) for one in public if not one.is_gone),
            gone=tuple(self._id(one.id) for one in public if one.is_gone),
            cursor=None,
        )

    def _post(self, told: Told, numbers: Mapping[tuple[int, int], int] | None = None) -> Post:
        first = told.post_number == 1
        parent = (numbers or {}).get((told.topic_id, told.reply_to_post_number or 0))
        base = f"{self.api}/"
        whole, own = plain(told.cooked, base=base), plain(own_words(told.cooked), base=base)
        return Post(
            id=self._id(told.id),
            url=self._url(told),
            kind=Kind.POST if first else Kind.REPLY,
            title=(line(told.topic_title) or None) if first else None,
            text=own.text or whole.text,
            author=self._author(told),
            published=told.created_at,
            edited=told.updated_at if told.version > 1 else None,
            in_reply_to=None if parent is None else self._id(parent),
            thread=f"{self._host}/t/{told.topic_id}",
            reach=told.reads,
            links=whole.links,
            attachments=own.images,
            truncated=own.truncated,
        )

    def _author(self, told: Told) -> Author:
        name = clean(told.username)
        return Author(
            id=f"{self._host}/{told.user_id or name}",
            name=clean(told.name or "") or name,
            handle=f"{name}@{urlsplit(self.api).netloc}" if name else "",
            url=f"{self.api}/u/{name}" if name else None,
            ours=self._is_ours(told),
        )

    def _id(self, number: int) -> str:
        return f"{self._host}/{number}"

    def _number(self, id_: str) -> int | None:
        host, _, number = id_.rpartition("/")
        return int(number) if host == self._host and number.isdecimal() else None

    def _url(self, told: Told) -> str:
        address = f"{self.api}/t/{told.topic_slug or '-'}/{told.topic_id}/{told.post_number}"
        return absolute(address) or self.api

    # Who sent it.

    def _verify(self, delivery: Delivery) -> None:
        if self.secret is None:
            raise AccessDenied("This source has no webhook secret: enter the one of the forum.")
        given = delivery.headers.get("x-discourse-event-signature", "")
        mac = hmac.digest(self.secret.get_secret_value().encode(), delivery.body, "sha256").hex()
        if not hmac.compare_digest(given.encode(), f"sha256={mac}".encode()):
            raise AccessDenied("The delivery is not signed with the webhook secret of this source.")
