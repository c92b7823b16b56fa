"""What is asked over HTTP: whether all is well, what waits, and a door for signed deliveries."""

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from listener.web.site import POLICY, PortTaken, sentence
from tests.given import COMPLAINTS, INBOX, KEY, complained, free_port, settled
from tests.web.visiting import Browser, Street, hired, street
from tests.world import World

REVIEW = {"id": "1", "text": COMPLAINTS[0], "author": "Ada", "url": "https://shop.example/1"}


class Visitor:
    """Asks one running site."""

    def __init__(self, place: Street, somebody: Browser) -> None:
        self.session, self.service, self.world = place.session, place.service, place.world
        self.somebody = somebody

    async def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        """As a program asks, that is nobody."""
        async with self.session.get(path) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def page(self, path: str = "/status", **headers: str) -> tuple[int, str, dict[str, str]]:
        """As somebody sees it who is signed in."""
        seen = await self.somebody.get(path, **headers)
        return seen.status, seen.text, dict(seen.headers)

    async def deliver(
        self,
        posts: Any = REVIEW,
        *,
        id: str = "msg_1",  # noqa: A002
        key: str = KEY,
        door: str = "Inbox",
        at: datetime | None = None,
        body: bytes | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Send a delivery as a place does."""
        sent = orjson.dumps(posts) if body is None else body
        moment = at or self.world.now
        headers = {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(key).sign(id, moment, sent.decode(errors="replace")),
        }
        async with self.session.post(
            f"/hooks/{door}", data=io.BytesIO(sent), headers=headers
        ) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def visited(world: World) -> AsyncIterator[Visitor]:
    """The site, open on a port of its own, and somebody who is signed in there."""
    await hired(world, "Vera")
    async with street(world) as place:
        yield Visitor(place, await place.signed_in("Vera"))


async def test_the_sources_page_counts_what_waits_without_a_word_of_any_post(world: World) -> None:
    await settled(world)
    await complained(world, *COMPLAINTS[:3])

    async with visited(world) as visitor:
        status, page, headers = await visitor.page()

    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.search(r"Cases that nobody owns</dt><dd>3<", page)
    assert "All 1 sources answer." in page
    assert "Ada" not in page
    assert "fish" not in page


async def test_a_new_listener_says_what_to_do_first(world: World) -> None:
    async with visited(world) as visitor:
        _, page, _ = await visitor.page()

    assert "listener apply" in page


async def test_a_source_that_fails_is_shown_with_its_reason_as_plain_text(world: World) -> None:
    await world.set_up(sources=[INBOX | {"name": "<script>alert(1)</script>"}])
    async with world.store.transaction() as session:
        reading = await session.merge((await world.readings())[0])
        reading.failed("<b>It is out of order.</b>", now=world.now, wait=None, stop=False)

    async with visited(world) as visitor:
        _, page, _ = await visitor.page()

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;It is out of order.&lt;/b&gt;" in page
    assert "1 of 1 sources does not answer" in page


async def test_health_says_how_far_behind_we_are(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        await visitor.deliver()
        status, body, _ = await visitor.get("/health")

    assert status == 200
    assert orjson.loads(body) == {"status": "ok", "waiting": 1, "sources": 1, "failing": 0}


async def test_metrics_are_what_prometheus_reads(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        await visitor.deliver()
        world.now += timedelta(seconds=90)
        status, body, headers = await visitor.get("/metrics")

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    lines = [line for line in body.splitlines() if not line.startswith("#")]
    found = dict(line.rsplit(" ", 1) for line in lines)
    assert found == {
        "listener_csp_reports_total": "0.0",
        "listener_mentions_waiting": "1.0",
        "listener_lag_seconds": "90.0",
        'listener_source_failing{source="Inbox"}': "0.0",
        'listener_source_read_seconds{source="Inbox"}': "90.0",
    }


async def test_a_delivery_is_kept_before_it_is_thanked_for(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        answered = await visitor.deliver([REVIEW, {"id": "2", "text": "Nobody we look after."}])

        assert answered == (202, {"kept": 1, "read": 2, "unreadable": []})
        assert [mention.text for mention in await world.mentions()] == [COMPLAINTS[0]]


async def test_a_delivery_that_comes_again_is_kept_once(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        await visitor.deliver()
        answered = await visitor.deliver()

    assert answered == (200, {"duplicate": True, "kept": 0})
    assert len(await world.mentions()) == 1


async def test_a_delivery_wakes_the_judge(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        await visitor.deliver()

        assert visitor.service.poll.wake_judge.is_set()


async def test_what_cannot_be_read_is_said_and_the_rest_is_kept(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        status, said = await visitor.deliver([{"id": "1"}, REVIEW | {"id": "2"}])

    assert (status, said["kept"]) == (202, 1)
    assert said["unreadable"] == [
        "Post 1 of the delivery: it has no text, no title and no rating; check the field mapping."
    ]
    assert len(await world.dead_letters()) == 1


async def test_a_bad_signature_is_refused_and_nothing_is_kept(world: World) -> None:
    await settled(world)
    other = "whsec_YW5vdGhlciBrZXkgZm9yIHRlc3RzLCBsb25nIGVub3VnaA=="

    with capture_logs() as logged:
        async with visited(world) as visitor:
            status, said = await visitor.deliver(key=other)

    assert status == 401
    assert said["error"] == (
        "No signature fits: the delivery was signed with another key, or its body was changed on "
        "the way."
    )
    assert await world.mentions() == []
    [line] = [one for one in logged if one["event"] == "delivery refused"]
    assert COMPLAINTS[0] not in str(line)


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_an_old_or_a_future_signature_is_refused(world: World, minutes: int) -> None:
    await settled(world)
    async with visited(world) as visitor:
        status, _ = await visitor.deliver(at=world.now + timedelta(minutes=minutes))

    assert status == 401
    assert await world.mentions() == []


async def test_a_body_that_is_no_json_is_refused_in_a_sentence(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        status, said = await visitor.deliver(body=b"a canary, and no JSON")

    assert status == 422
    assert "canary" not in said["error"]


async def test_a_delivery_that_is_too_large_is_refused(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        status, said = await visitor.deliver(body=b"[" + b" " * 1024 * 1024 + b"]")

    assert (status, said["error"]) == (413, "A delivery may be 1 MiB large.")


async def test_a_door_that_is_not_there_says_so(world: World) -> None:
    await settled(world)
    async with visited(world) as visitor:
        assert await visitor.deliver(door="Nowhere") == (
            404,
            {"error": "There is no source of this name here."},
        )


async def test_a_source_that_fetches_its_posts_itself_has_no_door(world: World) -> None:
    await world.set_up(
        sources=[{"name": "News", "connector": "hackernews", "options": {"query": "fish"}}]
    )
    async with visited(world) as visitor:
        assert await visitor.deliver(door="News") == (
            404,
            {"error": "This source fetches its posts itself; nothing can be sent to it."},
        )


async def test_a_door_whose_secret_is_missing_says_no_more_than_that_to_strangers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INBOX_SECRET", raising=False)
    await world.set_up(sources=[INBOX | {"options": {"secret": {"env": "INBOX_SECRET"}}}])

    with capture_logs() as logged:
        async with visited(world) as visitor:
            answered = await visitor.deliver()

    assert answered == (503, {"error": "This source is not ready; its admin has been told."})
    [line] = [one for one in logged if one["event"] == "source fails"]
    assert line["why"] == (
        "The secret `secret` is kept in the environment variable INBOX_SECRET, which is not set "
        "here."
    )


async def test_every_answer_keeps_a_browser_from_doing_what_nobody_asked_for(
    world: World,
) -> None:
    await settled(world)
    async with visited(world) as visitor:
        for path in ("/", "/login", "/health", "/metrics", "/nowhere", "/hooks/Inbox"):
            _, _, headers = await visitor.get(path)
            assert headers["Content-Security-Policy"] == POLICY, path
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "same-origin", path
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
            assert headers["Permissions-Policy"].startswith("camera=()"), path
            assert headers["Cache-Control"] == "no-store", path


async def test_while_the_database_fails_every_page_says_so_and_when_to_come_back(
    world: World,
) -> None:
    await settled(world)
    await ruined(world, "ALTER TABLE sources RENAME TO lost")

    async with visited(world) as visitor:
        sentence = "The database cannot be reached at the moment; please try again soon."
        for path in ("/status", "/metrics"):
            status, body, headers = await visitor.page(path, Accept="*/*")
            assert status == 503
            assert headers["Retry-After"] == "10"
            assert orjson.loads(body) == {"error": sentence}
        status, body, headers = await visitor.page("/status")
        assert (status, headers["Retry-After"]) == (503, "10")
        assert f'<p class="lead">{sentence}</p>' in body
        status, _ = await visitor.deliver()
        assert status == 503  # so the place sends it again


async def test_a_fault_of_our_own_shows_nobody_a_traceback(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    await settled(world)
    await complained(world)
    await ruined(world, "UPDATE cases SET status = 'a canary'")

    with capture_logs() as logged:
        async with visited(world) as visitor:
            status, body, _ = await visitor.page(Accept="*/*")
            _, page, _ = await visitor.page()

    assert (status, orjson.loads(body)) == (
        500,
        {"error": "Something went wrong here; our own log says what."},
    )
    assert "<h1>Something went wrong here</h1>" in page
    assert "canary" not in page
    assert [(line["event"], line["path"], line["why"]) for line in logged] == [
        ("page fails", "/status", "ValueError")
    ] * 2
    assert "canary" not in "".join(capfd.readouterr())


async def test_a_port_that_is_taken_is_said_with_one_that_may_be_free(world: World) -> None:
    service, port = await world.service(), free_port()
    other = await world.service()
    async with service.site.open("127.0.0.1", port):
        with pytest.raises(PortTaken) as refusal:
            async with other.site.open("127.0.0.1", port):
                pass

    assert str(refusal.value) == (
        f"Port {port} on 127.0.0.1 is taken by another program. Stop that one, or set "
        f"LISTENER_HTTP to a free address, for example 127.0.0.1:{port + 1}."
    )


def test_a_port_that_only_root_may_have_is_said() -> None:
    assert sentence(PermissionError(13, "Permission denied"), "::1", 80) == (
        "This user may not listen on port 80. Set LISTENER_HTTP to a port above 1023, "
        "for example [::1]:8080."
    )


async def test_an_address_that_is_not_ours_is_said(world: World) -> None:
    service = await world.service()

    with pytest.raises(PortTaken, match=r"192\.0\.2\.1:8080 cannot be listened on"):
        async with service.site.open("192.0.2.1", 8080):
            pass


async def ruined(world: World, how: str) -> None:
    """Somebody meddles with the database."""
    async with world.store.transaction() as session:
        await (await session.connection()).execute(sa.text(how))
