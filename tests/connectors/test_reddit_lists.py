"""Lists that are read as one source prove together what they would prove apart, cut or not."""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from datetime import timedelta

import pytest

from connectors.kit.contract import Page, Span
from connectors.reddit import access
from connectors.reddit.lists import Walk, together
from tests.connectors.place import BEGINNING
from tests.connectors.reddit_place import Town, opened, reddit
from tests.connectors.suite import Memory
from tests.connectors.suite_reading import pages_of

BOTH = ["acme", "soup"]


def hours(start: int, end: int) -> Span:
    return Span(BEGINNING + timedelta(hours=start), BEGINNING + timedelta(hours=end))


def turning(name: str, *spans: Span | None) -> Walk:
    """A walk of so many pages; a cursor says how many were read."""

    async def pages(cursor: str | None) -> AsyncIterator[Page]:
        for turned in range(int(cursor or "0"), len(spans)):
            yield Page(cursor=str(turned + 1), gone=(name,), span=spans[turned])

    return pages


async def turned(walks: dict[str, Walk], cursor: str | None = None) -> list[Page]:
    return [page async for page in together(walks, cursor)]


async def test_the_last_list_claims_what_the_others_were_read_of_as_well() -> None:
    walks = {
        "one": turning("one", hours(6, 9), hours(2, 9)),
        "two": turning("two", hours(8, 9), hours(3, 9), hours(1, 9)),
    }

    pages = await turned(walks)

    assert [page.gone for page in pages] == [("one",)] * 2 + [("two",)] * 3
    assert [page.span for page in pages] == [None, None, hours(8, 9), hours(3, 9), hours(2, 9)]


async def test_a_gap_in_one_list_is_a_gap_of_all() -> None:
    walks = {
        "one": turning("one", hours(0, 2), hours(5, 9)),
        "two": turning("two", hours(0, 9), hours(3, 4), None),
    }

    pages = await turned(walks)

    assert [page.span for page in pages[2:]] == [hours(5, 9), None, None]


async def test_a_cut_between_lists_keeps_what_was_proven() -> None:
    walks = {
        "one": turning("one", hours(0, 9)),
        "two": turning("two", hours(7, 9), hours(4, 9)),
    }
    whole = await turned(walks)
    for k in range(1, len(whole) + 1):
        rest = await turned(walks, whole[k - 1].cursor)

        assert [page.span for page in rest] == [page.span for page in whole[k:]]


@pytest.mark.parametrize("cursor", ["", "not ours", '{"cursors": 3}', "[]"])
async def test_a_cursor_that_is_not_ours_begins_anew(cursor: str) -> None:
    walks = {"one": turning("one", hours(0, 9)), "two": turning("two", hours(0, 9))}

    assert len(await turned(walks, cursor)) == 2


async def test_wherever_a_poll_is_cut_the_next_one_proves_all_that_an_uncut_one_does() -> None:
    async with opened(town := Town()) as network:
        access._kept.clear()
        town.insert(120, apart=timedelta(minutes=20))
        town.wait(timedelta(hours=1))

        async def read(memory: Memory, most: int) -> list[Span]:
            spans = []
            async with aclosing(pages_of(reddit(town, communities=BOTH), network, memory)) as pages:
                async for page in pages:
                    memory.keep(page)
                    spans += [page.span] if page.span else []
                    most -= 1
                    if most == 0:
                        break
            return spans

        uncut = joined(await read(Memory(town), 100))
        assert len(uncut) == 1
        for k in range(1, 7):
            memory = Memory(town)
            spans = await read(memory, k)

            spans += await read(memory, 100)

            assert joined(spans) == uncut
            assert memory.numbers == list(range(1, 121))


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as can be."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
