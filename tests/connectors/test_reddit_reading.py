"""Reddit is asked with its own kind of name, by a token that is kept, past all of its traps."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.kit.contract import Attachment, Author, Kind, Post
from connectors.kit.errors import AccessDenied, Gone, TryLater
from connectors.reddit import Reddit, access
from tests.connectors.place import BEGINNING
from tests.connectors.reddit_place import LOGIN, Front, Town, opened, poll, reddit
from tests.connectors.suite import Memory

RECORDINGS = Path(__file__).parent / "recordings" / "reddit"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Ports are used again, so forget the tokens of places that are closed."""
    yield
    access._kept.clear()


# Who asks.


async def test_reddit_is_told_which_app_of_whom_is_asking() -> None:
    async with opened(front := Front()) as network:
        await poll(front, network, Memory(front))

        names = {asked.headers["User-Agent"] for asked in front.asked}
        assert names == {"python:listener.an-app:v1.0 (by /u/acme_help)"}


@pytest.mark.parametrize(
    ("login", "grant"),
    [
        ({}, {"grant_type": "password", "username": "acme_help", "password": "made-up-password"}),
        (
            {"token": "made-up-token"},
            {"grant_type": "refresh_token", "refresh_token": "made-up-token"},
        ),
        ({"password": None}, {"grant_type": "client_credentials"}),
        (
            {"password": None, "client_secret": None},
            {
                "grant_type": "https://oauth.reddit.com/grants/installed_client",
                "device_id": "DO_NOT_TRACK_THIS_DEVICE",
            },
        ),
    ],
    ids=["password", "token", "script", "installed"],
)
async def test_a_token_is_bought_with_what_there_is_and_kept(
    login: dict[str, object], grant: dict[str, str]
) -> None:
    async with opened(front := Front()) as network:
        front.insert(2)
        memory = Memory(front)

        await poll(front, network, memory, **login)
        await poll(front, network, memory, **login)

        assert front.grants == [grant]
        assert memory.numbers == [1, 2]


async def test_a_token_that_aged_is_renewed_before_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(front := Front()) as network:
        await poll(front, network, Memory(front))
        hour = monotonic() + 3600
        monkeypatch.setattr("connectors.reddit.access.monotonic", lambda: hour)

        await poll(front, network, Memory(front))

        assert len(front.grants) == 2
        assert len(front.asked) == 4  # two tokens, two pages, nothing was refused


async def test_a_token_that_was_taken_back_is_replaced_once() -> None:
    async with opened(front := Front()) as network:
        front.insert(1)
        await poll(front, network, Memory(front))
        front.tokens.clear()
        memory = Memory(front)

        await poll(front, network, memory)

        assert memory.numbers == [1]
        assert len(front.grants) == 2


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"token": "wrong"}])
async def test_a_wrong_login_is_access_denied_however_it_is_told(wrong: dict[str, str]) -> None:
    async with opened(front := Front()) as network:
        with pytest.raises(AccessDenied, match="does not accept this login"):
            await reddit(front, **wrong).check(network)


async def test_an_unknown_app_is_access_denied() -> None:
    async with opened(front := Front()) as network:
        with pytest.raises(AccessDenied, match="access_token refuses us"):
            await reddit(front, client_id="another").check(network)


# Who is not let in, and why.


@pytest.mark.parametrize("known", [False, True], ids=["at the token", "at a list"])
async def test_a_network_that_the_edge_blocks_is_no_matter_of_keys(known: bool) -> None:
    async with opened(front := Front()) as network:
        if known:
            await poll(front, network, Memory(front))
        front.blocks = True

        with pytest.raises(TryLater, match="does not let this network in") as blocked:
            await poll(front, network, Memory(front))

        assert blocked.value.wait == timedelta(minutes=15)


@pytest.mark.parametrize("reason", ["private", "quarantined"])
async def test_a_closed_community_is_access_denied(reason: str) -> None:
    async with opened(front := Town()) as network:
        front.refusal = {"reason": reason, "message": "Forbidden"}

        with pytest.raises(AccessDenied, match=f"community is {reason}"):
            await poll(front, network, Memory(front), communities=["acme", "soup"])


async def test_any_other_refusal_names_what_to_look_at() -> None:
    async with opened(front := Front()) as network:
        front.refusal = {"message": "Forbidden"}

        with pytest.raises(AccessDenied, match=re.escape("refuses us (403)")):
            await poll(front, network, Memory(front))


async def test_a_community_that_is_not_there_is_gone_not_searched_for() -> None:
    async with opened(front := Town()) as network:
        front.nowhere = True

        with pytest.raises(Gone, match="r/acme and r/soup"):
            await reddit(front, communities="acme+soup").check(network)


async def test_a_used_up_allowance_in_fractions_closes_the_lane() -> None:
    class Busy(Front):
        @override
        async def search(self, request: web.Request) -> web.Response:
            response = await super().search(request)
            response.headers.update(self.own_header(timedelta(seconds=90)))
            response.headers["X-Ratelimit-Remaining"] = "0.4"
            return response

    async with opened(front := Busy()) as network:
        await poll(front, network, Memory(front))

        with pytest.raises(TryLater) as waiting:
            await poll(front, network, Memory(front))

        assert waiting.value.wait is not None
        assert timedelta(seconds=80) < waiting.value.wait <= timedelta(seconds=90)


# What is read.


async def test_a_check_says_what_is_read() -> None:
    async with opened(front := Town()) as network:
        says = (await reddit(front, communities=("r/acme", "soup")).check(network)).says
        assert says == "Reads r/acme and r/soup on Reddit, as the app of u/acme_help."
        assert "“acme”" in (await reddit(front).check(network)).says
        assert "the inbox" in (await reddit(front, inbox=True).check(network)).says


async def test_a_post_that_is_listed_with_a_deletion_mark_is_gone() -> None:
    async with opened(front := Front()) as network:
        front.insert(3)
        memory = Memory(front)
        await poll(front, network, memory)
        front.removed.add(2)

        [page] = await poll(front, network, memory)

        assert page.gone == ("t3_s2",)
        assert "t3_s2" not in {post.id for post in page.posts}


async def test_posts_and_comments_prove_only_what_both_lists_were_read_of() -> None:
    async with opened(front := Town()) as network:
        front.insert(90, apart=timedelta(minutes=20))
        memory = Memory(front)

        pages = await poll(front, network, memory, communities=["acme", "soup"])

        submissions, comments = pages[:2], pages[2:]
        assert [page.span for page in submissions] == [None, None]
        assert all(page.span for page in comments)
        assert memory.numbers == list(range(1, 91))


async def recorded(**options: object) -> Memory:
    class Recorded(Town):
        @override
        async def inbox(self, request: web.Request) -> web.Response:
            return web.json_response(orjson.loads((RECORDINGS / "listing.json").read_bytes()))

    async with opened(front := Recorded()) as network:
        memory = Memory(front, since=BEGINNING - timedelta(days=9000))
        await poll(front, network, memory, inbox=True, **options)
        return memory


@pytest.fixture
async def read() -> Memory:
    return await recorded()


def at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


async def test_a_submission_is_mapped_whole(read: Memory) -> None:
    assert read.posts["t3_s1"] == Post(
        id="t3_s1",
        url="https://www.reddit.com/r/soup/comments/s1/acmes_soup_bread/",
        title="Acme's soup & bread",
        text="It was cold & late.\n\nAvoid.",
        author=Author(
            id="t2_ada",
            name="ada_eats",
            handle="ada_eats",
            url="https://www.reddit.com/user/ada_eats",
        ),
        published=at(1740900000),
        edited=at(1740990000),
        thread="t3_s1",
        branch="soup",
        reach=412,
        links=("https://www.reddit.com/r/soup/wiki/late",),
    )


async def test_a_link_is_a_link_and_a_picture_hangs_on_its_post(read: Memory) -> None:
    link, picture = read.posts["t3_s2"], read.posts["t3_s3"]

    assert (link.links, link.attachments) == (("https://acme.example/answer",), ())
    shown = Attachment("https://i.redd.it/bowl.jpeg", "image")
    assert (picture.links, picture.attachments) == ((), (shown,))
    assert picture.edited is None  # "true" is an edit from before Reddit noted when


async def test_of_a_deleted_account_nothing_is_kept(read: Memory) -> None:
    assert read.posts["t3_s2"].author == Author()


async def test_marks_of_deletion_are_told_from_people_who_write_such_words(read: Memory) -> None:
    assert read.gone == {"t3_s4", "t1_c1"}
    assert read.posts["t1_c2"].text == "[deleted]"


async def test_a_comment_knows_its_parent_and_our_own_account(read: Memory) -> None:
    ours, mention = read.posts["t1_c2"], read.posts["t1_c3"]

    assert (ours.kind, ours.in_reply_to, ours.thread) == (Kind.REPLY, "t1_c1", "t3_s1")
    assert ours.author.ours
    assert ours.title is None
    # In an inbox a comment does not say which submission it is below, but where to read it.
    assert (mention.kind, mention.thread) == (Kind.COMMENT, "t3_s9")
    assert mention.url == "https://www.reddit.com/r/soup/comments/s9/another/c3/"
    assert not mention.author.ours


async def test_a_message_of_a_community_has_no_author(read: Memory) -> None:
    message = read.posts["t4_m1"]

    assert (message.kind, message.author) == (Kind.MESSAGE, Author())
    assert (message.title, message.text) == ("Your post & our rules", "Please read them.")
    assert message.url == "https://www.reddit.com/message/messages/m1"


async def test_what_is_no_post_is_left_out_and_a_bad_one_is_set_aside_alone(read: Memory) -> None:
    assert len(read.posts) == 6
    assert [unread.reason for unread in read.unreadable] == [
        "A post is in a shape we do not know: body (missing)."
    ]


async def test_the_same_comment_is_the_same_post_in_the_inbox_and_in_its_community() -> None:
    async with opened(front := Town()) as network:
        front.insert(1)
        memory = Memory(front)
        await poll(front, network, memory, communities=["acme", "soup"])
        [listed] = memory.posts.values()
        post = replace(listed, links=())

        await poll(front, network, memory, inbox=True)

        assert memory.posts == {post.id: post}


# Options.


def test_communities_are_known_by_their_names() -> None:
    given = {**LOGIN, "communities": "r/acme, /r/Soup+acme"}
    assert Reddit.model_validate(given).communities == ("acme", "Soup")


@pytest.mark.parametrize("account", ["acme_help", "u/acme_help", " /user/acme_help/ "])
def test_an_account_is_known_by_its_name(account: str) -> None:
    assert Reddit.model_validate({**LOGIN, "account": account, "query": "a"}).account == "acme_help"


def test_only_an_inbox_is_about_us_and_nothing_of_reddit_is_learnt_from() -> None:
    assert Reddit.model_validate({**LOGIN, "inbox": True}).about_us
    assert not Reddit.model_validate({**LOGIN, "query": "acme"}).about_us
    assert not Reddit.keeps.learn


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"query": "a", "inbox": True},
        {"communities": []},
        {"communities": ["not a name"]},
        {"query": "a", "account": "no such/name"},
        {"inbox": True, "password": None},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Reddit.model_validate({**LOGIN, **options})


def test_tokens_are_given_out_by_reddits_other_host() -> None:
    source = Reddit.model_validate({**LOGIN, "query": "a"})

    login = source._access(None).login  # type: ignore[arg-type]

    assert (login.api, login.api_auth) == ("https://oauth.reddit.com", "https://www.reddit.com")
    assert "made-up" not in repr(login)
