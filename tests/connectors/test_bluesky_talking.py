"""Bluesky is asked as one account that seldom logs in, asked again post by post, and answered once."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky import Bluesky
from connectors.bluesky.answering import fitting, length, record_key_of
from connectors.kit.contract import Author, Post, State
from connectors.kit.errors import AccessDenied, ConnectorError, Gone
from tests.connectors.place import BEGINNING, Fault
from tests.connectors.skyline import (
    ADA,
    HANDLE,
    LETTERS,
    OURS,
    Sky,
    bluesky,
    door,
    member,
    pull,
    read_all,
)
from tests.connectors.suite import Memory

FAMILY = "👩‍👩‍👧‍👦"  # one sign for people, seven code points, 25 bytes


def a_post(key: str = "3one") -> Post:
    return Post(
        id=f"at://{ADA}/app.bsky.feed.post/{key}",
        url="https://bsky.app/x",
        text="broken",
        published=BEGINNING,
        author=Author(id=ADA),
    )


# Sessions.


async def test_many_walks_share_one_session() -> None:
    async with Sky() as sky:
        sky.insert(3)
        for _ in range(5):
            await read_all(sky, member(sky, query="acme"))
        async with door(sky) as network:
            source = member(sky, notifications=True)
            await asyncio.gather(*(source.check(network) for _ in range(10)))

    assert (sky.log_ins, sky.renewals) == (1, 0)


async def test_a_session_that_has_run_out_is_renewed_once_for_all_who_wait() -> None:
    async with Sky() as sky:
        sky.insert(1)
        await read_all(sky, member(sky, query="acme"))
        sky.expire()
        async with door(sky) as network:
            source = member(sky, query="acme")
            healths = await asyncio.gather(*(source.check(network) for _ in range(10)))

    assert all(health.well for health in healths)
    assert (sky.log_ins, sky.renewals) == (1, 1)


async def test_a_session_that_cannot_be_renewed_is_opened_anew() -> None:
    async with Sky() as sky:
        sky.insert(1)
        await read_all(sky, member(sky, query="acme"))
        sky.tokens.clear()
        memory = await read_all(sky, member(sky, query="acme"))

    assert len(memory.posts) == 1
    assert (sky.log_ins, sky.renewals) == (2, 1)


async def test_a_server_that_is_down_while_a_session_is_renewed_costs_no_log_in() -> None:
    async with Sky() as sky:
        sky.insert(1)
        await read_all(sky, member(sky, query="acme"))
        sky.expire()
        sky.fail(Fault.BROKEN, path="refreshSession")
        with pytest.raises(ConnectorError):
            await read_all(sky, member(sky, query="acme"))
        await read_all(sky, member(sky, query="acme"))

    assert (sky.log_ins, sky.renewals) == (1, 1)


async def test_a_wrong_password_tells_a_person_what_to_do() -> None:
    async with Sky() as sky:
        wrong = bluesky(sky, query="acme", handle=HANDLE, password="s3cret")
        with pytest.raises(AccessDenied, match="make a new app password") as denied:
            await read_all(sky, wrong)

    assert "s3cret" not in f"{denied.value!r} {wrong!r}"


async def test_an_account_that_is_taken_down_is_named() -> None:
    async with Sky() as sky:
        sky.status = {"active": False, "status": "takendown"}
        with pytest.raises(AccessDenied, match=f"{HANDLE} is takendown"):
            await read_all(sky, member(sky, query="acme"))


# One post again.


async def test_what_is_left_out_is_gone_only_when_its_record_is() -> None:
    async with Sky() as sky:
        posts = sky.insert(60)
        memory = await read_all(sky, member(sky, query="acme"))
        deleted, hidden, marked = posts[:3]
        sky.delete(deleted)
        sky.hidden = {hidden.number}
        sky.views[marked.number] = {"labels": [{"val": "!takedown"}]}
        asked = [sky.uri(post) for post in posts]
        async with door(sky) as network:
            changes = await member(sky, query="acme").recheck(network, asked)
        requests = [one for one in sky.asked if one.path.endswith("getPosts")]

    assert len(memory.posts) == 60
    assert [change.id for change in changes] == asked
    states = [change.state for change in changes]
    assert states == [State.GONE, State.ABSENT, State.GONE, *[State.SAME] * 57]
    assert len(requests) == 3  # 25 at a time


async def test_a_post_whose_author_turned_to_members_is_gone_for_strangers() -> None:
    async with Sky() as sky:
        [post] = sky.insert(1)
        author = {"did": ADA, "handle": "ada.example", "labels": [{"val": "!no-unauthenticated"}]}
        sky.views[post.number] = {"author": author}
        async with door(sky) as network:
            [stranger] = await bluesky(sky, query="a").recheck(network, [sky.uri(post)])
            [known] = await member(sky, query="a").recheck(network, [sky.uri(post)])

    assert (stranger.state, known.state) == (State.GONE, State.SAME)


async def test_a_server_that_sees_only_itself_is_asked_for_its_records() -> None:
    async with Sky() as sky:
        kept, deleted = sky.insert(2)
        memory = await read_all(sky, member(sky, query="acme"))
        sky.appview = False
        sky.delete(deleted)
        async with door(sky) as network:
            source = member(sky, query="acme")
            same, gone = await source.recheck(network, [sky.uri(kept), sky.uri(deleted)])
            receipt = await source.reply(network, memory.posts[sky.uri(kept)], "Sorry", "key")

    assert (same.state, gone.state) == (State.SAME, State.GONE)
    assert same.post is not None
    assert same.post.revision == memory.posts[same.id].revision
    assert receipt.id.startswith(f"at://{OURS}/")


# Replies.


async def mentioned(sky: Sky) -> Post:
    memory = Memory(sky)
    await pull(sky, memory, member(sky, notifications=True))
    return max(memory.posts.values(), key=lambda post: post.id)


async def test_a_reply_hangs_in_the_thread_and_says_what_we_said() -> None:
    root = {"uri": "at://did:plc:bob/app.bsky.feed.post/3root", "cid": "bafyroot"}
    above = {"uri": "at://did:plc:bob/app.bsky.feed.post/3above", "cid": "bafyabove"}
    async with Sky() as sky:
        [told] = sky.insert(1)
        sky.records[told.number] = {"reply": {"root": root, "parent": above}, "langs": ["de"]}
        post = await mentioned(sky)
        async with door(sky) as network:
            receipt = await member(sky, query="acme").reply(network, post, " Tut uns leid. ", "k")
        shown = sky.view(told)

    [(key, record)] = sky.published.items()
    assert receipt.id == f"at://{OURS}/app.bsky.feed.post/{key}"
    assert receipt.url == f"https://bsky.app/profile/{OURS}/post/{key}"
    assert record["text"] == "Tut uns leid."
    assert record["langs"] == ["de"]
    assert record["reply"] == {"root": root, "parent": {"uri": shown["uri"], "cid": shown["cid"]}}
    assert "facets" not in record


async def test_links_names_and_hashtags_are_counted_in_bytes() -> None:
    text = f"Grüße {FAMILY}, @Ada.Example & @nobody.example: (https://acme.example/ä?b=1). #Lift #1"
    async with Sky() as sky:
        sky.insert(1)
        post = await mentioned(sky)
        async with door(sky) as network:
            await member(sky, query="acme").reply(network, post, text, "k")

    [record] = sky.published.values()
    live = {
        text.encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(): {
            name: value for name, value in one["features"][0].items() if name != "$type"
        }
        for one in record["facets"]
    }
    assert live == {
        "@Ada.Example": {"did": ADA},
        "https://acme.example/ä?b=1": {"uri": "https://acme.example/ä?b=1"},
        "#Lift": {"tag": "Lift"},
    }


async def test_a_second_try_changes_nothing_and_another_reply_is_another() -> None:
    async with Sky() as sky:
        sky.insert(1)
        post = await mentioned(sky)
        ours = member(sky, query="acme")
        async with door(sky) as network:
            once = await ours.reply(network, post, "Sorry", "key-1")
            again = await ours.reply(network, post, "Sorry, once more", "key-1")
            other = await ours.reply(network, post, "And this", "key-2")

    assert once == again != other
    assert sky.replies == ["Sorry", "And this"]


async def test_a_reply_that_became_known_meanwhile_is_not_overwritten() -> None:
    async with Sky() as sky:
        sky.insert(1)
        post = await mentioned(sky)
        sky.fail(Fault.LOST, method="POST", path="putRecord")
        ours = member(sky, query="acme")
        async with door(sky) as network:
            with pytest.raises(ConnectorError):
                await ours.reply(network, post, "Sorry", "key-1")
            found = await ours.find_reply(network, post, "key-1")
            receipt = await ours.reply(network, post, "Something else", "key-1")

    assert found == receipt
    assert sky.replies == ["Sorry"]


async def test_a_reply_that_the_author_does_not_want_is_not_sent() -> None:
    async with Sky() as sky:
        [told] = sky.insert(1)
        sky.views[told.number] = {"viewer": {"replyDisabled": True}}
        post = await mentioned(sky)
        async with door(sky) as network:
            with pytest.raises(ConnectorError, match="only some people"):
                await member(sky, query="acme").reply(network, post, "Sorry", "k")

    assert sky.published == {}


async def test_a_post_that_is_gone_cannot_be_answered() -> None:
    async with Sky() as sky:
        [told] = sky.insert(1)
        post = await mentioned(sky)
        sky.delete(told)
        async with door(sky) as network:
            with pytest.raises(Gone, match="no longer on Bluesky"):
                await member(sky, query="acme").reply(network, post, "Sorry", "k")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x" * 301, "301 characters"),
        (FAMILY * 300, "bytes"),
        (" \n ", "empty"),
    ],
    ids=["too many signs", "too many bytes", "nothing"],
)
async def test_a_reply_that_does_not_fit_is_refused_before_it_is_sent(
    text: str, wrong: str
) -> None:
    async with Sky() as sky, door(sky) as network:
        with pytest.raises(ConnectorError, match=wrong):
            await member(sky, query="acme").reply(network, a_post(), text, "k")

    assert sky.asked == []


def test_a_reply_is_as_long_as_people_see_it() -> None:
    assert length(FAMILY) == 1
    assert length("e\u0301🇩🇪👍🏽") == 3
    assert fitting("x" * 300) == "x" * 300
    assert fitting(FAMILY * 100) == FAMILY * 100


def test_answering_takes_an_account() -> None:
    without = Bluesky(query="acme").can_reply(a_post())
    ours = Bluesky.model_validate({"query": "acme", "handle": HANDLE, "password": "p"})

    assert not without.allowed
    assert "app password" in without.reason
    assert without.link == "https://bsky.app/x"
    rule = ours.can_reply(a_post())
    assert (rule.allowed, rule.length, rule.unit) == (True, 300, "graphemes")


@given(key=st.text(), other=st.text())
def test_a_record_key_is_made_of_the_post_and_the_key_and_of_nothing_else(
    key: str, other: str
) -> None:
    made = record_key_of(a_post(), key)

    assert made == record_key_of(a_post(), key)
    assert (made == record_key_of(a_post(), other)) is (key == other)
    assert made != record_key_of(a_post("3two"), key)
    assert len(made) == 13
    assert set(made) <= set(LETTERS)
    assert made[0] in "234567abcdefghij"


def test_record_keys_grow_with_time() -> None:
    early, late = a_post(), a_post()
    late = Post(
        **{name: getattr(late, name) for name in ("id", "url", "text")},
        published=BEGINNING + timedelta(hours=2),
    )

    assert record_key_of(early, "key") < record_key_of(late, "key")
