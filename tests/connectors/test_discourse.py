"""A Discourse forum is read by number or by search, asked again, and answered."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.discourse import Discourse
from connectors.discourse.cooked import own_words
from connectors.discourse.shapes import FRUITLESS, Latest, Told
from connectors.kit.contract import Attachment, Author, Kind, Page, Post, Span, State, Unread
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater
from connectors.kit.text import plain
from tests.connectors.forum import ACCOUNT, KEY, SEARCHED, Forum, OldForum, door, poll
from tests.connectors.suite import ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "discourse"
MEMBER: dict[str, object] = {"token": KEY, "account": ACCOUNT}


class TestDiscourse(ConnectorSuite):
    """Every post of a forum, with a key."""

    connector = Discourse
    options: ClassVar = {**MEMBER, "secret": "a-made-up-secret"}
    place = Forum
    reply_path = "/posts.json"


class TestOldDiscourse(ConnectorSuite):
    """Every post of a forum whose pages overlap by one."""

    connector = Discourse
    options: ClassVar = MEMBER
    place = OldForum


class SearchedForum(Forum):
    """Ten pages of a search, no more."""

    page: ClassVar[int] = 10
    window: ClassVar[int | None] = 100


class TestDiscourseSearch(ConnectorSuite):
    """What a search finds, without a key to answer."""

    connector = Discourse
    options: ClassVar = {"query": SEARCHED, **MEMBER}
    place = SearchedForum
    lists_edits = False  # a search shows a piece of each post; a recheck finds the edit


# What a post becomes.


def recorded() -> dict[int, Told]:
    told = Latest.model_validate_json((RECORDINGS / "posts.json").read_bytes())
    return {one.id: one for one in told.latest_posts if isinstance(one, Told)}


async def read_recorded() -> Page:
    class Recorded(Forum):
        @override
        async def latest(self, request: web.Request) -> web.Response:
            return web.Response(body=(RECORDINGS / "posts.json").read_bytes())

    async with Recorded() as forum:
        forum.now = datetime(2025, 9, 14, tzinfo=UTC)
        memory = Memory(forum, since=datetime(2025, 9, 1, tzinfo=UTC))
        return (await poll(forum, memory))[0]


async def test_a_first_post_is_its_topic_with_the_words_of_its_author_alone() -> None:
    page = await read_recorded()
    [first] = [post for post in page.posts if post.kind is Kind.POST]
    host = first.id.partition("/")[0]

    assert first == Post(
        id=f"{host}/501",
        url=f"http://{host}/t/cold-soup/77/1",
        kind=Kind.POST,
        title="Cold soup & no answer",
        text="Third time this week 😡\n\nNobody answers the phone.",
        author=Author(
            id=f"{host}/12", name="Ada Example", handle=f"ada@{host}", url=f"http://{host}/u/ada"
        ),
        published=datetime(2025, 9, 13, 10, 20, 30, 456_000, tzinfo=UTC),
        edited=datetime(2025, 9, 13, 11, 0, tzinfo=UTC),
        thread=f"{host}/t/77",
        reach=41,
        links=(f"http://{host}/uploads/default/original/soup.jpeg",),
        attachments=(
            Attachment(f"http://{host}/uploads/default/optimized/soup.jpeg", "image", "soup"),
        ),
    )


async def test_an_answer_has_no_title_knows_its_parent_and_leaves_the_quote_to_the_quoted() -> None:
    page = await read_recorded()
    [answer] = [post for post in page.posts if post.id.endswith("/502")]

    assert answer.kind is Kind.REPLY
    assert answer.title is None
    assert answer.text == "Same here, since Monday."
    assert answer.in_reply_to == answer.id.replace("502", "501")
    assert answer.author.name == "bo"


async def test_what_is_deleted_is_gone_and_what_is_hidden_or_not_a_post_is_left_out() -> None:
    page = await read_recorded()

    assert {gone.rpartition("/")[2] for gone in page.gone} == {"503", "504"}
    assert {post.id.rpartition("/")[2] for post in page.posts} == {"501", "502", "508"}


async def test_a_post_that_is_only_a_preview_of_a_link_keeps_the_preview() -> None:
    page = await read_recorded()
    [onebox] = [post for post in page.posts if post.id.endswith("/508")]

    assert onebox.text == "news.example\n\nAcme recalls soup"
    assert onebox.links == ("https://news.example/recall",)


async def test_a_bad_post_is_set_aside_and_its_reason_names_a_field() -> None:
    page = await read_recorded()

    assert [unread.reason for unread in page.unreadable] == [
        "A post is in a shape we do not know: created_at (missing)."
    ]


@pytest.mark.parametrize(
    ("cooked", "text"),
    [
        ('<aside class="quote"><aside class="quote">a</aside>b</aside><p>c</p>', "c"),
        ('<aside class="quote">' * 3 + "open", "open"),
        ('<p>So good <img class="emoji" title=":+1:" alt=":+1:"></p>', "So good 👍"),
        ('<img alt=":acme:" class="emoji emoji-custom">', ":acme:"),
        ('<div class="meta"><svg></svg><span>image 9×9</span></div>done', "done"),
    ],
)
def test_only_the_authors_own_words_are_text(cooked: str, text: str) -> None:
    assert plain(own_words(cooked)).text == text


# How it reads.


class SortingForum(OldForum):
    """Lists fifty posts and then leaves out those that we may not see."""

    page: ClassVar[int] = 50


async def test_fifty_posts_in_a_row_for_members_only_hide_nothing_below() -> None:
    async with SortingForum() as forum:
        posts = forum.insert(300)
        forum.for_members = {post.number for post in posts[20:280]}
        memory = Memory(forum)
        await poll(forum, memory)

    assert memory.numbers == [*range(1, 21), *range(281, 301)]


async def test_a_forum_whose_old_half_nobody_may_see_is_not_asked_for_ever() -> None:
    async with SortingForum() as forum:
        posts = forum.insert(3_000)
        forum.for_members = {post.number for post in posts[:-5]}
        pages = await poll(forum, Memory(forum))

    assert len(forum.asked) <= 2 * (FRUITLESS + 2)
    assert not any(page.span and page.span.start < posts[-5].at for page in pages)


async def test_pages_claim_what_they_read_down_to_what_is_wanted() -> None:
    async with Forum() as forum:
        forum.insert(25)
        memory = Memory(forum)
        pages = await poll(forum, memory)

    assert pages[-1].span == Span(memory.since, memory.now)


async def test_a_search_asks_for_each_new_post_once_and_for_known_ones_never() -> None:
    async with SearchedForum() as forum:
        forum.insert(12)
        memory = Memory(forum)
        await poll(forum, memory, query=SEARCHED)
        asked = [one.path for one in forum.asked if one.path.startswith("/posts/")]
        forum.asked.clear()
        await poll(forum, memory, query=SEARCHED)

    assert sorted(asked) == sorted(f"/posts/{number}.json" for number in range(1, 13))
    assert {one.path for one in forum.asked} == {"/search.json"}
    assert all(post.title and "fish & chips" in post.text for post in memory.posts.values())


async def test_a_search_leaves_out_what_was_made_private_since() -> None:
    class Late(SearchedForum):
        """The search is behind: it still names what is for members now."""

        @override
        async def search(self, request: web.Request) -> web.Response:
            hidden, self.for_members = self.for_members, set()
            found = await super().search(request)
            self.for_members = hidden
            return found

    async with Late() as forum:
        forum.insert(3)
        forum.for_members = {2}
        memory = Memory(forum)
        await poll(forum, memory, query=SEARCHED)

    assert memory.numbers == [1, 3]


async def test_a_forum_too_busy_to_search_says_so_with_a_good_status() -> None:
    class Busy(Forum):
        @override
        async def search(self, request: web.Request) -> web.Response:
            told = {"grouped_search_result": {"error": "The site is under extreme load"}}
            return web.json_response(told)

    async with Busy() as forum:
        with pytest.raises(TryLater, match="too busy to search"):
            await poll(forum, Memory(forum), query=SEARCHED)


async def test_the_wait_that_only_the_body_tells_is_kept() -> None:
    class Slow(Forum):
        @override
        async def latest(self, request: web.Request) -> web.Response:
            told = {"error_type": "rate_limit", "extras": {"wait_seconds": 47}}
            return web.json_response(told, status=429)

    async with Slow() as forum:
        with pytest.raises(TryLater) as caught:
            await poll(forum, Memory(forum))

    assert caught.value.wait == timedelta(seconds=47)


async def test_a_forum_for_members_only_says_that_a_key_is_missing() -> None:
    class Closed(Forum):
        @override
        def routes(self) -> Iterable[web.RouteDef]:
            return [web.get("/posts.json", self.closed)]

        async def closed(self, _: web.Request) -> web.Response:
            return web.json_response({"error_type": "not_logged_in"}, status=403)

    async with Closed() as forum, door(forum) as web_:
        health = await Discourse(api=forum.url).check(web_)

        assert not health.well
        assert "give a key" in health.says
        with pytest.raises(AccessDenied):
            await Discourse.model_validate({"api": forum.url, **MEMBER}).check(web_)


async def test_a_users_own_key_goes_into_its_own_header() -> None:
    async with Forum() as forum:
        await poll(forum, Memory(forum), token=KEY, personal=True)

    assert forum.asked[0].headers["User-Api-Key"] == KEY
    assert "Api-Key" not in forum.asked[0].headers


# One post again.


async def test_a_recheck_tells_deleted_from_hidden_and_from_no_longer_shown_to_us() -> None:
    async with Forum() as forum, door(forum) as web_:
        forum.insert(5)
        forum.told = {2: {"user_deleted": True}, 3: {"hidden": True}}
        forum.for_members = {4}
        host = forum.host_port
        ids = [f"{host}/1", f"{host}/2", f"{host}/3", f"{host}/4", f"{host}/6", "other.example/1"]
        changes = await Discourse(api=forum.url).recheck(web_, ids)

    assert [change.state for change in changes] == [
        State.SAME, State.GONE, State.UNKNOWN, State.UNKNOWN, State.GONE, State.UNKNOWN,
    ]  # fmt: skip


async def test_a_recheck_gives_the_very_post_that_the_list_gave() -> None:
    async with Forum() as forum:
        forum.insert(1)
        memory = Memory(forum)
        await poll(forum, memory)
        [(id_, listed)] = memory.posts.items()
        async with door(forum) as web_:
            [change] = await Discourse(api=forum.url).recheck(web_, [id_])

    assert change.post == listed


# Answering.


async def replied(forum: Forum, text: str, **options: object) -> tuple[str, str]:
    [published] = forum.insert(1)
    memory = Memory(forum)
    await poll(forum, memory)
    source = Discourse.model_validate({"api": forum.url, **MEMBER, **options})
    post = memory.posts[f"{forum.host_port}/{published.number}"]
    async with door(forum) as web_:
        receipt = await source.reply(web_, post, text, "key")
    return receipt.id, receipt.url


async def test_a_reply_is_an_answer_to_the_post_and_known_by_its_number() -> None:
    async with Forum() as forum:
        id_, url = await replied(forum, "We are sorry.")

        assert id_ == f"{forum.host_port}/90000"
        assert url == f"{forum.url}/t/soup/1/2"


async def test_what_the_forum_says_against_a_reply_reaches_the_person_who_wrote_it() -> None:
    async with Forum() as forum:
        with pytest.raises(ConnectorError, match=r"does not take the reply: Body is too short"):
            await replied(forum, "No.")
        await replied(forum, "We are sorry.")
        with pytest.raises(ConnectorError, match="Body is too similar"):
            await replied(forum, "We are sorry.")


async def test_a_reply_that_is_too_long_is_not_sent() -> None:
    async with Forum() as forum:
        with pytest.raises(ConnectorError, match="Shorten it"):
            await replied(forum, "x" * 32_001)
    assert forum.replies == []


async def test_a_reply_that_waits_for_a_moderator_counts_as_sent() -> None:
    async with Forum() as forum:
        forum.moderated = True
        id_, url = await replied(forum, "We are sorry.")

        assert id_ == f"{forum.host_port}/review/5"
        assert url == f"{forum.url}/t/soup/1/1"


async def test_our_reply_is_found_behind_pages_of_others() -> None:
    async with Forum() as forum:
        [published] = forum.insert(1)
        for number in range(5):
            forum.answer(1, f"somebody{number}", "Me too!")
        forum.answer(1, ACCOUNT.upper(), "We are sorry.")
        memory = Memory(forum)
        await poll(forum, memory)
        source = Discourse.model_validate({"api": forum.url, **MEMBER})
        async with door(forum) as web_:
            post = memory.posts[f"{forum.host_port}/{published.number}"]
            found = await source.find_reply(web_, post, "key")

        assert found is not None
        assert found.id == f"{forum.host_port}/90005"


async def test_a_post_that_is_gone_cannot_be_answered() -> None:
    async with Forum() as forum, door(forum) as web_:
        post = Post(id=f"{forum.host_port}/1", url=forum.url, text="", published=forum.now)
        source = Discourse.model_validate({"api": forum.url, **MEMBER})
        with pytest.raises(Gone, match="no longer"):
            await source.reply(web_, post, "We are sorry.", "key")


def test_without_a_user_answering_is_done_by_hand() -> None:
    post = Post(id="f/1", url="https://f.example/t/1", text="", published=datetime.now(UTC))
    rule = Discourse(api="https://f.example").can_reply(post)

    assert not rule.allowed
    assert rule.link == post.url


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"api": "forum"}, "valid URL"),
        ({"api": "https://f.example", "query": "ab"}, "at least 3"),
        ({"api": "https://f.example", "secret": "short"}, "at least 12"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Discourse.model_validate(options)


def test_nothing_unknown_is_read_from_our_recording() -> None:
    told = Latest.model_validate_json((RECORDINGS / "posts.json").read_bytes())

    assert sum(isinstance(one, Unread) for one in told.latest_posts) == 1
    assert len(recorded()) == 7
