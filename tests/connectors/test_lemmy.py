"""Lemmy is read by search, community and mention, in both versions of its interface."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.kit.contract import Attachment, Author, Kind, Page, Post, State
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.lemmy import Lemmy
from tests.connectors.burrow import HOME, JWT, Burrow, NewBurrow, door, poll
from tests.connectors.suite import ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "lemmy"
SEARCH: dict[str, object] = {"query": "acme soup"}
OURS: dict[str, object] = {"mentions": True, "token": JWT}
BOTH = pytest.mark.parametrize("burrow", [Burrow, NewBurrow], ids=["version 3", "version 4"])


class TestLemmySearch(ConnectorSuite):
    """Posts and comments side by side, in numbered pages."""

    connector = Lemmy
    options: ClassVar = {"query": "acme soup", "token": JWT}
    place = Burrow
    reply_path = "/comment"


class TestLemmyMentions(ConnectorSuite):
    """What is addressed to us."""

    connector = Lemmy
    options: ClassVar = {"mentions": True, "token": JWT}
    place = Burrow
    reply_path = "/comment"


class TestNewLemmyCommunity(ConnectorSuite):
    """Version 4: two lists with cursors."""

    connector = Lemmy
    options: ClassVar = {"community": "soup", "token": JWT}
    place = NewBurrow
    reply_path = "/comment"


# What a view becomes.


async def recorded(name: str, **options: object) -> Page:
    """What one recorded answer is read as, from a server of its version."""
    body = (RECORDINGS / name).read_bytes()

    class Recorded(Burrow):
        version: ClassVar[int] = 4 if "v4" in name else 3

        @override
        def routes(self) -> Iterable[web.RouteDef]:
            yield web.get("/api/v4/account", self.account)
            yield web.get("/api/v4/account/notification/list", self.answer_once)
            yield from (
                web.get(route.path, self.answer_once) if route.path.endswith("/search") else route
                for route in super().routes()
            )

        async def account(self, _: web.Request) -> web.Response:
            return web.json_response({"local_user_view": {"person": {"id": 1}}})

        async def answer_once(self, request: web.Request) -> web.Response:
            return web.Response(body=body if "page" not in request.query else b'{"posts": []}')

    async with Recorded() as burrow:
        burrow.now = datetime(2025, 9, 14, tzinfo=UTC)
        memory = Memory(burrow, since=datetime(2025, 9, 1, tzinfo=UTC))
        return (await poll(burrow, memory, **options))[0]


async def test_a_post_is_its_title_its_markdown_and_what_it_links_to() -> None:
    page = await recorded("search-v3.json", **SEARCH)
    [post] = [one for one in page.posts if one.kind is Kind.POST]

    assert post == Post(
        id="https://elsewhere.example/post/88",
        url="https://elsewhere.example/post/88",
        kind=Kind.POST,
        title="Acme soup, *again*",
        text="It was **cold** & see [the photo](https://pictures.example/soup).\n\n- twice",
        author=Author(
            id="https://elsewhere.example/u/ada",
            name="Ada E.",
            handle="ada@elsewhere.example",
            url="https://elsewhere.example/u/ada",
        ),
        language="en",
        published=datetime(2025, 9, 13, 10, 20, 30, 123456, tzinfo=UTC),
        edited=datetime(2025, 9, 13, 11, 0, tzinfo=UTC),
        thread="https://elsewhere.example/post/88",
        branch="soup@burrow.example",
        links=("https://pictures.example/soup.png", "https://pictures.example/soup"),
        attachments=(Attachment("https://pictures.example/soup.png", "image"),),
    )


async def test_a_comment_answers_the_post_or_the_comment_above_it() -> None:
    page = await recorded("search-v3.json", **SEARCH)
    comment, reply = sorted(
        (one for one in page.posts if one.kind is not Kind.POST), key=lambda one: one.published
    )

    assert (comment.kind, reply.kind) == (Kind.COMMENT, Kind.REPLY)
    assert comment.title is None
    assert comment.in_reply_to == "https://elsewhere.example/post/88"
    assert reply.in_reply_to == comment.id
    assert comment.thread == reply.thread == "https://elsewhere.example/post/88"
    assert comment.language is None
    assert comment.author.name == "bo"


async def test_what_was_deleted_or_removed_is_gone_and_a_bad_view_is_set_aside() -> None:
    page = await recorded("search-v3.json", **SEARCH)

    assert set(page.gone) == {f"{HOME}/comment/34", f"{HOME}/post/35"}
    assert [unread.reason for unread in page.unreadable] == [
        "A post is in a shape we do not know: comment.published (missing)."
    ]


async def test_notifications_of_version_4_leave_private_messages_alone() -> None:
    page = await recorded("notifications-v4.json", **OURS)

    assert [post.id for post in page.posts] == [f"{HOME}/comment/41", f"{HOME}/post/40"]
    assert page.unreadable == ()
    assert not any("psst" in post.text for post in page.posts)


async def test_an_answer_to_us_knows_which_comment_of_ours_it_answers() -> None:
    view = orjson.loads((RECORDINGS / "search-v3.json").read_bytes())["comments"][0]

    class Answered(Burrow):
        @override
        async def reply_list(self, request: web.Request) -> web.Response:
            told = [] if "page" in request.query else [{**view, "comment_reply": {"id": 3}}]
            return web.json_response({"replies": told})

    async with Answered() as burrow:
        burrow.now = datetime(2025, 9, 14, tzinfo=UTC)
        [page, *_] = await poll(burrow, Memory(burrow), **OURS)

    assert [post.in_reply_to for post in page.posts] == [f"{HOME}/comment/33"]


async def test_our_own_posts_are_known_as_ours() -> None:
    class Self(Burrow):
        @override
        def view(self, post: object) -> dict[str, object]:
            view = super().view(post)  # type: ignore[arg-type]
            view["creator"]["id"] = 1
            return view

    async with Self() as burrow:
        burrow.insert(2)
        memory, stranger = Memory(burrow), Memory(burrow)
        await poll(burrow, memory, **SEARCH, token=JWT)
        await poll(burrow, stranger, **SEARCH)

    assert all(post.author.ours for post in memory.posts.values())
    assert not any(post.author.ours for post in stranger.posts.values())


# How it reads.


@BOTH
@pytest.mark.parametrize(
    "options", [SEARCH, {"community": "soup"}, OURS], ids=["search", "community", "mentions"]
)
async def test_every_list_is_read_to_its_end(
    burrow: type[Burrow], options: dict[str, object]
) -> None:
    async with burrow() as server:
        server.insert(43, apart=timedelta(minutes=1))
        memory = Memory(server)
        pages = await poll(server, memory, **options)

    assert memory.numbers == [*range(1, 44)]
    assert pages[-1].span is not None
    assert pages[-1].span.start == memory.since


async def test_a_server_that_was_renewed_while_a_walk_rested_is_walked_anew() -> None:
    async with Burrow() as old, NewBurrow() as new:
        old.insert(30, apart=timedelta(hours=1))
        memory = Memory(old)
        async with door(old) as web_:
            source = Lemmy.model_validate({"api": old.url, **SEARCH})
            async for page in source.pages(web_, None, memory):
                memory.keep(page)
                break
        new.insert(30, apart=timedelta(hours=1))
        new.now = old.now
        await poll(new, memory, **SEARCH)

    assert memory.numbers == [*range(1, 31)]


@pytest.mark.parametrize(
    ("status", "word", "error"),
    [
        (400, "rate_limit_error", TryLater),
        (429, "rate_limit_error", TryLater),
        (400, "not_logged_in", AccessDenied),
        (401, "incorrect_login", AccessDenied),
        (400, "couldnt_find_community", Gone),
        (404, "not_found", Gone),
        (400, "something_new", Unreadable),
    ],
)
async def test_an_error_of_one_word_says_what_to_do(
    status: int, word: str, error: type[ConnectorError]
) -> None:
    async with Burrow() as burrow:
        burrow.refuses = status, word
        with pytest.raises(error) as caught:
            await poll(burrow, Memory(burrow), **SEARCH)

    assert type(caught.value) is error


async def test_an_address_where_no_lemmy_lives_says_so() -> None:
    class Bare(Burrow):
        @override
        def routes(self) -> Iterable[web.RouteDef]:
            return []

    async with Bare() as burrow:
        with pytest.raises(Gone, match="is no Lemmy server"):
            await poll(burrow, Memory(burrow), **SEARCH)


async def test_a_token_that_nobody_knows_is_told_before_anything_is_missed() -> None:
    async with Burrow() as burrow, door(burrow) as web_:
        stale = Lemmy.model_validate({"api": burrow.url, "mentions": True, "token": "stale"})
        health = await stale.check(web_)

    assert not health.well
    assert "log in again" in health.says


# One post again.


@BOTH
async def test_a_recheck_asks_own_posts_by_number_and_others_by_their_global_id(
    burrow: type[Burrow],
) -> None:
    theirs = "https://elsewhere.example/comment/3"
    async with burrow() as server, door(server) as web_:
        server.insert(4)
        server.says = {"3": {"ap_id": theirs}, "4": {"removed": True}}
        source = Lemmy.model_validate({"api": server.url, **SEARCH})
        changes = await source.recheck(
            web_,
            [
                f"{HOME}/post/2",
                theirs,
                f"{HOME}/post/4",
                f"{HOME}/comment/7",
                "https://x.example/9",
            ],
        )

    assert [change.state for change in changes] == [
        State.SAME, State.SAME, State.GONE, State.GONE, State.ABSENT,
    ]  # fmt: skip


async def test_a_recheck_that_finds_another_post_calls_nothing_gone() -> None:
    async with Burrow() as burrow, door(burrow) as web_:
        burrow.insert(2)
        source = Lemmy.model_validate({"api": burrow.url, **SEARCH})
        [change] = await source.recheck(web_, [f"{HOME}/post/1"])

    assert change.state is State.UNKNOWN


# Answering.


async def asked(burrow: Burrow, number: int) -> tuple[Lemmy, Post]:
    burrow.insert(2)
    memory = Memory(burrow)
    await poll(burrow, memory, **SEARCH)
    source = Lemmy.model_validate({"api": burrow.url, **SEARCH, "token": JWT})
    return source, memory.posts[f"{HOME}/{'comment' if number % 2 else 'post'}/{number}"]


@BOTH
@pytest.mark.parametrize(("number", "path"), [(1, "0.1.9000"), (2, "0.9000")])
async def test_a_reply_stands_below_what_it_answers(
    burrow: type[Burrow], number: int, path: str
) -> None:
    async with burrow() as server:
        source, post = await asked(server, number)
        async with door(server) as web_:
            receipt = await source.reply(web_, post, "We are sorry.", "key")

    assert receipt.id == receipt.url == f"{HOME}/comment/9000"
    assert [one["comment"]["path"] for one in server.answers] == [path]


async def test_another_answer_below_is_not_taken_for_ours() -> None:
    async with Burrow() as burrow:
        source, post = await asked(burrow, 1)
        burrow.answer({"post_id": 2, "parent_id": 1, "content": "Me too"}, creator=8)
        burrow.answer({"post_id": 2, "parent_id": "1.9000", "content": "Sorry"})
        async with door(burrow) as web_:
            assert await source.find_reply(web_, post, "key") is None
            burrow.answer({"post_id": 2, "parent_id": 1, "content": "We are sorry."})
            found = await source.find_reply(web_, post, "key")

    assert found is not None
    assert found.id == f"{HOME}/comment/9002"


async def test_what_the_server_says_against_a_reply_reaches_its_writer() -> None:
    async with Burrow() as burrow:
        source, post = await asked(burrow, 1)
        burrow.locked = True
        async with door(burrow) as web_:
            with pytest.raises(ConnectorError, match="does not do what we asked: locked"):
                await source.reply(web_, post, "We are sorry.", "key")
            with pytest.raises(ConnectorError, match="Shorten it"):
                await source.reply(web_, post, "x" * 10_001, "key")
            burrow.says = {"1": {"deleted": True}}
            with pytest.raises(Gone, match="no longer"):
                await source.reply(web_, post, "We are sorry.", "key")

    assert burrow.replies == []


def test_without_a_token_answering_is_done_by_hand() -> None:
    post = Post(id="x", url="https://x.example/post/1", text="", published=datetime.now(UTC))
    rule = Lemmy.model_validate({"api": "https://x.example", **SEARCH}).can_reply(post)

    assert not rule.allowed
    assert rule.link == post.url


# Options.


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "choose one"),
        ({"query": "acme", "community": "soup"}, "choose one"),
        ({"mentions": True}, "token of your own"),
        ({"community": "two words"}, "community's name"),
        ({"query": "ab"}, "at least 3"),
        ({"api": "lemmy", "query": "acme"}, "valid URL"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Lemmy.model_validate({"api": "https://x.example", **options})


def test_only_what_is_addressed_to_us_is_about_us_by_nature() -> None:
    assert Lemmy.model_validate({"api": "https://x.example", **OURS}).about_us
    assert not Lemmy.model_validate({"api": "https://x.example", **SEARCH}).about_us
