"""Posts on Reddit are asked for again by id, and answered once, or with the reason why not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.kit.contract import Post, State, Web
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.reddit import access
from tests.connectors.reddit_place import Front, Mailbox, Town, opened, poll, reddit
from tests.connectors.suite import Memory


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Ports are used again, so forget the tokens of places that are closed."""
    yield
    access._kept.clear()


async def newest(front: Front, network: Web, **options: object) -> Post:
    front.insert(2)
    memory = Memory(front)
    await poll(front, network, memory, **options)
    return max(memory.posts.values(), key=lambda post: post.published)


# Asked again.


async def test_a_recheck_asks_for_a_hundred_at_a_time() -> None:
    async with opened(front := Front()) as network:
        front.insert(230)
        ids = [f"t3_s{number}" for number in range(1, 231)]

        changes = await reddit(front).recheck(network, ids)

        assert [change.id for change in changes] == ids
        assert {change.state for change in changes} == {State.SAME}
        assert len(front.asked) == 1 + 3


async def test_a_recheck_tells_marks_from_absence_and_leaves_messages_alone() -> None:
    async with opened(front := Town()) as network:
        kept, removed, deleted = front.insert(3)
        front.removed.add(removed.number)
        front.delete(deleted)
        front.edit(kept)
        ids = ["t4_m1", front.name(deleted), "t1_never", front.name(removed), front.name(kept)]

        changes = await reddit(front).recheck(network, ids)

        assert [change.id for change in changes] == ids
        assert [change.state for change in changes] == [
            State.UNKNOWN,
            State.GONE,
            State.ABSENT,
            State.GONE,
            State.EDITED,
        ]


# Answered.


async def test_answering_takes_an_account() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)

        assert reddit(front).can_reply(post).length == 10_000
        rule = reddit(front, password=None).can_reply(post)
        assert (rule.allowed, rule.link) == (False, post.url)


async def test_a_message_is_answered_by_hand() -> None:
    async with opened(front := Mailbox()) as network:
        post = await newest(front, network, inbox=True)

        assert reddit(front, inbox=True).can_reply(post).allowed
        rule = reddit(front, inbox=True).can_reply(replace(post, id="t4_m1"))
        assert (rule.allowed, rule.link) == (False, post.url)
        assert "by hand" in rule.reason


RATELIMIT = "RATELIMIT"
TOO_MUCH = "you are doing that too much. try again in {}."


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (TOO_MUCH.format("9 minutes"), 540),
        (TOO_MUCH.format("1 minute"), 60),
        (TOO_MUCH.format("42 seconds"), 42),
        (TOO_MUCH.format("1 hour"), 3600),
        ("Take a break for 500 milliseconds before trying again.", 0.5),
    ],
)
async def test_a_pause_between_replies_is_as_long_as_reddit_says(
    words: str, seconds: float
) -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.objection = {"errors": [[RATELIMIT, words, "ratelimit"]]}

        with pytest.raises(TryLater) as paused:
            await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert paused.value.wait == timedelta(seconds=seconds)


async def test_a_pause_in_numbers_counts_more_than_one_in_words() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        words = TOO_MUCH.format("9 minutes")
        front.objection = {"errors": [[RATELIMIT, words, "ratelimit"]], "ratelimit": 512.2}

        with pytest.raises(TryLater) as paused:
            await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert paused.value.wait == timedelta(seconds=512.2)


@pytest.mark.parametrize(
    ("code", "meant", "words"),
    [
        ("DELETED_COMMENT", Gone, "no longer there"),
        ("THREAD_LOCKED", ConnectorError, "locked this thread"),
        ("TOO_OLD", ConnectorError, "archived this thread"),
        ("USER_BLOCKED", ConnectorError, "has blocked our account"),
        ("BANNED_FROM_SUBREDDIT", AccessDenied, "ask its moderators"),
        ("SOMETHING_NEW", ConnectorError, r"\(SOMETHING_NEW\)"),
        ("they said: <b>no</b>", ConnectorError, r"\(no name\)"),
    ],
)
async def test_an_objection_to_a_reply_has_its_name(
    code: str, meant: type[ConnectorError], words: str
) -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.objection = {"errors": [[code, "some words", "parent"]], "data": {}}

        with pytest.raises(meant, match=words) as refused:
            await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert type(refused.value) is meant


async def test_a_reply_that_reddit_took_without_showing_it_is_for_a_person_to_look_at() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.objection = {"errors": [], "data": {"things": []}}

        with pytest.raises(Unreadable, match="look whether it is there"):
            await reddit(front).reply(network, post, "We are sorry.", "key-1")


@pytest.mark.parametrize(
    ("told", "meant"), [({"locked": True}, ConnectorError), ({"archived": True}, ConnectorError)]
)
async def test_a_closed_thread_is_seen_before_anything_is_sent(
    told: dict[str, object], meant: type[ConnectorError]
) -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.told = told

        with pytest.raises(meant, match="closed"):
            await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert not any(asked.path == "/api/comment" for asked in front.asked)


async def test_a_post_that_is_gone_is_not_answered() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.delete(front.listed()[0])

        with pytest.raises(Gone):
            await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert front.replies == []


async def test_a_reply_that_is_too_long_is_not_sent() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)

        with pytest.raises(ConnectorError, match="10,001 characters"):
            await reddit(front).reply(network, post, "x" * 10_001, "key-1")

        assert front.replies == []


async def test_a_token_that_was_taken_back_is_replaced_before_a_reply_is_sent() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.tokens.clear()

        receipt = await reddit(front).reply(network, post, "We are sorry.", "key-1")

        assert receipt.url == "https://www.reddit.com/r/soup/comments/s1/cold/ours1/"
        assert front.replies == ["We are sorry."]


# Found again.


async def test_our_reply_is_found_beyond_a_hundred_newer_comments_of_ours() -> None:
    async with opened(front := Front()) as network:
        post = await newest(front, network)
        front.ours = [front.our_comment(1, post.id, "We are sorry.")]
        front.ours += [front.our_comment(n, "t1_other", "Hi") for n in range(2, 130)]

        found = await reddit(front).find_reply(network, post, "key-1")

        assert found is not None
        assert found.id == "t1_ours1"


@pytest.mark.parametrize("left_out", [False, True], ids=["in the tree", "among more"])
async def test_our_reply_is_found_in_the_thread_when_our_profile_is_late(left_out: bool) -> None:
    async with opened(front := Town()) as network:
        post = await newest(front, network, communities=["acme", "soup"])
        front.profile = False
        front.left_out = left_out
        front.ours = [
            front.our_comment(1, post.id, "Somebody else's", author="ada_eats"),
            front.our_comment(2, post.id, "We are sorry."),
            front.our_comment(3, "t1_ours2", "Not right below it"),
            front.our_comment(4, post.id, "[removed]"),
        ]

        found = await reddit(front).find_reply(network, post, "key-1")

        assert found is not None
        assert found.id == "t1_ours2"


async def test_our_reply_to_a_comment_is_found_below_it() -> None:
    async with opened(front := Mailbox()) as network:
        post = await newest(front, network, inbox=True)
        front.profile = False
        front.ours = [front.our_comment(1, post.id, "We are sorry.")]

        found = await reddit(front, inbox=True).find_reply(network, post, "key-1")

        assert found is not None
        assert found.id == "t1_ours1"
        assert any(asked.query.get("comment") == "c2" for asked in front.asked)
