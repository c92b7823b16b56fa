"""A million rows are read in memory that does not grow, and on from wherever reading was cut."""

import random
import tracemalloc
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from connectors.files import PAGE, Files
from connectors.kit.contract import Page
from tests.connectors.imports import NO_WEB, Kept, aged

ROWS = 1_000_000
MEASURED = 40  # pages at a time
MEGABYTE = 1_000_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("million") / "reviews.csv"
    with path.open("w", encoding="utf-16", newline="") as file:
        file.write("Review ID;Date;Stars;Comment\r\n")
        file.writelines(
            f'{number};{1 + number % 28}.3.2025;{1 + number % 5};"Suppe {number}\nkalt; ""sehr"""\r\n'
            for number in range(ROWS)
        )
    return aged(path)


class Ticks:
    """Which rows were read, and how often."""

    def __init__(self) -> None:
        self.times = bytearray(ROWS)

    def add(self, page: Page) -> None:
        assert page.unreadable == ()
        for post in page.posts:
            self.times[int(post.id.rpartition("/")[2])] += 1


async def test_memory_is_the_same_at_the_end_as_at_the_beginning(million: Path) -> None:
    stream = cast(AsyncGenerator[Page, None], Files(path=million).pages(NO_WEB, None, Kept()))
    ticks = Ticks()
    peaks: list[int] = []
    number = 0
    async for page in stream:
        ticks.add(page)
        number += 1
        if number % 480 == 100:
            tracemalloc.start()
        if number % 480 == 100 + MEASURED:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert number == ROWS // PAGE
    assert ticks.times == b"\x01" * ROWS
    assert len(peaks) == 4
    assert max(peaks) < 12 * MEGABYTE
    assert max(peaks) - min(peaks) < 2 * MEGABYTE


async def test_cut_at_random_rows_it_goes_on_and_reads_each_row_once(million: Path) -> None:
    dice = random.Random(20_250_913)  # noqa: S311 - no secret
    cuts = sorted(dice.sample(range(ROWS // PAGE), 12))
    ticks, cursor, number = Ticks(), cast(str | None, None), 0
    for cut in [*cuts, ROWS]:
        stream = cast(AsyncGenerator[Page, None], Files(path=million).pages(NO_WEB, cursor, Kept()))
        async for page in stream:
            if number == cut:  # this page was read, and never committed
                break
            ticks.add(page)
            cursor = page.cursor
            number += 1
        await stream.aclose()

    assert ticks.times == b"\x01" * ROWS
