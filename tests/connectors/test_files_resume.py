"""A file is read on from where reading stopped, whatever happened to it meanwhile."""

import asyncio
import os
import random
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import orjson
import pytest

from connectors.files import PAGE, Files
from connectors.kit.contract import Page
from connectors.kit.errors import AccessDenied, TryLater
from tests.connectors.imports import NO_WEB, Kept, aged, read, read_all, written


def table(*numbers: int) -> str:
    return "ID,Comment\n" + lines(*numbers)


def lines(*numbers: int) -> str:
    return "".join(f'{number},"n{number}n, cold\nand late"\n' for number in numbers)


def grown(path: Path, more: str) -> Path:
    with path.open("a") as file:
        file.write(more)
    return aged(path)


async def test_a_second_poll_brings_nothing(tmp_path: Path) -> None:
    source = Files(path=written(tmp_path / "a.csv", table(1, 2, 3)))
    kept = Kept()

    assert len(await read(source, kept)) == 1
    assert await read(source, kept) == []


async def test_importing_the_same_file_again_is_nothing_new(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment\ncold\nlate\n")
    first, again = await read_all(path), await read_all(path)

    assert first.posts == again.posts


async def test_a_page_is_five_hundred_rows(tmp_path: Path) -> None:
    source = Files(path=written(tmp_path / "a.csv", table(*range(1_001))))

    pages = await read(source, Kept())

    assert [len(page.posts) for page in pages] == [PAGE, PAGE, 1]
    assert all(page.span is None for page in pages), "a file proves nothing about a place"


@pytest.mark.parametrize("lose_last", [False, True], ids=["after the commit", "before it"])
async def test_cut_after_any_page_nothing_is_lost_or_read_twice(
    tmp_path: Path, lose_last: bool
) -> None:
    source = Files(path=written(tmp_path / "a.csv", table(*range(1_700))))
    for count in range(1, 5):
        kept = Kept()
        cursor = None
        stream = cast(AsyncGenerator[Page, None], source.pages(NO_WEB, None, kept))
        for number in range(count):
            page = await anext(stream)
            if lose_last and number == count - 1:
                break
            cursor = page.cursor
            kept.keep(page)
        await stream.aclose()
        read_before = len(kept.posts)
        kept.cursor = cursor

        rest = await read(source, kept)

        assert len(kept.posts) == 1_700
        assert sum(len(page.posts) for page in rest) == 1_700 - read_before


async def test_what_is_appended_is_read_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table(1, 2))
    kept = Kept()
    await read(Files(path=path), kept)
    grown(path, lines(3, 4))

    pages = await read(Files(path=path), kept)

    assert [post.id for page in pages for post in page.posts] == ["a/3", "a/4"]


async def test_a_table_that_had_only_a_header_is_read_when_rows_come(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table())
    kept = Kept()
    assert await read(Files(path=path), kept) == []
    grown(path, lines(1))

    await read(Files(path=path), kept)

    assert list(kept.posts) == ["a/1"]


@pytest.mark.parametrize(
    ("name", "begun", "rest", "texts"),
    [
        ("a.csv", "Comment,Stars\none,1\ntwo", ",2\n", ["one", "two"]),
        ("a.csv", 'Comment,Stars\none,1\n"two\n', 'more",2\n', ["one", "two\nmore"]),
        ("a.jsonl", '{"text": "one"}\n{"text": "tw', 'o"}\n', ["one", "two"]),
        ("a.json", '[{"text": "one"},\n{"text": "tw', 'o"}]', ["one", "two"]),
    ],
)
async def test_a_row_that_is_still_being_written_is_waited_for(
    tmp_path: Path, name: str, begun: str, rest: str, texts: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(begun)
    kept = Kept()
    await read(Files(path=path), kept)
    assert kept.texts == texts[:1]

    grown(path, rest)
    await read(Files(path=path), kept)

    assert kept.texts == texts
    assert kept.reasons == []


@pytest.mark.parametrize("content", ["Comment\none\ntwo", '{"text": "one"}\n{"text": "two"}'])
async def test_a_last_row_without_a_line_end_is_read_when_nobody_writes_any_more(
    tmp_path: Path, content: str
) -> None:
    assert (await read_all(written(tmp_path / "a", content))).texts == ["one", "two"]


async def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table(1, 2))
    kept = Kept()
    await read(Files(path=path), kept)
    written(path, "Stars;Comment;ID\n2;other;7\n")  # and other columns, and no longer

    await read(Files(path=path), kept)

    assert list(kept.posts) == ["a/1", "a/2", "a/7"]


async def test_a_file_that_was_changed_before_where_we_stopped_is_read_anew(
    tmp_path: Path,
) -> None:
    many = table(*range(5_000))  # so that the beginning stays the same
    path = written(tmp_path / "a.csv", many)
    kept = Kept()
    await read(Files(path=path), kept)
    written(path, many.replace("n4990n", "N4990N") + lines(9_999))

    await read(Files(path=path), kept)

    assert "N4990N" in kept.posts["a/4990"].text
    assert "a/9999" in kept.posts


async def test_a_file_that_is_replaced_during_a_walk_is_begun_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table(*range(1_200)))
    kept = Kept()
    stream = cast(AsyncGenerator[Page, None], Files(path=path).pages(NO_WEB, None, kept))
    kept.keep(await anext(stream))
    written(path, table(*range(5_000, 5_100)))
    async for page in stream:
        kept.keep(page)

    assert {f"a/{number}" for number in range(5_000, 5_100)} <= kept.posts.keys()


async def test_a_file_that_was_truncated_loses_nothing_that_is_still_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table(*range(100)))
    kept = Kept()
    await read(Files(path=path), kept)
    written(path, table(*range(10)))
    await read(Files(path=path), kept)
    grown(path, lines(200))

    await read(Files(path=path), kept)

    assert len(kept.posts) == 101


@pytest.mark.parametrize("cursor", ["", "nonsense", '{"offset": "far"}', '{"offset": 99999999}'])
async def test_a_cursor_in_other_words_begins_anew(tmp_path: Path, cursor: str) -> None:
    kept = Kept(cursor=cursor)

    await read(Files(path=written(tmp_path / "a.csv", table(1))), kept)

    assert list(kept.posts) == ["a/1"]


async def test_any_growth_in_any_steps_reads_every_row_once(tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - no secret
    whole = table(*range(400)).encode()
    for round_ in range(20):
        path = tmp_path / f"{round_}.csv"
        kept, counted = Kept(), 0
        steps = [*sorted(dice.sample(range(len(whole)), 6)), len(whole)]
        for end in steps:
            path.write_bytes(whole[:end])
            if end == len(whole):
                aged(path)
            if whole[:end].count(b"\n"):
                counted += sum(len(page.posts) for page in await read(Files(path=path), kept))
        assert counted == len(kept.posts) == 400
        assert kept.reasons == []


async def test_cancelled_anywhere_it_leaves_nothing_open_and_can_go_on(tmp_path: Path) -> None:
    source = Files(path=written(tmp_path / "a.csv", table(*range(3_000))))
    for share in range(5):
        kept = Kept()
        task = asyncio.create_task(read(source, kept))
        await asyncio.sleep(share * 0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await read(source, kept)
        assert len(kept.posts) == 3_000


# What is no file, or cannot be read.


async def test_a_file_that_is_not_there_yet_is_asked_for_later(tmp_path: Path) -> None:
    source = Files(path=tmp_path / "later.csv")
    health = await source.check(NO_WEB)

    assert not health.well
    assert "There is no file" in health.says
    with pytest.raises(TryLater, match="no file"):
        await read(source, Kept())


async def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path, why in ((tmp_path, "folder|no regular"), (tmp_path / "pipe", "no regular file")):
        with pytest.raises(AccessDenied, match=why):
            await read(Files(path=path), Kept())


# Rejects.


async def test_rows_that_cannot_be_read_are_kept_for_a_person(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Stars\n=cold(),9\nfine,1\n@late,lots\n")
    rejects = tmp_path / "rejects.jsonl"

    await read_all(path, rejects=rejects)

    _, first, second = map(orjson.loads, rejects.read_bytes().splitlines())
    assert first == {
        "row": 2,
        "reason": "its rating is not on the scale of 1 to 5",
        "raw": "=cold(),9\n",
    }
    assert second["row"] == 4
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


async def test_rejects_are_kept_once_however_often_a_page_is_read(tmp_path: Path) -> None:
    rows = [f"fine {number},{number % 7}" for number in range(1_600)]  # 0 and 6 are no stars
    path = written(tmp_path / "a.csv", "Comment,Stars\n" + "\n".join(rows) + "\n")
    rejects = tmp_path / "rejects.jsonl"
    source = Files(path=path, rejects=rejects)
    kept = Kept()
    await read(source, kept, stop_after=2)
    lost = Kept(cursor=kept.cursor)
    await read(source, lost, stop_after=1)  # and its cursor was never committed
    await read(source, kept)

    bad = [number for number in range(1_600) if number % 7 in {0, 6}]
    told = [orjson.loads(line) for line in rejects.read_bytes().splitlines()[1:]]
    assert [reject["row"] - 2 for reject in told] == bad


async def test_a_better_file_empties_the_rejects(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Stars\ncold,9\n")
    rejects = tmp_path / "rejects.jsonl"
    kept = Kept()
    await read(Files(path=path, rejects=rejects), kept)
    written(path, "Comment,Stars\ncold,1\n")

    await read(Files(path=path, rejects=rejects), kept)

    assert len(rejects.read_bytes().splitlines()) == 1


async def test_a_file_of_somebody_else_is_never_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Stars\ncold,9\n")
    other = written(tmp_path / "thesis.txt", "years of work")
    (tmp_path / "link").symlink_to(path)

    for rejects in (other, tmp_path / "link", tmp_path / "no" / "folder"):
        with pytest.raises(AccessDenied):
            await read_all(path, rejects=rejects)

    assert other.read_text() == "years of work"
    assert path.read_text() == "Comment,Stars\ncold,9\n"
