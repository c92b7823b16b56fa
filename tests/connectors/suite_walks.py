"""Contract tests 1 to 5: every post is read once, as it is, whatever the place does meanwhile."""

import re
from datetime import timedelta

import pytest

from connectors.kit.errors import AccessDenied
from tests.connectors.memory import Memory, number
from tests.connectors.place import BEGINNING, Fault, Place
from tests.connectors.suite_options import leaks
from tests.connectors.suite_reading import ALWAYS, Reading

BURST = 1_200
MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]{2,8}|#x?[0-9a-f]{2,6});")


class Walks(Reading):
    """Mapping, cursors, cuts, and a place that moves."""

    # --- 1: options and keys

    async def test_1_a_source_that_can_be_read_says_so(self, at: Place) -> None:
        at.insert(3)
        async with self.web(at) as web:
            health = await self.connect(at).check(web)

        assert health.well
        assert health.says

    async def test_1_a_refused_key_is_access_denied(self, at: Place) -> None:
        at.insert(3)
        at.fail(Fault.DENIED, ALWAYS)

        with pytest.raises(AccessDenied) as denied:
            await self.pull(at, Memory(at))
        assert leaks(self.connect(at), f"{denied.value!r} {denied.value}") == []

        async with self.web(at) as web:
            try:
                health = await self.connect(at).check(web)
            except AccessDenied:
                return
        assert not health.well
        assert leaks(self.connect(at), health.says) == []

    async def test_1_secrets_never_stand_in_an_address(self, at: Place) -> None:
        at.insert(3)
        await self.pull(at, Memory(at))

        if not self.key_in_address:
            asked = " ".join(f"{a.path} {dict(a.query)}" for a in at.asked)
            assert leaks(self.connect(at), asked) == []

    # --- 2: mapping

    async def test_2_every_post_is_mapped(self, at: Place) -> None:
        at.insert(2 * at.page + 3)
        first, second = Memory(at), Memory(at)
        await self.catch_up(at, first)
        await self.catch_up(at, second)

        self.assert_has_all(at, first)
        assert first.unreadable == []
        assert first.posts.keys() == second.posts.keys(), "ids changed from one run to the next"
        revisions = {id_: post.revision for id_, post in first.posts.items()}
        assert revisions == {id_: post.revision for id_, post in second.posts.items()}

    async def test_2_posts_are_plain_text_with_aware_times_and_addresses(self, at: Place) -> None:
        held = {post.number: post for post in at.insert(3)}
        memory = Memory(at)
        await self.catch_up(at, memory)

        for post in memory.posts.values():
            words = f"{post.title or ''} {post.text}"
            assert not MARKUP.search(words), "markup was left in the text"
            assert "fish & chips" in words, "an entity was lost, or left"
            assert post.published.tzinfo is not None
            assert post.published <= at.now + timedelta(days=1)
            assert abs(post.published - held[number(post)].at) <= timedelta(days=31)
            assert post.url.startswith(("https://", "http://"))

    async def test_2_what_is_older_than_wanted_ends_the_first_walk(self, at: Place) -> None:
        at.insert(at.page, at=BEGINNING - timedelta(days=400))
        at.insert(3)
        memory = Memory(at)
        await self.catch_up(at, memory)

        assert {post.number for post in at.listed()[:3]} <= set(memory.numbers)

    # --- 3: cursors

    async def test_3_a_second_poll_brings_nothing_new(self, at: Place) -> None:
        at.insert(2 * at.page + 3)
        memory = Memory(at)
        await self.catch_up(at, memory)

        assert await self.pull(at, memory) == []

    async def test_3_a_later_poll_brings_what_is_new(self, at: Place) -> None:
        at.insert(at.page + 3)
        memory = Memory(at)
        await self.catch_up(at, memory)
        at.wait(timedelta(hours=1))
        fresh = at.insert(2)

        found = await self.pull(at, memory)

        assert sorted(number(post) for post in found) == [post.number for post in fresh]

    async def test_3_an_empty_place_is_no_fault(self, at: Place) -> None:
        memory = Memory(at)
        assert await self.pull(at, memory) == []
        at.insert(1)
        assert len(await self.pull(at, memory)) == 1

    # --- 4: cuts

    @pytest.mark.parametrize("lose_last", [False, True], ids=["after the commit", "before it"])
    async def test_4_cut_after_any_page_nothing_is_lost(self, at: Place, lose_last: bool) -> None:
        at.insert(3 * at.page + 1, apart=self.apart)
        pages = 0

        def count(so_far: int) -> None:
            nonlocal pages
            pages = so_far

        await self.pull(at, Memory(at), between=count)

        for k in range(1, pages + 1):
            memory = Memory(at)
            await self.pull(at, memory, stop_after=k, lose_last=lose_last)
            at.insert(1)
            await self.catch_up(at, memory)
            self.assert_has_all(at, memory)

    async def test_4_a_later_walk_that_is_cut_loses_nothing(self, at: Place) -> None:
        at.insert(at.page)
        for k in (1, 2):
            memory = Memory(at)
            await self.catch_up(at, memory)
            at.insert(min(3 * at.page, (at.window or ALWAYS) - at.page), apart=self.apart)
            await self.pull(at, memory, stop_after=k)
            at.wait(timedelta(days=2))
            at.insert(1)
            await self.catch_up(at, memory)
            self.assert_has_all(at, memory)

    # --- 5: a place that moves

    async def test_5_posts_that_arrive_between_pages_are_read(self, at: Place) -> None:
        at.insert(2 * at.page, apart=self.apart)
        memory = Memory(at)

        def publish(page: int) -> None:
            if page <= 5:
                at.insert(1)

        await self.pull(at, memory, between=publish)
        await self.catch_up(at, memory)

        self.assert_has_all(at, memory)

    async def test_5_posts_deleted_between_pages_hide_no_others(self, at: Place) -> None:
        at.insert(3 * at.page, apart=self.apart)
        memory = Memory(at)

        def delete(page: int) -> None:
            if page <= 3:
                at.delete(at.listed()[0])

        await self.pull(at, memory, between=delete)
        await self.catch_up(at, memory)

        self.assert_has_all(at, memory)

    async def test_5_posts_of_one_second_at_the_edge_of_a_page_are_all_read(
        self, at: Place
    ) -> None:
        memory = Memory(at)
        for _ in range(at.page):
            at.wait(timedelta(seconds=1))
            at.insert(3, at=at.now)
        await self.catch_up(at, memory)
        self.assert_has_all(at, memory)

        # One more of the very second that was read last.
        at.insert(1, at=at.listed()[0].at)
        await self.catch_up(at, memory)
        self.assert_has_all(at, memory)

    async def test_5_deleting_the_post_that_was_the_cursor_hides_nothing(self, at: Place) -> None:
        at.insert(at.page + 3)
        memory = Memory(at)
        await self.catch_up(at, memory)
        for newest in at.listed()[:3]:
            at.delete(newest)
        at.insert(3)

        await self.catch_up(at, memory)

        self.assert_has_all(at, memory)

    async def test_5_a_post_that_is_indexed_late_is_found(self, at: Place) -> None:
        lag = self.connector.lag
        at.insert(3)
        at.insert(1, indexed=at.now + lag / 2)
        # A whole page on top of it, so that looking at the newest alone is not enough.
        at.insert(at.page + 1, apart=lag / 3 / (at.page + 1))
        memory = Memory(at)
        await self.catch_up(at, memory)
        at.wait(lag / 2)
        at.insert(1)

        await self.catch_up(at, memory)

        self.assert_has_all(at, memory)

    async def test_5_a_burst_between_two_polls_is_read_whole(self, at: Place) -> None:
        at.insert(3)
        memory = Memory(at)
        await self.catch_up(at, memory)
        at.insert(min(BURST, at.window or BURST))

        await self.catch_up(at, memory)

        self.assert_has_all(at, memory)
