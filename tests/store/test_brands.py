"""What is set aside before a page is kept."""

from datetime import UTC, datetime

from connectors.kit.contract import Page, Post
from listener.store.brands import LONGEST_ID, readable

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_post_whose_id_no_index_can_hold_is_set_aside_and_the_others_are_kept() -> None:
    posts = [
        Post(id=id_, url="https://place.example", text="fish", published=NOON)
        for id_ in ("short", "x" * LONGEST_ID, "y" * (LONGEST_ID + 1))
    ]

    page = readable(Page(posts=tuple(posts), cursor="next"))

    assert [len(post.id) for post in page.posts] == [5, LONGEST_ID]
    assert page.cursor == "next"
    [aside] = page.unreadable
    assert aside.reason == "Its id is longer than any place's."
