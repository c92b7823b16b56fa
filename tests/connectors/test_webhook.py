"""A delivery counts only when its sender signed it just now, and every way to write posts is read."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook as Signer
from typing_extensions import override

from connectors.kit import catalog
from connectors.kit.contract import (
    Accepts,
    Attachment,
    Delivery,
    Kind,
    Known,
    Post,
    Precision,
    Rating,
    Web,
    secrets,
)
from connectors.kit.errors import AccessDenied, Unreadable
from connectors.webhook import LARGEST, Webhook
from tests.connectors.place import Published
from tests.connectors.suite import DeliverySuite

NOW = datetime(2025, 3, 4, 9, 30, 10, tzinfo=UTC)
KEY = "whsec_" + b64encode(b"one key of twenty-four b" * 1).decode()
OLD_KEY = "whsec_" + b64encode(b"the key we had before it").decode()
FOREIGN_KEY = "whsec_" + b64encode(b"a key of somebody else's").decode()
NO_WEB = cast(Web, object())  # whoever asks the network here gets an AttributeError
NOBODY = cast(Known, object())
RECORDINGS = Path(__file__).parent / "recordings" / "webhook"

SHOP = {
    "/number": "id",
    "/link": "url",
    "/review/headline": "title",
    "/review/body": "html",
    "/customer/name": "author",
    "/customer/key": "author_id",
    "/score": "rating",
    "/created": "published",
}


def signed(
    body: bytes,
    key: str = KEY,
    *,
    name: str = "msg_1",
    at: datetime = NOW,
    received: datetime = NOW,
    content_type: str = "application/json",
) -> Delivery:
    headers = {
        "content-type": content_type,
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Signer(key).sign(name, at, body.decode()),
    }
    return Delivery(headers=headers, body=body, received=received)


def changed(delivery: Delivery, **headers: str) -> Delivery:
    renamed = {name.replace("_", "-"): text for name, text in headers.items()}
    return Delivery(
        headers={**delivery.headers, **renamed}, body=delivery.body, received=delivery.received
    )


def recorded(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


def hook(**options: object) -> Webhook:
    return Webhook.model_validate({"secret": KEY, **options})


def only(found: tuple[Post, ...]) -> Post:
    [post] = found
    return post


class TestWebhook(DeliverySuite):
    """The contract tests of a connector that is sent posts."""

    connector = Webhook
    options: ClassVar = {"secret": KEY, "previous": OLD_KEY, "fields": {"/body": "html"}}

    @override
    def delivered(self, post: Published) -> Delivery:
        return signed(self.body(post), name=f"msg_{post.number}")

    @override
    def forged(self, post: Published) -> Delivery:
        return signed(self.body(post), FOREIGN_KEY)

    def body(self, post: Published) -> bytes:
        return orjson.dumps({"body": post.html, "published": post.at.isoformat()})


HELLO = orjson.dumps({"id": "1", "text": "Your lift is broken again."})


# Who sent it.


def test_a_delivery_signed_just_now_is_accepted() -> None:
    page = hook().accept(signed(HELLO))

    assert only(page.posts).text == "Your lift is broken again."
    assert page.cursor is None
    assert page.span is None


def test_a_delivery_with_a_bad_signature_is_refused() -> None:
    forged = signed(HELLO, FOREIGN_KEY)

    with pytest.raises(AccessDenied, match="No signature fits"):
        hook().accept(forged)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_delivery_without_one_of_the_three_headers_is_refused(missing: str) -> None:
    headers = {name: text for name, text in signed(HELLO).headers.items() if name != missing}

    with pytest.raises(AccessDenied, match=r"needs the headers .*webhook-id"):
        hook().accept(Delivery(headers=headers, body=HELLO, received=NOW))


@pytest.mark.parametrize("away", [timedelta(minutes=6), -timedelta(minutes=6), timedelta(days=400)])
def test_an_old_or_a_future_timestamp_is_refused_though_its_signature_is_right(
    away: timedelta,
) -> None:
    stale = signed(HELLO, at=NOW - away)

    with pytest.raises(AccessDenied, match="five minutes"):
        hook().accept(stale)


def test_a_timestamp_of_four_minutes_ago_is_still_good() -> None:
    assert hook().accept(signed(HELLO, at=NOW - timedelta(minutes=4))).posts


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "٣٣٣", "9" * 40, "1741080610.5"])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(stamp: str) -> None:
    with pytest.raises(AccessDenied):
        hook().accept(changed(signed(HELLO), webhook_timestamp=stamp))


def test_a_body_that_was_written_anew_on_the_way_is_refused() -> None:
    # A proxy that reads JSON and writes it again keeps the meaning and changes the bytes.
    original = signed(b'{"id": "1",   "text": "Your lift is broken again."}')
    anew = Delivery(
        headers=original.headers,
        body=orjson.dumps(orjson.loads(original.body)),
        received=NOW,
    )

    assert hook().accept(original).posts
    with pytest.raises(AccessDenied):
        hook().accept(anew)


def test_the_timestamp_and_the_id_are_part_of_what_is_signed() -> None:
    good = signed(HELLO, at=NOW - timedelta(minutes=2))

    with pytest.raises(AccessDenied):
        hook().accept(changed(good, webhook_id="msg_2"))
    with pytest.raises(AccessDenied):
        hook().accept(changed(good, webhook_timestamp=str(int(NOW.timestamp()))))


def test_while_keys_rotate_both_count_and_afterwards_only_the_new_one() -> None:
    rotating = hook(previous=OLD_KEY)

    assert rotating.accept(signed(HELLO, KEY)).posts
    assert rotating.accept(signed(HELLO, OLD_KEY)).posts
    with pytest.raises(AccessDenied):
        rotating.accept(signed(HELLO, FOREIGN_KEY))
    with pytest.raises(AccessDenied):
        hook().accept(signed(HELLO, OLD_KEY))


def test_one_good_signature_among_several_is_enough() -> None:
    good = signed(HELLO)
    several = f"v1,AAAA v2,BBBB v1a,CCCC  , v1, {good.headers['webhook-signature']} v1,!!"

    assert hook().accept(changed(good, webhook_signature=several)).posts


@given(st.text(max_size=80), st.binary(max_size=80))
def test_whatever_stands_in_the_headers_and_the_body_a_stranger_is_only_refused(
    signature: str, body: bytes
) -> None:
    headers = {
        "webhook-id": "x",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": f"v1,{signature} {signature}",
    }

    with pytest.raises(AccessDenied):
        hook().accept(Delivery(headers=headers, body=body, received=NOW))


def test_a_delivery_that_comes_again_has_the_same_id_and_gives_the_same_posts() -> None:
    once, again = signed(HELLO), signed(HELLO, received=NOW + timedelta(minutes=1))

    assert hook().delivery_id(once) == hook().delivery_id(again) == "msg_1"
    assert hook().delivery_id(signed(HELLO, name="msg_2")) != hook().delivery_id(once)
    assert hook().accept(once).posts[0].id == hook().accept(again).posts[0].id


# Senders with an HMAC of their own.


def hmac_headers(body: bytes, key: str = "a key between us") -> Mapping[str, str]:
    return {"x-shop-signature": "sha256=" + hmac.digest(key.encode(), body, "sha256").hex()}


def test_a_sender_with_its_own_hmac_is_accepted_by_header_algorithm_and_prefix() -> None:
    own = hook(secret="a key between us", header="X-Shop-Signature", prefix="sha256=")
    good = Delivery(headers=hmac_headers(HELLO), body=HELLO, received=NOW)

    assert own.accept(good).posts
    for headers in (
        hmac_headers(HELLO, "another key"),
        hmac_headers(b"another body"),
        {"x-shop-signature": good.headers["x-shop-signature"].removeprefix("sha256=")},
        {},
    ):
        with pytest.raises(AccessDenied):
            own.accept(Delivery(headers=headers, body=HELLO, received=NOW))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_an_hmac_may_be_of_any_usual_hash_and_in_base64(algorithm: str) -> None:
    own = hook(secret="a key between us", header="x-mac", algorithm=algorithm, encoding="base64")
    mac = b64encode(hmac.digest(b"a key between us", HELLO, algorithm)).decode()

    assert own.accept(Delivery(headers={"x-mac": mac}, body=HELLO, received=NOW)).posts
    with pytest.raises(AccessDenied):
        own.accept(Delivery(headers={"x-mac": mac.swapcase()}, body=HELLO, received=NOW))


def test_where_only_the_body_is_signed_a_replay_under_another_id_is_the_same_delivery() -> None:
    own = hook(secret="a key between us", header="x-shop-signature", prefix="sha256=")
    once = Delivery(headers=hmac_headers(HELLO), body=HELLO, received=NOW)
    again = changed(once, webhook_id="made-up")

    assert own.delivery_id(once) == own.delivery_id(again) == hashlib.sha256(HELLO).hexdigest()


# What it says.


def test_a_nested_body_is_read_by_the_mapping() -> None:
    shop = hook(sender="shop", posts="/data/reviews", fields=SHOP, defaults={"kind": "review"})

    page = shop.accept(signed(recorded("reviews.json")))

    assert page.posts == (
        Post(
            id="shop/4711",
            url="https://shop.example/reviews/4711",
            title="Never again",
            text="The kettle leaks & smells.\n\nSee here.",
            kind=Kind.REVIEW,
            author=page.posts[0].author,
            rating=Rating(2.5),
            published=datetime(2025, 3, 4, 9, 30, tzinfo=UTC),
            links=("https://pictures.example/leak",),
        ),
    )
    assert page.posts[0].author.name == "Ada Example"
    assert page.posts[0].author.id == "12"


def test_a_post_that_cannot_be_read_is_set_aside_with_its_reason_and_the_others_are_kept() -> None:
    shop = hook(posts="/data/reviews", fields=SHOP)

    page = shop.accept(signed(recorded("reviews.json")))

    assert [unread.reason for unread in page.unreadable] == [
        "Post 2 of the delivery: 9.0 is not on a scale of 1.0 to 5.0.",
        "Post 3 of the delivery: its published is no time; write it like 2025-03-04T09:30:00Z.",
    ]
    assert "Came a week late." in page.unreadable[1].raw


def test_a_body_in_our_own_words_needs_no_mapping() -> None:
    post = only(hook().accept(signed(recorded("usual.json"))).posts)

    assert post.id == "t-9"
    assert post.kind is Kind.COMMENT
    assert post.rating == Rating(3, 0, 10)
    assert (post.author.name, post.author.handle) == ("Ada Example", "ada")
    assert post.edited == datetime(2025, 3, 4, 9, 40, tzinfo=UTC)
    assert (post.in_reply_to, post.thread, post.branch) == ("t-8", "t-1", "Berlin")
    assert post.precision is Precision.SECOND


def test_json_lines_are_read_one_by_one_and_a_broken_line_spoils_nothing() -> None:
    lines = signed(recorded("reviews.ndjson"), content_type="application/x-ndjson")

    page = hook().accept(lines)

    assert [post.id for post in page.posts] == ["a1", "a3"]
    assert page.unreadable[0].reason == "Line 2 of the delivery is not JSON."
    assert page.posts[1].published == datetime(2025, 3, 4, 8, 31, tzinfo=UTC)


def test_an_array_is_several_posts_numbered_within_the_delivery_when_they_have_no_ids() -> None:
    body = orjson.dumps([{"text": "one"}, {"text": "two"}, 3])

    page = hook().accept(signed(body, name="msg_9"))

    assert [post.id for post in page.posts] == ["msg_9#0", "msg_9#1"]
    assert page.unreadable[0].reason == "Post 3 of the delivery: it is no JSON object."


def test_a_form_is_read_by_its_field_names_and_a_payload_field_as_the_json_it_carries() -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    plain = signed(b"text=It+rains+in.&author=Ada&rating=1", content_type=kind)
    carried = signed(b"payload=%7B%22text%22%3A%22It+rains+in.%22%7D", content_type=kind)

    assert only(hook().accept(plain).posts).rating == Rating(1)
    assert only(hook().accept(carried).posts).text == "It rains in."


def test_what_the_delivery_leaves_out_comes_from_the_defaults_or_from_when_it_came() -> None:
    post = only(hook(defaults={"language": "de", "branch": "Ulm"}).accept(signed(HELLO)).posts)

    assert (post.language, post.branch) == ("de", "Ulm")
    assert post.published == NOW
    assert post.precision is Precision.SEEN


def test_a_date_without_a_time_is_known_to_the_day() -> None:
    body = orjson.dumps({"text": "late", "published": "2025-03-04"})

    assert only(hook().accept(signed(body)).posts).precision is Precision.DAY


def test_pictures_and_links_come_from_html_and_scripts_never_do() -> None:
    html = '<p>Broken</p><img src="https://x.example/a.png" alt="crack"><script>alert(1)</script>'
    body = orjson.dumps({"html": html, "url": "javascript:alert(1)"})

    post = only(hook().accept(signed(body)).posts)

    assert post.text == "Broken"
    assert post.attachments == (Attachment("https://x.example/a.png", "image", "crack"),)
    assert post.url == ""


def test_a_post_that_the_sender_deleted_is_gone() -> None:
    body = orjson.dumps([{"id": "7", "deleted": True}, {"id": "8", "deleted": "no", "text": "x"}])

    page = hook(sender="shop").accept(signed(body))

    assert page.gone == ("shop/7",)
    assert only(page.posts).id == "shop/8"


def test_two_senders_may_use_the_same_ids() -> None:
    ours, theirs = hook(sender="shop"), hook(sender="forum")

    assert ours.accept(signed(HELLO)).posts[0].id != theirs.accept(signed(HELLO)).posts[0].id


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"{", "application/json", "The body is not JSON"),
        (b"", "application/json", "The body is not JSON"),
        (b"no\njson\n", "application/x-ndjson", "neither JSON"),
        (b"%", "application/x-www-form-urlencoded", "not the form"),
        (b"payload=%7B", "application/x-www-form-urlencoded", "payload is not JSON"),
        (b"--x", "multipart/form-data; boundary=x", "multipart"),
    ],
)
def test_a_body_that_is_nothing_we_read_is_refused_in_a_sentence(
    body: bytes, kind: str, says: str
) -> None:
    with pytest.raises(Unreadable, match=says):
        hook().accept(signed(body, content_type=kind))


def test_a_delivery_over_one_mebibyte_is_refused_before_anything_is_computed() -> None:
    unsigned = Delivery(headers={}, body=b"x" * (LARGEST + 1), received=NOW)

    with pytest.raises(Unreadable, match="1048576 bytes"):
        hook().accept(unsigned)


def test_posts_that_are_not_where_the_mapping_says_are_set_aside() -> None:
    page = hook(posts="/data/items").accept(signed(HELLO))

    assert page.posts == ()
    assert page.unreadable[0].reason == "There are no posts at /data/items of the delivery."


def test_a_pointer_goes_through_lists_and_escaped_names() -> None:
    body = orjson.dumps({"a/b": [{"~": "deep"}], "text": "not this"})
    pointing = hook(fields={"/nowhere": "text", "/a~1b/0/~0": "text", "/a~1b/7": "title"})

    post = only(pointing.accept(signed(body)).posts)

    assert post.text == "deep"
    assert post.title is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*"abc", "id", "text", "rating", "published"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_crashes_it_and_every_post_is_either_read_or_set_aside(document: object) -> None:
    page = hook().dry_run(orjson.dumps(document), received=NOW)

    told = document if isinstance(document, list) else [document]
    assert len(page.posts) + len(page.unreadable) == len(told)


# Before it is switched on.


def test_a_dry_run_shows_the_posts_of_an_unsigned_body() -> None:
    shop = hook(posts="/data/reviews", fields=SHOP)

    page = shop.dry_run(recorded("reviews.json"), received=NOW)

    assert only(page.posts).title == "Never again"
    assert len(page.unreadable) == 2


async def test_it_waits_and_never_polls() -> None:
    waiting = hook()

    assert (await waiting.check(NO_WEB)).well
    assert "/hooks/" in (await waiting.check(NO_WEB)).says
    assert [page async for page in waiting.pages(NO_WEB, None, NOBODY)] == []
    assert isinstance(waiting, Accepts)


def test_the_catalog_finds_it_and_knows_which_options_are_secrets() -> None:
    assert catalog.load("webhook") is Webhook
    assert secrets(Webhook) == {"secret", "previous"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"secret": "whsec_c2hvcnQ="}, "at least 24 random bytes"),
        ({"secret": "whsec_!!"}, "at least 24 random bytes"),
        ({"previous": "hunter2hunter2hunter2"}, "at least 24 random bytes"),
        ({"secret": "short", "header": "x-mac"}, "at least 8 characters"),
        ({"fields": {"/a": "colour"}}, "no field of a post"),
        ({"fields": {"a.b": "text"}}, "no JSON pointer"),
        ({"defaults": {"colour": "red"}}, "no field of a post"),
        ({"posts": "reviews"}, "no JSON pointer"),
        ({"algorithm": "md5"}, "sha256"),
    ],
)
def test_options_that_cannot_work_are_refused_in_words_and_without_the_key(
    options: dict[str, object], says: str
) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        hook(**options)

    for key in (KEY, "hunter2", "whsec_c2hvcnQ="):
        assert key not in str(refused.value)
    assert KEY not in repr(hook())
