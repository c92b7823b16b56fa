"""Every post that Discourse's own client recorded is read, or left with a reason."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from typing_extensions import override

from connectors.discourse.shapes import Found, Latest, Published, Told
from connectors.kit.contract import Kind, Unread
from tests.connectors.forum import Forum, poll
from tests.connectors.memory import Memory
from tests.connectors.place import BEGINNING

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "discourse"
CLIENT = RECORDINGS / "discourse__discourse_api"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)

MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]{2,8}|#x?[0-9a-f]{2,6});")


def told_posts() -> Iterator[dict[str, Any]]:
    """Every post in every file, wherever it stands."""

    def within(found: Any) -> Iterator[dict[str, Any]]:
        if isinstance(found, dict):
            if {"cooked", "topic_id", "post_number"} <= found.keys():
                yield found
            for inner in found.values():
                yield from within(inner)
        elif isinstance(found, list):
            for inner in found:
                yield from within(inner)

    for file in sorted(CLIENT.glob("*.json")):
        yield from within(orjson.loads(file.read_bytes()))


def test_every_post_is_in_a_shape_we_know() -> None:
    posts = [Told.model_validate(told) for told in told_posts()]

    assert len(posts) == 12
    assert all(post.created_at.tzinfo for post in posts)


@pytest.mark.parametrize("name", ["posts_latest.json", "posts_before.json"])
async def test_a_page_of_posts_is_read_whole_as_plain_text(name: str) -> None:
    body = (CLIENT / name).read_bytes()

    class Recorded(Forum):
        @override
        async def latest(self, request: web.Request) -> web.Response:
            known = "before" in request.query
            return web.Response(body=b'{"latest_posts": []}' if known else body)

    async with Recorded() as forum:
        memory = Memory(forum, since=BEGINNING.replace(year=2012))
        pages = await poll(forum, memory)

    told = Latest.model_validate_json(body).latest_posts
    assert not any(isinstance(one, Unread) for one in told)
    read = {post.id.rpartition("/")[2]: post for page in pages for post in page.posts}
    assert read.keys() == {str(one.id) for one in told if isinstance(one, Told)}
    for post in read.values():
        assert post.text
        assert not MARKUP.search(f"{post.title or ''} {post.text}")
        assert (post.kind is Kind.POST) == (post.title is not None)


def test_the_answer_to_a_new_topic_is_its_first_post() -> None:
    told = Published.model_validate_json((CLIENT / "create_topic_with_tags.json").read_bytes())

    assert told.post is not None
    assert (told.post.id, told.post.topic_id, told.post.post_number) == (29, 21, 1)


def test_a_list_of_topics_is_no_answer_to_a_search() -> None:
    with pytest.raises(ValueError, match="grouped_search_result"):
        Found.model_validate_json((CLIENT / "new.json").read_bytes())
