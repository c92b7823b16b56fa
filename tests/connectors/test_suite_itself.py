"""The suite passes a good connector, and fails each kind of broken one where it should."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from inspect import signature
from secrets import token_hex
from typing import ClassVar, cast

import pytest
from _pytest.outcomes import Failed
from aiohttp import ClientSession
from aiohttp import web as server
from pydantic import AwareDatetime, BaseModel, Field, SecretStr
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
    Span,
    State,
    Web,
)
from connectors.kit.errors import ConnectorError, Gone, TryLater
from connectors.kit.text import plain
from connectors.kit.walk import Leaf, walk
from tests.connectors import suite_troubles
from tests.connectors.place import Fault, Place, Published
from tests.connectors.suite import ConnectorSuite

# --- a good connector, and the place it reads


class Tiny(Connector):
    """Posts of a small forum."""

    title: ClassVar = "Tiny"
    docs: ClassVar = "https://tiny.example/docs"
    pace: ClassVar = Pace(requests=60, per=timedelta(minutes=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=5)

    api: str = Field("https://tiny.example", description="The address of the forum")
    token: SecretStr = Field(description="The key from your profile page")

    @override
    async def check(self, web: Web) -> Health:
        await web.get(_Listing, f"{self.api}/posts", headers=self._key())
        return Health(True, "Reads the forum.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        async def fetch(token: str | None) -> Leaf:
            params = {"before": token} if token else {}
            listing = await web.get(
                _Listing, f"{self.api}/posts", params=params, headers=self._key()
            )
            return Leaf(
                posts=[one.as_post() for one in listing.posts],
                next_token=listing.next,
                whole=listing.next is None,
            )

        async for page in walk(fetch, cursor, known, lag=self.lag):
            yield page

    async def listen(self, web: Web, cursor: str | None) -> AsyncIterator[Page]:
        async for event in web.events(f"{self.api}/stream", headers=self._key()):
            post = _One.model_validate_json(event.data).as_post()
            yield Page(posts=(post,), cursor=cursor)

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        return [await self._again(web, id_) for id_ in ids]

    async def _again(self, web: Web, id_: str) -> Change:
        try:
            one = await web.get(_One, f"{self.api}/posts/{id_}", headers=self._key())
        except Gone:
            return Change(id_, State.GONE)
        return Change(id_, State.SAME, one.as_post())

    def can_reply(self, post: Post) -> ReplyRule:
        return ReplyRule(allowed=bool(post.id), length=500)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:
        said = {"text": f"{text} [{key}]"}
        url = f"{self.api}/posts/{post.id}/replies"
        published = await web.post(_Reply, url, json=said, headers=self._key())
        return Receipt(str(published.id), f"{post.url}#{published.id}")

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:
        url = f"{self.api}/posts/{post.id}/replies"
        for reply in await web.get(list[_Reply], url, headers=self._key()):
            if reply.text.endswith(f"[{key}]"):
                return Receipt(str(reply.id), f"{post.url}#{reply.id}")
        return None

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"}


class _One(BaseModel):
    number: int
    html: str
    at: AwareDatetime

    def as_post(self) -> Post:
        return Post(
            id=str(self.number),
            url=f"https://tiny.example/posts/{self.number}",
            text=plain(self.html).text,
            published=self.at,
        )


class _Listing(BaseModel):
    posts: list[_One]
    next: str | None = None


class _Reply(BaseModel):
    id: int
    text: str


class TinyPlace(Place):
    """A forum with pages of ten, newest first."""

    @override
    def routes(self) -> Iterable[server.RouteDef]:
        return [
            server.get("/posts", self._list),
            server.get("/posts/{number}", self._one),
            server.get("/posts/{number}/replies", self._replies),
            server.post("/posts/{number}/replies", self._reply),
            server.get("/stream", self._stream),
        ]

    async def _list(self, request: server.Request) -> server.Response:
        at, number = request.query.get("before", "9999 0").split()
        below = [p for p in self.listed() if (p.at.isoformat(), p.number) < (at, int(number))]
        shown = below[: self.page]
        onward = f"{shown[-1].at.isoformat()} {shown[-1].number}" if below[self.page :] else None
        listing = {"posts": [self._said(post) for post in shown], "next": onward}
        return server.json_response(listing)

    async def _one(self, request: server.Request) -> server.Response:
        post = self.holds(int(request.match_info["number"]))
        return server.json_response(self._said(post)) if post else server.Response(status=404)

    async def _reply(self, request: server.Request) -> server.Response:
        self.replies.append((await request.json())["text"])
        return server.json_response({"id": len(self.replies), "text": self.replies[-1]})

    async def _replies(self, request: server.Request) -> server.Response:
        assert request.method == "GET"
        return server.json_response(
            [{"id": which, "text": text} for which, text in enumerate(self.replies, 1)]
        )

    async def _stream(self, request: server.Request) -> server.StreamResponse:
        return await self.stream(request, self._told)

    def _said(self, post: Published) -> dict[str, object]:
        return {"number": post.number, "html": post.html, "at": post.at.isoformat()}

    def _told(self, post: Published) -> bytes:
        one = _One.model_validate(self._said(post))
        return f"event: post\ndata: {one.model_dump_json()}\n\n".encode()


class TestTiny(ConnectorSuite):
    connector = Tiny
    options: ClassVar = {"token": "tiny-canary-secret"}
    place = TinyPlace
    reply_path = "/replies"


# --- broken connectors, each with the test that has to notice


class Undescribed(Tiny):
    token: SecretStr


class KeyInAddress(Tiny):
    @override
    async def check(self, web: Web) -> Health:
        return Health(True, "")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        await web.get(_Listing, f"{self.api}/posts", params={"key": self.token.get_secret_value()})
        yield Page(cursor=cursor)


class Rewritten(Tiny):
    """Changes what the good one yields, page by page."""

    def rewritten(self, page: Page) -> Page:
        raise NotImplementedError

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        async with aclosing(cast(AsyncGenerator[Page], super().pages(web, cursor, known))) as all_:
            async for page in all_:
                yield self.rewritten(page)


class HashedIds(Rewritten):
    @override
    def rewritten(self, page: Page) -> Page:
        return replace(page, posts=tuple(replace(p, id=token_hex(4)) for p in page.posts))


class LeavesMarkup(Rewritten):
    @override
    def rewritten(self, page: Page) -> Page:
        return replace(page, posts=tuple(replace(p, text=f"<p>{p.text}") for p in page.posts))


class RestlessText(Rewritten):
    @override
    def rewritten(self, page: Page) -> Page:
        posts = tuple(replace(p, text=f"{p.text} {token_hex(4)}") for p in page.posts)
        return replace(page, posts=posts)


class SavesTheMarkAtOnce(Tiny):
    """Walks down to its watermark, which it moves with the first page instead of the last."""

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        floor = datetime.fromisoformat(cursor) - self.lag if cursor else known.since
        before: str | None = "9999 0"
        while before:
            listing = await web.get(
                _Listing, f"{self.api}/posts", params={"before": before}, headers=self._key()
            )
            posts = [one.as_post() for one in listing.posts if one.at >= floor]
            cursor = max([cursor or "", *(post.published.isoformat() for post in posts)])
            yield Page(posts=tuple(posts), cursor=cursor or None)
            before = listing.next if len(posts) == len(listing.posts) else None


class ClaimsTooMuch(Rewritten):
    """Says after its first page that all is read up to now."""

    @override
    def rewritten(self, page: Page) -> Page:
        newest = max((post.published for post in page.posts), default=None)
        return replace(page, span=Span(newest - timedelta(days=1), newest) if newest else None)


class StopsAtTheKnown(Tiny):
    """Walks until the first post it knows, as everybody does at first."""

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        before: str | None = "9999 0"
        while before:
            listing = await web.get(
                _Listing, f"{self.api}/posts", params={"before": before}, headers=self._key()
            )
            posts = [one.as_post() for one in listing.posts]
            met = await known.among([post.id for post in posts])
            yield Page(posts=tuple(p for p in posts if p.id not in met), cursor="read")
            before = None if met else listing.next


class Swallows(Tiny):
    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        try:
            async for page in super().pages(web, cursor, known):
                yield page
        except ConnectorError:
            yield Page(cursor=cursor)


class Hasty(Tiny):
    """Moves on before it has read."""

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        yield Page(cursor=str(known.now))
        async for page in super().pages(web, cursor, known):
            yield page


class CallsAllGone(Tiny):
    @override
    async def _again(self, web: Web, id_: str) -> Change:
        try:
            return await super()._again(web, id_)
        except ConnectorError:
            return Change(id_, State.GONE)


class MixesUpOrder(Tiny):
    @override
    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        return [await self._again(web, id_) for id_ in sorted(ids)]


class RepliesAgain(Tiny):
    @override
    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:
        try:
            return await super().reply(web, post, text, key)
        except TryLater:
            await super().reply(web, post, text, key)
            raise


class NeverFinds(Tiny):
    @override
    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:
        return None


class Impatient(Tiny):
    """Goes past the door."""

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        async with ClientSession() as session, session.get(f"{self.api}/posts") as response:
            listing = _Listing.model_validate(await response.json())
        yield Page(posts=tuple(one.as_post() for one in listing.posts), cursor="read")


class LeavesATask(Tiny):
    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        background.add(asyncio.create_task(asyncio.sleep(1)))
        async for page in super().pages(web, cursor, known):
            yield page


class Deaf(Tiny):
    @override
    async def listen(self, web: Web, cursor: str | None) -> AsyncIterator[Page]:
        async for event in web.events(f"{self.api}/stream", headers=self._key()):
            assert event.event
            yield Page(cursor=cursor)


background: set[asyncio.Task[None]] = set()

BROKEN = [
    (Undescribed, "test_1_its_options_can_be_asked_for_in_a_form"),
    (KeyInAddress, "test_1_secrets_never_stand_in_an_address"),
    (Swallows, "test_1_a_refused_key_is_access_denied"),
    (HashedIds, "test_2_every_post_is_mapped"),
    (LeavesMarkup, "test_2_posts_are_plain_text_with_aware_times_and_addresses"),
    (RestlessText, "test_3_a_second_poll_brings_nothing_new"),
    (SavesTheMarkAtOnce, "test_4_cut_after_any_page_nothing_is_lost"),
    (ClaimsTooMuch, "test_4_cut_after_any_page_nothing_is_lost"),
    (StopsAtTheKnown, "test_4_a_later_walk_that_is_cut_loses_nothing"),
    (StopsAtTheKnown, "test_5_a_post_that_is_indexed_late_is_found"),
    (StopsAtTheKnown, "test_7_an_edit_in_a_list_is_a_new_revision_of_the_same_post"),
    (Swallows, "test_6_a_fault_has_its_name_and_moves_no_cursor"),
    (Hasty, "test_6_a_fault_has_its_name_and_moves_no_cursor"),
    (StopsAtTheKnown, "test_6_a_cut_connection_anywhere_in_a_walk_loses_nothing"),
    (CallsAllGone, "test_7_a_recheck_of_a_place_that_is_down_calls_nothing_gone"),
    (MixesUpOrder, "test_7_a_recheck_tells_what_became_of_each_post"),
    (RepliesAgain, "test_8_a_reply_whose_answer_was_lost_is_found_not_repeated"),
    (NeverFinds, "test_8_a_reply_is_published_and_found_again"),
    (Impatient, "test_9_fifty_streams_of_one_key_keep_its_pace"),
    (LeavesATask, "test_10_cancelled_anywhere_it_leaves_nothing_open_and_can_go_on"),
    (Deaf, "test_listening_hears_a_post_when_it_is_published"),
]


@pytest.mark.parametrize(
    ("broken", "test"), BROKEN, ids=[f"{broken.__name__} fails {test}" for broken, test in BROKEN]
)
async def test_a_broken_connector_fails_the_test_that_is_about_it(
    broken: type[Tiny], test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite_troubles, "PATIENCE", 3.0)  # what is deaf hears nothing in an hour
    suite = type("Suite", (TestTiny,), {"connector": broken})()
    asked: dict[str, object] = {}
    if "cut_after_any_page" in test:
        asked = {"lose_last": False}
    if "fault_has_its_name" in test:
        asked = {"fault": Fault.BROKEN}
    async with TinyPlace() as place:
        if "at" in signature(getattr(suite, test)).parameters:
            asked["at"] = place
        with pytest.raises((AssertionError, Failed, TimeoutError)):
            await _run(getattr(suite, test), asked)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    background.clear()


async def _run(test: Callable[..., Awaitable[None] | None], asked: dict[str, object]) -> None:
    outcome = test(**asked)
    if outcome is not None:
        await outcome


class Plain(Connector):
    """Offers nothing beyond pages."""

    title: ClassVar = "Plain"
    docs: ClassVar = "https://plain.example/docs"
    pace: ClassVar = Pace(requests=60, per=timedelta(minutes=1))
    order: ClassVar = Order.OLDEST_FIRST
    lag: ClassVar = timedelta(0)


def test_what_a_connector_does_not_offer_is_not_tested() -> None:
    suite = type("Suite", (ConnectorSuite,), {"connector": Plain, "place": TinyPlace})
    tests = [name for name in dir(ConnectorSuite) if name.startswith("test")]
    missing = {name for name in tests if getattr(suite, name) is None}

    assert {name[:6] for name in missing} == {"test_5", "test_7", "test_8", "test_l"}
    assert len(missing) == 7
