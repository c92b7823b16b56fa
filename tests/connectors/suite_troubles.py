"""Contract tests 6 to 10: faults, edits, replies, pace and cancelling."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from connectors.kit.contract import Connector, Listens, Pace, Post, Rechecks, Replies, State, Web
from connectors.kit.errors import AccessDenied, ConnectorError, TryLater, Unreadable
from connectors.kit.web import Limits, Network
from tests.connectors.memory import MARK, Memory, number
from tests.connectors.place import Fault, Place
from tests.connectors.suite_reading import ALWAYS, CONTACT, FREE, Reading, pages_of

PATIENCE = 60.0  # seconds until something is heard, on a busy machine
STRICT = Pace(requests=5, per=timedelta(milliseconds=250), at_once=4)
FAULTS: Mapping[Fault, type[ConnectorError]] = {
    Fault.RETRY_SECONDS: TryLater,
    Fault.RETRY_DATE: TryLater,
    Fault.OWN_HEADER: TryLater,
    Fault.TOO_MANY: TryLater,
    Fault.BROKEN: TryLater,
    Fault.BAD_GATEWAY: TryLater,
    Fault.HANG: TryLater,
    Fault.RESET: TryLater,
    Fault.TRUNCATED: Unreadable,
    Fault.ERROR_TEXT: Unreadable,
    Fault.EMPTY: Unreadable,
    Fault.DENIED: AccessDenied,
}
SAID = {Fault.RETRY_SECONDS, Fault.RETRY_DATE, Fault.OWN_HEADER}  # the place says how long


class Troubles(Reading):
    """What may go wrong, and what a place offers beyond lists."""

    # --- 6: faults

    @pytest.mark.parametrize("fault", FAULTS, ids=str)
    async def test_6_a_fault_has_its_name_and_moves_no_cursor(
        self, at: Place, fault: Fault
    ) -> None:
        if fault in self.excused:
            pytest.skip(self.excused[fault])
        at.insert(at.page + 3)
        memory = Memory(at)
        await self.catch_up(at, memory)
        before = memory.cursor
        at.insert(3)
        at.fail(fault, ALWAYS)
        quick = Limits(total=timedelta(seconds=0.3)) if fault is Fault.HANG else None

        with pytest.raises(FAULTS[fault]) as caught:
            await self.pull(at, memory, limits=quick)

        assert type(caught.value) is FAULTS[fault]
        assert memory.cursor == before
        assert not MARK.search(str(caught.value)), "an error repeats what a post says"
        if fault in SAID and isinstance(caught.value, TryLater):
            assert caught.value.wait is not None
            assert timedelta(seconds=90) < caught.value.wait <= timedelta(seconds=121)
        at.heal()
        await self.catch_up(at, memory)
        self.assert_has_all(at, memory)

    async def test_6_a_cut_connection_anywhere_in_a_walk_loses_nothing(self, at: Place) -> None:
        at.insert(2 * at.page + 3, apart=self.apart)
        await self.pull(at, Memory(at))
        requests = len(at.asked)

        for k in range(min(requests, 12)):
            memory = Memory(at)
            at.fail(Fault.RESET, after=k)
            with suppress(TryLater):
                await self.pull(at, memory)
            at.heal()
            await self.catch_up(at, memory)
            self.assert_has_all(at, memory)

    # --- 7: edits and deletions

    async def test_7_an_edit_in_a_list_is_a_new_revision_of_the_same_post(self, at: Place) -> None:
        at.insert(2)
        post = at.insert(1)[0]
        memory = Memory(at)
        await self.catch_up(at, memory)
        [before] = [p for p in memory.posts.values() if number(p) == post.number]
        at.edit(post)

        changed = await self.pull(at, memory)

        assert [p.id for p in changed] == [before.id]
        assert "Edited" in changed[0].text
        assert memory.posts[before.id].revision != before.revision

    async def test_7_a_recheck_tells_what_became_of_each_post(self, at: Place) -> None:
        same, edited, deleted = at.insert(3)
        memory = Memory(at)
        await self.catch_up(at, memory)
        ids = {number(post): id_ for id_, post in memory.posts.items()}
        at.edit(edited)
        at.delete(deleted)
        asked = [ids[post.number] for post in (deleted, same, edited)]

        async with self.web(at) as web:
            changes = await cast(Rechecks, self.connect(at)).recheck(web, asked)

        assert [change.id for change in changes] == asked
        gone, stayed, altered = changes
        assert gone.state in {State.GONE, State.ABSENT}
        assert gone.post is None
        # A connector keeps no posts, so it may call an edit the same: the revision tells.
        assert stayed.state in {State.SAME, State.EDITED}
        assert stayed.post is not None
        assert stayed.post.revision == memory.posts[stayed.id].revision
        assert altered.post is not None
        assert altered.post.revision != memory.posts[altered.id].revision

    async def test_7_a_recheck_of_a_place_that_is_down_calls_nothing_gone(self, at: Place) -> None:
        at.insert(2)
        memory = Memory(at)
        await self.catch_up(at, memory)
        for fault in (Fault.BROKEN, Fault.RESET, Fault.EMPTY):
            at.fail(fault, ALWAYS)
            async with self.web(at) as web:
                try:
                    changes = await cast(Rechecks, self.connect(at)).recheck(web, [*memory.posts])
                except ConnectorError:
                    changes = []
            at.heal()
            assert {change.state for change in changes} <= {State.UNKNOWN}

    # --- 8: replies

    async def test_8_a_reply_is_published_and_found_again(self, at: Place) -> None:
        post = await self._newest(at)
        connector = cast(Replies, self.connect(at))
        rule = connector.can_reply(post)
        assert rule.allowed, rule.reason

        async with self.web(at) as web:
            assert await connector.find_reply(web, post, "key-1") is None
            receipt = await connector.reply(web, post, "We are sorry.", "key-1")
            found = await connector.find_reply(web, post, "key-1")

        assert receipt.id
        assert found is not None
        assert found.id == receipt.id
        assert len(at.replies) == 1
        assert "We are sorry." in at.replies[0]

    async def test_8_a_reply_whose_answer_was_lost_is_found_not_repeated(self, at: Place) -> None:
        post = await self._newest(at)
        connector = cast(Replies, self.connect(at))
        at.fail(Fault.LOST, method="POST", path=self.reply_path)

        async with self.web(at) as web:
            with pytest.raises(TryLater):
                await connector.reply(web, post, "We are sorry.", "key-2")
            at.heal()
            found = await connector.find_reply(web, post, "key-2")

        assert found is not None
        assert len(at.replies) == 1

    async def test_8_a_refused_reply_is_not_published(self, at: Place) -> None:
        post = await self._newest(at)
        connector = cast(Replies, self.connect(at))
        at.fail(Fault.DENIED, ALWAYS, method="POST", path=self.reply_path)

        async with self.web(at) as web:
            with pytest.raises(AccessDenied):
                await connector.reply(web, post, "We are sorry.", "key-3")

        assert at.replies == []

    async def _newest(self, at: Place) -> Post:
        at.insert(2)
        memory = Memory(at)
        await self.catch_up(at, memory)
        return max(memory.posts.values(), key=number)

    # --- 9: pace

    async def test_9_fifty_streams_of_one_key_keep_its_pace(self, at: Place) -> None:
        at.insert(2 * at.page)
        limits = Limits(patience=timedelta(milliseconds=700))

        async def stream(web: Web) -> None:
            try:
                async with aclosing(pages_of(self.connect(at), web, Memory(at))) as pages:
                    async for _ in pages:
                        pass
            except TryLater:
                pass  # sent away, to come back when there is room

        # Most of a crowd are sent away; on a busy machine nearly all, so it comes until enough got in.
        async with self.web(at, pace=STRICT, limits=limits) as web:
            for _ in range(50):
                await asyncio.gather(*(stream(web) for _ in range(50)))
                if len(at.asked) > 2 * STRICT.requests:
                    break

        moments = [asked.moment for asked in at.asked]
        assert len(moments) > STRICT.requests, "too few requests to show anything"
        closest = min(
            later - earlier
            for earlier, later in zip(moments, moments[STRICT.requests :], strict=False)
        )
        assert closest >= STRICT.per.total_seconds()

    # --- 10: cancelling

    async def test_10_cancelled_anywhere_it_leaves_nothing_open_and_can_go_on(
        self, at: Place
    ) -> None:
        at.insert(2 * at.page + 3, apart=self.apart)
        clock = asyncio.get_running_loop().time
        begun = clock()
        await self.pull(at, Memory(at))
        lasted = clock() - begun

        for share in range(10):
            memory = Memory(at)
            async with Network(CONTACT, allow={at.host_port}) as network:
                task = asyncio.create_task(
                    _keep_all(self.connect(at), network.web(FREE, "suite"), memory)
                )
                await asyncio.sleep(lasted * share / 10)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert _strays() == []
                assert _open_connections(network) == 0
            await self.catch_up(at, memory)
            self.assert_has_all(at, memory)

    # --- and, where the place offers it, streams

    async def test_listening_hears_a_post_when_it_is_published(self, at: Place) -> None:
        at.insert(2)
        memory = Memory(at)
        await self.catch_up(at, memory)
        async with self.web(at) as web:
            task = asyncio.create_task(_listen(self.connect(at), web, memory))
            await _until(lambda: at.listeners > 0, task)
            [post] = at.insert(1)
            await _until(lambda: post.number in memory.numbers, task)
            at.hang_up()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(task, return_exceptions=True)
        error = task.exception()
        assert error is None or isinstance(error, TryLater)
        at.insert(2)
        await self.catch_up(at, memory)
        self.assert_has_all(at, memory)


async def _keep_all(connector: Connector, web: Web, memory: Memory) -> None:
    async with aclosing(pages_of(connector, web, memory)) as pages:
        async for page in pages:
            memory.keep(page)


async def _listen(connector: Connector, web: Web, memory: Memory) -> None:
    heard: Any = cast(Listens, connector).listen(web, memory.cursor)
    async with aclosing(heard) as pages:
        async for page in pages:
            memory.keep(page)


async def _until(true: Callable[[], bool], task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            if task.done():
                task.result()
                pytest.fail("the stream ended before it was cut")
            await asyncio.sleep(0.01)


def _strays() -> list[str]:
    """Tasks that nobody waits for; the local server's own do not count."""
    names = [
        getattr(task.get_coro(), "__qualname__", "")
        for task in asyncio.all_tasks() - {asyncio.current_task()}
    ]
    servers = ("RequestHandler", "BaseSelectorEventLoop._accept")
    return [name for name in names if not name.startswith(servers)]


def _open_connections(network: Network) -> int:
    """Connections that a request still holds; those that rest for the next one do not count."""
    assert network._session is not None
    connector: Any = network._session.connector
    return len(connector._acquired)
