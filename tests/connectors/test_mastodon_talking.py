"""Mastodon is heard as it happens, asked again post by post, and answered once."""

import orjson
import pytest
from pydantic import SecretStr

from connectors.kit.contract import State
from connectors.kit.errors import ConnectorError, Gone
from connectors.mastodon import Mastodon
from connectors.mastodon.shapes import Instance
from tests.connectors.fediverse import (
    TOKEN,
    FarTown,
    Town,
    door,
    heard,
    mastodon,
    read_all,
    recorded,
    sse,
)
from tests.connectors.suite import number

# Streams.


async def test_a_stream_tells_of_posts_edits_and_deletions() -> None:
    async with Town() as town:
        [post, other] = town.insert(2)
        said = town.status(post)
        edited = {**said, "content": "<p>Fixed now</p>", "edited_at": "2025-03-04T10:00:00Z"}
        strangers = {**town.status(other), "visibility": "private"}
        pages = await heard(
            town,
            sse("update", said)
            + b":thump\n\n"
            + sse("status.update", edited)
            + sse("status_update", edited)
            + sse("filters_changed", "undefined")
            + sse("update", strangers)
            + sse("delete", "999")
            + sse("delete", said["id"]),
            tag="acme",
        )

    assert [[post.text for post in page.posts] for page in pages[1:3]] == [["Fixed now"]] * 2
    assert [page.gone for page in pages] == [(), (), (), (said["uri"],)]
    assert {page.cursor for page in pages} == {"where pages stopped"}
    assert {page.span for page in pages} == {None}


async def test_an_event_that_was_wrapped_twice_is_unwrapped() -> None:
    async with Town() as town:
        [post] = town.insert(1)
        inner = orjson.dumps(town.status(post)).decode()
        as_text = orjson.dumps(inner).decode()
        framed = {"stream": ["hashtag"], "event": "update", "payload": inner}
        pages = await heard(town, sse("update", as_text) + sse("message", framed), tag="acme")

    assert [len(page.posts) for page in pages] == [1, 1]


async def test_an_event_that_cannot_be_read_is_set_aside_and_the_stream_goes_on() -> None:
    async with Town() as town:
        [post] = town.insert(1)
        pages = await heard(
            town,
            sse("update", '{"id": "1"}')
            + sse("update", "{torn")
            + sse("update", town.status(post)),
            tag="acme",
        )

    assert [len(page.unreadable) for page in pages] == [1, 1, 0]
    assert pages[0].unreadable[0].reason.startswith("A status is in a shape we do not know")
    assert len(pages[2].posts) == 1


async def test_our_own_stream_tells_of_mentions_and_not_of_whom_we_follow() -> None:
    async with Town() as town:
        [followed, mention] = town.insert(2)
        favourite = {**town.notification(followed), "type": "favourite"}
        changed = {**town.status(mention), "edited_at": "2025-03-04T10:00:00Z"}
        pages = await heard(
            town,
            sse("update", town.status(followed))
            + sse("notification", favourite)
            + sse("notification", town.notification(mention))
            + sse("status.update", town.status(followed))
            + sse("status.update", changed),
            mentions=True,
            token=TOKEN,
        )

    assert [[number(post) for post in page.posts] for page in pages] == [[2], [2]]


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("wss://streaming.town.example", "https://streaming.town.example"),
        ("wss://town.example", "https://town.example"),
        ("wss://elsewhere.example", "https://town.example"),
        ("ws://streaming.town.example", "https://town.example"),
        ("wss://town.example.elsewhere.example", "https://town.example"),
        ("", "https://town.example"),
    ],
)
async def test_the_server_says_where_it_streams_but_only_of_its_own_hosts(
    told: str, used: str
) -> None:
    connector = Mastodon(api="https://town.example", tag="acme")
    says = {"version": "4.5.0", "configuration": {"urls": {"streaming": told}}}

    assert connector.stream_base(Instance.model_validate(says)) == used
    elsewhere = connector.model_copy(update={"api_stream": "https://proxy.example"})
    assert elsewhere.stream_base(Instance.model_validate(says)) == "https://proxy.example"


# One post again.


async def test_a_post_of_another_server_is_found_by_a_token_that_may_search() -> None:
    far = "https://far.example/users/ada/statuses/5"
    async with FarTown() as town:
        [post] = town.insert(1)
        async with door(town) as network:
            [found] = await mastodon(town, tag="acme", token=TOKEN).recheck(network, [far])
            [unasked] = await mastodon(town, tag="acme").recheck(network, [far])
            town.edit(post)
            [edited] = await mastodon(town, tag="acme", token=TOKEN).recheck(network, [far])
            town.delete(post)
            [unlisted] = await mastodon(town, tag="acme", token=TOKEN).recheck(network, [far])

    assert found.state is State.SAME
    assert unasked.state is State.UNKNOWN
    assert edited.state is State.EDITED
    # Its own server may merely be down: that is no deletion.
    assert unlisted.state is State.UNKNOWN


async def test_a_post_that_its_author_hid_since_is_gone_for_us() -> None:
    async with Town() as town:
        [post] = town.insert(1)
        memory = await read_all(town, tag="acme", token=TOKEN)
        town.private = {post.number}
        async with door(town) as network:
            [change] = await mastodon(town, tag="acme", token=TOKEN).recheck(
                network, [*memory.posts]
            )

    assert change.state is State.GONE


# Replies.


async def test_a_reply_goes_to_the_author_with_the_audience_of_the_post_and_once() -> None:
    async with Town() as town:
        town.told = {"visibility": "direct"}
        town.insert(1)
        memory = await read_all(town, mentions=True, token=TOKEN)
        [post] = memory.posts.values()
        ours = mastodon(town, mentions=True, token=TOKEN)
        async with door(town) as network:
            once = await ours.reply(network, post, "We are on it.", "key-1")
            again = await ours.reply(network, post, "We are on it.", "key-1")

    assert once == again
    assert town.replies == ["@ada We are on it."]
    assert town.answers["key-1"]["visibility"] == "direct"


async def test_an_author_who_is_named_already_is_not_named_twice() -> None:
    async with Town() as town:
        town.insert(1)
        [post] = (await read_all(town, tag="acme", token=TOKEN)).posts.values()
        ours = mastodon(town, tag="acme", token=TOKEN)
        async with door(town) as network:
            await ours.reply(network, post, "@Ada sorry!", "key-1")
            await ours.reply(network, post, "@adam sorry!", "key-2")

    assert town.replies == ["@Ada sorry!", "@ada @adam sorry!"]


async def test_a_reply_longer_than_the_server_takes_is_refused_before_it_is_sent() -> None:
    async with Town() as town:
        town.insert(1)
        [post] = (await read_all(town, tag="acme", token=TOKEN)).posts.values()
        ours = mastodon(town, tag="acme", token=TOKEN)
        async with door(town) as network:
            with pytest.raises(ConnectorError, match="takes 500"):
                await ours.reply(network, post, "x" * 497, "key-1")

    assert town.replies == []


async def test_a_post_that_is_gone_cannot_be_answered() -> None:
    async with Town() as town:
        [published] = town.insert(1)
        [post] = (await read_all(town, tag="acme", token=TOKEN)).posts.values()
        town.delete(published)
        async with door(town) as network:
            with pytest.raises(Gone, match="no longer on"):
                await mastodon(town, tag="acme", token=TOKEN).reply(network, post, "Hi", "key-1")

    assert town.replies == []


def test_answering_takes_a_token_and_leaves_room_for_the_authors_name() -> None:
    post = recorded("status.json").as_post("town.example")
    without = Mastodon(api="https://town.example", tag="acme").can_reply(post)
    ours = Mastodon(api="https://town.example", tag="acme", token=SecretStr(TOKEN), characters=5000)

    assert not without.allowed
    assert "token" in without.reason
    assert without.link == post.url
    assert ours.can_reply(post).length == 5000 - len("@ada@far.example ")
