"""A Discourse forum's webhooks are verified, read, and never taken for one another."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
import pytest
from typing_extensions import override

from connectors.discourse import Discourse
from connectors.kit.contract import Delivery, Page
from connectors.kit.errors import AccessDenied, Unreadable
from tests.connectors.place import Published
from tests.connectors.suite import DeliverySuite

SECRET = "a-made-up-secret"
NOW = datetime(2025, 9, 13, 12, tzinfo=UTC)


def post(**more: object) -> dict[str, Any]:
    return {
        "id": 501,
        "topic_id": 77,
        "topic_slug": "cold-soup",
        "topic_title": "Cold soup",
        "topic_archetype": "regular",
        "post_number": 1,
        "post_type": 1,
        "created_at": "2025-09-13T10:20:30.456Z",
        "updated_at": "2025-09-13T10:20:30.456Z",
        "version": 1,
        "username": "ada",
        "user_id": 12,
        "cooked": "<p>Cold again.</p>",
    } | more


def delivery(
    event: str = "post_created", told: object = None, *, secret: str = SECRET, body: bytes = b""
) -> Delivery:
    body = body or orjson.dumps({"post": told or post()})
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Delivery(
        headers={
            "x-discourse-event": event,
            "x-discourse-event-id": "41",
            "x-discourse-event-signature": f"sha256={mac}",
        },
        body=body,
        received=NOW,
    )


class TestDiscourseWebhook(DeliverySuite):
    """The contract of a connector that is sent posts."""

    connector = Discourse
    options: ClassVar = {"api": "https://forum.example", "secret": SECRET}

    @override
    def delivered(self, post_: Published) -> Delivery:
        told = post(
            id=post_.number, cooked=post_.html, created_at=post_.at.isoformat(), topic_title=""
        )
        return delivery(told=told)

    @override
    def forged(self, post_: Published) -> Delivery:
        return delivery(told=post(id=post_.number), secret="guessed-by-somebody")


def accepted(told: Delivery) -> Page:
    return Discourse.model_validate({"api": "https://forum.example", "secret": SECRET}).accept(told)


def test_a_new_post_is_the_post_that_the_list_would_give() -> None:
    [read] = accepted(delivery()).posts

    assert read.id == "forum.example/501"
    assert (read.title, read.text) == ("Cold soup", "Cold again.")
    assert read.edited is None


def test_an_edit_is_the_same_post_with_its_new_words() -> None:
    told = post(cooked="<p>Warm now.</p>", version=2, updated_at="2025-09-13T11:00:00Z")
    [read] = accepted(delivery("post_edited", told)).posts

    assert (read.id, read.text) == ("forum.example/501", "Warm now.")
    assert read.edited == datetime(2025, 9, 13, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("post_destroyed", post()),
        ("post_edited", post(user_deleted=True)),
        ("post_edited", post(deleted_at="2025-09-13T11:00:00Z")),
    ],
)
def test_a_deleted_post_is_gone(event: str, told: dict[str, Any]) -> None:
    page = accepted(delivery(event, told))

    assert (page.posts, page.gone) == ((), ("forum.example/501",))


@pytest.mark.parametrize(
    "told",
    [post(topic_archetype="private_message"), post(post_type=4), post(hidden=True)],
    ids=["private", "whisper", "hidden"],
)
def test_what_is_not_for_all_to_see_is_left_out(told: dict[str, Any]) -> None:
    page = accepted(delivery(told=told))

    assert (page.posts, page.gone, page.unreadable) == ((), (), ())


@pytest.mark.parametrize("event", ["ping", "topic_created", "user_logged_in", ""])
def test_what_is_no_post_is_thanked_for_and_left(event: str) -> None:
    page = accepted(delivery(event, body=b'{"ping": "OK"}'))

    assert (page.posts, page.gone) == ((), ())


@pytest.mark.parametrize("body", [b"nonsense", b'{"post": {"id": 1}}', b'{"topic": {}}'])
def test_a_strange_body_is_set_aside_without_repeating_it(body: bytes) -> None:
    with pytest.raises(Unreadable, match="in a shape we do not know") as caught:
        accepted(delivery(body=body))

    assert caught.value.raw == body.decode()


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=00", "ünsigned"])
def test_an_unsigned_delivery_is_refused(signature: str) -> None:
    told = delivery()
    headers = {**told.headers, "x-discourse-event-signature": signature}

    with pytest.raises(AccessDenied, match="not signed"):
        accepted(Delivery(headers=headers, body=told.body, received=NOW))


def test_a_source_without_a_secret_takes_nothing() -> None:
    with pytest.raises(AccessDenied, match="no webhook secret"):
        Discourse(api="https://forum.example").accept(delivery())


def test_a_post_that_is_created_and_then_destroyed_makes_two_deliveries() -> None:
    source = Discourse(api="https://forum.example")
    created, destroyed = delivery(), delivery("post_destroyed")

    assert created.body == destroyed.body
    assert source.delivery_id(created) != source.delivery_id(destroyed)
    assert source.delivery_id(created) == source.delivery_id(delivery())
