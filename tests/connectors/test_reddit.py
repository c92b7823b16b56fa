"""Reddit's search, communities and inbox pass what every connector must pass."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from connectors.reddit import Reddit, access
from tests.connectors.reddit_place import LOGIN, Front, Mailbox, Town
from tests.connectors.suite import ConnectorSuite


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Ports are used again, so forget the tokens of places that are closed."""
    yield
    access._kept.clear()


class TestRedditSearch(ConnectorSuite):
    """Submissions that a search finds."""

    connector = Reddit
    options: ClassVar = {**LOGIN, "query": "acme"}
    place = Front
    reply_path = "/api/comment"


class TestRedditCommunities(ConnectorSuite):
    """Two lists of two communities, read as one."""

    connector = Reddit
    options: ClassVar = {**LOGIN, "communities": ["acme", "/r/soup/"]}
    place = Town
    reply_path = "/api/comment"


class TestRedditInbox(ConnectorSuite):
    """What is addressed to our own account."""

    connector = Reddit
    options: ClassVar = {**LOGIN, "inbox": True}
    place = Mailbox
    reply_path = "/api/comment"
