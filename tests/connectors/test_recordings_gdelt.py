"""Every article that GDELT really listed is read."""

import os
from pathlib import Path

import pytest

from connectors.gdelt import Listing
from connectors.kit.contract import Kind, Unread

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "gdelt"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)


def test_every_article_is_read_under_its_clean_address_and_title() -> None:
    files = sorted(RECORDINGS.glob("*/*artlist*.json"))
    assert files
    for file in files:
        found = Listing.model_validate_json(file.read_bytes()).articles
        posts = [one.as_post() for one in found if not isinstance(one, Unread)]

        assert len(posts) == len(found) == 3
        assert len({post.id for post in posts}) == 3
        for post in posts:
            assert post.kind is Kind.ARTICLE
            assert ":443" not in post.url
            assert "title=" not in post.url
            assert post.title
            assert " ," not in post.title
            assert " ;" not in post.title
            assert "  " not in post.title
            assert post.language == "en"
